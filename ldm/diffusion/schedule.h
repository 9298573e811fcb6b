#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ldm {

// How noise grows with the timestep. Names and defaults are the original's (latent-diffusion,
// make_beta_schedule).
struct ScheduleOptions {
  int64_t timesteps = 1000;
  // linear: linear in the square root of beta (others call this "scaled_linear"); sqrt_linear: linear in
  // beta; cosine (Nichol & Dhariwal 2021); sqrt: the square root of linear.
  std::string beta_schedule = "linear";
  double linear_start = 1e-4;
  double linear_end = 2e-2;
  double cosine_s = 8e-3;    // Offset of the cosine schedule.
  double v_posterior = 0.0;  // 0: the posterior's own variance; 1: beta; between: between.
  bool zero_terminal_snr =
      false;  // Rescale so that the last step is pure noise (Lin et al. 2024, Algorithm 1).

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("timesteps", timesteps, "steps of the noise schedule");
    visit("beta_schedule", beta_schedule, "linear (in the square root), sqrt_linear, cosine, sqrt");
    visit("linear_start", linear_start, "first beta");
    visit("linear_end", linear_end, "last beta");
    visit("cosine_s", cosine_s, "offset of the cosine schedule");
    visit("v_posterior", v_posterior, "0: posterior variance, 1: beta");
    visit("zero_terminal_snr", zero_terminal_snr, "rescale so that the last step is pure noise");
  }
};

// A discrete noise schedule: x_t = sqrt(alphas_cumprod[t]) clean + sqrt(1 - alphas_cumprod[t]) noise, t =
// 0..T-1. All tables have T entries and are float64. sigma = sqrt((1 - ac) / ac) is the same level for the
// state clean + sigma noise, which samplers use; with zero terminal SNR the last sigma is huge but finite
// (4096, as others clip it).
class NoiseSchedule {
 public:
  // Throws kUsage for an unknown beta_schedule, timesteps < 2, or betas outside (0, 1).
  explicit NoiseSchedule(const ScheduleOptions& options = {});
  // From given betas in (0, 1]. Throws kUsage otherwise, or for fewer than two.
  static NoiseSchedule from_betas(std::vector<double> betas, double v_posterior = 0.0);

  int64_t timesteps() const { return static_cast<int64_t>(betas.size()); }
  double sigma(int64_t t) const { return sigmas[static_cast<size_t>(t)]; }
  double sigma_min() const { return sigmas.front(); }
  double sigma_max() const { return sigmas.back(); }

  // Between fractional timesteps and sigma: linear in log sigma between the table's entries, clamped to its
  // ends (k-diffusion's DiscreteSchedule).
  double t_to_sigma(double t) const;
  double sigma_to_t(double sigma) const;
  int64_t nearest_t(double sigma) const;  // In log sigma.

  std::vector<double> betas;
  std::vector<double> alphas_cumprod;
  std::vector<double> alphas_cumprod_prev;  // One step earlier, 1 at t = 0.
  std::vector<double> sigmas, log_sigmas;   // Ascending.

  // q(x_{t-1} | x_t, x_0) = N(coef1 x_0 + coef2 x_t, variance) (Ho et al. 2020, Eq. 7).
  std::vector<double> posterior_variance;
  std::vector<double> posterior_log_variance;  // Of at least 1e-20.
  std::vector<double> posterior_mean_coef1, posterior_mean_coef2;

 private:
  struct FromBetas {};
  NoiseSchedule(FromBetas, std::vector<double> betas, double v_posterior);
};

// Time of a continuous v-predicting model (k-diffusion's VDenoiser): the angle atan sigma, 1 at pure noise.
double sigma_to_angle(double sigma);
double angle_to_sigma(double angle);

// The original's betas. Throws kUsage as NoiseSchedule does.
std::vector<double> make_betas(const ScheduleOptions& options);

// Shifts and scales sqrt(alphas_cumprod) so that its last entry is 0 and its first stays; the last beta
// becomes 1.
std::vector<double> rescale_zero_terminal_snr(const std::vector<double>& betas);

}  // namespace ldm
