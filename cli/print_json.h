#pragma once

#include <nlohmann/json.hpp>

namespace ldm::cli {

// A verb's result on stdout, `indent` spaces a level, -1: one line. Names of files may be in any encoding:
// what of them is not UTF-8 becomes U+FFFD.
void print_json(const nlohmann::ordered_json& result, int indent = -1);

}  // namespace ldm::cli
