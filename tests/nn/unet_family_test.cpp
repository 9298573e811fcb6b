#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "ldm/core/error.h"
#include "ldm/nn/attention_pool2d.h"
#include "ldm/nn/controlnet.h"
#include "ldm/nn/encoder_unet.h"
#include "ldm/nn/unet.h"

namespace ldm {
namespace {

UNetOptions family_options() {
  return {.image_size = 8,
          .in_channels = 4,
          .model_channels = 32,
          .out_channels = 5,
          .num_res_blocks = {1},
          .attention_resolutions = {2},
          .channel_mult = {1, 2},
          .num_head_channels = 16};
}

void make_noisy(torch::nn::Module& module) {
  torch::NoGradGuard no_grad;
  for (auto& p : module.parameters()) p.add_(0.05 * at::randn_like(p));
}

template <typename Work>
std::string family_refusal(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(AttentionPool2d, ForgetsTheOrderOfPixelsWithoutPositions) {
  AttentionPool2d pool({.size = 3, .channels = 16, .head_channels = 8, .out_channels = 4});
  torch::NoGradGuard no_grad;
  const auto x = at::randn({2, 16, 3, 3});
  EXPECT_EQ(pool.forward(x).sizes(), (std::vector<int64_t>{2, 4}));
  EXPECT_FALSE(at::allclose(pool.forward(x), pool.forward(x.flip({2})), 1e-4, 1e-5));
  pool.named_parameters()["positional_embedding"].zero_();
  EXPECT_TRUE(at::allclose(pool.forward(x), pool.forward(x.flip({2})), 1e-4, 1e-5));
}

TEST(AttentionPool2d, RefusesSizesThatDoNotFit) {
  EXPECT_THROW(AttentionPool2d({.size = 3, .channels = 16, .head_channels = 7, .out_channels = 4}), Error);
  EXPECT_THROW(AttentionPool2d({.size = 0, .channels = 16, .head_channels = 8, .out_channels = 4}), Error);
  const AttentionPool2d pool({.size = 3, .channels = 16, .head_channels = 8, .out_channels = 4});
  EXPECT_THROW(pool.forward(at::zeros({1, 16, 4, 4})), Error);
}

TEST(EncoderUNet, EveryPoolUsesEveryParameter) {
  for (const std::string pool : {"adaptive", "attention", "spatial", "spatial_v2"}) {
    EncoderUNet network({.unet = family_options(), .pool = pool});
    make_noisy(network);
    const auto y = network.forward(at::randn({2, 4, 8, 8}), at::tensor({1, 900}));
    EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 5})) << pool;
    y.pow(2).sum().backward();
    for (const auto& item : network.named_parameters()) {
      // The spatial heads of the original see the means only; all else must have a gradient.
      EXPECT_TRUE(item.value().grad().defined()) << pool << ": " << item.key();
    }
  }
}

TEST(EncoderUNet, RefusesWhatOnlyAWholeUNetHas) {
  const auto refused = [](auto change) {
    EncoderUNetOptions options{.unet = family_options()};
    change(options);
    return family_refusal([&] { EncoderUNet{options}; });
  };
  EXPECT_NE(refused([](auto& o) { o.pool = "max"; }).find("spatial_v2"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.unet.num_classes = "3"; }).find("num_classes"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.unet.context_dim = 8; }).find("context_dim"), std::string::npos);
}

TEST(ControlNet, StartsWithoutEffect) {
  UNet unet(family_options());
  make_noisy(unet);
  const ControlNet control({.unet = family_options()});
  torch::NoGradGuard no_grad;
  const auto x = at::randn({2, 4, 8, 8}), t = at::tensor({3, 500});
  const auto residuals = control.forward(x, at::rand({2, 3, 64, 64}), t);
  EXPECT_EQ(residuals.size(), 1U + 1U + 1U + 1U + 1U);
  EXPECT_TRUE(at::equal(unet.forward(x, t, {}, {}, residuals), unet.forward(x, t)));
}

TEST(ControlNet, ItsHintSteersTheUNet) {
  UNet unet(family_options());
  ControlNet control({.unet = family_options()});
  make_noisy(unet);
  make_noisy(control);
  torch::NoGradGuard no_grad;
  const auto x = at::randn({1, 4, 8, 8}), t = at::tensor({3});
  const auto draw = [&](const torch::Tensor& hint) {
    return unet.forward(x, t, {}, {}, control.forward(x, hint, t));
  };
  EXPECT_FALSE(at::allclose(draw(at::zeros({1, 3, 64, 64})), draw(at::ones({1, 3, 64, 64}))));
}

TEST(ControlNet, RefusesWhatDoesNotFit) {
  const ControlNet control({.unet = family_options()});
  torch::NoGradGuard no_grad;
  const auto x = at::zeros({1, 4, 8, 8}), t = at::tensor({3});
  EXPECT_NE(family_refusal([&] {
              control.forward(x, at::zeros({1, 3, 8, 8}), t);
            }).find("[1, 3, 64, 64]"),
            std::string::npos);
  EXPECT_NE(family_refusal([] { ControlNet({.unet = family_options(), .hint_channels = 0}); }).find("hint"),
            std::string::npos);
  const UNet unet(family_options());
  EXPECT_NE(family_refusal([&] { unet.forward(x, t, {}, {}, {x}); }).find("5 residuals"), std::string::npos);
}

}  // namespace
}  // namespace ldm
