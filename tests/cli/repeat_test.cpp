// Pictures that are drawn again from their recipe, and runs that are stopped.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "ldm/image/decode.h"
#include "ldm/image/png.h"
#include "ldm/image/recipe.h"
#include "ldm/io/file.h"
#include "tests/cli/tiny_run.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

Outcome run_generate(Words words, const Words& more = {}) {
  words.insert(words.begin(), "generate");
  words.insert(words.end(), more.begin(), more.end());
  return run_program(words);
}

TEST(Repeat, EveryByteComesBack) {
  const Scratch scratch;
  const Words plain{"red disc", "-m", tiny().model, "--steps", "3"};
  const std::vector<Words> cases{
      {},
      {"--seed", "18446744073709551615", "--negative", "blue: \"x\", {y}"},
      {"--sampler", "DPM++ 2M SDE", "--spacing", "karras", "--eta", "0.7", "--fresh-noise"},
      {"--guidance", "4.25", "--guidance-rescale", "0.7", "--guidance-steps", "0,0.8", "--size", "40x24"},
      {"--sampler", "dpm_solver", "--sampler-option", "order=3", "--sampler-option", "solver_type=heun",
       "--noise", "philox"},
      {"--first-stage", tiny().first_stage, "--sigmas", "9,3,1,0", "--guidance", "1"},
      {"-n", "3", "--grid", "--apg", "0,0,-0.5"}};
  for (size_t k = 0; k < cases.size(); ++k) {
    auto words = plain;
    words.insert(words.end(), cases[k].begin(), cases[k].end());
    const auto first = scratch / ("first-" + std::to_string(k) + ".png");
    const auto again = scratch / ("again-" + std::to_string(k) + ".png");
    const auto drawn = run_generate(words, {"-o", first});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
    const auto repeated = run_generate({"--from", first, "-o", again});
    ASSERT_EQ(repeated.code, 0) << repeated.err;
    EXPECT_EQ(read_whole(first), read_whole(again)) << k;
  }
}

TEST(Repeat, AnyOptionCanBeAnother) {
  const Scratch scratch;
  const Words first{"red disc", "-m", tiny().model, "--steps", "3", "--seed", "5", "--guidance", "2"};
  ASSERT_EQ(run_generate(first, {"-o", scratch / "a.png"}).code, 0);
  const auto other = run_generate({"--from", scratch / "a.png", "--seed", "6", "-o", scratch / "b.png"});
  ASSERT_EQ(other.code, 0) << other.err;
  auto words = first;
  words[6] = "6";
  ASSERT_EQ(run_generate(words, {"-o", scratch / "c.png"}).code, 0);
  EXPECT_EQ(read_whole(scratch / "b.png"), read_whole(scratch / "c.png"));
  const auto prompt =
      run_generate({"blue bar", "--from", scratch / "a.png", "--json", "-o", scratch / "d.png"});
  ASSERT_EQ(prompt.code, 0) << prompt.err;
  EXPECT_EQ(nlohmann::json::parse(prompt.out)["images"][0]["prompt"], "blue bar");
}

TEST(Repeat, APictureOfSeveralStandsAlone) {
  const Scratch scratch;
  ASSERT_EQ(run_generate({"red disc", "-m", tiny().model, "--steps", "2", "--seed", "5", "-n", "3", "-o",
                          scratch / "{n}.png"})
                .code,
            0);
  const auto again = run_generate({"--from", scratch / "2.png", "--json", "-o", scratch / "again.png"});
  ASSERT_EQ(again.code, 0) << again.err;
  const auto images = nlohmann::json::parse(again.out)["images"];
  ASSERT_EQ(images.size(), 1u);
  EXPECT_EQ(images[0]["seed"], 7);
  EXPECT_EQ(read_image(scratch / "2.png").width, read_image(scratch / "again.png").width);
}

TEST(Repeat, RefusesAnotherModelUnlessItIsNamed) {
  const Scratch scratch;
  fs::copy(tiny().model, scratch / "model.safetensors");
  const auto draw = [&](const Words& more) {
    return run_generate({"red disc", "--first-stage", tiny().first_stage, "--steps", "2", "--seed", "5"},
                        more);
  };
  ASSERT_EQ(draw({"-m", scratch / "model.safetensors", "-o", scratch / "a.png"}).code, 0);
  const auto half = run_program({"convert", tiny().model, scratch / "half.safetensors", "--dtype", "f16"});
  ASSERT_EQ(half.code, 0) << half.err;
  fs::rename(scratch / "half.safetensors", scratch / "model.safetensors");
  expect_refusal(run_generate({"--from", scratch / "a.png", "-o", scratch / "b.png"}), 1,
                 "drawn with a model 'model' of hash");
  const auto named = run_generate(
      {"--from", scratch / "a.png", "-m", scratch / "model.safetensors", "-o", scratch / "b.png"});
  EXPECT_EQ(named.code, 0) << named.err;
  EXPECT_NE(named.err.find("warning: "), std::string::npos) << named.err;
  fs::remove(scratch / "model.safetensors");
  expect_refusal(run_generate({"--from", scratch / "a.png", "-o", scratch / "c.png"}), 1, "no such model");
}

