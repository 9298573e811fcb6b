#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ldm/train/run_config.h"
#include "tests/data/temp_folder.h"

namespace ldm {

// Sixteen pictures of 8x8 pixels, two halves of different colours each, with captions.
inline void write_tiny_pictures(const TempFolder& folder) {
  for (int64_t k = 0; k < 16; ++k) {
    Image image = make_image(8, 8, 3);
    for (int64_t i = 0; i < 8 * 8 * 3; ++i) {
      const int64_t side = i / 3 % 8 < 4 ? 0 : 1;
      image.pixels[static_cast<size_t>(i)] =
          static_cast<uint8_t>((k * 53 + side * 90 + i % 3 * (20 + k * 7)) % 256);
    }
    const auto stem = "pictures/" + std::to_string(k);
    folder.write(stem + ".png", std::string(as_text(encode_png(image))));
    folder.write(stem + ".txt", k % 2 == 0 ? "red disc" : "blue bar");
  }
}

// The configuration in `text`, whose data.path is that folder.
inline RunConfig tiny_run_config(const TempFolder& folder, const std::string& text,
                                 std::vector<std::string> overrides = {}) {
  folder.write("run.yaml", text);
  overrides.push_back("data.path=" + (folder.path() / "pictures").string());
  return load_run_config(folder.path() / "run.yaml", overrides);
}

// Diffusion on the pixels themselves, conditioned on words.
inline const char* const kTinyDiffusion = R"(
model:
  target: latent_diffusion
  params:
    timesteps: 100
    image_size: 8
    channels: 3
    conditioning_key: crossattn
    cond_stage_trainable: true
    unet_config:
      target: unet
      params: {image_size: 8, in_channels: 3, out_channels: 3, model_channels: 32, attention_resolutions: [1], num_res_blocks: 1, channel_mult: [1], num_head_channels: 16, context_dim: 32}
    first_stage_config: {target: identity}
    cond_stage_config:
      target: text_transformer
      params: {n_embed: 32, n_layer: 1, vocab_size: 200, max_seq_len: 6, heads: 2, dim_head: 16, with_logits: false}
data: {path: x, size: 8, batch_size: 8, held_out: 0, captions: {text_only: 1, text_keywords: 0, colour: 0, style: 0, dropout: 0}}
train: {steps: 10, warm_up_steps: 0, device: cpu, clip_grad_norm: 0}
)";

// A VQ model with 8 codes on 2x2 latents.
inline const char* const kTinyVq = R"(
model:
  target: vq_model
  params:
    embed_dim: 4
    n_embed: 8
    codebook_restart: 5
    ddconfig: {double_z: false, z_channels: 4, resolution: 8, ch: 32, ch_mult: [1], num_res_blocks: 1, attn_type: none, patch_size: 4}
    lossconfig:
      target: vq_loss
      params: {disc_start: 1000, disc_num_layers: 1, disc_ndf: 8, perceptual_weight: 0, lazy_discriminator: true}
data: {path: x, size: 8, batch_size: 4, held_out: 0.3}
train: {steps: 25, warm_up_steps: 0, device: cpu}
)";

}  // namespace ldm
