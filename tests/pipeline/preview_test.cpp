// Previews: colours fitted to the first stage, and tiny decoders.
#include "ldm/pipeline/preview.h"

#include <ATen/ATen.h>

#include "ldm/nn/tiny_autoencoder.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

TEST(Preview, HasThePicturesSize) {
  const auto model = tiny_model("text");
  const auto factor = model->first_stage().downsampling();
  const auto pictures = Preview(*model).pictures(at::randn({3, model->options().channels, 4, 6}));
  ASSERT_EQ(pictures.size(), 3u);
  EXPECT_EQ(pictures[0].width, 6 * factor);
  EXPECT_EQ(pictures[0].height, 4 * factor);
}

// Where latents are colours in another basis, the fit is the way back.
TEST(Preview, TheFitFindsTheColours) {
  const auto basis =
      at::tensor({0.5, 0.2, -0.1, 0.0, 0.7, 0.3, -0.4, 0.1, 0.6, 0.3, -0.3, 0.2}).view({4, 3}).to(at::kFloat);
  const auto encode = [&](const torch::Tensor& picture) {
    return at::conv2d(at::avg_pool2d(picture, 8), basis.view({4, 3, 1, 1})) + 0.25;
  };
  const auto colours = fit_latent_colours(encode, 8);
  const auto rgb = at::rand({5, 3}) * 2 - 1;
  const auto back = (rgb.matmul(basis.t()) + 0.25).matmul(colours.weight.t()) + colours.bias;
  EXPECT_LT((back - rgb).abs().max().item<double>(), 0.01);
}

TEST(Preview, TheFitIsTheSameEachTime) {
  const auto model = tiny_model("text");
  const auto a = fit_latent_colours(*model), b = fit_latent_colours(*model);
  EXPECT_TRUE(a.weight.equal(b.weight) && a.bias.equal(b.bias));
  EXPECT_TRUE(at::isfinite(a.weight).all().item<bool>());
  EXPECT_EQ(a.weight.sizes(), (std::vector<int64_t>{3, model->options().channels}));
}

TEST(Preview, RefusesADecoderOfOtherLatents) {
  const auto model = tiny_model("text");
  const auto other = std::make_shared<TinyAutoencoder>(
      TinyAutoencoderOptions{.latent_channels = model->options().channels + 1});
  EXPECT_TRUE(
      has(thrown(ErrorKind::kUsage, [&] { Preview(*model, other); }), "the decoder takes latents of"));
}

}  // namespace
}  // namespace ldm
