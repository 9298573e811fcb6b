#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/config/node.h"
#include "ldm/nn/autoencoder.h"
#include "ldm/nn/first_stage.h"
#include "ldm/nn/vector_quantizer.h"

namespace ldm {

// `model.params` of an autoencoder: the original's AutoencoderKL and VQModel arguments, and three of ours for
// training.
struct FirstStageOptions {
  int64_t embed_dim = 4;  // Channels of the latents.
  int64_t n_embed = 0;    // VQ: codes in the codebook.
  AutoencoderOptions ddconfig;
  std::string monitor;       // The validation figure whose best model is kept; empty: none.
  std::string ckpt_path;     // Training starts from this first stage's weights.
  Node lossconfig;           // target and params of the loss; see train/autoencoder_loss.h.
  std::string perceptual;    // Weights of the perceptual distance: LPIPS or EfficientNet-Lite0; empty: none.
  double latent_noise = 0;   // Standard deviation of noise on the decoder's input while training.
  double lr_g_factor = 1.0;  // VQ: factor on the autoencoder's learning rate, not the discriminator's.
  Node scheduler_config;     // VQ: target and params of the learning-rate schedule; null: train's own.
  bool use_ema = false;      // VQ, of the original's files: average the weights.
  std::vector<int64_t>
      batch_resize_range;  // VQ: each batch gets a random size in it, a multiple of 16 pixels.
  std::string remap;       // VQ: .npy file with the codes that indices count within; empty: all codes.
  std::string unknown_index = "random";  // VQ with remap: what another code's index becomes.
  bool sane_index_shape = false;         // VQ: indices as [N, H, W].
  bool legacy_beta = false;  // VQ: the released losses, where beta weighs the codebook and not the encoder.
  int64_t codebook_restart = 100;  // VQ: steps between moves of unused codes onto latents; 0: never.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("embed_dim", embed_dim, "channels of the latents");
    visit("n_embed", n_embed, "vq_model: codes in the codebook");
    visit.group("ddconfig", ddconfig, "encoder and decoder");
    visit("monitor", monitor, "validation figure whose best model is kept; empty: none");
    visit("ckpt_path", ckpt_path, "a first stage file to start training from");
    visit.node("lossconfig", lossconfig, "target and params of the training loss");
    visit("perceptual", perceptual, "file with the weights of the perceptual distance; empty: none");
    visit("latent_noise", latent_noise, "noise on the decoder's input while training");
    visit("codebook_restart", codebook_restart,
          "vq_model: steps between moves of unused codes onto latents; 0: never");
    visit("lr_g_factor", lr_g_factor, "vq_model: factor on the autoencoder's learning rate");
    visit.node("scheduler_config", scheduler_config,
               "vq_model: target and params of the learning-rate schedule");
    visit("use_ema", use_ema, "vq_model, in the original's files: average the weights");
    visit("batch_resize_range", batch_resize_range,
          "vq_model: random size of each batch, lowest and highest");
    visit("remap", remap, "vq_model: .npy file with the codes that indices count within");
    visit("unknown_index", unknown_index, "vq_model with remap: random, extra or a number");
    visit("sane_index_shape", sane_index_shape, "vq_model: indices as [N, H, W]");
    visit("legacy_beta", legacy_beta, "vq_model: beta weighs the codebook's loss, as in the released models");
    visit.ignored("image_key", "pictures come from data.path");
    visit.ignored("input_key", "pictures come from data.path");
    visit.ignored("colorize_nlabels", "pictures are logged as they are");
    visit.ignored("ema_decay", "train.ema says how weights are averaged");
    visit.only("ignore_keys", "[]", "ckpt_path has to fit");
    visit.only("learn_logvar", "false", "the loss's log-variance is a constant, as in the original");
  }
};

// The quantiser of a vq_model; reads the file that `remap` names. Throws kUsage, kData, kFormat.
VectorQuantizerOptions quantizer_options(const FirstStageOptions& options, std::string_view where);

// A freshly started first stage from {target, params}; `where` is that node's path in the configuration, for
// messages. Targets: autoencoder_kl, vq_model, identity. Throws kUsage.
std::shared_ptr<FirstStage> make_first_stage(const Node& config, std::string_view where);

}  // namespace ldm
