#include "ldm/nn/tiny_autoencoder.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/stopped.h"

namespace ldm {
namespace {

constexpr int64_t kWidth = 64;
constexpr int64_t kPooledWidth = 4 * kWidth;
constexpr int64_t kPooledGroups = 4;
constexpr int64_t kHalvings = 3;
constexpr int64_t kBlocks = 3;  // At each resolution but the finest, which has one.
// Latents beyond which nothing reaches a pixel, or a pixel's square a latent: nine convolutions at the
// latents' size, as many at each doubling, four at the pixels'.
constexpr int64_t kReach = 20;
constexpr int64_t kFewestLatents = 8;     // Rows of a band.
constexpr int64_t kMapsAtOnce = 4;        // Of kWidth channels and the pixels' size: a block's.
constexpr double kLatentMagnitude = 3.0;  // Latents are bounded softly to +-3.

Conv2d tiny_conv(int64_t in, int64_t out, int64_t stride, bool bias) {
  return conv2d({.in_channels = in, .out_channels = out, .stride = stride, .bias = bias});
}

torch::Tensor bounded(const torch::Tensor& x) { return at::tanh(x / kLatentMagnitude) * kLatentMagnitude; }

torch::Tensor rectified(torch::Tensor x) { return at::relu_(x); }  // Of a temporary.

torch::Tensor doubled(const torch::Tensor& x) {
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

// The tensors of one half under the repository's names. diffusers does not count the decoder's first layer,
// which has no weights.
StateDict tiny_names(const StateDict& tensors, const std::string& half, int64_t shift) {
  const auto prefix = half + ".layers.";
  const bool diffusers = std::any_of(tensors.begin(), tensors.end(),
                                     [&](const auto& entry) { return entry.first.starts_with(prefix); });
  if (!diffusers) return tensors;
  StateDict out;
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(prefix)) continue;  // The other half.
    const auto rest = name.substr(prefix.size());
    const auto dot = rest.find('.');
    const auto digits = rest.substr(0, dot);
    check(dot != std::string::npos && !digits.empty() && digits.size() < 4 &&
              std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); }),
          ErrorKind::kFormat, "tiny autoencoder: expected ", prefix, "NUMBER.*, got '", name, "'");
    out[std::to_string(std::stoll(digits) + shift) + rest.substr(dot)] = tensor;
  }
  return out;
}

// The results of rows [a, b), one behind the other.
template <typename Code>
torch::Tensor code_rows(int64_t height, int64_t step, const StopToken& stop, const Code& code) {
  std::vector<torch::Tensor> parts;
  for (int64_t a = 0; a < height; a += step) {
    check_stop(stop, "coding: stopped");
    parts.push_back(code(a, std::min(a + step, height)));
  }
  return at::cat(parts, /*dim=*/2);
}

void fill_half(torch::nn::Module& half, const StateDict& tensors, std::string_view name) {
  const auto report = load_state_dict(half, tensors);
  check(report.ok(), ErrorKind::kFormat, "tiny autoencoder: the ", name, "'s weights do not fit\n",
        report.table());
}

}  // namespace

TinyBlock::TinyBlock(bool pooled)
    : conv_0_(add(*this, "conv.0", conv3x3(kWidth, kWidth))),
      conv_2_(add(*this, "conv.2", conv3x3(kWidth, kWidth))),
      conv_4_(add(*this, "conv.4", conv3x3(kWidth, kWidth))) {
  if (!pooled) return;
  pool_0_ = add(*this, "pool.0", conv1x1(kWidth, kPooledWidth, /*bias=*/false));
  pool_1_ = add(*this, "pool.1", group_norm(kPooledWidth, 1e-5, kPooledGroups));
  pool_3_ = add(*this, "pool.3", conv1x1(kPooledWidth, kWidth, /*bias=*/false));
}

torch::Tensor TinyBlock::forward(const torch::Tensor& in) const {
  const auto x = pool_0_ ? in + pool_3_(rectified(pool_1_(pool_0_(in)))) : in;
  const auto h = conv_4_(rectified(conv_2_(rectified(conv_0_(x)))));
  return rectified(h + x);
}

void TinyChain::add_conv(int64_t in, int64_t out, int64_t stride, bool bias) {
  add_step(add(*this, std::to_string(steps_.size()), tiny_conv(in, out, stride, bias)));
}

void TinyChain::add_blocks(int64_t count, bool pooled) {
  for (int64_t i = 0; i < count; ++i) {
    add_step(add(*this, std::to_string(steps_.size()), Layer(std::make_shared<TinyBlock>(pooled))));
  }
}

