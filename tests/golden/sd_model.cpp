#include "tests/golden/sd_model.h"

#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"
#include "ldm/model/clip_towers.h"
#include "ldm/model/diffusers_config.h"
#include "ldm/model/diffusers_text.h"
#include "ldm/model/diffusers_weights.h"
#include "ldm/model/original_weights.h"
#include "tests/golden/json_fields.h"

namespace ldm::golden {
namespace {

namespace fs = std::filesystem;

void fill(torch::nn::Module& module, StateDict& tensors, const std::string& prefix) {
  const auto report = take_state_dict(module, tensors, prefix);
  check(report.ok(), ErrorKind::kFormat, prefix, "\n", report.table());
  module.eval();
}

Json read_config(const fs::path& path) { return parse_json(MappedFile(path).bytes(), path.string()); }

std::shared_ptr<ClipText> folder_tower(const fs::path& folder) {
  auto part = read_diffusers_part(folder);
  auto tensors = clip_text_from_transformers(std::move(part.tensors));
  const auto tower = std::make_shared<ClipText>(read_clip_text_config(part.config, folder.string()));
  fill(*tower, tensors, "");
  return tower;
}

// A tower inside a checkpoint. OpenCLIP's have the layers that the file has and a projection.
std::shared_ptr<ClipText> inner_tower(const fs::path& config, StateDict& tensors, const std::string& prefix,
                                      ClipNaming naming) {
  auto options = read_clip_text_config(read_config(config), config.string());
  options.naming = naming;
  if (naming == ClipNaming::kOpenClip) {
    int64_t layers = 0;
    while (tensors.contains(prefix + "transformer.resblocks." + std::to_string(layers) + ".ln_1.weight"))
      ++layers;
    options.num_hidden_layers = layers;
    options.projection_dim = tensors.at(prefix + "text_projection").size(1);
  } else {
    options.projection_dim = 0;
  }
  const auto tower = std::make_shared<ClipText>(options);
  fill(*tower, tensors, prefix);
  return tower;
}

}  // namespace

ClipTokenizer read_clip_tokenizer_folder(const fs::path& folder) {
  const MappedFile vocab(folder / "vocab.json"), merges(folder / "merges.txt");
  ClipTokenizerOptions options;
  const Json special = read_config(folder / "special_tokens_map.json");
  const auto& pad = special.at("pad_token");
  options.pad_token = pad.is_object() ? pad.at("content").get<std::string>() : pad.get<std::string>();
  return ClipTokenizer::from_files(vocab.bytes(), merges.bytes(), options);
}

SdModel read_sd_folder(const fs::path& folder, const std::string& layout) {
  SdModel out{.layout = layout};
  auto unet = read_diffusers_part(folder / "unet");
  const auto options = read_diffusers_unet(unet.config, "unet/config.json");
  auto unet_weights = unet_from_diffusers(std::move(unet.tensors), options);
  out.unet = std::make_shared<UNet>(options);
  fill(*out.unet, unet_weights, "");
  out.adm_channels = options.adm_in_channels.value_or(0);
  auto vae = read_diffusers_part(folder / "vae");
  const auto stage = read_diffusers_first_stage(vae.config, "vae/config.json").options;
  auto stage_weights = first_stage_from_diffusers(std::move(vae.tensors), stage.ddconfig);
  out.first_stage = std::make_shared<AutoencoderKL>(stage.ddconfig, stage.embed_dim);
  fill(*out.first_stage, stage_weights, "");
  out.text = folder_tower(folder / "text_encoder");
  if (layout == "sdxl") out.text_2 = folder_tower(folder / "text_encoder_2");
  return out;
}

SdModel read_sd_single(const fs::path& file, const fs::path& folder, const Json& description) {
  SdModel out{.layout = description.at("layout"), .clip_skip = 2};
  auto tensors = original_weights(read_weight_file(file)).tensors;
  const auto options = read_json_options<UNetOptions>(description.at("config").at("unet"));
  out.adm_channels = options.adm_in_channels.value_or(0);
  out.unet = std::make_shared<UNet>(options);
  fill(*out.unet, tensors, "model.diffusion_model.");
  const Json& vae = description.at("config").at("vae");
  const auto ddconfig = read_json_options<AutoencoderOptions>(vae.at("ddconfig"));
  out.first_stage = std::make_shared<AutoencoderKL>(ddconfig, vae.at("embed_dim").get<int64_t>());
  fill(*out.first_stage, tensors, "first_stage_model.");
  const auto config = folder / "text_encoder/config.json", config_2 = folder / "text_encoder_2/config.json";
  if (out.layout == "sd1") {
    out.text = inner_tower(config, tensors, "cond_stage_model.transformer.", ClipNaming::kHuggingFace);
  } else if (out.layout == "sd2") {
    out.text = inner_tower(config, tensors, "cond_stage_model.model.", ClipNaming::kOpenClip);
  } else {
    out.text =
        inner_tower(config, tensors, "cond_stage_model.embedders.0.transformer.", ClipNaming::kHuggingFace);
    out.text_2 = inner_tower(config_2, tensors, "cond_stage_model.embedders.1.model.", ClipNaming::kOpenClip);
  }
  check(tensors.empty(), ErrorKind::kFormat,
        "left over: ", tensors.empty() ? std::string() : tensors.begin()->first);
  return out;
}

}  // namespace ldm::golden
