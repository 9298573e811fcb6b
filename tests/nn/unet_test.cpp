#include "ldm/nn/unet.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "ldm/core/error.h"

namespace ldm {
namespace {

using Shapes = std::map<std::string, std::string>;

// One "name [d0, d1]" a line.
Shapes read_key_list(const std::string& name) {
  std::ifstream file(std::string(std::getenv("LDM_SOURCE_DIR")) + "/tests/golden/reference/keys/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  Shapes shapes;
  for (std::string line; std::getline(file, line);) {
    if (const auto space = line.find(' '); space != std::string::npos) {
      shapes[line.substr(0, space)] = line.substr(space + 1);
    }
  }
  return shapes;
}

Shapes shapes_of(const torch::nn::Module& module) {
  Shapes shapes;
  for (const auto& item : module.named_parameters()) {
    std::ostringstream text;
    text << item.value().sizes();
    shapes[item.key()] = text.str();
  }
  return shapes;
}

UNetOptions small_unet() {
  return {.in_channels = 4,
          .model_channels = 32,
          .out_channels = 3,
          .num_res_blocks = {1},
          .attention_resolutions = {2},
          .channel_mult = {1, 2},
          .num_heads = 2};
}

UNetOptions small_with_context() {
  auto options = small_unet();
  options.use_spatial_transformer = true;
  options.context_dim = 8;
  return options;
}

// The released configs that the key lists belong to.
UNetOptions celeba() {
  return {.image_size = 64,
          .in_channels = 3,
          .model_channels = 224,
          .out_channels = 3,
          .num_res_blocks = {2},
          .attention_resolutions = {8, 4, 2},
          .channel_mult = {1, 2, 3, 4},
          .num_head_channels = 32};
}

UNetOptions cin256() {
  return {.image_size = 32,
          .in_channels = 4,
          .model_channels = 256,
          .out_channels = 4,
          .num_res_blocks = {2},
          .attention_resolutions = {4, 2, 1},
          .channel_mult = {1, 2, 4},
          .num_head_channels = 32,
          .head_rule = "one_head",
          .use_spatial_transformer = true,
          .context_dim = 512};
}

UNetOptions txt2img() {
  return {.image_size = 32,
          .in_channels = 4,
          .model_channels = 320,
          .out_channels = 4,
          .num_res_blocks = {2},
          .attention_resolutions = {4, 2, 1},
          .channel_mult = {1, 2, 4, 4},
          .num_heads = 8,
          .legacy = false,
          .use_spatial_transformer = true,
          .context_dim = 1280};
}

TEST(UNet, HasTheReleasedCheckpointsNamesAndShapes) {
  const InitScope scope(Init::kMeta);
  EXPECT_EQ(shapes_of(UNet(celeba())), read_key_list("unet_celeba256.txt"));
  EXPECT_EQ(shapes_of(UNet(cin256())), read_key_list("unet_cin256.txt"));
  EXPECT_EQ(shapes_of(UNet(txt2img())), read_key_list("unet_txt2img-1p4B-eval.txt"));
}

TEST(UNet, StartsAtZeroAndKeepsSizeAndDtype) {
  UNet unet(small_unet());
  const auto y = unet.forward(at::randn({2, 4, 8, 6}), at::tensor({0.5F, 999.0F}));
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 3, 8, 6}));
  EXPECT_EQ(y.abs().max().item<float>(), 0.0F);
}

TEST(UNet, UsesEveryParameter) {
  UNet unet(small_with_context());
  {
    torch::NoGradGuard no_grad;
    for (auto& p : unet.parameters()) p.add_(0.05 * at::randn_like(p));
  }
  unet.forward(at::randn({2, 4, 8, 8}), at::tensor({10, 500}), at::randn({2, 3, 8})).pow(2).sum().backward();
  for (const auto& item : unet.named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
  }
}

