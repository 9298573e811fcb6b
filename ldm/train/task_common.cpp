#include "ldm/train/task_common.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <algorithm>
#include <filesystem>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/core/noise.h"
#include "ldm/core/random.h"

namespace ldm {

at::Device pick_training_device(const std::string& name) {
  check(name == "auto" || name == "cpu" || name == "cuda", "train.device: expected auto, cpu or cuda, got '",
        name, "'");
  const bool gpu = at::globalContext().hasCUDA();
  check(name != "cuda" || gpu, "train.device: no CUDA device was found; hint: ldm doctor says why");
  return name != "cpu" && gpu ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
}

torch::Tensor sample_noise(uint64_t seed, std::string_view purpose, int64_t step, int64_t first_sample,
                           int64_t count, at::IntArrayRef shape) {
  std::vector<torch::Tensor> rows;
  for (int64_t k = 0; k < count; ++k) {
    Random stream(seed, purpose, static_cast<uint64_t>(step), static_cast<uint64_t>(first_sample + k));
    rows.push_back(NoiseStream(NoiseKind::kPhilox, stream.next()).randn(shape));
  }
  return at::stack(rows);
}

void seed_dropout(uint64_t seed, int64_t step) {
  at::manual_seed(Random(seed, "dropout", static_cast<uint64_t>(step)).next());
}

EvaluationScope::EvaluationScope(const std::vector<torch::nn::Module*>& modules) {
  for (auto* module : modules) {
    if (module == nullptr || !module->is_training()) continue;
    module->eval();
    training_.push_back(module);
  }
}

EvaluationScope::~EvaluationScope() {
  for (auto* module : training_) module->train();
}

torch::Tensor to_unit_range(const torch::Tensor& pixels) {
  return pixels.to(at::kFloat).mul_(2.0 / 255.0).sub_(1.0);
}

torch::Tensor load_pictures(const Dataset& data, const std::vector<int64_t>& indices) {
  std::vector<torch::Tensor> rows;
  for (const auto index : indices) rows.push_back(data.get(index).image);
  return to_unit_range(at::stack(rows));
}

std::vector<int64_t> measuring_examples(const Dataset& held_out, int64_t most) {
  double largest = 0;
  for (int64_t i = 0; i < held_out.size(); ++i) largest = std::max(largest, held_out.info(i).weight);
  std::vector<int64_t> plain;
  for (int64_t i = 0; i < held_out.size(); ++i) {
    if (held_out.info(i).weight == largest) plain.push_back(i);
  }
  const auto count = static_cast<int64_t>(plain.size());
  if (count <= most) return plain;
  std::vector<int64_t> chosen;
  for (int64_t k = 0; k < most; ++k) chosen.push_back(plain[static_cast<size_t>(k * count / most)]);
  return chosen;
}

void check_named_file(const std::string& path, const char* key) {
  std::error_code error;
  const bool there = path.find(',') != std::string::npos || std::filesystem::exists(path, error);
  check(there, ErrorKind::kData, key, ": nothing is at ", path,
        "; hint: such paths begin where ldm was started");
}

Node config_for_model_file(const RunConfig& config) {
  auto node = write_options(config);
  auto* data = node.find("data");
  data->erase("path");
  for (const auto* key : {"pictures", "held_out_pictures", "annotations", "held_out_annotations", "labels",
                          "label_table", "embeddings"}) {
    data->find("task")->erase(key);
  }
  auto* params = node.find("model")->find("params");
  for (const auto* key : {"ckpt_path", "perceptual", "remap"}) params->erase(key);
  auto* stage = params->find("first_stage_config");
  if (stage != nullptr && stage->find("params") != nullptr) {
    for (const auto* key : {"path", "ckpt_path", "remap"}) stage->find("params")->erase(key);
  }
  return node;
}

}  // namespace ldm
