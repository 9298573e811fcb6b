// Label maps, layouts and neighbours: from files to what the model reads, and drawing with them.
#include "ldm/pipeline/give_conditions.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "ldm/config/yaml.h"
#include "ldm/io/file.h"
#include "ldm/model/condition_names.h"
#include "ldm/pipeline/generator.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

GenerateRequest task_request() {
  GenerateRequest r{.seed = 5};
  r.sampling.steps = 3;
  return r;
}

const LabelTable kSkyGrassSea{{{0, "sky"}, {7, "grass"}, {9, "sea"}}};

// Sky above, grass below.
Image horizon(int64_t size, uint8_t below = 7) {
  auto image = make_image(size, size, 1);
  for (int64_t y = size / 2; y < size; ++y) std::fill_n(image.row(y), size, below);
  return image;
}

Image drawn_with(const LatentDiffusion& model, const GenerateRequest& r) {
  const std::shared_ptr<const LatentDiffusion> borrowed(&model, [](const auto*) {});
  return Generator(borrowed).generate(r).front().image;
}

TEST(LabelMaps, SteerTheDrawing) {
  const auto model = tiny_model("map");
  auto r = task_request();
  give_label_map(*model, horizon(8), "map.png", kSkyGrassSea, r);
  EXPECT_EQ(r.given.picture.sizes(), (std::vector<int64_t>{3, 16, 16}));
  EXPECT_EQ(r.given.picture[1][8][3].item<float>(), 1.0f);
  EXPECT_EQ(r.given.picture[1][7][3].item<float>(), 0.0f);
  const auto grass = drawn_with(*model, r);
  give_label_map(*model, horizon(8, 9), "map.png", kSkyGrassSea, r);
  EXPECT_NE(drawn_with(*model, r).pixels, grass.pixels);
}

TEST(LabelMaps, FollowTheCanvas) {
  const auto model = tiny_model("map");
  auto r = task_request();
  r.width = 18;  // Drawn wider: the map's last column repeats.
  r.height = 8;
  give_label_map(*model, horizon(100), "map.png", kSkyGrassSea, r);
  const auto canvas = plan_canvas(*model, r);
  EXPECT_EQ(r.given.picture.sizes(),
            (std::vector<int64_t>{3, 4 * canvas.latent_height, 4 * canvas.latent_width}));
  EXPECT_TRUE(at::equal(r.given.picture.select(2, 18), r.given.picture.select(2, 17)));
  EXPECT_EQ(drawn_with(*model, r).width, 18);
}

TEST(LabelMaps, RefuseWhatDoesNotFit) {
  const auto model = tiny_model("map");
  auto r = task_request();
  const auto give = [&](const LatentDiffusion& to, const Image& map, const std::optional<LabelTable>& table) {
    return [&, table] { give_label_map(to, map, "map.png", table, r); };
  };
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, give(*model, horizon(8), LabelTable{{{0, "sky"}}})),
                  "trained with 3 labels, the label table has 1"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, give(*model, horizon(8), std::nullopt)), "(--labels) of its 3"));
  EXPECT_TRUE(has(thrown(ErrorKind::kData, give(*model, horizon(8, 4), kSkyGrassSea)),
                  "map.png: pixel 0,4: expected one of the 3 values of the label table, from 0 to 9, got 4"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, give(*tiny_model("text"), horizon(8), kSkyGrassSea)),
                  "this model takes words, not a label map"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { drawn_with(*model, task_request()); }),
                  "draws from a label map; expected one (--segmentation)"));
}

TEST(Layouts, BecomeTokens) {
  const auto model = tiny_model("layout");
  auto r = task_request();
  const std::vector<std::string> names{"dog", "cat"};
  give_layout(*model, as_bytes(R"([{"category": "cat", "bbox": [0, 0, 1, 1]}])"), "a.json", names, r);
  // 49 tokens: a grid of 7; 49 means nothing.
  EXPECT_TRUE(at::equal(r.given.tokens, at::tensor({1, 0, 48, 49, 49, 49, 0, 48}, at::kLong)));
  const auto cat = drawn_with(*model, r);
  give_layout(*model, as_bytes("[0, 0, 48, 49, 49, 49, 0, 48]"), "a.json", {}, r);
  EXPECT_NE(drawn_with(*model, r).pixels, cat.pixels);
}

