#include <gtest/gtest.h>

#include <set>

#include "ldm/data/coco.h"
#include "ldm/data/layout_tokens.h"
#include "ldm/data/task_sets.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

LayoutTokenOptions tokens_for(int64_t classes) {
  LayoutTokenOptions options;
  options.classes = classes;
  return options;
}

TEST(LayoutTokens, EncodesByTheOriginalsRules) {
  const LayoutTokenizer tokenizer(tokens_for(80));
  EXPECT_EQ(tokenizer.length(), 92);
  LayoutObject object{7, {0.25, 0.5, 0.5, 0.5}};
  object.group = object.inside = true;
  const auto tokens = tokenizer.encode({object}, {}, false, Random(0));
  ASSERT_EQ(tokens.size(), 92U);
  EXPECT_EQ(tokens[0], 7 + 80 * 9);
  EXPECT_EQ(tokens[1], 44 * 90 + 22);  // 0.5 * 89 = 44.5 to even, 0.25 * 89 = 22.25.
  EXPECT_EQ(tokens[2], 89 * 90 + 67);  // 0.75 * 89 = 66.75.
  EXPECT_EQ(tokens[3], 8191);
  EXPECT_EQ(tokens[90], 0);
  EXPECT_EQ(tokens[91], 89 * 90 + 89);
}

TEST(LayoutTokens, FlipsAndCrops) {
  const LayoutTokenizer tokenizer(tokens_for(10));
  const RelativeBox left{0, 0, 0.5, 1};
  const std::vector<LayoutObject> objects{{1, {0.1, 0.2, 0.2, 0.2}}, {2, {0.7, 0.2, 0.2, 0.2}}};
  const auto layout = tokenizer.decode(tokenizer.encode(objects, left, true, Random(0)));
  ASSERT_EQ(layout.objects.size(), 1U);  // The other one does not meet the crop.
  EXPECT_EQ(layout.objects[0].category, 1);
  EXPECT_NEAR(layout.objects[0].box.x, 0.7, 0.01);
  EXPECT_NEAR(layout.crop->x, 0.5, 0.01);

  LayoutTokenOptions options = tokens_for(10);
  options.encode_crop = false;
  const LayoutTokenizer plain(options);
  EXPECT_EQ(plain.length(), 90);
  const auto inside = plain.decode(plain.encode(objects, left, false, Random(0)));
  EXPECT_NEAR(inside.objects.at(0).box.x, 0.2, 0.01);
  EXPECT_NEAR(inside.objects.at(0).box.width, 0.4, 0.02);
}

TEST(LayoutTokens, ShufflesAndCutsTheFirstThirty) {
  std::vector<LayoutObject> many;
  for (int64_t i = 0; i < 40; ++i) many.push_back({i, {0, 0, 1, 1}});
  const LayoutTokenizer tokenizer(tokens_for(40));
  const auto first = tokenizer.encode(many, {}, false, Random(1)),
             second = tokenizer.encode(many, {}, false, Random(2));
  EXPECT_NE(first, second);
  std::set<int64_t> kinds;
  for (size_t i = 0; i < 90; i += 3) kinds.insert(first[i]);
  EXPECT_EQ(kinds.size(), 30U);
  EXPECT_EQ(*kinds.rbegin(), 29);
}

TEST(LayoutTokens, Refuses) {
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kUsage, [] { LayoutTokenizer(tokens_for(600)); }), "1 to 511 classes"));
  const LayoutTokenizer tokenizer(tokens_for(3));
  EXPECT_THROW(tokenizer.encode({{3, {}}}, {}, false, Random(0)), Error);
  EXPECT_THROW(tokenizer.encode({{0, {0.5, 0, 0.6, 1}}}, {}, false, Random(0)), Error);
  EXPECT_THROW(tokenizer.encode({}, {0, 0, 0, 1}, false, Random(0)), Error);
  EXPECT_THROW(tokenizer.decode({1, 2, 3}), Error);
}

constexpr const char* kCoco = R"({"images": [{"id": 9, "file_name": "b.png", "width": 200, "height": 100},
  {"id": 4, "file_name": "a.png", "width": 10, "height": 10}],
 "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 3, "name": "car"}],
 "annotations": [
  {"id": 1, "image_id": 9, "category_id": 18, "bbox": [150, 25, 100, 50], "iscrowd": 1, "segmentation": {"counts": [1]}},
  {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 1, 1], "caption": "a dog"}]})";

CocoSet parsed(const std::string& text) { return parse_coco(as_bytes(text), "x.json"); }

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kCoco;
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Coco, ReadsBoxesCategoriesAndCaptions) {
  CocoSet set = parsed(kCoco);
  ASSERT_EQ(set.images.size(), 2U);
  EXPECT_EQ(set.images[0].file_name, "a.png");  // By id.
  EXPECT_EQ(set.categories[1].name, "dog");
  const CocoImage& image = set.images[1];
  EXPECT_EQ(image.objects[0].category, 1);
  EXPECT_TRUE(image.objects[0].group);
  EXPECT_EQ(image.objects[0].box, (RelativeBox{0.75, 0.25, 0.25, 0.5}));  // Cut at the right edge.
  EXPECT_EQ(image.captions, (std::vector<std::string>{"a dog"}));
  const CocoSet filtered = filter_coco(set, {.min_area = 1e-3, .min_objects = 1, .max_objects = 5});
  ASSERT_EQ(filtered.images.size(), 1U);
  EXPECT_EQ(filtered.images[0].objects.size(), 1U);
}

TEST(Coco, NeedsNoFilesUntilPicturesAreRead) {
  auto set = parsed(replaced("\"file_name\": \"b.png\", ", ""));
  EXPECT_EQ(set.images[1].file_name, "");
  EXPECT_TRUE(contains(error_of(ErrorKind::kData, [&] { make_layout_set("pictures", set, {}); }),
                       "expected a file_name for each picture of the annotations, that of id 9 has none"));
}

TEST(Coco, RefusesWhatIsWrong) {
  const std::pair<std::string, std::string> kWrong[] = {
      {"\"image_id\": 9, \"category_id\": 18", "\"image_id\": 8, \"category_id\": 18"},
      {"\"category_id\": 18", "\"category_id\": 19"},
      {"[150, 25, 100, 50]", "[150, 20, 100]"},
      {"[150, 25, 100, 50]", "[150, 20, -1, 50]"},
      {"[150, 25, 100, 50]", "[1e300, 20, 1, 50]"},
      {"b.png", "../b.png"},
      {"b.png", "/b.png"},
      {"\"width\": 200", "\"width\": 0"},
      {"\"id\": 4", "\"id\": 9"},
      {"\"id\": 4", "\"id\": 18446744073709551615"},
      {"\"images\"", "\"pictures\""},
      {"\"file_name\": \"a.png\"", "\"file_name\": 3"}};
  for (const auto& [from, to] : kWrong) {
    error_of(ErrorKind::kFormat, [&] { parsed(replaced(from, to)); });
    EXPECT_THROW(parsed(replaced(from, to)), Error) << to;
  }
}

}  // namespace
}  // namespace ldm
