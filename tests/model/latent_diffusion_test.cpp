#include "ldm/model/latent_diffusion.h"

#include <ATen/ATen.h>

#include "ldm/config/options.h"
#include "ldm/config/override.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

std::string refusal(ErrorKind kind, const std::string& condition, const std::string& change,
                    const std::string& vocabulary = tiny_vocabulary()) {
  return thrown(kind, [&] {
    auto config = tiny_diffusion_config(condition);
    if (!change.empty()) apply_override(config, change);
    LatentDiffusionOptions options;
    read_options(config.at("model").at("params"), options, "model.params");
    LatentDiffusion(options, tiny_first_stage(), vocabulary);
  });
}

TEST(LatentDiffusion, LoadsItsOwnState) {
  const auto a = tiny_model("text-adm", 1), b = tiny_model("text-adm", 2);
  StateDict saved;
  for (const auto& [name, tensor] : a->state()) saved[name] = tensor.clone();
  EXPECT_TRUE(saved.contains("model.diffusion_model.time_embed.0.weight"));
  EXPECT_TRUE(saved.contains("cond_stage_model.transformer.token_emb.weight"));
  const auto x = at::randn({1, 4, 4, 4});
  const auto t = at::full({1}, 7, at::kLong);
  const std::vector<Condition> words{{.caption = "red disc"}};
  const auto run = [&](const LatentDiffusion& m) { return m.predict(x, t, m.encode(words)); };
  torch::NoGradGuard no_grad;
  EXPECT_FALSE(at::allclose(run(*a), run(*b)));
  b->load(saved);
  EXPECT_TRUE(at::equal(run(*a), run(*b)));
}

TEST(LatentDiffusion, RefusesWeightsThatDoNotFit) {
  const auto model = tiny_model("text");
  auto missing = model->state();
  missing.erase("cond_stage_model.transformer.norm.weight");
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { model->load(missing); }), "transformer.norm.weight"));
  auto extra = model->state();
  extra["model.diffusion_model.nobody.weight"] = at::zeros({1});
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { model->load(extra); }), "nobody.weight"));
  auto other = model->state();
  other["model.diffusion_model.time_embed.0.weight"] = at::zeros({2, 2});
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { model->load(other); }), "[2, 2]"));
}

TEST(LatentDiffusion, AppendsPictures) {
  const auto model = tiny_model("picture");
  torch::NoGradGuard no_grad;
  const auto x = at::randn({1, 4, 4, 4}), sigma = at::full({1}, 1.0);
  const auto draw = [&](const torch::Tensor& picture) {
    return model->denoiser(model->encode(std::vector<Condition>{{.picture = picture}}))(x, sigma);
  };
  EXPECT_EQ(draw(at::zeros({4, 4, 4})).sizes(), x.sizes());
  EXPECT_FALSE(at::allclose(draw(at::zeros({4, 4, 4})), draw(at::ones({4, 4, 4}))));
}

TEST(LatentDiffusion, HybridTakesWordsAndAMaskedPicture) {
  const auto model = tiny_model("text-inpaint");
  torch::NoGradGuard no_grad;
  auto picture = at::rand({3, 16, 16}) * 2 - 1, mask = at::zeros({1, 16, 16});
  mask.narrow(2, 8, 8).fill_(1);
  const auto out =
      model->encode(std::vector<Condition>{{.caption = "red disc", .picture = picture, .mask = mask}});
  EXPECT_TRUE(out.context.defined());
  picture.narrow(2, 8, 8).fill_(0);
  EXPECT_TRUE(at::allclose(out.concat.narrow(1, 1, 4), model->encode_images(picture.unsqueeze(0))));
  EXPECT_TRUE(at::equal(out.concat[0][0][0], at::tensor({0.0F, 0.0F, 1.0F, 1.0F})));
  EXPECT_EQ(model->predict(at::randn({1, 4, 4, 4}), at::tensor({3}), out).size(1), 4);
}

TEST(LatentDiffusion, ScalesLatents) {
  const auto model = tiny_model("none");
  torch::NoGradGuard no_grad;
  const auto images = at::rand({2, 3, 16, 16}) * 2 - 1;
  const auto latents = model->encode_images(images);
  EXPECT_EQ(latents.sizes(), (std::vector<int64_t>{2, 4, 4, 4}));
  EXPECT_TRUE(at::allclose(latents, model->first_stage().encode(images) * 0.5));
  EXPECT_TRUE(at::allclose(model->decode_latents(latents), model->first_stage().decode(latents * 2)));
}

TEST(LatentDiffusion, RefusesSettingsThatContradict) {
  EXPECT_TRUE(has(refusal(ErrorKind::kUsage, "none", "model.params.channels=3"), "model.params.channels"));
  EXPECT_TRUE(has(refusal(ErrorKind::kUsage, "none", "model.params.scale_factor=0"), "scale_factor"));
  EXPECT_TRUE(has(refusal(ErrorKind::kUsage, "none", "model.params.image_size=0"), "image_size"));
  EXPECT_TRUE(
      has(refusal(ErrorKind::kUsage, "text", "model.params.conditioning_key=concat"), "conditioning_key"));
  EXPECT_TRUE(
      has(refusal(ErrorKind::kUsage, "none", "model.params.unet_config.target=vq_model"), "expected unet"));
  EXPECT_TRUE(has(refusal(ErrorKind::kUsage, "none", "model.params.parameterization=w"), "w"));
  EXPECT_TRUE(has(refusal(ErrorKind::kUsage, "text", "model.params.cond_stage_config.target=unet"),
                  "expected a conditioner"));
}

TEST(LatentDiffusion, RefusesAVocabularyThatDoesNotFit) {
  EXPECT_TRUE(has(refusal(ErrorKind::kFormat, "text", "", ""), "needs a vocabulary"));
  EXPECT_TRUE(has(refusal(ErrorKind::kFormat, "text", "model.params.cond_stage_config.params.vocab_size=6"),
                  "has 7 pieces, the network knows 6"));
}

}  // namespace
}  // namespace ldm
