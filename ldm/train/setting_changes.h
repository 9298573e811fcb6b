#pragma once

#include <string>
#include <vector>

#include "ldm/config/node.h"

namespace ldm {

// What differs between two configurations, one "train.steps 4000 -> 8000" each, in the order of `after`; a
// list or a whole section that came or went is named without its content.
std::vector<std::string> changed_settings(const Node& before, const Node& after);

}  // namespace ldm
