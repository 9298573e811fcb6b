#include "ldm/pipeline/upscale.h"

#include <ATen/ATen.h>

#include <cmath>

#include "ldm/data/picture_tensor.h"
#include "ldm/image/resample.h"
#include "ldm/pipeline/coded_picture.h"
#include "ldm/pipeline/generator.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

Image small_picture(int64_t width, int64_t height) {
  auto image = make_image(width, height, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i * 37 % 251);
  return image;
}

GenerateRequest upscale_request() {
  GenerateRequest r{.seed = 3};
  r.sampling.steps = 3;
  r.guidance.scale = 1.0;
  return r;
}

TEST(Upscale, GivesThePictureAsLargeAsTheLatents) {
  const auto model = tiny_model("small-picture");
  EXPECT_EQ(upscale_factor(*model), 4);
  const auto small = small_picture(6, 4);
  auto r = upscale_request();
  give_small_picture(*model, small, r);
  auto by_hand = upscale_request();
  by_hand.width = 24;
  by_hand.height = 16;
  by_hand.given.picture = unit_tensor(small);
  const auto want = Generator(model).generate(by_hand)[0].image;
  EXPECT_EQ(want.width, 24);
  EXPECT_EQ(Generator(model).generate(r)[0].image.pixels, want.pixels);
}

TEST(Upscale, EnlargesThePictureForTheFirstStage) {
  const auto model = tiny_model("reference");
  EXPECT_EQ(upscale_factor(*model), 4);
  const auto small = small_picture(4, 4);
  auto r = upscale_request();
  give_small_picture(*model, small, r);
  auto by_hand = upscale_request();
  by_hand.given.picture = unit_tensor(resize(small, 16, 16, Filter::kBicubic));
  EXPECT_EQ(Generator(model).generate(r)[0].image.pixels, Generator(model).generate(by_hand)[0].image.pixels);
}

TEST(Upscale, TakesAnySize) {
  const auto model = tiny_model("small-picture");
  auto r = upscale_request();
  give_small_picture(*model, small_picture(13, 3), r);
  EXPECT_EQ(r.tile.side, 8);  // Twice the trained 4.
  EXPECT_EQ(r.given.picture.sizes(), (std::vector<int64_t>{3, 3, 13}));
  const auto image = Generator(model).generate(r)[0].image;
  EXPECT_EQ(image.width, 52);
  EXPECT_EQ(image.height, 12);
}

TEST(Upscale, RefusesWhatItCannotDo) {
  const auto refused = [](const std::string& condition, const Image& picture, GenerateRequest r) {
    return thrown(ErrorKind::kUsage, [&] { give_small_picture(*tiny_model(condition), picture, r); });
  };
  const auto small = small_picture(4, 4);
  EXPECT_TRUE(has(refused("text", small, upscale_request()), "takes words, not a small picture to enlarge"));
  auto sized = upscale_request();
  sized.width = 64;
  EXPECT_TRUE(has(refused("reference", small, sized), "has its own size"));
  EXPECT_TRUE(has(refused("reference", small_picture(1025, 1), upscale_request()), "more than the 4096"));
}

TEST(CodedPicture, ComesBackInItsSize) {
  const torch::NoGradGuard no_grad;
  const auto stage = tiny_first_stage();
  const auto picture = small_picture(13, 6);
  const auto latents = encode_picture(*stage, picture);
  EXPECT_EQ(latents.sizes(), (std::vector<int64_t>{1, 4, 2, 4}));
  const auto again = decode_picture(*stage, latents, 13, 6);
  EXPECT_EQ(again.sizes(), (std::vector<int64_t>{1, 3, 6, 13}));
  const auto error = thrown(ErrorKind::kUsage, [&] { decode_picture(*stage, latents, 17, 6); });
  EXPECT_TRUE(has(error, "at most 16x8 pixels, got 17x6")) << error;
}

}  // namespace
}  // namespace ldm
