#include "ldm/model/map_conditioner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// In the place and type of a module's weights; unchanged if it has none.
torch::Tensor like_weights(const torch::nn::Module& module, const torch::Tensor& x) {
  const auto weights = module.parameters();
  return weights.empty() ? x : x.to(weights.front().options());
}

constexpr char kPicture[] = "picture condition";

// bool [N, 1, H, W], true where the pictures are to be repainted.
torch::Tensor stack_masks(std::span<const Condition> conditions, const torch::Tensor& pictures) {
  const auto mask = stack_field(conditions, &Condition::mask, kPicture, "a mask");
  check(mask.dim() == 4 && mask.size(1) == 1 && mask.sizes().slice(2) == pictures.sizes().slice(2), kPicture,
        ": expected masks of the pictures' size, [1, ", pictures.size(2), ", ", pictures.size(3), "], got ",
        mask.sizes().slice(1));
  return mask.to(pictures.device()).ge(0.5);
}

}  // namespace

RescalerConditioner::RescalerConditioner(const SpatialRescalerOptions& o)
    : rescaler_(*this, o),
      reads_{.picture = PictureUse::kLabelMap,
             .channels = o.in_channels,
             .per_latent = std::lround(std::pow(o.multiplier, -static_cast<double>(o.n_stages)))} {}

Conditioning RescalerConditioner::encode(std::span<const Condition> conditions) const {
  const auto maps = stack_field(conditions, &Condition::picture, "spatial_rescaler", "a map (picture)");
  return {.concat = rescaler_(like_weights(*this, maps))};
}

FirstStageConditioner::FirstStageConditioner(std::shared_ptr<const FirstStage> first_stage,
                                             PictureStyle style, double latent_scale)
    : first_stage_(std::move(first_stage)), style_(style), latent_scale_(latent_scale) {
  check(first_stage_ != nullptr, ErrorKind::kInternal, "FirstStageConditioner: no first stage");
}

ConditionReads FirstStageConditioner::reads() const {
  const bool plain = style_ == PictureStyle::kLatents;
  return {.picture = plain ? PictureUse::kReference : PictureUse::kInpaint,
          .per_latent = first_stage_->downsampling()};
}

Conditioning FirstStageConditioner::encode(std::span<const Condition> conditions) const {
  // A batch of one picture, as drawing has it, is encoded once.
  const auto n = static_cast<int64_t>(conditions.size());
  if (n > 1 && std::all_of(conditions.begin(), conditions.end(), [&](const Condition& c) {
        return c.picture.is_same(conditions[0].picture) && c.mask.is_same(conditions[0].mask);
      })) {
    return {.concat = encode(conditions.first(1)).concat.expand({n, -1, -1, -1})};
  }
  const auto pictures =
      like_weights(*first_stage_, stack_field(conditions, &Condition::picture, kPicture, "a picture"));
  if (style_ == PictureStyle::kLatents) return {.concat = first_stage_->encode(pictures) * latent_scale_};
  const bool paper = style_ == PictureStyle::kPaperInpaint;
  const auto mask = stack_masks(conditions, pictures);
  const auto latents = first_stage_->encode(pictures.masked_fill(mask, paper ? -1.0 : 0.0)) * latent_scale_;
  const auto small = at::upsample_nearest2d(mask.to(latents.scalar_type()), latents.sizes().slice(2));
  return {.concat = paper ? at::cat({latents, small * 2 - 1}, /*dim=*/1) : at::cat({small, latents}, 1)};
}

}  // namespace ldm
