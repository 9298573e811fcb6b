#pragma once

#include <string>
#include <vector>

#include "ldm/diffusion/parameterization.h"
#include "ldm/diffusion/schedule.h"

namespace ldm {

// How much each timestep's loss counts. The weights multiply the squared error of the quantity that the
// network predicts.
struct LossWeightOptions {
  // simple: 1 (Ho et al. 2020); lvlb: the variational bound's, as the original computes it; min_snr (Hang et
  // al. 2023); p2 (Choi et al. 2022); truncated_snr: max(snr, 1) for x0 (Salimans & Ho 2022); sigmoid (Kingma
  // & Gao 2023).
  std::string kind = "simple";
  double gamma = 5.0;  // min_snr: where the signal-to-noise ratio is cut off.
  double p2_k = 1.0;   // p2: (k + snr)^-gamma.
  double p2_gamma = 1.0;
  double sigmoid_bias = -3.0;  // sigmoid: sigmoid(bias - log snr) for eps.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind, "simple, lvlb, min_snr, p2, truncated_snr, sigmoid");
    visit("gamma", gamma, "min_snr: where the signal-to-noise ratio is cut off");
    visit("p2_k", p2_k, "p2: (k + snr)^-gamma");
    visit("p2_gamma", p2_gamma, "p2: (k + snr)^-gamma");
    visit("sigmoid_bias", sigmoid_bias, "sigmoid: sigmoid(bias - log snr)");
  }
};

// ac / (1 - ac) for every timestep.
std::vector<double> signal_to_noise(const NoiseSchedule& schedule);

// One weight for every timestep. Throws kUsage for an unknown kind, or one that is not defined for the
// prediction.
std::vector<double> loss_weights(const NoiseSchedule& schedule, Prediction prediction,
                                 const LossWeightOptions& options);

}  // namespace ldm
