#pragma once

#include <torch/types.h>

#include <functional>

#include "ldm/diffusion/denoiser.h"
#include "ldm/diffusion/editing.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/edit_canvas.h"
#include "ldm/pipeline/edit_mask.h"

namespace ldm {

// What a picture to begin with does to the drawing of a batch: image to image, inpainting and outpainting.
// A model that was trained to inpaint is told the mask and the masked picture; with any other the known part
// is blended in before each step, as the original's DDIM does.
class PictureEdit {
 public:
  // Encodes the picture with so many bytes beside the weights, 0: any. Throws kUsage as lay_out_edit does.
  PictureEdit(const LatentDiffusion& model, const EditRequest& edit, const Canvas& canvas, int64_t memory);

  // Whether a part of the picture is kept. When all steps are walked, drawing then begins with noise alone,
  // so that nothing of what is drawn anew shines through.
  bool masked() const { return !canvas_.mask.empty(); }
  // Whether the mask leaves nothing to draw.
  bool keeps_all() const { return masked() && keeps_everything(canvas_.mask); }
  // The state with which the walk begins, from unit noise [N, C, h, w].
  torch::Tensor start(const EditWalk& walk, const torch::Tensor& noise) const;
  // See SamplerRun::before_step; empty where there is nothing to blend.
  std::function<torch::Tensor(const torch::Tensor&, double)> blend(NoiseFn noise) const;
  // The sampled latents [N, C, h, w] with the known ones in their place.
  torch::Tensor settled(const torch::Tensor& latents) const;
  // Latents for n pictures when no step is walked.
  torch::Tensor untouched(int64_t n) const;
  // Brings back what the mask keeps, to the byte.
  void restore(Image& drawn) const;
  // The picture and the mask as a condition, for models that read both.
  void give(Condition& condition) const;

 private:
  bool blends() const { return redrawn_.defined(); }

  EditCanvas canvas_;
  torch::Tensor picture_;  // [3, H, W] in [-1, 1], on the device, of what is drawn.
  torch::Tensor known_;    // [1, C, h, w]
  torch::Tensor redrawn_;  // [1, 1, h, w], 1 where drawn anew; undefined: nothing is blended.
};

// The condition of an inpainting model that has no picture: all of it is to be painted.
void give_empty_picture(const LatentDiffusion& model, const Canvas& canvas, Condition& condition);

}  // namespace ldm
