#include "ldm/train/first_stage_weights.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ldm/core/error.h"
#include "ldm/model/weight_file.h"

namespace ldm {
namespace {

constexpr std::string_view kStagePrefix = "first_stage_model.";
constexpr std::array<std::string_view, 3> kTrainingOnly = {"loss.", "model_ema.", "quantize.used"};

bool is_training_only(std::string_view name) {
  return std::any_of(kTrainingOnly.begin(), kTrainingOnly.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

StateDict first_stage_weights(const std::string& path) {
  const auto file = read_weight_file(path);
  const bool whole = std::any_of(file.tensors.begin(), file.tensors.end(),
                                 [](const auto& entry) { return entry.first.starts_with(kStagePrefix); });
  StateDict out;
  bool decodes = false;
  for (const auto& [name, tensor] : file.tensors) {
    if (whole && !name.starts_with(kStagePrefix)) continue;
    const auto own = whole ? name.substr(kStagePrefix.size()) : name;
    decodes = decodes || own == "decoder.conv_in.weight";
    if (!is_training_only(own)) out[std::string(kStagePrefix).append(own)] = tensor;
  }
  check(decodes, ErrorKind::kFormat, path, ": holds no first stage (no decoder.conv_in.weight)");
  return out;
}

}  // namespace ldm
