#include "ldm/pipeline/plan_sampling.h"

#include <utility>

#include "ldm/core/error.h"
#include "ldm/diffusion/sample_from.h"
#include "ldm/pipeline/edit_canvas.h"

namespace ldm {

bool can_be_guided(const LatentDiffusion& model) {
  const auto* conditioner = model.conditioner();
  if (conditioner == nullptr) return false;
  const auto reads = model.reads();
  const bool optional = conditioner->takes_words() || reads.tokens > 0 || reads.embeddings > 0;
  return optional || conditioner->has_null() || model.options().map_null;
}

bool asks_twice(const LatentDiffusion& model, const GenerateRequest& r) {
  const bool wanted =
      r.guidance.scale != 1.0 || r.guidance.perp_neg > 0 || find_sampler(r.sampler).run_guided != nullptr;
  return wanted && can_be_guided(model);
}

SamplingPlan plan_sampling(const LatentDiffusion& model, const GenerateRequest& r) {
  check_guidance(r.guidance);
  check_sample_options(r.sampling);
  SamplingPlan plan{find_sampler(r.sampler), r.sampling, r.guidance};
  plan.options.scaling = output_scaling(model.prediction());
  // Where the last step is pure noise, sampling has to begin there (Lin et al. 2024, Sec. 3.3).
  if (plan.options.spacing.empty() && model.options().zero_terminal_snr) plan.options.spacing = "trailing";
  const auto sigmas = sampler_sigmas(plan.sampler, model.schedule(), plan.options);
  plan.walk = r.edit.picture.empty() ? EditWalk{.noised = sigmas.front(), .sigmas = sigmas}
                                     : edit_walk(r.edit.rule, edit_strength(r.edit), sigmas);
  plan.whole = plan.walk.sigmas.size() == sigmas.size();
  if (r.guided_steps && plan.walk.steps() > 0) {
    plan.guidance.interval =
        interval_of_steps(plan.walk.sigmas, r.guided_steps->first, r.guided_steps->second);
  }
  check(plan.sampler.run != nullptr || r.steer.empty(), "generate: ", plan.sampler.name,
        " takes no classifier or guiding picture; hint: any sampler without CFG++ does");
  check(plan.sampler.run != nullptr || asks_twice(model, r), "generate: ", plan.sampler.name,
        " needs a model that can be guided");
  if (!asks_twice(model, r)) plan.guidance.interval = {0.0, 0.0};
  return plan;
}

torch::Tensor draw_latents(const LatentDiffusion& model, const SamplingPlan& plan, const BoundModel& bound,
                           const torch::Tensor& noise, const SamplerRun& run) {
  check(plan.whole, ErrorKind::kInternal, "draw_latents: the plan begins with a picture");
  return draw_latents_from(model, plan, bound, start_of_noise(plan.sampler, noise, plan.walk.sigmas), run);
}

torch::Tensor draw_latents_from(const LatentDiffusion& model, const SamplingPlan& plan,
                                const BoundModel& bound, torch::Tensor state, const SamplerRun& run) {
  const auto& levels = plan.walk.sigmas;
  if (plan.sampler.run_guided != nullptr) {
    const auto guided = guided_estimates(bound.both, bound.cond, plan.guidance, plan.options.scaling);
    return sample_from(plan.sampler, guided, std::move(state), levels, plan.options, run);
  }
  auto denoise = guided_denoiser(bound.both, bound.cond, plan.guidance, plan.options.scaling);
  if (plan.steer) denoise = plan.steer(std::move(denoise));
  return sample_from(plan.sampler, denoise, model.schedule(), std::move(state), levels, plan.options, run);
}

}  // namespace ldm
