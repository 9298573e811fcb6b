#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ldm/config/node.h"
#include "ldm/core/log.h"
#include "ldm/data/layout_tokens.h"
#include "ldm/diffusion/denoiser.h"
#include "ldm/diffusion/parameterization.h"
#include "ldm/diffusion/schedule.h"
#include "ldm/model/conditioner.h"
#include "ldm/model/tiles.h"
#include "ldm/model/wiring.h"
#include "ldm/nn/first_stage.h"
#include "ldm/nn/state_dict.h"
#include "ldm/nn/unet.h"

namespace ldm {

// `model.params` of a latent diffusion model: the original's LatentDiffusion arguments, and two of ours.
struct LatentDiffusionOptions {
  int64_t timesteps = 1000;
  std::string beta_schedule = "linear";  // The original's "linear": linear in the square root.
  double linear_start = 1e-4;
  double linear_end = 2e-2;
  double cosine_s = 8e-3;
  bool zero_terminal_snr =
      false;  // Ours: rescale the schedule so that the last step is pure noise (Lin et al. 2024).
  std::string parameterization = "eps";  // eps, x0 or v.
  std::string loss_type = "l2";          // l2 or l1.
  double scale_factor = 1.0;             // Latents are multiplied by it after encoding.
  bool scale_by_std = false;     // Set scale_factor to 1 / std of the training latents when training starts.
  int64_t image_size = 0;        // Side of the training latents.
  int64_t channels = 3;          // Of the latents.
  std::string conditioning_key;  // See model/wiring.h; empty: concat_mode decides.
  bool concat_mode = true;       // Without a conditioning_key: concat, otherwise crossattn.
  bool cond_stage_trainable = false;
  // Training (read by train/): the original's loss weights, averages and schedule.
  double v_posterior = 0.0;           // 0: the posterior's own variance; 1: beta.
  double l_simple_weight = 1.0;       // Of the plain error.
  double original_elbo_weight = 0.0;  // Of the variational bound.
  bool learn_logvar = false;          // Learn a log-variance of the loss for each timestep.
  double logvar_init = 0.0;           // Where it starts; a constant unless learned.
  bool use_ema = true;                // Average the weights.
  std::string monitor;                // The validation figure whose best model is kept; empty: none.
  Node scheduler_config;              // target and params of the learning-rate schedule; null: train's own.
  std::string ckpt_path;  // Training starts from this model's weights, vocabulary and scale_factor.
  Node unet_config;
  Node first_stage_config;
  Node cond_stage_config;
  // Ours: what the condition's numbers mean, for those who draw.
  std::vector<std::string> class_names;      // Of the classes, or of a layout's categories, from 0 on.
  std::vector<std::string> label_names;      // Of a label map's grey values: "7 grass".
  std::optional<LayoutTokenOptions> layout;  // How a layout becomes tokens; absent: as their number says.
  int64_t upscale_factor = 0;  // Of super-resolution: how many times larger pictures come out; 0: 4.
  bool map_null = false;       // Zeros in place of the map mean none: it was trained so.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("timesteps", timesteps, "steps of the noise schedule");
    visit("beta_schedule", beta_schedule,
          "linear (in the square root, as the original), sqrt_linear, cosine, sqrt");
    visit("linear_start", linear_start, "first beta");
    visit("linear_end", linear_end, "last beta");
    visit("cosine_s", cosine_s, "offset of the cosine schedule");
    visit("zero_terminal_snr", zero_terminal_snr, "rescale the schedule so that its last step is pure noise");
    visit("parameterization", parameterization, "what the network predicts: eps, x0 or v");
    visit("loss_type", loss_type, "l2 or l1");
    visit("scale_factor", scale_factor, "latents are multiplied by it after encoding");
    visit("scale_by_std", scale_by_std, "set scale_factor to 1 / std of the training latents");
    visit("image_size", image_size, "side of the training latents");
    visit("channels", channels, "channels of the latents");
    visit("conditioning_key", conditioning_key,
          "concat, crossattn, hybrid, adm, crossattn-adm or hybrid-adm; empty: see concat_mode");
    visit("concat_mode", concat_mode, "without a conditioning_key: concat, otherwise crossattn");
    visit("cond_stage_trainable", cond_stage_trainable, "train the condition's encoder with the UNet");
    visit("v_posterior", v_posterior, "0: the posterior's own variance, 1: beta");
    visit("l_simple_weight", l_simple_weight, "weight of the plain error");
    visit("original_elbo_weight", original_elbo_weight, "weight of the variational bound");
    visit("learn_logvar", learn_logvar, "learn a log-variance of the loss for each timestep");
    visit("logvar_init", logvar_init, "start of the log-variance; a constant unless learned");
    visit("use_ema", use_ema, "average the weights");
    visit("monitor", monitor, "validation figure whose best model is kept; empty: none");
    visit.node("scheduler_config", scheduler_config, "target and params of the learning-rate schedule");
    visit("ckpt_path", ckpt_path, "a model file to start training from");
    visit.node("unet_config", unet_config, "target and params of the UNet");
    visit.node("first_stage_config", first_stage_config, "target and params of the first stage");
    visit.node("cond_stage_config", cond_stage_config, "target and params of the condition's encoder");
    visit("class_names", class_names, "names of the classes, or of a layout's categories");
    visit("label_names", label_names, "names of a label map's grey values: 7 grass");
    visit("layout", layout, "how a layout becomes tokens");
    visit("upscale_factor", upscale_factor, "super-resolution: how many times larger; 0: 4");
    visit("map_null", map_null, "a map of zeros means none, so that guidance can compare with it");
    visit.ignored("first_stage_key", "pictures come from data.path");
    visit.ignored("cond_stage_key", "the condition's encoder knows what it reads");
    visit.ignored("masked_image_key", "the condition's encoder knows what it reads");
    visit.ignored("log_every_t", "sampling keeps no steps in between");
    visit.ignored("clip_denoised", "latents are never clipped, as in the original");
    visit.only("num_timesteps_cond", "1", "the condition itself gets no noise");
    visit.only("cond_stage_forward", "null", "the condition's encoder has one way in");
    visit.only("given_betas", "null", "see beta_schedule");
    visit.only("use_positional_encodings", "false", "the original has no code for it");
    visit.only("ignore_keys", "[]", "ckpt_path has to fit");
    visit.only("load_only_unet", "false", "ckpt_path is a whole model");
    visit.only("make_it_fit", "false", "ckpt_path has to fit");
    visit.only("reset_ema", "false", "averages start anew with ckpt_path");
    visit.only("reset_num_ema_updates", "false", "averages start anew with ckpt_path");
    visit.only("ucg_training", "null", "see data.captions.dropout");
    visit.only("force_null_conditioning", "false", "conditioning_key says it");
    visit.only("finetune_keys", "null", "ckpt_path has to fit");
    visit.only("concat_keys", "[mask, masked_image]", "inpainting models are wired so");
  }
};

