#include "ldm/pipeline/control_hint.h"

#include <ATen/ATen.h>

#include "ldm/pipeline/generator.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

// All weights random: its own start has no effect.
std::shared_ptr<const ControlNet> steering_network(const LatentDiffusion& model, int64_t hint_channels = 3) {
  at::manual_seed(3);
  torch::NoGradGuard no_grad;
  const auto network = std::make_shared<ControlNet>(
      ControlNetOptions{.unet = model.unet().options(), .hint_channels = hint_channels});
  for (auto& parameter : network->parameters()) parameter.copy_(at::randn_like(parameter) * 0.1);
  network->eval();
  return network;
}

// Left black, right white.
Image halves(int64_t width, int64_t height, int64_t channels = 3) {
  Image out = make_image(width, height, channels);
  for (int64_t y = 0; y < height; ++y)
    std::fill(out.row(y) + out.stride() / 2, out.row(y) + out.stride(), 255);
  return out;
}

GenerateRequest steered(const LatentDiffusion& model, const Image& picture, double strength) {
  GenerateRequest out{.prompt = "red disc", .count = 1, .seed = 5, .sampling = {.steps = 3}};
  out.controls = {{.network = steering_network(model), .picture = picture, .strength = strength}};
  return out;
}

TEST(ControlHint, ThePictureCoversWhatIsDrawn) {
  const auto model = tiny_model("text");
  auto r = steered(*model, halves(20, 10), 0.5);
  const auto hint_for = [&] { return bind_controls(*model, r, plan_canvas(*model, r)).at(0); };
  const auto whole = hint_for();
  EXPECT_EQ(whole->strength, 0.5);
  ASSERT_EQ(whole->hint.sizes(), at::IntArrayRef({1, 3, 32, 32}));  // Eight pixels a latent, 4x4 of them.
  const auto row = whole->hint[0][0][16];
  EXPECT_EQ(row[0].item<float>(), 0.0F);
  EXPECT_EQ(row[31].item<float>(), 1.0F);
  // 10 pixels of 12 are shown: the last columns go on beyond the picture.
  r.width = 10;
  EXPECT_TRUE(at::equal(hint_for()->hint.select(3, 19), hint_for()->hint.select(3, 23)));
  r.controls[0].network = steering_network(*model, 1);
  EXPECT_EQ(hint_for()->hint.size(1), 1);
}

TEST(ControlHint, SteersThePictures) {
  const auto model = tiny_model("text");
  const Generator generator(model);
  auto r = steered(*model, halves(16, 16), 1.0);
  const auto with = generator.generate(r).at(0).image;
  r.controls[0].picture = halves(16, 16, 1);
  EXPECT_EQ(generator.generate(r).at(0).image, with) << "grey is colour";
  r.controls[0].picture = make_image(16, 16, 3);
  EXPECT_NE(generator.generate(r).at(0).image, with) << "the picture has no effect";
  r.controls[0].strength = 0.0;
  const auto without = generator.generate(r).at(0).image;
  EXPECT_NE(without, with);
  r.controls.clear();
  EXPECT_EQ(generator.generate(r).at(0).image, without);
}

TEST(ControlHint, WhatCannotBeFollowedIsRefused) {
  const auto model = tiny_model("text");
  const Generator generator(model);
  const auto refused = [&](const GenerateRequest& r) {
    return thrown(ErrorKind::kUsage, [&] { generator.generate(r); });
  };
  EXPECT_TRUE(has(refused(steered(*model, make_image(16, 16, 4, 128), 1.0)), "transparency"));
  EXPECT_TRUE(has(refused(steered(*model, halves(16, 16), std::nan(""))), "finite strength"));
  auto r = steered(*model, halves(16, 16), 1.0);
  r.controls[0].network = steering_network(*model, 5);
  EXPECT_TRUE(has(refused(r), "reads 5 channels"));
}

}  // namespace
}  // namespace ldm
