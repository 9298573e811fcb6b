#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ldm/diffusion/denoiser.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// The model with the conditions of one batch; `both` and `cond` as guided_denoiser wants them.
struct BoundModel {
  Denoiser both, cond;
  // The step that is being drawn, from 1: the prompt may change over the steps. Whoever samples counts it.
  std::shared_ptr<int64_t> step;
};

// Binds the prompts of a request for n images: their schedule over the `steps` steps that are drawn
// ([a:b:0.5], text/prompt_schedule.h), several prompts joined by AND (text/prompt_and.h), and in each
// weights, BREAK and any length (model/captions.h). Numbers after a colon are weights of AND only where there
// is an AND. guided: the model is asked without the condition too. tiles: see LatentDiffusion::denoiser. The
// images are those from `first` on, which counts where they lie on a way: its prompts may have weights but
// neither schedules nor AND (kUsage).
BoundModel bind_prompt(const LatentDiffusion& model, const GenerateRequest& request, int64_t steps,
                       int64_t first, int64_t n, bool guided, const std::optional<TileOptions>& tiles = {});

// D = D_u + sum_i w_i (D_i - D_u), from one call of `all`, which is bound to n rows without a condition, then
// n rows per weight, then n rows per `after`. The result takes and gives n rows without, n with the composed
// condition, and those after.
Denoiser compose_terms(Denoiser all, std::vector<double> weights, int64_t after);

}  // namespace ldm
