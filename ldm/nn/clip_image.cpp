#include "ldm/nn/clip_image.h"

#include <ATen/ATen.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr double kImageStd = 0.02;

void check_clip_image(const ClipImageOptions& o) {
  const auto in_range = [](const char* name, int64_t value, int64_t low, int64_t high) {
    check(value >= low && value <= high, "clip_image: expected ", name, " of ", low, " to ", high, ", got ",
          value);
  };
  in_range("hidden_size", o.hidden_size, 1, 1 << 16);
  in_range("num_hidden_layers", o.num_hidden_layers, 1, 1 << 10);
  in_range("patch_size", o.patch_size, 1, 1 << 10);
  in_range("image_size", o.image_size, o.patch_size, 1 << 12);
  in_range("projection_dim", o.projection_dim, 1, 1 << 16);
  check(o.image_size % o.patch_size == 0, "clip_image: expected a multiple of the patch_size ", o.patch_size,
        " as image_size, got ", o.image_size);
}

}  // namespace

ClipImage::ClipImage(const ClipImageOptions& o) : options_(o) {
  check_clip_image(o);
  const bool hf = o.naming == ClipNaming::kHuggingFace;
  const int64_t side = o.image_size / o.patch_size, width = o.hidden_size;
  const Conv2dOptions patches{.in_channels = 3,
                              .out_channels = width,
                              .kernel = o.patch_size,
                              .stride = o.patch_size,
                              .padding = 0,
                              .bias = false};
  patches_ = add(*this, hf ? "vision_model.embeddings.patch_embedding" : "conv1", conv2d(patches));
  if (hf) {
    positions_ =
        add(*this, "vision_model.embeddings.position_embedding", embedding(1 + side * side, width, kImageStd))
            ->weight;
    auto& embeddings = *named_modules()["vision_model.embeddings"];
    class_embedding_ = embeddings.register_parameter("class_embedding", init_normal({width}, kImageStd));
  } else {
    positions_ = register_parameter("positional_embedding", init_normal({1 + side * side, width}, kImageStd));
    class_embedding_ = register_parameter("class_embedding", init_normal({width}, kImageStd));
  }
  // transformers' spelling.
  norm_before_ = add(*this, hf ? "vision_model.pre_layrnorm" : "ln_pre", layer_norm(width, o.layer_norm_eps));
  const ClipBlockOptions block{.width = width,
                               .heads = o.num_attention_heads,
                               .mlp_width = o.intermediate_size,
                               .activation = parse_clip_activation(o.hidden_act),
                               .eps = o.layer_norm_eps,
                               .naming = o.naming};
  for (int64_t i = 0; i < o.num_hidden_layers; ++i) {
    const auto name = (hf ? "vision_model.encoder.layers." : "transformer.resblocks.") + std::to_string(i);
    blocks_.push_back(add(*this, name, std::make_shared<ClipBlock>(block)));
  }
  norm_after_ =
      add(*this, hf ? "vision_model.post_layernorm" : "ln_post", layer_norm(width, o.layer_norm_eps));
  if (hf) {
    projection_ = add(*this, "visual_projection", linear(width, o.projection_dim, /*bias=*/false));
  } else {
    projection_parameter_ = register_parameter("proj", init_normal({width, o.projection_dim}, kImageStd));
  }
}

torch::Tensor ClipImage::forward(const torch::Tensor& pictures) const {
  check(pictures.dim() == 4 && pictures.size(1) == 3 && pictures.size(2) == options_.image_size &&
            pictures.size(3) == options_.image_size,
        "clip_image: expected pictures [N, 3, ", options_.image_size, ", ", options_.image_size, "], got ",
        pictures.sizes());
  const auto tokens = pixels_to_tokens(patches_(pictures));  // [N, P, W]
  const auto first = class_embedding_.expand({tokens.size(0), 1, -1});
  auto x = norm_before_(at::cat({first, tokens}, 1) + positions_);
  for (const auto& block : blocks_) x = block->forward(x);
  const auto pooled = norm_after_(x.select(1, 0));
  return projection_ ? projection_(pooled) : at::matmul(pooled, projection_parameter_);
}

torch::Tensor clip_normalized(const torch::Tensor& pictures) {
  const auto channels = [&](std::initializer_list<double> values) {
    return at::tensor(at::ArrayRef<double>(values), pictures.options()).view({1, 3, 1, 1});
  };
  const auto mean = channels({0.48145466, 0.4578275, 0.40821073});
  const auto std = channels({0.26862954, 0.26130258, 0.27577711});
  return (pictures - mean) / std;
}

}  // namespace ldm
