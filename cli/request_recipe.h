#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "cli/name_pattern.h"
#include "ldm/image/recipe.h"
#include "ldm/pipeline/request.h"

namespace ldm::cli {

// A whole number from 0 to 2^64-1; "random" and "-1" take one from the clock. Throws kUsage.
uint64_t read_seed(const std::string& text);

// "WIDTHxHEIGHT" into the request; nothing leaves it as it is. Throws kUsage.
void read_size(const std::string& text, GenerateRequest& request);

// What names of files may say of a run that begins now.
NameFields request_fields(const GenerateRequest& request, const std::filesystem::path& model);

// What the pictures of one run have in common. `verb` has its options read.
Recipe run_recipe(const GenerateRequest& request, const CLI::App& verb, const std::filesystem::path& model,
                  const std::string& sha256);

// The recipe of one of them.
Recipe picture_recipe(Recipe run, const std::string& prompt, const GeneratedImage& image);

// The recipe of several in one grid: that of the first, and how many there are, which are fewer than were
// asked for after a stop.
Recipe grid_recipe(const Recipe& run, const std::string& prompt, std::span<const GeneratedImage> images);

}  // namespace ldm::cli
