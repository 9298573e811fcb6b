#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"
#include "ldm/nn/class_embedder.h"
#include "ldm/nn/text_transformer.h"

namespace ldm {
namespace {

TextTransformerOptions tiny() {
  return {.n_embed = 16, .n_layer = 2, .vocab_size = 20, .max_seq_len = 6, .heads = 2, .dim_head = 4};
}

TEST(TextTransformer, ShapesAndShortSequences) {
  const TextTransformer transformer(tiny());
  EXPECT_EQ(transformer.forward(at::zeros({3, 6}, at::kLong)).sizes(), (std::vector<int64_t>{3, 6, 16}));
  EXPECT_EQ(transformer.forward(at::zeros({3, 2}, at::kLong)).sizes(), (std::vector<int64_t>{3, 2, 16}));
}

TEST(TextTransformer, CountsAsTheOriginal) {
  const InitScope scope(Init::kMeta);
  int64_t count = 0;
  for (const auto& p : TextTransformer({.n_embed = 1280}).parameters()) count += p.numel();
  EXPECT_EQ(count / 1000, 581994);  // cond_stage_model of txt2img-1p4B: 581.994M.
}

TEST(TextTransformer, UsesEveryParameterButTheLogits) {
  auto options = tiny();
  options.with_logits = false;
  TextTransformer transformer(options);
  transformer.forward(at::arange(12).view({2, 6})).pow(3).sum().backward();
  for (const auto& item : transformer.named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
  }
}

TEST(TextTransformer, SeesPositions) {
  const TextTransformer transformer(tiny());
  const auto y = transformer.forward(at::zeros({1, 6}, at::kLong));
  EXPECT_FALSE(at::allclose(y[0][0], y[0][1]));
}

TEST(TextTransformer, RefusesLongOrFlatTokensAndEmptySizes) {
  const TextTransformer transformer(tiny());
  EXPECT_THROW(transformer.forward(at::zeros({1, 7}, at::kLong)), Error);
  EXPECT_THROW(transformer.forward(at::zeros({6}, at::kLong)), Error);
  EXPECT_THROW(TextTransformer({.n_embed = 0}), Error);
}

TEST(TextTransformer, LogitsNeedTheirHead) {
  auto options = tiny();
  const auto embeddings = at::zeros({1, 2, 16});
  EXPECT_EQ(TextTransformer(options).logits(embeddings).sizes(), (std::vector<int64_t>{1, 2, 20}));
  options.with_logits = false;
  EXPECT_THROW(TextTransformer(options).logits(embeddings), Error);
}

TEST(ClassEmbedder, OneTokenAClass) {
  const ClassEmbedder embedder({.embed_dim = 4, .n_classes = 3});
  const auto y = embedder.forward(at::tensor({2, 0}, at::kLong));
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 1, 4}));
  EXPECT_TRUE(at::equal(y[0][0], embedder.named_parameters()["embedding.weight"][2]));
}

TEST(ClassEmbedder, RefusesAnotherShape) {
  EXPECT_THROW(ClassEmbedder({.n_classes = 0}), Error);
  EXPECT_THROW(ClassEmbedder({.n_classes = 3}).forward(at::zeros({2, 1}, at::kLong)), Error);
}

}  // namespace
}  // namespace ldm
