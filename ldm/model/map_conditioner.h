#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "ldm/model/conditioner.h"
#include "ldm/nn/first_stage.h"
#include "ldm/nn/spatial_rescaler.h"

namespace ldm {

// A map brought to the latents' size and appended to them: semantic synthesis (Rombach et al. 2022, Sec.
// 4.3.2). Reads `picture`. Key `channel_mapper`.
class RescalerConditioner : public Conditioner {
 public:
  explicit RescalerConditioner(const SpatialRescalerOptions& options);
  Conditioning encode(std::span<const Condition> conditions) const override;
  ConditionReads reads() const override { return reads_; }
  bool gives_map() const override { return true; }
  bool has_null() const override { return false; }

 private:
  SpatialRescaler rescaler_;
  ConditionReads reads_;
};

// What is appended for a picture that is to be repaired or varied.
enum class PictureStyle {
  kLatents,        // E(picture): the original's `__is_first_stage__`.
  kPaperInpaint,   // [E(picture, masked part black) | mask in {-1, 1}] (Rombach et al. 2022, Sec. 4.5).
  kStableInpaint,  // [mask in {0, 1} | E(picture, masked part grey)]: Stable Diffusion's inpainting models.
};

// A picture's latents appended to those that are drawn. Reads `picture` and, for inpainting, `mask`, which
// goes to the latents' size by nearest neighbours. It has no weights of its own.
class FirstStageConditioner : public Conditioner {
 public:
  // latent_scale: the latents are multiplied by it.
  FirstStageConditioner(std::shared_ptr<const FirstStage> first_stage, PictureStyle style,
                        double latent_scale = 1.0);
  Conditioning encode(std::span<const Condition> conditions) const override;
  ConditionReads reads() const override;
  bool gives_map() const override { return true; }
  bool has_null() const override { return false; }

 private:
  std::shared_ptr<const FirstStage> first_stage_;  // Not a child: its weights are first_stage_model.*.
  PictureStyle style_;
  double latent_scale_;
};

}  // namespace ldm
