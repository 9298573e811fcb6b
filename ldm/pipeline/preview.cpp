#include "ldm/pipeline/preview.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/pipeline/pictures.h"

namespace ldm {
namespace {

// Discs of random place, colour and size on top of one another; radii r have a density of 1 / r^3.
Image dead_leaves(int64_t side, uint64_t index) {
  constexpr int64_t kLeaves = 400;
  Random random(0, "dead leaves", index);
  auto image = make_image(side, side, 3, 128);
  const double smallest = 1.5, largest = static_cast<double>(side) / 2;
  for (int64_t leaf = 0; leaf < kLeaves; ++leaf) {
    const double u = random.uniform();
    const double a = 1 / (smallest * smallest), b = 1 / (largest * largest);
    const double radius = 1 / std::sqrt(a + u * (b - a));
    const double x = random.uniform() * static_cast<double>(side);
    const double y = random.uniform() * static_cast<double>(side);
    uint8_t colour[3];
    for (auto& c : colour) c = static_cast<uint8_t>(random.below(256));
    const auto first = [&](double at) { return std::max<int64_t>(0, std::lround(at - radius)); };
    const auto last = [&](double at) { return std::min<int64_t>(side - 1, std::lround(at + radius)); };
    for (int64_t j = first(y); j <= last(y); ++j) {
      for (int64_t i = first(x); i <= last(x); ++i) {
        const double dx = static_cast<double>(i) - x, dy = static_cast<double>(j) - y;
        if (dx * dx + dy * dy <= radius * radius) std::copy(colour, colour + 3, image.row(j) + 3 * i);
      }
    }
  }
  return image;
}

}  // namespace

LatentColours fit_latent_colours(const LatentDiffusion& model) {
  return fit_latent_colours(
      [&](const torch::Tensor& picture) { return model.encode_images(picture.to(model.device())); },
      model.first_stage().downsampling());
}

LatentColours fit_latent_colours(const std::function<torch::Tensor(const torch::Tensor&)>& encode,
                                 int64_t factor) {
  constexpr uint64_t kPictures = 6;
  const c10::InferenceMode inference;
  std::vector<torch::Tensor> knowns, targets;  // [h w, C + 1] and [h w, 3] of each picture.
  for (uint64_t k = 0; k < kPictures; ++k) {
    const std::vector<Image> leaves{dead_leaves(std::max<int64_t>(16 * factor, 64), k)};
    const auto picture = to_tensor(leaves);
    const auto latents = encode(picture).cpu().to(at::kDouble);
    const auto rows = latents[0].flatten(1).t();
    knowns.push_back(at::cat({rows, at::ones({rows.size(0), 1}, rows.options())}, 1));
    targets.push_back(at::avg_pool2d(picture.to(at::kDouble), {factor, factor})[0].flatten(1).t());
  }
  const auto a = at::cat(knowns), b = at::cat(targets);
  // Normal equations with a touch of ridge: a latent that says nothing gets no weight.
  const auto gram = a.t().matmul(a);
  const auto ridge = 1e-4 * gram.diagonal().mean() * at::eye(gram.size(0), gram.options());
  const auto solution = at::linalg_solve(gram + ridge, a.t().matmul(b)).t().to(at::kFloat);  // [3, C + 1]
  const auto channels = solution.size(1) - 1;
  return {solution.narrow(1, 0, channels).contiguous(), solution.select(1, channels).contiguous()};
}

Preview::Preview(const LatentDiffusion& model, std::shared_ptr<const FirstStage> tiny)
    : tiny_(std::move(tiny)), factor_(model.first_stage().downsampling()), scale_(model.scale_factor()) {
  if (tiny_ == nullptr) {
    colours_ = fit_latent_colours(model);
    return;
  }
  check(tiny_->latent_channels() == model.options().channels && tiny_->downsampling() == factor_,
        "preview: the decoder takes latents of ", tiny_->latent_channels(), " channels for squares of ",
        tiny_->downsampling(), " pixels, the model has ", model.options().channels, " and ", factor_);
}

std::vector<Image> Preview::pictures(const torch::Tensor& latents) const {
  const c10::InferenceMode inference;
  if (tiny_ != nullptr) return to_images(tiny_->decode(tiny_->scaled_latents() ? latents : latents / scale_));
  const auto z = latents.cpu().to(at::kFloat);
  const auto bias = colours_.bias.view({3, 1, 1});
  const auto rgb = at::conv2d(z, colours_.weight.view({3, -1, 1, 1})) + bias;
  return to_images(at::upsample_bilinear2d(rgb, {z.size(2) * factor_, z.size(3) * factor_},
                                           /*align_corners=*/false));
}

}  // namespace ldm
