#include "ldm/nn/recompute.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <memory>

#include "ldm/nn/layers.h"
#include "ldm/nn/state_dict.h"
#include "ldm/nn/unet.h"

namespace ldm {
namespace {

// With attention to words, dropout and a label, so that everything that a block may need is there.
UNetOptions recompute_unet(bool use_checkpoint) {
  return {.in_channels = 4,
          .model_channels = 32,
          .out_channels = 4,
          .num_res_blocks = {1},
          .attention_resolutions = {2},
          .dropout = 0.3,
          .channel_mult = {1, 2},
          .num_classes = "3",
          .use_checkpoint = use_checkpoint,
          .num_heads = 2,
          .context_dim = 8};
}

struct Trained {
  torch::Tensor out, x, context;
  std::shared_ptr<UNet> unet;
};

Trained trained(bool use_checkpoint, const StateDict& weights) {
  Trained t{.x = at::linspace(-1, 1, 2 * 4 * 8 * 8).view({2, 4, 8, 8}).requires_grad_(true),
            .context = at::linspace(-1, 1, 2 * 3 * 8).view({2, 3, 8}).requires_grad_(true),
            .unet = std::make_shared<UNet>(recompute_unet(use_checkpoint))};
  load_state_dict(*t.unet, weights);
  at::manual_seed(5);
  t.out = t.unet->forward(t.x, at::tensor({10, 500}), t.context, at::tensor({0, 2}));
  t.out.pow(2).sum().backward();
  return t;
}

double worst_difference(const torch::Tensor& want, const torch::Tensor& got) {
  return (want - got).abs().max().item<double>();
}

TEST(Recompute, GivesTheSameGradients) {
  at::manual_seed(11);
  StateDict weights;
  for (const auto& [name, value] : state_dict(UNet(recompute_unet(false)))) {
    weights[name] = value + 0.05 * at::randn_like(value);
  }
  const auto kept = trained(false, weights), again = trained(true, weights);
  EXPECT_TRUE(at::equal(kept.out, again.out));
  // The order of sums may differ, and what stands before a normalisation has only rounding as its gradient:
  // the measure is the largest gradient of all.
  const double small = 1e-5 * kept.x.grad().abs().max().item<double>();
  EXPECT_LT(worst_difference(kept.x.grad(), again.x.grad()), small);
  EXPECT_LT(worst_difference(kept.context.grad(), again.context.grad()), small);
  const auto others = again.unet->named_parameters();
  for (const auto& item : kept.unet->named_parameters()) {
    EXPECT_LT(worst_difference(item.value().grad(), others[item.key()].grad()), small) << item.key();
  }
}

TEST(Recompute, RunsTwiceAndOnlyForGradients) {
  int runs = 0;
  const auto layer = linear(3, 2);
  const auto run = [&](const std::vector<torch::Tensor>& in) {
    ++runs;
    return at::tanh(layer(in[0]));
  };
  {
    torch::NoGradGuard no_grad;
    recomputed(*layer.ptr(), run, {at::rand({1, 3})});
    EXPECT_EQ(runs, 1);
  }
  recomputed(*layer.ptr(), run, {at::rand({1, 3})}).sum().backward();
  EXPECT_EQ(runs, 3);
  EXPECT_TRUE(layer->weight.grad().defined());
}

// The random numbers after it go on as if nothing had been computed twice.
TEST(Recompute, LeavesTheGeneratorAsItWas) {
  const auto layer = linear(3, 2);
  const auto run = [&](const std::vector<torch::Tensor>& in) { return at::dropout(layer(in[0]), 0.5, true); };
  at::manual_seed(1);
  const auto out = recomputed(*layer.ptr(), run, {at::ones({64, 3})});
  const auto next = at::rand({4});
  at::manual_seed(1);
  at::dropout(layer(at::ones({64, 3})), 0.5, true);
  EXPECT_TRUE(at::equal(at::rand({4}), next));
  at::manual_seed(2);
  out.sum().backward();
  const auto after = at::rand({4});
  at::manual_seed(2);
  EXPECT_TRUE(at::equal(at::rand({4}), after));
}

}  // namespace
}  // namespace ldm
