#include "ldm/nn/efficientnet.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu6.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "ldm/core/error.h"
#include "ldm/nn/state_dict.h"

namespace ldm {
namespace {

struct BlockSpec {
  int64_t in, out, expansion, kernel, stride;
  bool tap;
};
constexpr int64_t kStemChannels = 32;
constexpr BlockSpec kBlocks[] = {{32, 16, 1, 3, 1, true},
                                 {16, 24, 6, 3, 2, false},
                                 {24, 24, 6, 3, 1, true},
                                 {24, 40, 6, 5, 2, false},
                                 {40, 40, 6, 5, 1, true}};

// Added to the squared length of a feature vector: where a picture is flat the features vanish, and the
// gradient of the bare quotient would explode.
constexpr double kLengthFloor = 1e-4;

torch::Tensor unit_features(const torch::Tensor& f) {
  return f * (f.square().sum(1, /*keepdim=*/true) + kLengthFloor).rsqrt();
}

Layer<SameConvModule> same_conv(int64_t in, int64_t out, int64_t kernel = 1, int64_t stride = 1,
                                bool depthwise = false) {
  return Layer(std::make_shared<SameConvModule>(in, out, kernel, stride, depthwise));
}

}  // namespace

SameConvModule::SameConvModule(int64_t in_channels, int64_t out_channels, int64_t kernel, int64_t stride,
                               bool depthwise)
    : kernel_(kernel), stride_(stride), groups_(depthwise ? in_channels : 1) {
  const int64_t fan_in = in_channels / groups_ * kernel * kernel;
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  weight = register_parameter(
      "weight",
      at::empty({out_channels, in_channels / groups_, kernel, kernel}, at::kFloat).uniform_(-bound, bound));
  bias = register_parameter("bias", at::zeros({out_channels}));
}

torch::Tensor SameConvModule::forward(const torch::Tensor& x) const {
  const auto padding = [&](int64_t size) {
    return std::max<int64_t>(0, ((size + stride_ - 1) / stride_ - 1) * stride_ + kernel_ - size);
  };
  const int64_t h = padding(x.size(2)), w = padding(x.size(3));
  const bool even = h % 2 == 0 && w % 2 == 0;
  const auto padded = even ? x : at::constant_pad_nd(x, {w / 2, w - w / 2, h / 2, h - h / 2});
  const int64_t inside[] = {even ? h / 2 : 0, even ? w / 2 : 0};
  return at::conv2d(padded, weight, bias, {stride_, stride_}, inside, {1, 1}, groups_);
}

MobileBlock::MobileBlock(int64_t in_channels, int64_t out_channels, int64_t expansion, int64_t kernel,
                         int64_t stride)
    : residual_(stride == 1 && in_channels == out_channels) {
  const int64_t width = in_channels * expansion;
  if (expansion != 1) expand_ = add(*this, "expand", same_conv(in_channels, width));
  depthwise_ = add(*this, "depthwise", same_conv(width, width, kernel, stride, /*depthwise=*/true));
  project_ = add(*this, "project", same_conv(width, out_channels));
}

torch::Tensor MobileBlock::forward(const torch::Tensor& x) const {
  auto h = expand_ ? at::relu6(expand_(x)) : x;
  h = project_(at::relu6(depthwise_(h)));
  return residual_ ? h + x : h;
}

EfficientNetPerceptual::EfficientNetPerceptual()
    : stem_(add(*this, "stem", same_conv(3, kStemChannels, /*kernel=*/3, /*stride=*/2))) {
  for (const auto& b : kBlocks) {
    Layer block(std::make_shared<MobileBlock>(b.in, b.out, b.expansion, b.kernel, b.stride));
    blocks_.push_back(add(*this, "blocks." + std::to_string(blocks_.size()), block));
  }
  for (auto& p : parameters()) p.set_requires_grad(false);
}

std::shared_ptr<EfficientNetPerceptual> EfficientNetPerceptual::from_file(const std::filesystem::path& path) {
  auto net = std::make_shared<EfficientNetPerceptual>();
  const auto report = load_state_dict(*net, read_tensor_file(path).tensors);
  check(report.ok(), ErrorKind::kFormat, path.string(),
        ": expected the weights that scripts/convert_efficientnet_lite0.py writes, got ",
        report.missing.size(), " missing, ", report.unexpected.size(), " unexpected and ",
        report.mis_shaped.size(), " mis-shaped tensors");
  net->eval();
  return net;
}

std::vector<torch::Tensor> EfficientNetPerceptual::taps(const torch::Tensor& x) const {
  auto h = at::relu6(stem_(x));
  std::vector<torch::Tensor> out{h};
  for (size_t i = 0; i < blocks_.size(); ++i) {
    h = blocks_[i](h);
    if (kBlocks[i].tap) out.push_back(h);
  }
  return out;
}

torch::Tensor EfficientNetPerceptual::forward(const torch::Tensor& x, const torch::Tensor& y) const {
  check(x.dim() == 4 && x.size(1) == 3 && x.sizes() == y.sizes(),
        "EfficientNetPerceptual: expected two batches [N, 3, H, W] of one shape, got ", x.sizes(), " and ",
        y.sizes());
  const auto fx = taps(x), fy = taps(y);
  auto sum = at::zeros({x.size(0), 1, 1, 1}, x.options());
  for (size_t i = 0; i < fx.size(); ++i) {
    const auto difference = (unit_features(fx[i]) - unit_features(fy[i])).square();
    sum = sum + difference.sum(1, /*keepdim=*/true).mean({2, 3}, /*keepdim=*/true);
  }
  return sum;
}

}  // namespace ldm
