#include "ldm/model/embedding_file.h"

#include <ATen/ATen.h>

#include "ldm/model/clip_conditioner.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

constexpr CaptionReading kPrompt{.prompt = true};

WeightFile file_of(StateDict tensors) { return {.tensors = std::move(tensors)}; }

TEST(LearnedWordFile, EveryFormIsRead) {
  const auto two = at::randn({2, 8}), wide = at::randn({2, 12});
  const auto bin = read_learned_word(file_of({{"<cat-toy>", two[0]}}));
  EXPECT_EQ(bin.name, "<cat-toy>");
  EXPECT_TRUE(at::equal(bin.vectors.at(0), two.narrow(0, 0, 1)));
  auto pt = file_of({{"string_to_param.*", two}, {"string_to_token.*", at::tensor({265})}});
  EXPECT_EQ(read_learned_word(pt).name, "");
  pt.metadata["name"] = "style";
  EXPECT_EQ(read_learned_word(pt).name, "style");
  EXPECT_TRUE(at::equal(read_learned_word(pt).vectors.at(0), two));
  EXPECT_TRUE(at::equal(read_learned_word(file_of({{"emb_params", two}})).vectors.at(0), two));
  const auto xl = read_learned_word(file_of({{"clip_l", two}, {"clip_g", wide}}));
  EXPECT_TRUE(xl.vectors.size() == 2 && at::equal(xl.vectors[1], wide));
}

TEST(LearnedWordFile, WhatIsNoneIsRefused) {
  const auto text = [](WeightFile file) {
    return thrown(ErrorKind::kFormat, [&] { read_learned_word(file); });
  };
  EXPECT_TRUE(has(text(file_of({})), "got 0 tensors"));
  EXPECT_TRUE(has(text(file_of({{"a", at::zeros({1, 2})}, {"b", at::zeros({1, 2})}})), "got 2 tensors"));
  EXPECT_TRUE(has(text(file_of({{"emb_params", at::zeros({1, 2, 3})}})), "[n, width]"));
  EXPECT_TRUE(has(text(file_of({{"emb_params", at::zeros({1, 2}, at::kLong)}})), "[n, width]"));
  EXPECT_TRUE(
      has(text(file_of({{"clip_l", at::zeros({1, 2})}, {"clip_g", at::zeros({2, 2})}})), "as many vectors"));
  EXPECT_TRUE(
      has(text(file_of({{"string_to_param.a", at::zeros({1, 2})}, {"string_to_param.b", at::zeros({1, 2})}})),
          "one word"));
}

// The prompt with the word is what the tokens with its rows are, with weights and all.
TEST(LearnedWord, StandsInPromptsForItsVectors) {
  torch::NoGradGuard no_grad;
  const TemporaryFolder folder;
  const auto model = tiny_model("text");
  at::manual_seed(2);
  write_tensor_file(folder / "blue blue.safetensors", {{"emb_params", at::randn({2, 32})}});
  EXPECT_EQ(add_learned_word(*model, folder / "blue blue.safetensors"),
            std::vector<std::string>{"blue blue"});
  const auto encode = [&](Condition condition) {
    return model->encode(std::vector<Condition>{condition}).context;
  };
  // [CLS] red, the two rows behind the table's ten, [SEP] [PAD].
  const Condition tokens{.tokens = at::tensor({2, 4, 10, 11, 3, 0})};
  EXPECT_TRUE(at::equal(encode({.caption = "red blue blue", .reading = kPrompt}), encode(tokens)));
  const auto strong = encode({.caption = "red (blue blue:1.5)", .reading = kPrompt});
  EXPECT_FALSE(at::allclose(strong, encode(tokens)));
  // One "blue" is still itself.
  const Condition plain{.tokens = at::tensor({2, 5, 4, 3, 0, 0})};
  EXPECT_TRUE(at::equal(encode({.caption = "blue red", .reading = kPrompt}), encode(plain)));
  EXPECT_EQ(model->conditioner()->complaint("blue blue red"), "");
}

TEST(LearnedWord, WhatDoesNotFitTheModelIsRefused) {
  const TemporaryFolder folder;
  const auto model = tiny_model("text"), none = tiny_model("none");
  const auto add = [&](LatentDiffusion& to, const char* name, const torch::Tensor& vectors) {
    write_tensor_file(folder / name, {{"emb_params", vectors}});
    add_learned_word(to, folder / name);
  };
  const auto right = at::randn({1, 32});
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat,
                         [&] {
                           add(*model, "red.pt", at::randn({1, 16}));
                         }),
                  "vectors of width 16, this model's text encoder 32"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { add(*model, "nobody.pt", right); }), "does not know"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage,
                         [&] {
                           add(*model, "red.pt", at::randn({5, 32}));
                         }),
                  "reads 4 at once"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { add(*none, "red.pt", right); }), "reads no prompts"));
  add(*model, "red.pt", right);
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { add(*model, "Red.pt", right); }), "already"));
}

// CLIP pools at the greatest id of the text; a word's ids are greater still.
TEST(LearnedWord, DoesNotMoveTheEndWhereClipPools) {
  torch::NoGradGuard no_grad;
  at::manual_seed(6);
  constexpr std::string_view merges = "#version: 0.2\na b</w>\n";
  const auto tokenizer = ClipTokenizer::from_merges(std::as_bytes(std::span(merges)));
  ClipConditionerOptions options{.clip = {.vocab_size = 515,
                                          .hidden_size = 8,
                                          .intermediate_size = 16,
                                          .num_hidden_layers = 2,
                                          .num_attention_heads = 2,
                                          .max_position_embeddings = 12,
                                          .projection_dim = 8}};
  options.always_return_pooled = true;
  options.max_length = 12;
  ClipConditioner conditioner(options, tokenizer);
  conditioner.eval();
  conditioner.learn_word({"ab"}, at::randn({3, 8}));
  const auto out = conditioner.encode(std::vector<Condition>{{.caption = "a ab a", .reading = kPrompt}});
  // Begin, a, three rows, a, end.
  const auto pooled = conditioner.clip().projected(out.context.select(1, 6));
  EXPECT_TRUE(at::allclose(out.y, pooled, 1e-5, 1e-6));
}

}  // namespace
}  // namespace ldm
