// `ldm generate` and `ldm convert` with the tiny model.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ldm/image/decode.h"
#include "ldm/image/png.h"
#include "ldm/nn/state_dict.h"
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
  expect_refusal(draw({"-o", out, "--size", "40x5000"}), 2, "1..4096 pixels, got 40x5000");
  expect_refusal(draw({"-o", out, "--size", "big"}), 2, "WIDTHxHEIGHT");
  expect_refusal(draw({"-o", out, "--steps", "101"}), 2, "expected 1..100 steps, got 101");
  expect_refusal(draw({"-o", out, "--class", "1"}), 2, "not a class");
  expect_refusal(draw({"-o", scratch / "a.gif"}), 2, ".png");
  expect_refusal(draw({"-o", out, "--samplr", "ddim"}), 2, "--sampler");
  expect_refusal(draw({"-o", out}, tiny().first_stage), 2, "this is a first stage");
  expect_refusal(draw({"-o", out, "-n", "100001"}), 2, "expected 1..100000 images, got 100001");
  expect_refusal(draw({"-o", out, "-n", "0"}), 2, "expected 1..100000 images, got 0");
  expect_refusal(draw({"-o", out, "--negative", "caf\xe9"}), 2, "--negative: expected text in UTF-8");
  expect_refusal(draw({"-o", out, "--negative", std::string(40000, 'x')}), 2, "at most 32768 bytes");
  EXPECT_FALSE(fs::exists(out));
}

TEST(Generate, WhatIsRefusedLeavesNoFolder) {
  const Scratch scratch;
  expect_refusal(draw({"-o", scratch / "new/deep/a.png", "--steps", "0"}), 2, "steps, got 0");
  EXPECT_FALSE(fs::exists(scratch / "new"));
}

TEST(Generate, EachLineOfPromptsHasToBeText) {
  const Scratch scratch;
  const std::string file = scratch / "prompts.txt";
  for (const auto& bad : {std::string("b\0d", 3), std::string("b\xe9"), std::string(40000, 'x')}) {
    write_whole(file, "\xEF\xBB\xBFred disc\n\n" + bad + "\n");
    const auto drawn = run_program(
        {"generate", "--prompts-file", file, "-m", tiny().model, "--steps", "2", "-o", scratch / "out/"});
    expect_refusal(drawn, 1, "prompts.txt:3: expected ");
  }
  EXPECT_FALSE(fs::exists(scratch / "out"));
  write_whole(file, "\xEF\xBB\xBFred disc\n");
  const auto drawn = run_program({"generate", "--prompts-file", file, "-m", tiny().model, "--steps", "2",
                                  "--json", "-o", scratch / "out/"});
  EXPECT_EQ(nlohmann::json::parse(drawn.out)["images"][0]["prompt"], "red disc") << "no byte order mark";
}

TEST(Generate, AnyNameOfAFileCanBeListed) {
  const Scratch scratch;
  const auto drawn = draw({"-o", scratch / "lat\xe9.png", "--json"});
  EXPECT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_EQ(nlohmann::json::parse(drawn.out)["images"].size(), 1u);
}

TEST(Generate, ThePreviewIsNoPictureOfTheRun) {
  const Scratch scratch;
  const auto both = scratch / "s.png";
  expect_refusal(draw({"-n", "2", "--preview", both, "-o", both}), 2, "written already, as --preview says");
  expect_refusal(draw({"-n", "2", "--preview", scratch / "./s-1.png", "-o", both}), 2, "as --preview says");
}

TEST(Generate, AFailingPreviewStopsNothing) {
  const Scratch scratch;
  const auto preview = scratch / (std::string(245, 'p') + ".png");  // No room for a temporary name beside it.
  const auto drawn = draw({"-n", "3", "--batch", "1", "--preview", preview, "-o", scratch / "a.png"});
  EXPECT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_TRUE(fs::exists(scratch / "a-2.png"));
  const auto warning = drawn.err.find("warning: --preview: cannot create");
  EXPECT_NE(warning, std::string::npos) << drawn.err;
  EXPECT_EQ(drawn.err.find("warning: --preview", warning + 1), std::string::npos) << "once is enough";
}

