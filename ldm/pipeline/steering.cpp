#include "ldm/pipeline/steering.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/image/resample.h"
#include "ldm/pipeline/pictures.h"

namespace ldm {
namespace {

void stop_recording(const torch::nn::Module& module) {
  for (auto& p : module.parameters()) p.set_requires_grad(false);
}

// How much smaller the picture is than the canvas; 0 where that is no whole number.
int64_t steer_factor(const Image& picture, const Canvas& canvas) {
  const auto factor = canvas.width / picture.width;
  const bool whole = factor * picture.width == canvas.width && factor * picture.height == canvas.height;
  return whole ? factor : 0;
}

ImageGuide image_guide(const LatentDiffusion& model, const SteerRequest& r, const Canvas& canvas) {
  const auto picture = to_rgb(r.picture);
  const auto factor = steer_factor(picture, canvas);
  const auto shown = factor > 0 ? picture : cover(picture, canvas.width, canvas.height, Filter::kLanczos);
  const auto target = to_tensor(std::vector<Image>{shown}).to(model.device());
  const auto compared = [factor](const torch::Tensor& pictures) {
    return factor > 1 ? at::avg_pool2d(pictures, {factor, factor}) : pictures;
  };
  ImageGuide guide;
  guide.decode = [&model, canvas](const torch::Tensor& latents) {
    return cut_to(canvas, model.decode_latents(latents));
  };
  if (!r.distance) {
    guide.distance = gaussian_distance(target, compared);
    return guide;
  }
  guide.distance = [target, compared, distance = r.distance](const torch::Tensor& pictures) {
    const auto seen = compared(pictures);
    return distance(seen, target.expand_as(seen)).flatten();
  };
  return guide;
}

}  // namespace

std::function<Denoiser(Denoiser)> make_steering(const LatentDiffusion& model, const SteerRequest& r,
                                                const Canvas& canvas) {
  if (r.empty()) return {};
  check(std::isfinite(r.classifier_scale) && std::isfinite(r.picture_scale),
        "generate: expected finite scales of the classifier and the guiding picture");
  stop_recording(model.unet());
  stop_recording(model.first_stage());
  LogProb log_prob;
  if (r.classifier) {
    check(r.classifier->channels() == model.options().channels, "generate: the classifier reads latents of ",
          r.classifier->channels(), " channels, the model's have ", model.options().channels);
    log_prob = r.classifier->log_prob(model.schedule(), r.label);
  }
  ImageGuide guide;
  if (!r.picture.pixels.empty()) guide = image_guide(model, r, canvas);
  return [log_prob, guide, classifier_scale = r.classifier_scale,
          picture_scale = r.picture_scale](Denoiser denoise) {
    if (guide.decode) denoise = image_guided_denoiser(std::move(denoise), guide, picture_scale);
    if (log_prob) denoise = classifier_guided_denoiser(std::move(denoise), log_prob, classifier_scale);
    return denoise;
  };
}

}  // namespace ldm
