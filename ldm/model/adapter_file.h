#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "ldm/model/latent_diffusion.h"
#include "ldm/nn/clip_text.h"
#include "ldm/nn/lora.h"
#include "ldm/nn/state_dict.h"
#include "ldm/nn/unet.h"

namespace ldm {

// Changes of weights by the module names that a file of LoRA, LoHa or LoKr gives them
// ("lora_unet_down_blocks_0_..._to_q", "unet.down_blocks.0....to_q").
using AdapterSet = std::map<std::string, WeightAdapter>;

// Sorts the tensors of such a file (kohya's names, PEFT's and diffusers'). Throws kFormat for a tensor that
// is no part of an adapter, and for what is not supported (DoRA).
AdapterSet read_adapters(const StateDict& tensors);

// The weights that adapters may change, by every module name that files use for them. Tensors are views of
// the networks' parameters; q, k and v of fused projections are thirds of them.
using AdapterTargets = std::map<std::string, torch::Tensor>;
void add_unet_targets(AdapterTargets& targets, const UNet& unet);
// `prefixes`: "lora_te_" and "text_encoder." for the only tower, "lora_te1_" ... for SDXL's.
void add_text_targets(AdapterTargets& targets, const ClipText& tower,
                      const std::vector<std::string>& prefixes);

// Adds strength * adapter to each target. Returns the names without a target. Throws kFormat when none of
// the adapters has one.
std::vector<std::string> merge_adapters(const AdapterTargets& targets, const AdapterSet& adapters,
                                        double strength);

// Adds strength * the adapters of a file to a model's UNet and CLIP towers, before its weights are packed.
// Returns the names that the model has no module for. Throws kFormat when none of them fits.
std::vector<std::string> add_adapters(LatentDiffusion& model, const std::filesystem::path& path,
                                      double strength);

}  // namespace ldm
