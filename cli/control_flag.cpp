#include "cli/control_flag.h"

#include <ATen/ATen.h>

#include "cli/file_strength.h"
#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/model/controlnet_file.h"

namespace ldm::cli {

void add_control_options(CLI::App* verb, ControlFlags& flags) {
  add_file_option(verb, "--controlnet", flags.networks,
                  "FILE:STRENGTH of a ControlNet, of the original or diffusers; may come several times")
      ->allow_extra_args(false);
  add_file_option(verb, "--control-image", flags.pictures,
                  "the picture that it follows (edges, poses, depth); one for each --controlnet")
      ->allow_extra_args(false);
}

std::vector<ControlRequest> read_controls(const ControlFlags& flags, const LatentDiffusion& model) {
  check(flags.networks.size() == flags.pictures.size(),
        "--controlnet: expected a --control-image for each, got ", flags.networks.size(), " and ",
        flags.pictures.size());
  std::vector<ControlRequest> out;
  for (size_t i = 0; i < flags.networks.size(); ++i) {
    const auto flag = read_file_strength(flags.networks[i], "--controlnet");
    const auto network = load_controlnet(flag.file, model.unet().options());
    network->to(model.device(), model.unet().parameters().front().scalar_type());
    out.push_back({.network = network, .picture = read_image(flags.pictures[i]), .strength = flag.strength});
  }
  return out;
}

}  // namespace ldm::cli
