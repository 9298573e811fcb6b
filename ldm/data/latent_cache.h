#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/data/dataset.h"

namespace ldm {

// images [N, 3, H, W] float32 in [-1, 1] -> latents [N, C, h, w]: means, or moments with twice the channels.
using EncodeFn = std::function<torch::Tensor(const torch::Tensor& images)>;

// Names what latents were made of; equal keys mean equal latents.
std::string latent_key(const Dataset& dataset, const std::string& first_stage_hash);

// Encodes every example once, unmirrored, in the data set's order: [size, C, h, w] float32 on the CPU. Throws
// kUsage if `encode` gives another shape than [N, C, h, w]; Stopped on a stop.
torch::Tensor encode_dataset(const Dataset& dataset, const EncodeFn& encode, int64_t batch_size,
                             const ProgressFn& progress = {}, const StopToken& stop = {});

// A file of latents (safetensors with the key in its metadata). Read: nothing if there is no file or its key
// is another (then encode anew and write over it); the tensor lies in the mapped file and must not be written
// to. Throws kFormat if the file is no such file, kData if it cannot be read or written.
std::optional<torch::Tensor> read_latents(const std::filesystem::path& path, const std::string& key);
void write_latents(const std::filesystem::path& path, const torch::Tensor& latents, const std::string& key);

// The two together: the latents of the file if its key fits, else encoded now and written. An empty path
// keeps no file.
torch::Tensor cached_latents(const std::filesystem::path& path, const Dataset& dataset,
                             const std::string& first_stage_hash, const EncodeFn& encode, int64_t batch_size,
                             const ProgressFn& progress = {}, const StopToken& stop = {});

}  // namespace ldm
