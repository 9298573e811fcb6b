#pragma once

#include <string>
#include <vector>

#include "ldm/config/node.h"

namespace ldm {

// Every setting of a model's configuration that is accepted and changes nothing here, with the reason:
// "model.params.log_every_t: pictures are logged by train.sample_every". Files of the original have several;
// a program names them once. `config`: the whole YAML. Throws kUsage for unknown targets.
std::vector<std::string> ignored_settings(const Node& config);

}  // namespace ldm