TEST(Generate, AFileThatAppearsIsKeptAndWhatWasFinishedIsListed) {
  const Scratch scratch;
  fs::create_directory(scratch / "pictures");
  RunningProgram program({"generate", "red disc", "-m", tiny().model, "--steps", "100", "-n", "600",
                          "--batch", "2", "-o", scratch / "pictures/{n}.png"},
                         scratch);
  for (int tries = 0; tries < 60000 && !fs::exists(scratch / "pictures/1.png"); ++tries) usleep(1000);
  write_whole(scratch / "pictures/60.png", "theirs");
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(read_whole(scratch / "pictures/60.png"), "theirs");
  const auto error = read_whole(scratch / "err"), listed = read_whole(scratch / "out");
  EXPECT_NE(error.find("60.png': File exists"), std::string::npos) << error;
  EXPECT_NE(error.find("these pictures were finished:"), std::string::npos) << error;
  EXPECT_NE(listed.find("/59.png  seed "), std::string::npos) << listed;
  EXPECT_EQ(listed.find("/60.png"), std::string::npos);
}

TEST(Generate, AFileThatMayNotGrowIsAnErrorLikeAnother) {
  const Scratch scratch;
  const std::string program = std::string(std::getenv("LDM_BUILD_DIR")) + "/bin/ldm";
  const auto command = "ulimit -f 1; " + program + " generate 'red disc' -q -m " + tiny().model +
                       " --steps 2 --size 64x64 -o " + scratch / "a.png" + " >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_TRUE(fs::is_empty(scratch.path())) << "a temporary file is left";
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

// The model names its first stage in another file and has a vocabulary of its own.
TEST(Convert, ThroughTheOriginalsLayoutAndBackDrawsTheSame) {
  const Scratch scratch;
  const std::vector<std::string> to_original{
      "convert", tiny().model, scratch / "o.safetensors", "--to", "original", "--dtype", "f32"};
  const auto there = run_program(to_original);
  ASSERT_EQ(there.code, 0) << there.err;
  EXPECT_EQ(read_whole(scratch / "o.yaml").find(tiny().folder.path().string()), std::string::npos);
  const auto back =
      run_program({"convert", scratch / "o.safetensors", scratch / "back.safetensors", "--dtype", "f32"});
  ASSERT_EQ(back.code, 0) << back.err;
  ASSERT_EQ(draw({"-o", scratch / "a.png"}).code, 0);
  ASSERT_EQ(draw({"-o", scratch / "b.png"}, scratch / "back.safetensors").code, 0);
  EXPECT_EQ(largest_difference(scratch / "a.png", scratch / "b.png"), 0);

  // The original's own files have no vocabulary.
  const auto whole = read_tensor_file(scratch / "o.safetensors");
  write_tensor_file(scratch / "bare.safetensors", whole.tensors);
  fs::copy_file(scratch / "o.yaml", scratch / "bare.yaml");
  std::vector<std::string> bare{"convert", scratch / "bare.safetensors", scratch / "read.safetensors",
                                "--dtype", "f32"};
  expect_refusal(run_program(bare), 1, "--vocabulary vocab.txt");
  write_whole(scratch / "vocab.txt", whole.metadata.at("ldm.vocabulary"));
  bare.insert(bare.end(), {"--vocabulary", scratch / "vocab.txt"});
  const auto given = run_program(bare);
  ASSERT_EQ(given.code, 0) << given.err;
  ASSERT_EQ(draw({"-o", scratch / "c.png"}, scratch / "read.safetensors").code, 0);
  EXPECT_EQ(largest_difference(scratch / "a.png", scratch / "c.png"), 0);

  expect_refusal(run_program({"convert", tiny().first_stage, scratch / "n.safetensors", "--vocabulary",
                              scratch / "vocab.txt"}),
                 2, "reads none");

  fs::remove(scratch / "o.safetensors");
  expect_refusal(run_program(to_original), 2, "o.yaml is there already");
  EXPECT_FALSE(fs::exists(scratch / "o.safetensors"));
  for (const char* name : {"x.yaml", "x.ckpt"})
    expect_refusal(run_program({"convert", tiny().model, scratch / name, "--to", "original"}), 2,
                   ".safetensors");
}

}  // namespace
}  // namespace ldm::cli
