#include "ldm/pipeline/picture_edit.h"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "ldm/diffusion/sampler_run.h"
#include "ldm/pipeline/pictures.h"

namespace ldm {
namespace {

// Continued at the right and bottom to the size that is drawn.
torch::Tensor padded_picture(const Image& picture, int64_t width, int64_t height) {
  const auto tensor = to_tensor(std::vector<Image>{picture});
  return at::replication_pad2d(tensor, {0, width - picture.width, 0, height - picture.height});
}

}  // namespace

PictureEdit::PictureEdit(const LatentDiffusion& model, const EditRequest& edit, const Canvas& canvas,
                         int64_t memory)
    : canvas_(lay_out_edit(edit, canvas.width, canvas.height)) {
  const auto factor = model.first_stage().downsampling();
  const auto width = canvas.latent_width * factor, height = canvas.latent_height * factor;
  const auto picture = padded_picture(canvas_.picture, width, height).to(model.device());
  picture_ = picture[0];
  known_ = model.encode_images(picture, {.memory = memory});
  if (!masked() || model.reads().picture == PictureUse::kInpaint) return;
  redrawn_ =
      redrawn_latents(canvas_.mask, canvas.latent_width, canvas.latent_height, factor).to(model.device());
}

torch::Tensor PictureEdit::start(const EditWalk& walk, const torch::Tensor& noise) const {
  return start_of_walk(walk, known_, noise);
}

std::function<torch::Tensor(const torch::Tensor&, double)> PictureEdit::blend(NoiseFn noise) const {
  if (!blends()) return {};
  return keep_known(known_, 1 - redrawn_, std::move(noise));
}

torch::Tensor PictureEdit::settled(const torch::Tensor& latents) const {
  return blends() ? known_ * (1 - redrawn_) + latents * redrawn_ : latents;
}

torch::Tensor PictureEdit::untouched(int64_t n) const { return known_.expand({n, -1, -1, -1}); }

void PictureEdit::restore(Image& drawn) const {
  if (masked()) put_back(drawn, canvas_.picture, canvas_.mask);
}

void PictureEdit::give(Condition& condition) const {
  condition.picture = picture_;
  const auto width = picture_.size(2), height = picture_.size(1);
  condition.mask =
      canvas_.mask.empty() ? at::ones({1, height, width}) : redrawn_pixels(canvas_.mask, width, height);
}

void give_empty_picture(const LatentDiffusion& model, const Canvas& canvas, Condition& condition) {
  const auto factor = model.first_stage().downsampling();
  const auto width = canvas.latent_width * factor, height = canvas.latent_height * factor;
  condition.picture = at::zeros({3, height, width});
  condition.mask = at::ones({1, height, width});
}

}  // namespace ldm
