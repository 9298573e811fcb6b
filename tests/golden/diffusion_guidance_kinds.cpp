// Guidance and editing.
#include <ATen/ATen.h>

#include <cmath>

#include "ldm/diffusion/ddim.h"
#include "ldm/diffusion/editing.h"
#include "ldm/diffusion/gradient_guidance.h"
#include "ldm/diffusion/guidance.h"
#include "ldm/diffusion/timesteps.h"
#include "ldm/diffusion/training.h"
#include "tests/golden/analytic.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

void run_guidance_cfg(Case& c) {
  for (const auto& scale : c.config().at("scales")) {
    c.expect("e." + scale.dump(), combine_guidance(c.input("e_u"), c.input("e_c"), scale));
  }
}

// Inputs are called e_u and e_c, or uncond and cond.
torch::Tensor estimate(Case& c, const char* name, const char* short_name) {
  return c.input(c.has(name) ? name : short_name);
}

void run_guidance_rescale(Case& c) {
  const auto uncond = estimate(c, "uncond", "e_u"), cond = estimate(c, "cond", "e_c");
  for (const auto& scale : c.config().at("scales")) {
    for (const auto& phi : c.config().at("phi")) {
      const auto guided = combine_guidance(uncond, cond, scale);
      c.expect("e." + scale.dump() + "." + phi.dump(), rescale_guidance(guided, cond, phi));
    }
  }
}

void run_guidance_apg(Case& c) {
  const auto& o = c.config();
  const double momentum = o.at("momentum").is_null() ? 0.0 : o.at("momentum").get<double>();
  AdaptiveProjectedGuidance apg(
      {o.at("eta"), o.at("norm_threshold"), momentum, o.value("use_original_formulation", false)});
  for (int k = 0; c.has("cond." + std::to_string(k)); ++k) {
    const auto i = "." + std::to_string(k);
    c.expect("pred" + i, apg(c.input("uncond" + i), c.input("cond" + i), o.at("scale")));
  }
}

void run_guidance_perpneg(Case& c) {
  const auto u = c.input("uncond"), e = c.input("cond"), n = c.input("neg");
  const double scale = c.config().at("scale"), neg_scale = c.config().at("neg_scale");
  c.expect("e_per_sample", perp_neg_guidance(u, e, n, scale, neg_scale));
  c.expect("e_whole_tensor", perp_neg_guidance(u, e, n, scale, neg_scale, true));
}

void run_guidance_zerostar(Case& c) {
  c.expect("alpha", zero_star_factor(c.input("uncond"), c.input("cond")));
  c.expect("e", zero_star_guidance(c.input("uncond"), c.input("cond"), c.config().at("scale")));
}

void run_guidance_dynthresh(Case& c) {
  const double ratio = c.config().at("ratio"), most = c.config().at("max");
  c.expect("s", dynamic_threshold_level(c.input("x0"), ratio, most));
  c.expect("x0_out", dynamic_threshold(c.input("x0"), ratio, most));
}

void run_guidance_interval(Case& c) {
  const GuidanceInterval interval{c.config().at("lo"), c.config().at("hi")};
  std::vector<double> scales;
  for (const double sigma : host_f64(c.input("sigmas")))
    scales.push_back(interval.contains(sigma) ? c.config().at("scale").get<double>() : 1.0);
  scales.resize(static_cast<size_t>(c.stored("scale_used").size(0)));
  c.expect("scale_used", vector_f64(scales));
}

void run_guidance_interval_steps(Case& c) {
  for (const auto& item : c.config().at("cases")) {
    const int64_t n = item[2];
    std::vector<double> levels;
    for (int64_t i = 0; i <= n; ++i) levels.push_back(static_cast<double>(n - i));
    const auto interval = interval_of_steps(levels, item[0], item[1]);
    std::vector<int64_t> enabled;
    for (size_t i = 0; i < static_cast<size_t>(n); ++i)
      enabled.push_back(interval.contains(levels[i]) ? 1 : 0);
    c.expect("enabled." + item[0].dump() + "." + item[1].dump() + "." + item[2].dump(), vector_i64(enabled));
  }
}

// log density of the mixture at x = clean + sigma noise, up to a constant of the dimension.
torch::Tensor log_density(Case& c, const std::string& prefix, const torch::Tensor& x,
                          const torch::Tensor& sigma) {
  const auto w = c.input(prefix + ".w"), m = c.input(prefix + ".m"), s = c.input(prefix + ".s");
  const auto flat = x.flatten(1);
  const auto v = s.square().unsqueeze(0) + sigma.to(x.device()).square().unsqueeze(1);
  const auto distance = (flat.unsqueeze(1) - m).square().sum(-1);
  return (w.log() - static_cast<double>(flat.size(1)) / 2 * v.log() - distance / (2 * v)).logsumexp(-1);
}

