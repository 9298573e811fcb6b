#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// The size of a request's pictures. A latent stands for a square of pixels: where the last ones stand for
// more than is asked for, it is cut at the right and at the bottom.
struct Canvas {
  int64_t width = 0, height = 0;                // Of the pictures, in pixels.
  int64_t latent_width = 0, latent_height = 0;  // Of what is drawn.
};

Canvas plan_canvas(const LatentDiffusion& model, const GenerateRequest& request);

// Decoded pictures [N, C, H, W] without what goes beyond the canvas.
torch::Tensor cut_to(const Canvas& canvas, const torch::Tensor& pictures);

}  // namespace ldm
