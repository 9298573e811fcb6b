// Files in the original's form, trained from end to end.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "ldm/nn/state_dict.h"
#include "tests/cli/tiny_run.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kFirstStageParams[] = R"(
        embed_dim: 3
        n_embed: 16
        ddconfig: {double_z: false, z_channels: 3, resolution: 32, in_channels: 3, out_ch: 3, ch: 32, ch_mult: [1, 1], num_res_blocks: 1, attn_resolutions: [], dropout: 0.0}
)";

constexpr char kDataAndTrainer[] = R"(
data:
  target: main.DataModuleFromConfig
  params:
    batch_size: 2
    num_workers: 1
    wrap: false
    train:
      target: ldm.data.imagenet.ImageNetTrain
      params: {config: {size: 32}}
lightning:
  callbacks: {image_logger: {target: main.ImageLogger, params: {batch_frequency: 5000, max_images: 8}}}
  trainer: {benchmark: true, accumulate_grad_batches: 2, max_steps: 4}
)";

std::string original_vq() {
  return std::string(R"(
model:
  base_learning_rate: 1.0e-4
  target: ldm.models.autoencoder.VQModel
  params:
        monitor: val/rec_loss
        batch_resize_range: [16, 32]
        lossconfig:
          target: taming.modules.losses.vqperceptual.VQLPIPSWithDiscriminator
          params: {disc_start: 1, disc_weight: 0.5, disc_num_layers: 1, disc_ndf: 8, perceptual_weight: 0.0})") +
         kFirstStageParams + kDataAndTrainer;
}

std::string original_ldm(const std::string& first_stage) {
  return R"(
model:
  base_learning_rate: 1.0e-4
  target: ldm.models.diffusion.ddpm.LatentDiffusion
  params:
    linear_start: 0.0015
    linear_end: 0.0195
    num_timesteps_cond: 1
    log_every_t: 200
    timesteps: 100
    first_stage_key: image
    cond_stage_key: class_label
    image_size: 16
    channels: 3
    scale_by_std: true
    cond_stage_trainable: true
    conditioning_key: crossattn
    monitor: val/loss_simple_ema
    original_elbo_weight: 0.001
    learn_logvar: true
    scheduler_config:
      target: ldm.lr_scheduler.LambdaLinearScheduler
      params: {warm_up_steps: [2], cycle_lengths: [10000000000000], f_start: [0.5], f_max: [1.0], f_min: [1.0]}
    unet_config:
      target: ldm.modules.diffusionmodules.openaimodel.UNetModel
      params: {image_size: 16, in_channels: 3, out_channels: 3, model_channels: 32, attention_resolutions: [2], num_res_blocks: 1, channel_mult: [1, 2], num_head_channels: 32, use_spatial_transformer: true, transformer_depth: 1, context_dim: 32}
    cond_stage_config:
      target: ldm.modules.encoders.modules.ClassEmbedder
      params: {embed_dim: 32, n_classes: 3, key: class_label, null_class: 2}
    first_stage_config:
      target: ldm.models.autoencoder.VQModelInterface
      params:
        ckpt_path: )" +
         first_stage + "\n        lossconfig: {target: torch.nn.Identity}" + kFirstStageParams +
         kDataAndTrainer;
}

nlohmann::json original_rows(const fs::path& log) {
  auto rows = nlohmann::json::array();
  std::istringstream in(read_whole(log));
  for (std::string line; std::getline(in, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

TEST(OriginalYaml, TrainsBothStagesAndDraws) {
  const Scratch scratch;
  const auto yaml1 = scratch / "vq.yaml", run1 = scratch / "vq", yaml2 = scratch / "ldm.yaml",
             run2 = scratch / "ldm";
  write_whole(yaml1, original_vq());
  const std::vector<std::string> places = {"data.path=" + tiny().classes, "data.held_out=0.25",
                                           "train.threads=1", "train.device=cpu", "train.log_every=1"};
  const auto train = [&](const std::string& yaml, const std::string& run) {
    std::vector<std::string> words{"train", yaml, "-o", run};
    words.insert(words.end(), places.begin(), places.end());
    return run_program(words);
  };
  auto outcome = train(yaml1, run1);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("lightning.trainer.benchmark"), std::string::npos) << outcome.err;
  const auto first = original_rows(fs::path(run1) / "log.jsonl");
  EXPECT_DOUBLE_EQ(first[0]["learning_rate"].get<double>(), 1e-4 * 2 * 2);
  EXPECT_TRUE(fs::exists(fs::path(run1) / "best.safetensors"));

  write_whole(yaml2, original_ldm(run1 + "/model.safetensors"));
  outcome = train(yaml2, run2);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto second = original_rows(fs::path(run2) / "log.jsonl");
  EXPECT_DOUBLE_EQ(second[0]["learning_rate"].get<double>(), 0.5 * 1e-4 * 2 * 2);
  EXPECT_DOUBLE_EQ(second[3]["learning_rate"].get<double>(), 1e-4 * 2 * 2);
  EXPECT_TRUE(second[0].contains("loss_gamma") && second[0].contains("loss_vlb"));
  const auto saved = read_tensor_file(fs::path(run2) / "checkpoints/step-4/model.safetensors");
  EXPECT_EQ(saved.tensors.at("logvar").numel(), 100);

  outcome = run_program({"generate", "-m", run2 + "/model.safetensors", "--class", "1", "--steps", "2",
                         "--seed", "1", "-o", scratch / "a.png"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

}  // namespace
}  // namespace ldm::cli
