#include "ldm/nn/patchgan.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/std.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <memory>
#include <string>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr double kMomentum = 0.1;
constexpr double kStartDeviation = 0.02;

}  // namespace

BatchNorm2dModule::BatchNorm2dModule(int64_t channels, double eps) : eps_(eps) {
  weight = register_parameter("weight", at::ones({channels}));
  bias = register_parameter("bias", at::zeros({channels}));
  running_mean = register_buffer("running_mean", at::zeros({channels}));
  running_var = register_buffer("running_var", at::ones({channels}));
  num_batches_tracked = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

torch::Tensor BatchNorm2dModule::forward(const torch::Tensor& x) {
  if (is_training()) num_batches_tracked.add_(1);
  return at::batch_norm(x, weight, bias, running_mean, running_var, is_training(), kMomentum, eps_,
                        /*cudnn_enabled=*/true);
}

ActNormModule::ActNormModule(int64_t channels) {
  loc = register_parameter("loc", at::zeros({1, channels, 1, 1}));
  scale = register_parameter("scale", at::ones({1, channels, 1, 1}));
  initialized = register_buffer("initialized", at::zeros({}, at::kByte));
}

torch::Tensor ActNormModule::forward(const torch::Tensor& x) {
  if (is_training() && initialized.item<uint8_t>() == 0) {
    torch::NoGradGuard no_grad;
    loc.copy_(-x.mean({0, 2, 3}, /*keepdim=*/true));
    scale.copy_(1.0 / (x.std({0, 2, 3}, /*unbiased=*/true, /*keepdim=*/true) + 1e-6));
    initialized.fill_(1);
  }
  return scale * (x + loc);
}

PatchDiscriminator::PatchDiscriminator(const PatchDiscriminatorOptions& o) {
  check(o.input_nc > 0 && o.ndf > 0 && o.n_layers > 0,
        "PatchDiscriminator: expected positive input_nc, ndf and n_layers");
  const bool bias = o.use_actnorm;  // BatchNorm brings its own.
  const auto width = [&](int64_t layer) { return o.ndf * (int64_t{1} << std::min<int64_t>(layer, 3)); };
  add_conv(o.input_nc, o.ndf, /*stride=*/2, /*bias=*/true);
  add_leaky_relu();
  for (int64_t n = 1; n <= o.n_layers; ++n) {
    add_conv(width(n - 1), width(n), n < o.n_layers ? 2 : 1, bias);
    add_norm(width(n), o.use_actnorm);
    add_leaky_relu();
  }
  add_conv(width(o.n_layers), 1, /*stride=*/1, /*bias=*/true);
}

torch::Tensor PatchDiscriminator::forward(const torch::Tensor& x) const {
  auto h = x;
  for (const auto& step : steps_) h = step(h);
  return h;
}

void PatchDiscriminator::add_conv(int64_t in, int64_t out, int64_t stride, bool bias) {
  auto conv = conv2d({.in_channels = in, .out_channels = out, .kernel = 4, .stride = stride, .bias = bias});
  {
    torch::NoGradGuard no_grad;
    conv->weight.normal_(0.0, kStartDeviation);
  }
  steps_.push_back(add(*this, "main." + std::to_string(steps_.size()), conv));
}

void PatchDiscriminator::add_norm(int64_t channels, bool actnorm) {
  const auto name = "main." + std::to_string(steps_.size());
  if (actnorm) {
    steps_.push_back(add(*this, name, Layer(std::make_shared<ActNormModule>(channels))));
    return;
  }
  Layer norm(std::make_shared<BatchNorm2dModule>(channels));
  torch::NoGradGuard no_grad;
  norm->weight.normal_(1.0, kStartDeviation);
  steps_.push_back(add(*this, name, norm));
}

void PatchDiscriminator::add_leaky_relu() {
  steps_.push_back([](const torch::Tensor& x) { return at::leaky_relu(x, 0.2); });
}

}  // namespace ldm
