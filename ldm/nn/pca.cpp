#include "ldm/nn/pca.h"

#include <ATen/ops/gather.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/zeros.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr int64_t kImagesAtOnce = 64;
constexpr double kSmallestDeviation =
    1e-4;  // Keeps the scale of a component that the data does not have finite.

// Eigenvectors have no sign: make the largest entry of each row positive.
torch::Tensor with_fixed_signs(const torch::Tensor& rows) {
  const auto largest = rows.abs().argmax(1, /*keepdim=*/true);
  return rows * at::gather(rows, 1, largest).sign();
}

}  // namespace

PatchPca::PatchPca(int64_t channels, int64_t patch) : channels_(channels), patch_(patch) {
  check(channels > 0 && patch > 0, "PatchPca: expected positive channels and patch, got ", channels, " and ",
        patch);
  const int64_t width = channels * patch * patch;
  sum_ = at::zeros({width}, at::kDouble);
  products_ = at::zeros({width, width}, at::kDouble);
}

void PatchPca::add(const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  check(images.dim() == 4 && images.size(1) == channels_ && images.size(2) % patch_ == 0 &&
            images.size(3) % patch_ == 0,
        "PatchPca: expected images [N, ", channels_, ", H, W] with H and W multiples of ", patch_, ", got ",
        images.sizes());
  for (const auto& part : images.split(kImagesAtOnce)) {
    const auto folded = at::pixel_unshuffle(part.to(at::kCPU, at::kDouble), patch_);
    const auto rows = folded.permute({0, 2, 3, 1}).reshape({-1, sum_.size(0)});
    sum_ += rows.sum(0);
    products_.addmm_(rows.t(), rows);
    count_ += rows.size(0);
  }
}

PcaFit PatchPca::fit(int64_t latent_channels, double gamma) const {
  torch::NoGradGuard no_grad;
  check(count_ > 0, ErrorKind::kData, "PatchPca: expected at least one image, got none");
  check(latent_channels > 0 && latent_channels <= sum_.size(0), "PatchPca: expected 1 to ", sum_.size(0),
        " latent channels, got ", latent_channels);
  const auto mean = sum_ / static_cast<double>(count_);
  const auto covariance = products_ / static_cast<double>(count_) - at::outer(mean, mean);
  const auto [values, vectors] = at::linalg_eigh(covariance);  // Ascending; eigenvectors in columns.
  const auto kept = values.slice(0, values.size(0) - latent_channels).flip(0).clamp_min(0.0);
  const auto axes =
      with_fixed_signs(vectors.slice(1, values.size(0) - latent_channels).t().flip(0));  // [z, D]

  const auto stddev = kept.sqrt().clamp_min(kSmallestDeviation);
  auto target = stddev.pow(gamma);
  target = target / target.square().mean().sqrt();
  const auto scale = (target / stddev).unsqueeze(1);  // [z, 1]
  const auto encode = axes * scale;
  const auto weight = [&](const torch::Tensor& rows) {
    return rows.reshape({latent_channels, channels_, patch_, patch_}).to(at::kFloat);
  };
  return {.code = {.encode_weight = weight(encode),
                   .encode_bias = -encode.mv(mean).to(at::kFloat),
                   .decode_weight = weight(axes / scale),
                   .decode_bias = mean.reshape({channels_, patch_, patch_}).to(at::kFloat)},
          .stddev = stddev,
          .explained = (kept.sum() / values.clamp_min(0.0).sum().clamp_min(1e-300)).item<double>()};
}

PcaFit fit_pca(const torch::Tensor& images, const PcaOptions& options) {
  check(images.dim() == 4, "fit_pca: expected images [N, C, H, W], got ", images.sizes());
  PatchPca pca(images.size(1), options.patch);
  pca.add(images);
  return pca.fit(options.latent_channels, options.gamma);
}

double reconstruction_psnr(const LinearCode& code, const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  check(images.dim() == 4 && images.size(0) > 0, "reconstruction_psnr: expected images [N, C, H, W], got ",
        images.sizes());
  constexpr double kPeak = 2.0;  // From -1 to 1.
  double sum = 0;
  for (const auto& part : images.split(kImagesAtOnce)) {
    const auto error = code.decode(code.encode(part)).clamp(-1.0, 1.0) - part;
    const auto mse = error.square().flatten(1).mean(1).to(at::kDouble).clamp_min(1e-12);
    sum += (10.0 * (kPeak * kPeak / mse).log10()).sum().item<double>();
  }
  return sum / static_cast<double>(images.size(0));
}

}  // namespace ldm
