#include "ldm/model/adapter_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/printable.h"
#include "ldm/model/diffusers_names.h"
#include "ldm/model/weight_file.h"

namespace ldm {
namespace {

// Where a tensor of a file belongs, by the end of its name.
struct AdapterSlot {
  std::string_view suffix;
  void (*put)(WeightAdapter& adapter, const torch::Tensor& tensor);
};

template <typename Factors>
Factors& factors(WeightAdapter& adapter) {
  // A new adapter is an empty LoRA.
  auto* lora = std::get_if<LoraFactors>(&adapter.factors);
  const bool empty = lora != nullptr && !lora->down.defined() && !lora->up.defined() && !lora->mid.defined();
  if (empty && !std::holds_alternative<Factors>(adapter.factors)) adapter.factors = Factors{};
  check(std::holds_alternative<Factors>(adapter.factors), ErrorKind::kFormat,
        "a module has adapters of two kinds");
  return std::get<Factors>(adapter.factors);
}

template <typename Factors, torch::Tensor Factors::*member>
void put(WeightAdapter& adapter, const torch::Tensor& tensor) {
  factors<Factors>(adapter).*member = tensor;
}

void put_alpha(WeightAdapter& adapter, const torch::Tensor& tensor) {
  check(tensor.numel() == 1, ErrorKind::kFormat, "expected alpha to be one number");
  adapter.alpha = tensor.item<double>();
}

constexpr AdapterSlot kSlots[] = {
    {".lora_down.weight", put<LoraFactors, &LoraFactors::down>},
    {".lora_up.weight", put<LoraFactors, &LoraFactors::up>},
    {".lora_mid.weight", put<LoraFactors, &LoraFactors::mid>},
    {".lora_A.weight", put<LoraFactors, &LoraFactors::down>},
    {".lora_B.weight", put<LoraFactors, &LoraFactors::up>},
    {".lora.down.weight", put<LoraFactors, &LoraFactors::down>},
    {".lora.up.weight", put<LoraFactors, &LoraFactors::up>},
    {".lora_linear_layer.down.weight", put<LoraFactors, &LoraFactors::down>},
    {".lora_linear_layer.up.weight", put<LoraFactors, &LoraFactors::up>},
    {".alpha", put_alpha},
    {".hada_w1_a", put<LohaFactors, &LohaFactors::w1_a>},
    {".hada_w1_b", put<LohaFactors, &LohaFactors::w1_b>},
    {".hada_w2_a", put<LohaFactors, &LohaFactors::w2_a>},
    {".hada_w2_b", put<LohaFactors, &LohaFactors::w2_b>},
    {".hada_t1", put<LohaFactors, &LohaFactors::t1>},
    {".hada_t2", put<LohaFactors, &LohaFactors::t2>},
    {".lokr_w1", put<LokrFactors, &LokrFactors::w1>},
    {".lokr_w1_a", put<LokrFactors, &LokrFactors::w1_a>},
    {".lokr_w1_b", put<LokrFactors, &LokrFactors::w1_b>},
    {".lokr_w2", put<LokrFactors, &LokrFactors::w2>},
    {".lokr_w2_a", put<LokrFactors, &LokrFactors::w2_a>},
    {".lokr_w2_b", put<LokrFactors, &LokrFactors::w2_b>},
    {".lokr_t2", put<LokrFactors, &LokrFactors::t2>},
};

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

constexpr std::string_view kWeight = ".weight";

// All names under which files know the module of one UNet weight.
void add_unet_names(AdapterTargets& targets, const std::string& module, const torch::Tensor& weight) {
  targets["lora_unet_" + with_underscores(module)] = weight;
  targets["unet." + module] = weight;
}

// q, k and v are the thirds of a fused projection.
void add_thirds(AdapterTargets& targets, const std::string& block, const torch::Tensor& weight,
                const std::vector<std::string>& prefixes) {
  const auto thirds = weight.chunk(3, 0);
  const char* const names[] = {"q_proj", "k_proj", "v_proj"};
  for (size_t i = 0; i < thirds.size(); ++i) {
    for (const auto& prefix : prefixes) {
      const std::string module = block + names[i];
      targets[prefix + (prefix.ends_with('_') ? with_underscores(module) : module)] = thirds[i];
    }
  }
}

// "transformer.resblocks.3.attn.in_proj_weight" -> "text_model.encoder.layers.3.self_attn."
std::string attention_of_block(const std::string& name) {
  constexpr std::string_view kBlocks = "transformer.resblocks.";
  const auto number = name.substr(kBlocks.size(), name.find('.', kBlocks.size()) - kBlocks.size());
  return "text_model.encoder.layers." + number + ".self_attn.";
}

// A module of OpenCLIP's tower by the name that transformers gives it.
std::string transformers_name(const std::string& module) {
  constexpr std::pair<std::string_view, std::string_view> kParts[] = {
      {"transformer.resblocks.", "text_model.encoder.layers."},
      {".attn.out_proj", ".self_attn.out_proj"},
      {".mlp.c_fc", ".mlp.fc1"},
      {".mlp.c_proj", ".mlp.fc2"}};
  std::string out = module;
  for (const auto& [from, to] : kParts) {
    if (const auto at = out.find(from); at != out.npos) out.replace(at, from.size(), to);
  }
  return out;
}

}  // namespace

AdapterSet read_adapters(const StateDict& tensors) {
  AdapterSet out;
  for (const auto& [name, tensor] : tensors) {
    const auto slot = std::find_if(std::begin(kSlots), std::end(kSlots),
                                   [&](const auto& candidate) { return name.ends_with(candidate.suffix); });
    check(slot != std::end(kSlots), ErrorKind::kFormat, "the tensor ", printable(name),
          " is no part of a LoRA, LoHa or LoKr",
          name.ends_with("dora_scale") ? " (DoRA is not supported)" : "");
    slot->put(out[name.substr(0, name.size() - slot->suffix.size())], tensor);
  }
  return out;
}

void add_unet_targets(AdapterTargets& targets, const UNet& unet) {
  const auto map = diffusers_unet_names(unet.options());
  for (const auto& item : unet.named_parameters()) {
    const auto& name = item.key();
    if (!name.ends_with(kWeight) || item.value().dim() < 2) continue;
    const std::string module = name.substr(0, name.size() - kWeight.size());
    add_unet_names(targets, module, item.value().detach());
    if (const auto theirs = map.to_theirs(module)) add_unet_names(targets, *theirs, item.value().detach());
  }
}

void add_text_targets(AdapterTargets& targets, const ClipText& tower,
                      const std::vector<std::string>& prefixes) {
  for (const auto& item : tower.named_parameters()) {
    const auto& name = item.key();
    if (item.value().dim() != 2) continue;
    if (name.ends_with(".in_proj_weight")) {
      add_thirds(targets, attention_of_block(name), item.value().detach(), prefixes);
      continue;
    }
    if (!name.ends_with(kWeight)) continue;
    const std::string module = transformers_name(name.substr(0, name.size() - kWeight.size()));
    for (const auto& prefix : prefixes)
      targets[prefix + (prefix.ends_with('_') ? with_underscores(module) : module)] = item.value().detach();
  }
}

std::vector<std::string> merge_adapters(const AdapterTargets& targets, const AdapterSet& adapters,
                                        double strength) {
  std::vector<std::string> unmatched;
  for (const auto& [name, adapter] : adapters) {
    if (!targets.contains(name)) unmatched.push_back(name);
  }
  check(unmatched.size() < adapters.size(), ErrorKind::kFormat, "none of the ", adapters.size(),
        " adapted modules is one of this model's, such as ", printable(unmatched.empty() ? "" : unmatched[0]),
        "; it was made for another kind of model");
  for (const auto& [name, adapter] : adapters) {
    const auto target = targets.find(name);
    if (target == targets.end()) continue;
    try {
      merge_adapter(target->second, adapter, strength);
    } catch (const Error& error) {
      throw Error(error.kind(), printable(name) + ": " + error.what());
    }
  }
  return unmatched;
}

std::vector<std::string> add_adapters(LatentDiffusion& model, const std::filesystem::path& path,
                                      double strength) {
  torch::NoGradGuard no_grad;
  AdapterTargets targets;
  add_unet_targets(targets, model.unet());
  const auto parts = model.conditioner() == nullptr ? std::vector<std::shared_ptr<torch::nn::Module>>{}
                                                    : model.conditioner()->modules(/*include_self=*/false);
  int64_t towers = 0;
  for (const auto& part : parts) {
    const auto* tower = dynamic_cast<const ClipText*>(part.get());
    if (tower == nullptr) continue;
    const bool first = towers++ == 0;
    add_text_targets(targets, *tower,
                     first ? std::vector<std::string>{"lora_te_", "lora_te1_", "text_encoder."}
                           : std::vector<std::string>{"lora_te2_", "text_encoder_2."});
  }
  try {
    return merge_adapters(targets, read_adapters(read_weight_file(path).tensors), strength);
  } catch (const Error& error) {
    const std::string text = error.what();
    throw Error(error.kind(), text.starts_with(path.string()) ? text : path.string() + ": " + text);
  }
}

}  // namespace ldm
