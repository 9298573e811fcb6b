#include "ldm/diffusion/guidance.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace ldm {
namespace {

TEST(Guidance, OneCallWithTheUnconditionFirst) {
  int calls = 0;
  const Network both = [&](const torch::Tensor& x, const torch::Tensor& t) {
    ++calls;
    EXPECT_EQ(x.size(0), 4);
    EXPECT_EQ(t.size(0), 4);
    return at::cat({at::zeros({2, 1}), at::ones({2, 1})});
  };
  const Network cond = [](const torch::Tensor&, const torch::Tensor&) -> torch::Tensor {
    ADD_FAILURE() << "asked for the condition alone";
    return {};
  };
  const auto out = guided_network(both, cond, 3.0)(at::zeros({2, 1}), at::zeros({2}));
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(at::equal(out, at::full({2, 1}, 3.0)));
}

TEST(Guidance, ScaleOneAsksForTheConditionAlone) {
  const Denoiser both = [](const torch::Tensor&, const torch::Tensor&) -> torch::Tensor {
    ADD_FAILURE() << "asked for both";
    return {};
  };
  const Denoiser cond = [](const torch::Tensor& x, const torch::Tensor&) { return x + 1; };
  const auto out = guided_denoiser(both, cond, 1.0)(at::zeros({2, 1}), at::zeros({2}));
  EXPECT_TRUE(at::equal(out, at::ones({2, 1})));
}

}  // namespace
}  // namespace ldm
