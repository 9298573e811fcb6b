#include "ldm/diffusion/parameterization.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

// log sigma -> fractional timestep on sigma's device, as NoiseSchedule::sigma_to_t.
class TimestepLookup {
 public:
  explicit TimestepLookup(const NoiseSchedule& s) : table_(at::tensor(s.log_sigmas, at::kDouble)) {}

  torch::Tensor operator()(const torch::Tensor& sigma) {
    if (table_.device() != sigma.device()) table_ = table_.to(sigma.device());
    const auto log_sigma = sigma.to(at::kDouble).log();
    const auto high = at::searchsorted(table_, log_sigma).clamp(1, table_.size(0) - 1);
    const auto low = high - 1;
    const auto left = table_.index_select(0, low), right = table_.index_select(0, high);
    return low + ((log_sigma - left) / (right - left)).clamp(0, 1);
  }

 private:
  torch::Tensor table_;
};

}  // namespace

Prediction parse_prediction(std::string_view name) {
  if (name == "eps" || name == "epsilon" || name == "noise") return Prediction::kEps;
  if (name == "x0" || name == "sample" || name == "start") return Prediction::kX0;
  if (name == "v" || name == "v_prediction" || name == "velocity") return Prediction::kV;
  static const std::vector<std::string> kNames = {"eps", "x0", "v"};
  fail(ErrorKind::kUsage, "parameterization: expected eps, x0 or v, got '", name, "'",
       nearest_hint(name, kNames));
}

std::string_view prediction_name(Prediction prediction) {
  switch (prediction) {
    case Prediction::kEps:
      return "eps";
    case Prediction::kX0:
      return "x0";
    case Prediction::kV:
      return "v";
  }
  fail(ErrorKind::kInternal, "prediction_name: unknown value");
}

torch::Tensor per_sample(const torch::Tensor& values, const torch::Tensor& x) {
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[0] = values.size(0);
  return values.to(x.scalar_type()).view(shape);
}

torch::Tensor to_x0(Prediction prediction, const torch::Tensor& out, const torch::Tensor& x_t,
                    const torch::Tensor& alpha_cumprod) {
  switch (prediction) {
    case Prediction::kEps:
      return (x_t - (1 - alpha_cumprod).sqrt() * out) / alpha_cumprod.sqrt();
    case Prediction::kX0:
      return out;
    case Prediction::kV:
      return alpha_cumprod.sqrt() * x_t - (1 - alpha_cumprod).sqrt() * out;
  }
  fail(ErrorKind::kInternal, "to_x0: unknown prediction");
}

Denoiser discrete_denoiser(Network network, const NoiseSchedule& schedule, Prediction prediction) {
  return [network = std::move(network), lookup = TimestepLookup(schedule), prediction](
             const torch::Tensor& x, const torch::Tensor& sigma) mutable {
    const auto t = lookup(sigma).to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
    const auto s = sigma.to(at::kDouble);
    const auto norm = (s * s + 1).rsqrt();
    const auto out = network(x * per_sample(norm, x), t);
    switch (prediction) {
      case Prediction::kEps:
        return x - per_sample(s, x) * out;
      case Prediction::kX0:
        return out;
      case Prediction::kV:
        return per_sample(norm * norm, x) * x - per_sample(s * norm, x) * out;
    }
    fail(ErrorKind::kInternal, "discrete_denoiser: unknown prediction");
  };
}

EdmScaling edm_scaling(const torch::Tensor& sigma, double sigma_data) {
  const double d2 = sigma_data * sigma_data;
  const auto total = sigma * sigma + d2;
  EdmScaling s;
  s.c_skip = d2 / total;
  s.c_out = sigma * sigma_data / total.sqrt();
  s.c_in = total.rsqrt();
  s.c_noise = sigma.log() / 4;
  s.weight = total / (sigma * sigma_data).square();
  return s;
}

torch::Tensor edm_training_sigma(const torch::Tensor& normal, double mean, double std) {
  return (normal * std + mean).exp();
}

Denoiser edm_denoiser(Network network, double sigma_data) {
  check(sigma_data > 0, "edm_denoiser: expected sigma_data above 0, got ", sigma_data);
  return [network = std::move(network), sigma_data](const torch::Tensor& x, const torch::Tensor& sigma) {
    const auto s = edm_scaling(sigma.to(at::kDouble), sigma_data);
    const auto c_noise = s.c_noise.to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
    return per_sample(s.c_skip, x) * x + per_sample(s.c_out, x) * network(per_sample(s.c_in, x) * x, c_noise);
  };
}

}  // namespace ldm
