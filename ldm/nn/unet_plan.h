#pragma once

#include <variant>
#include <vector>

#include "ldm/nn/attention_block.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/res_block.h"
#include "ldm/nn/resample_layers.h"
#include "ldm/nn/spatial_transformer.h"
#include "ldm/nn/unet_options.h"

namespace ldm {

struct DownsampleSpec : ResampleOptions {};
struct UpsampleSpec : ResampleOptions {};

// One block of a stage.
using UNetPartSpec = std::variant<Conv2dOptions, ResBlockOptions, AttentionBlockOptions,
                                  SpatialTransformerOptions, DownsampleSpec, UpsampleSpec>;

// One entry of input_blocks, middle_block or output_blocks: its parts in the order of their keys .0, .1, .2.
using UNetStageSpec = std::vector<UNetPartSpec>;

// The shape of a UNet as data. Every input stage's result is kept; output stage i takes the last one not yet
// taken, behind what comes from below.
struct UNetPlan {
  std::vector<UNetStageSpec> input;
  UNetStageSpec middle;
  std::vector<UNetStageSpec> output;
  std::vector<int64_t> skip_channels;  // Width of each input stage's result.
  // Multiples of it can be halved at every level without a rest.
  int64_t size_multiple = 1;
};

// Width of the time embedding.
int64_t embedding_width(const UNetOptions& options);

// Lays a UNet out (ADM's arrangement: Dhariwal & Nichol 2021, Sec. 3). Throws kUsage for settings that
// contradict each other, naming the setting.
UNetPlan plan_unet(const UNetOptions& options);

}  // namespace ldm
