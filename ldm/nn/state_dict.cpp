#include "ldm/nn/state_dict.h"

#include <ATen/ATen.h>

#include <sstream>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/safetensors.h"
#include "ldm/nn/stored_tensor.h"

namespace ldm {
namespace {

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
  const MappedFile mapped(path);
  SafetensorsFile parsed;
  try {
    parsed = parse_safetensors(mapped.bytes());
  } catch (const Error& e) {
    throw Error(e.kind(), path.string() + ": " + e.what());
  }
  TensorFile file{.tensors = {}, .metadata = std::move(parsed.metadata)};
  for (const auto& entry : parsed.tensors) {
    const StridedEntry view{entry.name, entry.dtype, entry.shape, row_major_strides(entry.shape), entry.data};
    file.tensors.emplace(entry.name, stored_tensor(view, mapped.owner(), Stored::kMapped));
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
                       .dtype = dtype_of(t.scalar_type()),
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
  auto text = out.str();
  if (!text.empty()) text.pop_back();  // The caller ends its line itself.
  return text;
}

LoadReport load_state_dict(torch::nn::Module& module, const StateDict& tensors, std::string_view prefix) {
  StateDict copy = tensors;
  return take_state_dict(module, copy, prefix);
}

LoadReport take_state_dict(torch::nn::Module& module, StateDict& tensors, std::string_view prefix) {
  torch::NoGradGuard no_grad;
  LoadReport report;
  for (auto& [name, target] : named_tensors(module)) {
    const std::string key = std::string(prefix) + name;
    auto found = tensors.extract(key);
    if (found.empty()) {
      report.missing.push_back(key);
    } else if (found.mapped().sizes() != target.sizes()) {
      std::ostringstream line;
      line << key << ": expected " << target.sizes() << ", got " << found.mapped().sizes();
      report.mis_shaped.push_back(line.str());
    } else {
      target.copy_(found.mapped());
    }
  }
  for (auto it = tensors.lower_bound(std::string(prefix)); it != tensors.end(); ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0) break;
    report.unexpected.push_back(it->first);
  }
  return report;
}

}  // namespace ldm
