#pragma once

#include <cstdint>
#include <exception>
#include <optional>

#include "ldm/model/latent_diffusion.h"
#include "ldm/model/tiles.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/request.h"

namespace ldm {

// How a request is drawn within its memory.
struct MemoryPlan {
  int64_t memory = 0;                // Bytes beside the weights; 0: any.
  int64_t batch = 1;                 // Pictures drawn at once.
  std::optional<TileOptions> tiles;  // Crops that the UNet sees; absent: all of the latents at once.
  bool tiles_by_memory = false;      // Nobody asked for them.
};

// Bytes that a UNet has in use at most, beside its weights, for one picture of height x width latents: the
// results that wait for the way up, and the largest block. An estimate from the network's plan, on the safe
// side.
int64_t unet_bytes(const UNetOptions& options, int64_t height, int64_t width);

// The most pictures at once that fit, at most the request's batch size. Crops where the request asks for
// them, or where one picture does not fit: then the largest that do, but none smaller than what the model was
// trained with. Throws kUsage for numbers out of range.
MemoryPlan plan_memory(const LatentDiffusion& model, const GenerateRequest& request, const Canvas& canvas,
                       int64_t memory);

// What to try after `plan` was too much for n pictures: half as many, then half the memory. Nothing when
// there is no less.
std::optional<MemoryPlan> smaller_plan(const LatentDiffusion& model, const GenerateRequest& request,
                                       const Canvas& canvas, const MemoryPlan& plan, int64_t n);

// Whether it says that memory could not be taken, on whatever device.
bool is_out_of_memory(const std::exception& error);

}  // namespace ldm
