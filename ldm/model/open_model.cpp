#include "ldm/model/open_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/model/diffusers_folder.h"
#include "ldm/model/first_stage_inside.h"
#include "ldm/model/infer_config.h"
#include "ldm/model/make_conditioner.h"
#include "ldm/model/model_layout.h"
#include "ldm/model/original_weights.h"
#include "ldm/model/original_writer.h"
#include "ldm/model/targets.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> layout_names(const Node& config) {
  std::vector<std::string> names;
  for (const auto& part : lay_out_model(config).parts) {
    for (const auto& tensor : part.tensors) names.push_back(tensor.name);
  }
  return names;
}

bool has_part(const StateDict& tensors, const std::string& prefix) {
  const auto at = tensors.lower_bound(prefix);
  return at != tensors.end() && at->first.starts_with(prefix);
}

// The YAML that is given, or that of a model beside the weights under the same name; null if there is none.
Node read_original_config(const fs::path& path, const fs::path& given) {
  if (!given.empty()) return read_yaml(given);
  const auto beside = original_yaml_path(path);
  if (beside == path || !fs::is_regular_file(beside)) return {};
  Node config = read_yaml(beside);
  return config.find("model") == nullptr ? Node() : config;
}

ModelFile open_original(const fs::path& path, const OpenOptions& options) {
  Node config = read_original_config(path, options.config);
  const auto names = config.is_null() ? std::vector<std::string>() : layout_names(config);
  try {
    auto file = read_weight_file(path);
    const auto vocabulary = file.metadata.find(kVocabularyKey);
    std::string words = vocabulary == file.metadata.end() ? std::string() : vocabulary->second;
    auto weights = original_weights(std::move(file), options.ema, names);
    ModelFile out{.kind = has_part(weights.tensors, "model.diffusion_model.") ? ModelKind::kDiffusion
                                                                              : ModelKind::kFirstStage};
    out.config = config.is_null() ? infer_config(weights.tensors) : std::move(config);
    if (weights.scale_factor) set_scale_factor(out.config, *weights.scale_factor);
    out.tensors = std::move(weights.tensors);
    out.vocabulary = std::move(words);
    out.bare_first_stage = weights.bare_first_stage;
    return out;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kFormat || std::string_view(error.what()).starts_with(path.string()))
      throw;
    throw Error(error.kind(), path.string() + ": " + error.what());
  }
}

std::string shape_line(const std::string& name, const std::vector<int64_t>& expected, at::IntArrayRef got) {
  std::ostringstream line;
  line << name << ": expected " << at::IntArrayRef(expected) << ", got " << got;
  return line.str();
}

bool reads_vocabulary(const Node& node) {
  const auto* target = node.find("target");
  const auto* tokenizer = node.find_path("params.use_tokenizer");
  if (target != nullptr && target->is_scalar() &&
      parse_target(target->text(), "target") == Target::kTextTransformer)
    return tokenizer == nullptr || tokenizer->text() != "false";
  const auto& entries = node.entries();
  const auto& items = node.items();
  return std::any_of(entries.begin(), entries.end(),
                     [](const auto& entry) { return reads_vocabulary(entry.value); }) ||
         std::any_of(items.begin(), items.end(), [](const auto& item) { return reads_vocabulary(item); });
}

// What drawing needs beside tensors.
void check_complete(const ModelFile& model, const fs::path& path) {
  if (model.kind != ModelKind::kDiffusion) return;
  check(!lacks_first_stage(model) || !model.first_stage.empty(), ErrorKind::kFormat, path.string(),
        ": its first stage lies in another file, which it does not name; hint: --first-stage FILE");
  check(!model.vocabulary.empty() || !reads_own_vocabulary(model), ErrorKind::kFormat, path.string(),
        ": it does not hold the vocabulary that its text encoder reads captions by", kVocabularyHint);
}

}  // namespace

bool reads_own_vocabulary(const ModelFile& model) {
  const auto* params = model.config.at("model").find("params");
  const auto reads = [&](const char* key) {
    const auto* encoder = params == nullptr ? nullptr : params->find(key);
    return encoder != nullptr && reads_vocabulary(*encoder);
  };
  return reads("cond_stage_config") || reads("conditioner_config");
}

ModelFile open_model(const fs::path& path, const OpenOptions& options) {
  if (fs::is_directory(path)) {
    if (is_diffusers_folder(path)) return open_diffusers_folder(path);
    return open_original(find_weight_index(path), options);
  }
  if (options.config.empty() && is_model_file(path)) return read_model_file(path);
  return open_original(path, options);
}

LoadReport compare_weights(const ModelFile& model) {
  LoadReport report;
  // Names as the file has them.
  const auto in_file = [&](const std::string& name) {
    constexpr std::string_view kPrefix = "first_stage_model.";
    return model.bare_first_stage && name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
  };
  std::set<std::string> known;
  for (const auto& part : lay_out_model(model.config).parts) {
    for (const auto& tensor : part.tensors) {
      known.insert(tensor.name);
      const auto found = model.tensors.find(tensor.name);
      if (found == model.tensors.end()) {
        report.missing.push_back(in_file(tensor.name));
      } else if (found->second.sizes() != at::IntArrayRef(tensor.shape)) {
        report.mis_shaped.push_back(shape_line(in_file(tensor.name), tensor.shape, found->second.sizes()));
      }
    }
  }
  for (const auto& [name, tensor] : model.tensors) {
    if (!known.contains(name)) report.unexpected.push_back(in_file(name));
  }
  return report;
}

void check_weights(const ModelFile& model, const fs::path& path) {
  const auto report = compare_weights(model);
  const auto origin = model.config.at("model").where();
  check(report.ok(), ErrorKind::kFormat, path.string(), ": the weights do not fit the configuration",
        origin.empty() ? std::string() : " of " + origin, '\n', report.table());
  check_complete(model, path);
}

}  // namespace ldm
