#pragma once

#include <torch/types.h>

#include <functional>
#include <string_view>

#include "ldm/diffusion/denoiser.h"
#include "ldm/diffusion/schedule.h"

namespace ldm {

// What a network returns for x_t = sqrt(a) clean + sqrt(1 - a) noise.
enum class Prediction {
  kEps,  // The noise (Ho et al. 2020).
  kX0,   // The clean latents.
  kV,    // Velocity: sqrt(a) noise - sqrt(1 - a) clean (Salimans & Ho 2022).
};

// How a network's output F relates to the estimate: D(x; sigma) = c_skip(sigma) x + c_out(sigma) F.
struct OutputScaling {
  std::function<double(double)> c_skip, c_out;

  // F, from what a denoiser of that scaling returned.
  torch::Tensor output(const torch::Tensor& x, const torch::Tensor& denoised, double sigma) const;
  torch::Tensor denoised(const torch::Tensor& x, const torch::Tensor& output, double sigma) const;
};
OutputScaling output_scaling(Prediction prediction);
OutputScaling edm_output_scaling(double sigma_data = 0.5);

// "eps", "x0", "v" and the names others use (epsilon, noise; sample, start; v_prediction, velocity). Throws
// kUsage.
Prediction parse_prediction(std::string_view name);
std::string_view prediction_name(Prediction prediction);

// The network behind the denoiser seam: with a = 1 / (1 + sigma^2) it is asked at sqrt(a) x and t = the
// schedule's fractional timestep of sigma (linear in log sigma). t reaches the network on x's device as
// float32, or float64 for float64 x. Nothing is read back from the device. At an infinite sigma, where x is
// the unit noise itself, a = 0 and t is the last timestep; a network that predicts noise says nothing there
// (kUsage).
Denoiser discrete_denoiser(Network network, const NoiseSchedule& schedule, Prediction prediction);

// Preconditioning of Karras et al. 2022 (Table 1, column "Ours"): D(x; sigma) = c_skip x + c_out F(c_in x,
// c_noise). The members have sigma's shape; weight is the loss weight lambda(sigma) = 1 / c_out^2.
struct EdmScaling {
  torch::Tensor c_skip, c_out, c_in, c_noise, weight;
};
EdmScaling edm_scaling(const torch::Tensor& sigma, double sigma_data);

// Noise levels for training: exp(mean + std normal), from unit normals (the paper's defaults: -1.2 and 1.2).
torch::Tensor edm_training_sigma(const torch::Tensor& normal, double mean = -1.2, double std = 1.2);

// A network F(x, c_noise) trained with that preconditioning, behind the denoiser seam.
Denoiser edm_denoiser(Network network, double sigma_data = 0.5);

// Flow matching (Lipman et al. 2023; rectified flow): a network F(x_s, s) that predicts the velocity noise -
// clean of x_s = (1 - s) clean + s noise, behind the denoiser seam: s = sigma / (1 + sigma), 1 at an infinite
// sigma. F is given s times `time_scale` (1000 in the models of diffusers).
Denoiser flow_denoiser(Network network, double time_scale = 1000.0);

// The clean latents that a prediction at x_t means, and the prediction that clean latents mean.
// `alpha_cumprod` broadcasts against x_t (a number per sample: [N, 1, 1, 1]).
torch::Tensor to_x0(Prediction prediction, const torch::Tensor& out, const torch::Tensor& x_t,
                    const torch::Tensor& alpha_cumprod);

// Numbers [N] in the dtype and on the device of x [N, ...], shaped [N, 1, ...] so that they broadcast.
torch::Tensor per_sample(const torch::Tensor& values, const torch::Tensor& x);

}  // namespace ldm
