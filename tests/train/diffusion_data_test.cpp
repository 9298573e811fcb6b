#include "ldm/train/diffusion_data.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/train/batch_conditions.h"
#include "ldm/train/condition_picture.h"
#include "tests/train/tiny_scenes.h"

namespace ldm {
namespace {

class DiffusionDataTest : public testing::Test {
 protected:
  void SetUp() override { write_tiny_scenes(folder_); }

  DataSection section(const std::string& kind) const {
    DataSection out{.path = folder_.string(), .size = 16, .batch_size = 8, .held_out = 0.2};
    out.task.kind = kind;
    out.task.layout.filter.min_objects = 1;
    out.task.layout.set.tokens = {
        .max_objects = 2, .tokens = 1024, .use_group = false, .use_additional = false};
    out.task.retrieval.neighbours = 2;
    return out;
  }
  static DiffusionData open(const DataSection& section) { return {section, 7, {}, {}, {}}; }

  TempFolder folder_;
};

TEST_F(DiffusionDataTest, WordsAloneOpenNoPicture) {
  auto options = section("pictures");
  options.captions = {.text_only = 1, .text_keywords = 0, .style = 0, .dropout = 0};
  auto data = open(options);
  std::filesystem::remove_all(folder_.path() / "images");
  const auto batch = data.draw(3, nullptr);
  EXPECT_FALSE(batch.pictures.defined());
  EXPECT_EQ(batch.conditions.size(), 8u);
  EXPECT_TRUE(contains(batch.conditions[0].caption, "box"));
  EXPECT_EQ(batch.conditions[0].label, -1);
  EXPECT_TRUE(data.shown_examples(4).empty());
}

TEST_F(DiffusionDataTest, MirroredPicturesVary) {
  auto plain = section("inpainting"), mirrored = plain;
  mirrored.flip = true;
  EXPECT_FALSE(open(plain).draw(0, nullptr).pictures.defined());
  auto data = open(mirrored);
  const auto batch = data.draw(0, nullptr);
  ASSERT_EQ(batch.pictures.sizes(), (std::vector<int64_t>{8, 3, 16, 16}));
  int64_t turned = 0;
  for (int64_t k = 0; k < 8; ++k) {
    const auto as_is = data.train()->get(batch.indices[static_cast<size_t>(k)]).image;
    const auto drawn = ((batch.pictures[k] + 1) * 127.5).round().to(at::kByte);
    const bool same = at::equal(drawn, as_is);
    EXPECT_TRUE(same || at::equal(drawn, as_is.flip({2}))) << k;
    turned += same ? 0 : 1;
  }
  EXPECT_GT(turned, 0);
  EXPECT_LT(turned, 8);
}

TEST_F(DiffusionDataTest, MasksAreOfTheModelsRange) {
  auto data = open(section("inpainting"));
  const auto batch = data.draw(0, nullptr);
  const auto& condition = batch.conditions.front();
  EXPECT_TRUE(((condition.mask == 0) | (condition.mask == 1)).all().item<bool>());
  EXPECT_TRUE(
      at::equal(condition.picture[0].eq(-1) & condition.picture[1].eq(-1) & condition.picture[2].eq(-1),
                condition.mask[0].eq(1)));
  EXPECT_FALSE(data.null_condition());
}

TEST_F(DiffusionDataTest, EveryDrawIsAFunctionOfSeedBatchAndPlace) {
  for (const auto* kind : {"inpainting", "super_resolution", "layout", "segmentation", "retrieval"}) {
    SCOPED_TRACE(kind);
    auto options = section(kind);
    auto ahead = open(options);
    options.workers = 0;
    auto alone = open(options);
    for (int64_t number = 0; number < 3; ++number) ahead.draw(number, nullptr);
    const auto a = ahead.draw(3, nullptr), b = alone.draw(3, nullptr);
    EXPECT_EQ(a.indices, b.indices);
    for (size_t k = 0; k < 8; ++k) {
      for (const auto field :
           {&Condition::picture, &Condition::mask, &Condition::tokens, &Condition::embeddings}) {
        const auto &x = a.conditions[k].*field, &y = b.conditions[k].*field;
        EXPECT_TRUE(x.defined() == y.defined() && (!x.defined() || at::equal(x, y)));
      }
    }
  }
}

TEST_F(DiffusionDataTest, DropsAsOftenAsAsked) {
  auto options = section("layout");
  options.task.layout.dropout = 0.3;
  auto data = open(options);
  const auto null = data.null_condition()->tokens;
  EXPECT_EQ(null[0].item<int64_t>(), 1023);  // Nothing.
  int64_t dropped = 0;
  for (int64_t number = 0; number < 100; ++number) {
    for (const auto& condition : data.draw(number, nullptr).conditions)
      dropped += at::equal(condition.tokens, null) ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(dropped) / 800, 0.3, 0.05);
  for (const auto& condition : data.plain_conditions({0, 1})) EXPECT_FALSE(at::equal(condition.tokens, null));

  options = section("retrieval");
  options.task.retrieval.dropout = 1;
  auto retrieval = open(options);
  EXPECT_EQ(retrieval.draw(0, nullptr).conditions[0].embeddings.abs().max().item<float>(), 0.0F);
  EXPECT_EQ(retrieval.null_condition()->embeddings.sizes(), (std::vector<int64_t>{2, 192}));
}

TEST_F(DiffusionDataTest, ShowsConditionsAsPictures) {
  const auto layouts = open(section("layout")).shown_examples(8);
  ASSERT_EQ(layouts.size(), 2u);  // The held-out ones; the first has a red box at (8, 6).
  const auto& boxes = *layouts[0].input;
  const auto colour = palette_colour(0);
  EXPECT_EQ((Rgb{boxes.row(6)[24], boxes.row(6)[25], boxes.row(6)[26]}), colour);
  EXPECT_EQ(boxes.row(8)[3 * 10], 255);  // White inside.
  const auto maps = open(section("segmentation")).shown_examples(8);
  const auto* inside = maps[0].input->row(8) + 3 * 10;
  EXPECT_EQ((Rgb{inside[0], inside[1], inside[2]}), colour);
  const auto* wall = maps[0].input->row(0);
  EXPECT_EQ((Rgb{wall[0], wall[1], wall[2]}), palette_colour(2));
  EXPECT_EQ(maps[0].truth.row(8)[3 * 10], 220);
  const auto small = open(section("super_resolution")).shown_examples(1);
  EXPECT_EQ(small[0].input->width, 16);
  EXPECT_FALSE(open(section("retrieval")).shown_examples(1)[0].input);
}

TEST(BatchConditions, KnowTheirNames) {
  EXPECT_TRUE(contains(error_of(ErrorKind::kInternal,
                                [] {
                                  to_condition({{"weather", at::zeros({1})}});
                                }),
                       "weather"));
}

TEST(PaletteColour, IsAnothersForEachNumber) {
  for (int64_t a = 0; a < 60; ++a) {
    for (int64_t b = 0; b < a; ++b) EXPECT_NE(palette_colour(a), palette_colour(b)) << a << " " << b;
  }
}

}  // namespace
}  // namespace ldm
