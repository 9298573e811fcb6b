#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ldm/image/image.h"

namespace ldm::cli {

// The pictures that an argument names: one file, or all .png, .jpg, .jpeg and .webp of a folder, sorted by
// name. Throws kData for nothing.
std::vector<std::filesystem::path> picture_files(const std::string& argument);

// A picture as a first stage takes it: RGB over white; with size > 0 the centred square resized to size x
// size. Throws kUsage for a negative size.
Image read_for_first_stage(const std::filesystem::path& file, int64_t size);

}  // namespace ldm::cli
