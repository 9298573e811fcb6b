#include "ldm/diffusion/loss_weight.h"

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

// The original's lvlb_weights, including its 2 - ac where 2 (1 - ac) was meant; the first entry copies the
// second.
std::vector<double> lvlb_weights(const NoiseSchedule& s, Prediction prediction) {
  std::vector<double> out;
  for (size_t t = 0; t < s.betas.size(); ++t) {
    const double beta = s.betas[t], ac = s.alphas_cumprod[t];
    if (prediction == Prediction::kEps) {
      out.push_back(beta * beta / (2 * s.posterior_variance[t] * (1 - beta) * (1 - ac)));
    } else if (prediction == Prediction::kX0) {
      out.push_back(0.5 * std::sqrt(ac) / (2 - ac));
    } else {
      out.push_back(1.0);  // As stable-diffusion does.
    }
  }
  out[0] = out[1];
  return out;
}

// min(snr, gamma) is the weight of x0's error; the others follow from how their errors relate to it.
double min_snr_weight(double snr, double gamma, Prediction prediction) {
  const double x0_weight = std::min(snr, gamma);
  if (prediction == Prediction::kX0) return x0_weight;
  if (prediction == Prediction::kV) return x0_weight / (snr + 1);
  return snr == 0 ? 1.0 : x0_weight / snr;  // The limit, where the signal is gone.
}

void need(Prediction got, Prediction wanted, const std::string& kind) {
  check(got == wanted, "loss weight ", kind, ": expected a network that predicts ", prediction_name(wanted),
        ", got ", prediction_name(got));
}

}  // namespace

std::vector<double> signal_to_noise(const NoiseSchedule& schedule) {
  std::vector<double> out;
  for (const double ac : schedule.alphas_cumprod) out.push_back(ac / (1 - ac));
  return out;
}

std::vector<double> loss_weights(const NoiseSchedule& schedule, Prediction prediction,
                                 const LossWeightOptions& o) {
  static const std::vector<std::string> kNames = {"simple", "lvlb",          "min_snr",
                                                  "p2",     "truncated_snr", "sigmoid"};
  check(std::find(kNames.begin(), kNames.end(), o.kind) != kNames.end(), "loss weight: expected one of ",
        join_names(kNames), ", got '", o.kind, "'", nearest_hint(o.kind, kNames));
  if (o.kind == "lvlb") return lvlb_weights(schedule, prediction);
  if (o.kind == "truncated_snr") need(prediction, Prediction::kX0, o.kind);
  if (o.kind == "sigmoid") need(prediction, Prediction::kEps, o.kind);
  auto out = signal_to_noise(schedule);
  for (auto& w : out) {
    const double snr = w;
    w = 1.0;
    if (o.kind == "min_snr") w = min_snr_weight(snr, o.gamma, prediction);
    if (o.kind == "p2") w = std::pow(o.p2_k + snr, -o.p2_gamma);
    if (o.kind == "truncated_snr") w = std::max(snr, 1.0);
    if (o.kind == "sigmoid") w = 1 / (1 + snr * std::exp(-o.sigmoid_bias));
  }
  return out;
}

}  // namespace ldm
