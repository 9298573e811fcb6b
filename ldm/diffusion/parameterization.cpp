#include "ldm/diffusion/parameterization.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm {
namespace {

// Fractional timesteps of the levels, as NoiseSchedule::sigma_to_t, in the precision that x asks for.
torch::Tensor timesteps_of(const NoiseSchedule& schedule, const torch::Tensor& levels,
                           const torch::Tensor& x) {
  const auto host = levels.to(at::kCPU, at::kDouble).contiguous();
  auto t = at::empty_like(host);
  const double* level = host.const_data_ptr<double>();
  for (int64_t i = 0; i < host.numel(); ++i) t.mutable_data_ptr<double>()[i] = schedule.sigma_to_t(level[i]);
  const auto dtype = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return t.to(x.device(), dtype, /*non_blocking=*/true);
}

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
  return values.to(x.device(), x.scalar_type(), /*non_blocking=*/true).view(shape);
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

OutputScaling output_scaling(Prediction prediction) {
  switch (prediction) {
    case Prediction::kEps:
      return {[](double) { return 1.0; }, [](double sigma) { return -sigma; }};
    case Prediction::kX0:
      return {[](double) { return 0.0; }, [](double) { return 1.0; }};
    case Prediction::kV:
      return {[](double sigma) { return 1 / (1 + sigma * sigma); },
              [](double sigma) { return -1 / std::sqrt(1 + 1 / (sigma * sigma)); }};
  }
  fail(ErrorKind::kInternal, "output_scaling: unknown prediction");
}

OutputScaling edm_output_scaling(double d) {
  return {[d](double sigma) { return d * d / (sigma * sigma + d * d); },
          [d](double sigma) { return sigma * d / std::sqrt(sigma * sigma + d * d); }};
}

torch::Tensor OutputScaling::output(const torch::Tensor& x, const torch::Tensor& denoised,
                                    double sigma) const {
  return (denoised - c_skip(sigma) * x) / c_out(sigma);
}

torch::Tensor OutputScaling::denoised(const torch::Tensor& x, const torch::Tensor& output,
                                      double sigma) const {
  return c_skip(sigma) * x + c_out(sigma) * output;
}

Denoiser discrete_denoiser(Network network, const NoiseSchedule& schedule, Prediction prediction) {
  return [network = std::move(network), schedule, prediction](const torch::Tensor& x,
                                                              const torch::Tensor& sigma) {
    const auto s = sigma.to(at::kDouble);
    const auto pure = s.isinf();  // There x is the network's own input, whose clean part is 0.
    check(prediction != Prediction::kEps || !pure.any().item<bool>(),
          "discrete_denoiser: a model that predicts noise cannot start from pure noise (zero terminal SNR); "
          "expected one that predicts v or x0");
    const auto c_in = at::where(pure, 1.0, (s * s + 1).rsqrt());
    const auto out = network(x * per_sample(c_in, x), timesteps_of(schedule, s, x));
    switch (prediction) {
      case Prediction::kEps:
        return x - per_sample(s, x) * out;
      case Prediction::kX0:
        return out;
      case Prediction::kV:
        return per_sample((s * s + 1).reciprocal(), x) * x -
               per_sample((1 + (s * s).reciprocal()).rsqrt(), x) * out;
    }
    fail(ErrorKind::kInternal, "discrete_denoiser: unknown prediction");
  };
}

Denoiser flow_denoiser(Network network, double time_scale) {
  check(time_scale > 0, "flow_denoiser: expected a time scale above 0, got ", time_scale);
  return [network = std::move(network), time_scale](const torch::Tensor& x, const torch::Tensor& sigma) {
    const auto s = (1 + sigma.to(at::kDouble).reciprocal()).reciprocal();
    const auto x_s = x * per_sample(at::where(s == 1.0, 1.0, 1 - s), x);  // At s = 1 x is x_s already.
    const auto dtype = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const auto out = network(x_s, (s * time_scale).to(x.device(), dtype, /*non_blocking=*/true));
    return x_s - per_sample(s, x) * out;
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
    const auto dtype = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const auto c_noise = s.c_noise.to(x.device(), dtype, /*non_blocking=*/true);
    return per_sample(s.c_skip, x) * x + per_sample(s.c_out, x) * network(per_sample(s.c_in, x) * x, c_noise);
  };
}

}  // namespace ldm
