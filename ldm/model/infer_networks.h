#pragma once

#include <cstdint>

#include "ldm/config/node.h"
#include "ldm/nn/state_dict.h"

namespace ldm {

// `params` of the UNet under model.diffusion_model, from its names and shapes; the number of heads is not in
// them. Throws kFormat when a tensor that is needed is missing.
Node infer_unet(const StateDict& tensors, int64_t heads, int64_t head_channels);

// {target, params} of the first stage under first_stage_model: with a codebook vq_model, otherwise
// autoencoder_kl. Throws kFormat.
Node infer_first_stage(const StateDict& tensors);

}  // namespace ldm
