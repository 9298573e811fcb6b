#include "ldm/train/adamw.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <map>
#include <set>

#include "ldm/core/error.h"

namespace ldm {
namespace {

void check_options(const AdamWOptions& o) {
  check(o.beta1 >= 0 && o.beta1 < 1, "AdamW: expected beta1 in [0, 1), got ", o.beta1);
  check(o.beta2 >= 0 && o.beta2 < 1, "AdamW: expected beta2 in [0, 1), got ", o.beta2);
  check(o.eps >= 0, "AdamW: expected eps >= 0, got ", o.eps);
  check(o.weight_decay >= 0, "AdamW: expected weight_decay >= 0, got ", o.weight_decay);
}

// The fused kernels walk raw memory: gradient and state must lie as the parameter does.
torch::Tensor laid_out_as(const torch::Tensor& grad, const torch::Tensor& parameter) {
  if (grad.strides() == parameter.strides() && grad.scalar_type() == parameter.scalar_type()) return grad;
  return at::empty_like(parameter).copy_(grad);
}

void copy_state(const StateDict& state, const std::string& name, torch::Tensor target) {
  const auto found = state.find(name);
  check(found != state.end(), ErrorKind::kFormat, "AdamW: expected '", name,
        "' in the optimizer state, found none");
  check(found->second.sizes() == target.sizes(), ErrorKind::kFormat, "AdamW: expected shape ", target.sizes(),
        " for '", name, "', got ", found->second.sizes());
  target.copy_(found->second);
}

}  // namespace

NamedParameters named_parameters(const torch::nn::Module& module, const std::string& prefix) {
  NamedParameters out;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) out.emplace_back(prefix + item.key(), item.value());
  }
  return out;
}

AdamW::AdamW(NamedParameters parameters, const AdamWOptions& options)
    : AdamW(std::vector<ParameterGroup>{{std::move(parameters), 1.0}}, options) {}

AdamW::AdamW(std::vector<ParameterGroup> groups, const AdamWOptions& options) : options_(options) {
  check_options(options);
  for (const auto& group : groups) add_group(group);
  check(!slots_.empty(), "AdamW: expected at least one parameter, got none");
  std::set<std::string> names;
  const auto& first = slots_.front().parameter;
  for (const auto& slot : slots_) {
    check(names.insert(slot.name).second, "AdamW: parameter '", slot.name, "' was given twice");
    check(slot.parameter.device() == first.device() && slot.parameter.scalar_type() == first.scalar_type(),
          "AdamW: expected all parameters on ", first.device(), " as ", first.scalar_type(), ", but '",
          slot.name, "' is on ", slot.parameter.device(), " as ", slot.parameter.scalar_type());
  }
}

void AdamW::add_group(const ParameterGroup& group) {
  torch::NoGradGuard no_grad;
  for (const auto& [name, parameter] : group.parameters) {
    check(parameter.defined() && parameter.is_floating_point() && parameter.is_non_overlapping_and_dense(),
          "AdamW: expected '", name, "' to be a dense tensor of floating point numbers");
    Slot slot{.name = name, .parameter = parameter, .lr_factor = group.lr_factor};
    slot.weight_decay = options_.decay_1d || parameter.dim() >= 2 ? options_.weight_decay : 0.0;
    slot.exp_avg = at::zeros_like(parameter);
    slot.exp_avg_sq = at::zeros_like(parameter);
    slot.step = at::zeros({}, parameter.options().dtype(torch::kFloat));
    slots_.push_back(std::move(slot));
  }
}

void AdamW::step(double lr) {
  check(std::isfinite(lr) && lr >= 0, "AdamW: expected a finite learning rate >= 0, got ", lr);
  torch::NoGradGuard no_grad;
  // One kernel call for each pair of learning rate and decay: one or two as a rule.
  std::map<std::pair<double, double>, std::vector<Slot*>> calls;
  for (auto& slot : slots_) {
    if (slot.parameter.grad().defined()) calls[{slot.lr_factor, slot.weight_decay}].push_back(&slot);
  }
  for (const auto& [key, slots] : calls) update(slots, lr * key.first);
}

void AdamW::update(const std::vector<Slot*>& slots, double lr) {
  std::vector<torch::Tensor> parameters, grads, exp_avgs, exp_avg_sqs, steps;
  for (auto* slot : slots) {
    parameters.push_back(slot->parameter);
    grads.push_back(laid_out_as(slot->parameter.grad(), slot->parameter));
    exp_avgs.push_back(slot->exp_avg);
    exp_avg_sqs.push_back(slot->exp_avg_sq);
    steps.push_back(slot->step);
  }
  at::_foreach_add_(steps, 1);
  const auto kernel = [&](auto fused) {
    fused(parameters, grads, exp_avgs, exp_avg_sqs, at::TensorList{}, steps, lr, options_.beta1,
          options_.beta2, slots.front()->weight_decay, options_.eps);
  };
  const auto adamw = [](auto&&... a) { at::_fused_adamw_(a..., /*amsgrad=*/false, /*maximize=*/false); };
  const auto adam = [](auto&&... a) { at::_fused_adam_(a..., /*amsgrad=*/false, /*maximize=*/false); };
  options_.decoupled ? kernel(adamw) : kernel(adam);
}

void AdamW::zero_grad() {
  for (auto& slot : slots_) slot.parameter.mutable_grad().reset();
}

StateDict AdamW::state() const {
  StateDict out;
  for (const auto& slot : slots_) {
    out[slot.name + ".exp_avg"] = slot.exp_avg;
    out[slot.name + ".exp_avg_sq"] = slot.exp_avg_sq;
    out[slot.name + ".step"] = slot.step.cpu();
  }
  return out;
}

void AdamW::load_state(const StateDict& state) {
  torch::NoGradGuard no_grad;
  for (auto& slot : slots_) {
    copy_state(state, slot.name + ".exp_avg", slot.exp_avg);
    copy_state(state, slot.name + ".exp_avg_sq", slot.exp_avg_sq);
    copy_state(state, slot.name + ".step", slot.step);
  }
  const auto known = this->state();
  for (const auto& [name, value] : state) {
    check(known.contains(name), ErrorKind::kFormat, "AdamW: unexpected '", name, "' in the optimizer state");
  }
}

std::vector<torch::Tensor> AdamW::parameters() const {
  std::vector<torch::Tensor> out;
  for (const auto& slot : slots_) out.push_back(slot.parameter);
  return out;
}

double clip_grad_norm(const std::vector<torch::Tensor>& parameters, double max_norm) {
  check(max_norm > 0, "clip_grad_norm: expected max_norm > 0, got ", max_norm);
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> grads;
  for (const auto& parameter : parameters) {
    if (parameter.grad().defined()) grads.push_back(parameter.grad());
  }
  if (grads.empty()) return 0.0;
  const auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(grads, 2)), 2).item<double>();
  const double factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) at::_foreach_mul_(grads, factor);
  return norm;
}

}  // namespace ldm
