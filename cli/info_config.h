#pragma once

#include <filesystem>

namespace ldm::cli {

// `ldm info CONFIG.yaml`: the networks that a configuration builds, with their sizes; `keys`: every tensor.
// No weights are read and no memory is taken.
int show_config(const std::filesystem::path& file, bool keys, bool json);

}  // namespace ldm::cli
