// Image to image, inpainting and outpainting by the generator.
#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>

#include "ldm/diffusion/samplers.h"
#include "ldm/pipeline/generator.h"
#include "ldm/pipeline/pictures.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

// A picture with a colour gradient, so that every pixel has bytes of its own.
Image edit_picture(int64_t width = 16, int64_t height = 16) {
  auto image = make_image(width, height, 3);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const std::array<int64_t, 3> rgb{x * 255 / width, y * 255 / height, (7 * x + 3 * y) % 256};
      for (size_t c = 0; c < 3; ++c)
        image.row(y)[3 * x + static_cast<int64_t>(c)] = static_cast<uint8_t>(rgb[c]);
    }
  }
  return image;
}

// White in the right half.
Image right_half(int64_t width = 16, int64_t height = 16) {
  auto mask = make_image(width, height, 1);
  for (int64_t y = 0; y < height; ++y) std::fill_n(mask.row(y) + width / 2, width - width / 2, uint8_t{255});
  return mask;
}

GenerateRequest edit_request() {
  GenerateRequest r{.prompt = "red disc", .seed = 5};
  r.sampling.steps = 6;
  r.edit.picture = edit_picture();
  return r;
}

std::vector<GeneratedImage> draw_edit(const GenerateRequest& r, const std::string& condition = "text") {
  return Generator(tiny_model(condition)).generate(r);
}

