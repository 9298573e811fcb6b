#include "tests/golden/analytic.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "ldm/diffusion/guidance.h"

namespace ldm::golden {

torch::Tensor vector_f64(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }
torch::Tensor vector_i64(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }

std::vector<double> host_f64(const torch::Tensor& values) {
  const auto v = values.to(at::kCPU, at::kDouble).contiguous();
  return {v.data_ptr<double>(), v.data_ptr<double>() + v.numel()};
}

Denoiser analytic_denoiser(Case& c, const std::string& prefix) {
  const auto w = c.input(prefix + ".w"), m = c.input(prefix + ".m"), s = c.input(prefix + ".s");
  return [w, m, s](const torch::Tensor& x, const torch::Tensor& sigma) {
    const auto prior = (w.unsqueeze(1) * m).sum(0);  // What is left where x is pure noise.
    if (std::isinf(sigma[0].item<double>()))
      return prior.expand({x.size(0), -1}).reshape(x.sizes()).to(x.scalar_type());
    const auto flat = x.to(at::kDouble).flatten(1);                              // [N, d]
    const auto level = sigma.to(x.device(), at::kDouble).square().unsqueeze(1);  // [N, 1]
    const auto v = s.square().unsqueeze(0) + level;                              // [N, K]
    const auto distance = (flat.unsqueeze(1) - m).square().sum(-1);              // [N, K]
    const auto d = static_cast<double>(flat.size(1));
    const auto r = (w.log() - d / 2 * v.log() - distance / (2 * v)).softmax(-1);
    const auto mean =
        (s.square() / v).unsqueeze(-1) * flat.unsqueeze(1) + (level / v).unsqueeze(-1) * m;  // [N, K, d]
    return (r.unsqueeze(-1) * mean).sum(1).view(x.sizes()).to(x.scalar_type());
  };
}

namespace {

// Infinite where the schedule has no signal left.
double level_of_timestep(const NoiseSchedule& schedule, double t) {
  const bool pure = schedule.alphas_cumprod.back() == 0 && t == static_cast<double>(schedule.timesteps() - 1);
  return pure ? std::numeric_limits<double>::infinity() : schedule.t_to_sigma(t);
}

}  // namespace

Network analytic_network(Denoiser denoise, const NoiseSchedule& schedule, Prediction prediction) {
  return
      [denoise = std::move(denoise), schedule, prediction](const torch::Tensor& x, const torch::Tensor& t) {
        auto levels = host_f64(t);
        for (auto& level : levels) level = level_of_timestep(schedule, level);
        const auto sigma = vector_f64(levels);
        if (std::isinf(levels[0])) {  // x is noise, which says nothing of the data.
          const auto x0 = denoise(x, sigma);
          return prediction == Prediction::kX0 ? x0 : prediction == Prediction::kEps ? x : -x0;
        }
        const auto s = per_sample(sigma, x);
        const auto a = 1 / (1 + s * s);
        const auto scaled = x / a.sqrt();
        const auto x0 = denoise(scaled, sigma);
        if (prediction == Prediction::kX0) return x0;
        const auto eps = (scaled - x0) / s;
        return prediction == Prediction::kEps ? eps : a.sqrt() * eps - (1 - a).sqrt() * x0;
      };
}

Denoiser case_denoiser(Case& c, const NoiseSchedule& schedule, Prediction prediction,
                       std::vector<double>* calls) {
  auto cond = analytic_network(analytic_denoiser(c), schedule, prediction);
  auto network = cond;
  if (c.config().contains("scale") && c.config()["scale"].is_number()) {
    auto uncond = analytic_network(analytic_denoiser(c, "gmm_uncond"), schedule, prediction);
    const Network both = [uncond, cond](const torch::Tensor& x, const torch::Tensor& t) {
      const auto xs = x.chunk(2), ts = t.chunk(2);
      return at::cat({uncond(xs[0], ts[0]), cond(xs[1], ts[1])});
    };
    network = guided_network(both, cond, c.config()["scale"]);
  }
  const Network counted = [network, calls](const torch::Tensor& x, const torch::Tensor& t) {
    if (calls != nullptr) calls->push_back(t[0].item<double>());
    return network(x, t);
  };
  return discrete_denoiser(counted, schedule, prediction);
}

NoiseSchedule case_schedule(Case& c, double v_posterior) {
  auto betas = host_f64(c.input("alphas_cumprod"));
  for (size_t t = betas.size() - 1; t > 0; --t) betas[t] = 1 - betas[t] / betas[t - 1];
  betas[0] = 1 - betas[0];
  return NoiseSchedule::from_betas(std::move(betas), v_posterior);
}

NoiseFn case_noise(Case& c, int64_t first, int64_t step) {
  return [&c, next = std::make_shared<int64_t>(first), step](const torch::Tensor& like) {
    const auto name = "noise." + std::to_string(*next);
    *next += step;
    return c.has(name) ? c.input(name)
                       : at::zeros_like(like);  // Drawn by us, not by the original: it is unused.
  };
}

}  // namespace ldm::golden
