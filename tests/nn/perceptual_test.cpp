#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ldm/core/error.h"
#include "ldm/nn/efficientnet.h"
#include "ldm/nn/lpips.h"
#include "ldm/nn/state_dict.h"

namespace ldm {
namespace {

std::filesystem::path source_dir() {
  const char* dir = std::getenv("LDM_SOURCE_DIR");
  return dir ? dir : ".";
}

// A fixed picture: [1, 3, size, size] in [-1, 1].
torch::Tensor waves(int64_t size, double phase) {
  const auto i = at::arange(3 * size * size, at::kDouble);
  return (0.37 * i + phase).sin().to(at::kFloat).view({1, 3, size, size});
}

TEST(Lpips, IsZeroForEqualPicturesAndDropsOutOnlyWhileTraining) {
  Lpips lpips({.net = LpipsNet::kAlex});
  lpips.eval();
  const auto x = at::rand({2, 3, 64, 64}) * 2 - 1, y = at::rand({2, 3, 64, 64}) * 2 - 1;
  EXPECT_EQ(lpips.forward(x, x).abs().max().item<float>(), 0.0F);
  EXPECT_EQ(lpips.forward(x, y).sizes(), at::IntArrayRef({2, 1, 1, 1}));
  EXPECT_TRUE(at::equal(lpips.forward(x, y), lpips.forward(x, y)));
  lpips.train();
  EXPECT_FALSE(at::equal(lpips.forward(x, y), lpips.forward(x, y)));
}

TEST(Lpips, GivesGradientsToPicturesOnly) {
  Lpips lpips({.net = LpipsNet::kAlex});
  const auto x = (at::rand({1, 3, 64, 64}) * 2 - 1).requires_grad_(true);
  lpips.forward(x, at::zeros_like(x)).sum().backward();
  EXPECT_GT(x.grad().abs().max().item<float>(), 0.0F);
  for (const auto& p : lpips.parameters()) EXPECT_FALSE(p.requires_grad());
}

TEST(Lpips, ReadsThePackagesNamesAndTheOriginals) {
  Lpips alex({.net = LpipsNet::kAlex});
  const auto x = waves(64, 0.0), y = waves(64, 1.0);
  const torch::NoGradGuard no_grad;
  alex.eval();
  StateDict package, original;
  for (const auto& [name, tensor] : state_dict(alex)) {
    package[name] = tensor;
    if (name.starts_with("lin")) package["lins." + name.substr(3)] = tensor;
    if (!name.starts_with("scaling_layer")) original["loss.perceptual_loss." + name] = tensor;
  }
  original["loss.logvar"] = at::zeros({});
  for (const auto& tensors : {package, original}) {
    EXPECT_TRUE(at::equal(Lpips::from_tensors(tensors)->forward(x, y), alex.forward(x, y)));
  }
  package.erase("lin3.model.1.weight");
  EXPECT_THROW(Lpips::from_tensors(package), Error);
  EXPECT_THROW(Lpips::from_tensors({{"stem.weight", at::zeros({1})}}), Error);
}

TEST(Lpips, RefusesDifferentShapes) {
  const Lpips lpips({.net = LpipsNet::kAlex});
  EXPECT_THROW(lpips.forward(at::zeros({1, 3, 64, 64}), at::zeros({1, 3, 32, 32})), Error);
}

TEST(EfficientNetPerceptual, TapShapes) {
  const EfficientNetPerceptual net;
  const auto taps = net.taps(at::zeros({1, 3, 64, 48}));
  ASSERT_EQ(taps.size(), 4U);
  EXPECT_EQ(taps[0].sizes(), at::IntArrayRef({1, 32, 32, 24}));
  EXPECT_EQ(taps[1].sizes(), at::IntArrayRef({1, 16, 32, 24}));
  EXPECT_EQ(taps[2].sizes(), at::IntArrayRef({1, 24, 16, 12}));
  EXPECT_EQ(taps[3].sizes(), at::IntArrayRef({1, 40, 8, 6}));
}

// The reference: the same five blocks in PyTorch with the released float32 weights and unfolded batch norms.
TEST(EfficientNetPerceptual, ShippedWeightsGiveTheReferenceValues) {
  const auto net =
      EfficientNetPerceptual::from_file(source_dir() / "models/perceptual_efficientnet_lite0.safetensors");
  torch::NoGradGuard no_grad;
  const auto x = waves(64, 0.0), y = waves(64, 1.0);
  constexpr double kDistance = 1.931591935455799;
  const double mean_abs[] = {2.1373331546783447, 9.745245933532715, 12.102867126464844, 9.790575981140137};
  const auto taps = net->taps(x);
  for (size_t i = 0; i < taps.size(); ++i) {
    EXPECT_NEAR(taps[i].abs().mean().item<double>(), mean_abs[i], 2e-3 * mean_abs[i]) << i;
  }
  EXPECT_NEAR(net->forward(x, y).item<double>(), kDistance, 2e-3 * kDistance);
}

TEST(EfficientNetPerceptual, GradientsStayFiniteOnFlatPictures) {
  const auto net =
      EfficientNetPerceptual::from_file(source_dir() / "models/perceptual_efficientnet_lite0.safetensors");
  const auto x = at::ones({1, 3, 64, 64}).requires_grad_(true);
  net->forward(x, 0.9 * at::ones_like(x)).sum().backward();
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
  EXPECT_LT(x.grad().abs().max().item<float>(), 10.0F);
  for (const auto& p : net->parameters()) EXPECT_FALSE(p.requires_grad());
}

TEST(EfficientNetPerceptual, RefusesWrongInput) {
  const EfficientNetPerceptual net;
  EXPECT_THROW(net.forward(at::zeros({1, 3, 8, 8}), at::zeros({1, 3, 8, 9})), Error);
  const auto path = std::filesystem::temp_directory_path() / "ldm_perceptual_test.safetensors";
  write_tensor_file(path, {{"stem.weight", at::zeros({1})}});
  EXPECT_THROW(EfficientNetPerceptual::from_file(path), Error);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace ldm
