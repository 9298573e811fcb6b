#include "ldm/nn/lpips.h"

#include <ATen/ops/dropout.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ldm/core/error.h"

namespace ldm {
namespace {

struct ConvSpec {
  int slice, index;  // net.slice{slice}.{index}
  int64_t in, out;
  int64_t kernel = 3, stride = 1, padding = 1;
  bool pool = false, tap = false;
};

constexpr ConvSpec kVgg16[] = {
    {.slice = 1, .index = 0, .in = 3, .out = 64},
    {.slice = 1, .index = 2, .in = 64, .out = 64, .tap = true},
    {.slice = 2, .index = 5, .in = 64, .out = 128, .pool = true},
    {.slice = 2, .index = 7, .in = 128, .out = 128, .tap = true},
    {.slice = 3, .index = 10, .in = 128, .out = 256, .pool = true},
    {.slice = 3, .index = 12, .in = 256, .out = 256},
    {.slice = 3, .index = 14, .in = 256, .out = 256, .tap = true},
    {.slice = 4, .index = 17, .in = 256, .out = 512, .pool = true},
    {.slice = 4, .index = 19, .in = 512, .out = 512},
    {.slice = 4, .index = 21, .in = 512, .out = 512, .tap = true},
    {.slice = 5, .index = 24, .in = 512, .out = 512, .pool = true},
    {.slice = 5, .index = 26, .in = 512, .out = 512},
    {.slice = 5, .index = 28, .in = 512, .out = 512, .tap = true},
};

constexpr ConvSpec kAlexNet[] = {
    {.slice = 1, .index = 0, .in = 3, .out = 64, .kernel = 11, .stride = 4, .padding = 2, .tap = true},
    {.slice = 2, .index = 3, .in = 64, .out = 192, .kernel = 5, .padding = 2, .pool = true, .tap = true},
    {.slice = 3, .index = 6, .in = 192, .out = 384, .pool = true, .tap = true},
    {.slice = 4, .index = 8, .in = 384, .out = 256, .tap = true},
    {.slice = 5, .index = 10, .in = 256, .out = 256, .tap = true},
};

torch::Tensor unit_length(const torch::Tensor& f) {
  return f / (f.square().sum(1, /*keepdim=*/true).sqrt() + 1e-10);
}

torch::Tensor channel_values(double r, double g, double b) {
  return at::tensor({r, g, b}, at::kFloat).view({1, 3, 1, 1});
}

}  // namespace

Lpips::Lpips(const LpipsOptions& o) : options_(o) {
  const bool vgg = o.net == LpipsNet::kVgg;
  const auto scaling = register_module("scaling_layer", std::make_shared<torch::nn::Module>());
  shift_ = scaling->register_buffer("shift", channel_values(-.030, -.088, -.188));
  scale_ = scaling->register_buffer("scale", channel_values(.458, .448, .450));
  for (const auto& s : vgg ? std::span<const ConvSpec>(kVgg16) : std::span<const ConvSpec>(kAlexNet)) {
    auto conv = conv2d({.in_channels = s.in,
                        .out_channels = s.out,
                        .kernel = s.kernel,
                        .stride = s.stride,
                        .padding = s.padding});
    add(*this, "net.slice" + std::to_string(s.slice) + "." + std::to_string(s.index), conv);
    steps_.push_back({.conv = conv, .pool = s.pool, .tap = s.tap});
    if (!s.tap) continue;
    const auto name = "lin" + std::to_string(lin_.size()) + (o.use_dropout ? ".model.1" : ".model.0");
    lin_.push_back(add(*this, name, conv1x1(s.out, 1, /*bias=*/false)));
  }
  for (auto& p : parameters()) p.set_requires_grad(false);
}

std::shared_ptr<Lpips> Lpips::from_tensors(const StateDict& tensors) {
  StateDict own;
  for (const auto& [name, tensor] : tensors) {
    constexpr std::string_view kPrefix = "perceptual_loss.";
    const auto at = name.find(kPrefix);
    const auto rest = at == std::string::npos ? name : name.substr(at + kPrefix.size());
    if (at == std::string::npos && !name.starts_with("net.") && !name.starts_with("lin")) continue;
    if (!rest.starts_with("lins.") && !rest.starts_with("scaling_layer.")) own[rest] = tensor;
  }
  const auto first = own.find("net.slice1.0.weight");
  check(first != own.end() && first->second.dim() == 4, ErrorKind::kFormat,
        "Lpips: expected net.slice1.0.weight and lin0.model.*, found no LPIPS network");
  auto out = std::make_shared<Lpips>(
      LpipsOptions{.net = first->second.size(2) == kAlexNet[0].kernel ? LpipsNet::kAlex : LpipsNet::kVgg,
                   .use_dropout = !own.contains("lin0.model.0.weight")});
  auto report = load_state_dict(*out, own);
  std::erase_if(report.missing, [](const std::string& name) { return name.starts_with("scaling_layer."); });
  check(report.ok(), ErrorKind::kFormat, "Lpips: the weights do not fit\n", report.table());
  out->eval();
  return out;
}

std::vector<torch::Tensor> Lpips::taps(const torch::Tensor& x) const {
  const int64_t pool = options_.net == LpipsNet::kVgg ? 2 : 3;
  std::vector<torch::Tensor> out;
  auto h = (x - shift_) / scale_;
  for (const auto& step : steps_) {
    if (step.pool) h = at::max_pool2d(h, {pool, pool}, {2, 2});
    h = at::relu(step.conv(h));
    if (step.tap) out.push_back(h);
  }
  return out;
}

std::vector<torch::Tensor> Lpips::layers(const torch::Tensor& x, const torch::Tensor& y) const {
  check(x.dim() == 4 && x.size(1) == 3 && x.sizes() == y.sizes(),
        "Lpips: expected two batches [N, 3, H, W] of one shape, got ", x.sizes(), " and ", y.sizes());
  const auto fx = taps(x), fy = taps(y);
  std::vector<torch::Tensor> out;
  for (size_t i = 0; i < fx.size(); ++i) {
    auto difference = (unit_length(fx[i]) - unit_length(fy[i])).square();
    if (options_.use_dropout) difference = at::dropout(difference, 0.5, is_training());
    out.push_back(lin_[i](difference).mean({2, 3}, /*keepdim=*/true));
  }
  return out;
}

torch::Tensor Lpips::forward(const torch::Tensor& x, const torch::Tensor& y) const {
  const auto parts = layers(x, y);
  auto sum = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) sum = sum + parts[i];
  return sum;
}

}  // namespace ldm
