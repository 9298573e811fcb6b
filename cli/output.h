#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ldm::cli {

// A file name made of a prompt: lower case, words joined by '-', at most 60 characters; "class-7" or "image"
// without.
std::string slug(std::string_view prompt, int64_t label);

// Where `count` pictures (or one grid) go: a file (pictures after the first get -1, -2, ... before the
// suffix), a folder (ends in '/' or exists), or nothing: the stem in the current folder. Throws kUsage for
// another suffix than .png.
std::vector<std::filesystem::path> output_names(const std::string& out, const std::string& stem,
                                                int64_t count, bool grid);

// Throws kUsage when one is there already and `force` is off. Makes the folders.
void refuse_existing(const std::vector<std::filesystem::path>& files, bool force);

}  // namespace ldm::cli
