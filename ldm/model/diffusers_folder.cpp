#include "ldm/model/diffusers_folder.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"
#include "ldm/model/diffusers_config.h"
#include "ldm/model/diffusers_text.h"
#include "ldm/model/diffusers_weights.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

Json read_json_file(const fs::path& path) {
  const MappedFile mapped(path);
  return parse_json(mapped.bytes(), path.string());
}

void add_prefixed(StateDict& to, StateDict from, const std::string& prefix) {
  for (auto& [name, tensor] : from) to.emplace(prefix + name, std::move(tensor));
}

Node with_params(const char* target, Node params) {
  Node out = Node::map();
  out.set("target", Node::string(target));
  out.set("params", std::move(params));
  return out;
}

// Reads a first stage into `out`; returns its {target, params} and scale_factor.
std::pair<Node, double> open_first_stage_part(const fs::path& folder, ModelFile& out) {
  auto part = read_diffusers_part(folder);
  auto [options, scale_factor] = read_diffusers_first_stage(part.config, (folder / "config.json").string());
  add_prefixed(out.tensors, first_stage_from_diffusers(std::move(part.tensors), options.ddconfig),
               "first_stage_model.");
  const char* target = options.n_embed > 0 ? "vq_model" : "autoencoder_kl";
  return {with_params(target, write_options(options)), scale_factor};
}

ModelFile open_first_stage_folder(const fs::path& folder) {
  ModelFile out{.kind = ModelKind::kFirstStage};
  out.config = Node::map();
  out.config.set("model", open_first_stage_part(folder, out).first);
  return out;
}

std::string conditioning_key(const UNetOptions& unet) {
  if (!unet.context_dim) return unet.num_classes ? "adm" : "";
  return unet.num_classes ? "crossattn-adm" : "crossattn";
}

fs::path first_stage_folder(const fs::path& folder) {
  for (const char* name : {"vae", "vqvae"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  fail(ErrorKind::kData, folder.string(), ": expected a folder vae or vqvae");
}

ModelFile open_pipeline(const fs::path& folder) {
  ModelFile out{.kind = ModelKind::kDiffusion};
  auto unet = read_diffusers_part(folder / "unet");
  const auto options = read_diffusers_unet(unet.config, (folder / "unet/config.json").string());
  add_prefixed(out.tensors, unet_from_diffusers(std::move(unet.tensors), options), "model.diffusion_model.");
  Node params = Node::map();
  const auto scheduler = folder / "scheduler/scheduler_config.json";
  read_diffusers_scheduler(read_json_file(scheduler), scheduler.string(), params);
  auto [first_stage, scale_factor] = open_first_stage_part(first_stage_folder(folder), out);
  params.set("scale_factor", Node::number(scale_factor));
  params.set("image_size", Node::integer(options.image_size));
  params.set("channels", Node::integer(options.out_channels));
  const auto key = conditioning_key(options);
  if (!key.empty()) params.set("conditioning_key", Node::string(key));
  params.set("unet_config", with_params("unet", write_options(options)));
  params.set("first_stage_config", std::move(first_stage));
  auto text = open_diffusers_text(folder);
  params.set("cond_stage_config", std::move(text.config));
  add_prefixed(out.tensors, std::move(text.tensors), "cond_stage_model.");
  out.vocabulary = std::move(text.vocabulary);
  out.config = Node::map();
  out.config.set("model", with_params("latent_diffusion", std::move(params)));
  return out;
}

}  // namespace

bool is_diffusers_folder(const fs::path& folder) {
  if (fs::exists(folder / "model_index.json") || fs::exists(folder / "unet/config.json")) return true;
  const auto config = folder / "config.json";
  return fs::is_regular_file(config) && read_json_file(config).contains("_class_name");
}

ModelFile open_diffusers_folder(const fs::path& folder) {
  if (fs::exists(folder / "unet")) return open_pipeline(folder);
  check(fs::exists(folder / "config.json"), ErrorKind::kData, folder.string(),
        ": expected a folder of diffusers with unet/ and vae/, or with the config.json of a first stage");
  return open_first_stage_folder(folder);
}

}  // namespace ldm
