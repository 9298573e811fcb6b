// `ldm generate` and `ldm convert` with the tiny model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ldm/image/decode.h"
#include "ldm/image/png.h"
#include "tests/cli/tiny_run.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

// Four steps with seed 7, unless `more` says otherwise.
Outcome draw(const std::vector<std::string>& more, const std::string& model = tiny().model) {
  std::vector<std::string> all{"generate", "red disc", "-m", model};
  all.insert(all.end(), more.begin(), more.end());
  for (const auto& [option, value] : {std::pair{"--steps", "4"}, std::pair{"--seed", "7"}}) {
    if (std::find(more.begin(), more.end(), option) == more.end()) all.insert(all.end(), {option, value});
  }
  return run_program(all);
}

int largest_difference(const fs::path& a, const fs::path& b) {
  const auto x = read_image(a), y = read_image(b);
  if (x.pixels.size() != y.pixels.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < x.pixels.size(); ++i)
    largest = std::max(largest, std::abs(int{x.pixels[i]} - int{y.pixels[i]}));
  return largest;
}

TEST(Generate, SameSeedSameBytes) {
  const Scratch scratch;
  EXPECT_EQ(draw({"-o", scratch / "a.png"}).code, 0);
  EXPECT_EQ(draw({"-o", scratch / "b.png"}).code, 0);
  EXPECT_EQ(draw({"-o", scratch / "c.png", "--seed", "8"}).code, 0);
  EXPECT_EQ(read_whole(scratch / "a.png"), read_whole(scratch / "b.png"));
  EXPECT_GT(largest_difference(scratch / "a.png", scratch / "c.png"), 1);
}

TEST(Generate, ABatchEqualsSingleRunsWithEverySampler) {
  for (const auto* sampler : {"ddim", "ddpm", "euler_a"}) {
    const Scratch scratch;
    const auto batch = draw({"-n", "3", "--sampler", sampler, "-o", scratch / "x.png", "--json"});
    ASSERT_EQ(batch.code, 0) << batch.err;
    const auto images = nlohmann::json::parse(batch.out)["images"];
    ASSERT_EQ(images.size(), 3u);
    EXPECT_EQ(images[2]["seed"], 9);
    ASSERT_EQ(draw({"--sampler", sampler, "--seed", "9", "-o", scratch / "single.png"}).code, 0);
    EXPECT_LE(largest_difference(images[2]["file"].get<std::string>(), scratch / "single.png"), 1) << sampler;
    EXPECT_GT(largest_difference(images[0]["file"].get<std::string>(), scratch / "single.png"), 1) << sampler;
  }
}

TEST(Generate, PromptsFromAFile) {
  const Scratch scratch;
  const std::string file = scratch / "prompts.txt";
  std::ofstream(file) << "red disc\n\n# not this one\n(blue:1.3) disc\r\n";
  const std::vector<std::string> options{"--steps", "2", "--seed", "7", "--json", "-o", scratch / "out"};
  const auto draw_file = [&](std::vector<std::string> start) {
    start.insert(start.end(), {"-m", tiny().model});
    start.insert(start.end(), options.begin(), options.end());
    return run_program(start);
  };
  const auto drawn = draw_file({"generate", "--prompts-file", file});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  const auto images = nlohmann::json::parse(drawn.out)["images"];
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[1]["prompt"], "(blue:1.3) disc");
  EXPECT_TRUE(fs::exists(scratch / "out/1-red-disc.png"));
  EXPECT_TRUE(fs::exists(scratch / "out/2-blue-1-3-disc.png"));
  EXPECT_EQ(draw_file({"generate", "red", "--prompts-file", file}).code, 2);
  std::ofstream(file) << "# nothing\n";
  const auto nothing = draw_file({"generate", "--prompts-file", file});
  EXPECT_EQ(nothing.code, 1);
  EXPECT_NE(nothing.err.find("expected a prompt in each line, got none"), std::string::npos);
}

TEST(Generate, ClipSkipNeedsClip) {
  const Scratch scratch;
  const auto drawn = draw({"--clip-skip", "2", "-o", scratch / "a.png"});
  EXPECT_EQ(drawn.code, 2);
  EXPECT_NE(drawn.err.find("only CLIP skips layers"), std::string::npos) << drawn.err;
}

