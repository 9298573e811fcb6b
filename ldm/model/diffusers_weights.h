#pragma once

#include <filesystem>
#include <string>

#include "ldm/io/json.h"
#include "ldm/nn/autoencoder.h"
#include "ldm/nn/state_dict.h"
#include "ldm/nn/unet_options.h"

namespace ldm {

// One network of a folder of diffusers: its settings and its weights as they are there.
struct DiffusersPart {
  Json config;
  StateDict tensors;
};

// Reads config.json and the weights beside it: safetensors before .bin, whole before in several files, full
// before the half-precision variant (.fp16.). Throws kData when one is missing, kFormat.
DiffusersPart read_diffusers_part(const std::filesystem::path& folder);

// Writes such a folder, which it makes: config.json and the weights in `file`. Throws kData.
void write_diffusers_part(const std::filesystem::path& folder, const Json& config, const StateDict& tensors,
                          const std::string& file, at::ScalarType dtype);

// Weights between the names and shapes of diffusers and the original's (without prefixes). What is mapped is
// consumed; a name that has no counterpart throws kFormat (reading) or kUsage (writing).
// Attention blocks: q, k, v [C, C] <-> qkv [3 C, C, 1], whose rows are grouped by head.
// First stage: attention [C, C] <-> [C, C, 1, 1].
StateDict unet_from_diffusers(StateDict tensors, const UNetOptions& options);
StateDict unet_to_diffusers(StateDict tensors, const UNetOptions& options);
StateDict first_stage_from_diffusers(StateDict tensors, const AutoencoderOptions& options);
StateDict first_stage_to_diffusers(StateDict tensors, const AutoencoderOptions& options);

}  // namespace ldm
