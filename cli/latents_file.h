#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ldm/nn/first_stage.h"

namespace ldm::cli {

// One picture as a first stage codes it: [C, h, w], and the size that the picture had, which is at most that
// of the latents' pixels.
struct StoredLatents {
  std::string name;  // Of the tensor: the picture's file, "a.png".
  torch::Tensor tensor;
  int64_t width = 0, height = 0;
};

// A safetensors file with one tensor per picture; ldm encode also notes their sizes. In the order of names.
// Throws kData and kFormat, naming the file, for anything that is no latents of this first stage.
std::vector<StoredLatents> read_latents_file(const std::filesystem::path& file, const FirstStage& stage);

// Throws kData from the disk.
void write_latents_file(const std::filesystem::path& file, const std::vector<StoredLatents>& latents);

}  // namespace ldm::cli
