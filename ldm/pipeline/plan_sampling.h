#pragma once

#include <torch/types.h>

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
};

// Whether the model is asked without the condition too.
bool asks_twice(const LatentDiffusion& model, const GenerateRequest& request);

// Throws kUsage for an unknown sampler or spacing, and for CFG++ with a model that cannot be guided.
SamplingPlan plan_sampling(const LatentDiffusion& model, const GenerateRequest& request);

// Unit noise [N, C, h, w] to clean latents.
torch::Tensor draw_latents(const LatentDiffusion& model, const SamplingPlan& plan, const BoundModel& bound,
                           const torch::Tensor& noise, const SamplerRun& run);

}  // namespace ldm
