#include "ldm/model/diffusers_text.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>

#include "ldm/config/yaml.h"
#include "ldm/io/file.h"
#include "ldm/model/clip_towers.h"
#include "ldm/model/diffusers_writer.h"
#include "ldm/model/model_layout.h"
#include "ldm/model/open_model.h"
#include "ldm/model/original_writer.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

// The parts that all have in common; more settings of the UNet follow.
const std::string kNetworks = R"(
    image_size: 8
    channels: 4
    scale_factor: 0.13025
    linear_start: 0.00085
    linear_end: 0.012
    first_stage_config:
      target: autoencoder_kl
      params:
        embed_dim: 4
        ddconfig: {z_channels: 4, resolution: 16, ch: 32, ch_mult: [1, 2], num_res_blocks: 1}
    unet_config:
      target: unet
      params:
        in_channels: 4
        out_channels: 4
        model_channels: 32
        attention_resolutions: [1]
        num_res_blocks: 1
        channel_mult: [1, 2]
        num_head_channels: 16
        use_spatial_transformer: true
        use_linear_in_transformer: true
)";

const std::string kTower =
    "vocab_size: 530, intermediate_size: 64, num_attention_heads: 2, max_position_embeddings: 16";

// Stable Diffusion 1, read at its last layer but one, as some of its descendants.
const std::string kSd1 = "model:\n  target: latent_diffusion\n  params:" + kNetworks +
                         R"(        context_dim: 32
    conditioning_key: crossattn
    cond_stage_config:
      target: clip_text
      params: {)" + kTower +
                         R"(, hidden_size: 32, num_hidden_layers: 3, layer: penultimate, eos_token_id: 529}
)";

const std::string kSd2 = "model:\n  target: latent_diffusion\n  params:" + kNetworks +
                         R"(        context_dim: 32
    conditioning_key: crossattn
    parameterization: v
    cond_stage_config:
      target: open_clip_text
      params: {)" + kTower +
                         R"(, hidden_size: 32, num_hidden_layers: 3, projection_dim: 24, layer: penultimate}
)";

const std::string kSdXl =
    "model:\n  target: latent_diffusion\n  params:" + kNetworks +
    R"(        context_dim: 56
        num_classes: sequential
        adm_in_channels: 1560
    conditioning_key: crossattn-adm
    cond_stage_config:
      target: conditioner_list
      params:
        emb_models:
          - target: clip_text
            params: {)" +
    kTower + R"(, hidden_size: 32, num_hidden_layers: 2, layer: hidden, layer_idx: 1}
          - target: open_clip_text
            params: {)" +
    kTower +
    R"(, hidden_size: 24, num_hidden_layers: 3, projection_dim: 24, layer: penultimate, legacy: false, always_return_pooled: true}
          - {target: size_embedder, input_key: original_size_as_tuple, params: {outdim: 256}}
          - {target: size_embedder, input_key: crop_coords_top_left, params: {outdim: 256}}
          - {target: size_embedder, input_key: target_size_as_tuple, params: {outdim: 256}}
        zero_when_empty: true
)";

ModelFile random_text_model(const std::string& yaml) {
  at::manual_seed(5);
  ModelFile out{.kind = ModelKind::kDiffusion, .config = parse_yaml(yaml, "test.yaml")};
  for (const auto& part : lay_out_model(out.config).parts) {
    for (const auto& tensor : part.tensors) out.tensors[tensor.name] = at::randn(tensor.shape);
  }
  out.vocabulary = "#version: 0.2\na b</w>\n";
  return out;
}

void expect_same_weights(const StateDict& got, const StateDict& want) {
  ASSERT_EQ(got.size(), want.size());
  for (const auto& [name, tensor] : want) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_TRUE(at::equal(got.at(name), tensor)) << name;
  }
}

Json read_json(const fs::path& path) { return parse_json(MappedFile(path).bytes(), path.string()); }

const Node& condition_of(const ModelFile& model) {
  return *model.config.find_path("model.params.cond_stage_config");
}

class DiffusersText : public testing::TestWithParam<const std::string*> {};

// Weights bit for bit, and where the text encoders are read.
TEST_P(DiffusersText, ThereAndBackIsExact) {
  const TemporaryFolder folder;
  const auto model = random_text_model(*GetParam());
  write_diffusers_folder(folder / "theirs", model, at::kFloat);
  const auto back = open_model(folder / "theirs");
  EXPECT_NO_THROW(check_weights(back, "theirs"));
  expect_same_weights(back.tensors, model.tensors);
  const auto ours = find_clip_towers(condition_of(model)), theirs = find_clip_towers(condition_of(back));
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].prefix, theirs[i].prefix);
    EXPECT_EQ(ours[i].context_layers(), theirs[i].context_layers());
    EXPECT_EQ(ours[i].context_is_normed(), theirs[i].context_is_normed());
    EXPECT_EQ(ours[i].options.clip.eos_token_id, theirs[i].options.clip.eos_token_id);
    EXPECT_EQ(ours[i].options.always_return_pooled, theirs[i].options.always_return_pooled);
  }
  write_diffusers_folder(folder / "again", back, at::kFloat);
  expect_same_weights(open_model(folder / "again").tensors, model.tensors);
}

