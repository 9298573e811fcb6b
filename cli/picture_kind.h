#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace ldm::cli {

// "a PNG picture", "a JPEG picture" or "a WebP picture", by the first bytes; empty for anything else.
std::string picture_kind(std::span<const std::byte> bytes);

// Throws kData where the file is such a picture: "frog.png: a PNG picture, not a model". `wanted` is "a
// model".
void refuse_picture(const std::filesystem::path& file, const std::string& wanted);

}  // namespace ldm::cli