// One sample's result does not depend on its batch.
TEST(UNet, SamplesAreIndependent) {
  UNet unet(small_with_context());
  torch::NoGradGuard no_grad;
  for (auto& p : unet.parameters()) p.add_(0.05 * at::randn_like(p));
  const auto x = at::randn({3, 4, 8, 8}), t = at::tensor({1, 20, 300}), context = at::randn({3, 5, 8});
  const auto all = unet.forward(x, t, context);
  const auto one = unet.forward(x.narrow(0, 1, 1), t.narrow(0, 1, 1), context.narrow(0, 1, 1));
  EXPECT_TRUE(at::allclose(all.narrow(0, 1, 1), one, 1e-4, 1e-5));
  const auto remembered = Context::remembering(context);
  EXPECT_TRUE(at::equal(unet.forward(x, t, remembered), all));
  EXPECT_TRUE(at::equal(unet.forward(x, t, remembered), all));
}

TEST(UNet, ComputesInTheDtypeOfItsWeights) {
  UNet unet(small_unet());
  unet.to(at::kBFloat16);
  const auto y = unet.forward(at::randn({1, 4, 8, 8}), at::tensor({3}));
  EXPECT_EQ(y.scalar_type(), at::kFloat);
}

TEST(UNet, RefusesInputsThatDoNotFit) {
  torch::NoGradGuard no_grad;
  const auto t = at::tensor({1});
  const auto x = at::zeros({1, 4, 8, 8}), context = at::zeros({1, 2, 8});
  const UNet plain(small_unet()), guided(small_with_context());
  EXPECT_THROW(plain.forward(at::zeros({1, 3, 8, 8}), t), Error);
  EXPECT_THROW(plain.forward(x, at::tensor({1, 2})), Error);
  EXPECT_THROW(plain.forward(x, t, context), Error);
  EXPECT_THROW(plain.forward(x, t, {}, at::tensor({1})), Error);
  EXPECT_THROW(guided.forward(x, t), Error);
  EXPECT_THROW(guided.forward(x, t, at::zeros({1, 2, 9})), Error);
}

TEST(UNet, Labels) {
  auto options = small_unet();
  options.num_classes = "7";
  UNet ids(options);
  EXPECT_EQ(shapes_of(ids)["label_emb.weight"], "[7, 128]");
  EXPECT_NO_THROW(ids.forward(at::zeros({1, 4, 8, 8}), at::tensor({1}), {}, at::tensor({6})));
  EXPECT_THROW(ids.forward(at::zeros({1, 4, 8, 8}), at::tensor({1})), Error);
  EXPECT_THROW(ids.forward(at::zeros({1, 4, 8, 8}), at::tensor({1}), {}, at::zeros({1, 2})), Error);
  options.num_classes = "sequential";
  EXPECT_THROW(UNet{options}, Error);
  options.adm_in_channels = 5;
  EXPECT_EQ(shapes_of(UNet(options))["label_emb.0.0.weight"], "[128, 5]");
  options.num_classes = "timestep";
  UNet times(options);
  EXPECT_EQ(shapes_of(times)["label_emb.1.0.weight"], "[128, 32]");
  EXPECT_NO_THROW(times.forward(at::zeros({1, 4, 8, 8}), at::tensor({1}), {}, at::tensor({0.5})));
  options.num_classes = "sometimes";
  EXPECT_THROW(UNet{options}, Error);
}

// --- The plan ---

template <typename Spec>
std::vector<Spec> parts(const std::vector<UNetStageSpec>& stages) {
  std::vector<Spec> out;
  for (const auto& stage : stages) {
    for (const auto& part : stage) {
      if (const auto* spec = std::get_if<Spec>(&part)) out.push_back(*spec);
    }
  }
  return out;
}

TEST(UNetPlan, HeadRules) {
  auto options = cin256();
  EXPECT_EQ(parts<SpatialTransformerOptions>(plan_unet(options).input)[0].heads, 1);
  EXPECT_EQ(parts<SpatialTransformerOptions>(plan_unet(options).input)[0].dim_head, 256);
  options.head_rule = "auto";
  EXPECT_EQ(parts<SpatialTransformerOptions>(plan_unet(options).input)[0].heads, 8);
  EXPECT_EQ(parts<SpatialTransformerOptions>(plan_unet(options).output)[0].heads, 32);
  // Heads that do not divide the channels: 256 = 2 x 96 + 64.
  options.num_head_channels = 96;
  EXPECT_EQ(parts<SpatialTransformerOptions>(plan_unet(options).input)[0].dim_head, 128);
  options.legacy = false;
  EXPECT_EQ(parts<SpatialTransformerOptions>(plan_unet(options).input)[0].dim_head, 96);
  options = small_unet();
  options.num_heads_upsample = 4;
  EXPECT_EQ(parts<AttentionBlockOptions>(plan_unet(options).input)[0].heads, 2);
  EXPECT_EQ(parts<AttentionBlockOptions>(plan_unet(options).output)[0].heads, 4);
  options.legacy = false;
  EXPECT_EQ(parts<AttentionBlockOptions>(plan_unet(options).output)[0].heads, 2);
}

