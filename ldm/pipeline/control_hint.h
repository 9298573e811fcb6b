#pragma once

#include <memory>
#include <vector>

#include "ldm/model/control.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// The request's ControlNets with their pictures as hints for what is drawn: resized to cover the canvas, cut
// to it around the middle, and continued at the right and bottom where more is drawn than shown. Throws
// kUsage for a picture with transparency, or a network that reads neither grey nor colour.
std::vector<std::shared_ptr<const Control>> bind_controls(const LatentDiffusion& model,
                                                          const GenerateRequest& request,
                                                          const Canvas& canvas);

}  // namespace ldm
