#include "ldm/model/targets.h"

#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

TEST(Targets, KnowsTheOriginalsNames) {
  EXPECT_EQ(parse_target("ldm.models.autoencoder.AutoencoderKL", "t"), Target::kAutoencoderKl);
  EXPECT_EQ(parse_target("ldm.models.autoencoder.VQModelInterface", "t"), Target::kVqModel);
  EXPECT_EQ(parse_target("torch.nn.Identity", "t"), Target::kIdentity);
  EXPECT_EQ(parse_target("ldm.models.diffusion.ddpm.LatentDiffusion", "t"), Target::kLatentDiffusion);
  EXPECT_EQ(parse_target("ldm.modules.diffusionmodules.openaimodel.UNetModel", "t"), Target::kUnet);
  EXPECT_EQ(parse_target("ldm.modules.diffusionmodules.openaimodel.EncoderUNetModel", "t"),
            Target::kEncoderUnet);
  EXPECT_EQ(parse_target("ldm.modules.encoders.modules.BERTEmbedder", "t"), Target::kTextTransformer);
  EXPECT_EQ(parse_target("ldm.modules.encoders.modules.ClassEmbedder", "t"), Target::kClassEmbedder);
  EXPECT_EQ(parse_target("__is_unconditional__", "t"), Target::kUnconditional);
  EXPECT_EQ(parse_target("ldm.modules.losses.LPIPSWithDiscriminator", "t"), Target::kKlLoss);
  EXPECT_EQ(parse_target("taming.modules.losses.vqperceptual.VQLPIPSWithDiscriminator", "t"),
            Target::kVqLoss);
}

TEST(Targets, ShortNamesReadBack) {
  for (int k = 0; k <= static_cast<int>(Target::kVqLoss); ++k) {
    const auto target = static_cast<Target>(k);
    EXPECT_EQ(parse_target(to_string(target), "t"), target);
  }
}

TEST(Targets, NamesTheNearestAndThePlace) {
  const auto text = thrown(ErrorKind::kUsage, [] { parse_target("autoencoderkl", "model.target"); });
  EXPECT_TRUE(has(text, "model.target")) << text;
  EXPECT_TRUE(has(text, "'autoencoder_kl'")) << text;
}

}  // namespace
}  // namespace ldm
