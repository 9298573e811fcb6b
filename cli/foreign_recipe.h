#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ldm/image/recipe.h"

namespace ldm::cli {

// A recipe without options of ours, as the web UIs write it, in the options of `ldm generate`.
struct TranslatedRecipe {
  std::vector<std::pair<std::string, std::string>> options;  // By long name.
  std::vector<std::string> left_out;                         // Settings that have no counterpart here.
};

// Samplers and spacings by AUTOMATIC1111's names ("DPM++ 2M Karras", "Schedule type: SGM Uniform"), noise by
// its RNG (its default draws as CUDA does). From text that this program wrote every setting is taken.
TranslatedRecipe translate_recipe(const Recipe& recipe);

}  // namespace ldm::cli
