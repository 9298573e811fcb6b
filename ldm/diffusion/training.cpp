#include "ldm/diffusion/training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

// sqrt(ac_t) and sqrt(1 - ac_t), the roots taken in float64.
struct Mix {
  torch::Tensor signal, noise;
};
Mix mix_at(const NoiseSchedule& schedule, const torch::Tensor& t, const torch::Tensor& like) {
  const auto ac = at::tensor(schedule.alphas_cumprod, at::kDouble).to(t.device()).index_select(0, t);
  return {per_sample(ac.sqrt(), like), per_sample((1 - ac).sqrt(), like)};
}

}  // namespace

torch::Tensor table_at(const std::vector<double>& table, const torch::Tensor& t, const torch::Tensor& like) {
  const auto values = at::tensor(table, at::kDouble).to(t.device());
  return per_sample(values.index_select(0, t), like);
}

torch::Tensor q_sample(const NoiseSchedule& schedule, const torch::Tensor& x0, const torch::Tensor& t,
                       const torch::Tensor& noise) {
  const auto mix = mix_at(schedule, t, x0);
  return mix.signal * x0 + mix.noise * noise;
}

torch::Tensor offset_noise(const torch::Tensor& noise, const torch::Tensor& offset, double strength) {
  return noise + strength * offset;
}

torch::Tensor training_target(const NoiseSchedule& schedule, Prediction prediction, const torch::Tensor& x0,
                              const torch::Tensor& t, const torch::Tensor& noise) {
  if (prediction == Prediction::kEps) return noise;
  if (prediction == Prediction::kX0) return x0;
  const auto mix = mix_at(schedule, t, x0);
  return mix.signal * noise - mix.noise * x0;
}

torch::Tensor flow_sample(const torch::Tensor& x0, const torch::Tensor& s, const torch::Tensor& noise) {
  const auto at = per_sample(s, x0);
  return (1 - at) * x0 + at * noise;
}

torch::Tensor flow_target(const torch::Tensor& x0, const torch::Tensor& noise) { return noise - x0; }

int64_t stratified_timestep(int64_t index, int64_t batch, double uniform, int64_t timesteps) {
  check(index >= 0 && index < batch, "stratified_timestep: expected an index in 0..", batch - 1, ", got ",
        index);
  check(uniform >= 0 && uniform < 1, "stratified_timestep: expected a number in [0, 1), got ", uniform);
  const double at = (static_cast<double>(index) + uniform) / static_cast<double>(batch);
  return std::min(static_cast<int64_t>(at * static_cast<double>(timesteps)), timesteps - 1);
}

LossType parse_loss_type(std::string_view name) {
  static const std::vector<std::string> kNames = {"l1", "l2", "huber"};
  if (name == "l1") return LossType::kL1;
  if (name == "l2") return LossType::kL2;
  if (name == "huber") return LossType::kHuber;
  fail(ErrorKind::kUsage, "loss_type: expected l1, l2 or huber, got '", name, "'",
       nearest_hint(name, kNames));
}

torch::Tensor per_sample_loss(LossType type, const torch::Tensor& prediction, const torch::Tensor& target,
                              double huber_c) {
  const auto d = prediction - target;
  switch (type) {
    case LossType::kL1:
      return d.abs().flatten(1).mean(1);
    case LossType::kL2:
      return d.square().flatten(1).mean(1);
    case LossType::kHuber:
      return ((d.square() + huber_c * huber_c).sqrt() - huber_c).flatten(1).mean(1);
  }
  fail(ErrorKind::kInternal, "per_sample_loss: unknown type");
}

torch::Tensor original_loss(const torch::Tensor& losses, const torch::Tensor& logvar,
                            const torch::Tensor& lvlb, double l_simple_weight, double original_elbo_weight) {
  const auto simple = logvar.defined() ? losses / logvar.exp() + logvar : losses;
  auto loss = l_simple_weight * simple.mean();
  if (original_elbo_weight != 0) loss = loss + original_elbo_weight * (lvlb * losses).mean();
  return loss;
}

}  // namespace ldm
