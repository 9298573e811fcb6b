#include "ldm/nn/layers.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/kernels/group_norm.h"
#include "ldm/kernels/simd.h"

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

torch::Tensor with_additions(torch::Tensor y, const torch::Tensor& x, const LayerAdditions& additions) {
  for (const auto& addition : additions) y = y + addition->forward(x);
  return y;
}

// The weight in the dtype of the input where that is wider.
torch::Tensor widened(const torch::Tensor& weight, const torch::Tensor& x) {
  const bool narrow = weight.defined() && c10::isReducedFloatingType(weight.scalar_type());
  return narrow && x.scalar_type() == at::kFloat ? weight.to(at::kFloat) : weight;
}

bool kernels_take(const torch::Tensor& x) {
  return !at::GradMode::is_enabled() && x.is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0;
}

}  // namespace

at::ScalarType compute_type(const torch::Tensor& weight) {
  const auto type = weight.scalar_type();
  return weight.is_cpu() && c10::isReducedFloatingType(type) ? at::kFloat : type;
}

void prepare_for_inference(torch::nn::Module& root) {
  if (!simd_available()) return;
  root.apply([](torch::nn::Module& module) {
    if (auto* layer = dynamic_cast<PreparedForInference*>(&module)) layer->prepare_for_inference();
  });
}

int64_t packed_bytes(const torch::nn::Module& root) {
  int64_t numbers = 0;
  root.apply([&](const torch::nn::Module& module) {
    if (const auto* linear = dynamic_cast<const LinearModule*>(&module)) numbers += linear->weight.numel();
    const auto* conv = dynamic_cast<const Conv2dModule*>(&module);
    if (conv == nullptr) return;
    // Nine taps become the (m + 2)^2 values of F(m x m).
    const auto tile = winograd_tile(conv->weight, conv->stride(), conv->padding(), 8, 8);
    numbers += tile > 0 ? conv->weight.numel() / 9 * (tile + 2) * (tile + 2) : conv->weight.numel();
  });
  return numbers * static_cast<int64_t>(sizeof(float));
}

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
  return with_additions(convolved(x), x, additions);
}
torch::Tensor Conv2dModule::convolved(const torch::Tensor& x) const {
  if (packed_ && kernels_take(x)) return (*packed_)(x, weight, bias);
  return at::conv2d(x, widened(weight, x), widened(bias, x), {stride_, stride_}, {padding_, padding_});
}
void Conv2dModule::prepare_for_inference() { packed_ = std::make_unique<PackedConv2d>(stride_, padding_); }

LinearModule::LinearModule(int64_t in_features, int64_t out_features, bool with_bias, int64_t unit_axes) {
  std::vector<int64_t> shape{out_features, in_features};
  shape.resize(shape.size() + static_cast<size_t>(unit_axes), 1);
  weight = register_parameter("weight", init_uniform(shape, default_bound(in_features)));
  if (with_bias) bias = register_parameter("bias", init_uniform({out_features}, default_bound(in_features)));
}
torch::Tensor LinearModule::forward(const torch::Tensor& x) const {
  return with_additions(multiplied(x), x, additions);
}
torch::Tensor LinearModule::multiplied(const torch::Tensor& x) const {
  if (packed_ && kernels_take(x)) return (*packed_)(x, {weight}, bias);
  const auto w = widened(weight, x);
  return at::linear(x, w.dim() == 2 ? w : w.flatten(1), widened(bias, x));
}
void LinearModule::prepare_for_inference() { packed_ = std::make_unique<PackedLinear>(); }

void LinearGroup::prepare_for_inference() { packed_ = std::make_unique<PackedLinear>(); }
std::vector<torch::Tensor> LinearGroup::operator()(const torch::Tensor& x) const {
  std::vector<torch::Tensor> out;
  bool plain = true;
  for (const auto& layer : layers_) plain = plain && layer->additions.empty();
  if (!packed_ || !plain || !kernels_take(x)) {
    for (const auto& layer : layers_) out.push_back(layer(x));
    return out;
  }
  std::vector<torch::Tensor> weights;
  for (const auto& layer : layers_) weights.push_back(layer->weight);
  const auto together = (*packed_)(x, weights, {});
  int64_t first = 0;
  for (const auto& weight : weights) {
    out.push_back(together.narrow(-1, first, weight.size(0)));
    first += weight.size(0);
  }
  return out;
}

GroupNormModule::GroupNormModule(int64_t groups, int64_t channels, double eps) : groups_(groups), eps_(eps) {
  check(groups > 0 && channels > 0 && channels % groups == 0, "GroupNorm: expected a channel count that ",
        groups, " groups divide, got ", channels);
  weight = register_parameter("weight", init_constant({channels}, 1.0));
  bias = register_parameter("bias", init_constant({channels}, 0.0));
}
torch::Tensor GroupNormModule::normalized(const torch::Tensor& x, bool with_silu) const {
  const auto w = widened(weight, x), b = widened(bias, x);
  if (prepared_ && kernels_take(x) && group_norm_nhwc_takes(x))
    return group_norm_nhwc(x, groups_, w, b, eps_, with_silu);
  auto y = at::group_norm(x, groups_, w, b, eps_);
  if (!with_silu) return y;
  return at::GradMode::is_enabled() ? at::silu(y) : at::silu_(y);
}
torch::Tensor norm_silu(const GroupNorm& norm, const torch::Tensor& x) { return norm->forward_silu(x); }

LayerNormModule::LayerNormModule(int64_t channels, double eps) : channels_(channels), eps_(eps) {
  weight = register_parameter("weight", init_constant({channels}, 1.0));
  bias = register_parameter("bias", init_constant({channels}, 0.0));
}
torch::Tensor LayerNormModule::forward(const torch::Tensor& x) const {
  return at::layer_norm(x, {channels_}, widened(weight, x), widened(bias, x), eps_);
}

EmbeddingModule::EmbeddingModule(int64_t entries, int64_t width, double std) {
  weight = register_parameter("weight", init_normal({entries, width}, std));
}
torch::Tensor EmbeddingModule::forward(const torch::Tensor& ids) const {
  return at::embedding(weight, ids).to(compute_type(weight));
}

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
