// Models of this program in the original's layout and back.
#include <ATen/ATen.h>

#include <filesystem>

#include "ldm/config/yaml.h"
#include "ldm/io/file.h"
#include "ldm/model/condition_names.h"
#include "ldm/model/first_stage_inside.h"
#include "ldm/model/load_model.h"
#include "ldm/model/original_weights.h"
#include "ldm/model/original_writer.h"
#include "ldm/nn/state_dict.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

ModelFile tiny_first_stage_file() {
  return {.kind = ModelKind::kFirstStage,
          .config = tiny_first_stage_config(),
          .tensors = state_dict(*tiny_first_stage(), "first_stage_model."),
          .vocabulary = {},
          .first_stage = {},
          .first_stage_sha256 = {}};
}

// ae.safetensors and a text model that names it, in one folder.
class OriginalLayoutTest : public testing::Test {
 protected:
  void SetUp() override {
    write_model_file(folder_ / "ae.safetensors", tiny_first_stage_file(), at::kFloat);
    write_model_file(folder_ / "model.safetensors",
                     {.kind = ModelKind::kDiffusion,
                      .config = tiny_diffusion_config("text"),
                      .tensors = tiny_model("text")->state(),
                      .vocabulary = tiny_vocabulary(),
                      .first_stage = "ae.safetensors",
                      .first_stage_sha256 = file_sha256(folder_ / "ae.safetensors")},
                     at::kFloat);
  }

  ModelFile whole_model() {
    auto model = open_model(folder_ / "model.safetensors");
    put_first_stage_inside(model, open_named_first_stage(model, folder_ / "model.safetensors"));
    return model;
  }

  TemporaryFolder folder_;
};

// What one step and the decoder make of a caption.
torch::Tensor tiny_picture(const fs::path& path) {
  const torch::NoGradGuard no_grad;
  const auto model = load_latent_diffusion(path);
  at::manual_seed(7);
  const auto x = at::randn({1, 4, 4, 4});
  const Condition caption{.caption = "red disc"};
  const auto latents = model->predict(x, at::full({1}, 20, at::kLong), model->encode({&caption, 1}));
  return model->decode_latents(latents);
}

TEST_F(OriginalLayoutTest, ATextModelComesBackAndDrawsTheSame) {
  write_original_file(folder_ / "o.safetensors", whole_model(), at::kFloat);
  const auto back = open_model(folder_ / "o.safetensors");
  EXPECT_NO_THROW(check_weights(back, "o.safetensors"));
  EXPECT_EQ(back.vocabulary, tiny_vocabulary());
  EXPECT_TRUE(back.first_stage.empty());
  fs::create_directory(folder_ / "alone");
  write_model_file(folder_ / "alone/back.safetensors", back, at::kFloat);
  const auto want = tiny_picture(folder_ / "model.safetensors");
  EXPECT_TRUE(at::equal(tiny_picture(folder_ / "o.safetensors"), want));
  EXPECT_TRUE(at::equal(tiny_picture(folder_ / "alone/back.safetensors"), want));
}

TEST_F(OriginalLayoutTest, TheYamlHasNamesAndNoPathsOfTheTraining) {
  auto model = whole_model();
  Node data = parse_yaml(
      std::string_view("{path: /home/me, task: {kind: pictures, classes: [cat, dog], label_table: /home/x}}"),
      "data");
  model.config.set("data", data);
  model.config.find("model")->find("params")->set("ckpt_path", Node::string("/home/me/start.safetensors"));
  write_original_file(folder_ / "o.safetensors", model, at::kFloat);
  const auto text = read_text(folder_ / "o.yaml");
  EXPECT_FALSE(has(text, "/home") || has(text, "anywhere")) << text;
  LatentDiffusionOptions options;
  add_condition_names(open_model(folder_ / "o.safetensors").config, options);
  EXPECT_EQ(options.class_names, (std::vector<std::string>{"cat", "dog"}));
}

TEST_F(OriginalLayoutTest, RefusesWhatItCannotCarry) {
  const auto error = [&](const char* name, const ModelFile& model) {
    return thrown(ErrorKind::kUsage, [&] { write_original_file(folder_ / name, model, at::kFloat); });
  };
  EXPECT_TRUE(has(error("o.yaml", whole_model()), "end the name in .safetensors"));
  EXPECT_TRUE(
      has(error("o.safetensors", open_model(folder_ / "model.safetensors")), "names one in another file"));
  EXPECT_EQ(folder_.count(), 2U) << "something was written";
  auto model = tiny_first_stage_file();
  EXPECT_TRUE(
      has(thrown(ErrorKind::kUsage, [&] { put_first_stage_inside(model, whole_model()); }), "itself"));
  model = whole_model();
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { put_first_stage_inside(model, whole_model()); }),
                  "expected a first stage"));
}

TEST_F(OriginalLayoutTest, WhatCannotBeLoadedIsNoModel) {
  auto model = open_model(folder_ / "model.safetensors");
  const auto error = [&] { return thrown(ErrorKind::kFormat, [&] { check_weights(model, "m"); }); };
  EXPECT_NO_THROW(check_weights(model, "m"));
  model.vocabulary.clear();
  EXPECT_TRUE(has(error(), "vocabulary"));
  model.first_stage.clear();
  EXPECT_TRUE(has(error(), "lies in another file"));
}

// A first stage averages all of itself, its loss included, under names without a part in front.
TEST(OriginalWeights, AveragesOfAFirstStageReplaceItsTrainedWeights) {
  const std::string name = "first_stage_model.decoder.conv_in.bias";
  EXPECT_EQ(average_name(name), "model_ema.decoderconv_inbias");
  const auto file = [&](bool trained) {
    WeightFile out;
    for (const char* part : {"decoder.conv_in.bias", "encoder.conv_in.bias"}) {
      if (trained) out.tensors[part] = at::zeros({2});
      out.tensors[average_name(std::string("first_stage_model.") + part)] = at::ones({2});
    }
    out.tensors["model_ema.lossdiscriminatormain0bias"] = at::ones({2});
    out.tensors["model_ema.decay"] = at::ones({});
    return out;
  };
  const std::vector<std::string> names{name, "first_stage_model.encoder.conv_in.bias"};
  EXPECT_TRUE(at::equal(original_weights(file(true)).tensors.at(name), at::ones({2})));
  EXPECT_TRUE(at::equal(original_weights(file(true), false).tensors.at(name), at::zeros({2})));
  EXPECT_TRUE(at::equal(original_weights(file(false), true, names).tensors.at(name), at::ones({2})));
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { original_weights(file(false)); }), "--config"));
  const auto text = thrown(ErrorKind::kFormat, [&] { original_weights(file(false), true, {name}); });
  EXPECT_TRUE(has(text, "no parameter of the configuration") && !has(text, "--config")) << text;
}

}  // namespace
}  // namespace ldm
