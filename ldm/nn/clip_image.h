#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ldm/nn/clip_block.h"
#include "ldm/nn/layers.h"

namespace ldm {

// Keys of transformers' CLIPVisionConfig. The defaults are OpenAI's ViT-L/14.
struct ClipImageOptions {
  int64_t hidden_size = 1024;
  int64_t intermediate_size = 4096;
  int64_t num_hidden_layers = 24;
  int64_t num_attention_heads = 16;
  int64_t image_size = 224;  // Pixels.
  int64_t patch_size = 14;
  std::string hidden_act = "quick_gelu";
  double layer_norm_eps = 1e-5;
  int64_t projection_dim = 768;
  ClipNaming naming = ClipNaming::kHuggingFace;

  template <typename Visit>
  void fields(Visit&& visit) {
    visit("hidden_size", hidden_size, "width");
    visit("intermediate_size", intermediate_size, "inner width of the feed-forward layers");
    visit("num_hidden_layers", num_hidden_layers, "number of layers");
    visit("num_attention_heads", num_attention_heads, "attention heads");
    visit("image_size", image_size, "side of the pictures in pixels");
    visit("patch_size", patch_size, "side of the patches in pixels");
    visit("hidden_act", hidden_act, "quick_gelu or gelu");
    visit("layer_norm_eps", layer_norm_eps, "epsilon of the norms");
    visit("projection_dim", projection_dim, "width of the features");
  }
};

// CLIP's picture tower, a vision transformer (Radford et al. 2021; Dosovitskiy et al. 2021): patches and a
// class token, pre-norm blocks, the class token's state normed and projected. With the names of transformers'
// CLIPVisionModelWithProjection (vision_model.*, visual_projection.weight), or OpenAI's and OpenCLIP's, which
// lie under "visual." (class_embedding, conv1, ln_pre, transformer.resblocks.*, ln_post, proj).
class ClipImage : public torch::nn::Module {
 public:
  // Throws kUsage for sizes that are out of range or a picture that is not made of whole patches.
  explicit ClipImage(const ClipImageOptions& options);

  // Pictures [N, 3, S, S] as clip_normalized() gives them, S = image_size -> features [N, projection_dim].
  torch::Tensor forward(const torch::Tensor& pictures) const;

  const ClipImageOptions& options() const { return options_; }

 private:
  ClipImageOptions options_;
  torch::Tensor class_embedding_;  // [W]
  Conv2d patches_;
  torch::Tensor positions_;  // [1 + patches, W]
  LayerNorm norm_before_;
  std::vector<std::shared_ptr<ClipBlock>> blocks_;
  LayerNorm norm_after_;
  Linear projection_;                   // Hugging Face.
  torch::Tensor projection_parameter_;  // OpenAI: [W, E].
};

// Pictures [N, 3, H, W] in [0, 1] less OpenAI's mean, by its standard deviation.
torch::Tensor clip_normalized(const torch::Tensor& pictures);

}  // namespace ldm
