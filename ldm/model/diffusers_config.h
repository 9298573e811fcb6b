#pragma once

#include <string>

#include "ldm/config/node.h"
#include "ldm/io/json.h"
#include "ldm/model/first_stage.h"
#include "ldm/nn/unet_options.h"

namespace ldm {

// Settings of diffusers' config.json files in the original's terms. `where` is the file, for messages. All
// throw kFormat for a setting that the networks here do not have, so that nothing is half understood.

// UNet2DConditionModel (whose attention_head_dim is the number of heads) and UNet2DModel (where it is the
// channels of a head).
UNetOptions read_diffusers_unet(const Json& config, const std::string& where);
Json write_diffusers_unet(const UNetOptions& options);

// AutoencoderKL and VQModel.
struct DiffusersFirstStage {
  FirstStageOptions options;
  double scale_factor = 1.0;
};
DiffusersFirstStage read_diffusers_first_stage(const Json& config, const std::string& where);
Json write_diffusers_first_stage(const FirstStageOptions& options, double scale_factor);

// scheduler_config.json: puts timesteps, betas and what the network predicts into `params` of the model.
void read_diffusers_scheduler(const Json& config, const std::string& where, Node& params);

}  // namespace ldm
