#include "ldm/pipeline/generator.h"

#include <algorithm>
#include <cstdlib>

#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

GenerateRequest request() {
  return {.prompt = "red disc", .count = 1, .seed = 5, .sampler = "ddim", .sampling = {.steps = 4}};
}

std::vector<GeneratedImage> draw(const GenerateRequest& r, const std::string& condition = "text") {
  return Generator(tiny_model(condition)).generate(r);
}

int difference(const Image& a, const Image& b) {
  int largest = a.pixels.size() == b.pixels.size() ? 0 : 256;
  for (size_t i = 0; i < std::min(a.pixels.size(), b.pixels.size()); ++i)
    largest = std::max(largest, std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  return largest;
}

std::string refusal(const GenerateRequest& r, const std::string& condition = "text") {
  return thrown(ErrorKind::kUsage, [&] { draw(r, condition); });
}

TEST(Generator, AnImageDependsOnItsSeedAlone) {
  for (const auto* sampler : {"ddim", "ddpm", "plms", "dpmpp_2m", "euler", "euler_a", "heun"}) {
    auto r = request();
    r.sampler = sampler;
    r.count = 5;
    r.batch_size = 5;
    const auto together = draw(r);
    r.batch_size = 2;
    const auto in_parts = draw(r);
    r.count = 1;
    r.seed = 8;
    const auto single = draw(r);
    ASSERT_EQ(together.size(), 5u);
    ASSERT_EQ(in_parts.size(), 5u);
    EXPECT_EQ(together[3].seed, 8u);
    for (size_t k = 0; k < 5; ++k)
      EXPECT_LE(difference(together[k].image, in_parts[k].image), 1) << sampler << k;
    EXPECT_LE(difference(together[3].image, single[0].image), 1) << sampler;
    EXPECT_GT(difference(together[2].image, together[3].image), 1) << sampler;
  }
}

TEST(Generator, GuidanceOfOneIsThePlainModel) {
  auto r = request();
  r.guidance.scale = 1.0;
  r.negative_prompt = "blue";  // Without effect then.
  const auto plain = draw(r);
  r.guidance.scale = 1.0 + 1e-9;
  r.negative_prompt.clear();
  EXPECT_LE(difference(plain[0].image, draw(r)[0].image), 1);
  r.guidance.scale = 3.0;
  const auto guided = draw(r);
  EXPECT_GT(difference(plain[0].image, guided[0].image), 1);
  r.negative_prompt = "blue";
  EXPECT_GT(difference(guided[0].image, draw(r)[0].image), 0)
      << "the negative prompt stands for no condition";
  r.prompt = "blue";
  r.guidance.scale = 1.0;
  EXPECT_GT(difference(plain[0].image, draw(r)[0].image), 0) << "the prompt has an effect";
}

TEST(Generator, GuidesWithWordsPooledToo) {
  auto r = request();
  const auto a = draw(r, "text-adm");
  r.prompt = "blue";
  EXPECT_GT(difference(a[0].image, draw(r, "text-adm")[0].image), 0);
}

TEST(Generator, SizesFollowTheRequest) {
  auto r = request();
  EXPECT_EQ(draw(r)[0].image.width, 16);
  r.width = 24;
  r.height = 8;
  const auto image = draw(r)[0].image;
  EXPECT_EQ(image.width, 24);
  EXPECT_EQ(image.height, 8);
}

TEST(Generator, ReportsProgressAndStops) {
  auto r = request();
  r.count = 4;
  r.batch_size = 2;
  DrawHooks hooks;
  std::vector<int64_t> done, finished;
  int64_t estimates = 0;
  hooks.progress = [&](const Progress& p) {
    EXPECT_EQ(p.total, 16);
    done.push_back(p.done);
    if (p.done == 10) hooks.stop.request();  // In the second batch.
  };
  hooks.finished = [&](int64_t first, std::span<const GeneratedImage> images) {
    EXPECT_EQ(images.size(), 2u);
    EXPECT_EQ(images[0].seed, r.seed + static_cast<uint64_t>(first));
    finished.push_back(first);
  };
  hooks.estimate = [&](const torch::Tensor& latents) { estimates += latents.size(0); };
  EXPECT_EQ(Generator(tiny_model("text")).generate(r, hooks).size(), 2u);
  EXPECT_EQ(finished, (std::vector<int64_t>{0}));
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.front(), 2);
  EXPECT_EQ(estimates, 10) << "no step after the one that was asked to be the last";
}

TEST(Generator, WarnsOfUnknownWords) {
  auto r = request();
  r.prompt = "green";
  std::string warnings;
  Generator(tiny_model("text")).generate(r, {.log = [&](LogLevel, std::string_view m) { warnings += m; }});
  EXPECT_TRUE(has(warnings, "never seen")) << warnings;
}

TEST(Generator, RefusesNumbersOutOfRange) {
  auto r = request();
  r.count = 0;
  EXPECT_TRUE(has(refusal(r), "1..100000 images, got 0"));
  r = request();
  r.sampling.steps = 51;
  EXPECT_TRUE(has(refusal(r), "expected 1..50 steps, got 51"));
  r = request();
  r.batch_size = 0;
  EXPECT_TRUE(has(refusal(r), "batch size"));
  r = request();
  r.sampler = "eulr";
  EXPECT_TRUE(has(refusal(r), "euler"));
  r = request();
  r = request();
  r.width = 8192;
  EXPECT_TRUE(has(refusal(r), "width and height of 1..4096 pixels, got 8192"));
}

TEST(Generator, RefusesConditionsOfAnotherKind) {
  auto r = request();
  EXPECT_TRUE(has(refusal(r, "none"), "unconditional"));
  EXPECT_TRUE(has(refusal(r, "class"), "takes a class in 0..2, not words"));
  r.label = 1;
  EXPECT_TRUE(has(refusal(r, "text"), "this model takes words, not a class; got class 1"));
  r.prompt.clear();
  r.label = 5;
  EXPECT_TRUE(has(refusal(r, "class"), "expected a class in 0..2, got 5"));
  r.label = 1;
  EXPECT_TRUE(has(refusal(r, "class-only"), "without a null class"));
  r.guidance.scale = 1.0;
  EXPECT_EQ(draw(r, "class-only").size(), 1u);
  r.label = -1;
  EXPECT_TRUE(has(refusal(r, "class-only"), "needs a class"));
  EXPECT_EQ(draw(r, "none").size(), 1u);
}

}  // namespace
}  // namespace ldm
