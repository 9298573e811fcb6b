#include "ldm/pipeline/plan_sampling.h"

#include "ldm/core/error.h"

namespace ldm {

bool asks_twice(const LatentDiffusion& model, const GenerateRequest& r) {
  const bool wanted =
      r.guidance.scale != 1.0 || r.guidance.perp_neg > 0 || find_sampler(r.sampler).run_guided != nullptr;
  return wanted && model.conditioner() != nullptr;
}

SamplingPlan plan_sampling(const LatentDiffusion& model, const GenerateRequest& r) {
  SamplingPlan plan{find_sampler(r.sampler), r.sampling, r.guidance};
  plan.options.scaling = output_scaling(model.prediction());
  // Where the last step is pure noise, sampling has to begin there (Lin et al. 2024, Sec. 3.3).
  if (plan.options.spacing.empty() && model.options().zero_terminal_snr) plan.options.spacing = "trailing";
  if (r.guided_steps) {
    const auto sigmas = sampler_sigmas(plan.sampler, model.schedule(), plan.options);
    plan.guidance.interval = interval_of_steps(sigmas, r.guided_steps->first, r.guided_steps->second);
  }
  check(plan.sampler.run != nullptr || asks_twice(model, r), "generate: ", plan.sampler.name,
        " needs a model that can be guided");
  if (!asks_twice(model, r)) plan.guidance.interval = {0.0, 0.0};
  return plan;
}

torch::Tensor draw_latents(const LatentDiffusion& model, const SamplingPlan& plan, const BoundModel& bound,
                           const torch::Tensor& noise, const SamplerRun& run) {
  if (plan.sampler.run_guided != nullptr) {
    const auto guided = guided_estimates(bound.both, bound.cond, plan.guidance, plan.options.scaling);
    return sample(plan.sampler, guided, model.schedule(), noise, plan.options, run);
  }
  const auto denoise = guided_denoiser(bound.both, bound.cond, plan.guidance, plan.options.scaling);
  return sample(plan.sampler, denoise, model.schedule(), noise, plan.options, run);
}

}  // namespace ldm
