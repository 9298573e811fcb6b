#pragma once

#include <string>
#include <vector>

#include "ldm/config/node.h"

namespace ldm {

// Runs as latent-diffusion's main.py reads them: sections model, data (DataModuleFromConfig) and lightning.

// Whether a run's YAML is one: its model.target is a class path.
bool is_original_run(const Node& config);

// The same run in our schema. `model` stays as it is, and its cond_stage_key says data.task.kind; data.params
// and lightning become `data` and `train`, whose defaults are then what the original did: learning rate times
// pictures per step, no clipping, no shape of the rate but model.params.scheduler_config, timesteps drawn one
// by one, scale_by_std from the first batch, Adam with betas 0.5 and 0.9 for autoencoders and a discriminator
// pass of its own. The original's flaws are not repeated: conditions are dropped at times
// (data.captions.dropout), averages cover the condition's encoder and count steps (train.ema.network_only,
// per_batch), VQ's beta weighs the encoder (model.params.legacy_beta), LPIPS has no dropout while training
// (lossconfig's perceptual_dropout). Keys of ours beside the original's win (data.path, train.*). `notes`
// gets "key: reason" for settings that have no effect here. Throws kUsage for a value that cannot be read.
Node from_original_run(const Node& config, std::vector<std::string>& notes);

}  // namespace ldm