TEST(UNetPlan, ListsPerLevel) {
  auto options = small_with_context();
  options.attention_resolutions = {1, 2};
  options.num_res_blocks = {1, 3};
  options.transformer_depth = {1, 2};
  options.num_attention_blocks = {1, 2};
  const auto plan = plan_unet(options);
  EXPECT_EQ(plan.input.size(), 1U + 1U + 1U + 3U);
  EXPECT_EQ(plan.output.size(), 2U + 4U);
  const auto down = parts<SpatialTransformerOptions>(plan.input);
  ASSERT_EQ(down.size(), 3U);
  EXPECT_EQ(down[0].depth, 1);
  EXPECT_EQ(down[2].depth, 2);
  EXPECT_EQ(parts<SpatialTransformerOptions>({plan.middle})[0].depth, 2);
}

TEST(UNetPlan, RefusesWhatContradictsItself) {
  const auto refused = [](void (*change)(UNetOptions&)) {
    auto options = small_unet();
    change(options);
    EXPECT_THROW(plan_unet(options), Error);
  };
  refused([](UNetOptions& o) { o.dims = 3; });
  refused([](UNetOptions& o) { o.in_channels = 0; });
  refused([](UNetOptions& o) { o.model_channels = 48; });
  refused([](UNetOptions& o) { o.channel_mult = {}; });
  refused([](UNetOptions& o) { o.channel_mult = {1, 0}; });
  refused([](UNetOptions& o) { o.num_res_blocks = {1, 1, 1}; });
  refused([](UNetOptions& o) { o.transformer_depth = {}; });
  refused([](UNetOptions& o) { o.disable_self_attentions = {true, false, true}; });
  refused([](UNetOptions& o) { o.num_attention_blocks = {1, 1, 1}; });
  refused([](UNetOptions& o) { o.num_res_blocks = {int64_t{1} << 40}; });
  refused([](UNetOptions& o) { o.num_res_blocks = {-1}; });
  refused([](UNetOptions& o) { o.channel_mult.assign(70, 1); });
  refused([](UNetOptions& o) { o.num_heads = -1; });
  refused([](UNetOptions& o) { o.num_head_channels = 24; });
  refused([](UNetOptions& o) { o.head_rule = "two_heads"; });
  refused([](UNetOptions& o) { o.use_spatial_transformer = true; });
  refused([](UNetOptions& o) { o.ff_mult = 0; });
  refused([](UNetOptions& o) { o.context_dim = 8, o.num_head_channels = 128; });
}

TEST(UNet, TakesAnySize) {
  const torch::NoGradGuard no_grad;
  at::manual_seed(2);
  for (const bool pooled : {false, true}) {
    auto options = small_unet();
    options.channel_mult = {1, 2, 2};
    options.resblock_updown = pooled;
    const UNet unet(options);
    for (auto& p : unet.parameters()) p.add_(at::randn_like(p) * 0.05);
    const auto x = at::randn({1, 4, 7, 5});
    const auto out = unet.forward(x, at::full({1}, 3.0));
    EXPECT_EQ(out.sizes(), (std::vector<int64_t>{1, 3, 7, 5}));
    // The odd row and column are seen by what lies beside them.
    auto changed = x.clone();
    changed.select(2, 6).add_(1.0);
    EXPECT_GT((unet.forward(changed, at::full({1}, 3.0)) - out).select(2, 5).abs().max().item<double>(),
              1e-6);
  }
}

}  // namespace
}  // namespace ldm
