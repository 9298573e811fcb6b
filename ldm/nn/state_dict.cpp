#include "ldm/nn/state_dict.h"

#include <ATen/ATen.h>

#include <sstream>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/safetensors.h"

namespace ldm {
namespace {

constexpr std::pair<DType, at::ScalarType> kTypes[] = {{DType::kF64, at::kDouble},
                                                       {DType::kF32, at::kFloat},
                                                       {DType::kF16, at::kHalf},
                                                       {DType::kBF16, at::kBFloat16},
                                                       {DType::kI64, at::kLong},
                                                       {DType::kI32, at::kInt},
                                                       {DType::kI16, at::kShort},
                                                       {DType::kI8, at::kChar},
                                                       {DType::kU8, at::kByte},
                                                       {DType::kBool, at::kBool},
                                                       {DType::kF8E4M3, at::kFloat8_e4m3fn},
                                                       {DType::kF8E5M2, at::kFloat8_e5m2}};

at::ScalarType scalar_type(const TensorEntry& entry) {
  for (const auto& [ours, torch_type] : kTypes) {
    if (ours == entry.dtype) return torch_type;
  }
  fail(ErrorKind::kFormat, "safetensors: tensor '", entry.name, "' has a dtype that is not supported");
}

DType dtype_of(const std::string& name, at::ScalarType type) {
  for (const auto& [ours, torch_type] : kTypes) {
    if (torch_type == type) return ours;
  }
  fail(ErrorKind::kUsage, "write_tensor_file: tensor '", name, "' has dtype ", at::toString(type),
       ", which safetensors cannot hold");
}

// Everything a module would save: parameters, then buffers.
std::vector<std::pair<std::string, torch::Tensor>> named_tensors(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, torch::Tensor>> out;
  for (const auto& item : module.named_parameters()) out.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) out.emplace_back(item.key(), item.value());
  return out;
}

void list(std::ostringstream& out, const char* title, const std::vector<std::string>& names) {
  constexpr size_t kShown = 20;
  if (names.empty()) return;
  out << title << " (" << names.size() << "):\n";
  for (size_t i = 0; i < names.size() && i < kShown; ++i) out << "  " << names[i] << '\n';
  if (names.size() > kShown) out << "  ... and " << names.size() - kShown << " more\n";
}

}  // namespace

TensorFile read_tensor_file(const std::filesystem::path& path) {
  const auto mapped = std::make_shared<MappedFile>(path);
  SafetensorsFile parsed;
  try {
    parsed = parse_safetensors(mapped->bytes());
  } catch (const Error& e) {
    throw Error(e.kind(), path.string() + ": " + e.what());
  }
  TensorFile file{.tensors = {}, .metadata = std::move(parsed.metadata)};
  for (const auto& entry : parsed.tensors) {
    // from_blob wants a mutable pointer; the pages are mapped privately and nothing here writes to them.
    auto* data = const_cast<std::byte*>(entry.data.data());
    const auto type = scalar_type(entry);
    const auto width = static_cast<uintptr_t>(c10::elementSize(type));
    auto tensor = at::from_blob(
        data, entry.shape, [mapped](void*) {}, at::TensorOptions().dtype(type));
    if (reinterpret_cast<uintptr_t>(data) % width != 0) {
      auto aligned = at::empty(entry.shape, at::TensorOptions().dtype(type));
      std::memcpy(aligned.data_ptr(), data, entry.data.size());
      tensor = aligned;
    }
    file.tensors.emplace(entry.name, std::move(tensor));
  }
  return file;
}

void write_tensor_file(const std::filesystem::path& path, const StateDict& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<torch::Tensor> kept;  // Contiguous host copies, alive until the write is done.
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().to(at::kCPU).contiguous());
    const auto& t = kept.back();
    entries.push_back({.name = name,
                       .dtype = dtype_of(name, t.scalar_type()),
                       .shape = t.sizes().vec(),
                       .data = {static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()}});
  }
  write_safetensors(path, entries, metadata);
}

StateDict state_dict(const torch::nn::Module& module, std::string_view prefix) {
  StateDict out;
  for (auto& [name, tensor] : named_tensors(module)) out.emplace(std::string(prefix) + name, tensor.detach());
  return out;
}

std::string LoadReport::table() const {
  std::ostringstream out;
  list(out, "missing", missing);
  list(out, "unexpected", unexpected);
  list(out, "of another shape", mis_shaped);
  return out.str();
}

LoadReport load_state_dict(torch::nn::Module& module, const StateDict& tensors, std::string_view prefix) {
  torch::NoGradGuard no_grad;
  LoadReport report;
  std::map<std::string, bool> used;
  for (auto& [name, target] : named_tensors(module)) {
    const std::string key = std::string(prefix) + name;
    const auto found = tensors.find(key);
    if (found == tensors.end()) {
      report.missing.push_back(key);
      continue;
    }
    used[key] = true;
    if (found->second.sizes() != target.sizes()) {
      std::ostringstream line;
      line << key << ": expected " << target.sizes() << ", got " << found->second.sizes();
      report.mis_shaped.push_back(line.str());
      continue;
    }
    target.copy_(found->second);
  }
  for (auto it = tensors.lower_bound(std::string(prefix)); it != tensors.end(); ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0) break;
    if (!used.count(it->first)) report.unexpected.push_back(it->first);
  }
  return report;
}

}  // namespace ldm
