#include "ldm/image/recipe.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"

namespace ldm {
namespace {

constexpr std::string_view kNegative = "Negative prompt:";

// Visits every setting under its name in the parameters line and its key in JSON, in the order of the line.
template <typename R, typename Visit>
void settings(R& recipe, Visit&& visit) {
  visit("Steps", "steps", recipe.steps);
  visit("Sampler", "sampler", recipe.sampler);
  visit("Schedule type", "schedule", recipe.schedule);
  visit("CFG scale", "cfg_scale", recipe.cfg_scale);
  visit("Seed", "seed", recipe.seed);
  visit("Model hash", "model_hash", recipe.model_hash);
  visit("Model", "model", recipe.model);
  visit("Denoising strength", "denoising_strength", recipe.denoising_strength);
  visit("Eta", "eta", recipe.eta);
  visit("RNG", "rng", recipe.rng);
  visit("Version", "version", recipe.version);
}

std::string shown(const std::string& value) { return value; }
template <typename T>
std::string shown(const std::optional<T>& value) {
  if (!value) return "";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, *value).ptr};
}

bool read_value(std::string_view text, std::string& out) {
  out = text;
  return true;
}
template <typename T>
bool read_value(std::string_view text, std::optional<T>& out) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  out = value;
  return true;
}

bool read_size(std::string_view text, Recipe& recipe) {
  const size_t cross = text.find('x');
  std::optional<int32_t> width, height;
  if (cross == text.npos || !read_value(text.substr(0, cross), width)) return false;
  if (!read_value(text.substr(cross + 1), height) || *width < 1 || *height < 1) return false;
  recipe.width = *width;
  recipe.height = *height;
  return true;
}

std::string quoted(const std::string& value) {
  return value.find_first_of(",:\n\r\"") == value.npos ? value : to_json(Json(value));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) + 1 - first);
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Position behind a value that begins at `at`: of a quoted one its closing quote, else the next comma.
size_t end_of_value(std::string_view line, size_t at) {
  if (at < line.size() && line[at] == '"') {
    for (size_t i = at + 1; i < line.size(); ++i) {
      if (line[i] == '\\') {
        ++i;
      } else if (line[i] == '"') {
        const size_t next = line.find_first_not_of(' ', i + 1);
        if (next == line.npos || line[next] == ',') return i + 1;
        break;
      }
    }
  }
  return std::min(line.find(',', at), line.size());
}

std::string unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  try {
    return parse_json(as_bytes(value), "parameters").get<std::string>();
  } catch (const std::exception&) {
    return std::string(value);
  }
}

bool is_name(std::string_view name) {
  const auto inside = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ' ' || c == '-' || c == '/';
  };
  return name.size() >= 2 && name.front() != '-' && name.front() != '/' &&
         std::all_of(name.begin(), name.end(), inside);
}

// "Name: value, Name: value"; parts without a name are passed over.
Pairs split_settings(std::string_view line) {
  Pairs out;
  for (size_t at = 0; at < line.size(); ++at) {
    const size_t colon = line.find_first_of(",:", at);
    if (colon == line.npos) break;
    const auto name = trimmed(line.substr(at, colon - at));
    at = colon;
    if (line[colon] == ',' || !is_name(name)) continue;
    const size_t start = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    at = end_of_value(line, start);
    out.emplace_back(name, unquoted(trimmed(line.substr(start, at - start))));
    at = std::min(line.find(',', at), line.size());
  }
  return out;
}

void read_setting(const std::string& name, const std::string& value, Recipe& recipe) {
  bool known = name == "Size" && read_size(value, recipe);
  settings(recipe, [&](std::string_view label, std::string_view, auto& field) {
    if (label == name) known = read_value(value, field);
  });
  if (!known) recipe.extra.emplace_back(name, value);
}

void read_prompts(std::string_view text, Recipe& recipe) {
  std::string* part = &recipe.prompt;
  for (bool more = true, first = true; more; first = false) {
    const size_t end = text.find('\n');
    auto line = trimmed(text.substr(0, end));
    more = end != text.npos;
    if (more) text.remove_prefix(end + 1);
    if (part == &recipe.prompt && line.substr(0, kNegative.size()) == kNegative) {
      part = &recipe.negative_prompt;
      line = trimmed(line.substr(kNegative.size()));
      first = true;
    }
    if (!first) *part += '\n';
    *part += line;
  }
}

std::string json_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : to_json(value);
}

void read_field(const Json& value, std::string& out) { value.get_to(out); }
template <typename T>
void read_field(const Json& value, std::optional<T>& out) {
  if (!read_value(to_json(value), out))
    fail(ErrorKind::kFormat, "recipe: expected a number, got ", to_json(value));
}

