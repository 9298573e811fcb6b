#include "ldm/pipeline/memory_plan.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <variant>

#include "ldm/core/error.h"
#include "ldm/nn/unet_plan.h"
#include "ldm/pipeline/plan_sampling.h"

namespace ldm {
namespace {

constexpr int64_t kLeastMemory = int64_t{32} << 20;  // Below, halving it again helps nobody.
// Of a picture's decoding as a whole, where nothing better is known: a KL decoder of 128 channels.
constexpr int64_t kBytesPerPixel = 2560;

// What one block has in use at once, in floats for each pixel that comes in; and what it does to the size.
struct PartCost {
  int64_t floats = 0, out_channels = 0;
  int64_t up = 1, down = 1;
};

// Blocks hold their input, a normalised copy and what each step makes; attention is fused.
PartCost cost_of(const Conv2dOptions& o) { return {o.in_channels + o.out_channels, o.out_channels}; }
PartCost cost_of(const ResBlockOptions& o) {
  const int64_t grown = o.resample == Resample::kUp ? 4 : 1;
  return {(2 * o.in_channels + 3 * o.out_channels) * grown, o.out_channels,
          o.resample == Resample::kUp ? 2 : 1, o.resample == Resample::kDown ? 2 : 1};
}
PartCost cost_of(const AttentionBlockOptions& o) { return {7 * o.channels, o.channels}; }
PartCost cost_of(const SpatialTransformerOptions& o) {
  // The gated feed-forward network is the widest place: twice ff_mult times the width, and the half of it.
  return {(4 + 3 * o.ff_mult) * std::max(o.in_channels, o.heads * o.dim_head), o.in_channels};
}
PartCost cost_of(const DownsampleSpec& o) { return {o.in_channels + o.out_channels, o.out_channels, 1, 2}; }
PartCost cost_of(const UpsampleSpec& o) {
  return {5 * o.in_channels + 4 * o.out_channels, o.out_channels, 2, 1};
}

// Follows the sizes through the network.
class UNetWalk {
 public:
  UNetWalk(int64_t height, int64_t width) : height_(height), width_(width) {}
  void enter(const UNetStageSpec& stage) {
    for (const auto& part : stage) {
      const auto cost = std::visit([](const auto& o) { return cost_of(o); }, part);
      most_ = std::max(most_, cost.floats * height_ * width_);
      height_ = height_ * cost.up / cost.down;
      width_ = width_ * cost.up / cost.down;
      channels_ = cost.out_channels;
    }
  }
  int64_t result() const { return channels_ * height_ * width_; }
  int64_t most() const { return most_; }

 private:
  int64_t height_, width_, channels_ = 0, most_ = 0;
};

TileOptions tiles_of(int64_t side, int64_t overlap) {
  const int64_t stride = side - overlap;
  return {.height = side, .width = side, .stride_y = stride, .stride_x = stride};
}

int64_t default_overlap(int64_t side) { return side / 4; }

std::optional<TileOptions> asked_tiles(const TileRequest& tile) {
  if (tile.side == 0) return std::nullopt;
  check(tile.side > 0, "generate: expected a tile of a latent or more, got ", tile.side);
  const int64_t overlap = tile.overlap < 0 ? default_overlap(tile.side) : tile.overlap;
  check(overlap < tile.side, "generate: expected tiles that overlap by less than their ", tile.side,
        " latents, got ", overlap);
  return tiles_of(tile.side, overlap);
}

// Rows of one call for one picture.
int64_t rows_of(const LatentDiffusion& model, const GenerateRequest& r) {
  return !asks_twice(model, r) ? 1 : r.guidance.perp_neg > 0 ? 3 : 2;
}

}  // namespace

int64_t unet_bytes(const UNetOptions& options, int64_t height, int64_t width) {
  const auto plan = plan_unet(options);
  UNetWalk walk(height, width);
  int64_t waiting = 0;
  for (const auto& stage : plan.input) {
    walk.enter(stage);
    waiting += walk.result();
  }
  walk.enter(plan.middle);
  for (const auto& stage : plan.output) walk.enter(stage);
  return (waiting + walk.most()) * static_cast<int64_t>(sizeof(float));
}

MemoryPlan plan_memory(const LatentDiffusion& model, const GenerateRequest& r, const Canvas& canvas,
                       int64_t memory) {
  check(memory >= 0, "generate: expected an amount of memory, or 0 for any, got ", memory);
  const auto& unet = model.unet().options();
  const int64_t multiple = plan_unet(unet).size_multiple;
  MemoryPlan plan{.memory = memory, .batch = r.batch_size, .tiles = asked_tiles(r.tile)};
  if (memory == 0) return plan;
  const int64_t rows = rows_of(model, r);
  const auto bytes = [&](int64_t side) {
    return rows * unet_bytes(unet, std::min(side, canvas.latent_height), std::min(side, canvas.latent_width));
  };
  int64_t side = std::max(canvas.latent_height, canvas.latent_width);
  if (plan.tiles) {
    side = plan.tiles->height;
  } else if (bytes(side) > memory) {
    const int64_t least = std::max<int64_t>(model.options().image_size / multiple, 1) * multiple;
    while (side > least && bytes(side) > memory) side = std::max(least, side - multiple);
    plan.tiles_by_memory = side < std::max(canvas.latent_height, canvas.latent_width);
    if (plan.tiles_by_memory) plan.tiles = tiles_of(side, default_overlap(side));
  }
  plan.batch = std::clamp<int64_t>(memory / bytes(side), 1, r.batch_size);
  return plan;
}

std::optional<MemoryPlan> smaller_plan(const LatentDiffusion& model, const GenerateRequest& r,
                                       const Canvas& canvas, const MemoryPlan& plan, int64_t n) {
  if (n > 1) {
    auto half = plan;
    half.batch = n / 2;
    return half;
  }
  const int64_t before = plan.memory > 0 ? plan.memory : canvas.width * canvas.height * kBytesPerPixel;
  if (before / 2 < kLeastMemory) return std::nullopt;
  auto half = plan_memory(model, r, canvas, before / 2);
  half.batch = 1;
  return half;
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) || dynamic_cast<const c10::OutOfMemoryError*>(&error))
    return true;
  const auto says = [](std::string_view text, std::string_view words) {
    return text.find(words) != text.npos;
  };
  if (const auto* torch = dynamic_cast<const c10::Error*>(&error)) {
    const std::string_view text = torch->what_without_backtrace();
    return says(text, "can't allocate memory") || says(text, "not enough memory") ||
           says(text, "CUDNN_STATUS_ALLOC_FAILED") || says(text, "CUBLAS_STATUS_ALLOC_FAILED");
  }
  // Of the parallel kernels, and oneDNN's for a plan or its buffers that found no memory.
  return says(error.what(), "out of memory") || says(error.what(), "could not create a primitive") ||
         says(error.what(), "could not create a memory");
}

}  // namespace ldm
