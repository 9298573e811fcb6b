#include "ldm/config/options.h"

#include <gtest/gtest.h>

#include "ldm/config/yaml.h"
#include "ldm/core/error.h"
#include "ldm/nn/spatial_rescaler.h"
#include "ldm/nn/text_transformer.h"
#include "ldm/nn/unet_options.h"

namespace ldm {
namespace {

template <typename Options>
Options read(const char* yaml) {
  Options options;
  read_options(parse_yaml(std::string_view(yaml), "test.yaml"), options);
  return options;
}

template <typename Options>
std::string text(const Options& options) {
  return to_yaml(write_options(options));
}

template <typename Options>
void expect_round_trip(const Options& options) {
  Options again;
  read_options(write_options(options), again);
  EXPECT_EQ(text(again), text(options));
}

TEST(UNetOptions, ReadTheOriginalsSpellings) {
  const auto options = read<UNetOptions>(R"(
image_size: 32
in_channels: 4
num_res_blocks: 2
attention_resolutions: [ 4, 2, 1 ]
channel_mult:
- 1
- 2
num_classes: 1001
context_dim: null
use_checkpoint: True
legacy: False
)");
  EXPECT_EQ(options.num_res_blocks, std::vector<int64_t>{2});
  EXPECT_EQ(options.attention_resolutions, (std::vector<int64_t>{4, 2, 1}));
  EXPECT_EQ(options.channel_mult, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(options.num_classes, "1001");
  EXPECT_FALSE(options.context_dim);
  EXPECT_TRUE(options.use_checkpoint);
  EXPECT_FALSE(options.legacy);
}

TEST(UNetOptions, RoundTrip) {
  UNetOptions options;
  expect_round_trip(options);
  options.num_classes = "7";
  options.context_dim = 512;
  options.disable_self_attentions = {true, false};
  expect_round_trip(options);
}

TEST(UNetOptions, RefuseAnUnknownKey) { EXPECT_THROW(read<UNetOptions>("modle_channels: 64"), Error); }

TEST(TextTransformerOptions, RoundTrip) {
  expect_round_trip(read<TextTransformerOptions>("{n_embed: 1280, n_layer: 2, use_tokenizer: false}"));
}

TEST(SpatialRescalerOptions, RoundTrip) {
  expect_round_trip(read<SpatialRescalerOptions>("{n_stages: 2, in_channels: 182, out_channels: 3}"));
}

}  // namespace
}  // namespace ldm
