#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "ldm/config/node.h"
#include "ldm/nn/autoencoder.h"
#include "ldm/nn/first_stage.h"

namespace ldm {

// `model.params` of an autoencoder: the original's AutoencoderKL and VQModel arguments, and three of ours for
// training.
struct FirstStageOptions {
  int64_t embed_dim = 4;  // Channels of the latents.
  int64_t n_embed = 0;    // VQ: codes in the codebook.
  AutoencoderOptions ddconfig;
  std::string monitor;      // The validation figure whose best model is kept; empty: none.
  std::string ckpt_path;    // Training starts from this first stage's weights.
  Node lossconfig;          // target and params of the loss; see train/autoencoder_loss.h.
  std::string perceptual;   // Weights of the perceptual distance: LPIPS or EfficientNet-Lite0; empty: none.
  double latent_noise = 0;  // Standard deviation of noise on the decoder's input while training.
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
    visit.ignored("image_key", "pictures come from data.path");
    visit.ignored("input_key", "pictures come from data.path");
    visit.ignored("colorize_nlabels", "pictures are logged as they are");
    visit.ignored("use_ema", "train.ema says how weights are averaged");
    visit.ignored("ema_decay", "train.ema says how weights are averaged");
    visit.ignored("sane_index_shape", "indices stay inside the quantiser");
    visit.only("ignore_keys", "[]", "ckpt_path has to fit");
    visit.only("lr_g_factor", "1.0", "both optimisers have model.base_learning_rate");
    visit.only("scheduler_config", "null", "the section train shapes the learning rate");
    visit.only("batch_resize_range", "null", "pictures keep their size");
    visit.only("remap", "null", "latents are continuous, so all codes stay known");
    visit.only("learn_logvar", "false", "the loss's log-variance is a constant, as in the original");
  }
};

// A freshly started first stage from {target, params}; `where` is that node's path in the configuration, for
// messages. Targets: autoencoder_kl, vq_model, identity. Throws kUsage.
std::shared_ptr<FirstStage> make_first_stage(const Node& config, std::string_view where);

}  // namespace ldm
