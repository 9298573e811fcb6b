#include "ldm/model/diffusers_weights.h"

#include <ATen/ATen.h>

#include <array>
#include <set>
#include <string>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/printable.h"
#include "ldm/model/diffusers_names.h"
#include "ldm/model/model_file.h"
#include "ldm/model/weight_file.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

// Names that diffusers and transformers have given to files of weights, best first.
constexpr const char* kWeightNames[] = {"diffusion_pytorch_model.safetensors",
                                        "diffusion_pytorch_model.safetensors.index.json",
                                        "model.safetensors",
                                        "model.safetensors.index.json",
                                        "diffusion_pytorch_model.fp16.safetensors",
                                        "model.fp16.safetensors",
                                        "diffusion_pytorch_model.bin",
                                        "diffusion_pytorch_model.bin.index.json",
                                        "pytorch_model.bin",
                                        "pytorch_model.bin.index.json",
                                        "diffusion_pytorch_model.fp16.bin",
                                        "pytorch_model.fp16.bin",
                                        "diffusion_pytorch_model.safetensors.index.fp16.json",
                                        "model.safetensors.index.fp16.json"};

constexpr std::array<const char*, 3> kQkv{".to_q", ".to_k", ".to_v"}, kOldQkv{".query", ".key", ".value"};

// The heads of an attention block with C channels; qkv is grouped by them.
int64_t heads_of(const UNetOptions& options, int64_t channels) {
  const int64_t heads =
      options.num_head_channels > 0 ? channels / options.num_head_channels : options.num_heads;
  check(heads > 0 && channels % heads == 0, ErrorKind::kFormat,
        "attention block: expected a number of heads that divides ", channels, " channels, got ", heads);
  return options.use_new_attention_order ? 1 : heads;
}

// [C, ...] three times -> [3 C, ...], rows grouped as head, (q, k, v), channel of the head.
torch::Tensor join_qkv_rows(const std::array<torch::Tensor, 3>& qkv, int64_t heads) {
  const int64_t channels = qkv[0].size(0), rest = qkv[0].numel() / channels;
  std::vector<torch::Tensor> parts;
  for (const auto& part : qkv) parts.push_back(part.reshape({heads, 1, channels / heads, rest}));
  auto joined = at::cat(parts, 1).reshape({3 * channels, rest});
  return qkv[0].dim() == 1 ? joined.flatten() : joined.unsqueeze(-1);
}

std::array<torch::Tensor, 3> split_qkv_rows(const torch::Tensor& qkv, int64_t heads) {
  const int64_t channels = qkv.size(0) / 3, rest = qkv.numel() / qkv.size(0);
  const auto parts = qkv.reshape({heads, 3, channels / heads, rest}).unbind(1);
  std::array<torch::Tensor, 3> out;
  for (size_t i = 0; i < 3; ++i)
    out[i] = qkv.dim() == 1 ? parts[i].reshape({channels}) : parts[i].reshape({channels, rest});
  return out;
}

// Joins the q, k and v of one attention block into `out`, if `module` has them under the given names.
void join_attention(StateDict& tensors, const std::string& ours, const std::string& theirs,
                    const std::array<const char*, 3>& names, const UNetOptions& options, StateDict& out) {
  const std::string block = theirs.substr(0, theirs.rfind('.'));
  for (const char* what : {".weight", ".bias"}) {
    std::array<torch::Tensor, 3> qkv;
    for (size_t i = 0; i < 3; ++i) {
      auto found = tensors.extract(block + names[i] + what);
      if (!found.empty()) qkv[i] = std::move(found.mapped());
    }
    if (!qkv[0].defined()) continue;
    check(qkv[1].defined() && qkv[2].defined() && qkv[0].sizes() == qkv[1].sizes() &&
              qkv[0].sizes() == qkv[2].sizes(),
          ErrorKind::kFormat, "attention block ", printable(block), ": expected q, k and v of one shape");
    out[ours + what] = join_qkv_rows(qkv, heads_of(options, qkv[0].size(0)));
  }
}

bool ends_with(const std::string& text, std::string_view end) {
  return std::string_view(text).ends_with(end);
}

