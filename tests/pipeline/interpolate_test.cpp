// Ways between prompts and seeds: their ends are the plain pictures.
#include "ldm/pipeline/interpolate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "ldm/pipeline/generator.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

GenerateRequest way_request(std::vector<PathPlace> places, int64_t frames) {
  GenerateRequest r{.count = frames, .sampler = "ddim", .sampling = {.steps = 4}};
  r.path.places = std::move(places);
  return r;
}

std::vector<GeneratedImage> draw_way(const GenerateRequest& r, const std::string& condition = "text") {
  return Generator(tiny_model(condition)).generate(r);
}

int way_difference(const Image& a, const Image& b) {
  int largest = a.pixels.size() == b.pixels.size() ? 0 : 256;
  for (size_t i = 0; i < std::min(a.pixels.size(), b.pixels.size()); ++i)
    largest = std::max(largest, std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  return largest;
}

std::string way_refusal(const GenerateRequest& r, const std::string& condition = "text") {
  return thrown(ErrorKind::kUsage, [&] { draw_way(r, condition); });
}

TEST(Path, FramesLieAtEqualDistances) {
  const auto position = [](size_t places, bool closed, int64_t frames, int64_t k) {
    const auto at = path_position(places, closed, frames, k);
    return std::tuple(at.from, at.to, at.t);
  };
  using Position = std::tuple<size_t, size_t, double>;
  EXPECT_EQ(position(2, false, 5, 0), Position(0, 1, 0.0));
  EXPECT_EQ(position(2, false, 5, 1), Position(0, 1, 0.25));
  EXPECT_EQ(position(2, false, 5, 4), Position(0, 1, 1.0));
  EXPECT_EQ(position(3, false, 5, 2), Position(1, 2, 0.0));
  EXPECT_EQ(position(3, false, 4, 1), Position(0, 1, 2.0 / 3));
  EXPECT_EQ(position(2, true, 4, 1), Position(0, 1, 0.5));
  EXPECT_EQ(position(2, true, 4, 2), Position(1, 0, 0.0));
  EXPECT_EQ(position(2, true, 4, 3), Position(1, 0, 0.5));
}

// With every kind of randomness: none, fresh noise at each step, a Brownian path.
TEST(Path, ItsEndsAreThePlainPictures) {
  for (const auto* sampler : {"ddim", "euler_a", "dpmpp_2m_sde"}) {
    auto r = way_request({{"red disc", 5}, {"blue", 9}}, 4);
    r.sampler = sampler;
    r.batch_size = 3;  // The last frame is of another batch.
    const auto frames = draw_way(r);
    ASSERT_EQ(frames.size(), 4u);
    EXPECT_EQ(frames[0].seed, 5u);
    EXPECT_EQ(frames[3].seed, 9u);
    for (const auto& [frame, prompt, seed] : {std::tuple(0, "red disc", 5), std::tuple(3, "blue", 9)}) {
      auto plain = r;
      plain.path = {};
      plain.count = 1;
      plain.prompt = prompt;
      plain.seed = static_cast<uint64_t>(seed);
      EXPECT_LE(way_difference(frames[static_cast<size_t>(frame)].image, draw_way(plain)[0].image), 1)
          << sampler << " " << prompt;
    }
    EXPECT_GT(way_difference(frames[1].image, frames[0].image), 0) << sampler;
    EXPECT_GT(way_difference(frames[1].image, frames[2].image), 0) << sampler;
  }
}

TEST(Path, MixesPooledWordsToo) {
  EXPECT_EQ(draw_way(way_request({{"red", 1}, {"blue", 1}}, 3), "text-adm").size(), 3u);
}

TEST(Path, MixedNoiseKeepsItsVariance) {
  MixedNoise noise(NoiseKind::kCpu, 1, 2, 0.5);
  const auto sample = noise.randn({4, 64, 64});
  EXPECT_NEAR(sample.std().item<double>(), 1.0, 0.02);
  EXPECT_TRUE(
      MixedNoise(NoiseKind::kCpu, 1, 2, 0.0).randn({8}).equal(NoiseStream(NoiseKind::kCpu, 1).randn({8})));
  EXPECT_TRUE(
      MixedNoise(NoiseKind::kCpu, 1, 2, 1.0).randn({8}).equal(NoiseStream(NoiseKind::kCpu, 2).randn({8})));
}

TEST(Path, MixesAlongTheLineOrTheCircle) {
  const auto a = at::tensor({2.0, 0.0}).view({1, 2}), b = at::tensor({0.0, 2.0}).view({1, 2});
  EXPECT_TRUE(mix(MixRule::kLerp, 0.5, a, b).allclose(at::tensor({1.0, 1.0}).view({1, 2})));
  EXPECT_TRUE(mix(MixRule::kSlerp, 0.5, a, b).allclose(at::tensor({M_SQRT2, M_SQRT2}).view({1, 2})));
  EXPECT_TRUE(mix(MixRule::kSlerp, 1.0, a, b).equal(b));
}

TEST(Path, RefusesWhatCannotBeMixed) {
  EXPECT_TRUE(
      has(way_refusal(way_request({{"red", 1}}, 3)), "two places and two frames or more, got 1 and 3"));
  EXPECT_TRUE(has(way_refusal(way_request({{"red", 1}, {"blue", 2}}, 1)), "got 2 and 1"));
  EXPECT_TRUE(has(way_refusal(way_request({{"[red:blue:2]", 1}, {"blue", 2}}, 3)), "cannot be mixed"));
  EXPECT_TRUE(has(way_refusal(way_request({{"red", 1}, {"blue AND red", 2}}, 3)), "cannot be mixed"));
  EXPECT_TRUE(has(way_refusal(way_request({{"red", 1}, {"", 2}}, 3), "class"), "not words"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [] { parse_mix_rule("slurp"); }), "lerp or slerp, got 'slurp'"));
  const Conditioning classes{.y = at::tensor({1, 2})};
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage,
                         [&] {
                           mix_conditions(classes, {{0, 1, 0.5}}, MixRule::kLerp);
                         }),
                  "nothing between two"));
}

}  // namespace
}  // namespace ldm
