#pragma once

#include <functional>

#include "ldm/diffusion/denoiser.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/steer_request.h"

namespace ldm {

// What wraps the guided denoiser; empty where nothing is asked for. Gradients go through the model, whose
// parameters stop recording their own. It may not run in inference mode. Throws kUsage for a classifier of
// other latents, a class that it does not know, and scales that are not finite.
std::function<Denoiser(Denoiser)> make_steering(const LatentDiffusion& model, const SteerRequest& request,
                                                const Canvas& canvas);

}  // namespace ldm
