#pragma once

#include <memory>

#include "ldm/image/image.h"
#include "ldm/nn/controlnet.h"

namespace ldm {

// A ControlNet and the picture that it follows.
struct ControlRequest {
  std::shared_ptr<const ControlNet> network;
  Image picture;  // Grey or colour; resized to cover what is drawn and cut around its middle.
  double strength = 1.0;
};

}  // namespace ldm