std::shared_ptr<TinyChain> TinyChain::encoder(const TinyAutoencoderOptions& o) {
  auto chain = std::make_shared<TinyChain>();
  chain->add_conv(3, kWidth);
  chain->add_blocks(1, false);
  for (int64_t i = 1; i <= kHalvings; ++i) {
    chain->add_conv(kWidth, kWidth, /*stride=*/2, /*bias=*/false);
    chain->add_blocks(kBlocks, o.pooled_middle && i == kHalvings);
  }
  chain->add_conv(kWidth, o.latent_channels);
  return chain;
}

std::shared_ptr<TinyChain> TinyChain::decoder(const TinyAutoencoderOptions& o) {
  auto chain = std::make_shared<TinyChain>();
  chain->add_step(bounded);
  chain->add_conv(o.latent_channels, kWidth);
  chain->add_step(rectified);
  for (int64_t i = 0; i < kHalvings; ++i) {
    chain->add_blocks(kBlocks, o.pooled_middle && i == 0);
    chain->add_step(doubled);
    chain->add_conv(kWidth, kWidth, /*stride=*/1, /*bias=*/false);
  }
  chain->add_blocks(1, false);
  chain->add_conv(kWidth, 3);
  return chain;
}

torch::Tensor TinyChain::forward(torch::Tensor x) const {
  for (const auto& step : steps_) x = step(x);
  return x;
}

TinyAutoencoder::TinyAutoencoder(const TinyAutoencoderOptions& o)
    : latent_channels_(o.latent_channels), pooled_middle_(o.pooled_middle) {
  check(o.latent_channels > 0, "TinyAutoencoder: expected positive latent_channels, got ", o.latent_channels);
  encoder_ = add(*this, "encoder", Layer(TinyChain::encoder(o)));
  decoder_ = add(*this, "decoder", Layer(TinyChain::decoder(o)));
}

std::shared_ptr<TinyAutoencoder> TinyAutoencoder::from_tensors(const StateDict& encoder,
                                                               const StateDict& decoder) {
  const auto down = tiny_names(encoder, "encoder", 0), up = tiny_names(decoder, "decoder", 1);
  const auto first = up.find("1.weight");
  check(first != up.end() && first->second.dim() == 4 && down.contains("0.weight"), ErrorKind::kFormat,
        "tiny autoencoder: expected the files of an encoder (0.weight, ...) and of a decoder (1.weight, ...),"
        " in this order");
  const bool pooled = up.contains("3.pool.0.weight");
  InitScope no_init(Init::kNone);
  auto stage = std::make_shared<TinyAutoencoder>(
      TinyAutoencoderOptions{.latent_channels = first->second.size(1), .pooled_middle = pooled});
  fill_half(*stage->encoder_.ptr(), down, "encoder");
  fill_half(*stage->decoder_.ptr(), up, "decoder");
  return stage;
}

torch::Tensor TinyAutoencoder::encode(const torch::Tensor& images, const torch::Tensor&) const {
  return encoder_(images * 0.5 + 0.5);
}

torch::Tensor TinyAutoencoder::decode(const torch::Tensor& latents) const {
  return decoder_(latents) * 2 - 1;
}

int64_t TinyAutoencoder::encode_bytes(int64_t height, int64_t width) const {
  return kMapsAtOnce * kWidth * height * width * static_cast<int64_t>(sizeof(float));
}
int64_t TinyAutoencoder::decode_bytes(int64_t height, int64_t width) const {
  return encode_bytes(downsampling() * height, downsampling() * width);
}

// There is neither attention nor, but for the pooled middle, a norm: each band is coded with as much around
// it as can be seen from there.
torch::Tensor TinyAutoencoder::encode_bands(const torch::Tensor& image, const CodingLimits& limits) const {
  if (pooled_middle_) return encode(image, {});
  const int64_t f = downsampling(), height = image.size(2) / f;
  return code_rows(
      height, band_rows(height, image.size(3) / f, limits), limits.stop, [&](int64_t a, int64_t b) {
        const int64_t above = std::max<int64_t>(0, a - kReach), below = std::min(height, b + kReach);
        return encode(image.slice(2, f * above, f * below), {}).slice(2, a - above, b - above);
      });
}
torch::Tensor TinyAutoencoder::decode_bands(const torch::Tensor& latents, const CodingLimits& limits) const {
  if (pooled_middle_) return decode(latents);
  const int64_t f = downsampling(), height = latents.size(2);
  return code_rows(
      height, band_rows(height, latents.size(3), limits), limits.stop, [&](int64_t a, int64_t b) {
        const int64_t above = std::max<int64_t>(0, a - kReach), below = std::min(height, b + kReach);
        return decode(latents.slice(2, above, below)).slice(2, f * (a - above), f * (b - above));
      });
}

int64_t TinyAutoencoder::band_rows(int64_t height, int64_t width, const CodingLimits& limits) const {
  if (limits.band > 0) return limits.band;
  const int64_t fitting = limits.memory / std::max<int64_t>(1, decode_bytes(1, width));
  return std::min(height, std::max(kFewestLatents, fitting - 2 * kReach));
}

}  // namespace ldm
