#include "ldm/model/original_writer.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/folder.h"
#include "ldm/model/condition_names.h"
#include "ldm/model/first_stage_inside.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

// Drops the settings of training that name files of the one who trained.
void erase_training_paths(Node& node) {
  for (const char* key : {"ckpt_path", "perceptual"}) node.erase(key);
  for (auto& entry : node.entries()) erase_training_paths(entry.value);
  for (auto& item : node.items()) erase_training_paths(item);
}

// What another machine can use of the configuration.
Node portable_config(const Node& config) {
  Node model = config.at("model"), out = Node::map();
  erase_training_paths(model);
  out.set("model", std::move(model));
  if (Node task = condition_task(config); !task.is_null()) {
    Node data = Node::map();
    data.set("task", std::move(task));
    out.set("data", std::move(data));
  }
  return out;
}

StateDict original_names(const StateDict& tensors, ModelKind kind) {
  constexpr std::string_view kCondition = "cond_stage_model.", kEmbedders = "cond_stage_model.embedders.",
                             kFirst = "first_stage_model.";
  StateDict out;
  for (const auto& [name, tensor] : tensors) {
    std::string original = name;
    if (name.starts_with(kEmbedders))  // A list is generative-models'.
      original = "conditioner." + name.substr(kCondition.size());
    if (kind == ModelKind::kFirstStage && name.starts_with(kFirst)) original = name.substr(kFirst.size());
    out.emplace(std::move(original), tensor);
  }
  return out;
}

}  // namespace

fs::path original_yaml_path(const fs::path& path) { return fs::path(path).replace_extension(".yaml"); }

void write_original_file(const fs::path& path, const ModelFile& model, at::ScalarType dtype) {
  check(path.extension() == ".safetensors", path.string(),
        ": the original layout is written as safetensors; hint: end the name in .safetensors");
  check(!lacks_first_stage(model), path.string(),
        ": the original layout holds the first stage, this model names one in another file");
  std::map<std::string, std::string> metadata{{"format", "pt"}};
  if (!model.vocabulary.empty()) metadata[kVocabularyKey] = model.vocabulary;
  const ScratchFolder scratch(path);
  const auto weights = scratch.path() / "weights", yaml = scratch.path() / "yaml";
  write_tensor_file(weights, original_names(in_dtype(model.tensors, dtype), model.kind), metadata);
  write_file_atomic(yaml, to_yaml(portable_config(model.config)));
  rename_synced(yaml, original_yaml_path(path));
  rename_synced(weights, path);
}

}  // namespace ldm
