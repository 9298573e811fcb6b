#include "ldm/data/image_folder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

ImageFolderOptions options_for(const TempFolder& folder, int64_t size, int64_t memory_mb = 100) {
  ImageFolderOptions options;
  options.path = folder.string();
  options.size = size;
  options.memory_mb = memory_mb;
  return options;
}

void write_three(const TempFolder& folder) {
  folder.write_png("a.png", 8, 8, {255, 0, 0});
  folder.write("b.png", "not a picture");
  folder.write_png("c.png", 8, 8, {0, 0, 255});
}

TEST(ImageFolder, DecodesToPlanes) {
  const TempFolder folder;
  folder.write_png("a.png", 20, 8, {255, 0, 9});
  const ImageFolder opened = open_image_folder(options_for(folder, 4));
  ASSERT_EQ(opened.dataset->size(), 1);
  EXPECT_TRUE(opened.in_memory);
  const torch::Tensor image = opened.dataset->get(0).image;
  EXPECT_EQ(image.sizes(), (std::vector<int64_t>{3, 4, 4}));
  EXPECT_EQ(image.scalar_type(), at::kByte);
  EXPECT_TRUE(image[0].eq(255).all().item<bool>());
  EXPECT_TRUE(image[1].eq(0).all().item<bool>());
  EXPECT_TRUE(image[2].eq(9).all().item<bool>());
}

TEST(ImageFolder, CutsTheCentre) {
  const TempFolder folder;
  Image wide = make_image(6, 2, 3);
  for (int64_t i = 0; i < 36; ++i)
    wide.pixels[static_cast<size_t>(i)] = static_cast<uint8_t>(i % 18 / 3);  // Column.
  folder.write("a.png", std::string(as_text(encode_png(wide))));
  const auto image = open_image_folder(options_for(folder, 2)).dataset->get(0).image;
  EXPECT_EQ(image[0][0][0].item<int>(), 2);
  EXPECT_EQ(image[0][1][1].item<int>(), 3);
}

TEST(ImageFolder, LeavesOutBrokenFilesAndSaysSo) {
  const TempFolder folder;
  write_three(folder);
  std::vector<std::string> said;
  const LogFn log = [&](LogLevel, std::string_view line) { said.emplace_back(line); };
  const ImageFolder opened = open_image_folder(options_for(folder, 8), log);
  EXPECT_EQ(opened.dataset->size(), 2);
  EXPECT_EQ(opened.dataset->info(1).id, "c.png");
  ASSERT_EQ(opened.skipped.size(), 1U);
  EXPECT_TRUE(opened.skipped[0].starts_with("b.png: ")) << opened.skipped[0];
  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(said[0].starts_with("skipped b.png"));
}

TEST(ImageFolder, OnDemandABrokenFileGivesTheNext) {
  const TempFolder folder;
  write_three(folder);
  const ImageFolder opened = open_image_folder(options_for(folder, 8, 0));
  EXPECT_FALSE(opened.in_memory);
  EXPECT_EQ(opened.dataset->size(), 3);
  EXPECT_EQ(opened.dataset->get(1).info.id, "c.png");
  EXPECT_TRUE(opened.dataset->get(1).image[2].eq(255).all().item<bool>());
  EXPECT_THROW(opened.dataset->get(3), Error);
}

TEST(ImageFolder, AllBrokenIsAnError) {
  const TempFolder folder;
  folder.write("a.png", "x");
  folder.write("b.png", "x");
  const std::string in_memory =
      error_of(ErrorKind::kData, [&] { open_image_folder(options_for(folder, 8)); });
  EXPECT_TRUE(
      contains(in_memory, "none of the 2 pictures in " + folder.string() + " can be read; the first: a.png"));
  const ImageFolder opened = open_image_folder(options_for(folder, 8, 0));
  EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { opened.dataset->get(0); }), "2 pictures in a row"));
}

TEST(ImageFolder, NamesWhatIsWrong) {
  const TempFolder folder;
  EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { open_image_folder(options_for(folder, 8)); }),
                       "expected pictures (png, jpg, webp, bmp) in " + folder.string() + ", found none"));
  folder.write("metadata.jsonl", "{\"file_name\":\"a.png\"}\n");
  EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { open_image_folder(options_for(folder, 8)); }),
                       "found none of those that metadata.jsonl names"));
  folder.write("metadata.jsonl", "\n");
  EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { open_image_folder(options_for(folder, 8)); }),
                       "found a metadata.jsonl that names none"));
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kUsage, [&] { open_image_folder(options_for(folder, 0)); }), "got 0"));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { open_image_folder(options_for(folder, 8, -1)); }),
                       "memory_mb"));
  const StopToken stop;
  stop.request();
  const TempFolder full;
  write_three(full);
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kData, [&] { open_image_folder(options_for(full, 8), {}, {}, stop); }),
               "stopped after 0 pictures"));
}

TEST(ImageFolder, FingerprintFollowsContentAndSize) {
  const TempFolder folder;
  folder.write_png("a.png", 8, 8, {255, 0, 0});
  for (int64_t memory : {0, 100}) {
    folder.write_png("a.png", 8, 8, {255, 0, 0});
    const auto print = [&](int64_t size) {
      return open_image_folder(options_for(folder, size, memory)).dataset->fingerprint();
    };
    const std::string first = print(8);
    EXPECT_EQ(print(8), first);
    EXPECT_NE(print(4), first);
    folder.write("a.txt", "a caption changes no picture");
    EXPECT_EQ(print(8), first);
    folder.write_png("a.png", 8, 8, {254, 0, 0});
    EXPECT_NE(print(8), first);
  }
}

}  // namespace
}  // namespace ldm
