#include "ldm/nn/layers.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

thread_local Init current_init = Init::kRandom;

torch::Tensor init_empty(at::IntArrayRef shape) {
  return at::empty(shape,
                   at::TensorOptions(at::kFloat).device(current_init == Init::kMeta ? at::kMeta : at::kCPU));
}

// PyTorch's default start: kaiming_uniform(a = sqrt(5)) is U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
double default_bound(int64_t fan_in) {
  return fan_in > 0 ? 1.0 / std::sqrt(static_cast<double>(fan_in)) : 0.0;
}

}  // namespace

InitScope::InitScope(Init init) : outer_(current_init) { current_init = init; }
InitScope::~InitScope() { current_init = outer_; }

Init init_mode() { return current_init; }

torch::Tensor init_uniform(at::IntArrayRef shape, double bound) {
  auto out = init_empty(shape);
  return current_init == Init::kRandom ? out.uniform_(-bound, bound) : out;
}
torch::Tensor init_normal(at::IntArrayRef shape, double std) {
  auto out = init_empty(shape);
  return current_init == Init::kRandom ? out.normal_(0.0, std) : out;
}
torch::Tensor init_constant(at::IntArrayRef shape, double value) { return init_empty(shape).fill_(value); }

void add_module(torch::nn::Module& parent, std::string_view dotted_name,
                std::shared_ptr<torch::nn::Module> child) {
  torch::nn::Module* at = &parent;
  for (auto dot = dotted_name.find('.'); dot != std::string_view::npos; dot = dotted_name.find('.')) {
    const std::string part(dotted_name.substr(0, dot));
    dotted_name.remove_prefix(dot + 1);
    const auto children = at->named_children();
    const auto* found = children.find(part);
    at = found ? found->get() : at->register_module(part, std::make_shared<torch::nn::Module>()).get();
  }
  at->register_module(std::string(dotted_name), std::move(child));
}

Conv2dModule::Conv2dModule(const Conv2dOptions& o) : stride_(o.stride), padding_(o.padding) {
  const int64_t fan_in = o.in_channels * o.kernel * o.kernel;
  weight = register_parameter(
      "weight", init_uniform({o.out_channels, o.in_channels, o.kernel, o.kernel}, default_bound(fan_in)));
  if (o.bias) bias = register_parameter("bias", init_uniform({o.out_channels}, default_bound(fan_in)));
}
torch::Tensor Conv2dModule::forward(const torch::Tensor& x) const {
  return at::conv2d(x, weight, bias, {stride_, stride_}, {padding_, padding_});
}

LinearModule::LinearModule(int64_t in_features, int64_t out_features, bool with_bias, int64_t unit_axes) {
  std::vector<int64_t> shape{out_features, in_features};
  shape.resize(shape.size() + static_cast<size_t>(unit_axes), 1);
  weight = register_parameter("weight", init_uniform(shape, default_bound(in_features)));
  if (with_bias) bias = register_parameter("bias", init_uniform({out_features}, default_bound(in_features)));
}
torch::Tensor LinearModule::forward(const torch::Tensor& x) const {
  return at::linear(x, weight.dim() == 2 ? weight : weight.flatten(1), bias);
}

GroupNormModule::GroupNormModule(int64_t groups, int64_t channels, double eps) : groups_(groups), eps_(eps) {
  check(groups > 0 && channels > 0 && channels % groups == 0, "GroupNorm: expected a channel count that ",
        groups, " groups divide, got ", channels);
  weight = register_parameter("weight", init_constant({channels}, 1.0));
  bias = register_parameter("bias", init_constant({channels}, 0.0));
}
torch::Tensor GroupNormModule::forward(const torch::Tensor& x) const {
  return at::group_norm(x, groups_, weight, bias, eps_);
}

LayerNormModule::LayerNormModule(int64_t channels, double eps) : channels_(channels), eps_(eps) {
  weight = register_parameter("weight", init_constant({channels}, 1.0));
  bias = register_parameter("bias", init_constant({channels}, 0.0));
}
torch::Tensor LayerNormModule::forward(const torch::Tensor& x) const {
  return at::layer_norm(x, {channels_}, weight, bias, eps_);
}

EmbeddingModule::EmbeddingModule(int64_t entries, int64_t width, double std) {
  weight = register_parameter("weight", init_normal({entries, width}, std));
}
torch::Tensor EmbeddingModule::forward(const torch::Tensor& ids) const { return at::embedding(weight, ids); }

Conv2d conv2d(const Conv2dOptions& options) { return Conv2d(std::make_shared<Conv2dModule>(options)); }
Conv2d conv3x3(int64_t in_channels, int64_t out_channels, int64_t stride) {
  return conv2d({.in_channels = in_channels, .out_channels = out_channels, .stride = stride});
}
Conv2d conv1x1(int64_t in_channels, int64_t out_channels, bool bias) {
  return conv2d(
      {.in_channels = in_channels, .out_channels = out_channels, .kernel = 1, .padding = 0, .bias = bias});
}
Linear linear(int64_t in_features, int64_t out_features, bool bias) {
  return Linear(std::make_shared<LinearModule>(in_features, out_features, bias));
}
Linear pointwise(int64_t in_features, int64_t out_features, int64_t unit_axes) {
  return Linear(std::make_shared<LinearModule>(in_features, out_features, /*with_bias=*/true, unit_axes));
}
GroupNorm group_norm(int64_t channels, double eps, int64_t groups) {
  return GroupNorm(std::make_shared<GroupNormModule>(groups, channels, eps));
}
LayerNorm layer_norm(int64_t channels, double eps) {
  return LayerNorm(std::make_shared<LayerNormModule>(channels, eps));
}
Embedding embedding(int64_t entries, int64_t width, double std) {
  return Embedding(std::make_shared<EmbeddingModule>(entries, width, std));
}

torch::Tensor attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                        const torch::Tensor& mask, double scale) {
  std::optional<at::Tensor> attn_mask;
  if (mask.defined()) attn_mask = mask;
  std::optional<double> factor;
  if (scale > 0) factor = scale;
  return at::scaled_dot_product_attention(q, k, v, attn_mask, /*dropout_p=*/0.0, /*is_causal=*/false, factor);
}

torch::Tensor split_heads(const torch::Tensor& x, int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}
torch::Tensor merge_heads(const torch::Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)});
}

torch::Tensor pixels_to_tokens(const torch::Tensor& x) { return x.flatten(2).transpose(1, 2); }
torch::Tensor tokens_to_pixels(const torch::Tensor& tokens, const torch::Tensor& like) {
  return tokens.transpose(1, 2).view({tokens.size(0), tokens.size(2), like.size(2), like.size(3)});
}

}  // namespace ldm
