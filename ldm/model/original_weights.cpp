#include "ldm/model/original_weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr std::string_view kModelPrefix = "model.", kAveragePrefix = "model_ema.";
constexpr std::string_view kFirstStagePrefix = "first_stage_model.", kCondStagePrefix = "cond_stage_model.";

bool has_prefix(const StateDict& tensors, std::string_view prefix) {
  const auto at = tensors.lower_bound(std::string(prefix));
  return at != tensors.end() && at->first.starts_with(prefix);
}

// The entries whose names begin with `from`, with `to` in its place, taken out of `tensors`.
StateDict take_prefix(StateDict& tensors, std::string_view from, std::string_view to) {
  StateDict out;
  for (auto it = tensors.lower_bound(std::string(from));
       it != tensors.end() && it->first.starts_with(from);) {
    const auto next = std::next(it);
    auto entry = tensors.extract(it);
    entry.key() = std::string(to) + entry.key().substr(from.size());
    out.insert(std::move(entry));
    it = next;
  }
  return out;
}

// Tables of the noise schedule and the like, which the configuration gives more exactly.
bool is_buffer(std::string_view name) {
  static const std::set<std::string_view> kBuffers{"betas",
                                                   "alphas_cumprod",
                                                   "alphas_cumprod_prev",
                                                   "sqrt_alphas_cumprod",
                                                   "sqrt_one_minus_alphas_cumprod",
                                                   "log_one_minus_alphas_cumprod",
                                                   "sqrt_recip_alphas_cumprod",
                                                   "sqrt_recipm1_alphas_cumprod",
                                                   "posterior_variance",
                                                   "posterior_log_variance_clipped",
                                                   "posterior_mean_coef1",
                                                   "posterior_mean_coef2",
                                                   "lvlb_weights",
                                                   "logvar",
                                                   "scale_factor",
                                                   "denoiser.sigmas",
                                                   "cond_ids",
                                                   "v_pred",
                                                   "ztsnr"};
  return kBuffers.contains(name);
}

bool is_unused(std::string_view name) {
  return is_buffer(name) || name.starts_with("first_stage_model.loss.") || name.ends_with(".position_ids") ||
         name.starts_with("first_stage_model.model_ema.") || name.ends_with(".attn_mask") ||
         name.ends_with(".num_batches_tracked");
}

// A first stage is stored a second time when it is the encoder of the condition.
bool is_first_stage_copy(const StateDict& tensors, const std::string& name) {
  if (!name.starts_with(kCondStagePrefix)) return false;
  const auto twin = tensors.find(std::string(kFirstStagePrefix) + name.substr(kCondStagePrefix.size()));
  return twin != tensors.end() && (name.find(".encoder.") != name.npos ||
                                   name.find(".decoder.") != name.npos || name.find("quant") != name.npos);
}

// Otherwise they are a first stage's.
bool is_of_diffusion_model(const StateDict& averages) {
  return has_prefix(averages, std::string(kAveragePrefix).append("diffusion_model"));
}

// What the names of a module's parameters begin with; averages have no such beginning.
std::string_view owner_of(std::string_view name) {
  return name.starts_with(kFirstStagePrefix) ? kFirstStagePrefix : kModelPrefix;
}

const char* average_hint(bool unconfigured, bool trained) {
  if (!unconfigured) return trained ? "; hint: --no-ema takes the trained weights" : "";
  return trained ? "; hint: --config names the model's YAML, --no-ema takes the trained weights"
                 : "; hint: --config names the model's YAML";
}

// Puts averages where the trained weights are; those without a partner under the names that are known. A
// model averages its network (model.*), a first stage alone all that is trained: itself and its loss.
void apply_averages(StateDict& tensors, StateDict averages, const std::vector<std::string>& names) {
  const bool diffusion = is_of_diffusion_model(averages);
  const auto owner = diffusion ? kModelPrefix : kFirstStagePrefix;
  std::vector<std::string> places = names;
  for (const auto& [name, tensor] : tensors) places.push_back(name);
  for (const auto& name : places) {
    if (!name.starts_with(owner)) continue;
    auto found = averages.extract(average_name(name));
    if (!found.empty()) tensors.insert_or_assign(name, std::move(found.mapped()));
  }
  averages.erase(std::string(kAveragePrefix).append("decay"));
  averages.erase(std::string(kAveragePrefix).append("num_updates"));
  if (!diffusion) take_prefix(averages, std::string(kAveragePrefix).append("loss"), "");
  check(averages.empty(), ErrorKind::kFormat, "averaged weights such as '",
        averages.empty() ? std::string() : averages.begin()->first, "' belong to no parameter",
        names.empty() ? "" : " of the configuration", average_hint(names.empty(), !tensors.empty()));
}

StateDict take_model(StateDict tensors, OriginalWeights& out) {
  out.has_optimizer = has_prefix(tensors, "optimizer_states.");
  if (has_prefix(tensors, "state_dict.")) tensors = take_prefix(tensors, "state_dict.", "");
  if (has_prefix(tensors, "conditioner."))
    tensors.merge(take_prefix(tensors, "conditioner.", kCondStagePrefix));
  return tensors;
}

// A first stage alone has its parts at the top.
bool is_bare_first_stage(const StateDict& tensors) {
  return has_prefix(tensors, "encoder.") && has_prefix(tensors, "decoder.");
}

}  // namespace

std::string average_name(const std::string& name) {
  std::string out = name.substr(owner_of(name).size());
  std::erase(out, '.');
  return std::string(kAveragePrefix) + out;
}

OriginalWeights original_weights(WeightFile file, bool ema, const std::vector<std::string>& names) {
  OriginalWeights out;
  auto tensors = take_model(std::move(file.tensors), out);
  if (const auto found = tensors.find("scale_factor"); found != tensors.end() && found->second.numel() == 1)
    out.scale_factor = found->second.item<double>();
  auto averages = take_prefix(tensors, kAveragePrefix, kAveragePrefix);
  out.bare_first_stage = is_bare_first_stage(tensors);
  if (out.bare_first_stage) tensors = take_prefix(tensors, "", kFirstStagePrefix);
  out.has_average = !averages.empty();
  const auto averaged_part = is_of_diffusion_model(averages) ? "model.diffusion_model." : kFirstStagePrefix;
  out.averaged = out.has_average && (ema || !has_prefix(tensors, averaged_part));
  if (out.averaged) apply_averages(tensors, std::move(averages), names);
  for (auto it = tensors.begin(); it != tensors.end();) {
    const bool drop = is_unused(it->first) || is_first_stage_copy(tensors, it->first);
    it = drop ? tensors.erase(it) : std::next(it);
  }
  check(has_prefix(tensors, "model.diffusion_model.") || has_prefix(tensors, kFirstStagePrefix),
        ErrorKind::kFormat,
        "expected the weights of a diffusion model or a first stage; none of the names begins with "
        "model.diffusion_model., first_stage_model. or encoder.",
        has_prefix(tensors, "module.")
            ? "; hint: they begin with module., as DataParallel saves them; save model.module.state_dict()"
            : "");
  out.tensors = std::move(tensors);
  return out;
}

}  // namespace ldm
