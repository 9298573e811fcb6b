#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/diffusion/denoiser.h"
#include "ldm/diffusion/parameterization.h"
#include "ldm/diffusion/schedule.h"
#include "tests/golden/case.h"

namespace ldm::golden {

// The exact denoiser of a case's Gaussian mixture (inputs gmm.w [K], gmm.m [K, d], gmm.s [K]; README, "The
// analytic denoiser").
Denoiser analytic_denoiser(Case& c, const std::string& prefix = "gmm");

// The same as a network that was trained on the schedule: variance-preserving x, fractional t.
Network analytic_network(Denoiser denoise, const NoiseSchedule& schedule, Prediction prediction);

// As the sampler cases ask: guided by config.scale against gmm_uncond where it is a number. If `calls` is
// given, the timesteps of the network's calls are added to it.
Denoiser case_denoiser(Case& c, const NoiseSchedule& schedule, Prediction prediction,
                       std::vector<double>* calls = nullptr);

// The schedule whose table is the case's alphas_cumprod.
NoiseSchedule case_schedule(Case& c, double v_posterior = 0.0);

// noise.first, noise.first + step, ... of the case, one a call.
NoiseFn case_noise(Case& c, int64_t first = 0, int64_t step = 1);

// Host numbers <-> one-dimensional tensors.
torch::Tensor vector_f64(const std::vector<double>& values);
torch::Tensor vector_i64(const std::vector<int64_t>& values);
std::vector<double> host_f64(const torch::Tensor& values);

}  // namespace ldm::golden
