#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// The size of a request's pictures. Networks halve their input several times; what is no multiple of that is
// drawn larger, at the right and bottom, and cut.
struct Canvas {
  int64_t width = 0, height = 0;                // Of the pictures, in pixels.
  int64_t latent_width = 0, latent_height = 0;  // Of what is drawn.
};

Canvas plan_canvas(const LatentDiffusion& model, const GenerateRequest& request);

// Decoded pictures [N, C, H, W] without what goes beyond the canvas.
torch::Tensor cut_to(const Canvas& canvas, const torch::Tensor& pictures);

}  // namespace ldm
