#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/core/error.h"
#include "ldm/nn/spatial_rescaler.h"
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

SpatialRescaler rescaler(torch::nn::Module& parent, const char* method, double multiplier) {
  return {parent, {.n_stages = 2, .method = method, .multiplier = multiplier, .in_channels = 1}};
}

TEST(SpatialRescaler, RoundsTheSizeDownInEachStage) {
  torch::nn::Module parent;
  for (const auto* method : {"nearest", "bilinear", "bicubic", "area"}) {
    const auto y = rescaler(parent, method, 0.7)(at::ones({1, 1, 9, 8}));
    EXPECT_EQ(y.sizes(), (std::vector<int64_t>{1, 1, 4, 3})) << method;  // 9 -> 6 -> 4, 8 -> 5 -> 3.
    EXPECT_TRUE(at::allclose(y, at::ones_like(y))) << method;
  }
}

TEST(SpatialRescaler, AreaIsTheMean) {
  torch::nn::Module parent;
  const auto x = at::rand({1, 1, 8, 8});
  EXPECT_TRUE(at::allclose(rescaler(parent, "area", 0.5)(x), at::avg_pool2d(x, 4)));
}

TEST(SpatialRescaler, RefusesWhatItDoesNotKnow) {
  torch::nn::Module parent;
  EXPECT_THROW(rescaler(parent, "lanczos", 0.5), Error);
  EXPECT_THROW(rescaler(parent, "area", 0.0), Error);
  EXPECT_THROW(SpatialRescaler(parent, {.n_stages = -1}), Error);
  EXPECT_THROW(rescaler(parent, "area", 0.5)(at::ones({1, 2, 8, 8})), Error);
}

}  // namespace
}  // namespace ldm
