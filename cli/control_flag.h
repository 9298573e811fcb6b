#pragma once

#include <string>
#include <vector>

#include "cli/verb.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm::cli {

// What --controlnet and --control-image say, in order.
struct ControlFlags {
  std::vector<std::string> networks;  // "FILE" or "FILE:STRENGTH".
  std::vector<std::string> pictures;
};

void add_control_options(CLI::App* verb, ControlFlags& flags);

// The ControlNets with their pictures, on the model's device. Throws kUsage unless there is a picture for
// each network, kFormat for a network that was made for another kind of model.
std::vector<ControlRequest> read_controls(const ControlFlags& flags, const LatentDiffusion& model);

}  // namespace ldm::cli
