#include "cli/request_recipe.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/recipe_options.h"
#include "cli/version.h"
#include "ldm/core/error.h"
#include "ldm/diffusion/samplers.h"
#include "ldm/pipeline/edit_canvas.h"

namespace ldm::cli {
namespace {

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

void set_option(OptionPairs& options, const std::string& name, const std::string& value) {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const auto& pair) { return pair.first == name; });
  if (found != options.end()) {
    found->second = value;
  } else {
    options.emplace_back(name, value);
  }
}

// Decimal digits and nothing else, up to 2^64-1: no sign, no spaces.
std::optional<uint64_t> read_whole_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

uint64_t read_seed(const std::string& text) {
  if (text == "random" || text == "-1") {
    return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) % 1000000007;
  }
  const auto seed = read_whole_number(text);
  check(seed.has_value(), "--seed: expected a whole number from 0 to 2^64-1, or random, got '", text, "'");
  return *seed;
}

void read_size(const std::string& text, GenerateRequest& request) {
  if (text.empty()) return;
  const auto cross = std::min(text.find('x'), text.size());
  const auto width = read_whole_number(std::string_view(text).substr(0, cross));
  const auto height = read_whole_number(std::string_view(text).substr(std::min(cross + 1, text.size())));
  check(width && height, "--size: expected WIDTHxHEIGHT in pixels, e.g. 64x64, got '", text, "'");
  const auto fits = [](uint64_t side) { return side >= 1 && side <= static_cast<uint64_t>(kLongestSide); };
  check(fits(*width) && fits(*height), "--size: expected a width and height of 1..", kLongestSide,
        " pixels, got ", text);
  request.width = static_cast<int64_t>(*width);
  request.height = static_cast<int64_t>(*height);
}

NameFields request_fields(const GenerateRequest& request, const std::filesystem::path& model) {
  auto fields = fields_of_now();
  fields.label = request.label;
  fields.sampler = find_sampler(request.sampler).name;
  fields.steps = request.sampling.steps;
  fields.guidance = request.guidance.scale;
  fields.model = model.stem().string();
  return fields;
}

Recipe run_recipe(const GenerateRequest& r, const CLI::App& verb, const std::filesystem::path& model,
                  const std::string& sha256) {
  Recipe recipe;
  recipe.negative_prompt = r.negative_prompt;
  recipe.steps = r.sampling.steps;
  recipe.sampler = find_sampler(r.sampler).name;
  recipe.schedule = r.sampling.spacing;
  recipe.cfg_scale = r.guidance.scale;
  recipe.model_hash = sha256.substr(0, 10);
  recipe.model = model.stem().string();
  if (!r.edit.picture.empty()) recipe.denoising_strength = edit_strength(r.edit);
  if (r.variation.strength > 0)
    recipe.extra.emplace_back("Variation seed strength", shortest(r.variation.strength));
  recipe.eta = r.sampling.eta;
  recipe.rng = r.noise == NoiseKind::kCpu ? "CPU" : "Philox";
  recipe.version = std::string("ldm ") + kVersion;
  // Defaults that another version may change stand there as if they had been typed.
  recipe.options = typed_options(verb);
  set_option(recipe.options, "steps", std::to_string(r.sampling.steps));
  set_option(recipe.options, "sampler", recipe.sampler);
  set_option(recipe.options, "guidance", shortest(r.guidance.scale));
  set_option(recipe.options, "noise", std::string(to_string(r.noise)));
  recipe.files = hash_files(verb, recipe.options);
  return recipe;
}

Recipe picture_recipe(Recipe run, const std::string& prompt, const GeneratedImage& image) {
  run.prompt = prompt;
  run.seed = image.seed;
  run.width = image.image.width;
  run.height = image.image.height;
  set_option(run.options, "prompt", prompt);
  set_option(run.options, "seed", std::to_string(image.seed));
  if (image.variation_seed) {
    run.extra.emplace(run.extra.begin(), "Variation seed", std::to_string(*image.variation_seed));
    set_option(run.options, "subseed", std::to_string(*image.variation_seed));
  }
  // In an order that does not tell which were typed: a repeated picture has the same bytes.
  std::stable_sort(run.options.begin(), run.options.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return run;
}

Recipe grid_recipe(const Recipe& run, const std::string& prompt, std::span<const GeneratedImage> images) {
  auto recipe = run;
  set_option(recipe.options, "count", std::to_string(images.size()));
  return picture_recipe(std::move(recipe), prompt, images.front());
}

}  // namespace ldm::cli
