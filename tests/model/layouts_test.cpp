#include <ATen/ATen.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "ldm/config/yaml.h"
#include "ldm/model/diffusers_folder.h"
#include "ldm/model/diffusers_names.h"
#include "ldm/model/diffusers_writer.h"
#include "ldm/model/infer_config.h"
#include "ldm/model/model_layout.h"
#include "ldm/model/open_model.h"
#include "ldm/model/original_weights.h"
#include "ldm/model/original_writer.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr char kUnconditional[] = R"(
model:
  target: latent_diffusion
  params:
    image_size: 8
    channels: 3
    unet_config:
      target: unet
      params: {in_channels: 3, out_channels: 3, model_channels: 32, attention_resolutions: [1, 2], num_res_blocks: 1, channel_mult: [1, 2], num_head_channels: 16}
    first_stage_config:
      target: vq_model
      params:
        embed_dim: 3
        n_embed: 16
        ddconfig: {double_z: false, z_channels: 3, resolution: 16, ch: 32, ch_mult: [1, 2], num_res_blocks: 1, attn_resolutions: [8]}
    cond_stage_config: __is_unconditional__
)";

constexpr char kCaption[] = R"(
model:
  target: latent_diffusion
  params:
    image_size: 8
    channels: 4
    scale_factor: 0.18215
    linear_start: 0.00085
    linear_end: 0.012
    conditioning_key: crossattn
    unet_config:
      target: unet
      params: {in_channels: 4, out_channels: 4, model_channels: 32, attention_resolutions: [1], num_res_blocks: 1, channel_mult: [1, 2], num_heads: 2, use_spatial_transformer: true, context_dim: 32}
    first_stage_config:
      target: autoencoder_kl
      params:
        embed_dim: 4
        ddconfig: {z_channels: 4, resolution: 16, ch: 32, ch_mult: [1, 2], num_res_blocks: 1}
    cond_stage_config:
      target: clip_text
      params: {vocab_size: 530, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 16}
)";

// A model of random weights.
ModelFile random_model(const char* yaml) {
  at::manual_seed(5);
  ModelFile out{.kind = ModelKind::kDiffusion, .config = parse_yaml(std::string_view(yaml), "test.yaml")};
  for (const auto& part : lay_out_model(out.config).parts) {
    for (const auto& tensor : part.tensors) out.tensors[tensor.name] = at::randn(tensor.shape);
  }
  return out;
}

void expect_equal(const StateDict& got, const StateDict& want) {
  ASSERT_EQ(got.size(), want.size());
  for (const auto& [name, tensor] : want) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_TRUE(at::equal(got.at(name), tensor)) << name;
  }
}

TEST(Layouts, ThroughDiffusersAndBackIsExact) {
  const TemporaryFolder folder;
  for (const char* yaml : {kUnconditional, kCaption}) {
    auto model = random_model(yaml);
    if (yaml == kCaption) model.vocabulary = "#version: 0.2\na b</w>\n";
    const auto place = folder / (yaml == kCaption ? "caption" : "none");
    write_diffusers_folder(place, model, at::kFloat);
    const auto back = open_model(place);
    expect_equal(back.tensors, model.tensors);
    EXPECT_NO_THROW(check_weights(back, place));
    EXPECT_EQ(back.vocabulary.empty(), model.vocabulary.empty());
    EXPECT_EQ(folder.count(), yaml == kCaption ? 2U : 1U) << "something temporary stayed";
  }
}

TEST(Layouts, AFolderOfDiffusersIsReplacedAndNoOther) {
  const TemporaryFolder folder;
  auto model = random_model(kUnconditional);
  write_diffusers_folder(folder / "d", model, at::kFloat);
  const std::string name = "model.diffusion_model.out.2.bias";
  model.tensors[name] = at::ones_like(model.tensors[name]);
  write_diffusers_folder(folder / "d", model, at::kFloat);
  EXPECT_TRUE(at::equal(open_model(folder / "d").tensors.at(name), model.tensors[name]));
  EXPECT_EQ(folder.count(), 1U) << "the old folder stayed";
  fs::create_directories(folder / "mine/pictures");
  EXPECT_TRUE(
      has(thrown(ErrorKind::kUsage, [&] { write_diffusers_folder(folder / "mine", model, at::kFloat); }),
          "mine"));
  EXPECT_TRUE(fs::exists(folder / "mine/pictures"));
}

// Stable Diffusion 2 fills captions up with "!".
TEST(Layouts, TheTokenizersSettingsGoThroughDiffusers) {
  const TemporaryFolder folder;
  auto model = random_model(kCaption);
  model.vocabulary = "#version: 0.2\na b</w>\n";
  const auto params = [](const ModelFile& file) {
    return *file.config.find_path("model.params.cond_stage_config.params");
  };
  write_diffusers_folder(folder / "usual", model, at::kFloat);
  const auto usual = params(open_model(folder / "usual"));
  EXPECT_EQ(usual.at("pad_token").text(), "<|endoftext|>");
  EXPECT_EQ(usual.at("max_length").text(), "16");
  Node set = params(model);
  set.set("pad_token", Node::string("!"));
  set.set("max_length", Node::integer(12));
  model.config.find("model")->find("params")->find("cond_stage_config")->set("params", set);
  write_diffusers_folder(folder / "other", model, at::kFloat);
  const auto other = params(open_model(folder / "other"));
  EXPECT_EQ(other.at("pad_token").text(), "!");
  EXPECT_EQ(other.at("max_length").text(), "12");
  fs::remove(folder / "other/tokenizer/special_tokens_map.json");
  EXPECT_EQ(params(open_model(folder / "other")).at("pad_token").text(), "!");
}

