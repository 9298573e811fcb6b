#include "ldm/train/ema.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>

#include "ldm/core/error.h"
#include "ldm/train/ema_profile.h"

namespace ldm {
namespace {

torch::Tensor wide(const torch::Tensor& value) {
  return value.scalar_type() == torch::kDouble ? value : value.to(torch::kFloat);
}

const torch::Tensor& find_ema(const StateDict& state, const std::string& name, at::IntArrayRef shape) {
  const auto found = state.find(name);
  check(found != state.end(), ErrorKind::kFormat, "LitEma: expected '", name,
        "' in the EMA state, found none");
  check(found->second.sizes() == shape, ErrorKind::kFormat, "LitEma: expected shape ", shape, " for '", name,
        "', got ", found->second.sizes());
  return found->second;
}

}  // namespace

LitEma::LitEma(NamedParameters parameters, const EmaOptions& options, int64_t images_per_update)
    : parameters_(std::move(parameters)),
      options_(options),
      images_per_update_(static_cast<double>(images_per_update)),
      decay_(static_cast<float>(options.decay)) {
  check(options.kind == "litema" || options.kind == "half_life" || options.kind == "power",
        "train.ema.kind: expected litema, half_life or power, got '", options.kind, "'");
  check(options.decay >= 0 && options.decay <= 1, "LitEma: expected a decay in [0, 1], got ", options.decay);
  if (options.kind == "half_life") half_life_decay(1, 1, options.half_life, options.ramp_up);
  if (options.kind == "power") gamma_ = power_exponent(options.sigma_rel);
  torch::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters_) shadow_.push_back(wide(parameter).detach().clone());
}

// d of update number num_updates_.
float LitEma::next_decay() const {
  const auto updates = static_cast<double>(num_updates_);
  if (options_.kind == "power") return static_cast<float>(power_decay(updates, 1, gamma_));
  if (options_.kind == "half_life") {
    return static_cast<float>(half_life_decay(updates * images_per_update_, images_per_update_,
                                              options_.half_life, options_.ramp_up)
                                  .beta);
  }
  // In float32, as the original computes it.
  const auto n = static_cast<float>(num_updates_);
  return options_.use_num_updates ? std::min(decay_, (1.0F + n) / (10.0F + n)) : decay_;
}

void LitEma::update() {
  check(!swapped_, "LitEma: update() while the parameters hold the averages");
  if (parameters_.empty()) return;
  torch::NoGradGuard no_grad;
  ++num_updates_;
  const float d = next_decay();
  std::vector<torch::Tensor> now;
  for (const auto& [name, parameter] : parameters_) now.push_back(wide(parameter.detach()));
  at::_foreach_lerp_(shadow_, now, 1.0F - d);
  last_decay_ = d;
}

StateDict LitEma::shadow() const {
  StateDict out;
  for (size_t i = 0; i < shadow_.size(); ++i) out[parameters_[i].first] = shadow_[i];
  return out;
}

StateDict LitEma::state() const {
  auto out = shadow();
  out["decay"] = at::scalar_tensor(decay_, torch::kFloat);
  out["num_updates"] = at::scalar_tensor(num_updates_, torch::kLong);
  return out;
}

void LitEma::load_state(const StateDict& state) {
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < shadow_.size(); ++i) {
    shadow_[i].copy_(find_ema(state, parameters_[i].first, shadow_[i].sizes()));
  }
  decay_ = find_ema(state, "decay", {}).item<float>();
  num_updates_ = find_ema(state, "num_updates", {}).item<int64_t>();
  const auto known = this->state();
  for (const auto& [name, value] : state) {
    check(known.contains(name), ErrorKind::kFormat, "LitEma: unexpected '", name, "' in the EMA state");
  }
}

LitEma::Swap::Swap(LitEma& ema) : ema_(ema) {
  check(!ema.swapped_, "LitEma: swap() while the parameters hold the averages already");
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < ema.shadow_.size(); ++i) {
    auto& parameter = ema.parameters_[i].second;
    kept_.push_back(parameter.detach().clone());
    parameter.copy_(ema.shadow_[i]);
  }
  ema.swapped_ = true;
}

LitEma::Swap::~Swap() {
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < kept_.size(); ++i) ema_.parameters_[i].second.copy_(kept_[i]);
  ema_.swapped_ = false;
}

}  // namespace ldm
