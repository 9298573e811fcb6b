#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// How a value x in [-1, 1] becomes one of 256 grey levels; all in float32. kRounded is ours; the others are
// the three truncating rules of the original scripts, kept to compare files with theirs.
enum class LevelRule {
  kRounded,  // rint(255 clip((x + 1) / 2, 0, 1)), half to even.
  kNpz,      // trunc(clip((x + 1) 127.5, 0, 255)): sample_diffusion.py, arrays.
  kPng,      // trunc(255 (clip(x, -1, 1) + 1) / 2): sample_diffusion.py, pictures.
  kTxt2img,  // trunc(255 clip((x + 1) / 2, 0, 1)): txt2img.py.
};

// One value; NaN gives 0.
uint8_t to_level(float x, LevelRule rule = LevelRule::kRounded);

// Planar floats [C, H, W] in [-1, 1] from a picture: v / 127.5 - 1.
std::vector<float> to_planes(const Image& image);

// A picture from planar floats [C, H, W] in [-1, 1]. Throws kUsage if planes.size() is not C * H * W.
Image from_planes(std::span<const float> planes, int64_t channels, int64_t height, int64_t width,
                  LevelRule rule = LevelRule::kRounded);

}  // namespace ldm
