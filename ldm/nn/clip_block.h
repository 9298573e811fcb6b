#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "ldm/nn/layers.h"

namespace ldm {

// Whose parameter names: the arithmetic is one.
enum class ClipNaming {
  kHuggingFace,  // self_attn.{q,k,v,out}_proj, layer_norm1, layer_norm2, mlp.fc1, mlp.fc2
  kOpenClip,  // attn.{in_proj_weight,in_proj_bias,out_proj}, ln_1, ln_2, mlp.c_fc, mlp.c_proj (OpenAI's too)
};

enum class ClipActivation {
  kGelu,       // With the error function: OpenCLIP's.
  kQuickGelu,  // x sigmoid(1.702 x): OpenAI's.
};

// "gelu" or "quick_gelu". Throws kUsage for another.
ClipActivation parse_clip_activation(std::string_view name);

struct ClipBlockOptions {
  int64_t width = 768;
  int64_t heads = 12;
  int64_t mlp_width = 3072;
  ClipActivation activation = ClipActivation::kQuickGelu;
  double eps = 1e-5;  // Of the norms.
  ClipNaming naming = ClipNaming::kHuggingFace;
};

// The pre-norm transformer block of CLIP's towers (Radford et al. 2021; Vaswani et al. 2017):
// x += attention(norm(x)), x += mlp(norm(x)).
class ClipBlock : public torch::nn::Module {
 public:
  // Throws kUsage for a width that the heads do not divide.
  explicit ClipBlock(const ClipBlockOptions& options);

  // x [N, T, width] -> the same. mask: undefined, or bool [1, 1, T, T], true where a token may look.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& mask = {}) const;

 private:
  torch::Tensor attend(const torch::Tensor& x, const torch::Tensor& mask) const;
  torch::Tensor mlp(const torch::Tensor& x) const;

  ClipBlockOptions options_;
  LayerNorm norm1_, norm2_;
  Linear q_, k_, v_;  // Hugging Face.
  torch::Tensor in_proj_weight_,
      in_proj_bias_;  // OpenCLIP: [3 width, width], q, k and v one below the other.
  Linear out_, fc1_, fc2_;
};

}  // namespace ldm
