#include "ldm/pipeline/canvas.h"

#include <ATen/ATen.h>

#include "ldm/pipeline/edit_canvas.h"

namespace ldm {

Canvas plan_canvas(const LatentDiffusion& model, const GenerateRequest& r) {
  const auto factor = model.first_stage().downsampling();
  const auto trained = model.options().image_size;
  const auto latents = [&](int64_t pixels) { return (pixels + factor - 1) / factor; };
  const auto [width, height] = asked_size(r);
  Canvas canvas{.width = width, .height = height, .latent_width = trained, .latent_height = trained};
  if (width > 0) canvas.latent_width = latents(width);
  if (height > 0) canvas.latent_height = latents(height);
  if (width == 0) canvas.width = trained * factor;
  if (height == 0) canvas.height = trained * factor;
  return canvas;
}

torch::Tensor cut_to(const Canvas& canvas, const torch::Tensor& pictures) {
  return pictures.narrow(2, 0, canvas.height).narrow(3, 0, canvas.width);
}

}  // namespace ldm
