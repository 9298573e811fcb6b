// `ldm generate` with pictures to begin with and with conditions other than words.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "ldm/image/decode.h"
#include "ldm/image/png.h"
#include "tests/cli/tiny_run.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

// Four steps with the tiny model of words.
Outcome draw_task(std::vector<std::string> more, const std::string& prompt = "red disc") {
  more.insert(more.begin(), {"generate", prompt, "-m", tiny().model, "--steps", "4", "--seed", "7"});
  return run_program(more);
}

std::string write_png(const std::string& file, const Image& image) {
  const auto bytes = encode_png(image);
  write_whole(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return file;
}

Image stripes(int64_t width, int64_t height) {
  auto image = make_image(width, height, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i * 37);
  return image;
}

// White from column `from` on.
Image mask_from(int64_t width, int64_t height, int64_t from) {
  auto mask = make_image(width, height, 1);
  for (int64_t y = 0; y < height; ++y) std::fill_n(mask.row(y) + from, width - from, uint8_t{255});
  return mask;
}

TEST(Tasks, StrengthZeroIsWhatReconstructShows) {
  const Scratch scratch;
  const auto picture = write_png(scratch / "in.png", stripes(32, 32));
  ASSERT_EQ(draw_task({"--init-image", picture, "--strength", "0", "-o", scratch / "a.png"}).code, 0);
  ASSERT_EQ(run_program({"reconstruct", picture, "-m", tiny().first_stage, "-o", scratch / "b.png"}).code, 0);
  const auto both = read_image(scratch / "b.png");  // The original and, at the right, the reconstruction.
  const auto frame = (both.height - 32) / 2;
  const auto again = crop(both, both.width - 32 - frame, frame, 32, 32);
  EXPECT_EQ(read_image(scratch / "a.png").pixels, again.pixels);
}

TEST(Tasks, InpaintingKeepsTheRest) {
  const Scratch scratch;
  const auto original = stripes(40, 24);
  const auto picture = write_png(scratch / "in.png", original);
  const auto mask = write_png(scratch / "mask.png", mask_from(40, 24, 20));
  const auto drawn = draw_task({"--init-image", picture, "--mask", mask, "-o", scratch / "a.png"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  const auto image = read_image(scratch / "a.png");
  ASSERT_EQ(image.width, 40);
  ASSERT_EQ(image.height, 24);
  EXPECT_EQ(crop(image, 0, 0, 20, 24), crop(original, 0, 0, 20, 24));
  EXPECT_NE(image, original);
}

TEST(Tasks, WebpKeepsTheRestAtQuality100) {
  const Scratch scratch;
  const auto original = stripes(40, 24);
  const auto picture = write_png(scratch / "in.png", original);
  const auto mask = write_png(scratch / "mask.png", mask_from(40, 24, 20));
  const auto drawn =
      draw_task({"--init-image", picture, "--mask", mask, "--quality", "100", "-o", scratch / "a.webp"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_EQ(drawn.err.find("warning"), std::string::npos) << drawn.err;
  EXPECT_EQ(crop(read_image(scratch / "a.webp"), 0, 0, 20, 24), crop(original, 0, 0, 20, 24));
  const auto lossy = draw_task({"--init-image", picture, "--mask", mask, "-o", scratch / "b.webp"});
  EXPECT_NE(lossy.err.find("b.webp: this format changes pixels that the mask keeps"), std::string::npos);
}

TEST(Tasks, OutpaintingKeepsThePicture) {
  const Scratch scratch;
  const auto original = stripes(32, 32);
  const auto picture = write_png(scratch / "in.png", original);
  const auto drawn = draw_task({"--init-image", picture, "--outpaint", "4,0,12,8", "-o", scratch / "a.png"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  const auto image = read_image(scratch / "a.png");
  EXPECT_EQ(image.width, 48);
  EXPECT_EQ(image.height, 40);
  EXPECT_EQ(crop(image, 4, 0, 32, 32), original);
}

TEST(Tasks, VariationsAreRepeatedFromTheirRecipe) {
  const Scratch scratch;
  ASSERT_EQ(
      draw_task({"-n", "2", "--subseed", "3", "--subseed-strength", "0.4", "-o", scratch / "v.png"}).code, 0);
  const auto again = run_program({"generate", "--from", scratch / "v-1.png", "-o", scratch / "w.png"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_image(scratch / "w.png"), read_image(scratch / "v-1.png"));
  EXPECT_NE(read_image(scratch / "v.png"), read_image(scratch / "v-1.png"));
}

TEST(Tasks, RefusesWhatDoesNotGoTogether) {
  const Scratch scratch;
  const auto picture = write_png(scratch / "in.png", stripes(32, 32));
  write_whole(scratch / "broken.png", read_whole(picture).substr(0, 60));
  write_whole(scratch / "boxes.json", "[]");
  const auto refused = [&](const std::vector<std::string>& options, int code, const std::string& part) {
    auto all = options;
    all.insert(all.end(), {"-o", scratch / "a.png"});
    expect_refusal(draw_task(all), code, part);
  };
  refused({"--mask", picture}, 2, "expected a picture to begin with (--init-image) for a mask");
  refused({"--strength", "0.5"}, 2, "(--init-image) for a strength");
  refused({"--outpaint", "1,2,3,4"}, 2, "(--init-image) for margins");
  refused({"--init-image", picture, "--strength", "2"}, 2, "--strength: expected a number from 0 to 1");
  refused({"--init-image", picture, "--strength-rule", "sd"}, 2, "diffusers, ldm or a1111");
  refused({"--init-image", picture, "--outpaint", "1,2,3"}, 2, "LEFT,TOP,RIGHT,BOTTOM");
  refused({"--init-image", picture, "--outpaint", "0,0,0,0"}, 2, "--outpaint: expected a margin to draw");
  refused({"--init-image", picture, "--feather", "3"}, 2, "nothing to feather");
  refused({"--init-image", scratch / "none.png"}, 1, "none.png");
  refused({"--init-image", scratch / "broken.png"}, 1, "broken.png");
  refused({"--layout", scratch / "boxes.json"}, 2, "this model takes words, not a layout");
  refused({"--segmentation", write_png(scratch / "map.png", mask_from(32, 32, 8))}, 2,
          "this model takes words, not a label map");
  refused({"--labels", picture}, 2, "--labels: expected --segmentation");
  refused({"--variation-of", picture}, 2, "not a picture to vary");
  refused({"--neighbours", picture}, 2, "not embeddings of neighbours");
  refused({"--nearest-to", picture}, 2, "--nearest-to: expected --neighbours");
  refused({"--nearest", "3"}, 2, "--nearest: expected --nearest-to");
  refused({"--strength-rule", "ldm"}, 2, "--strength-rule: expected --init-image");
  refused({"--subseed", "3"}, 2, "got one without the other");
  refused({"--class", "frog"}, 2, "this model takes words, not a class; got class frog");
  refused({"--class-names", picture}, 2, "--class-names: expected --class or --layout");
  EXPECT_FALSE(fs::exists(scratch / "a.png"));
}

TEST(Tasks, ClassesHaveTheNamesOfTheirFolders) {
  const Scratch scratch;
  const auto run = scratch / "run";
  const auto trained = run_program({"train", tiny().class_yaml, "-o", run, "train.steps=2",
                                    "model.params.cond_stage_config.params.n_classes=0"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto draw_class = [&](const std::string& name, const std::string& out) {
    return run_program({"generate", "--class", name, "-m", run + "/model.safetensors", "--steps", "2",
                        "--seed", "1", "-o", scratch / out});
  };
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(tiny().classes)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  for (size_t k = 0; k < names.size(); ++k) {
    ASSERT_EQ(draw_class(names[k], names[k] + ".png").code, 0);
    ASSERT_EQ(draw_class(std::to_string(k), std::to_string(k) + ".png").code, 0);
    EXPECT_EQ(read_image(scratch / (names[k] + ".png")), read_image(scratch / (std::to_string(k) + ".png")));
  }
  expect_refusal(draw_class(names[0] + "x", "x.png"), 2, "did you mean '" + names[0] + "'");
  expect_refusal(draw_class("7", "x.png"), 2, "expected a class in 0..2, got 7");  // The last one is "none".
}

}  // namespace
}  // namespace ldm::cli
