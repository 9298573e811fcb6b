#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ldm/image/png_text.h"

namespace ldm {

// How a picture was made: what a reader needs to make it again. Empty strings and absent numbers are not
// written.
struct Recipe {
  std::string prompt;
  std::string negative_prompt;
  std::optional<int64_t> steps;
  std::string sampler;
  std::string schedule;  // Spacing of the steps ("Karras").
  std::optional<double> cfg_scale;
  std::optional<uint64_t> seed;
  int64_t width = 0;  // Pixels; 0: unknown, like height.
  int64_t height = 0;
  std::string model_hash;  // First 10 hex digits of the model file's SHA-256.
  std::string model;
  std::optional<double> denoising_strength;
  std::optional<double> eta;
  std::string rng;                                         // Kind of the noise stream: "CPU" or "Philox".
  std::string version;                                     // Of the program that drew.
  std::vector<std::pair<std::string, std::string>> extra;  // Other settings, in order.
  // What repeats the picture: the options of the program that drew it, by their long names, and the SHA-256
  // of each file that they name. Only the JSON form keeps them; the text shows those options that the fields
  // above lack ("clip-skip" as "Clip skip").
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::pair<std::string, std::string>> files;

  bool operator==(const Recipe&) const = default;
};

// The text that AUTOMATIC1111's web UI keeps under the PNG keyword `parameters`: the prompt, a line "Negative
// prompt: …", a line "Steps: 20, Sampler: Euler a, …". Values with , : " or line breaks are JSON strings.
// Lines lose their outer spaces there, and a prompt that looks like the other parts is read back wrong: the
// JSON form has neither fault.
std::string to_parameters(const Recipe& recipe);

// An option's long name as that line shows it, and back: "clip-skip" and "Clip skip".
std::string setting_name(std::string_view option);
std::string option_name(std::string_view setting);

// Reads that text, from whichever program wrote it; never throws. The last line counts as settings if at
// least three are found in it; unknown ones, and numbers that are none, go to `extra`.
Recipe parse_parameters(std::string_view text);

// Our own lossless form, under the PNG keyword `ldm`: one JSON object with "format": 1. Throws kUsage if a
// string is not UTF-8.
std::string recipe_to_json(const Recipe& recipe);

// Keys that are not known go to `extra` (as JSON text unless they are strings). Throws kFormat.
Recipe recipe_from_json(std::string_view json);

// Both forms, for encode_png.
PngText recipe_text(const Recipe& recipe);

// From a PNG's texts: `ldm` if it is there and readable, else `parameters` if it has a line of settings with
// the number of steps in it (any other text is no recipe), else nothing. `damage`, unless null, gets what is
// wrong with an `ldm` that is there and cannot be read; empty where nothing is.
std::optional<Recipe> find_recipe(const PngText& text, std::string* damage = nullptr);

}  // namespace ldm
