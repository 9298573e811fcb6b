#pragma once

#include <string>
#include <vector>

#include "ldm/config/node.h"
#include "ldm/model/clip_conditioner.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// One CLIP text encoder of a model, as files of other programs hold it apart.
struct ClipTower {
  std::string prefix;  // Of its tensors below cond_stage_model.: "transformer.", "embedders.1.model.".
  ClipConditionerOptions options;

  // The context is the state after so many layers ...
  int64_t context_layers() const;
  // ... and has had the tower's final norm.
  bool context_is_normed() const;
};

// The text encoders of a cond_stage_config, in order: one alone, or those of a list that has nothing else but
// SDXL's sizes. None for an unconditional model. Throws kUsage for any other condition.
std::vector<ClipTower> find_clip_towers(const Node& config);

// Names of a CLIP text tower as transformers has them, made equal for all its versions: text_model. in front
// (transformers 5 leaves it out), no position ids.
StateDict clip_text_from_transformers(StateDict tensors);

// Between the names of transformers and those of OpenCLIP, for a tower of so many layers: q, k and v are
// thirds of in_proj, and the projection is stored transposed. OpenCLIP's logit_scale, which nothing uses,
// keeps its name; where there is none it is ln(1 / 0.07).
StateDict clip_text_from_open_clip(StateDict tensors, int64_t layers);
StateDict clip_text_to_open_clip(StateDict tensors, int64_t layers);

}  // namespace ldm
