#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ldm::cli {

// The prompts of a text file, one a line; empty lines, and those that begin with '#', are left out. At most
// 10000. Throws kData when it cannot be read or holds no prompt, kFormat when it is not UTF-8.
std::vector<std::string> read_prompts_file(const std::filesystem::path& file);

// Where the pictures of prompt k (from 0) of several go: `out` is a folder (nothing: the current one), names
// begin with the prompt's number. Throws kUsage when `out` is a file's name.
std::string numbered_stem(size_t k, size_t prompts, const std::string& stem);
std::string folder_for_prompts(const std::string& out);

}  // namespace ldm::cli
