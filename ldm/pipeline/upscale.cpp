#include "ldm/pipeline/upscale.h"

#include <ATen/ops/replication_pad2d.h>

#include <algorithm>

#include "ldm/core/error.h"
#include "ldm/data/picture_tensor.h"
#include "ldm/image/resample.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/check_request.h"

namespace ldm {
namespace {

constexpr int64_t kEnlargedFactor = 4;  // As the original's models.

bool enlarges(PictureUse use) { return use == PictureUse::kLowResolution || use == PictureUse::kReference; }

// [C, H, W] in [-1, 1], continued at the right and below.
torch::Tensor continued(const Image& picture, int64_t height, int64_t width) {
  return at::replication_pad2d(unit_tensor(picture), {0, width - picture.width, 0, height - picture.height});
}

}  // namespace

int64_t upscale_factor(const LatentDiffusion& model) {
  const auto reads = model.reads();
  check(enlarges(reads.picture), "generate: this model takes ", taken_by(model),
        ", not a small picture to enlarge (--upscale)");
  if (reads.picture == PictureUse::kLowResolution)
    return std::max<int64_t>(1, model.first_stage().downsampling() / reads.per_latent);
  return model.options().upscale_factor > 0 ? model.options().upscale_factor : kEnlargedFactor;
}

void give_small_picture(const LatentDiffusion& model, const Image& picture, GenerateRequest& r) {
  const int64_t factor = upscale_factor(model);
  check(r.width == 0 && r.height == 0 && r.edit.picture.empty(),
        "generate: a picture that is enlarged (--upscale) has its own size; expected no other one (--size, "
        "--init-image)");
  const auto small = to_rgb(picture);
  r.width = small.width * factor;
  r.height = small.height * factor;
  check(std::max(r.width, r.height) <= kLongestSide, "generate: ", small.width, "x", small.height,
        " pixels enlarged ", factor, " times are more than the ", kLongestSide, " a side that can be drawn");
  const auto canvas = plan_canvas(model, r);
  const auto f = model.first_stage().downsampling();
  const auto reads = model.reads();
  if (reads.picture == PictureUse::kReference) {
    const auto large = resize(small, r.width, r.height, Filter::kBicubic);
    r.given.picture = continued(large, canvas.latent_height * f, canvas.latent_width * f);
  } else {
    r.given.picture =
        continued(small, canvas.latent_height * reads.per_latent, canvas.latent_width * reads.per_latent);
  }
  const int64_t tile = 2 * model.options().image_size;
  if (r.tile.side == 0 && std::max(canvas.latent_height, canvas.latent_width) > tile) r.tile.side = tile;
}

}  // namespace ldm
