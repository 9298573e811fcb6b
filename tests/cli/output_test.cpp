// Names of pictures: patterns, folders, and what they refuse.
#include "cli/output.h"

#include <gtest/gtest.h>

#include "cli/output_files.h"
#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/io/file.h"
#include "tests/cli/run_program.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

NameFields name_fields_of(const std::string& prompt) {
  NameFields fields{.prompt = prompt,
                    .seed = 42,
                    .n = 3,
                    .sampler = "dpmpp_2m",
                    .steps = 20,
                    .guidance = 7.5,
                    .width = 64,
                    .height = 48,
                    .model = "My Model"};
  fields.began.tm_year = 126;
  fields.began.tm_mon = 10;
  fields.began.tm_mday = 2;
  fields.began.tm_hour = 9;
  fields.began.tm_min = 5;
  fields.began.tm_sec = 7;
  return fields;
}

std::string expanded(const std::string& pattern, const std::string& prompt = "A red heart!") {
  return NamePattern(pattern).expand(name_fields_of(prompt));
}

// The message of what is refused; empty when nothing is.
std::string refused(const std::string& out, const std::string& prompt = "x", bool several = false) {
  try {
    OutputNames(out, several).next(name_fields_of(prompt), slug(prompt, -1));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return {};
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(NamePattern, FillsInEveryField) {
  EXPECT_EQ(expanded("out/{prompt}-{seed}-{n:03}.png"), "out/a-red-heart-42-003.png");
  EXPECT_EQ(expanded("{date}_{time}"), "2026-11-02_09-05-07");
  EXPECT_EQ(expanded("{sampler}-{steps}-{guidance}-{width:5}x{height}-{model}"),
            "dpmpp_2m-20-7.5-00064x48-my-model");
  EXPECT_EQ(expanded("{{{n}}}"), "{3}");
  EXPECT_EQ(expanded("{n:1}"), "3");
}

TEST(NamePattern, APromptCannotLeaveItsFolder) {
  for (const auto* prompt : {"../../etc/passwd", "/root/x", "..", ".", "", "a/b\\c", "\n\t", "{seed}", "~"}) {
    const auto name = expanded("{prompt}", prompt);
    EXPECT_FALSE(name.empty());
    EXPECT_EQ(name.find_first_of("/\\.~{\n"), name.npos) << name;
  }
  EXPECT_EQ(expanded("{prompt}", ""), "image");
  EXPECT_LE(expanded("{prompt}", std::string(5000, 'x')).size(), 60u);
}

TEST(NamePattern, RefusesWhatIsNoField) {
  EXPECT_TRUE(says(refused("{sede}.png"), "unknown field {sede}"));
  EXPECT_TRUE(says(refused("{sede}.png"), "did you mean 'seed'"));
  EXPECT_TRUE(says(refused("{x}.png"), "known are prompt, seed, n, date"));
  EXPECT_TRUE(says(refused("{}.png"), "unknown field {}"));
  EXPECT_TRUE(says(refused("{seed.png"), "without its other half"));
  EXPECT_TRUE(says(refused("seed}.png"), "without its other half"));
  for (const auto* width :
       {"{n:}", "{n:x}", "{n:99}", "{n:0}", "{n:-3}", "{n:0x3}", "{prompt:3}", "{date:3}"})
    EXPECT_TRUE(says(refused(std::string(width) + ".png"), "expected {")) << width;
}

TEST(OutputNames, AFolderGetsNamesFromThePrompt) {
  const Scratch scratch;
  const auto stem = slug("A red heart!", -1);
  EXPECT_EQ(OutputNames("", false).next({}, stem), "a-red-heart.png");
  EXPECT_EQ(OutputNames("out/{seed}/", false).next(name_fields_of("x"), stem), "out/42/a-red-heart.png");
  EXPECT_EQ(OutputNames(scratch.path().string(), false).next({}, stem), scratch / "a-red-heart.png");
  EXPECT_EQ(OutputNames("out", true).next({}, "1-" + stem), "out/1-a-red-heart.png");
}

TEST(OutputNames, NoTwoPicturesOfARunMeet) {
  OutputNames plain("a.png", false);
  EXPECT_EQ(plain.next({}, ""), "a.png");
  EXPECT_EQ(plain.next({}, ""), "a-1.png");
  EXPECT_EQ(plain.next({}, ""), "a-2.png");
  OutputNames pattern("./b/../{prompt}.webp", true);  // Without a number.
  EXPECT_EQ(pattern.next(name_fields_of("x"), ""), "x.webp");
  EXPECT_EQ(pattern.next(name_fields_of("x!"), ""), "x-1.webp");
  EXPECT_EQ(pattern.next(name_fields_of("x 1"), ""), "x-1-1.webp");
}

TEST(OutputNames, RefusesWhatIsNoPicture) {
  for (const auto* name : {"a", "a.gif", ".png", "a.png.txt", "{prompt}", "a.{seed}"})
    EXPECT_TRUE(says(refused(name), "expected a name that ends in .png")) << name;
  std::string longest(190, 'x');
  EXPECT_TRUE(says(refused(longest.append("{seed:20}.png")), "at most 200 bytes, got 214"));
  EXPECT_TRUE(says(refused("a.png", "x", true), "several prompts need a folder"));
  EXPECT_EQ(refused("{n}.PNG", "x", true), "");
}

TEST(OutputNames, ManyPicturesOfOneNameAreQuicklyNamed) {
  OutputNames names("a.png", false);
  fs::path last;
  for (int64_t k = 0; k < 50000; ++k) last = names.next({}, "");  // Minutes, if each began to count at 1.
  EXPECT_EQ(last, "a-49999.png");
}

TEST(PictureBytes, TheNameSaysTheFormat) {
  const Scratch scratch;
  auto picture = make_image(8, 8, 3);
  for (size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<uint8_t>(i * 37);
  const auto again = [&](const char* name, int64_t quality) {
    return decode_image(picture_bytes(name, picture, {}, quality));
  };
  EXPECT_EQ(sniff_image(picture_bytes("a.JPG", picture, {}, 90)), ImageFormat::kJpeg);
  EXPECT_EQ(again("a.png", 1), picture);
  EXPECT_EQ(again("a.webp", 100), picture);
  EXPECT_NE(again("a.webp", 99), picture);
  EXPECT_TRUE(is_lossy("a.webp", 99) && is_lossy("a.jpg", 100));
  EXPECT_FALSE(is_lossy("a.webp", 100) || is_lossy("a.PNG", 1));
}

// What planning one file after the other refuses.
std::string refused_plan(const std::vector<fs::path>& names, bool force = false) {
  OutputFiles files(force);
  try {
    for (const auto& name : names) files.plan(name, "--out");
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(OutputFiles, NoTwoFilesOfARunMeet) {
  const Scratch scratch;
  fs::create_directory(scratch / "folder");
  fs::create_directory_symlink(scratch / "folder", scratch / "link");
  EXPECT_EQ(refused_plan({scratch / "a.png", scratch / "b.png", scratch / "folder/a.png"}), "");
  for (const auto* other : {"a.png", "./a.png", "none/../a.png"})
    EXPECT_TRUE(says(refused_plan({scratch / "a.png", scratch / other}, true), "is written already"))
        << other;
  EXPECT_TRUE(says(refused_plan({scratch / "link/a.png", scratch / "folder/a.png"}), "is written already"));
  EXPECT_TRUE(says(refused_plan({scratch / "d.png", scratch / "d.png/0.png"}), "a folder of this run"));
  EXPECT_TRUE(says(refused_plan({scratch / "d.png/e/0.png", scratch / "d.png"}), "a folder of this run"));
}

TEST(OutputFiles, RefusesWhatIsThere) {
  const Scratch scratch;
  write_whole(scratch / "a.png", "mine");
  fs::create_directory(scratch / "folder");
  EXPECT_TRUE(says(refused_plan({scratch / "a.png"}), "is there already; hint: --force"));
  EXPECT_EQ(refused_plan({scratch / "a.png"}, true), "");
  EXPECT_TRUE(says(refused_plan({scratch / "folder"}, true), "is a folder"));
  EXPECT_TRUE(says(refused_plan({scratch / "a.png/below/b.png"}, true), "is no folder"));
}

TEST(OutputFiles, NothingIsMadeBeforeTheFirstWrite) {
  const Scratch scratch;
  OutputFiles files(false);
  const fs::path name = scratch / "new/deep/a.png";
  files.plan(name, "--out");
  EXPECT_FALSE(fs::exists(scratch / "new"));
  files.write(name, as_bytes("one"));
  files.write(name, as_bytes("two"));
  EXPECT_EQ(read_whole(name), "two") << "what the run wrote itself it may write again";
}

TEST(OutputFiles, WhatCameMeanwhileIsKept) {
  const Scratch scratch;
  OutputFiles files(false), forced(true);
  const fs::path name = scratch / "a.png";
  files.plan(name, "--out");
  forced.plan(name, "--out");
  write_whole(name, "theirs");
  EXPECT_THROW(files.write(name, as_bytes("mine")), Error);
  EXPECT_EQ(read_whole(name), "theirs");
  forced.write(name, as_bytes("mine"));
  EXPECT_EQ(read_whole(name), "mine");
}

}  // namespace
}  // namespace ldm::cli