int edit_difference(const Image& a, const Image& b) {
  int largest = a.pixels.size() == b.pixels.size() ? 0 : 256;
  for (size_t i = 0; i < std::min(a.pixels.size(), b.pixels.size()); ++i)
    largest = std::max(largest, std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  return largest;
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(int{a.pixels[i]} - int{b.pixels[i]});
  return sum / static_cast<double>(a.pixels.size());
}

// The pixels where the mask is 0.
bool keeps_unmasked(const Image& drawn, const Image& original, const Image& mask) {
  for (size_t i = 0; i < drawn.pixels.size(); ++i) {
    if (mask.pixels[i / 3] == 0 && drawn.pixels[i] != original.pixels[i]) return false;
  }
  return drawn.pixels.size() == original.pixels.size();
}

std::string edit_refusal(const GenerateRequest& r, const std::string& condition = "text") {
  return thrown(ErrorKind::kUsage, [&] { draw_edit(r, condition); });
}

TEST(Edit, StrengthZeroIsTheReconstruction) {
  const torch::NoGradGuard no_grad;
  const auto model = tiny_model("text");
  auto r = edit_request();
  const auto picture = to_tensor(std::vector<Image>{r.edit.picture});
  const auto again = to_images(model->decode_latents(model->encode_images(picture))).front();
  for (const auto rule : {StrengthRule::kDiffusers, StrengthRule::kLdm, StrengthRule::kA1111}) {
    r.edit.rule = rule;
    r.edit.strength = 0.0;
    EXPECT_EQ(edit_difference(Generator(model).generate(r)[0].image, again), 0) << to_string(rule);
  }
}

TEST(Edit, MoreStrengthGoesFurther) {
  auto r = edit_request();
  r.sampling.steps = 20;
  for (const auto rule : {StrengthRule::kDiffusers, StrengthRule::kLdm, StrengthRule::kA1111}) {
    r.edit.rule = rule;
    r.edit.strength = 0.0;
    const auto unchanged = draw_edit(r)[0].image;
    double last = 0;
    for (const double strength : {0.15, 0.5, 1.0}) {
      r.edit.strength = strength;
      const double now = mean_difference(draw_edit(r)[0].image, unchanged);
      EXPECT_GT(now, last) << to_string(rule) << strength;
      last = now;
    }
  }
}

TEST(Edit, EverySamplerTakesAPicture) {
  for (const auto& sampler : samplers()) {
    auto r = edit_request();
    r.sampler = sampler.name;
    r.edit.strength = 0.5;
    r.count = 2;
    const auto pair = draw_edit(r);
    ASSERT_EQ(pair.size(), 2u) << sampler.name;
    EXPECT_GT(edit_difference(pair[0].image, pair[1].image), 0) << sampler.name;
    r.count = 1;
    r.seed = 6;
    EXPECT_LE(edit_difference(draw_edit(r)[0].image, pair[1].image), 1) << sampler.name;
  }
}

TEST(Edit, StepsAreThoseOfTheRule) {
  auto r = edit_request();
  r.edit.strength = 0.5;
  const auto steps = [&](StrengthRule rule) {
    r.edit.rule = rule;
    int64_t seen = 0;
    Generator(tiny_model("text")).generate(r, {.progress = [&](const Progress&) { ++seen; }});
    return seen;
  };
  EXPECT_EQ(steps(StrengthRule::kDiffusers), 3);
  EXPECT_EQ(steps(StrengthRule::kLdm), 3);
  EXPECT_EQ(steps(StrengthRule::kA1111), 4);
}

TEST(Edit, AMaskThatKeepsAllIsToldOf) {
  auto r = edit_request();
  r.edit.mask = make_image(r.edit.picture.width, r.edit.picture.height, 1, 7);
  const auto warnings = [&] {
    std::string out;
    Generator(tiny_model("text")).generate(r, {.log = [&](LogLevel, std::string_view m) { out += m; }});
    return out;
  };
  EXPECT_TRUE(has(warnings(), "the mask keeps all of the picture: white (255) is drawn anew"));
  r.edit.mask.row(0)[0] = 8;
  EXPECT_EQ(warnings(), "");
}

TEST(Edit, UnmaskedPixelsAreEqual) {
  auto r = edit_request();
  r.edit.mask = right_half();
  for (const std::string condition : {"text", "text-inpaint", "inpaint"}) {
    r.prompt = condition == "inpaint" ? "" : "red disc";
    for (const auto* sampler : {"ddim", "euler_a", "dpmpp_2m_sde"}) {
      for (const double strength : {0.0, 0.4, 1.0}) {
        r.sampler = sampler;
        r.edit.strength = strength;
        const auto drawn = draw_edit(r, condition)[0].image;
        EXPECT_TRUE(keeps_unmasked(drawn, r.edit.picture, r.edit.mask)) << condition << sampler << strength;
        EXPECT_GT(edit_difference(drawn, r.edit.picture), 1) << condition << sampler << strength;
      }
    }
  }
}

TEST(Edit, OnlyTheFeatherReachesBeyondTheMask) {
  auto r = edit_request();
  r.edit.mask = right_half();
  r.edit.feather = 3;
  const auto drawn = draw_edit(r)[0].image;
  auto reach = r.edit.mask;
  for (int64_t y = 0; y < 16; ++y) std::fill_n(reach.row(y) + 5, 3, uint8_t{255});
  EXPECT_TRUE(keeps_unmasked(drawn, r.edit.picture, reach));
  EXPECT_FALSE(keeps_unmasked(drawn, r.edit.picture, r.edit.mask));
}

TEST(Edit, TheKnownPartSteersTheRest) {
  auto r = edit_request();
  r.edit.mask = right_half();
  const auto drawn = draw_edit(r)[0].image;
  auto& pixels = r.edit.picture.pixels;
  std::transform(pixels.begin(), pixels.end(), pixels.begin(), [](uint8_t v) { return 255 - v; });
  const auto other = draw_edit(r)[0].image;
  int inside = 0;
  for (size_t i = 0; i < pixels.size(); ++i) {
    if (r.edit.mask.pixels[i / 3] > 0)
      inside = std::max(inside, std::abs(int{drawn.pixels[i]} - int{other.pixels[i]}));
  }
  EXPECT_GT(inside, 0);
}

TEST(Edit, TransparencyMasks) {
  auto r = edit_request();
  const auto opaque = r.edit.picture;
  r.edit.mask = right_half();
  const auto by_mask = draw_edit(r)[0].image;
  Image clear = make_image(16, 16, 4);
  for (size_t i = 0; i < 256; ++i) {
    for (size_t c = 0; c < 3; ++c) clear.pixels[4 * i + c] = opaque.pixels[3 * i + c];
    clear.pixels[4 * i + 3] = static_cast<uint8_t>(255 - r.edit.mask.pixels[i]);
  }
  r.edit.picture = clear;
  r.edit.mask = {};
  const auto by_alpha = draw_edit(r)[0].image;
  EXPECT_TRUE(keeps_unmasked(by_alpha, opaque, right_half()));
  EXPECT_GT(edit_difference(by_alpha, to_rgb(clear)), 1);
  EXPECT_EQ(by_mask.pixels.size(), by_alpha.pixels.size());
}

TEST(Edit, OutpaintingEnlargesAndKeeps) {
  auto r = edit_request();
  r.edit.outpaint = {3, 0, 10, 5};
  const auto drawn = draw_edit(r)[0].image;
  ASSERT_EQ(drawn.width, 29);
  ASSERT_EQ(drawn.height, 21);
  EXPECT_EQ(crop(drawn, 3, 0, 16, 16), r.edit.picture);
  r.width = 40;
  r.height = 24;
  const auto sized = draw_edit(r)[0].image;
  EXPECT_EQ(sized.width, 40);
  EXPECT_EQ(sized.height, 24);
  r.width = 12;
  EXPECT_TRUE(edit_refusal(r).find("leave nothing") != std::string::npos);
}

TEST(Edit, PicturesOfAnySizeAndKindFit) {
  auto r = edit_request();
  r.edit.picture = edit_picture(21, 13);
  auto drawn = draw_edit(r)[0].image;
  EXPECT_EQ(drawn.width, 21);
  EXPECT_EQ(drawn.height, 13);
  r.edit.picture = to_grey(edit_picture(50, 30));
  r.edit.mask = right_half(100, 60);  // Of those proportions.
  r.width = r.height = 16;
  drawn = draw_edit(r)[0].image;
  EXPECT_EQ(drawn.width, 16);
  r.edit.strength = 0.0;
  auto reach = right_half();  // Resizing makes its edge soft.
  for (int64_t y = 0; y < 16; ++y) std::fill_n(reach.row(y) + 6, 2, uint8_t{255});
  EXPECT_TRUE(keeps_unmasked(drawn, draw_edit(r)[0].image, reach));
}

TEST(Edit, AnInpaintingModelReadsPictureAndMask) {
  auto r = edit_request();
  r.edit.mask = right_half();
  for (const std::string condition : {"text-inpaint", "inpaint"}) {
    r.prompt = condition == "inpaint" ? "" : "red disc";
    const auto drawn = draw_edit(r, condition)[0].image;
    auto other = r;
    other.edit.mask.row(0)[0] = 255;  // Another hole, far away.
    const auto two_holes = draw_edit(other, condition)[0].image;
    bool differs = false;
    for (size_t i = 3; i < drawn.pixels.size(); ++i)
      differs = differs || drawn.pixels[i] != two_holes.pixels[i];
    EXPECT_TRUE(differs) << condition;
    // Without a picture it paints all of it.
    other.edit = {};
    EXPECT_EQ(draw_edit(other, condition).size(), 1u);
  }
}

TEST(Edit, SubseedsVaryOneSeed) {
  auto r = edit_request();
  r.edit = {};
  const auto plain = draw_edit(r)[0].image;
  r.count = 3;
  r.variation = {.seed = 100, .strength = 0.3};
  const auto varied = draw_edit(r);
  EXPECT_EQ(varied[2].seed, 5u);
  EXPECT_EQ(varied[2].variation_seed, 102u);
  EXPECT_GT(edit_difference(varied[0].image, varied[1].image), 1);
  r.count = 1;
  r.variation.seed = 102;
  EXPECT_LE(edit_difference(draw_edit(r)[0].image, varied[2].image), 1);
  r.variation.strength = 1.0;  // The other seed alone.
  const auto whole = draw_edit(r)[0].image;
  r.variation = {};
  r.seed = 102;
  EXPECT_LE(edit_difference(draw_edit(r)[0].image, whole), 1);
  r.variation.strength = 2.0;
  EXPECT_TRUE(has(edit_refusal(r), "subseed strength of 0 to 1, got 2"));
  EXPECT_NE(plain.pixels, whole.pixels);
}

TEST(Edit, RefusesWhatMissesAPicture) {
  GenerateRequest r{.prompt = "red"};
  r.edit.mask = right_half();
  EXPECT_TRUE(has(edit_refusal(r), "expected a picture to begin with (--init-image) for a mask"));
  r.edit = {.outpaint = {0, 0, 4, 0}};
  EXPECT_TRUE(has(edit_refusal(r), "margins"));
  r.edit = {.feather = 4};
  EXPECT_TRUE(has(edit_refusal(r), "feathered mask"));
  r.edit = {.strength = 0.5};
  EXPECT_TRUE(has(edit_refusal(r), "for a strength"));
}

TEST(Edit, RefusesNumbersOutOfRange) {
  auto r = edit_request();
  r.edit.strength = 1.5;
  EXPECT_TRUE(has(edit_refusal(r), "strength of 0 to 1, got 1.5"));
  r = edit_request();
  r.edit.feather = 2;
  EXPECT_TRUE(has(edit_refusal(r), "nothing to feather"));
  r.edit.mask = right_half();
  r.edit.feather = -1;
  EXPECT_TRUE(has(edit_refusal(r), "0..512 pixels to feather, got -1"));
  r = edit_request();
  r.edit.outpaint = {-1, 0, 0, 0};
  EXPECT_TRUE(has(edit_refusal(r), "margins of 0..4096"));
  r = edit_request();
  r.edit.mask = right_half(16, 30);
  EXPECT_TRUE(has(edit_refusal(r), "mask of the picture's 16x16 pixels or those proportions, got 16x30"));
  r = edit_request();
  r.edit.picture = make_image(5000, 4, 3);
  EXPECT_TRUE(has(edit_refusal(r), "5000x4 pixels, at most 4096"));
}

}  // namespace
}  // namespace ldm
