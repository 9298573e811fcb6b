#pragma once

#include <string>
#include <string_view>

#include "ldm/config/node.h"
#include "ldm/model/latent_diffusion.h"

namespace ldm {

// `model.params` of generative-models' DiffusionEngine (sgm/models/diffusion.py), for drawing.
struct DiffusionEngineOptions {
  double scale_factor = 1.0;  // Latents are multiplied by it after encoding.
  bool use_ema = false;
  std::string ckpt_path;
  Node network_config;
  Node denoiser_config;
  Node first_stage_config;
  Node conditioner_config;
  Node scheduler_config;

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("scale_factor", scale_factor, "latents are multiplied by it after encoding");
    visit("use_ema", use_ema, "average the weights");
    visit("ckpt_path", ckpt_path, "a model file to start training from");
    visit.node("network_config", network_config, "target and params of the UNet");
    visit.node("denoiser_config", denoiser_config, "the noise schedule and what the network predicts");
    visit.node("first_stage_config", first_stage_config, "target and params of the first stage");
    visit.node("conditioner_config", conditioner_config, "target and params of the conditions' encoders");
    visit.node("scheduler_config", scheduler_config, "target and params of the learning-rate schedule");
    visit.ignored("disable_first_stage_autocast", "the first stage computes in its weights' type");
    visit.ignored("sampler_config", "the request names the sampler");
    visit.ignored("loss_fn_config", "train.loss_weight says how the timesteps count");
    visit.ignored("optimizer_config", "train.optimizer says how weights are moved");
    visit.ignored("ema_decay_rate", "train.ema says how weights are averaged");
    visit.ignored("network_wrapper", "the network is called directly");
    visit.ignored("input_key", "pictures come from data.path");
    visit.ignored("log_keys", "what is logged does not depend on it");
    visit.ignored("no_cond_log", "what is logged does not depend on it");
    visit.ignored("compile_model", "nothing is compiled");
    visit.ignored("en_and_decode_n_samples_a_time", "batches are as large as asked for");
  }
};

// The options of a latent diffusion model from `model` = {target, params} of a run's YAML, in either schema:
// the original's LatentDiffusion, or the DiffusionEngine of generative-models (network_config,
// conditioner_config and denoiser_config), whose discrete denoisers are the same model said in other words.
// `where` is the node's path, for messages. Throws kUsage.
LatentDiffusionOptions read_latent_diffusion_options(const Node& model, std::string_view where);

}  // namespace ldm
