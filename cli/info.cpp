// `ldm info`: what a model file, a configuration or a picture says about itself.
#include <algorithm>
#include <iostream>
#include <set>

#include "cli/info_config.h"
#include "cli/info_text.h"
#include "cli/picture_kind.h"
#include "cli/print_json.h"
#include "cli/recipe_options.h"
#include "cli/verb.h"
#include "cli/weight_summary.h"
#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/image/recipe.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"
#include "ldm/io/printable.h"
#include "ldm/io/zip.h"
#include "ldm/model/model_file.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

struct InfoOptions {
  std::string file;
  bool keys = false;
  bool json = false;
};

// One network inside a file: the tensors that share the beginning of their names.
struct Part {
  int64_t tensors = 0;
  int64_t numbers = 0;
  std::set<std::string> dtypes;
};

// "model.diffusion_model" of the original's names, otherwise what stands before the first dot.
std::string part_name(const std::string& name) {
  const auto dot = name.find('.');
  if (dot == std::string::npos) return "(no part)";
  const std::string first = name.substr(0, dot);
  return first == "model" ? name.substr(0, name.find('.', dot + 1)) : first;
}

std::map<std::string, Part> find_parts(const WeightSummary& file) {
  std::map<std::string, Part> parts;
  for (const auto& tensor : file.tensors) {
    // A checkpoint of a training keeps its weights below state_dict.
    constexpr std::string_view kNest = "state_dict.";
    auto& part =
        parts[part_name(tensor.name.starts_with(kNest) ? tensor.name.substr(kNest.size()) : tensor.name)];
    ++part.tensors;
    part.numbers += tensor.numbers();
    part.dtypes.insert(tensor.dtype);
  }
  return parts;
}

std::string join(const std::set<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string find_metadata(const WeightSummary& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? std::string() : found->second;
}

// "epoch 7, step 41230, optimiser" of a checkpoint that a training left.
std::string training_state(const WeightSummary& file) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (const auto epoch = find_metadata(file, "epoch"); !epoch.empty()) add("epoch " + epoch);
  if (const auto step = find_metadata(file, "global_step"); !step.empty()) add("step " + step);
  if (file.has("optimizer_states.")) add("states of the optimiser");
  return out;
}

void row(const std::string& name, const std::string& value) {
  if (!value.empty()) std::cout << name << std::string(12 - name.size(), ' ') << plain_text(value) << '\n';
}

void print_parts(const WeightSummary& file) {
  int64_t numbers = 0;
  const auto parts = find_parts(file);
  for (const auto& [name, part] : parts) numbers += part.numbers;
  row("numbers", grouped_digits(numbers) + " in " + std::to_string(file.tensors.size()) + " tensors");
  for (const auto& [name, part] : parts) {
    std::cout << "  " << plain_text(name) << ": " << grouped_digits(part.numbers) << " in " << part.tensors
              << " tensors, " << join(part.dtypes) << '\n';
  }
}

void print_model(const WeightSummary& file, const InfoOptions& options) {
  row("kind", file.layout());
  row("file form", file.form);
  row("first stage", find_metadata(file, "ldm.first_stage"));
  row("averages", file.has("model_ema.") ? "yes, taken unless --no-ema" : "");
  row("training", training_state(file));
  row("foreign", join(file.foreign));
  print_parts(file);
  for (const auto& [key, value] : file.metadata) {
    if (file.form == "safetensors" && key.rfind("ldm.", 0) != 0)
      row("metadata", key + " = " + one_line(value, 100));
  }
  const std::string config = find_metadata(file, "ldm.config");
  if (!config.empty())
    std::cout << "config\n" << plain_text(config, /*lines=*/true) << (config.back() == '\n' ? "" : "\n");
  if (!options.keys) return;
  std::cout << "tensors\n";
  for (const auto& tensor : file.tensors) {
    std::cout << "  " << plain_text(tensor.name) << ' ' << tensor.dtype << ' ' << shape_text(tensor.shape)
              << '\n';
  }
}

