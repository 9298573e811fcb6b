#include "ldm/nn/tiny_autoencoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "ldm/core/error.h"

namespace ldm {
namespace {

int64_t tiny_count(const TinyAutoencoderOptions& options, const std::string& prefix) {
  const InitScope meta(Init::kMeta);
  int64_t count = 0;
  for (const auto& [name, tensor] : state_dict(TinyAutoencoder(options))) {
    if (name.starts_with(prefix)) count += tensor.numel();
  }
  return count;
}

// One half of a module's state, without its prefix.
StateDict tiny_half(const TinyAutoencoder& stage, const std::string& prefix) {
  StateDict out;
  for (const auto& [name, tensor] : state_dict(stage)) {
    if (name.starts_with(prefix)) out[name.substr(prefix.size())] = tensor;
  }
  return out;
}

TEST(TinyAutoencoder, HasTheSizesOfThePublishedOnes) {
  EXPECT_EQ(tiny_count({}, "encoder."), 1222532);  // As its README counts them.
  EXPECT_EQ(tiny_count({}, "decoder."), 1222531);
  // 12 more channels of a 3x3 convolution.
  EXPECT_EQ(tiny_count({.latent_channels = 16}, "encoder."), 1222532 + 12 * (64 * 9 + 1));
  EXPECT_EQ(tiny_count({.latent_channels = 16}, "decoder."), 1222531 + 12 * 64 * 9);
  // Three pools of two 1x1 convolutions (64 to 256 and back) and a norm.
  EXPECT_EQ(tiny_count({.latent_channels = 32, .pooled_middle = true}, "decoder."),
            1222531 + 28 * 64 * 9 + 3 * (2 * 64 * 256 + 2 * 256));
}

TEST(TinyAutoencoder, MakesPicturesAnEighthAsWide) {
  const TinyAutoencoder stage({.latent_channels = 32, .pooled_middle = true});
  const torch::NoGradGuard no_grad;
  const auto latents = stage.encode(at::rand({2, 3, 32, 48}) * 2 - 1);
  EXPECT_EQ(latents.sizes(), (std::vector<int64_t>{2, 32, 4, 6}));
  EXPECT_EQ(stage.decode(latents).sizes(), (std::vector<int64_t>{2, 3, 32, 48}));
}

// tanh(x / 3) 3: latents far out are all the same.
TEST(TinyAutoencoder, BoundsLatentsSoftly) {
  const TinyAutoencoder stage({});
  const torch::NoGradGuard no_grad;
  const auto far = at::full({1, 4, 2, 2}, 300.0);
  EXPECT_TRUE(at::allclose(stage.decode(far), stage.decode(2 * far)));
  EXPECT_FALSE(at::allclose(stage.decode(far), stage.decode(far * 0.001)));
}

TEST(TinyAutoencoder, ReadsTheRepositorysNamesAndThoseOfDiffusers) {
  at::manual_seed(1);
  const TinyAutoencoder stage({.latent_channels = 16});
  const torch::NoGradGuard no_grad;
  const auto z = at::randn({1, 16, 2, 2});
  const auto plain =
      TinyAutoencoder::from_tensors(tiny_half(stage, "encoder."), tiny_half(stage, "decoder."));
  EXPECT_EQ(plain->latent_channels(), 16);
  EXPECT_TRUE(at::equal(plain->decode(z), stage.decode(z)));

  StateDict both;
  for (const auto& [name, tensor] : tiny_half(stage, "encoder.")) both["encoder.layers." + name] = tensor;
  for (const auto& [name, tensor] : tiny_half(stage, "decoder.")) {
    const auto dot = name.find('.');
    both["decoder.layers." + std::to_string(std::stoi(name.substr(0, dot)) - 1) + name.substr(dot)] = tensor;
  }
  EXPECT_TRUE(at::equal(TinyAutoencoder::from_tensors(both, both)->decode(z), stage.decode(z)));
}

TEST(TinyAutoencoder, RefusesWhatDoesNotFit) {
  const TinyAutoencoder stage({});
  const auto encoder = tiny_half(stage, "encoder."), decoder = tiny_half(stage, "decoder.");
  const auto refusal = [](const StateDict& a, const StateDict& b) {
    try {
      TinyAutoencoder::from_tensors(a, b);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(refusal(decoder, encoder).find("in this order"), std::string::npos);
  auto short_one = decoder;
  short_one.erase("19.bias");
  EXPECT_NE(refusal(encoder, short_one).find("19.bias"), std::string::npos);
  EXPECT_NE(refusal({{"encoder.layers.x.weight", at::zeros({1})}}, decoder).find("NUMBER"),
            std::string::npos);
  EXPECT_THROW(TinyAutoencoder({.latent_channels = 0}), Error);
}

}  // namespace
}  // namespace ldm
