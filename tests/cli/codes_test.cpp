// `ldm reconstruct`, `encode`, `decode` and `data` with the tiny first stage.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ldm/image/decode.h"
#include "ldm/image/png.h"
#include "ldm/nn/state_dict.h"
#include "tests/cli/tiny_run.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

TEST(Reconstruct, PrintsThePsnr) {
  const Scratch scratch;
  const auto plain = run_program({"reconstruct", tiny().pictures, "-m", tiny().first_stage});
  EXPECT_EQ(plain.code, 0) << plain.err;
  EXPECT_NE(plain.out.find("dB, mean of 24 pictures"), std::string::npos) << plain.out;
  const auto json = run_program(
      {"reconstruct", tiny().pictures, "-m", tiny().first_stage, "--json", "-o", scratch / "both.png"});
  const auto report = nlohmann::json::parse(json.out);
  EXPECT_EQ(report["pictures"].size(), 24u);
  EXPECT_GT(report["psnr"].get<double>(), 8.0);
  EXPECT_TRUE(fs::exists(scratch / "both.png"));
}

TEST(Reconstruct, TakesTheFirstStageOfADiffusionModel) {
  const auto outcome = run_program({"reconstruct", tiny().pictures, "-m", tiny().model});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST(Reconstruct, RefusesWhatItCannotDo) {
  const Scratch empty;
  expect_refusal(run_program({"reconstruct", "/nowhere.png", "-m", tiny().first_stage}), 1, "/nowhere.png");
  expect_refusal(run_program({"reconstruct", empty.path().string(), "-m", tiny().first_stage}), 1,
                 "no pictures");
  expect_refusal(run_program({"reconstruct", tiny().pictures, "-m", tiny().first_stage, "--size", "-1"}), 2,
                 "expected pixels, or 0 to leave the size, got -1");
  expect_refusal(run_program({"reconstruct", tiny().pictures, "-m", tiny().first_stage, "--memory", "lots"}),
                 2, "--memory: expected an amount of memory such as 512M");
}

TEST(Codes, EncodeThenDecodeEqualsReconstruct) {
  const Scratch scratch;
  const auto latents = scratch / "latents.safetensors";
  const auto encoded = run_program({"encode", tiny().pictures, latents, "-m", tiny().first_stage});
  ASSERT_EQ(encoded.code, 0) << encoded.err;
  const auto file = read_tensor_file(latents);
  ASSERT_EQ(file.tensors.size(), 24u);
  EXPECT_EQ(file.tensors.at("0-red.png").sizes(), (std::vector<int64_t>{4, 4, 4}));
  const auto decoded = run_program({"decode", latents, scratch / "out", "-m", tiny().first_stage});
  ASSERT_EQ(decoded.code, 0) << decoded.err;
  const auto both = scratch / "both.png";
  ASSERT_EQ(
      run_program({"reconstruct", tiny().pictures + "/0-red.png", "-m", tiny().first_stage, "-o", both}).code,
      0);
  const auto again = read_image(scratch / "out/0-red.png"), grid = read_image(both);
  ASSERT_EQ(again.width, 32);
  // The reconstruction is the grid's right tile.
  int largest = 0;
  const auto left = grid.width - 32 - (grid.width - 64) / 3, top = (grid.height - 32) / 2;
  for (int64_t y = 0; y < 32; ++y) {
    for (int64_t i = 0; i < 32 * 3; ++i) {
      const int a = again.pixels[static_cast<size_t>(y * 96 + i)];
      const int b = grid.pixels[static_cast<size_t>(((y + top) * grid.width + left) * 3 + i)];
      largest = std::max(largest, std::abs(a - b));
    }
  }
  EXPECT_LE(largest, 1) << grid.width << "x" << grid.height;
}

TEST(Codes, TakeAnySizeWithinAnyMemory) {
  const Scratch scratch;
  const auto latents = scratch / "l.safetensors", picture = tiny().pictures + "/0-red.png";
  ASSERT_EQ(run_program({"encode", picture, latents, "-m", tiny().first_stage, "--size", "30"}).code, 0);
  EXPECT_EQ(read_tensor_file(latents).tensors.at("0-red.png").sizes(), (std::vector<int64_t>{4, 4, 4}));
  for (const auto* memory : {"0", "1"}) {
    const auto out = scratch / memory;
    ASSERT_EQ(run_program({"decode", latents, out, "-m", tiny().first_stage, "--memory", memory}).code, 0);
    EXPECT_EQ(read_image(out + "/0-red.png").width, 30);
  }
  const auto a = read_image(scratch / "0/0-red.png"), b = read_image(scratch / "1/0-red.png");
  for (size_t i = 0; i < a.pixels.size(); ++i) EXPECT_LE(std::abs(int{a.pixels[i]} - int{b.pixels[i]}), 1);
}

TEST(Codes, RefusesWhatItCannotDo) {
  const Scratch scratch;
  const auto latents = scratch / "l.safetensors";
  write_tensor_file(latents, {{"a.png", at::zeros({4, 4, 4})}}, {{"ldm.picture_sizes", "[1, 2"}});
  expect_refusal(run_program({"decode", latents, scratch / "out", "-m", tiny().first_stage}), 1,
                 "expected ldm.picture_sizes to be JSON");
  write_tensor_file(latents, {{"a.png", at::zeros({3, 4, 4})}});
  expect_refusal(run_program({"decode", latents, scratch / "out", "-m", tiny().first_stage}), 1,
                 "expected latents [4, h, w]");
  expect_refusal(run_program({"encode", tiny().pictures, latents, "-m", tiny().first_stage}), 2, "--force");
  write_tensor_file(latents, {{"x/a.png", at::zeros({4, 4, 4})}, {"y/a.png", at::zeros({4, 4, 4})}}, {});
  expect_refusal(run_program({"decode", latents, scratch / "out", "-m", tiny().first_stage}), 1,
                 "two latents would become");
  write_tensor_file(latents, {{"a.png", at::zeros({4, 4, 4})}},
                    {{"ldm.picture_sizes", R"({"a.png": [33, 32]})"}});
  expect_refusal(run_program({"decode", latents, scratch / "out", "-m", tiny().first_stage}), 1,
                 "a picture of at most 32x32 pixels, got 33x32");
  expect_refusal(run_program({"encode", tiny().pictures, scratch / "y.png", "-m", tiny().first_stage}), 2,
                 "ends in .safetensors");
  expect_refusal(
      run_program({"decode", tiny().pictures + "/0-red.png", scratch / "out", "-m", tiny().first_stage}), 1,
      "a PNG picture, not a file of latents");
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST(Codes, PicturesOfOneStemStayApart) {
  const Scratch scratch;
  fs::create_directory(scratch / "in");
  fs::copy(tiny().pictures + "/0-red.png", scratch / "in/a.png");
  fs::copy(tiny().pictures + "/2-blue.png", scratch / "in/a.jpg");  // The content decides what it is.
  fs::copy(tiny().pictures + "/2-blue.png", scratch / "in/b.png");
  const auto latents = scratch / "l.safetensors";
  ASSERT_EQ(run_program({"encode", scratch / "in", latents, "-m", tiny().first_stage}).code, 0);
  const auto decoded = run_program({"decode", latents, scratch / "out", "-m", tiny().first_stage});
  ASSERT_EQ(decoded.code, 0) << decoded.err;
  EXPECT_EQ(read_image(scratch / "out/a.jpg.png"), read_image(scratch / "out/b.png"));
  EXPECT_NE(read_image(scratch / "out/a.png.png"), read_image(scratch / "out/b.png"));
}

TEST(Reconstruct, SaysWhatTheSheetLacks) {
  const Scratch scratch;
  fs::create_directory(scratch / "in");
  fs::copy(tiny().pictures + "/0-red.png", scratch / "in/a.png");
  write_png(scratch / "in/b.png", make_image(24, 40, 3));
  const auto mixed =
      run_program({"reconstruct", scratch / "in", "-m", tiny().first_stage, "-o", scratch / "a.png"});
  EXPECT_EQ(mixed.code, 0);
  EXPECT_NE(mixed.err.find("the sheet shows 1 of 2 pictures"), std::string::npos) << mixed.err;
  const auto one_size = run_program(
      {"reconstruct", scratch / "in", "-m", tiny().first_stage, "--size", "32", "-o", scratch / "b.png"});
  EXPECT_EQ(one_size.err.find("warning"), std::string::npos) << one_size.err;
  expect_refusal(run_program({"reconstruct", scratch / "in", "-o", scratch / "r{n}.png"}), 2,
                 "unknown field {n}");
}

TEST(Reconstruct, AMeanOfAPartIsNoSuccess) {
  const Scratch scratch;
  fs::create_directory(scratch / "in");
  for (int k = 0; k < 4000; ++k)
    fs::create_hard_link(k == 0 ? tiny().pictures + "/0-red.png" : scratch / "in/0.png",
                         scratch / ("in/" + std::to_string(k) + ".png"));
  RunningProgram program({"reconstruct", scratch / "in", "-m", tiny().first_stage, "--size", "128"}, scratch);
  ASSERT_TRUE(program.wait_for_handler());
  ASSERT_TRUE(wait_for_lines(scratch / "err", 1));  // Progress.
  program.interrupt();
  EXPECT_EQ(program.wait(), 1);
  EXPECT_NE(read_whole(scratch / "err").find("of 4000 pictures; the figures are of these"),
            std::string::npos);
  EXPECT_NE(read_whole(scratch / "out").find("dB, mean of "), std::string::npos);
}

TEST(Data, RefusesAnUnknownSet) {
  const Scratch scratch;
  expect_refusal(run_program({"data", "emojis", scratch / "out"}), 2,
                 "expected emoji or scenes, got 'emojis'");
  expect_refusal(run_program({"data", "scenes", scratch / "out", "--colour-copies", "3"}), 2,
                 "--colour-copies: does not count for scenes");
  expect_refusal(run_program({"data", "emoji", scratch / "out", "-n", "3"}), 2,
                 "--count: does not count for emoji");
  expect_refusal(run_program({"data", "scenes", scratch / "out", "--seed", "-1"}), 2,
                 "--seed: expected a whole number from 0 to 2^64-1, got '-1'");
}

}  // namespace
}  // namespace ldm::cli
