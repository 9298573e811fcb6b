#include "ldm/train/original_run.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "ldm/config/option_values.h"
#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/model/targets.h"

namespace ldm {
namespace {

using Notes = std::vector<std::string>;

// What every run of the original did, and what its autoencoders did beside.
constexpr std::string_view kCommonTrain = R"({scale_lr: true, clip_grad_norm: 0, warm_up_steps: 0,
  constant_fraction: 1, timesteps: uniform, scale_from: first_batch})";
constexpr std::string_view kAutoencoderTrain = R"({scale_lr: true, clip_grad_norm: 0, warm_up_steps: 0,
  constant_fraction: 1, discriminator_pass: own, ema: {decay: 0},
  optimizer: {beta1: 0.5, beta2: 0.9, weight_decay: 0, decoupled: false}})";
// VQModel's use_ema: LitEma with its own defaults.
constexpr std::string_view kAveragedTrain = "{decay: 0.9999}";
constexpr std::string_view kPlainCaptions = "{text_only: 1, text_keywords: 0, colour: 0, style: 0}";

struct Rename {
  std::string_view from, to;  // Dotted paths.
};

constexpr std::array kDataKeys = {Rename{"batch_size", "batch_size"}, Rename{"num_workers", "workers"}};
// The first of these that there is, is the pictures' side.
constexpr std::array<std::string_view, 4> kSizeKeys = {"crop_size", "size", "config.crop_size",
                                                       "config.size"};
constexpr std::array<std::string_view, 3> kPathKeys = {"data_root", "config.data_root", "root"};
constexpr std::array kTrainerKeys = {
    Rename{"accumulate_grad_batches", "accumulate"}, Rename{"max_steps", "steps"},
    Rename{"gradient_clip_val", "clip_grad_norm"}, Rename{"log_every_n_steps", "log_every"}};

void set_deep(Node& map, const Node& more) {
  for (const auto& [key, value] : more.entries()) {
    auto* inner = map.find(key);
    if (inner != nullptr && inner->is_map() && value.is_map()) {
      set_deep(*inner, value);
    } else {
      map.set(key, value);
    }
  }
}

const Node* first_of(const Node& map, std::span<const std::string_view> paths) {
  for (const auto path : paths) {
    if (const auto* found = map.find_path(path); found != nullptr && !found->is_null()) return found;
  }
  return nullptr;
}

// Notes every key of `map` that is none of the used ones.
void note_rest(const Node& map, std::string_view path, std::span<const Rename> used, std::string_view why,
               Notes& notes) {
  for (const auto& [key, value] : map.entries()) {
    const bool known =
        std::any_of(used.begin(), used.end(), [&k = key](const Rename& r) { return r.from == k; });
    if (!known) notes.push_back(std::string(path) + "." + key + ": " + std::string(why));
  }
}

void read_data(const Node& original, Node& data, Notes& notes) {
  const auto* params = original.find("params");
  if (params == nullptr || !params->is_map()) return;
  for (const auto& [from, to] : kDataKeys) {
    if (const auto* value = params->find(from); value != nullptr) data.set(to, *value);
  }
  const auto* pictures = params->find_path("train.params");
  if (pictures != nullptr) {
    if (const auto* size = first_of(*pictures, kSizeKeys)) data.set("size", *size);
    if (const auto* path = first_of(*pictures, kPathKeys)) data.set("path", *path);
  }
  if (const auto* kind = params->find_path("train.target"); kind != nullptr) {
    notes.push_back("data.params.train.target " + kind->text() +
                    ": pictures are those of the folder data.path");
  }
  constexpr std::array kUsed = {Rename{"batch_size", ""}, Rename{"num_workers", ""}, Rename{"train", ""}};
  note_rest(*params, "data.params", kUsed, "see the section data of ldm train --dry-run", notes);
}

// The batch's entry that the model reads, and the task that gives it.
constexpr std::array kTaskKeys = {
    Rename{"LR_image", "super_resolution"}, Rename{"masked_image", "inpainting"},
    Rename{"coordinates_bbox", "layout"},   Rename{"objects_bbox", "layout"},
    Rename{"segmentation", "segmentation"}, Rename{"nix", "retrieval"}};
constexpr std::array kDegradationKeys = {
    Rename{"degradation", "degradation"}, Rename{"downscale_f", "downscale_f"},
    Rename{"min_crop_f", "min_crop"}, Rename{"max_crop_f", "max_crop"}, Rename{"random_crop", "random_crop"}};

