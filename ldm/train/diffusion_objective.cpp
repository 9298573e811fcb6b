#include "ldm/train/diffusion_objective.h"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

torch::Tensor timestep_table(const std::vector<double>& values, at::Device device) {
  return at::tensor(values, at::kFloat).to(device);
}

}  // namespace

DiffusionObjective::DiffusionObjective(std::shared_ptr<const LatentDiffusion> model,
                                       const LossWeightOptions& weight, at::Device device)
    : model_(std::move(model)), loss_type_(parse_loss_type(model_->options().loss_type)) {
  const auto& o = model_->options();
  check(weight.kind == "simple" || (o.original_elbo_weight == 0 && !o.learn_logvar),
        "train.loss_weight.kind: original_elbo_weight and learn_logvar go with simple alone, got '",
        weight.kind, "'");
  const auto& schedule = model_->schedule();
  weights_ = timestep_table(loss_weights(schedule, model_->prediction(), weight), device);
  lvlb_weights_ =
      timestep_table(loss_weights(schedule, model_->prediction(), LossWeightOptions{.kind = "lvlb"}), device);
  logvar_ = at::full({schedule.timesteps()}, o.logvar_init, at::device(device).dtype(at::kFloat));
  logvar_.set_requires_grad(o.learn_logvar);
}

torch::Tensor DiffusionObjective::sample_losses(const torch::Tensor& clean, const torch::Tensor& noise,
                                                const torch::Tensor& t, const Conditioning& condition) const {
  const auto& schedule = model_->schedule();
  const auto noisy = q_sample(schedule, clean, t, noise);
  const auto target = training_target(schedule, model_->prediction(), clean, t, noise);
  const auto out = model_->predict(noisy, t, condition).to(at::kFloat);
  return per_sample_loss(loss_type_, out, target);
}

LossTerms DiffusionObjective::loss(const torch::Tensor& clean, const torch::Tensor& noise,
                                   const torch::Tensor& t, const Conditioning& condition) const {
  const auto& o = model_->options();
  const auto losses = sample_losses(clean, noise, t, condition);
  const bool uncertain = o.learn_logvar || o.logvar_init != 0;
  const auto logvar = uncertain ? logvar_.index_select(0, t) : torch::Tensor();
  const auto lvlb = lvlb_weights_.index_select(0, t);
  LossTerms terms;
  terms.loss = original_loss(losses * weights_.index_select(0, t), logvar, lvlb, o.l_simple_weight,
                             o.original_elbo_weight);
  terms.log["loss_simple"] = losses.detach().mean();
  terms.log["loss_vlb"] = (lvlb * losses.detach()).mean();
  if (o.learn_logvar) {
    terms.log["loss_gamma"] = original_loss(losses, logvar, lvlb).detach();
    terms.log["logvar"] = logvar_.detach().mean();
  }
  return terms;
}

}  // namespace ldm
