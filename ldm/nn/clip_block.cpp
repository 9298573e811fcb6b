#include "ldm/nn/clip_block.h"

#include <ATen/ATen.h>

#include <cmath>
#include <memory>

#include "ldm/core/error.h"

namespace ldm {

ClipActivation parse_clip_activation(std::string_view name) {
  if (name == "gelu") return ClipActivation::kGelu;
  check(name == "quick_gelu", "CLIP: expected the activation gelu or quick_gelu, got '", name, "'");
  return ClipActivation::kQuickGelu;
}

ClipBlock::ClipBlock(const ClipBlockOptions& o) : options_(o) {
  check(o.heads >= 1 && o.width >= 1 && o.width <= 1 << 16 && o.width % o.heads == 0,
        "CLIP: expected a width that ", o.heads, " heads divide, got ", o.width);
  check(o.mlp_width >= 1 && o.mlp_width <= 1 << 18, "CLIP: expected a positive width of the MLP, got ",
        o.mlp_width);
  const bool hf = o.naming == ClipNaming::kHuggingFace;
  norm1_ = add(*this, hf ? "layer_norm1" : "ln_1", layer_norm(o.width, o.eps));
  norm2_ = add(*this, hf ? "layer_norm2" : "ln_2", layer_norm(o.width, o.eps));
  if (hf) {
    q_ = add(*this, "self_attn.q_proj", linear(o.width, o.width));
    k_ = add(*this, "self_attn.k_proj", linear(o.width, o.width));
    v_ = add(*this, "self_attn.v_proj", linear(o.width, o.width));
  } else {
    const auto attn = add(*this, "attn", std::make_shared<torch::nn::Module>());
    const double bound = 1.0 / std::sqrt(static_cast<double>(o.width));
    in_proj_weight_ = attn->register_parameter("in_proj_weight", init_uniform({3 * o.width, o.width}, bound));
    in_proj_bias_ = attn->register_parameter("in_proj_bias", init_constant({3 * o.width}, 0.0));
  }
  out_ = add(*this, hf ? "self_attn.out_proj" : "attn.out_proj", linear(o.width, o.width));
  fc1_ = add(*this, hf ? "mlp.fc1" : "mlp.c_fc", linear(o.width, o.mlp_width));
  fc2_ = add(*this, hf ? "mlp.fc2" : "mlp.c_proj", linear(o.mlp_width, o.width));
}

torch::Tensor ClipBlock::forward(const torch::Tensor& x, const torch::Tensor& mask) const {
  const auto h = x + attend(norm1_(x), mask);
  return h + mlp(norm2_(h));
}

torch::Tensor ClipBlock::attend(const torch::Tensor& x, const torch::Tensor& mask) const {
  const auto heads = [&](const torch::Tensor& t) { return split_heads(t, options_.heads); };
  if (options_.naming == ClipNaming::kHuggingFace)
    return out_(merge_heads(attention(heads(q_(x)), heads(k_(x)), heads(v_(x)), mask)));
  const auto qkv = at::linear(x, in_proj_weight_, in_proj_bias_).chunk(3, /*dim=*/-1);
  const auto part = [&](size_t i) { return heads(qkv[i].contiguous()); };
  return out_(merge_heads(attention(part(0), part(1), part(2), mask)));
}

torch::Tensor ClipBlock::mlp(const torch::Tensor& x) const {
  const auto h = fc1_(x);
  return fc2_(options_.activation == ClipActivation::kGelu ? at::gelu(h) : h * at::sigmoid(h * 1.702));
}

}  // namespace ldm
