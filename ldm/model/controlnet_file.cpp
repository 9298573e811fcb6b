#include "ldm/model/controlnet_file.h"

#include <ATen/ATen.h>

#include <string>
#include <string_view>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/printable.h"
#include "ldm/model/diffusers_names.h"
#include "ldm/model/diffusers_weights.h"
#include "ldm/model/json_reader.h"
#include "ldm/model/weight_file.h"
#include "ldm/nn/layers.h"
#include "ldm/nn/state_dict.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr char kHintIn[] = "input_hint_block.0.weight";

// The tensors below a prefix, under what follows it.
StateDict below(StateDict& tensors, std::string_view prefix) {
  StateDict out;
  for (auto it = tensors.lower_bound(std::string(prefix));
       it != tensors.end() && it->first.starts_with(prefix);) {
    const auto next = std::next(it);
    auto entry = tensors.extract(it);
    entry.key().erase(0, prefix.size());
    out.insert(std::move(entry));
    it = next;
  }
  return out;
}

// What a folder says beyond what the shapes tell.
void check_folder_config(const Json& config, const std::string& where) {
  const JsonReader json(config, where);
  json.only("_class_name", "ControlNetModel");
  json.only("controlnet_conditioning_channel_order", "rgb");
  json.only("global_pool_conditions", false);
  json.only("act_fn", "silu");
  json.only("norm_num_groups", 32);
}

StateDict read_control_weights(const fs::path& path) {
  if (!fs::is_directory(path)) return read_weight_file(path).tensors;
  auto part = read_diffusers_part(path);
  check_folder_config(part.config, (path / "config.json").string());
  return std::move(part.tensors);
}

StateDict from_diffusers(const StateDict& tensors, const UNetOptions& unet) {
  const auto map = diffusers_controlnet_names(unet);
  StateDict out;
  for (const auto& [name, tensor] : tensors) {
    const auto ours = map.to_ours(name);
    check(ours.has_value(), ErrorKind::kFormat, "the tensor ", printable(name),
          " has no place in a ControlNet of this model; it was made for another kind of model");
    out[*ours] = tensor;
  }
  return out;
}

// By whatever names, the original's without a prefix.
StateDict control_tensors(StateDict tensors, const UNetOptions& unet) {
  if (auto nested = below(tensors, "state_dict."); !nested.empty()) tensors = std::move(nested);
  if (auto control = below(tensors, "control_model."); !control.empty()) return control;
  if (tensors.contains("controlnet_cond_embedding.conv_in.weight")) return from_diffusers(tensors, unet);
  check(tensors.contains(kHintIn), ErrorKind::kFormat,
        "expected a ControlNet; none of the names begins with control_model., input_hint_block. or "
        "controlnet_cond_embedding.");
  return tensors;
}

int64_t input_channels(const StateDict& tensors, const char* name) {
  const auto found = tensors.find(name);
  check(found != tensors.end() && found->second.dim() == 4, ErrorKind::kFormat,
        "ControlNet: expected the convolution '", name, "'");
  return found->second.size(1);
}

std::shared_ptr<ControlNet> build(StateDict tensors, const UNetOptions& unet) {
  // It sees the latents without the channels that an inpainting model has for its condition.
  ControlNetOptions options{.unet = unet, .hint_channels = input_channels(tensors, kHintIn)};
  options.unet.in_channels = input_channels(tensors, "input_blocks.0.0.weight");
  const InitScope filled_by_the_file(Init::kNone);
  auto network = std::make_shared<ControlNet>(options);
  const auto report = take_state_dict(*network, tensors);
  check(report.ok(), ErrorKind::kFormat, "this ControlNet was made for another kind of model\n",
        report.table());
  network->eval();
  prepare_for_inference(*network);
  return network;
}

}  // namespace

std::shared_ptr<ControlNet> load_controlnet(const fs::path& path, const UNetOptions& unet) {
  try {
    return build(control_tensors(read_control_weights(path), unet), unet);
  } catch (const Error& error) {
    const std::string text = error.what();
    throw Error(error.kind(), text.starts_with(path.string()) ? text : path.string() + ": " + text);
  }
}

}  // namespace ldm
