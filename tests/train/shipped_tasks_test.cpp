#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "ldm/data/picture_tensor.h"
#include "ldm/image/resample.h"
#include "ldm/model/load_model.h"
#include "ldm/pipeline/generator.h"

namespace ldm {
namespace {

constexpr int64_t kShippedSide = 64;

// Draws from a model of models/; nothing where the weights are not here.
class ShippedTaskTest : public testing::Test {
 protected:
  void open(const std::string& name) {
    const auto path = std::filesystem::path(std::getenv("LDM_SOURCE_DIR")) / "models" / name;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
    model_ = load_latent_diffusion(path);
  }

  // [3, 64, 64] in [-1, 1].
  torch::Tensor draw(const Condition& given) const {
    GenerateRequest request{.seed = 1, .sampling = {.steps = 12}, .guidance = {.scale = 1.0}};
    request.given = given;
    return unit_tensor(Generator(model_).generate(request).front().image);
  }

  std::shared_ptr<const LatentDiffusion> model_;
};

// A yellow disc on white.
Image disc() {
  Image out = make_image(kShippedSide, kShippedSide, 3, 255);
  for (int64_t y = 0; y < kShippedSide; ++y) {
    for (int64_t x = 0; x < kShippedSide; ++x) {
      if (std::hypot(x - 31.5, y - 31.5) < 28) out.row(y)[3 * x + 1] = 200, out.row(y)[3 * x + 2] = 40;
    }
  }
  return out;
}

double psnr_of(const torch::Tensor& a, const torch::Tensor& b) {
  return 10 * std::log10(4.0 / (a - b).square().mean().item<double>());
}

TEST_F(ShippedTaskTest, UpscaleKeepsWhatIsGiven) {
  open("emoji-upscale.safetensors");
  if (IsSkipped()) return;
  EXPECT_EQ(model_->options().upscale_factor, 4);
  const Image small = resize(disc(), 16, 16, Filter::kBicubic);
  const auto given = unit_tensor(resize(small, kShippedSide, kShippedSide, Filter::kBicubic));
  EXPECT_GT(psnr_of(draw({.picture = given}), unit_tensor(disc())), 18);
}

TEST_F(ShippedTaskTest, InpaintingFillsTheHole) {
  open("emoji-inpainting.safetensors");
  if (IsSkipped()) return;
  const auto truth = unit_tensor(disc());
  auto mask = at::zeros({1, kShippedSide, kShippedSide});
  mask.slice(1, 24, 40).slice(2, 24, 40).fill_(1);
  const auto drawn = draw({.picture = truth.masked_fill(mask.ge(0.5), -1.0), .mask = mask});
  EXPECT_GT(psnr_of(drawn, truth), 15);
  // A disc goes on under the mask: more yellow than black and than white.
  const auto hole = (drawn.slice(1, 24, 40).slice(2, 24, 40) + 1) / 2;
  EXPECT_GT(hole[0].mean().item<double>(), 0.6);
  EXPECT_LT(hole[2].mean().item<double>(), 0.6);
}

TEST_F(ShippedTaskTest, SegmentationPaintsItsRegions) {
  open("emoji-segmentation.safetensors");
  if (IsSkipped()) return;
  const auto& names = model_->options().label_names;  // "21 sky"
  auto map = at::zeros({static_cast<int64_t>(names.size()), kShippedSide, kShippedSide});
  for (size_t k = 0; k < names.size(); ++k) {
    const auto channel = map[static_cast<int64_t>(k)];
    if (names[k].ends_with(" sky") && !names[k].ends_with("night sky")) channel.slice(0, 0, 32).fill_(1);
    if (names[k].ends_with(" grass")) channel.slice(0, 32, 64).fill_(1);
  }
  ASSERT_TRUE(map.sum(0).eq(1).all().item<bool>());
  const auto drawn = draw({.picture = map});
  const auto sky = drawn.slice(1, 0, 24).mean({1, 2}), grass = drawn.slice(1, 40, 64).mean({1, 2});
  EXPECT_GT(sky[2].item<double>(), sky[0].item<double>()) << "the sky is not blue";
  EXPECT_GT(grass[1].item<double>(), grass[2].item<double>()) << "the grass is not green";
}

}  // namespace
}  // namespace ldm
