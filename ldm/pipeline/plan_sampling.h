#pragma once

#include <torch/types.h>

#include <functional>

#include "ldm/diffusion/editing.h"
#include "ldm/diffusion/guidance.h"
#include "ldm/diffusion/samplers.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/bind_prompt.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// What one run of the sampler needs beside the noise.
struct SamplingPlan {
  const SamplerInfo& sampler;
  SampleOptions options;
  GuidanceOptions guidance;
  EditWalk walk;      // The levels of this run; none where a picture with strength 0 stays as it is.
  bool whole = true;  // They are all levels, from the first on.
  std::function<Denoiser(Denoiser)> steer;  // See steering.h; empty: nothing.
};

// Whether a part of the model's condition can be left out, which guidance compares with. Maps and pictures
// stay.
bool can_be_guided(const LatentDiffusion& model);
// Whether the model is asked without the condition too.
bool asks_twice(const LatentDiffusion& model, const GenerateRequest& request);

// Throws kUsage for an unknown sampler or spacing, a strength out of range, and for CFG++ with a model that
// cannot be guided.
SamplingPlan plan_sampling(const LatentDiffusion& model, const GenerateRequest& request);

// Unit noise [N, C, h, w] to clean latents, over all levels.
torch::Tensor draw_latents(const LatentDiffusion& model, const SamplingPlan& plan, const BoundModel& bound,
                           const torch::Tensor& noise, const SamplerRun& run);
// The same from a state at the walk's first level (see diffusion/sample_from.h).
torch::Tensor draw_latents_from(const LatentDiffusion& model, const SamplingPlan& plan,
                                const BoundModel& bound, torch::Tensor state, const SamplerRun& run);

}  // namespace ldm
