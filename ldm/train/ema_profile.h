#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ldm {

// Shapes of averages over a training run, beside the original's constant decay. Times are counted in images
// (or in steps: any unit, as long as it is one).

// Karras et al. 2022 (NVlabs' EDM): the half-life is min(half_life, ramp_up * time); the decay of a step of
// `batch` images is 0.5^(batch / half-life). Throws kUsage unless all are positive.
struct HalfLifeDecay {
  double half_life = 0.0;  // Images, as used.
  double beta = 0.0;
};
HalfLifeDecay half_life_decay(double time, double batch, double half_life, double ramp_up);

// Power-function averages (Karras et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion
// Models", Sec. 3.1 and App. C): the weight of time s in the average at time t is proportional to s^gamma.
// The relative width sigma_rel of that profile and gamma say the same: Eq. 123 and its inverse. Throws kUsage
// for a width outside (0, 0.28867) (gamma would be negative) and for gamma < 0.
double power_exponent(double sigma_rel);
double power_width(double gamma);

// The decay of the step that ends at `time` and took `delta`: (1 - delta / time)^(gamma + 1), Eq. 127.
double power_decay(double time, double delta, double gamma);

// An average as it was stored: when, and its exponent.
struct PowerSnapshot {
  double time = 0.0;  // > 0
  double gamma = 0.0;
};

// Inner products of the profiles of `a` and `b` [a.size() * b.size()], row-major; not normalised. Eq. 145.
std::vector<double> power_products(std::span<const PowerSnapshot> a, std::span<const PowerSnapshot> b);

// Post-hoc reconstruction (Algorithm 3): the coefficients, each column summing to 1, with which the stored
// averages add up to each of the wanted ones (least squares), row-major [stored.size() * wanted.size()].
// Throws kUsage without snapshots, kData when two stored ones are the same.
std::vector<double> power_reconstruction(std::span<const PowerSnapshot> stored,
                                         std::span<const PowerSnapshot> wanted);

}  // namespace ldm
