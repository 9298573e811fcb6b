#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ldm::cli {

// The prompts of a text file, one a line; empty lines, and those that begin with '#', are left out. At most
// 10000. Throws kData when it cannot be read or holds no prompt, kFormat (with the line) for what is no text
// that can be stored (cli/user_text.h).
std::vector<std::string> read_prompts_file(const std::filesystem::path& file);

// The name of prompt k's (from 0) pictures in a folder: where there are several it begins with the prompt's
// number, from 1.
std::string numbered_stem(size_t k, size_t prompts, const std::string& stem);

}  // namespace ldm::cli
