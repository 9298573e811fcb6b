#pragma once

#include "ldm/model/name_map.h"
#include "ldm/nn/autoencoder.h"
#include "ldm/nn/unet_options.h"

namespace ldm {

// The names of diffusers' modules, without the prefixes of either side ("input_blocks.1.0.in_layers.0" and
// "down_blocks.0.resnets.0.norm1"). Source: diffusers'
// scripts/convert_original_stable_diffusion_to_diffusers.

// UNet2DConditionModel and UNet2DModel. Their attention blocks store q, k and v apart; the pseudo-module
// "to_qkv" stands for the three.
NameMap diffusers_unet_names(const UNetOptions& options);

// ControlNetModel: the encoder half of a UNet, the hint's encoder and the zero convolutions.
NameMap diffusers_controlnet_names(const UNetOptions& options);

// AutoencoderKL and VQModel.
NameMap diffusers_first_stage_names(const AutoencoderOptions& options);

}  // namespace ldm
