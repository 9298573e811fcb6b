#include "cli/steer_flag.h"

#include <ATen/ATen.h>

#include "ldm/core/error.h"
#include "ldm/image/decode.h"

namespace ldm::cli {

void add_steer_options(CLI::App* verb, SteerFlags& flags) {
  add_file_option(verb, "--classifier", flags.classifier,
                  "a classifier of noisy latents, whose gradient leads to --classifier-class");
  add_option(verb, "--classifier-class", flags.label, "the class that it leads to");
  add_option(verb, "--classifier-scale", flags.classifier_scale, "how strongly");
  add_file_option(verb, "--guide-image", flags.picture,
                  "a picture that the drawn one is to resemble, by gradients through the decoder");
  add_option(verb, "--guide", flags.kind, "how they are compared: gaussian (squared distance) or lpips");
  add_option(verb, "--guide-scale", flags.picture_scale, "how strongly");
  add_file_option(verb, "--guide-weights", flags.weights,
                  "--guide lpips: weights of LPIPS or EfficientNet-Lite0");
}

SteerRequest read_steering(const SteerFlags& flags, const LatentDiffusion& model) {
  SteerRequest out{
      .label = flags.label, .classifier_scale = flags.classifier_scale, .picture_scale = flags.picture_scale};
  check(flags.classifier.empty() == (flags.label < 0),
        "--classifier and --classifier-class: expected both or neither");
  if (!flags.classifier.empty()) {
    const auto classifier = load_noisy_classifier(flags.classifier);
    classifier->to(model.device());
    out.classifier = classifier;
  }
  check(flags.kind == "gaussian" || flags.kind == "lpips", "--guide: expected gaussian or lpips, got '",
        flags.kind, "'");
  const bool weighs = flags.kind == "lpips";
  check(weighs != flags.weights.empty(), "--guide ", flags.kind, ": expected ",
        weighs ? "--guide-weights, e.g. models/perceptual_efficientnet_lite0.safetensors"
               : "no --guide-weights");
  check(!flags.picture.empty() || !weighs, "--guide: expected a --guide-image");
  if (flags.picture.empty()) return out;
  out.picture = read_image(flags.picture);
  if (weighs) out.distance = open_perceptual(flags.weights, /*dropout=*/false, model.device());
  return out;
}

}  // namespace ldm::cli
