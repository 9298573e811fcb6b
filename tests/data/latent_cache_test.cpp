#include "ldm/data/latent_cache.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

DatasetPtr flat_pictures(int64_t count) {
  std::vector<Example> examples;
  for (int64_t i = 0; i < count; ++i) {
    Example example;
    example.info.id = std::to_string(i);
    example.image = at::full({3, 4, 4}, 10 * i, at::kByte);
    examples.push_back(example);
  }
  return make_memory_dataset(std::move(examples));
}

// Means of 2x2 blocks of the first channel; counts its calls.
struct Encoder {
  int calls = 0;
  torch::Tensor operator()(const torch::Tensor& images) {
    ++calls;
    return at::avg_pool2d(images.narrow(1, 0, 1), {2, 2});
  }
};

TEST(LatentCache, EncodesEveryPictureInOrder) {
  Encoder encoder;
  std::vector<int64_t> seen;
  const auto latents = encode_dataset(*flat_pictures(5), std::ref(encoder), 2,
                                      [&](const Progress& state) { seen.push_back(state.done); });
  EXPECT_EQ(latents.sizes(), (std::vector<int64_t>{5, 1, 2, 2}));
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_FLOAT_EQ(latents[i][0][1][1].item<float>(), static_cast<float>(10 * i) / 127.5F - 1);
  }
  EXPECT_EQ(seen, (std::vector<int64_t>{2, 4, 5}));
}

TEST(LatentCache, IsReusedOnlyForTheSameInputs) {
  const TempFolder folder;
  const auto path = folder.path() / "latents.safetensors";
  Encoder encoder;
  const auto latents_of = [&](const DatasetPtr& data, const std::string& hash) {
    return cached_latents(path, *data, hash, std::ref(encoder), 8);
  };
  const auto first = latents_of(flat_pictures(5), "A");
  EXPECT_EQ(encoder.calls, 1);
  EXPECT_TRUE(at::equal(latents_of(flat_pictures(5), "A"), first));
  EXPECT_EQ(encoder.calls, 1);
  latents_of(flat_pictures(5), "B");  // Another first stage.
  EXPECT_EQ(encoder.calls, 2);
  EXPECT_EQ(latents_of(flat_pictures(4), "B").size(0), 4);  // Other pictures.
  EXPECT_EQ(encoder.calls, 3);
  cached_latents("", *flat_pictures(4), "B", std::ref(encoder), 8);  // No file.
  EXPECT_EQ(encoder.calls, 4);
}

TEST(LatentCache, RefusesOtherFiles) {
  const TempFolder folder;
  folder.write("x.safetensors", "nonsense");
  EXPECT_THROW(read_latents(folder.path() / "x.safetensors", "k"), Error);
  EXPECT_FALSE(read_latents(folder.path() / "none", "k"));
  const auto path = folder.path() / "y.safetensors";
  write_latents(path, at::zeros({2, 2}), "k");
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kFormat, [&] { read_latents(path, "k"); }), "expected a latent cache"));
}

TEST(LatentCache, ChecksTheEncoder) {
  const auto bad = [](const torch::Tensor& images) { return images.flatten(); };
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { encode_dataset(*flat_pictures(2), bad, 2); }),
                       "expected latents [2, C, h, w], got [96]"));
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kUsage, [&] { encode_dataset(*flat_pictures(2), bad, 0); }), "got 0"));
  EXPECT_THROW(encode_dataset(*flat_pictures(0), bad, 1), Error);
  const StopToken stop;
  stop.request();
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kData, [&] { encode_dataset(*flat_pictures(2), bad, 2, {}, stop); }),
               "stopped after 0"));
}

}  // namespace
}  // namespace ldm
