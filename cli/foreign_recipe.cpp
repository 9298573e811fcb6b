#include "cli/foreign_recipe.h"

#include <charconv>
#include <string_view>

namespace ldm::cli {
namespace {

struct SpacingName {
  std::string_view theirs, ours;
};

// Where AUTOMATIC1111 means something else by a name than we do. Empty: what the sampler's authors use.
constexpr SpacingName kSpacingNames[] = {{"Automatic", ""},
                                         {"Uniform", "linspace"},
                                         {"DDIM", "ddim_uniform"},
                                         {"Beta", "beta_sigma"},
                                         {"SGM Uniform", "sgm_uniform"},
                                         {"KL Optimal", "kl_optimal"},
                                         {"Align Your Steps", "align_your_steps"}};

// In older files the spacing is the sampler's last word.
constexpr std::string_view kSuffixes[] = {" Karras", " Exponential", " Polyexponential", " SGM Uniform"};

std::string our_spacing(std::string_view theirs) {
  for (const auto& name : kSpacingNames) {
    if (name.theirs == theirs) return std::string(name.ours);
  }
  return option_name(theirs);
}

std::string number_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

class Translation {
 public:
  explicit Translation(const Recipe& recipe) : r_(recipe), own_(recipe.version.starts_with("ldm ")) {}

  TranslatedRecipe run() {
    add("prompt", r_.prompt);
    add("negative", r_.negative_prompt);
    add_sampler();
    if (r_.steps) add("steps", std::to_string(*r_.steps));
    if (r_.seed) add("seed", std::to_string(*r_.seed));
    if (r_.cfg_scale) add("guidance", number_text(*r_.cfg_scale));
    if (r_.eta) add("eta", number_text(*r_.eta));
    if (r_.width > 0) add("size", std::to_string(r_.width) + "x" + std::to_string(r_.height));
    add("noise", r_.rng == "CPU" ? "cpu" : r_.rng == "Philox" || !own_ ? "philox" : "");
    if (r_.denoising_strength) add("strength", number_text(*r_.denoising_strength));
    for (const auto& [name, value] : r_.extra) {
      if (own_ || name == "Clip skip") {
        add(option_name(name), value);
      } else {
        out_.left_out.push_back(name);
      }
    }
    return std::move(out_);
  }

 private:
  void add(const std::string& option, const std::string& value) {
    if (!value.empty()) out_.options.emplace_back(option, value);
  }

  void add_sampler() {
    std::string_view sampler = r_.sampler;
    auto spacing = own_ ? r_.schedule : our_spacing(r_.schedule);
    for (const auto suffix : kSuffixes) {
      if (own_ || !sampler.ends_with(suffix)) continue;
      sampler.remove_suffix(suffix.size());
      if (spacing.empty()) spacing = our_spacing(suffix.substr(1));
    }
    add("sampler", std::string(sampler));
    add("spacing", spacing);
  }

  const Recipe& r_;
  const bool own_;  // This program wrote the text.
  TranslatedRecipe out_;
};

}  // namespace

TranslatedRecipe translate_recipe(const Recipe& recipe) { return Translation(recipe).run(); }

}  // namespace ldm::cli
