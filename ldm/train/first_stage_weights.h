#pragma once

#include <string>

#include "ldm/nn/state_dict.h"

namespace ldm {

// The weights of a first stage in a file of any kind (see read_weight_file), under `first_stage_model.*`: a
// model file, a checkpoint of a diffusion model, or one of the original's autoencoders, whose names have no
// prefix. What belongs to its training (loss.*, averages) is left out. Throws kData and kFormat as
// read_weight_file.
StateDict first_stage_weights(const std::string& path);

}  // namespace ldm