// data.task, from cond_stage_key and what the data set's class is told. Null for plain pictures.
Node read_task(const Node& config) {
  Node out;
  const auto* key = config.find_path("model.params.cond_stage_key");
  const bool hybrid = config.find_path("model.target")->text().ends_with("LatentInpaintDiffusion");
  const auto name = hybrid ? "masked_image" : key != nullptr ? key->text() : "";
  for (const auto& [from, to] : kTaskKeys) {
    if (from == name) out.set("kind", Node::string(std::string(to)));
  }
  const auto* pictures = config.find_path("data.params.train.params");
  if (name != "LR_image" || pictures == nullptr) return out;
  for (const auto& [from, to] : kDegradationKeys) {
    if (const auto* value = pictures->find(from); value != nullptr) out.set(to, *value);
  }
  return out;
}

void read_lightning(const Node& lightning, Node& train, Notes& notes) {
  if (const auto* trainer = lightning.find("trainer"); trainer != nullptr && trainer->is_map()) {
    for (const auto& [from, to] : kTrainerKeys) {
      if (const auto* value = trainer->find(from); value != nullptr && !value->is_null())
        train.set(to, *value);
    }
    note_rest(*trainer, "lightning.trainer", kTrainerKeys, "Lightning's own", notes);
  }
  if (const auto* every = lightning.find_path("callbacks.image_logger.params.batch_frequency")) {
    train.set("sample_every", *every);
  }
  if (const auto* every = lightning.find_path("modelcheckpoint.params.every_n_train_steps")) {
    train.set("checkpoint_every", *every);
  }
  constexpr std::array kUsed = {Rename{"trainer", ""}, Rename{"callbacks", ""},
                                Rename{"modelcheckpoint", ""}};
  note_rest(lightning, "lightning", kUsed, "logs and checkpoints are those of train.*", notes);
}

// The original counts batches where we count optimizer steps.
void batches_to_steps(Node& train) {
  int64_t accumulate = 1, every = 0;
  if (const auto* value = train.find("accumulate")) read_value(*value, "train.accumulate", accumulate);
  const auto* batches = train.find("sample_every");
  if (batches == nullptr || accumulate <= 1) return;
  read_value(*batches, "train.sample_every", every);
  train.set("sample_every", Node::integer(std::max<int64_t>(1, every / accumulate)));
}

Node default_train(const Node& model) {
  const auto target = parse_target(model.at("target").text(), "model.target");
  if (target == Target::kLatentDiffusion) return parse_yaml(kCommonTrain, "original");
  auto train = parse_yaml(kAutoencoderTrain, "original");
  bool average = false;
  if (const auto* use = model.find_path("params.use_ema")) read_value(*use, "model.params.use_ema", average);
  if (average) train.set("ema", parse_yaml(kAveragedTrain, "original"));
  return train;
}

}  // namespace

bool is_original_run(const Node& config) {
  const auto* target = config.find_path("model.target");
  return target != nullptr && target->text().find('.') != std::string::npos;
}

Node from_original_run(const Node& config, std::vector<std::string>& notes) {
  Node out = Node::map(), data = Node::map();
  auto model = config.at("model");
  auto train = default_train(model);
  data.set("captions", parse_yaml(kPlainCaptions, "original"));
  if (auto task = read_task(config); !task.is_null()) data.set("task", std::move(task));
  if (const auto* original = config.find("data"); original != nullptr) {
    read_data(*original, data, notes);
    auto ours = *original;  // What is left are keys of ours.
    ours.erase("target");
    ours.erase("params");
    set_deep(data, ours);
  }
  if (const auto* lightning = config.find("lightning"); lightning != nullptr) {
    read_lightning(*lightning, train, notes);
    batches_to_steps(train);
  }
  if (const auto* ours = config.find("train"); ours != nullptr) set_deep(train, *ours);
  auto* params = model.find("params");
  const bool vq = parse_target(model.at("target").text(), "model.target") == Target::kVqModel;
  if (vq && params != nullptr && params->find("codebook_restart") == nullptr)
    params->set("codebook_restart", Node::integer(0));
  for (const auto& [key, value] : config.entries()) {
    if (key != "data" && key != "lightning" && key != "train" && key != "model") out.set(key, value);
  }
  out.set("model", std::move(model));
  out.set("data", std::move(data));
  out.set("train", std::move(train));
  return out;
}

}  // namespace ldm