TEST(Generate, WritesTheRecipeAndTheSize) {
  const Scratch scratch;
  ASSERT_EQ(draw({"-o", scratch / "a.png", "--size", "48x32"}).code, 0);
  const auto image = read_image(scratch / "a.png");
  EXPECT_EQ(image.width, 48);
  EXPECT_EQ(image.height, 32);
  EXPECT_NE(read_whole(scratch / "a.png").find("red disc"), std::string::npos);
}

TEST(Generate, OneGridOfAll) {
  const Scratch scratch;
  ASSERT_EQ(draw({"-n", "4", "--grid", "-o", scratch / "grid.png"}).code, 0);
  EXPECT_GE(read_image(scratch / "grid.png").width, 64);
  EXPECT_FALSE(fs::exists(scratch / "grid-1.png"));
}

TEST(Generate, RefusesWhatItCannotDo) {
  const Scratch scratch;
  const auto out = scratch / "a.png";
  expect_refusal(draw({"-o", out, "--sampler", "eulr"}), 2, "euler");
  expect_refusal(draw({"-o", out, "--size", "40x5000"}), 2, "1..4096 pixels, got 5000");
  expect_refusal(draw({"-o", out, "--size", "big"}), 2, "WIDTHxHEIGHT");
  expect_refusal(draw({"-o", out, "--steps", "101"}), 2, "expected 1..100 steps, got 101");
  expect_refusal(draw({"-o", out, "--class", "1"}), 2, "not a class");
  expect_refusal(draw({"-o", scratch / "a.gif"}), 2, ".png");
  expect_refusal(draw({"-o", out, "--samplr", "ddim"}), 2, "--sampler");
  expect_refusal(draw({"-o", out}, tiny().first_stage), 2, "this is a first stage");
  EXPECT_FALSE(fs::exists(out));
}

TEST(Generate, RefusesToWriteOver) {
  const Scratch scratch;
  write_whole(scratch / "a.png", "mine");
  expect_refusal(draw({"-o", scratch / "a.png"}), 2, "is there already; hint: --force");
  EXPECT_EQ(read_whole(scratch / "a.png"), "mine");
  EXPECT_EQ(draw({"-o", scratch / "a.png", "--force"}).code, 0);
  EXPECT_EQ(read_image(scratch / "a.png").width, 32);
}

TEST(Generate, RefusesADamagedModel) {
  const Scratch scratch;
  const auto whole = read_whole(tiny().model);
  write_whole(scratch / "half.safetensors", whole.substr(0, whole.size() / 2));
  expect_refusal(draw({"-o", scratch / "a.png"}, scratch / "half.safetensors"), 1, "half.safetensors");
  expect_refusal(draw({"-o", scratch / "a.png"}, scratch / "none.safetensors"), 1, "no such model");
}

TEST(Generate, RefusesAnotherFirstStage) {
  const Scratch scratch;
  fs::copy(tiny().model, scratch / "model.safetensors");
  expect_refusal(draw({"-o", scratch / "a.png"}, scratch / "model.safetensors"), 1, "is not beside it");
  write_whole(scratch / "first-stage.safetensors", read_whole(tiny().first_stage) + "x");
  expect_refusal(draw({"-o", scratch / "a.png"}, scratch / "model.safetensors"), 1, "SHA-256 differs");
  const auto given =
      draw({"-o", scratch / "a.png", "--first-stage", tiny().first_stage}, scratch / "model.safetensors");
  EXPECT_EQ(given.code, 0) << given.err;
}

TEST(Convert, HalfPrecisionDrawsNearlyTheSame) {
  const Scratch scratch;
  const auto half = fs::path(tiny().diffusion_run) / "half.safetensors";
  const auto outcome =
      run_program({"convert", tiny().model, half.string(), "--dtype", "f16", "--json", "--force"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["dtype"], "f16");
  EXPECT_LT(fs::file_size(half), fs::file_size(tiny().model) * 6 / 10);
  ASSERT_EQ(draw({"-o", scratch / "a.png"}).code, 0);
  ASSERT_EQ(draw({"-o", scratch / "b.png"}, half.string()).code, 0);
  EXPECT_LE(largest_difference(scratch / "a.png", scratch / "b.png"), 8);
  expect_refusal(run_program({"convert", tiny().model, half.string()}), 2, "--force");
  expect_refusal(run_program({"convert", tiny().model, scratch / "x.safetensors", "--dtype", "f8"}), 2, "f8");
}

}  // namespace
}  // namespace ldm::cli