TEST_P(DiffusersText, FromTheOriginalThroughOursAndBackIsExact) {
  const TemporaryFolder folder;
  const auto model = random_text_model(*GetParam());
  write_original_file(folder / "m.safetensors", model, at::kFloat);
  const auto theirs = read_tensor_file(folder / "m.safetensors").tensors;
  auto ours = open_model(folder / "m.safetensors", {.config = folder / "m.yaml"});
  write_model_file(folder / "ours.safetensors", ours, at::kFloat);
  write_original_file(folder / "back.safetensors", open_model(folder / "ours.safetensors"), at::kFloat);
  expect_same_weights(read_tensor_file(folder / "back.safetensors").tensors, theirs);
  const bool list = GetParam() == &kSdXl;
  EXPECT_EQ(std::any_of(theirs.begin(), theirs.end(),
                        [](const auto& entry) { return entry.first.starts_with("conditioner."); }),
            list);
}

INSTANTIATE_TEST_SUITE_P(Families, DiffusersText, testing::Values(&kSd1, &kSd2, &kSdXl));

// What diffusers itself sees: as many layers as it has to run, two encoders of SDXL, their padding.
TEST(DiffusersTextFiles, SayWhatTransformersHasToBuild) {
  const TemporaryFolder folder;
  write_diffusers_folder(folder / "sd2", random_text_model(kSd2), at::kFloat);
  const Json tower = read_json(folder / "sd2/text_encoder/config.json");
  EXPECT_EQ(tower["num_hidden_layers"], 2);
  EXPECT_EQ(tower["eos_token_id"], 2);
  EXPECT_EQ(read_json(folder / "sd2/tokenizer/special_tokens_map.json")["pad_token"], "!");
  const auto weights = read_tensor_file(folder / "sd2/text_encoder/model.safetensors").tensors;
  EXPECT_TRUE(weights.contains("text_model.encoder.layers.1.self_attn.q_proj.weight"));

  write_diffusers_folder(folder / "xl", random_text_model(kSdXl), at::kFloat);
  const Json index = read_json(folder / "xl/model_index.json");
  EXPECT_EQ(index["_class_name"], "StableDiffusionXLPipeline");
  EXPECT_EQ(index["text_encoder_2"][1], "CLIPTextModelWithProjection");
  EXPECT_EQ(index["force_zeros_for_empty_prompt"], true);
  EXPECT_EQ(read_json(folder / "xl/text_encoder_2/config.json")["num_hidden_layers"], 3);
  EXPECT_EQ(read_json(folder / "xl/tokenizer/special_tokens_map.json")["pad_token"], "<|endoftext|>");
  EXPECT_EQ(read_json(folder / "xl/tokenizer_2/special_tokens_map.json")["pad_token"], "!");
}

// transformers does not write again what it does not use; such a folder is read as what it is then.
TEST(DiffusersTextFiles, SavedAgainWithoutTheUnusedLayerAreRead) {
  const TemporaryFolder folder;
  write_diffusers_folder(folder / "sd2", random_text_model(kSd2), at::kFloat);
  const auto file = folder / "sd2/text_encoder/model.safetensors";
  StateDict kept;
  for (const auto& [name, tensor] : read_tensor_file(file).tensors) {
    if (name.find("layers.2.") == name.npos && name.starts_with("text_model.")) kept[name] = tensor.clone();
  }
  write_tensor_file(file, kept);
  const auto back = open_model(folder / "sd2");
  EXPECT_NO_THROW(check_weights(back, "sd2"));
  EXPECT_EQ(condition_of(back).at("target").text(), "clip_text");
  EXPECT_EQ(find_clip_towers(condition_of(back)).at(0).context_layers(), 2);
}

TEST(DiffusersTextFiles, WhatPipelinesDoNotReadIsRefused) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string yaml = kSd1;
    yaml.replace(yaml.find(from), from.size(), to);
    const auto model = random_text_model(yaml);
    return thrown(ErrorKind::kUsage, [&] { write_diffusers_folder(folder / "x", model, at::kFloat); });
  };
  EXPECT_TRUE(has(refused("layer: penultimate", "layer: pooled"), "the layer pooled"));
  EXPECT_TRUE(has(refused("layer: penultimate", "layer: hidden, layer_idx: 2"), "the layer hidden"));
  EXPECT_TRUE(
      has(refused("use_spatial_transformer", "resblock_updown: true\n        use_spatial_transformer"),
          "cannot hold this UNet"));
  EXPECT_EQ(folder.count(), 0U) << "something half written stayed";
}

}  // namespace
}  // namespace ldm