TEST(Layouts, ThroughTheOriginalsAndBackIsExact) {
  const TemporaryFolder folder;
  const auto model = random_model(kUnconditional);
  write_original_file(folder / "m.safetensors", model, at::kFloat);
  const auto back = open_model(folder / "m.safetensors", {.config = folder / "m.yaml"});
  expect_equal(back.tensors, model.tensors);
}

TEST(Layouts, WhatDoesNotFitIsListed) {
  auto model = random_model(kUnconditional);
  model.tensors.erase("model.diffusion_model.out.2.bias");
  model.tensors["model.diffusion_model.out.2.weight"] = at::zeros({1, 2});
  model.tensors["nobody.weight"] = at::zeros({1});
  const auto text = thrown(ErrorKind::kFormat, [&] { check_weights(model, "m.ckpt"); });
  for (const char* part : {"missing (1)", "out.2.bias", "unexpected (1)", "nobody.weight", "[1, 2]"})
    EXPECT_TRUE(has(text, part)) << text;
}

TEST(Layouts, DiffusersNamesAreDistinctAndGoBothWays) {
  UNetOptions options{
      .model_channels = 32, .attention_resolutions = {1, 2}, .channel_mult = {1, 2}, .num_heads = 1};
  for (const std::optional<int64_t> context : {std::optional<int64_t>(), std::optional<int64_t>(16)}) {
    options.context_dim = context;
    const auto map = diffusers_unet_names(options);
    std::set<std::string> ours, theirs;
    for (const auto& [a, b] : map.modules()) {
      EXPECT_TRUE(ours.insert(a).second && theirs.insert(b).second) << a << ' ' << b;
      EXPECT_EQ(map.to_theirs(a + ".weight"), b + ".weight");
      EXPECT_EQ(map.to_ours(b + ".weight"), a + ".weight");
    }
  }
  EXPECT_EQ(diffusers_unet_names(options).to_ours("up_blocks.9.conv.weight"), std::nullopt);
}

// Averages stand under names without dots; ours come from the trained ones, or from the configuration.
TEST(OriginalWeights, AveragesReplaceTheTrainedWeights) {
  const std::string name = "model.diffusion_model.out.2.bias";
  EXPECT_EQ(average_name(name), "model_ema.diffusion_modelout2bias");
  const auto file = [&](bool trained) {
    WeightFile out;
    if (trained) out.tensors["state_dict." + name] = at::zeros({2});
    out.tensors["state_dict." + average_name(name)] = at::ones({2});
    out.tensors["state_dict.model_ema.num_updates"] = at::ones({});
    out.tensors["optimizer_states.0.state.0.exp_avg"] = at::ones({2});
    return out;
  };
  EXPECT_TRUE(at::equal(original_weights(file(true)).tensors.at(name), at::ones({2})));
  EXPECT_TRUE(at::equal(original_weights(file(true), false).tensors.at(name), at::zeros({2})));
  EXPECT_TRUE(original_weights(file(true)).has_optimizer);
  EXPECT_TRUE(at::equal(original_weights(file(false), true, {name}).tensors.at(name), at::ones({2})));
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { original_weights(file(false)); }), "no parameter"));
}

// The tensors of what a configuration builds, without their values.
StateDict shapes_of(const fs::path& yaml) {
  StateDict tensors;
  for (const auto& part : lay_out_model(read_yaml(yaml)).parts) {
    for (const auto& tensor : part.tensors)
      tensors[tensor.name] = at::empty(tensor.shape, at::TensorOptions().device(at::kMeta));
  }
  return tensors;
}

// What a configuration builds tells the configuration.
TEST(InferConfig, PublishedModelsAreRecognised) {
  const fs::path zoo = fs::path(std::getenv("LDM_SOURCE_DIR")) / "configs/zoo";
  for (const char* file :
       {"stable-diffusion/v1-inference.yaml", "stable-diffusion/sd_2_1.yaml",
        "stable-diffusion/sd_xl_base.yaml", "ldm/celeba256.yaml", "latent-diffusion/cin256-v2.yaml"}) {
    if (!fs::exists(zoo / file)) ADD_FAILURE() << file;
    const auto tensors = shapes_of(zoo / file);
    ModelFile model{.kind = ModelKind::kDiffusion, .config = infer_config(tensors), .tensors = tensors};
    const auto report = compare_weights(model);
    EXPECT_TRUE(report.ok()) << file << '\n' << report.table();
  }
}

TEST(InferConfig, AnUnknownEncoderOfAListIsNamed) {
  auto tensors =
      shapes_of(fs::path(std::getenv("LDM_SOURCE_DIR")) / "configs/zoo/stable-diffusion/sd_2_1.yaml");
  tensors["cond_stage_model.embedders.1.weight"] = at::zeros({1});
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { infer_config(tensors); }), "embedders.1.*"));
}

}  // namespace
}  // namespace ldm
