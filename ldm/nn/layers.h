#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "ldm/kernels/packed_conv.h"
#include "ldm/kernels/packed_linear.h"

namespace ldm {

// The few layers that everything is made of. They are ours and thin, so that weight packing, kernels and
// layouts can plug in here without touching a block. Weights start as PyTorch starts them (kaiming_uniform
// with a = sqrt(5)), drawn from ATen's default CPU generator.
//
// Weights may be stored in half or bfloat16. On the CPU the arithmetic is then still float: a layer that gets
// float input widens its weights on use. On a GPU it is that of the weights.

// The dtype in which layers with this weight compute.
at::ScalarType compute_type(const torch::Tensor& weight);

// A layer with a second, faster way for inference on the CPU.
class PreparedForInference {
 public:
  virtual ~PreparedForInference() = default;
  virtual void prepare_for_inference() = 0;
};

// Lets the layers below `root` use the kernels of ldm/kernels wherever no gradient is recorded and the input
// is float on the CPU: convolutions and linear layers pack their weights at their first call (once more, if
// the weights change), and pictures stay in channels-last memory. Parameters, their names and training stay
// as they are; results agree to rounding. Does nothing on a CPU without AVX2 and FMA.
void prepare_for_inference(torch::nn::Module& root);

// About how many bytes the packed weights of the layers below `root` take, beside the stored ones.
int64_t packed_bytes(const torch::nn::Module& root);

// How new weights start, for as long as an InitScope lives on this thread.
enum class Init {
  kRandom,  // As PyTorch does. The default.
  kNone,    // Memory is taken and left as it is: for weights that a file fills.
  kMeta,    // Shapes only, no memory (device meta): for names and counts.
};

// Sets how new weights start on this thread, until it ends.
class InitScope {
 public:
  explicit InitScope(Init init);
  ~InitScope();
  InitScope(const InitScope&) = delete;
  InitScope& operator=(const InitScope&) = delete;

 private:
  Init outer_;
};

// How new weights start on this thread just now.
Init init_mode();

// The start of a parameter under the present InitScope, float32: from U(-bound, bound), from N(0, std^2), or
// one value.
torch::Tensor init_uniform(at::IntArrayRef shape, double bound);
torch::Tensor init_normal(at::IntArrayRef shape, double std);
torch::Tensor init_constant(at::IntArrayRef shape, double value);

// A module held by shared ownership and called like a function: conv(x).
template <typename Module>
class Layer {
 public:
  Layer() = default;
  explicit Layer(std::shared_ptr<Module> module) : module_(std::move(module)) {}

  template <typename... Args>
  torch::Tensor operator()(Args&&... args) const {
    return module_->forward(std::forward<Args>(args)...);
  }
  Module* operator->() const { return module_.get(); }
  explicit operator bool() const { return module_ != nullptr; }
  const std::shared_ptr<Module>& ptr() const { return module_; }

 private:
  std::shared_ptr<Module> module_;
};

// Registers a child under the original's dotted name, building the modules on the way ("in_layers.0":
// LibTorch refuses dots in one name), and returns it: declaration, name and registration stand on one line.
void add_module(torch::nn::Module& parent, std::string_view dotted_name,
                std::shared_ptr<torch::nn::Module> child);

template <typename Module>
Layer<Module> add(torch::nn::Module& parent, std::string_view dotted_name, Layer<Module> layer) {
  add_module(parent, dotted_name, layer.ptr());
  return layer;
}
template <typename Module>
std::shared_ptr<Module> add(torch::nn::Module& parent, std::string_view dotted_name,
                            std::shared_ptr<Module> child) {
  add_module(parent, dotted_name, child);
  return child;
}

// Something that a layer adds to its result (an adapter at run time, see lora_runtime.h).
class LayerAddition {
 public:
  virtual ~LayerAddition() = default;
  virtual torch::Tensor forward(const torch::Tensor& x) const = 0;
};
using LayerAdditions = std::vector<std::shared_ptr<const LayerAddition>>;

struct Conv2dOptions {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t padding = 1;
  bool bias = true;
};

// x [N, Cin, H, W] -> [N, Cout, H', W']. Parameters: weight [Cout, Cin, k, k], bias [Cout].
class Conv2dModule : public torch::nn::Module, public PreparedForInference {
 public:
  explicit Conv2dModule(const Conv2dOptions& options);
  torch::Tensor forward(const torch::Tensor& x) const;
  void prepare_for_inference() override;
  int64_t stride() const { return stride_; }
  int64_t padding() const { return padding_; }
  torch::Tensor weight, bias;  // bias is undefined without one.
  LayerAdditions additions;

 private:
  torch::Tensor convolved(const torch::Tensor& x) const;

