#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/verb.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm::cli {

// The options of drawing that say what to begin with and what else to follow than words.
struct TaskFlags {
  // Empty: not given.
  std::string init_image, mask, outpaint, strength, strength_rule;
  int64_t feather = 0;
  std::optional<uint64_t> subseed;
  std::optional<double> subseed_strength;
  std::string class_name, class_names, segmentation, labels, layout, upscale, variation_of, neighbours,
      nearest_to;
  std::optional<int64_t> nearest;
};

// The two sections of a verb's help: pictures to begin with, and conditions.
void add_task_options(CLI::App* verb, TaskFlags& flags);

// Reads the files and puts what needs no model into the request. Throws kUsage, naming the option; kData and
// kFormat for files.
void read_task_flags(const TaskFlags& flags, GenerateRequest& request);

// The rest, once the model and the size are known. Throws as above.
void bind_task_flags(const TaskFlags& flags, const LatentDiffusion& model, GenerateRequest& request);

}  // namespace ldm::cli
