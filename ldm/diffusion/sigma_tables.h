#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ldm {

// Noise levels by formula, between a lowest and a highest sigma. All descend. n counts levels above 0; a
// final 0 is appended where nothing else is said. All throw kUsage unless n >= 1 and 0 < min < max (min ==
// max for n = 1).

// Equal steps in sigma^(1/rho) (Karras et al. 2022, Eq. 5).
std::vector<double> sigmas_karras(int64_t n, double min, double max, double rho = 7.0);
// Equal steps in log sigma.
std::vector<double> sigmas_exponential(int64_t n, double min, double max);
// Steps in log sigma that follow the rho-th power (k-diffusion); rho 1 is exponential.
std::vector<double> sigmas_polyexponential(int64_t n, double min, double max, double rho = 1.0);
// The continuous variance-preserving SDE (Song et al. 2021): sqrt(exp(beta_d t^2 / 2 + beta_min t) - 1), t
// from 1 to eps_s (k-diffusion's defaults).
std::vector<double> sigmas_vp(int64_t n, double beta_d = 19.9, double beta_min = 0.1, double eps_s = 1e-3);
// Align Your Steps (Sabour et al. 2024, Theorem 3.1): equal steps in atan sigma. n levels, then 0, as ComfyUI
// has it.
std::vector<double> sigmas_kl_optimal(int64_t n, double min, double max);
// As A1111 has it: n + 1 levels, the last of them `min`, no 0.
std::vector<double> sigmas_kl_optimal_a1111(int64_t n, double min, double max);
// min + (max - min) q, q the quantiles of the Beta(a, b) distribution at equal steps (A1111's "Beta"; Lee et
// al. 2024).
std::vector<double> sigmas_beta(int64_t n, double min, double max, double a = 0.6, double b = 0.6);

// Align Your Steps: the published tables, "sd15" or "sdxl" (kUsage for another), descending without 0; and n
// levels read off them, log-linear in between, then 0.
const std::vector<double>& align_your_steps(std::string_view table);
std::vector<double> sigmas_align_your_steps(std::string_view table, int64_t n);

// The quantile function of the Beta(a, b) distribution, p in [0, 1], to rounding.
double beta_quantile(double p, double a, double b);

// Flow matching: times s in [0, 1] of x_s = (1 - s) clean + s noise, from 1 down to a final 0.
// shift s / (1 + (shift - 1) s): a larger shift stays longer at high noise (Esser et al. 2024, Eq. 23).
double shifted_flow_time(double s, double shift);
std::vector<double> flow_times(int64_t n, double shift = 1.0);
// As diffusers' FlowMatchEulerDiscreteScheduler has them: the ends of the shifted table of `timesteps`
// training times, equally spaced, shifted once more.
std::vector<double> flow_times_diffusers(int64_t n, double shift, int64_t timesteps = 1000);
// Its time shifts for a resolution-dependent mu: e^mu / (e^mu + 1/s - 1), and mu / (mu + 1/s - 1).
double exponential_flow_shift(double s, double mu);
double linear_flow_shift(double s, double mu);
// s / (1 - s): the same level as clean + sigma noise. Infinite at 1.
double flow_sigma(double s);

}  // namespace ldm