TEST(Repeat, AnotherModelsGuidanceIsNotAskedFor) {
  const Scratch scratch;
  const auto model = scratch / "run/model.safetensors";
  const auto trained = run_program({"train", tiny().class_yaml, "-o", scratch / "run", "train.steps=2",
                                    "model.params.cond_stage_config.params.null_class=null"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  ASSERT_EQ(
      run_generate({"-m", tiny().model, "--steps", "2", "--guidance", "3", "-o", scratch / "a.png"}).code, 0);
  const Words again{"--from", scratch / "a.png", "--class", "0", "-m", model, "-o", scratch / "b.png"};
  const auto drawn = run_generate(again);
  EXPECT_EQ(drawn.code, 0) << drawn.err;
  expect_refusal(run_generate(again, {"--guidance", "3", "--force"}), 2,
                 "--guidance: this model always needs");
}

TEST(Repeat, TakesPicturesOfTheWebUis) {
  const Scratch scratch;
  const PngText text{{"parameters",
                      "red disc\nNegative prompt: blue\nSteps: 3, Sampler: DPM++ 2M Karras, CFG scale: 2.5, "
                      "Seed: 77, Size: 40x32, Face restoration: CodeFormer, Version: v1.7.0"}};
  write_png(scratch / "a.png", make_image(8, 8, 3), text);
  const auto drawn =
      run_generate({"--from", scratch / "a.png", "-m", tiny().model, "-o", scratch / "b.png", "--json"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_NE(drawn.err.find("left out: Face restoration"), std::string::npos) << drawn.err;
  const auto result = nlohmann::json::parse(drawn.out);
  EXPECT_EQ(result["sampler"], "dpmpp_2m");
  EXPECT_EQ(result["images"][0]["seed"], 77);
  EXPECT_EQ(result["images"][0]["width"], 40);
  const auto bytes = read_whole(scratch / "b.png");
  const auto recipe = find_recipe(read_png_text(as_bytes(bytes)));
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe->negative_prompt, "blue");
  EXPECT_EQ(recipe->schedule, "karras");
  EXPECT_EQ(recipe->rng, "Philox");
  write_png(scratch / "plain.png", make_image(8, 8, 3));
  expect_refusal(run_generate({"--from", scratch / "plain.png"}), 1, "holds no recipe");
}

TEST(Repeat, WithoutARecipeThereIsNone) {
  const Scratch scratch;
  ASSERT_EQ(
      run_generate({"red disc", "-m", tiny().model, "--steps", "1", "--no-recipe", "-o", scratch / "a.png"})
          .code,
      0);
  EXPECT_EQ(read_whole(scratch / "a.png").find("red disc"), std::string::npos);
}

TEST(Stop, KeepsWhatIsFinished) {
  const Scratch scratch;
  RunningProgram program({"generate", "red disc", "-m", tiny().model, "--steps", "100", "-n", "4000",
                          "--batch", "2", "--seed", "1", "-o", scratch / "{n:04}.png", "--json"},
                         scratch);
  ASSERT_TRUE(program.wait_for_handler());
  for (int tries = 0; tries < 600 && !fs::exists(scratch / "0003.png"); ++tries) usleep(50000);
  program.interrupt();
  EXPECT_EQ(program.wait(), 1);
  const auto images = nlohmann::json::parse(read_whole(scratch / "out"))["images"];
  EXPECT_GE(images.size(), 4u);
  EXPECT_LT(images.size(), 4000u);
  for (const auto& image : images) EXPECT_EQ(read_image(image["file"].get<std::string>()).width, 32);
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(scratch.path()))
    files += entry.path().extension() == ".png";
  EXPECT_EQ(files, images.size()) << "nothing half finished is left behind";
  EXPECT_NE(read_whole(scratch / "err").find("stopped"), std::string::npos);
}

// The file is a whole picture whenever it is looked at.
TEST(Preview, IsAPictureAtAnyMoment) {
  const Scratch scratch;
  const auto preview = scratch / "preview.png";
  RunningProgram program({"generate", "red disc", "-m", tiny().model, "--steps", "100", "-n", "600",
                          "--batch", "2", "--preview", preview, "-o", scratch / "pictures/"},
                         scratch);
  int seen = 0;
  for (int tries = 0; tries < 3000 && seen < 40; ++tries) {
    usleep(10000);
    if (!fs::exists(preview)) continue;
    EXPECT_GE(read_image(preview).width, 32);
    ++seen;
  }
  EXPECT_EQ(seen, 40) << read_whole(scratch / "err");
  program.interrupt();
  program.wait();
  const auto again = run_generate(
      {"red disc", "-m", tiny().model, "--steps", "1", "--preview", preview, "-o", scratch / "a.png"});
  EXPECT_EQ(again.code, 0) << "an earlier preview may be written over: " << again.err;
  write_png(scratch / "mine.png", make_image(4, 4, 3));
  expect_refusal(run_generate({"red disc", "-m", tiny().model, "--preview", scratch / "mine.png", "-o",
                               scratch / "b.png"}),
                 2, "is there already");
  expect_refusal(run_generate({"red disc", "-m", tiny().model, "--preview-decoder", "a,b"}), 2,
                 "expected --preview");
}

}  // namespace
}  // namespace ldm::cli