void run_guidance_classifier(Case& c) {
  const auto schedule = case_schedule(c);
  const double scale = c.config().at("scale");
  const auto t = vector_i64(c.config().at("t"));
  const auto x_t = c.input("x");
  std::vector<double> levels, variances;
  for (const int64_t at : c.config().at("t")) {
    levels.push_back(schedule.sigma(at));
    variances.push_back(schedule.posterior_variance[static_cast<size_t>(at)]);
  }
  const auto sigma = vector_f64(levels);
  const auto norm = per_sample((1 + sigma.square()).sqrt(), x_t), level = per_sample(sigma, x_t);
  const LogProb of_clean_scale = [&](const torch::Tensor& x, const torch::Tensor& at) {
    const auto one = log_density(c, "gmm", x, at), other = log_density(c, "gmm_uncond", x, at);
    return at::stack({one, other}).log_softmax(0)[0];
  };
  const auto x = x_t * norm;
  const auto [log_prob, gradient] = log_prob_gradient(of_clean_scale, x, sigma);
  const auto denoise = analytic_denoiser(c);
  const auto x0 = classifier_guided_denoiser(denoise, of_clean_scale, scale)(x, sigma);
  const auto variance = vector_f64(variances);
  c.expect("log_prob", log_prob);
  c.expect("grad", gradient * norm);  // By x_t instead of x.
  c.expect("eps", (x - denoise(x, sigma)) / level);
  c.expect("eps_guided", (x - x0) / level);
  c.expect("x0_guided", x0);
  c.expect("posterior_variance", variance);
  c.expect("mean_guided", classifier_guided_mean(c.input("mean"), gradient * norm, variance, scale));
}

void run_inpaint_prepare(Case& c) {
  const auto in = prepare_inpaint(c.input("image01"), c.input("mask01"));
  c.expect("image", in.image);
  c.expect("mask", in.mask);
  c.expect("masked_image", in.masked_image);
  for (const std::string name : c.json().at("outputs")) {
    if (!name.starts_with("latent_mask_nearest_")) continue;
    const auto sizes = c.stored(name).sizes();
    c.expect(name, latent_mask(in.mask, sizes[2], sizes[3]));
  }
  c.expect("out", composite_inpaint(c.input("image01"), c.input("mask01"), c.input("decoded")));
}

void run_img2img_steps(Case& c) {
  const auto& strengths = c.config().at("strengths");
  const auto& steps = c.config().at("steps");
  const auto table = [&](const char* name, int64_t (*f)(double, int64_t)) {
    std::vector<int64_t> values;
    for (const double strength : strengths) {
      for (const int64_t n : steps) values.push_back(f(strength, n));
    }
    c.expect(name, vector_i64(values).view({static_cast<int64_t>(strengths.size()), -1}));
  };
  table("ldm_t_enc", ldm_encode_steps);
  table("diffusers_init_timestep", diffusers_init_timestep);
  table("diffusers_t_start", diffusers_start_step);
  table("a1111_t_enc", a1111_encode_steps);
}

// Noise to one level, decode from the level below: the original's off-by-one.
void run_img2img_ldm(Case& c) {
  const auto& o = c.config();
  const auto schedule = case_schedule(c);
  const auto timesteps = timesteps_original("uniform", o.at("S"), schedule.timesteps());
  const int64_t steps = ldm_encode_steps(o.at("strength"), o.at("S"));
  c.expect_true("t_enc", steps == o.at("t_enc").get<int64_t>());
  const auto x0 = c.input("x0");
  const auto t = at::full({x0.size(0)}, timesteps.at(static_cast<size_t>(steps)), at::kLong);
  const auto z = q_sample(schedule, x0, t.to(x0.device()), c.input("encode_noise"));
  c.expect("z_enc", z);
  // There may be more timesteps than S, of which the strength is a part.
  EditWalk walk{.noised = schedule.sigma(timesteps[static_cast<size_t>(steps)]), .sigmas = {}};
  for (int64_t i = steps; i-- > 0;) walk.sigmas.push_back(schedule.sigma(timesteps[static_cast<size_t>(i)]));
  walk.sigmas.push_back(schedule.sigma_min());
  std::vector<double> calls;
  const auto denoise = case_denoiser(c, schedule, Prediction::kEps, &calls);
  SamplerRun run{.noise = case_noise(c)};
  const auto start = start_of_walk(walk, x0, c.input("encode_noise"));
  const double last = std::hypot(1.0, walk.sigmas.back());
  c.expect("x_final", sample_ddim(denoise, start, walk.sigmas, run, {.eta = o.at("eta")}) / last);
}

void run_interp(Case& c) {
  const double threshold = c.config().at("dot_threshold");
  const auto v0 = c.input("v0"), v1 = c.input("v1");
  const auto per_latent = [&](double t) {
    std::vector<torch::Tensor> out;
    for (int64_t k = 0; k < v0.size(0); ++k) out.push_back(slerp_a1111(t, v0[k], v1[k]));
    return at::stack(out);
  };
  for (const auto& t : c.config().at("t")) {
    c.expect("lerp." + t.dump(), lerp(t, v0, v1));
    c.expect("slerp." + t.dump(), slerp(t, v0, v1, threshold));
    c.expect("slerp_a1111." + t.dump(), per_latent(t));
    c.expect("slerp_near." + t.dump(), slerp(t, v0, c.input("v1_near"), threshold));
  }
}

void add_guidance_kinds(KindTable& kinds) {
  kinds.add("guidance_cfg", run_guidance_cfg);
  kinds.add("guidance_rescale", run_guidance_rescale);
  kinds.add("guidance_apg", run_guidance_apg);
  kinds.add("guidance_perpneg", run_guidance_perpneg);
  kinds.add("guidance_zerostar", run_guidance_zerostar);
  kinds.add("guidance_dynthresh", run_guidance_dynthresh);
  kinds.add("guidance_classifier", run_guidance_classifier);
  kinds.add("guidance_interval", run_guidance_interval);
  kinds.add("guidance_interval_steps", run_guidance_interval_steps);
  kinds.add("inpaint_prepare", run_inpaint_prepare);
  kinds.add("img2img_steps", run_img2img_steps);
  kinds.add("img2img_ldm", run_img2img_ldm);
  kinds.add("interp", run_interp);
}
const RegisterKinds kDiffusionGuidanceRegistered(add_guidance_kinds);

}  // namespace
}  // namespace ldm::golden
