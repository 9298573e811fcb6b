#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ldm/model/weight_file.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// The weights of a model in the original's layout, without what only training needs.
struct OriginalWeights {
  StateDict tensors;                   // model.diffusion_model.*, first_stage_model.*, cond_stage_model.*
  bool has_average = false;            // The file has averaged weights beside the trained ones.
  bool averaged = false;               // ... and these are they.
  bool has_optimizer = false;          // States of an optimiser lie in the file.
  bool bare_first_stage = false;       // A first stage alone, whose names had no first_stage_model. in front.
  std::optional<double> scale_factor;  // Stored by models with scale_by_std.
};

// The name of a parameter's average in the original (LitEma): "model_ema." and the name after "model." (of a
// first stage alone, which averages itself: after "first_stage_model.") without its dots.
std::string average_name(const std::string& name);

// Finds the model among the content of a file: a Lightning checkpoint's state_dict or bare weights; a first
// stage alone gets its prefix. Averaged weights replace the trained ones unless `ema` is false. Schedule
// tables, losses, position ids and a first stage's copy under cond_stage_model are left out: they follow from
// the configuration. Of a file with averaged weights only, `names` (of the model's parameters) tells where
// their dots were. Throws kFormat when there is no model in it.
OriginalWeights original_weights(WeightFile file, bool ema = true,
                                 const std::vector<std::string>& names = {});

}  // namespace ldm
