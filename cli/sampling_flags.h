#pragma once

#include <string>
#include <vector>

#include "cli/verb.h"
#include "ldm/pipeline/request.h"

namespace ldm::cli {

// The options of drawing that say how to sample and how to guide, shared by the verbs that draw.
struct SamplingFlags {
  std::string sigmas, eta, s_churn, s_noise;  // Empty: not given.
  std::vector<std::string> more;              // key=value of SampleOptions.
  std::string interval, guided_steps, apg;
  bool fresh_noise = false;
};

// Adds them to a verb; plain ones go straight into the request.
void add_sampling_options(CLI::App* verb, GenerateRequest& request, SamplingFlags& flags);

// Puts the others into the request. Throws kUsage, naming the option.
void read_sampling_flags(const SamplingFlags& flags, GenerateRequest& request);

// The table behind --samplers: names, other names and what they are, then the spacings.
std::string sampler_table();

}  // namespace ldm::cli
