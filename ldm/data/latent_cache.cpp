#include "ldm/data/latent_cache.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/sha256.h"
#include "ldm/core/stopped.h"
#include "ldm/data/loader.h"
#include "ldm/io/file.h"
#include "ldm/io/safetensors.h"

namespace ldm {
namespace {

constexpr const char* kFormatName = "ldm-latents-1";

}  // namespace

std::string latent_key(const Dataset& dataset, const std::string& first_stage_hash) {
  return sha256_hex(as_bytes(first_stage_hash + "\n" + dataset.fingerprint()));
}

torch::Tensor encode_dataset(const Dataset& dataset, const EncodeFn& encode, int64_t batch_size,
                             const ProgressFn& progress, const StopToken& stop) {
  check(batch_size >= 1, "encode_dataset: expected a batch size of at least 1, got ", batch_size);
  check(dataset.size() > 0, "encode_dataset: expected examples, got none");
  torch::Tensor latents;
  for (int64_t begin = 0; begin < dataset.size(); begin += batch_size) {
    check_stop(stop, "encode_dataset: stopped after ", begin, " pictures");
    std::vector<int64_t> indices(static_cast<size_t>(std::min(batch_size, dataset.size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    const auto count = static_cast<int64_t>(indices.size());
    const torch::Tensor part = encode(make_batch(dataset, std::move(indices), 0, {}).images).detach();
    check(part.dim() == 4 && part.size(0) == count, "encode_dataset: expected latents [", count,
          ", C, h, w], got ", part.sizes());
    if (!latents.defined()) {
      latents = at::empty({dataset.size(), part.size(1), part.size(2), part.size(3)}, at::kFloat);
    }
    latents.narrow(0, begin, count).copy_(part);
    report(progress, {"encoding", begin + count, dataset.size(), {}, "images"});
  }
  return latents;
}

std::optional<torch::Tensor> read_latents(const std::filesystem::path& path, const std::string& key) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const MappedFile file(path);
  const SafetensorsFile parsed = parse_safetensors(file.bytes());
  const auto format = parsed.metadata.find("format"), found = parsed.metadata.find("key");
  check(format != parsed.metadata.end() && format->second == kFormatName && found != parsed.metadata.end() &&
            parsed.tensors.size() == 1 && parsed.tensors[0].dtype == DType::kF32 &&
            parsed.tensors[0].shape.size() == 4,
        ErrorKind::kFormat, "read_latents: expected a latent cache at ", path.string(),
        ", got another safetensors file; hint: give the cache a path of its own");
  if (found->second != key) return std::nullopt;
  // The tensor keeps the mapping alive.
  void* data = const_cast<std::byte*>(parsed.tensors[0].data.data());
  return at::from_blob(
      data, parsed.tensors[0].shape, [owner = file.owner()](void*) {}, at::kFloat);
}

void write_latents(const std::filesystem::path& path, const torch::Tensor& latents, const std::string& key) {
  const torch::Tensor flat = latents.detach().to(at::kCPU, at::kFloat).contiguous();
  const std::span data(static_cast<const std::byte*>(flat.const_data_ptr()),
                       static_cast<size_t>(flat.nbytes()));
  write_safetensors(path, {{"latents", DType::kF32, flat.sizes().vec(), data}},
                    {{"format", kFormatName}, {"key", key}});
}

torch::Tensor cached_latents(const std::filesystem::path& path, const Dataset& dataset,
                             const std::string& first_stage_hash, const EncodeFn& encode, int64_t batch_size,
                             const ProgressFn& progress, const StopToken& stop) {
  if (path.empty()) return encode_dataset(dataset, encode, batch_size, progress, stop);
  const std::string key = latent_key(dataset, first_stage_hash);
  if (auto latents = read_latents(path, key); latents && latents->size(0) == dataset.size()) return *latents;
  const torch::Tensor latents = encode_dataset(dataset, encode, batch_size, progress, stop);
  write_latents(path, latents, key);
  return latents;
}

}  // namespace ldm
