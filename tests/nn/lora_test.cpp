#include "ldm/nn/lora.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/nn/textual_inversion.h"

namespace ldm {
namespace {

using Shape = std::vector<int64_t>;

bool lora_close(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && at::allclose(a, b, 1e-4, 1e-5);
}

template <typename Factors>
WeightAdapter lora_adapter(Factors factors, std::optional<double> alpha = {}) {
  return {.factors = std::move(factors), .alpha = alpha};
}

// Two 1x1 convolutions or linear layers in a row.
TEST(Lora, OfALinearLayerIsTwoInARow) {
  const auto down = at::randn({2, 6}), up = at::randn({5, 2}), x = at::randn({3, 6});
  const auto delta = weight_delta(lora_adapter(LoraFactors{.down = down, .up = up}, 1.0), {5, 6});
  EXPECT_TRUE(lora_close(at::linear(x, delta), at::linear(at::linear(x, down), up) * 0.5));
}

TEST(Lora, WithoutAlphaTheScaleIsOne) {
  const LoraFactors factors{.down = at::randn({2, 6}), .up = at::randn({5, 2})};
  EXPECT_EQ(adapter_rank(lora_adapter(factors)), 2);
  EXPECT_EQ(adapter_scale(lora_adapter(factors)), 1.0);
  EXPECT_EQ(adapter_scale(lora_adapter(factors, 8.0)), 4.0);
}

TEST(Lora, OfAConvolutionIsTwoInARow) {
  const auto down = at::randn({2, 6, 3, 3}), up = at::randn({5, 2, 1, 1}), x = at::randn({1, 6, 8, 8});
  const auto delta = weight_delta(lora_adapter(LoraFactors{.down = down, .up = up}), {5, 6, 3, 3});
  EXPECT_TRUE(lora_close(at::conv2d(x, delta, {}, 2, 1), at::conv2d(at::conv2d(x, down, {}, 2, 1), up)));
}

TEST(Lora, WithACoreIsThreeInARow) {
  const auto down = at::randn({2, 6, 1, 1}), mid = at::randn({2, 2, 3, 3}), up = at::randn({5, 2, 1, 1});
  const auto x = at::randn({1, 6, 8, 8});
  const auto delta =
      weight_delta(lora_adapter(LoraFactors{.down = down, .up = up, .mid = mid}), {5, 6, 3, 3});
  const auto in_a_row = at::conv2d(at::conv2d(at::conv2d(x, down), mid, {}, 1, 1), up);
  EXPECT_TRUE(lora_close(at::conv2d(x, delta, {}, 1, 1), in_a_row));
}

// The same adapter for a weight stored as a 1x1 convolution and as a matrix (SD1 and SD2's proj_in).
TEST(Lora, FitsBothShapesOfAOneByOneConvolution) {
  const LoraFactors factors{.down = at::randn({2, 6, 1, 1}), .up = at::randn({5, 2, 1, 1})};
  const auto conv = weight_delta(lora_adapter(factors), {5, 6, 1, 1}),
             flat = weight_delta(lora_adapter(factors), {5, 6});
  EXPECT_TRUE(at::equal(conv.view({5, 6}), flat));
}

TEST(Loha, IsTheProductOfTwo) {
  const auto a1 = at::randn({5, 2}), b1 = at::randn({2, 54}), a2 = at::randn({5, 2}), b2 = at::randn({2, 54});
  const auto delta = weight_delta(lora_adapter(LohaFactors{a1, b1, a2, b2, {}, {}}, 4.0), {5, 6, 3, 3});
  const auto expected = (at::mm(a1, b1) * at::mm(a2, b2)).view({5, 6, 3, 3}) * 2.0;
  EXPECT_TRUE(lora_close(delta, expected));
}

// A core with one entry k: the product of the factors' rows, times k.
TEST(Loha, WithCoresIsTheProductOfTwoTuckerForms) {
  const auto a = at::randn({1, 5}), b = at::randn({1, 6}), core = at::randn({1, 1, 3, 3});
  const auto one = at::ones({1, 1, 3, 3}), ones_a = at::ones({1, 5}), ones_b = at::ones({1, 6});
  const auto delta = weight_delta(lora_adapter(LohaFactors{a, b, ones_a, ones_b, core, one}), {5, 6, 3, 3});
  EXPECT_TRUE(lora_close(delta, a.view({5, 1, 1, 1}) * b.view({1, 6, 1, 1}) * core));
}

torch::Tensor kron_by_hand(const torch::Tensor& w1, const torch::Tensor& w2) {
  auto out = at::empty({w1.size(0) * w2.size(0), w1.size(1) * w2.size(1), w2.size(2), w2.size(3)});
  for (int64_t i = 0; i < out.size(0); ++i) {
    for (int64_t j = 0; j < out.size(1); ++j) {
      out[i][j].copy_(w1[i / w2.size(0)][j / w2.size(1)] * w2[i % w2.size(0)][j % w2.size(1)]);
    }
  }
  return out;
}

TEST(Lokr, IsTheKroneckerProduct) {
  const auto w1 = at::randn({2, 3}), w2 = at::randn({4, 2, 3, 3});
  const LokrFactors whole{.w1 = w1, .w2 = w2};
  EXPECT_TRUE(lora_close(weight_delta(lora_adapter(whole, 7.0), {8, 6, 3, 3}), kron_by_hand(w1, w2)));
  EXPECT_EQ(adapter_rank(lora_adapter(whole)), 0);
}

TEST(Lokr, InFactors) {
  const auto w1_a = at::randn({2, 2}), w1_b = at::randn({2, 3});
  const auto w2_a = at::randn({4, 2}), w2_b = at::randn({2, 18});
  const LokrFactors factors{.w1_a = w1_a, .w1_b = w1_b, .w2_a = w2_a, .w2_b = w2_b};
  const auto expected = kron_by_hand(at::mm(w1_a, w1_b), at::mm(w2_a, w2_b).view({4, 2, 3, 3})) * 0.5;
  EXPECT_TRUE(lora_close(weight_delta(lora_adapter(factors, 1.0), {8, 6, 3, 3}), expected));
}

TEST(Lokr, WithACore) {
  const auto w1 = at::randn({2, 3}), a = at::randn({1, 4}), b = at::randn({1, 2}),
             core = at::randn({1, 1, 3, 3});
  const LokrFactors factors{.w1 = w1, .w2_a = a, .w2_b = b, .t2 = core};
  const auto w2 = a.view({4, 1, 1, 1}) * b.view({1, 2, 1, 1}) * core;
  EXPECT_TRUE(lora_close(weight_delta(lora_adapter(factors), {8, 6, 3, 3}), kron_by_hand(w1, w2)));
}

TEST(MergeAdapter, RoundsOnce) {
  const auto weight = at::randn({5, 6}), half = weight.to(at::kHalf);
  const auto lora = lora_adapter(LoraFactors{.down = at::randn({2, 6}), .up = at::randn({5, 2})});
  merge_adapter(half, lora, 0.8);
  const auto expected = weight.to(at::kHalf).to(at::kFloat) + 0.8 * weight_delta(lora, {5, 6});
  EXPECT_TRUE(at::equal(half, expected.to(at::kHalf)));
}

std::string lora_refusal(const WeightAdapter& a, const Shape& shape) {
  try {
    weight_delta(a, shape);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFormat);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(WeightDelta, RefusesWhatDoesNotFit) {
  const auto m = [](int64_t rows, int64_t columns) { return at::zeros({rows, columns}); };
  const auto says = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  says(lora_refusal(lora_adapter(LoraFactors{.down = m(2, 6)}), {5, 6}), "up is missing");
  says(lora_refusal(lora_adapter(LoraFactors{.down = m(2, 6), .up = m(5, 3)}), {5, 6}), "do not fit");
  says(lora_refusal(lora_adapter(LoraFactors{.down = m(2, 6), .up = m(5, 2)}), {6, 5}),
       "weight of shape [6, 5]");
  says(lora_refusal(lora_adapter(LoraFactors{.down = at::zeros({2}), .up = m(5, 2)}), {5, 6}), "a matrix");
  says(lora_refusal(lora_adapter(LoraFactors{m(2, 6), m(5, 2), at::zeros({3, 2, 3, 3})}), {5, 6, 3, 3}),
       "core");
  says(lora_refusal(lora_adapter(LohaFactors{m(5, 2), m(2, 6), m(5, 2), m(2, 7), {}, {}}), {5, 6}),
       "two products");
  says(lora_refusal(lora_adapter(LokrFactors{.w1 = m(2, 3), .w2 = m(4, 10)}), {8, 6, 3, 3}), "3 x 3");
}

TEST(TextualInversion, AppendsReplacesAndTruncates) {
  EmbeddingModule table(4, 3, 1.0);
  torch::NoGradGuard no_grad;
  const auto before = table.weight.clone(), vectors = at::randn({2, 3});
  EXPECT_EQ(append_token_vectors(table, vectors), 4);
  EXPECT_TRUE(at::equal(table.forward(at::tensor({4, 5, 1})), at::cat({vectors, before[1].unsqueeze(0)})));
  EXPECT_TRUE(at::equal(table.named_parameters()["weight"], at::cat({before, vectors})));
  replace_token_vectors(table, 1, vectors);
  EXPECT_TRUE(at::equal(table.forward(at::tensor({1, 2})), vectors));
  truncate_token_vectors(table, 4);
  EXPECT_EQ(table.weight.size(0), 4);
}

TEST(TextualInversion, RefusesWhatDoesNotFit) {
  EmbeddingModule table(4, 3, 1.0);
  EXPECT_THROW(append_token_vectors(table, at::zeros({1, 2})), Error);
  EXPECT_THROW(replace_token_vectors(table, 3, at::zeros({2, 3})), Error);
  EXPECT_THROW(truncate_token_vectors(table, 5), Error);
}

}  // namespace
}  // namespace ldm
