#include "ldm/data/scenes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "ldm/data/coco.h"
#include "ldm/data/coco_writer.h"
#include "ldm/data/folder_index.h"
#include "ldm/data/inpaint_mask.h"
#include "ldm/data/label_map.h"
#include "ldm/image/decode.h"
#include "ldm/io/json.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

SceneSetOptions few_scenes() {
  SceneSetOptions options;
  options.count = 4;
  options.held_out = 1;
  options.categories = 12;
  options.scene.side = 64;
  options.seed = 5;
  return options;
}

class Scenes : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(EmojiOptions().font)) {
      GTEST_SKIP() << "no emoji font; apt-get install fonts-noto-color-emoji";
    }
  }
};

TEST_F(Scenes, WriteCocoThatAgreesWithTheMaps) {
  const TempFolder folder;
  const SceneSetReport report = make_scene_set(few_scenes(), folder.path());
  EXPECT_EQ(report.pictures, 4);
  const auto path = folder.path() / "annotations/instances_train.json";
  const CocoSet set = read_coco(path);
  ASSERT_EQ(set.images.size(), 3U);
  EXPECT_EQ(set.categories.size(), 12U);
  const Json json = parse_json(as_bytes(read_text(path)), "x");
  const Json& annotation = json["annotations"][0];
  const Image instances = read_image(folder.path() / "instances" / set.images[0].file_name);
  EXPECT_EQ(annotation["segmentation"]["counts"].get<std::vector<int64_t>>(), run_lengths(instances, 1));
  EXPECT_EQ(annotation["area"], std::count(instances.pixels.begin(), instances.pixels.end(), uint8_t{1}));
  const LabelTable table = read_label_table(folder.path() / "labels.txt");
  const Image labels = read_image(folder.path() / "labels" / set.images[0].file_name);
  one_hot_labels(labels, table, 64, 64);  // Every value has a name.
  const size_t first = static_cast<size_t>(
      std::find(instances.pixels.begin(), instances.pixels.end(), uint8_t{1}) - instances.pixels.begin());
  EXPECT_EQ(labels.pixels[first], annotation["category_id"]);
  const FolderIndex index = index_folder(folder.path());
  EXPECT_EQ(index.examples.at(3).split, "heldout");
  EXPECT_FALSE(index.examples[0].words.text.empty());
  const CocoSet captions = read_coco(folder.path() / "annotations/captions_val.json");
  EXPECT_EQ(captions.images.at(0).captions.size(), 5U);
}

TEST_F(Scenes, ASmallerSetLeavesNothingOfALargerOne) {
  const TempFolder folder;
  auto options = few_scenes();
  make_scene_set(options, folder.path());
  options.count = 2;
  make_scene_set(options, folder.path());
  for (const char* kind : {"images", "labels", "instances"}) {
    EXPECT_TRUE(std::filesystem::exists(folder.path() / kind / "000002.png"));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / kind / "000003.png"));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / kind / "000004.png"));
  }
}

TEST_F(Scenes, AreFunctionsOfSeedAndNumber) {
  const auto sprites = choose_scene_sprites(read_emoji_sources({}, "test"), 10);
  const Scene scene = compose_scene(sprites, {64, 3, 3}, Random(1, "s", 2));
  EXPECT_EQ(scene.picture, compose_scene(sprites, {64, 3, 3}, Random(1, "s", 2)).picture);
  EXPECT_NE(scene.picture, compose_scene(sprites, {64, 3, 3}, Random(1, "s", 3)).picture);
  for (const SceneObject& o : scene.objects) {
    EXPECT_GT(o.area, 0);
    EXPECT_LE(o.area, o.width * o.height);
    EXPECT_GE(o.x, 0);
    EXPECT_LE(o.x + o.width, 64);
  }
  EXPECT_THROW(compose_scene(sprites, {64, 4, 3}, Random(1)), Error);
  EXPECT_THROW(compose_scene(sprites, {16, 1, 3}, Random(1)), Error);
  EXPECT_THROW(choose_scene_sprites(read_emoji_sources({}, "test"), 0), Error);
}

TEST(CocoWriter, RunLengthsGoDownColumns) {
  const Image mask{3, 2, 1, {1, 0, 1, 0, 0, 1}};
  EXPECT_EQ(run_lengths(mask, 1), (std::vector<int64_t>{0, 1, 3, 2}));
  EXPECT_EQ(run_lengths(mask, 9), (std::vector<int64_t>{6}));
}

TEST(InpaintMask, CoversWhatItsRuleSays) {
  const auto covered = [](const std::string& strokes, uint64_t draw) {
    const Image mask = draw_mask(128, 96, {.strokes = strokes}, Random(0, "m", draw));
    for (const uint8_t v : mask.pixels) EXPECT_TRUE(v == 0 || v == 255);
    return static_cast<double>(std::count(mask.pixels.begin(), mask.pixels.end(), uint8_t{255})) / (128 * 96);
  };
  double thin = 0, thick = 0;
  for (uint64_t i = 0; i < 60; ++i) {
    thin += covered("thin", i) / 60;
    thick += covered("thick", i) / 60;
    EXPECT_GT(covered("mixed", i), 0);
  }
  EXPECT_LT(thin, thick);
  const Image small = draw_mask(64, 64, {.strokes = "thick", .max_area = 0.2}, Random(3));
  EXPECT_LE(std::count(small.pixels.begin(), small.pixels.end(), uint8_t{255}), 64 * 64 / 5);
  EXPECT_THROW(apply_mask(make_image(4, 4, 3), make_image(3, 4, 1)), Error);
  EXPECT_THROW(check_mask_options({.max_area = 0}), Error);
}

}  // namespace
}  // namespace ldm