// Renames the rest; `adapt` may change a tensor, knowing its new name.
template <typename Translate, typename Adapt>
void rename(StateDict& tensors, StateDict& out, ErrorKind kind, Translate&& translate, Adapt&& adapt) {
  while (!tensors.empty()) {
    auto entry = tensors.extract(tensors.begin());
    const auto name = translate(entry.key());
    check(name.has_value(), kind, "the tensor ", printable(entry.key()),
          " has no counterpart in the other layout");
    out[*name] = adapt(*name, entry.mapped());
  }
}

}  // namespace

DiffusersPart read_diffusers_part(const fs::path& folder) {
  const auto config = folder / "config.json";
  const MappedFile text(config);
  DiffusersPart out{.config = parse_json(text.bytes(), config.string())};
  for (const char* name : kWeightNames) {
    if (!fs::exists(folder / name)) continue;
    out.tensors = read_weight_file(folder / name).tensors;
    return out;
  }
  fail(ErrorKind::kData, folder.string(), ": expected weights, such as ", kWeightNames[0], "; found none");
}

void write_diffusers_part(const fs::path& folder, const Json& config, const StateDict& tensors,
                          const std::string& file, at::ScalarType dtype) {
  fs::create_directory(folder);
  write_file_atomic(folder / "config.json", to_json(config, 2) + "\n");
  write_tensor_file(folder / file, in_dtype(tensors, dtype), {{"format", "pt"}});
}

StateDict unet_from_diffusers(StateDict tensors, const UNetOptions& options) {
  const auto map = diffusers_unet_names(options);
  StateDict out;
  std::set<std::string>
      last_maps;  // Of attention blocks, [C, C, 1]; of linear transformers they stay [C, C].
  for (const auto& [ours, theirs] : map.modules()) {
    if (!ends_with(theirs, ".to_qkv")) continue;
    join_attention(tensors, ours, theirs, kQkv, options, out);
    join_attention(tensors, ours, theirs, kOldQkv, options, out);
    last_maps.insert(ours.substr(0, ours.rfind('.')) + ".proj_out.weight");
  }
  rename(
      tensors, out, ErrorKind::kFormat, [&](const std::string& name) { return map.to_ours(name); },
      [&](const std::string& name, const torch::Tensor& tensor) {
        return last_maps.contains(name) && tensor.dim() == 2 ? tensor.unsqueeze(-1) : tensor;
      });
  return out;
}

StateDict unet_to_diffusers(StateDict tensors, const UNetOptions& options) {
  const auto map = diffusers_unet_names(options);
  StateDict out;
  for (const auto& [ours, theirs] : map.modules()) {
    if (!ends_with(theirs, ".to_qkv")) continue;
    const std::string block = theirs.substr(0, theirs.rfind('.'));
    for (const char* what : {".weight", ".bias"}) {
      auto found = tensors.extract(ours + what);
      if (found.empty()) continue;
      const auto parts = split_qkv_rows(found.mapped(), heads_of(options, found.mapped().size(0) / 3));
      for (size_t i = 0; i < 3; ++i) out[block + kQkv[i] + what] = parts[i];
    }
  }
  rename(
      tensors, out, ErrorKind::kUsage, [&](const std::string& name) { return map.to_theirs(name); },
      [](const std::string& name, const torch::Tensor& tensor) {
        return ends_with(name, ".to_out.0.weight") && tensor.dim() == 3 ? tensor.squeeze(-1) : tensor;
      });
  return out;
}

StateDict first_stage_from_diffusers(StateDict tensors, const AutoencoderOptions& options) {
  const auto map = diffusers_first_stage_names(options);
  StateDict out;
  rename(
      tensors, out, ErrorKind::kFormat, [&](const std::string& name) { return map.to_ours(name); },
      [](const std::string& name, const torch::Tensor& tensor) {
        const bool attention = name.find(".attn") != name.npos && tensor.dim() == 2;
        return attention ? tensor.unsqueeze(-1).unsqueeze(-1) : tensor;
      });
  return out;
}

StateDict first_stage_to_diffusers(StateDict tensors, const AutoencoderOptions& options) {
  const auto map = diffusers_first_stage_names(options);
  StateDict out;
  rename(
      tensors, out, ErrorKind::kUsage, [&](const std::string& name) { return map.to_theirs(name); },
      [](const std::string& name, const torch::Tensor& tensor) {
        const bool attention = name.find(".attentions.") != name.npos && tensor.dim() == 4;
        return attention ? tensor.flatten(1) : tensor;
      });
  return out;
}

}  // namespace ldm
