#include "cli/recipe_options.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "cli/foreign_recipe.h"
#include "cli/option_values.h"
#include "cli/picture_kind.h"
#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/image/decode.h"
#include "ldm/image/png_text.h"
#include "ldm/io/file.h"
#include "ldm/io/printable.h"
#include "ldm/model/model_file.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

std::string option_key(const CLI::Option& option) {
  return option.get_lnames().empty() ? option.get_name(true) : option.get_lnames().front();
}

const CLI::Option* find_option(const CLI::App& verb, const std::string& key) {
  for (const auto* option : verb.get_options()) {
    const auto& names = option->get_lnames();
    if (option_key(*option) == key || std::find(names.begin(), names.end(), key) != names.end())
      return option;
  }
  return nullptr;
}

bool is_typed(const CLI::App& verb, const std::string& key) {
  const auto* option = find_option(verb, key);
  return option != nullptr && option->count() > 0;
}

// Whether an option decides how a picture looks.
bool changes_pictures(const CLI::Option& option) {
  constexpr std::string_view kNeutral[] = {"help",     "quiet", "device",      "threads",
                                           "samplers", "from",  "prompts-file"};
  return option.get_group() != kOutputSection &&
         std::find(std::begin(kNeutral), std::end(kNeutral), option_key(option)) == std::end(kNeutral);
}

// Each picture of several has a seed of its own; only in a grid their number shows.
bool is_kept(const CLI::App& verb, const CLI::Option& option) {
  return changes_pictures(option) && (option_key(option) != "count" || is_typed(verb, "grid"));
}

// The files in "FILE", "FILE:STRENGTH" and "FILE,FILE".
std::vector<std::string> files_in(const std::string& value) {
  std::error_code ignored;
  if (fs::is_regular_file(value, ignored)) return {value};
  if (const auto colon = value.rfind(':'); colon != value.npos) {
    auto files = files_in(value.substr(0, colon));
    if (!files.empty()) return files;
  }
  std::vector<std::string> files;
  for (size_t at = 0; at <= value.size();) {
    const auto comma = std::min(value.find(',', at), value.size());
    if (at > 0 || comma < value.size()) {
      if (auto part = value.substr(at, comma - at); fs::is_regular_file(part, ignored)) files.push_back(part);
    }
    at = comma + 1;
  }
  return files;
}

bool names_file(const std::string& value, const std::string& file) {
  return value.starts_with(file) || value.find("," + file) != value.npos;
}

// Throws when a file is gone or other than it was.
void check_files(const OptionPairs& used, const Recipe& recipe, const fs::path& picture) {
  for (const auto& [file, hash] : recipe.files) {
    for (const auto& [key, value] : used) {
      if (!names_file(value, file)) continue;
      check(fs::is_regular_file(file), ErrorKind::kData, picture.string(), ": was drawn with --", key, " ",
            printable(value), ", which is not there; hint: give --", key,
            " again, or start where it was drawn");
      check(file_sha256(file) == hash, ErrorKind::kData, picture.string(), ": was drawn with --", key, " ",
            printable(value), ", which has other contents now; hint: give --", key,
            " again to take it all the same");
    }
  }
}

OptionPairs options_of(const Recipe& recipe, const CLI::App& verb, const fs::path& picture,
                       const LogFn& log) {
  if (!recipe.options.empty()) return recipe.options;
  auto translated = translate_recipe(recipe);
  OptionPairs out;
  for (auto& pair : translated.options) {
    const auto* option = find_option(verb, pair.first);
    if (option == nullptr || (pair.first == "strength" && !is_typed(verb, "init-image"))) {
      translated.left_out.push_back(pair.first);
    } else {
      out.push_back(std::move(pair));
    }
  }
  if (!translated.left_out.empty())
    log_warning(log, picture.string() +
                         ": not understood and left out: " + one_line(join_names(translated.left_out), 500));
  return out;
}

}  // namespace