Recipe read_object(Json object) {
  const auto take = [&](std::string_view key, auto& field) {
    const auto found = object.find(std::string(key));
    if (found == object.end()) return;
    read_field(*found, field);
    object.erase(found);
  };
  Recipe recipe;
  std::optional<int64_t> width, height;
  take("prompt", recipe.prompt);
  take("negative_prompt", recipe.negative_prompt);
  take("width", width);
  take("height", height);
  recipe.width = width.value_or(0);
  recipe.height = height.value_or(0);
  settings(recipe, [&](std::string_view, std::string_view key, auto& field) { take(key, field); });
  const auto take_pairs = [&](const char* key, Pairs& pairs) {
    for (const auto& pair : object.value(key, Json::array()))
      pairs.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<std::string>());
    object.erase(key);
  };
  take_pairs("extra", recipe.extra);
  take_pairs("options", recipe.options);
  take_pairs("files", recipe.files);
  object.erase("format");
  for (const auto& [key, value] : object.items()) recipe.extra.emplace_back(key, json_text(value));
  return recipe;
}

Json field_json(const std::string& value) { return value.empty() ? Json() : Json(value); }
template <typename T>
Json field_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

// Options that the fields of a recipe show.
bool in_fields(std::string_view option) {
  constexpr std::string_view kShown[] = {"prompt", "negative", "steps", "sampler", "spacing", "guidance",
                                         "seed",   "size",     "model", "eta",     "noise",   "strength"};
  return std::find(std::begin(kShown), std::end(kShown), option) != std::end(kShown);
}

}  // namespace

std::string setting_name(std::string_view option) {
  std::string out(option);
  std::replace(out.begin(), out.end(), '-', ' ');
  if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

std::string option_name(std::string_view setting) {
  std::string out(setting);
  for (char& c : out) c = c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string to_parameters(const Recipe& recipe) {
  std::string line;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) line.append(line.empty() ? "" : ", ").append(name).append(": ").append(quoted(value));
  };
  settings(recipe, [&](std::string_view name, std::string_view, const auto& field) {
    if (name == "Model hash" && recipe.width > 0 && recipe.height > 0) {
      add("Size", std::to_string(recipe.width) + "x" + std::to_string(recipe.height));
    }
    if (name == "Version") {
      for (const auto& [key, value] : recipe.extra) add(key, value);
      for (const auto& [key, value] : recipe.options) {
        if (!in_fields(key)) add(setting_name(key), value);
      }
    }
    add(name, shown(field));
  });
  std::string text = recipe.prompt;
  if (!recipe.negative_prompt.empty())
    text.append("\n").append(kNegative).append(" ").append(recipe.negative_prompt);
  return text + "\n" + line;
}

Recipe parse_parameters(std::string_view text) {
  Recipe recipe;
  text = trimmed(text);
  const size_t line_start = text.rfind('\n') + 1;  // npos + 1 is 0.
  const Pairs found = split_settings(text.substr(line_start));
  if (found.size() >= 3) {
    for (const auto& [name, value] : found) read_setting(name, value, recipe);
    text = text.substr(0, line_start == 0 ? 0 : line_start - 1);
  }
  read_prompts(text, recipe);
  return recipe;
}

std::string recipe_to_json(const Recipe& recipe) {
  Json object{{"format", 1}, {"prompt", recipe.prompt}, {"negative_prompt", recipe.negative_prompt}};
  settings(recipe, [&](std::string_view, std::string_view key, const auto& field) {
    if (const Json value = field_json(field); !value.is_null()) object[std::string(key)] = value;
  });
  if (recipe.width > 0) object["width"] = recipe.width;
  if (recipe.height > 0) object["height"] = recipe.height;
  const auto put_pairs = [&](const char* name, const Pairs& pairs) {
    for (const auto& [key, value] : pairs) object[name].push_back({key, value});
  };
  put_pairs("extra", recipe.extra);
  put_pairs("options", recipe.options);
  put_pairs("files", recipe.files);
  return to_json(object);
}

Recipe recipe_from_json(std::string_view json) {
  Json object = parse_json(as_bytes(json), "recipe", {.max_bytes = 1 << 20, .max_depth = 16});
  check(object.is_object() && object.value("format", Json()) == Json(1), ErrorKind::kFormat,
        "recipe: expected an object with \"format\": 1");
  try {
    return read_object(std::move(object));
  } catch (const Json::exception&) {
    fail(ErrorKind::kFormat,
         "recipe: expected texts as texts, and extra, options and files as lists of pairs of texts");
  }
}

PngText recipe_text(const Recipe& recipe) {
  return {{"parameters", to_parameters(recipe)}, {"ldm", recipe_to_json(recipe)}};
}

std::optional<Recipe> find_recipe(const PngText& text, std::string* damage) {
  if (damage != nullptr) damage->clear();
  if (const auto own = find_text(text, "ldm"); !own.empty()) {
    try {
      return recipe_from_json(own);
    } catch (const Error& error) {  // Damaged by an editor, perhaps: the other form may still stand.
      if (damage != nullptr) *damage = error.what();
    }
  }
  auto theirs = parse_parameters(find_text(text, "parameters"));
  return theirs.steps ? std::optional(std::move(theirs)) : std::nullopt;
}

}  // namespace ldm
