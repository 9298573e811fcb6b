// Masks of edits: from pictures, feathered, at the size of latents, and putting back what they keep.
#include "ldm/pipeline/edit_mask.h"

#include <ATen/ATen.h>

#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

// One row of grey values.
Image mask_row(std::vector<uint8_t> values) {
  const auto width = static_cast<int64_t>(values.size());
  return {.width = width, .height = 1, .channels = 1, .pixels = std::move(values)};
}

TEST(EditMask, NearlyBlackAndWhiteAreThat) {
  EXPECT_EQ(mask_of(mask_row({0, 7, 8, 247, 248})).pixels, (std::vector<uint8_t>{0, 0, 8, 247, 255}));
}

TEST(EditMask, TransparentPartsOfAMaskAreBlack) {
  const Image stroke{
      .width = 2, .height = 1, .channels = 4, .pixels = {255, 255, 255, 255, 255, 255, 255, 0}};
  EXPECT_EQ(mask_of(stroke).pixels, (std::vector<uint8_t>{255, 0}));
}

TEST(EditMask, TransparencyIsDrawnAnew) {
  Image picture{.width = 2, .height = 1, .channels = 4, .pixels = {9, 9, 9, 255, 9, 9, 9, 55}};
  EXPECT_EQ(transparency_mask(picture).pixels, (std::vector<uint8_t>{0, 200}));
  picture.pixels[7] = 255;
  EXPECT_TRUE(transparency_mask(picture).empty());
  EXPECT_TRUE(transparency_mask(make_image(2, 2, 3)).empty());
}

TEST(EditMask, FadesOutBeyondItsEdge) {
  const auto faded = feathered(mask_row({0, 0, 0, 0, 255, 255, 0, 100}), 3);
  EXPECT_EQ(faded.pixels, (std::vector<uint8_t>{0, 64, 128, 191, 255, 255, 191, 128}));
  EXPECT_EQ(feathered(mask_row({0, 255}), 0).pixels, (std::vector<uint8_t>{0, 255}));
}

TEST(EditMask, FadesInAllDirectionsAlike) {
  auto mask = make_image(9, 9, 1);
  mask.row(4)[4] = 255;
  const auto faded = feathered(mask, 4);
  EXPECT_EQ(faded.row(4)[1], faded.row(1)[4]);
  EXPECT_EQ(faded.row(2)[2], 255 - 144);  // 255 (1 - sqrt(8) / 5).
  EXPECT_EQ(faded.row(0)[0], 0);
}

TEST(EditMask, ALatentIsRedrawnWithAnyOfItsPixels) {
  auto mask = make_image(6, 4, 1);
  mask.row(3)[5] = 1;
  const auto redrawn = redrawn_latents(mask, 4, 2, 2);  // Drawn 8 x 4: the last column repeats.
  EXPECT_EQ(redrawn.sizes(), (std::vector<int64_t>{1, 1, 2, 4}));
  EXPECT_EQ(redrawn.sum().item<float>(), 2.0f);
  EXPECT_EQ(redrawn[0][0][1][2].item<float>(), 1.0f);
  EXPECT_EQ(redrawn[0][0][1][3].item<float>(), 1.0f);
}

TEST(EditMask, PutsBackToTheByte) {
  Image drawn = make_image(4, 1, 3, 200);
  const Image original = make_image(4, 1, 3, 101);
  put_back(drawn, original, mask_row({0, 255, 128, 1}));
  EXPECT_EQ(drawn.pixels[0], 101);
  EXPECT_EQ(drawn.pixels[3], 200);
  EXPECT_EQ(drawn.pixels[6], 151);  // 101 + 99 * 128 / 255 = 150.7.
  EXPECT_EQ(drawn.pixels[9], 101);
}

}  // namespace
}  // namespace ldm
