// `ldm interpolate` with the tiny model.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "ldm/image/decode.h"
#include "ldm/image/png.h"
#include "tests/cli/tiny_run.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

Outcome run_interpolate(std::vector<std::string> words) {
  words.insert(words.begin(), "interpolate");
  return run_program(words);
}

int frame_difference(const fs::path& a, const fs::path& b) {
  const auto x = read_image(a), y = read_image(b);
  if (x.pixels.size() != y.pixels.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < x.pixels.size(); ++i)
    largest = std::max(largest, std::abs(int{x.pixels[i]} - int{y.pixels[i]}));
  return largest;
}

TEST(Interpolate, BetweenPromptsAndSeeds) {
  const Scratch scratch;
  const auto run = run_interpolate({"red disc", "blue bar", "-m", tiny().model, "--steps", "3", "--seeds",
                                    "4,8", "--frames", "5", "-o", scratch / "a.webp", "--sheet",
                                    scratch / "a.png", "--pictures", scratch / "frames", "--json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const auto result = nlohmann::json::parse(run.out);
  EXPECT_EQ(result["frames"], 5);
  EXPECT_EQ(result["files"].size(), 7u);
  EXPECT_EQ(read_image(scratch / "a.webp").width, 32);
  EXPECT_EQ(read_image(scratch / "a.png").width, 3 * 34 + 2);
  ASSERT_EQ(run_program({"generate", "blue bar", "-m", tiny().model, "--steps", "3", "--seed", "8", "-o",
                         scratch / "plain.png"})
                .code,
            0);
  EXPECT_LE(frame_difference(scratch / "frames/004.png", scratch / "plain.png"), 1);
  EXPECT_GT(frame_difference(scratch / "frames/002.png", scratch / "plain.png"), 1);
  expect_refusal(run_interpolate({"red", "blue", "-m", tiny().model, "-o", scratch / "a.webp"}), 2,
                 "--force");
}

TEST(Interpolate, BetweenPicturesAndLatents) {
  const Scratch scratch;
  const auto first = tiny().pictures + "/0-red.png", last = tiny().pictures + "/2-blue.png";
  const auto run = run_interpolate(
      {"--images", first, last, "-m", tiny().first_stage, "--frames", "3", "--pictures", scratch / "images"});
  ASSERT_EQ(run.code, 0) << run.err;
  fs::create_directories(scratch / "two");
  fs::copy(first, scratch / "two/a.png");
  fs::copy(last, scratch / "two/b.png");
  const auto latents = scratch / "l.safetensors";
  ASSERT_EQ(run_program({"encode", scratch / "two", latents, "-m", tiny().first_stage}).code, 0);
  const auto again = run_interpolate(
      {"--latents", latents, "-m", tiny().first_stage, "--frames", "3", "--pictures", scratch / "latents"});
  ASSERT_EQ(again.code, 0) << again.err;
  ASSERT_EQ(run_program({"decode", latents, scratch / "plain", "-m", tiny().first_stage}).code, 0);
  for (const auto& [frame, plain] : {std::pair("000.png", "a.png"), std::pair("002.png", "b.png")}) {
    EXPECT_LE(frame_difference(fs::path(scratch / "images") / frame, fs::path(scratch / "plain") / plain), 1);
    EXPECT_LE(frame_difference(fs::path(scratch / "latents") / frame, fs::path(scratch / "plain") / plain),
              1);
  }
  EXPECT_LE(frame_difference(scratch / "images/001.png", scratch / "latents/001.png"), 1);
}

TEST(Interpolate, RefusesWhatItCannotDo) {
  const Scratch scratch;
  const auto out = scratch / "a.webp";
  expect_refusal(run_interpolate({"red", "-o", out}), 2, "expected two prompts or more");
  expect_refusal(run_interpolate({"red", "blue", "green", "--seeds", "1,2", "-o", out}), 2,
                 "as many seeds as prompts");
  expect_refusal(run_interpolate({"red", "blue", "--seeds", "1,x", "-o", out}), 2, "got 'x'");
  expect_refusal(run_interpolate({"red", "blue", "-o", scratch / "a.png"}), 2, "ends in .webp");
  expect_refusal(run_interpolate({"red", "blue", "--frames", "1", "-o", out}), 2, "2 to 10000, got 1");
  expect_refusal(run_interpolate({"red", "blue", "--fps", "0", "-o", out}), 2, "--fps");
  expect_refusal(run_interpolate({"red", "blue", "--mode", "slurp", "-o", out}), 2, "lerp or slerp");
  expect_refusal(run_interpolate({"red", "--images", "a.png", "b.png", "-o", out}), 2, "got several of them");
  expect_refusal(run_interpolate({"--images", "a.png", "-o", out}), 2, "two pictures or more");
  expect_refusal(
      run_interpolate({"--images", "/none/a.png", "/none/b.png", "-m", tiny().first_stage, "-o", out}), 1,
      "/none/a.png");
  expect_refusal(run_interpolate({"red", "blue", "--fram", "3"}), 2, "--frames");
  const auto first = tiny().pictures + "/0-red.png", last = tiny().pictures + "/2-blue.png";
  for (const auto& [option, value] : {std::pair("--negative", "x"), std::pair("--guidance", "7"),
                                      std::pair("--sampler", "heun"), std::pair("--seeds", "3")}) {
    expect_refusal(run_interpolate({option, value, "-o", out, "--images", first, last}), 2,
                   std::string("--images: ") + option + " does not count there");
  }
  expect_refusal(run_interpolate({"--latents", "g.safetensors", "--size", "32x32", "-o", out}), 2,
                 "--latents: --size does not count there");
  expect_refusal(run_interpolate({"--size", "5000x3", "-o", out, "--images", first, last}), 2,
                 "1..4096 pixels");
  expect_refusal(run_interpolate({"red", "b\xe9", "-o", out}), 2, "the prompt: expected text in UTF-8");
  expect_refusal(run_interpolate({"red", "blue", "-o", scratch / "{n}.webp"}), 2, "unknown field {n}");
}

TEST(Interpolate, NoFileOfARunIsLost) {
  const Scratch scratch;
  expect_refusal(run_interpolate({"red", "blue", "--frames", "2", "--sheet", scratch / "d/000.png",
                                  "--pictures", scratch / "d", "-o", scratch / "d/q.webp"}),
                 2, "000.png is written already, as --sheet says");
  EXPECT_FALSE(fs::exists(scratch / "d"));
}

TEST(Interpolate, NamesAreLikeThoseOfGenerate) {
  const Scratch scratch;
  const auto run = run_interpolate({"Red disc", "blue", "-m", tiny().model, "--steps", "2", "--frames", "2",
                                    "--seeds", "4", "-o", scratch / "{prompt}-{seed}-{steps}.WEBP"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(fs::exists(scratch / "red-disc-4-2.WEBP"));
}

TEST(Interpolate, LatentsKeepTheirPicturesSize) {
  const Scratch scratch;
  fs::create_directory(scratch / "in");
  write_png(scratch / "in/a.png", make_image(30, 27, 3, 40));
  write_png(scratch / "in/b.png", make_image(31, 26, 3, 200));  // Coded as the other: 32x32.
  const auto latents = scratch / "l.safetensors";
  ASSERT_EQ(run_program({"encode", scratch / "in", latents, "-m", tiny().first_stage}).code, 0);
  const auto run = run_interpolate(
      {"--latents", latents, "-m", tiny().first_stage, "--frames", "2", "--pictures", scratch / "frames"});
  ASSERT_EQ(run.code, 0) << run.err;
  const auto frame = read_image(scratch / "frames/000.png");
  EXPECT_EQ(frame.width, 30);
  EXPECT_EQ(frame.height, 26);
}

}  // namespace
}  // namespace ldm::cli
