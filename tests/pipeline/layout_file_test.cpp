#include "ldm/pipeline/layout_file.h"

#include "ldm/io/file.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

const std::vector<std::string> kThings{"dog", "cat"};

LayoutScene parse_scene(const std::string& json, const std::vector<std::string>& names = kThings) {
  return parse_layout(as_bytes(json), "boxes.json", names, 2, 64, 32);
}

std::string layout_refusal(const std::string& json, ErrorKind kind = ErrorKind::kFormat) {
  return thrown(kind, [&] { parse_scene(json); });
}

TEST(LayoutFile, TokensStayAsTheyAre) {
  EXPECT_EQ(parse_scene("[3, 7, 11]").tokens, (std::vector<int64_t>{3, 7, 11}));
  EXPECT_TRUE(parse_scene("[]").objects.empty());
}

TEST(LayoutFile, BoxesArePartsOrPixels) {
  const auto parts = parse_scene(R"([{"category": "Cat", "bbox": [0.25, 0.5, 0.5, 0.5]}])").objects;
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].category, 1);
  EXPECT_EQ(parts[0].box, (RelativeBox{0.25, 0.5, 0.5, 0.5}));
  const auto pixels = parse_scene(R"([{"category": 1, "bbox": [16, 16, 32, 16]}])").objects;
  EXPECT_EQ(pixels[0].box, parts[0].box);
  const auto sized = parse_scene(R"({"width": 200, "height": 100,
      "objects": [{"category": "cat", "bbox": [50, 50, 100, 50], "iscrowd": 1, "inside": true}]})");
  EXPECT_EQ(sized.objects[0].box, parts[0].box);
  EXPECT_TRUE(sized.objects[0].group && sized.objects[0].inside && !sized.objects[0].occluded);
}

TEST(LayoutFile, BoxesAreCutAtTheEdges) {
  const auto box = parse_scene(R"([{"category": 0, "bbox": [-16, 16, 48, 160]}])").objects[0].box;
  EXPECT_EQ(box, (RelativeBox{0, 0.5, 0.5, 0.5}));
}

TEST(LayoutFile, CocoCategoriesGoByName) {
  const std::string coco = R"({"images": [{"id": 4, "file_name": "a.png", "width": 100, "height": 100}],
    "categories": [{"id": 9, "name": "cat"}, {"id": 12, "name": "dog"}],
    "annotations": [{"image_id": 4, "category_id": 12, "bbox": [0, 0, 50, 100]}]})";
  EXPECT_EQ(parse_scene(coco).objects.at(0).category, 0);      // Of the model's names.
  EXPECT_EQ(parse_scene(coco, {}).objects.at(0).category, 1);  // Their place in the file.
  EXPECT_EQ(parse_scene(coco).objects.at(0).box, (RelativeBox{0, 0, 0.5, 1}));
}

TEST(LayoutFile, CocoNeedsNoPictureButBoxesOnIt) {
  const auto coco = [](const std::string& box) {
    return R"({"images": [{"id": 4, "width": 100, "height": 100}], "categories": [{"id": 9, "name": "cat"}],
      "annotations": [{"image_id": 4, "category_id": 9, "bbox": )" +
           box + "}]}";
  };
  EXPECT_EQ(parse_scene(coco("[0, 0, 50, 100]")).objects.at(0).category, 1);
  EXPECT_TRUE(
      has(layout_refusal(coco("[100, 0, 50, 100]")), "boxes that meet the picture, got one of 'cat'"));
}

TEST(LayoutFile, RefusesMoreBoxesThanAnyModelReads) {
  std::string json = "[{}";
  for (int i = 0; i < 10000; ++i) json += ",{}";
  EXPECT_TRUE(has(layout_refusal(json + "]"), "at most 10000 objects"));
}

TEST(LayoutFile, RefusesOtherThings) {
  EXPECT_TRUE(has(layout_refusal("7"), "boxes.json: expected a list of boxes or of tokens, or COCO"));
  EXPECT_TRUE(has(layout_refusal("[1, 2.5]"), "whole numbers alone"));
  EXPECT_TRUE(has(layout_refusal(R"([{"category": "dog"}])"),
                  "boxes.json: box[0]: expected an object with category and bbox"));
  EXPECT_TRUE(has(layout_refusal(R"([{"category": "dog", "bbox": [1, 2, 3]}])"), "[x, y, width, height]"));
  EXPECT_TRUE(has(layout_refusal(R"([{"category": "dog", "bbox": [1, 2, -3, 4]}])"), "above 0"));
  EXPECT_TRUE(has(
      layout_refusal(R"([{"category": 0, "bbox": [0, 0, 9, 9]}, {"category": 0, "bbox": [64, 0, 9, 9]}])"),
      "box[1]: expected a bbox that meets the picture of 64x32"));
  EXPECT_TRUE(has(layout_refusal(R"([{"category": 0, "bbox": [1, 2, 3, 4], "inzide": true}])"),
                  "got the unknown key 'inzide'; did you mean 'inside'?"));
  EXPECT_TRUE(
      has(layout_refusal(R"({"width": 9, "height": 9, "objects": [], "size": 1})"), "unknown key 'size'"));
  EXPECT_TRUE(has(layout_refusal(R"([{"category": "dog", "bbox": [1, "2", 3, 4]}])"), "numbers in bbox"));
  EXPECT_TRUE(has(layout_refusal(R"([{"category": [], "bbox": [1, 2, 3, 4]}])"), "a name or a number"));
  EXPECT_TRUE(has(layout_refusal(R"([{"category": 0, "bbox": [1, 2, 3, 4], "inside": "no"}])"), "as inside"));
  EXPECT_TRUE(has(layout_refusal(R"({"objects": []})"), "a positive number as width"));
  EXPECT_TRUE(has(layout_refusal(R"({"width": 1, "height": 1})"), "a list as objects"));
  EXPECT_TRUE(has(layout_refusal("[1,"), "boxes.json"));
  EXPECT_TRUE(has(layout_refusal(R"({"images": [], "annotations": []})"),
                  "annotations of one picture, got those of 0"));
}

TEST(LayoutFile, RefusesCategoriesThatTheModelLacks) {
  const auto box = [](const std::string& category) {
    return "[{\"category\": " + category + ", \"bbox\": [0, 0, 1, 1]}]";
  };
  EXPECT_TRUE(
      has(layout_refusal(box("\"cot\""), ErrorKind::kUsage), "boxes.json: class: no class is called 'cot'"));
  EXPECT_TRUE(has(layout_refusal(box("2"), ErrorKind::kUsage), "expected a class in 0..1, got 2"));
}

}  // namespace
}  // namespace ldm
