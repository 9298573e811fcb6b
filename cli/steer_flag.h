#pragma once

#include <string>

#include "cli/verb.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/steer_request.h"

namespace ldm::cli {

// What leads a drawing beside its prompt: a classifier, a picture.
struct SteerFlags {
  std::string classifier, picture, weights;  // Files; empty: none.
  std::string kind = "gaussian";             // How the picture is compared: gaussian or lpips.
  int64_t label = -1;
  double classifier_scale = 1.0, picture_scale = 1.0;
};

void add_steer_options(CLI::App* verb, SteerFlags& flags);

// Opens the files, on the model's device. Throws kUsage, naming the option.
SteerRequest read_steering(const SteerFlags& flags, const LatentDiffusion& model);

}  // namespace ldm::cli
