#pragma once

#include <cstdint>
#include <memory>

#include "ldm/image/image.h"
#include "ldm/model/noisy_classifier.h"
#include "ldm/model/perceptual.h"

namespace ldm {

// Guidance by gradients, around the prompt's own (diffusion/gradient_guidance.h).
struct SteerRequest {
  std::shared_ptr<const NoisyClassifier> classifier;  // Null: none.
  int64_t label = -1;                                 // The class that it leads to.
  double classifier_scale = 1.0;
  // A picture to resemble; empty: none. It is cut and resized to the canvas; one that is smaller by a whole
  // factor in both directions is compared with the drawn picture's means over such squares.
  Image picture;
  double picture_scale = 1.0;
  PerceptualFn distance;  // Empty: half the squared distance (the Gaussian guide).

  bool empty() const { return classifier == nullptr && picture.pixels.empty(); }
};

}  // namespace ldm
