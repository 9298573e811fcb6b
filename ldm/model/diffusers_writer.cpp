#include "ldm/model/diffusers_writer.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/folder.h"
#include "ldm/io/json.h"
#include "ldm/model/diffusers_config.h"
#include "ldm/model/diffusers_folder.h"
#include "ldm/model/diffusers_text_writer.h"
#include "ldm/model/diffusers_weights.h"
#include "ldm/model/engine_config.h"
#include "ldm/model/targets.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

StateDict part_of(const StateDict& tensors, const std::string& prefix) {
  StateDict out;
  for (auto it = tensors.lower_bound(prefix); it != tensors.end() && it->first.starts_with(prefix); ++it)
    out.emplace(it->first.substr(prefix.size()), it->second);
  return out;
}

Json scheduler_config(const LatentDiffusionOptions& o) {
  check(o.beta_schedule == "linear" || o.beta_schedule == "sqrt_linear" || o.beta_schedule == "cosine",
        "a folder of diffusers cannot hold the beta_schedule ", o.beta_schedule);
  const char* betas = o.beta_schedule == "linear"   ? "scaled_linear"
                      : o.beta_schedule == "cosine" ? "squaredcos_cap_v2"
                                                    : "linear";
  const char* prediction = o.parameterization == "eps" ? "epsilon"
                           : o.parameterization == "v" ? "v_prediction"
                                                       : "sample";
  return {{"_class_name", "DDIMScheduler"},
          {"beta_start", o.linear_start},
          {"beta_end", o.linear_end},
          {"beta_schedule", betas},
          {"num_train_timesteps", o.timesteps},
          {"prediction_type", prediction},
          {"rescale_betas_zero_snr", o.zero_terminal_snr},
          {"clip_sample", false},
          {"set_alpha_to_one", false},
          {"steps_offset", 1}};
}

// Returns whether it is a VQ model.
bool write_first_stage_part(const fs::path& parent, const ModelFile& model, const Node& config,
                            double scale_factor, at::ScalarType dtype) {
  FirstStageOptions options;
  read_options(config.at("params"), options, "first_stage_config.params");
  const bool codebook =
      parse_target(config.at("target").text(), "first_stage_config.target") == Target::kVqModel;
  auto tensors = first_stage_to_diffusers(part_of(model.tensors, "first_stage_model."), options.ddconfig);
  const bool alone = model.kind == ModelKind::kFirstStage;
  write_diffusers_part(alone ? parent : parent / (codebook ? "vqvae" : "vae"),
                       write_diffusers_first_stage(options, scale_factor), tensors,
                       "diffusion_pytorch_model.safetensors", dtype);
  return codebook;
}

void write_pipeline(const fs::path& folder, const ModelFile& model, at::ScalarType dtype) {
  const auto o = read_latent_diffusion_options(model.config.at("model"), "model");
  UNetOptions unet;
  read_options(o.unet_config.at("params"), unet, "unet_config.params");
  check(model.first_stage.empty(),
        "a folder of diffusers holds the first stage; this model names one in another file; hint: "
        "put_first_stage_inside");
  write_diffusers_part(folder / "unet", write_diffusers_unet(unet),
                       unet_to_diffusers(part_of(model.tensors, "model.diffusion_model."), unet),
                       "diffusion_pytorch_model.safetensors", dtype);
  const bool codebook = write_first_stage_part(folder, model, o.first_stage_config, o.scale_factor, dtype);
  fs::create_directory(folder / "scheduler");
  write_file_atomic(folder / "scheduler/scheduler_config.json", to_json(scheduler_config(o), 2) + "\n");
  const Json text = write_diffusers_text(folder, o.cond_stage_config, model.tensors, model.vocabulary, dtype);
  const bool captions = !text.is_null(), two = captions && text.contains("text_encoder_2");
  Json index{{"_class_name", two        ? "StableDiffusionXLPipeline"
                             : captions ? "StableDiffusionPipeline"
                                        : "LDMPipeline"},
             {"unet", {"diffusers", captions ? "UNet2DConditionModel" : "UNet2DModel"}},
             {codebook ? "vqvae" : "vae", {"diffusers", codebook ? "VQModel" : "AutoencoderKL"}},
             {"scheduler", {"diffusers", "DDIMScheduler"}}};
  if (captions) index.update(text);
  if (captions && !two) {
    index["safety_checker"] = {nullptr, nullptr};
    index["feature_extractor"] = {nullptr, nullptr};
    index["requires_safety_checker"] = false;
  }
  write_file_atomic(folder / "model_index.json", to_json(index, 2) + "\n");
}

// Whether write_diffusers_folder may put its own in this one's place.
bool is_replaceable(const fs::path& folder) {
  return !fs::exists(folder) ||
         (fs::is_directory(folder) && (fs::is_empty(folder) || is_diffusers_folder(folder)));
}

}  // namespace

void write_diffusers_folder(const fs::path& folder, const ModelFile& model, at::ScalarType dtype) {
  const auto name = folder.filename().empty() ? folder.parent_path() : folder;
  check(is_replaceable(name), name.string(),
        ": only a folder of diffusers is written over; hint: choose another name");
  const ScratchFolder scratch(name);
  if (model.kind == ModelKind::kFirstStage) {
    const auto& config = model.config.at("model");
    write_first_stage_part(scratch.path(), model, config, 1.0, dtype);
  } else {
    write_pipeline(scratch.path(), model, dtype);
  }
  replace_folder(scratch.path(), name);
}

}  // namespace ldm