TEST(Layouts, MayBeEmpty) {
  const auto model = tiny_model("layout");
  auto r = task_request();
  give_layout(*model, as_bytes("[]"), "a.json", {}, r);
  EXPECT_TRUE(at::equal(r.given.tokens, at::tensor({49, 49, 49, 49, 49, 49, 0, 48}, at::kLong)));
}

TEST(Layouts, AreGuidedByNoObjects) {
  const auto model = tiny_model("layout");
  auto r = task_request();
  give_layout(*model, as_bytes("[0, 0, 48, 49, 49, 49, 0, 48]"), "a.json", {}, r);
  complete_null(*model, r);
  EXPECT_TRUE(at::equal(r.given_null.tokens, at::tensor({49, 49, 49, 49, 49, 49, 0, 48}, at::kLong)));
  const auto guided = drawn_with(*model, r);
  r.guidance.scale = 1.0;
  EXPECT_NE(drawn_with(*model, r).pixels, guided.pixels);
}

TEST(Layouts, RefuseWhatDoesNotFit) {
  const auto model = tiny_model("layout");
  auto r = task_request();
  const auto give = [&](const LatentDiffusion& to, const std::string& json) {
    return thrown(ErrorKind::kUsage, [&] { give_layout(to, as_bytes(json), "a.json", {}, r); });
  };
  EXPECT_TRUE(has(give(*model, "[50]"), "a.json: expected tokens of 0..49, got 50"));
  EXPECT_TRUE(
      has(give(*model, R"([{"category": 0, "bbox": [0, 0, 1, 1]}])"), "what its categories are called"));
  const std::vector<std::string> names{"dog"};
  const std::string box = R"({"category": "dog", "bbox": [0, 0, 1, 1]})";
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage,
                         [&] {
                           give_layout(*model, as_bytes("[" + box + "," + box + "," + box + "]"), "a.json",
                                       names, r);
                         }),
                  "a.json: expected at most 2 boxes, as many as the model reads, got 3"));
  EXPECT_TRUE(has(give(*tiny_model("text"), "[]"), "this model takes words, not a layout"));
  give_layout(*model, as_bytes("[1, 2]"), "a.json", {}, r);
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { drawn_with(*model, r); }), "a layout of 8 tokens"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { drawn_with(*model, task_request()); }), "(--layout)"));
  r = task_request();
  r.prompt = "dog";
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { drawn_with(*model, r); }), "takes a layout, not words"));
}

TEST(Neighbours, SteerTheDrawing) {
  const auto model = tiny_model("neighbours");
  at::manual_seed(1);
  auto r = task_request();
  give_neighbours(*model, at::randn({3, 32}), r);
  const auto near = drawn_with(*model, r);
  give_neighbours(*model, at::randn({5, 32}), r);
  EXPECT_NE(drawn_with(*model, r).pixels, near.pixels);
  give_neighbours(*model, at::randn({5, 16}), r);
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { drawn_with(*model, r); }), "[k, 32], got [5, 16]"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage,
                         [&] {
                           give_neighbours(*tiny_model("text"), at::ones({1, 32}), r);
                         }),
                  "not embeddings of neighbours"));
}

TEST(Looks, NeedAModelThatVaries) {
  auto r = task_request();
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { give_look(*tiny_model("text"), make_image(4, 4, 3), r); }),
                  "not a picture to vary; hint: --init-image"));
}

TEST(ConditionNames, ComeFromTheRunThatTrained) {
  auto config = tiny_diffusion_config("layout");
  auto data = parse_yaml(std::string_view("task: {kind: layout, categories: [dog, cat], no_classes: 2, "
                                          "max_objects: 2, no_tokens: 50, dropout: 0.1}"),
                         "data");
  config.set("data", data);
  LatentDiffusionOptions options;
  add_condition_names(config, options);
  EXPECT_EQ(options.class_names, (std::vector<std::string>{"dog", "cat"}));
  ASSERT_TRUE(options.layout.has_value());
  EXPECT_EQ(options.layout->max_objects, 2);
  EXPECT_FALSE(options.map_null);
  config.set(
      "data",
      parse_yaml(std::string_view("task: {kind: segmentation, table: ['7 grass'], dropout: 0.1}"), "data"));
  options = {};
  add_condition_names(config, options);
  EXPECT_EQ(options.label_names, (std::vector<std::string>{"7 grass"}));
  EXPECT_TRUE(options.map_null);
}

}  // namespace
}  // namespace ldm
