#include "ldm/model/captions.h"

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "ldm/config/yaml.h"
#include "ldm/model/clip_conditioner.h"
#include "ldm/model/emphasis.h"
#include "ldm/model/make_conditioner.h"
#include "ldm/model/text_conditioner.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

using Shape = std::vector<int64_t>;

Condition prompt(const std::string& text, int64_t clip_skip = 0) {
  return {.caption = text, .reading = {.prompt = true, .clip_skip = clip_skip}};
}

TEST(Captions, APromptOfPlainWordsIsItsCaption) {
  const auto model = tiny_model("text-adm");
  const auto plain = model->encode(std::vector<Condition>{{.caption = "red disc"}});
  const auto read = model->encode(std::vector<Condition>{prompt("red disc")});
  EXPECT_TRUE(at::equal(plain.context, read.context));
  EXPECT_TRUE(at::equal(plain.y, read.y));
}

TEST(Captions, WeightsScaleTheStatesAndKeepTheMean) {
  const auto model = tiny_model("text-adm");
  const auto plain = model->encode(std::vector<Condition>{prompt("red disc")});
  const auto weighted = model->encode(std::vector<Condition>{prompt("(red:1.5) disc")});
  EXPECT_TRUE(at::allclose(plain.context.mean(), weighted.context.mean(), 1e-4, 1e-7));
  const auto ratio = (weighted.context / plain.context)[0].select(1, 0);  // Of each token.
  EXPECT_TRUE(at::allclose(ratio[1] / ratio[2], at::tensor(1.5F), 1e-4));
  EXPECT_FALSE(at::allclose(plain.y, weighted.y));
}

TEST(Captions, LongPromptsAreReadInChunks) {
  const auto model = tiny_model("text-adm");
  // Four words fit at once; the shorter prompt is filled up with an empty chunk.
  const auto both = model->encode(std::vector<Condition>{prompt("red red red red disc"), prompt("blue")});
  EXPECT_EQ(both.context.sizes(), (Shape{2, 12, 32}));
  const auto first = model->encode(std::vector<Condition>{prompt("red red red red")}).context;
  const auto second = model->encode(std::vector<Condition>{prompt("disc")}).context;
  EXPECT_TRUE(at::allclose(both.context[0], at::cat({first, second}, 1)[0], 1e-5, 1e-6));
  const auto cut = model->encode(std::vector<Condition>{prompt("red BREAK disc")}).context;
  EXPECT_TRUE(at::allclose(cut.narrow(1, 6, 6), second, 1e-5, 1e-6));
}

TEST(Captions, OnlyClipSkipsLayers) {
  const auto model = tiny_model("text");
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { model->encode(std::vector<Condition>{prompt("red", 2)}); }),
                  "only CLIP skips layers"));
}

// 512 "re", 513 "red</w>", begin 514, end 515.
constexpr char kMerges[] = "#version: 0.2\nr e\nre d</w>\n";

std::shared_ptr<Conditioner> clip(const std::string& target, const std::string& more = "") {
  const auto yaml =
      "{target: " + target +
      ", params: {vocab_size: 516, hidden_size: 16, intermediate_size: 32, num_hidden_layers: 3, "
      "num_attention_heads: 2, max_position_embeddings: 8, max_length: 8, projection_dim: 12" +
      more + "}}";
  auto out = make_conditioner(parse_yaml(std::string_view(yaml), "c.yaml"), {.vocabulary = kMerges}, "c");
  out->eval();
  return out;
}

TEST(ClipConditioner, ReadsTheLayerItIsToldTo) {
  at::manual_seed(1);
  const torch::NoGradGuard no_grad;
  const auto conditioner = clip("clip_text");
  const auto& tower = dynamic_cast<const ClipConditioner&>(*conditioner).clip();
  const auto ids = at::tensor({514, 513, 515, 515, 515, 515, 515, 515}, at::kLong).unsqueeze(0);
  const auto context = [&](int64_t skip) { return conditioner->encode({{prompt("red", skip)}}).context; };
  EXPECT_TRUE(at::equal(context(0), tower.forward(ids, 1, true).last));
  EXPECT_TRUE(at::equal(context(2), tower.final_norm(tower.forward(ids, 2).hidden)));
  EXPECT_FALSE(at::equal(context(1), context(2)));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { context(4); }), "expected a clip-skip of 1 to 3, got 4"));
  EXPECT_EQ(conditioner->vocabulary(), kMerges);
}

TEST(ClipConditioner, OpenClipPoolsAndPadsWithZero) {
  at::manual_seed(1);
  const torch::NoGradGuard no_grad;
  const auto conditioner =
      clip("open_clip_text", ", layer: penultimate, legacy: false, always_return_pooled: true");
  const auto& tower = dynamic_cast<const ClipConditioner&>(*conditioner).clip();
  const auto out = conditioner->encode({{prompt("red")}});
  const auto ids = at::tensor({514, 513, 515, 0, 0, 0, 0, 0}, at::kLong).unsqueeze(0);
  const auto states = tower.forward(ids, 2, true);
  EXPECT_TRUE(at::equal(out.context, states.hidden));
  EXPECT_TRUE(at::equal(out.y, tower.projected(tower.pooled(ids, states.last))));
  // The vector of a long prompt is its first chunk's.
  const auto two = conditioner->encode({{prompt("red BREAK red red")}});
  EXPECT_EQ(two.context.sizes(), (Shape{1, 16, 16}));
  EXPECT_TRUE(at::allclose(two.y, out.y, 1e-5, 1e-6));
}

TEST(ClipConditioner, KnowsTheSizesOfPublishedTowers) {
  EXPECT_EQ(clip_sizes("ViT-bigG-14", ClipNaming::kOpenClip).num_hidden_layers, 32);
  EXPECT_EQ(clip_sizes("", ClipNaming::kHuggingFace).hidden_act, "quick_gelu");
  EXPECT_TRUE(
      has(thrown(ErrorKind::kUsage, [] { clip_sizes("ViT-X", ClipNaming::kOpenClip); }), "ViT-bigG-14"));
}

TEST(ClipConditioner, RefusesWhatItsTowerDoesNotHave) {
  const auto refusal = [](const std::string& more) {
    return thrown(ErrorKind::kUsage, [&] { clip("clip_text", more); });
  };
  EXPECT_TRUE(has(refusal(", layer: third"), "expected the layer last, penultimate, hidden or pooled"));
  EXPECT_TRUE(has(refusal(", layer: hidden, layer_idx: 4"), "expects a layer_idx in 1..3, got 4"));
  EXPECT_TRUE(has(refusal(", version: ViT-L/14"), "expected openai/clip-vit-large-patch14 or nothing"));
  EXPECT_TRUE(has(refusal(", hidden_act: relu"), "expected the activation gelu or quick_gelu"));
  auto silent =
      make_conditioner(parse_yaml(std::string_view("{target: clip_text, params: {num_hidden_layers: 1, "
                                                   "vocab_size: 600}}"),
                                  "c.yaml"),
                       {}, "c");
  EXPECT_TRUE(
      has(thrown(ErrorKind::kUsage, [&] { silent->encode({{prompt("red")}}); }), "without a tokenizer"));
}

}  // namespace
}  // namespace ldm
