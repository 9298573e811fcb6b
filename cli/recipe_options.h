#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ldm/core/log.h"
#include "ldm/image/recipe.h"

namespace ldm::cli {

// A verb's options as a picture's recipe keeps them, and back. An option is kept unless it is listed as one
// that changes none, or stands in the help's section "Output": new options are kept without a word.

inline constexpr char kOutputSection[] = "Output";

// Long names and values as they were typed, in the verb's order.
using OptionPairs = std::vector<std::pair<std::string, std::string>>;

// The options on the command line that change pictures.
OptionPairs typed_options(const CLI::App& verb);

// The SHA-256 of each file that FILE options name, by the name as it was typed. Folders are left out.
OptionPairs hash_files(const CLI::App& verb, const OptionPairs& options);

// The recipe inside a picture. A damaged one for which the web UIs' text stands in is a warning. Throws kData
// when the picture cannot be read, kFormat when it holds no recipe or a damaged one.
Recipe read_recipe(const std::filesystem::path& picture, const LogFn& log);

// The texts of a PNG's bytes; what it throws names the file.
PngText read_texts(const std::filesystem::path& picture, std::span<const std::byte> bytes);

// Sets the options that a recipe of `picture` holds, but for those on the command line, and runs what they
// are bound to. Recipes of other programs are translated; what of them is not understood becomes a warning.
// Throws kFormat for an option that the verb does not have or a value that does not fit, and kData where a
// file that it names is gone or holds something else now.
void repeat_recipe(CLI::App& verb, const Recipe& recipe, const std::filesystem::path& picture,
                   const LogFn& log);

// What is wrong with drawing it again with a model of this hash: empty, or one line for the user.
std::string other_model(const Recipe& recipe, const std::string& sha256);

}  // namespace ldm::cli
