#include "ldm/data/emoji_colour.h"

#include <gtest/gtest.h>

#include <string>

#include "ldm/data/captions.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

// Left part in one colour, the rest in another.
Image two_colours(Rgb left, Rgb right, int64_t split) {
  Image image = make_image(32, 32, 3);
  for (int64_t y = 0; y < 32; ++y) {
    for (int64_t x = 0; x < 32; ++x) {
      for (int64_t c = 0; c < 3; ++c)
        image.row(y)[3 * x + c] = (x < split ? left : right)[static_cast<size_t>(c)];
    }
  }
  return image;
}

TEST(EmojiColour, FindsTheDominantHue) {
  const auto green = dominant_hue(two_colours({20, 220, 20}, kWhite, 20));
  ASSERT_TRUE(green);
  EXPECT_NEAR(green->hue, 120, 1);
  EXPECT_NEAR(green->share, 1, 1e-9);
  EXPECT_NEAR(green->value, 220 / 255.0, 1e-9);
  const auto red = dominant_hue(two_colours({255, 0, 0}, {0, 0, 255}, 20));  // 20 against 12 columns.
  ASSERT_TRUE(red);
  EXPECT_NEAR(red->share, 20 / 32.0, 1e-9);
}

TEST(EmojiColour, GreyAndMixedPicturesHaveNone) {
  EXPECT_FALSE(dominant_hue(two_colours({90, 90, 90}, kWhite, 16)));
  EXPECT_FALSE(dominant_hue(two_colours({130, 120, 120}, kWhite, 16)));
  EXPECT_FALSE(dominant_hue(two_colours(kWhite, kWhite, 16)));
  EXPECT_FALSE(dominant_hue(two_colours({255, 0, 0}, {0, 255, 0}, 16)));
}

TEST(EmojiColour, NamesHues) {
  EXPECT_EQ(colour_word({355, 1, 1, 1}), "red");
  EXPECT_EQ(colour_word({30, 1, 1, 1}), "orange");
  EXPECT_EQ(colour_word({30, 1, 1, 0.5}), "brown");
  EXPECT_EQ(colour_word({55, 1, 1, 1}), "yellow");
  EXPECT_EQ(colour_word({60, 1, 1, 1}), "green");
  EXPECT_EQ(colour_word({200, 1, 1, 1}), "blue");
  EXPECT_EQ(colour_word({350, 1, 0.4, 1}), "pink");
}

TEST(EmojiColour, RotatesHues) {
  const Image red = two_colours({200, 50, 50}, kWhite, 32);
  EXPECT_EQ(rotate_hue(red, 120), two_colours({50, 200, 50}, kWhite, 32));
  EXPECT_EQ(rotate_hue(red, -120), two_colours({50, 50, 200}, kWhite, 32));
  EXPECT_EQ(rotate_hue(rotate_hue(red, 120), -120), red);
  EXPECT_EQ(rotate_hue(two_colours({9, 9, 9}, kWhite, 5), 77), two_colours({9, 9, 9}, kWhite, 5));
}

TEST(EmojiColour, WantsRgb) {
  const Image grey = make_image(2, 2, 1);
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { dominant_hue(grey); }), "got 1 channels"));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { rotate_hue(grey, 1); }), "got 1 channels"));
}

}  // namespace
}  // namespace ldm
