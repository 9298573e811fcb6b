#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/config/node.h"
#include "ldm/data/dataset.h"
#include "ldm/train/run_config.h"

namespace ldm {

// The device that train.device names; auto is the GPU where there is one. Throws kUsage for cuda without one.
at::Device pick_training_device(const std::string& name);

// Unit noise [indices, shape...] for samples of one step: sample k's noise depends on (seed, purpose, step,
// k) alone.
torch::Tensor sample_noise(uint64_t seed, std::string_view purpose, int64_t step, int64_t first_sample,
                           int64_t count, at::IntArrayRef shape);

// Seeds LibTorch's own stream, from which dropout draws, for one step.
void seed_dropout(uint64_t seed, int64_t step);

// Modules are in evaluation mode (no dropout) while it lives; the ones that were training then train again.
class EvaluationScope {
 public:
  explicit EvaluationScope(const std::vector<torch::nn::Module*>& modules);
  ~EvaluationScope();
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  std::vector<torch::nn::Module*> training_;
};

// uint8 [N, 3, H, W] or [3, H, W] to float in [-1, 1].
torch::Tensor to_unit_range(const torch::Tensor& pixels);

// The pictures of these indices, float [N, 3, H, W] in [-1, 1].
torch::Tensor load_pictures(const Dataset& data, const std::vector<int64_t>& indices);

// Held-out examples for measuring: those of the largest weight (variants weigh less), at most `most`, evenly
// taken.
std::vector<int64_t> measuring_examples(const Dataset& held_out, int64_t most);

// Throws kData, with the setting's name, unless a file (or a folder, or "ENCODER,DECODER") is at `path`.
void check_named_file(const std::string& path, const char* key);

// The configuration as a model file carries it: without the paths of the machine that trained it.
Node config_for_model_file(const RunConfig& config);

}  // namespace ldm