Json model_json(const WeightSummary& file, const InfoOptions& options) {
  Json out = {{"kind", file.layout()},
              {"form", file.form},
              {"averages", file.has("model_ema.")},
              {"training", training_state(file)},
              {"foreign", file.foreign},
              {"metadata", file.metadata},
              {"parts", Json::object()}};
  for (const auto& [name, part] : find_parts(file)) {
    out["parts"][name] = {{"tensors", part.tensors}, {"numbers", part.numbers}, {"dtypes", part.dtypes}};
  }
  if (!options.keys) return out;
  out["tensors"] = Json::array();
  for (const auto& t : file.tensors) {
    out["tensors"].push_back({{"name", t.name}, {"dtype", t.dtype}, {"shape", t.shape}});
  }
  return out;
}

int show_picture(std::span<const std::byte> bytes, const InfoOptions& options, const LogFn& log) {
  const auto text = read_texts(options.file, bytes);
  std::string damage;
  const auto recipe = find_recipe(text, &damage);
  if (!damage.empty())
    log_warning(log, options.file + ": its recipe is damaged: " + one_line(damage, 200) +
                         (recipe ? "; these are the parameters of the web UIs beside it" : ""));
  if (options.json) {
    Json out = Json::object();
    for (const auto& [keyword, value] : text) out["text"][keyword] = value;
    if (recipe) out["recipe"] = parse_json(as_bytes(recipe_to_json(*recipe)), options.file);
    print_json(out, 2);
  } else if (recipe) {
    std::cout << plain_text(to_parameters(*recipe), /*lines=*/true) << '\n';
  } else {
    std::cout << "a PNG picture without a recipe\n";
  }
  return 0;
}

// Of a kind that holds no recipe.
int show_other_picture(const std::string& kind, const InfoOptions& options) {
  if (options.json) {
    print_json({{"file", options.file}, {"kind", kind}}, 2);
  } else {
    std::cout << kind << "; only PNG pictures hold recipes\n";
  }
  return 0;
}

int show_folder(const InfoOptions& options) {
  const auto folder = summarize_weights(options.file);
  if (options.json) {
    Json out = model_json(folder, options);
    out["file"] = options.file;
    print_json(out, 2);
  } else {
    row("folder", options.file);
    print_model(folder, options);
  }
  return 0;
}

// Reads all of a zip archive and compares its checksums.
void check_archive(std::span<const std::byte> bytes, const std::string& file) {
  try {
    check_zip_content(ZipArchive(bytes));
  } catch (const Error& error) {
    throw Error(error.kind(), file + ": " + error.what());
  }
}

int show(const InfoOptions& options, const LogFn& log) {
  if (fs::is_directory(options.file)) return show_folder(options);
  const auto extension = fs::path(options.file).extension();
  if (extension == ".yaml" || extension == ".yml") {
    return show_config(options.file, options.keys, options.json);
  }
  const MappedFile mapped{fs::path(options.file)};
  const auto bytes = mapped.bytes();
  if (sniff_image(bytes) == ImageFormat::kPng) return show_picture(bytes, options, log);
  if (const auto kind = picture_kind(bytes); !kind.empty()) return show_other_picture(kind, options);
  const auto file = summarize_weights(options.file);
  if (is_zip(bytes)) check_archive(bytes, options.file);
  const std::string hash = file_sha256(options.file);
  if (options.json) {
    Json out = model_json(file, options);
    out["file"] = options.file;
    out["bytes"] = bytes.size();
    out["sha256"] = hash;
    print_json(out, 2);
  } else {
    row("file", options.file + ", " + grouped_digits(static_cast<int64_t>(bytes.size())) + " bytes");
    row("sha256", hash);
    print_model(file, options);
  }
  return 0;
}

}  // namespace

void add_info(CLI::App& app, Context& context) {
  auto* verb = add_verb(
      app, context, "info", "says what a model file, a configuration or a picture is",
      {{"ldm info models/emoji.safetensors", "its networks, sizes, number types and configuration"},
       {"ldm info configs/zoo/ldm/celeba256.yaml", "what a configuration builds, without weights or memory"},
       {"ldm info model.safetensors --keys", "the name and shape of every tensor as well"},
       {"ldm info pizza.png", "prompt, seed and all settings that drew it"}});
  auto options = std::make_shared<InfoOptions>();
  verb->add_option(
          "FILE", options->file,
          "weights (safetensors, .ckpt, .pt, .bin, GGUF, a folder), a YAML configuration, or a PNG picture")
      ->required();
  verb->add_flag("--keys", options->keys, "list every tensor");
  verb->add_flag("--json", options->json, "print JSON");
  set_run(verb, context, [options, &context] { return show(*options, context.log()); });
}

}  // namespace ldm::cli
