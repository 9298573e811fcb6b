#include "cli/weight_summary.h"

#include <functional>
#include <numeric>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/gguf.h"
#include "ldm/io/safetensors.h"
#include "ldm/io/torch_file.h"
#include "ldm/io/weight_index.h"
#include "ldm/model/diffusers_folder.h"
#include "ldm/model/weight_file.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

WeightSummary summarize_torch(std::span<const std::byte> bytes) {
  auto file = parse_torch_file(bytes);
  WeightSummary out{.form = file.legacy ? "PyTorch checkpoint (before 1.6)" : "PyTorch checkpoint (zip)",
                    .metadata = std::move(file.values),
                    .foreign = std::move(file.foreign)};
  for (auto& t : file.tensors) out.tensors.push_back({t.name, std::string(dtype_name(t.dtype)), t.shape});
  return out;
}

WeightSummary summarize_gguf(std::span<const std::byte> bytes) {
  auto file = parse_gguf(bytes);
  WeightSummary out{.form = "GGUF " + std::to_string(file.version), .metadata = std::move(file.metadata)};
  for (auto& t : file.tensors) out.tensors.push_back({t.name, std::string(gguf_type_name(t.type)), t.shape});
  return out;
}

WeightSummary summarize_index(std::span<const std::byte> bytes, const fs::path& path) {
  WeightSummary out;
  std::set<std::string> files;
  for (const auto& [name, file] : parse_weight_index(bytes, path.string())) files.insert(file);
  for (const auto& file : files) {
    auto part = summarize_weights(path.parent_path() / file);
    out.form = part.form + " in " + std::to_string(files.size()) + " files";
    out.tensors.insert(out.tensors.end(), part.tensors.begin(), part.tensors.end());
    out.foreign.merge(part.foreign);
  }
  return out;
}

WeightSummary summarize_safetensors(std::span<const std::byte> bytes) {
  auto file = parse_safetensors(bytes);
  WeightSummary out{.form = "safetensors", .metadata = std::move(file.metadata)};
  for (auto& t : file.tensors) out.tensors.push_back({t.name, std::string(dtype_name(t.dtype)), t.shape});
  return out;
}

// All weights below a folder, under the names of its parts: "unet.conv_in.weight".
WeightSummary summarize_folder(const fs::path& folder) {
  WeightSummary out{.form = "folder of diffusers"};
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".safetensors" && extension != ".bin")) continue;
    const auto part = fs::relative(entry.path().parent_path(), folder).string();
    for (auto& tensor : summarize_weights(entry.path()).tensors) {
      if (part != ".") tensor.name = part + "." + tensor.name;
      out.tensors.push_back(std::move(tensor));
    }
  }
  check(!out.tensors.empty(), ErrorKind::kData, folder.string(), ": no weights in this folder");
  return out;
}

}  // namespace

int64_t TensorSummary::numbers() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

bool WeightSummary::has(const std::string& part) const {
  for (const auto& tensor : tensors) {
    if (tensor.name.find(part) != std::string::npos) return true;
  }
  return false;
}

std::string WeightSummary::layout() const {
  if (metadata.contains("ldm.format"))
    return metadata.at("ldm.kind") + " of this program, format " + metadata.at("ldm.format");
  if (has("lora_down.") || has("lora_A.") || has("lora.down.") || has("hada_w1") || has("lokr_w"))
    return "LoRA, LoHa or LoKr";
  if (has("string_to_param.") || has("emb_params")) return "textual inversion";
  if (has("control_model.") || has("controlnet_cond_embedding.")) return "ControlNet";
  if (has("unet.") && has("down_blocks.")) return "pipeline of diffusers";
  if (has("model.diffusion_model.")) return "diffusion model, original layout";
  if (has("down_blocks."))
    return has("encoder.down_blocks.") ? "first stage of diffusers" : "network of diffusers";
  if (has("encoder.down.")) return "first stage, original layout";
  return "weights of an unknown kind";
}

WeightSummary summarize_weights(const fs::path& path) {
  if (fs::is_directory(path))
    return is_diffusers_folder(path) ? summarize_folder(path) : summarize_weights(find_weight_index(path));
  const MappedFile mapped(path);
  const auto bytes = mapped.bytes();
  try {
    if (is_safetensors(bytes)) return summarize_safetensors(bytes);
    if (is_gguf(bytes)) return summarize_gguf(bytes);
    if (is_torch_file(bytes)) return summarize_torch(bytes);
    if (path.extension() == ".json") return summarize_index(bytes, path);
    fail(ErrorKind::kFormat,
         "no weights file that this program knows (safetensors; .ckpt, .pt or .bin; GGUF; folder of "
         "diffusers)");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kFormat) throw;
    throw Error(error.kind(), path.string() + ": " + error.what());
  }
}

}  // namespace ldm::cli
