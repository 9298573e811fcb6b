#include "ldm/nn/autoencoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "ldm/core/error.h"

namespace ldm {
namespace {

AutoencoderOptions small_autoencoder() {
  return {.z_channels = 3, .resolution = 16, .ch = 32, .ch_mult = {1, 2}, .num_res_blocks = 1};
}

// "name [1, 2, 3]" a line.
std::map<std::string, std::string> read_keys(const std::string& file) {
  const char* source = std::getenv("LDM_SOURCE_DIR");
  std::ifstream in(std::string(source ? source : ".") + "/tests/golden/reference/keys/" + file);
  EXPECT_TRUE(in.good()) << file;
  std::map<std::string, std::string> keys;
  for (std::string line; std::getline(in, line);) {
    if (const auto space = line.find(' '); space != line.npos)
      keys[line.substr(0, space)] = line.substr(space + 1);
  }
  return keys;
}

std::map<std::string, std::string> keys_of(const torch::nn::Module& module) {
  std::map<std::string, std::string> keys;
  for (const auto& item : module.named_parameters()) {
    std::ostringstream shape;
    shape << item.value().sizes();
    keys[item.key()] = shape.str();
  }
  return keys;
}

struct Released {
  const char* name;
  AutoencoderOptions options;
};
// The ddconfigs of models/first_stage_models/*/config.yaml of latent-diffusion.
const Released kReleased[] = {
    {"kl-f4", {.double_z = true, .z_channels = 3, .ch_mult = {1, 2, 4}}},
    {"kl-f8", {.double_z = true, .z_channels = 4, .ch_mult = {1, 2, 4, 4}}},
    {"kl-f16", {.double_z = true, .z_channels = 16, .ch_mult = {1, 1, 2, 2, 4}, .attn_resolutions = {16}}},
    {"kl-f32",
     {.double_z = true, .z_channels = 64, .ch_mult = {1, 1, 2, 2, 4, 4}, .attn_resolutions = {16, 8}}},
    {"vq-f4", {.double_z = false, .z_channels = 3, .ch_mult = {1, 2, 4}}},
    {"vq-f4-noattn", {.double_z = false, .z_channels = 3, .ch_mult = {1, 2, 4}, .attn_type = "none"}},
    {"vq-f8", {.double_z = false, .z_channels = 4, .ch_mult = {1, 2, 2, 4}, .attn_resolutions = {32}}},
    {"vq-f16", {.double_z = false, .z_channels = 8, .ch_mult = {1, 1, 2, 2, 4}, .attn_resolutions = {16}}},
};

TEST(Autoencoder, NamesAndShapesAreTheOriginals) {
  for (const auto& [name, options] : kReleased) {
    EXPECT_EQ(keys_of(Encoder(options)), read_keys(std::string("enc_") + name + ".txt")) << name;
    EXPECT_EQ(keys_of(Decoder(options)), read_keys(std::string("dec_") + name + ".txt")) << name;
  }
}

TEST(Autoencoder, PatchesKeepTheSizesAndMoveTheAttention) {
  auto options = small_autoencoder();
  options.patch_size = 4;
  options.attn_resolutions = {4};  // 16 / 4: the first level.
  EXPECT_EQ(options.downsampling(), 8);
  const Encoder encoder(options);
  const Decoder decoder(options);
  const auto moments = encoder.forward(at::randn({2, 3, 16, 24}));
  EXPECT_EQ(moments.sizes(), at::IntArrayRef({2, 6, 2, 3}));
  EXPECT_EQ(decoder.forward(moments.slice(1, 0, 3)).sizes(), at::IntArrayRef({2, 3, 16, 24}));
  EXPECT_EQ(keys_of(encoder).count("down.0.attn.0.q.weight"), 1U);
  EXPECT_EQ(keys_of(encoder).count("down.1.attn.0.q.weight"), 0U);
  EXPECT_EQ(keys_of(decoder).count("up.0.attn.1.q.weight"), 1U);
}

TEST(Autoencoder, AttentionOfTheMiddleCanBeLeftOut) {
  auto options = small_autoencoder();
  EXPECT_EQ(keys_of(Encoder(options)).count("mid.attn_1.q.weight"), 1U);
  options.mid_attn = false;
  EXPECT_EQ(keys_of(Encoder(options)).count("mid.attn_1.q.weight"), 0U);
  options = small_autoencoder();
  options.use_linear_attn = true;
  EXPECT_EQ(keys_of(Encoder(options)).count("mid.attn_1.to_qkv.weight"), 1U);
}

TEST(Autoencoder, StartsAtZeroBesideALinearShortcut) {
  auto options = small_autoencoder();
  options.linear_shortcut = true;
  EXPECT_EQ(Encoder(options).forward(at::randn({1, 3, 8, 8})).abs().max().item<float>(), 0.0F);
  EXPECT_EQ(Decoder(options).forward(at::randn({1, 3, 4, 4})).abs().max().item<float>(), 0.0F);
}

TEST(Autoencoder, EveryParameterGetsAGradient) {
  const Encoder encoder(small_autoencoder());
  const Decoder decoder(small_autoencoder());
  decoder.forward(encoder.forward(at::randn({2, 3, 8, 8})).slice(1, 0, 3)).square().mean().backward();
  for (const auto* module :
       {static_cast<const torch::nn::Module*>(&encoder), static_cast<const torch::nn::Module*>(&decoder)}) {
    for (const auto& item : module->named_parameters())
      EXPECT_TRUE(item.value().grad().defined()) << item.key();
  }
}

TEST(Autoencoder, RefusesOptionsThatFitNoNetwork) {
  const auto refused = [](auto change) {
    auto options = small_autoencoder();
    change(options);
    EXPECT_THROW(Encoder{options}, Error);
    EXPECT_THROW(Decoder{options}, Error);
  };
  refused([](auto& o) { o.ch_mult.clear(); });
  refused([](auto& o) { o.ch_mult = {1, 0}; });
  refused([](auto& o) { o.z_channels = 0; });
  refused([](auto& o) { o.patch_size = 0; });
  refused([](auto& o) { o.ch = 48; });  // Not a multiple of 32.
  refused([](auto& o) { o.attn_type = "flash"; });
  refused([](auto& o) { o.linear_shortcut = o.tanh_out = true; });
}

}  // namespace
}  // namespace ldm
