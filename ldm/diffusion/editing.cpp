#include "ldm/diffusion/editing.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/diffusion/parameterization.h"

namespace ldm {
namespace {

double checked_strength(double strength) {
  check(strength >= 0 && strength <= 1, "strength: expected 0..1, got ", strength);
  return strength;
}

}  // namespace

int64_t ldm_encode_steps(double strength, int64_t n) {
  return static_cast<int64_t>(checked_strength(strength) * static_cast<double>(n));
}

int64_t diffusers_init_timestep(double strength, int64_t n) {
  return std::min(ldm_encode_steps(strength, n), n);
}

int64_t diffusers_start_step(double strength, int64_t n) { return n - diffusers_init_timestep(strength, n); }

int64_t a1111_encode_steps(double strength, int64_t n) {
  return static_cast<int64_t>(std::min(checked_strength(strength), 0.999) * static_cast<double>(n));
}

StrengthRule parse_strength_rule(std::string_view name) {
  for (const auto rule : {StrengthRule::kDiffusers, StrengthRule::kLdm, StrengthRule::kA1111}) {
    if (to_string(rule) == name) return rule;
  }
  fail(ErrorKind::kUsage, "strength rule (--strength-rule): expected diffusers, ldm or a1111, got '", name,
       "'");
}

std::string_view to_string(StrengthRule rule) {
  if (rule == StrengthRule::kLdm) return "ldm";
  return rule == StrengthRule::kA1111 ? "a1111" : "diffusers";
}

EditWalk edit_walk(StrengthRule rule, double strength, const std::vector<double>& sigmas) {
  check(sigmas.size() >= 2, "edit_walk: expected two or more levels, got ", sigmas.size());
  const auto n = static_cast<int64_t>(sigmas.size()) - 1;
  const auto tail = [&](int64_t first) { return std::vector<double>(sigmas.begin() + first, sigmas.end()); };
  if (checked_strength(strength) == 0) return {};
  switch (rule) {
    case StrengthRule::kDiffusers: {
      const auto first = diffusers_start_step(strength, n);
      return {.noised = sigmas[static_cast<size_t>(first)], .sigmas = tail(first)};
    }
    case StrengthRule::kA1111: {
      const auto first = n - a1111_encode_steps(strength, n) - 1;
      return {.noised = sigmas[static_cast<size_t>(first)], .sigmas = tail(first)};
    }
    case StrengthRule::kLdm:
      break;
  }
  const auto steps = ldm_encode_steps(strength, n);
  if (steps == 0) return {};
  return {.noised = sigmas[static_cast<size_t>(std::max<int64_t>(0, n - steps - 1))],
          .sigmas = tail(n - steps)};
}

torch::Tensor start_of_walk(const EditWalk& walk, const torch::Tensor& clean, const torch::Tensor& noise) {
  check(walk.steps() > 0, "start_of_walk: expected a walk of one step or more");
  if (std::isinf(walk.sigmas.front())) return noise;
  const double scale = std::hypot(1.0, walk.sigmas.front());
  if (std::isinf(walk.noised)) return noise * scale;
  if (walk.noised == walk.sigmas.front()) return clean + walk.noised * noise;
  return (clean + walk.noised * noise) * (scale / std::hypot(1.0, walk.noised));
}

InpaintInputs prepare_inpaint(const torch::Tensor& image, const torch::Tensor& mask) {
  const auto hole = mask.ge(0.5).to(image.scalar_type());
  return {image * 2 - 1, hole * 2 - 1, (1 - hole) * image * 2 - 1};
}

torch::Tensor latent_mask(const torch::Tensor& mask, int64_t height, int64_t width) {
  return at::upsample_nearest2d(mask, {height, width});
}

torch::Tensor composite_inpaint(const torch::Tensor& image, const torch::Tensor& mask,
                                const torch::Tensor& decoded) {
  const auto hole = mask.ge(0.5).to(image.scalar_type());
  return (1 - hole) * image + hole * ((decoded + 1) / 2).clamp(0, 1);
}

torch::Tensor lerp(double t, const torch::Tensor& v0, const torch::Tensor& v1) {
  return (1 - t) * v0 + t * v1;
}

torch::Tensor slerp(double t, const torch::Tensor& v0, const torch::Tensor& v1, double dot_threshold) {
  check(v0.dim() >= 1 && v1.sizes() == v0.sizes(), "slerp: expected two [N, ...] of one size");
  const auto flat = [](const torch::Tensor& v) { return v.reshape({v.size(0), -1}); };
  const auto unit = [&](const torch::Tensor& v) { return flat(v) / flat(v).norm(2, 1, true); };
  const auto dot = (unit(v0) * unit(v1)).sum(1);
  const auto angle = per_sample(dot.acos(), v0), sine = angle.sin();
  const auto round = (((1 - t) * angle).sin() * v0 + (t * angle).sin() * v1) / sine;
  return at::where(per_sample(dot.abs(), v0) > dot_threshold, lerp(t, v0, v1), round);
}

torch::Tensor slerp_a1111(double t, const torch::Tensor& v0, const torch::Tensor& v1) {
  check(v0.dim() == 3 && v1.sizes() == v0.sizes(), "slerp_a1111: expected two [C, H, W] of one size");
  const auto unit = [](const torch::Tensor& v) { return v / v.norm(2, 1, true); };
  const auto dot = (unit(v0) * unit(v1)).sum(1);
  if (dot.mean().item<double>() > 0.9995) return t * v0 + (1 - t) * v1;  // Swapped there too.
  const auto angle = dot.acos().unsqueeze(1), sine = angle.sin();
  return ((1 - t) * angle).sin() / sine * v0 + (t * angle).sin() / sine * v1;
}

}  // namespace ldm
