#include "ldm/model/model_file.h"

#include <ATen/ATen.h>

#include <filesystem>
#include <fstream>

#include "ldm/model/load_model.h"
#include "ldm/nn/state_dict.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

void write_first_stage(const fs::path& path, uint64_t seed = 1, at::ScalarType dtype = at::kFloat) {
  write_model_file(path,
                   {.kind = ModelKind::kFirstStage,
                    .config = tiny_first_stage_config(),
                    .tensors = state_dict(*tiny_first_stage(seed), "first_stage_model."),
                    .vocabulary = {},
                    .first_stage = {},
                    .first_stage_sha256 = {}},
                   dtype);
}

ModelFile diffusion_file(const LatentDiffusion& model, const fs::path& first_stage) {
  return {.kind = ModelKind::kDiffusion,
          .config = tiny_diffusion_config("text"),
          .tensors = model.state(),
          .vocabulary = tiny_vocabulary(),
          .first_stage = first_stage.filename().string(),
          .first_stage_sha256 = file_sha256(first_stage)};
}

// A folder with ae.safetensors and model.safetensors, which belong together.
class ModelFileTest : public testing::Test {
 protected:
  void SetUp() override {
    write_first_stage(folder_ / "ae.safetensors");
    model_ = tiny_model("text");
    write_model_file(folder_ / "model.safetensors", diffusion_file(*model_, folder_ / "ae.safetensors"),
                     at::kFloat);
  }
  std::string load_error(ErrorKind kind) {
    return thrown(kind, [&] { load_latent_diffusion(folder_ / "model.safetensors"); });
  }

  TemporaryFolder folder_;
  std::shared_ptr<LatentDiffusion> model_;
};

TEST_F(ModelFileTest, ReadsBackWhatWasWritten) {
  const auto file = read_model_file(folder_ / "model.safetensors");
  EXPECT_EQ(file.kind, ModelKind::kDiffusion);
  EXPECT_EQ(file.vocabulary, tiny_vocabulary());
  EXPECT_EQ(file.first_stage, "ae.safetensors");
  EXPECT_TRUE(file.config == tiny_diffusion_config("text"));
  const auto loaded = load_latent_diffusion(folder_ / "model.safetensors");
  EXPECT_EQ(loaded->scale_factor(), 0.5);
  for (const auto& [name, tensor] : model_->state())
    EXPECT_TRUE(at::equal(loaded->state().at(name), tensor)) << name;
  const auto z = at::randn({1, 4, 4, 4});
  torch::NoGradGuard no_grad;
  EXPECT_TRUE(at::allclose(loaded->decode_latents(z), model_->decode_latents(z), 1e-4, 1e-5))
      << "a loaded model has the kernels of inference";
}

TEST_F(ModelFileTest, FindsTheFirstStageOfADiffusionModel) {
  const auto z = at::randn({1, 4, 4, 4});
  torch::NoGradGuard no_grad;
  EXPECT_TRUE(at::allclose(load_first_stage(folder_ / "model.safetensors")->decode(z),
                           tiny_first_stage()->decode(z), 1e-4, 1e-5));
}

TEST_F(ModelFileTest, RefusesAnotherFirstStage) {
  write_first_stage(folder_ / "ae.safetensors", 2);
  EXPECT_TRUE(has(load_error(ErrorKind::kData), "SHA-256 differs"));
  EXPECT_TRUE(
      has(thrown(ErrorKind::kData, [&] { load_first_stage(folder_ / "model.safetensors"); }), "SHA-256"));
  EXPECT_NO_THROW(load_latent_diffusion(folder_ / "model.safetensors", folder_ / "ae.safetensors"));
  fs::remove(folder_ / "ae.safetensors");
  EXPECT_TRUE(has(load_error(ErrorKind::kData), "is not beside it"));
}

TEST_F(ModelFileTest, RefusesAFirstStageElsewhere) {
  auto file = diffusion_file(*model_, folder_ / "ae.safetensors");
  file.first_stage = "../ae.safetensors";
  write_model_file(folder_ / "model.safetensors", file, at::kFloat);
  EXPECT_TRUE(has(load_error(ErrorKind::kFormat), "plain file name"));
}

// One that names a diffusion model as its first stage could send the reader round in circles.
TEST_F(ModelFileTest, RefusesADiffusionModelAsFirstStage) {
  fs::rename(folder_ / "model.safetensors", folder_ / "inner.safetensors");
  write_model_file(folder_ / "model.safetensors", diffusion_file(*model_, folder_ / "inner.safetensors"),
                   at::kFloat);
  EXPECT_TRUE(has(load_error(ErrorKind::kFormat), "expected a first stage, got a diffusion model"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { load_latent_diffusion(folder_ / "ae.safetensors"); }),
                  "this is a first stage"));
}

TEST_F(ModelFileTest, RefusesWeightsThatDoNotFitTheConfiguration) {
  auto file = diffusion_file(*model_, folder_ / "ae.safetensors");
  file.tensors.erase("model.diffusion_model.time_embed.0.weight");
  write_model_file(folder_ / "model.safetensors", file, at::kFloat);
  EXPECT_TRUE(has(load_error(ErrorKind::kFormat), "time_embed.0.weight"));
}

TEST_F(ModelFileTest, RefusesFilesOfOthersAndNewerOnes) {
  const auto path = folder_ / "x.safetensors";
  const auto error = [&](std::map<std::string, std::string> metadata) {
    write_tensor_file(path, {{"a", at::zeros({1})}}, metadata);
    return thrown(ErrorKind::kFormat, [&] { read_model_file(path); });
  };
  EXPECT_TRUE(has(error({}), "no ldm.format"));
  EXPECT_TRUE(has(error({{"ldm.format", "2"}}), "expected model format 1, got 2"));
  EXPECT_TRUE(has(error({{"ldm.format", "1"}, {"ldm.kind", "banana"}}), "banana"));
  std::ofstream(path) << "short";
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { read_model_file(path); }), "x.safetensors"));
  EXPECT_TRUE(has(thrown(ErrorKind::kData, [&] { read_model_file(folder_ / "none"); }), "none"));
}

TEST_F(ModelFileTest, StoresHalfPrecisionAndRefusesWhatItCannotHold) {
  write_first_stage(folder_ / "half.safetensors", 1, at::kHalf);
  EXPECT_LT(fs::file_size(folder_ / "half.safetensors"), fs::file_size(folder_ / "ae.safetensors") * 6 / 10);
  const auto z = at::randn({1, 4, 4, 4});
  torch::NoGradGuard no_grad;
  const auto whole = tiny_first_stage()->decode(z),
             half = load_first_stage(folder_ / "half.safetensors")->decode(z);
  EXPECT_FALSE(at::equal(whole, half));
  EXPECT_TRUE(at::allclose(whole, half, 1e-2, 1e-2));
  auto file = read_model_file(folder_ / "ae.safetensors");
  file.tensors["first_stage_model.quant_conv.bias"] = at::full({8}, 1e6);
  EXPECT_TRUE(has(thrown(ErrorKind::kData, [&] { write_model_file(folder_ / "big", file, at::kHalf); }),
                  "first_stage_model.quant_conv.bias"));
  EXPECT_NO_THROW(write_model_file(folder_ / "big", file, at::kBFloat16));
}

}  // namespace
}  // namespace ldm