OptionPairs typed_options(const CLI::App& verb) {
  OptionPairs out;
  for (const auto* option : verb.get_options()) {
    if (option->count() == 0 || !is_kept(verb, *option)) continue;
    for (const auto& value : option->results()) out.emplace_back(option_key(*option), value);
  }
  return out;
}

OptionPairs hash_files(const CLI::App& verb, const OptionPairs& options) {
  OptionPairs out;
  std::set<std::string> seen;
  for (const auto& [key, value] : options) {
    const auto* option = find_option(verb, key);
    // The model's hash stands in the recipe already.
    if (option == nullptr || option->get_type_name() != "FILE" || key == "model") continue;
    for (const auto& file : files_in(value)) {
      if (seen.insert(file).second) out.emplace_back(file, file_sha256(file));
    }
  }
  return out;
}

PngText read_texts(const fs::path& picture, std::span<const std::byte> bytes) {
  try {
    return read_png_text(bytes);
  } catch (const Error& error) {
    fail(error.kind(), picture.string(), ": ", error.what());
  }
}

Recipe read_recipe(const fs::path& picture, const LogFn& log) {
  const MappedFile file(picture);
  const auto kind = picture_kind(file.bytes());
  check(sniff_image(file.bytes()) == ImageFormat::kPng, ErrorKind::kFormat, picture.string(),
        ": expected a PNG picture with a recipe inside; ",
        kind.empty() ? "this is something else" : "this is " + kind + ", and those hold none");
  std::string damage;
  auto recipe = find_recipe(read_texts(picture, file.bytes()), &damage);
  if (!damage.empty()) damage = picture.string() + ": its recipe is damaged: " + one_line(damage, 200);
  check(recipe.has_value(), ErrorKind::kFormat,
        damage.empty()
            ? picture.string() + ": holds no recipe (neither ours nor the parameters of the web UIs)"
            : damage);
  if (!damage.empty()) log_warning(log, damage + "; going on with the parameters of the web UIs beside it");
  return *std::move(recipe);
}

void repeat_recipe(CLI::App& verb, const Recipe& recipe, const fs::path& picture, const LogFn& log) {
  std::set<const CLI::Option*> typed;
  for (const auto* option : verb.get_options()) {
    if (option->count() > 0) typed.insert(option);
  }
  OptionPairs used;
  std::set<CLI::Option*> set;
  for (const auto& pair : options_of(recipe, verb, picture, log)) {
    const auto* found = find_option(verb, pair.first);
    check(found != nullptr, ErrorKind::kFormat, picture.string(), ": was drawn with the option ",
          printable(pair.first), ", which ldm ", verb.get_name(), " does not have");
    check(changes_pictures(*found), ErrorKind::kFormat, picture.string(), ": its recipe has --",
          option_key(*found), ", which a recipe may not set");
    if (typed.contains(found) || (pair.first == "prompt" && is_typed(verb, "prompts-file"))) continue;
    auto* option = verb.get_option(found->get_name());
    option->add_result(pair.second);
    set.insert(option);
    used.push_back(pair);
  }
  check_files(used, recipe, picture);
  const auto misfit = [&](const std::exception& error) {
    fail(ErrorKind::kFormat, picture.string(), ": the recipe does not fit: ", one_line(error.what(), 200));
  };
  try {
    check_values(verb);
    for (auto* option : set) option->run_callback();
  } catch (const Error& error) {
    misfit(error);
  } catch (const CLI::Error& error) {
    misfit(error);
  }
}

std::string other_model(const Recipe& recipe, const std::string& sha256) {
  if (recipe.model_hash.empty() || sha256.empty()) return {};
  auto hash = recipe.model_hash;
  if (sha256.starts_with(hash)) return {};
  return "drawn with a model" + (recipe.model.empty() ? "" : " " + printable(recipe.model)) + " of hash " +
         printable(hash) + ", this one has " + sha256.substr(0, 10);
}

}  // namespace ldm::cli
