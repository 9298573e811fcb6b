#include "ldm/model/condition_names.h"

#include <string>

#include "ldm/config/options.h"

namespace ldm {
namespace {

template <typename T>
void take_value(const Node& task, const char* key, T& out) {
  const auto* node = task.find(key);
  if (node == nullptr) return;
  std::string path = "data.task.";
  read_value(*node, path.append(key), out);
}

// Its keys stand among others of the task.
LayoutTokenOptions layout_of(const Node& task) {
  LayoutTokenOptions out;
  take_value(task, "no_classes", out.classes);
  take_value(task, "max_objects", out.max_objects);
  take_value(task, "no_tokens", out.tokens);
  take_value(task, "encode_crop", out.encode_crop);
  take_value(task, "use_group_parameter", out.use_group);
  take_value(task, "use_additional_parameters", out.use_additional);
  return out;
}

}  // namespace

void add_condition_names(const Node& config, LatentDiffusionOptions& options) {
  const auto* task = config.find_path("data.task");
  const auto* kind = task ? task->find("kind") : nullptr;
  if (kind == nullptr) return;
  if (options.class_names.empty()) {
    take_value(*task, "classes", options.class_names);
    take_value(*task, "categories", options.class_names);
  }
  if (options.label_names.empty()) take_value(*task, "table", options.label_names);
  if (options.upscale_factor == 0) take_value(*task, "downscale_f", options.upscale_factor);
  if (kind->text() == "layout" && !options.layout) options.layout = layout_of(*task);
  if (kind->text() != "segmentation") return;
  double dropout = 0;
  take_value(*task, "dropout", dropout);
  options.map_null = options.map_null || dropout > 0;
}

Node condition_task(const Node& config) {
  const auto* task = config.find_path("data.task");
  if (task == nullptr || task->find("kind") == nullptr) return {};
  Node out = Node::map();
  for (const char* key :
       {"kind", "classes", "categories", "table", "downscale_f", "dropout", "no_classes", "max_objects",
        "no_tokens", "encode_crop", "use_group_parameter", "use_additional_parameters"}) {
    if (const auto* value = task->find(key)) out.set(key, *value);
  }
  return out;
}

}  // namespace ldm