// A latent diffusion model (Rombach et al. 2022): UNet, condition encoder, first stage and noise schedule,
// joined.
class LatentDiffusion {
 public:
  // vocabulary: the tokenizer's, for a text encoder. Weights start as they do in training; see load(). Throws
  // kUsage.
  LatentDiffusion(const LatentDiffusionOptions& options, std::shared_ptr<FirstStage> first_stage,
                  const std::string& vocabulary);

  const LatentDiffusionOptions& options() const { return options_; }
  const NoiseSchedule& schedule() const { return schedule_; }
  Prediction prediction() const { return prediction_; }
  UNet& unet() const { return *unet_; }
  Conditioner* conditioner() const { return conditioner_.get(); }  // Null: unconditional.
  ConditionReads reads() const;  // Of the conditioner, and of a hybrid model's own for pictures.
  FirstStage& first_stage() const { return *first_stage_; }
  const std::shared_ptr<FirstStage>& first_stage_ptr() const { return first_stage_; }

  // Undefined tensors for an unconditional model.
  Conditioning encode(std::span<const Condition> conditions) const;

  // What the network returns (noise, clean latents or velocity) for x [N, C, H, W] at timesteps t [N].
  torch::Tensor predict(const torch::Tensor& x, const torch::Tensor& t, const Conditioning& condition) const;

  // D(x; sigma) under one condition. It remembers the cross-attention's keys and values: inference only, one
  // thread. tiles: the network sees overlapping crops of so many latents, see model/tiles.h.
  Denoiser denoiser(const Conditioning& condition, const std::optional<TileOptions>& tiles = {}) const;

  // Images [N, 3, H, W] in [-1, 1] <-> scaled latents [N, C, H / f, W / f]. encode takes the posterior's
  // mode.
  torch::Tensor encode_images(const torch::Tensor& images, const CodingLimits& limits = {}) const;
  torch::Tensor decode_latents(const torch::Tensor& latents, const CodingLimits& limits = {}) const;

  double scale_factor() const { return options_.scale_factor; }
  void set_scale_factor(double factor) { options_.scale_factor = factor; }

  // UNet and condition encoder under the original's names (model.diffusion_model.*, cond_stage_model.*).
  StateDict state() const;
  // Strict: throws kFormat with the table of what does not fit. Move the tensors in, so that each is freed as
  // soon as it is copied.
  void load(StateDict tensors);

  void to(at::Device device, at::ScalarType dtype);
  at::Device device() const;
  void eval();
  // Lets all networks use the kernels of inference on the CPU; see nn/layers.h.
  void prepare_for_inference();
  bool prepared_for_inference() const { return prepared_; }
  // About how many bytes that takes beside the weights.
  int64_t packed_bytes() const;

 private:
  LatentDiffusionOptions options_;
  bool prepared_ = false;
  NoiseSchedule schedule_;
  Prediction prediction_;
  std::shared_ptr<UNet> unet_;
  Wiring wiring_;
  std::shared_ptr<Conditioner> conditioner_;
  std::shared_ptr<Conditioner> picture_;  // Of hybrid models whose conditioner gives words alone.
  std::shared_ptr<FirstStage> first_stage_;
};

}  // namespace ldm