  int64_t stride_, padding_;
  std::unique_ptr<PackedConv2d> packed_;  // Null until prepared.
};
using Conv2d = Layer<Conv2dModule>;

// x [..., Cin] -> [..., Cout]. Parameters: weight [Cout, Cin], bias [Cout]. With `unit_axes` the weight is
// stored as a 1x1 convolution's, [Cout, Cin, 1, ..]: a convolution over tokens is a matrix product, and needs
// no transposed copies.
class LinearModule : public torch::nn::Module, public PreparedForInference {
 public:
  LinearModule(int64_t in_features, int64_t out_features, bool with_bias, int64_t unit_axes = 0);
  torch::Tensor forward(const torch::Tensor& x) const;
  void prepare_for_inference() override;
  torch::Tensor weight, bias;
  LayerAdditions additions;

 private:
  torch::Tensor multiplied(const torch::Tensor& x) const;

  std::unique_ptr<PackedLinear> packed_;  // Null until prepared.
};
using Linear = Layer<LinearModule>;

// Linear layers of one input whose outputs are wanted together (queries, keys, values): one product once
// prepared, otherwise one each. The layers have no biases; they belong to somebody else.
class LinearGroup {
 public:
  explicit LinearGroup(std::vector<Linear> layers) : layers_(std::move(layers)) {}
  void prepare_for_inference();
  // x [..., Cin] -> one [..., Cout_i] per layer.
  std::vector<torch::Tensor> operator()(const torch::Tensor& x) const;

 private:
  std::vector<Linear> layers_;
  std::unique_ptr<PackedLinear> packed_;
};

// x [N, C, ...] -> the same shape. Parameters: weight [C], bias [C]. C must be a multiple of `groups`.
class GroupNormModule : public torch::nn::Module, public PreparedForInference {
 public:
  GroupNormModule(int64_t groups, int64_t channels, double eps);
  torch::Tensor forward(const torch::Tensor& x) const { return normalized(x, /*with_silu=*/false); }
  torch::Tensor forward_silu(const torch::Tensor& x) const { return normalized(x, /*with_silu=*/true); }
  void prepare_for_inference() override { prepared_ = true; }
  torch::Tensor weight, bias;

 private:
  torch::Tensor normalized(const torch::Tensor& x, bool with_silu) const;

  bool prepared_ = false;
  int64_t groups_;
  double eps_;
};
using GroupNorm = Layer<GroupNormModule>;

// silu(norm(x)), in one pass where it can be.
torch::Tensor norm_silu(const GroupNorm& norm, const torch::Tensor& x);

// Normalises the last axis. x [..., C]. Parameters: weight [C], bias [C].
class LayerNormModule : public torch::nn::Module {
 public:
  LayerNormModule(int64_t channels, double eps);
  torch::Tensor forward(const torch::Tensor& x) const;
  torch::Tensor weight, bias;

 private:
  int64_t channels_;
  double eps_;
};
using LayerNorm = Layer<LayerNormModule>;

// ids [...] (int64) -> [..., D]. Parameter: weight [entries, D], drawn from N(0, std^2).
class EmbeddingModule : public torch::nn::Module {
 public:
  EmbeddingModule(int64_t entries, int64_t width, double std);
  torch::Tensor forward(const torch::Tensor& ids) const;
  torch::Tensor weight;
};
using Embedding = Layer<EmbeddingModule>;

Conv2d conv2d(const Conv2dOptions& options);
Conv2d conv3x3(int64_t in_channels, int64_t out_channels, int64_t stride = 1);
Conv2d conv1x1(int64_t in_channels, int64_t out_channels, bool bias = true);
Linear linear(int64_t in_features, int64_t out_features, bool bias = true);
// A linear map over tokens whose weight has a convolution's shape: unit_axes 1 for [Cout, Cin, 1], 2 for
// [Cout, Cin, 1, 1].
Linear pointwise(int64_t in_features, int64_t out_features, int64_t unit_axes);
GroupNorm group_norm(int64_t channels, double eps = 1e-5, int64_t groups = 32);
LayerNorm layer_norm(int64_t channels, double eps = 1e-5);
Embedding embedding(int64_t entries, int64_t width, double std = 1.0);

// Sets weight and bias to zero (the last layer of a residual branch) and returns the layer.
template <typename Module>
Layer<Module> zeroed(Layer<Module> layer) {
  torch::NoGradGuard no_grad;
  for (auto& p : layer->parameters()) p.zero_();
  return layer;
}

// softmax(q k^T scale) v over [N, heads, T, D] tensors; scale <= 0 means D^-1/2. mask: undefined, or bool
// [N or 1, heads or 1, Tq, Tk], true where attention is allowed.
torch::Tensor attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                        const torch::Tensor& mask = {}, double scale = 0.0);

// [N, T, heads * D] -> [N, heads, T, D] and back.
torch::Tensor split_heads(const torch::Tensor& x, int64_t heads);
torch::Tensor merge_heads(const torch::Tensor& x);

// [N, C, H, W] -> [N, H W, C], and back to the height and width of `like`. Both are views; with channels-last
// pixels the tokens are contiguous.
torch::Tensor pixels_to_tokens(const torch::Tensor& x);
torch::Tensor tokens_to_pixels(const torch::Tensor& tokens, const torch::Tensor& like);

}  // namespace ldm
