#include "ldm/train/condition_check.h"

#include <ATen/ATen.h>

#include <span>

#include "ldm/config/option_values.h"
#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr char kEncoder[] = "model.params.cond_stage_config";
constexpr char kVocabularySize[] = "model.params.cond_stage_config.params.vocab_size";

void check_vocabulary(const LatentDiffusion& model, const torch::Tensor& tokens) {
  const auto* node = model.options().cond_stage_config.find_path("params.vocab_size");
  if (!tokens.defined() || node == nullptr) return;
  const auto known = read_integer(*node, kVocabularySize, 1, INT64_MAX);
  const auto largest = tokens.max().item<int64_t>();
  check(largest < known, kVocabularySize, ": the data's tokens go up to ", largest, ", so expected at least ",
        largest + 1, ", got ", known, "; hint: data.task.no_tokens");
}

Conditioning encode_one(const LatentDiffusion& model, const Condition& condition,
                        const std::string& task_kind) {
  try {
    return model.encode(std::span(&condition, 1));
  } catch (const Error& error) {
    fail(ErrorKind::kUsage, kEncoder, ": does not fit data.task.kind ", task_kind, ": ", error.what());
  }
}

void check_map(const LatentDiffusion& model, const torch::Tensor& map) {
  const auto latents = model.options().channels, side = model.options().image_size;
  const auto in_channels = model.unet().options().in_channels;
  check(map.size(2) == side && map.size(3) == side, kEncoder, ": the condition is a map of ", map.size(3),
        "x", map.size(2), ", the latents are ", side, "x", side);
  check(in_channels == latents + map.size(1), "model.params.unet_config.params.in_channels: expected ",
        latents + map.size(1), ", ", latents, " of the latents and ", map.size(1), " of the condition, got ",
        in_channels);
}

}  // namespace

void check_condition_fits(const LatentDiffusion& model, const Condition& condition,
                          const std::string& task_kind) {
  check(model.conditioner() != nullptr || task_kind == "pictures",
        "data.task.kind: a model without a condition takes plain pictures, got ", task_kind,
        "; hint: ", kEncoder);
  const torch::NoGradGuard no_grad;
  check_vocabulary(model, condition.tokens);
  const auto encoded = encode_one(model, condition, task_kind);
  if (encoded.concat.defined()) check_map(model, encoded.concat);
  const auto& o = model.options();
  const auto x = at::zeros({1, o.channels, o.image_size, o.image_size}, at::device(model.device()));
  model.predict(x, at::zeros({1}, at::device(model.device()).dtype(at::kLong)), encoded);
}

}  // namespace ldm
