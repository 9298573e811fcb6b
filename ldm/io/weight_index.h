#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace ldm {

// model.safetensors.index.json or pytorch_model.bin.index.json: which of several files beside it holds which
// tensor. Name of the tensor -> plain file name; a name with a folder in it is refused.
// Throws kFormat, beginning with `what`.
std::map<std::string, std::string> parse_weight_index(std::span<const std::byte> bytes,
                                                      std::string_view what);

}  // namespace ldm
