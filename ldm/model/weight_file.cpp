#include "ldm/model/weight_file.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/gguf.h"
#include "ldm/io/printable.h"
#include "ldm/io/torch_file.h"
#include "ldm/io/weight_index.h"
#include "ldm/nn/stored_tensor.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

WeightFile read_safetensors_weights(const MappedFile& mapped) {
  auto parsed = parse_safetensors(mapped.bytes());
  WeightFile out{.form = WeightForm::kSafetensors, .metadata = std::move(parsed.metadata)};
  for (const auto& entry : parsed.tensors) {
    const StridedEntry view{entry.name, entry.dtype, entry.shape, row_major_strides(entry.shape), entry.data};
    out.tensors.emplace(entry.name, stored_tensor(view, mapped.owner(), Stored::kMapped));
    out.dtypes.emplace(dtype_name(entry.dtype));
  }
  return out;
}

bool lies_in(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() < whole.data() + whole.size());
}

WeightFile read_torch_weights(const MappedFile& mapped) {
  auto parsed = parse_torch_file(mapped.bytes());
  WeightFile out{.form = parsed.legacy ? WeightForm::kTorchLegacy : WeightForm::kTorchZip,
                 .metadata = std::move(parsed.values),
                 .foreign = std::move(parsed.foreign)};
  const auto inflated = std::make_shared<const decltype(parsed.storages)>(std::move(parsed.storages));
  for (const auto& entry : parsed.tensors) {
    const bool in_file = lies_in(entry.data, mapped.bytes());
    auto tensor = in_file ? stored_tensor(entry, mapped.owner(), Stored::kMapped)
                          : stored_tensor(entry, inflated, Stored::kInMemory);
    out.tensors.emplace(entry.name, std::move(tensor));
    out.dtypes.emplace(dtype_name(entry.dtype));
  }
  return out;
}

WeightFile read_gguf_weights(const MappedFile& mapped) {
  auto parsed = parse_gguf(mapped.bytes());
  WeightFile out{.form = WeightForm::kGguf, .metadata = std::move(parsed.metadata)};
  for (const auto& entry : parsed.tensors) {
    auto tensor = at::empty(entry.shape, at::kFloat);
    dequantize(entry, {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())});
    out.tensors.emplace(entry.name, std::move(tensor));
    out.dtypes.emplace(gguf_type_name(entry.type));
  }
  return out;
}

// All files that the index names, each of which holds what the index says and nothing else.
WeightFile read_indexed_weights(const MappedFile& mapped, const fs::path& path) {
  const auto index = parse_weight_index(mapped.bytes(), path.string());
  std::set<std::string> files;
  for (const auto& [name, file] : index) files.insert(file);
  WeightFile out;
  for (const auto& file : files) {
    auto part = read_weight_file(path.parent_path() / file);
    for (auto& [name, tensor] : part.tensors) {
      const auto found = index.find(name);
      check(found != index.end() && found->second == file, ErrorKind::kFormat, path.string(), ": ", file,
            " holds ", printable(name), ", which the index does not look for there");
      out.tensors.emplace(name, std::move(tensor));
    }
    out.form = part.form;
    out.metadata.merge(part.metadata);
    out.dtypes.merge(part.dtypes);
  }
  for (const auto& [name, file] : index) {
    check(out.tensors.contains(name), ErrorKind::kFormat, path.string(), ": ", file, " does not hold ",
          printable(name));
  }
  return out;
}

WeightFile read_by_content(const MappedFile& mapped, const fs::path& path) {
  const auto bytes = mapped.bytes();
  if (is_safetensors(bytes)) return read_safetensors_weights(mapped);
  if (is_gguf(bytes)) return read_gguf_weights(mapped);
  if (is_torch_file(bytes)) return read_torch_weights(mapped);
  if (path.extension() == ".json") return read_indexed_weights(mapped, path);
  fail(
      ErrorKind::kFormat,
      "no weights file that this program knows (safetensors; .ckpt, .pt or .bin; GGUF; folder of diffusers)");
}

}  // namespace

std::string to_string(WeightForm form) {
  switch (form) {
    case WeightForm::kSafetensors:
      return "safetensors";
    case WeightForm::kTorchZip:
      return "PyTorch checkpoint (zip)";
    case WeightForm::kTorchLegacy:
      return "PyTorch checkpoint (before 1.6)";
    case WeightForm::kGguf:
      return "GGUF";
  }
  return "?";
}

fs::path find_weight_index(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with(".index.json")) found.push_back(entry.path());
  }
  check(found.size() == 1, ErrorKind::kData, folder.string(),
        ": expected a folder of diffusers (model_index.json, unet/ or a network's config.json), or one index "
        "of weights in several files; hint: name one file in it");
  return found.front();
}

WeightFile read_weight_file(const fs::path& path) {
  const MappedFile mapped(path);
  try {
    return read_by_content(mapped, path);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kFormat) throw;
    throw Error(error.kind(), path.string() + ": " + error.what());
  }
}

}  // namespace ldm
