#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/nn/state_dict.h"
#include "ldm/nn/vector_quantizer.h"

namespace ldm {
namespace {

// Codes 0..5 on a line; latents at 0.1, 2.1, 5.1 are nearest to codes 0, 2, 5.
VectorQuantizer remapped(const std::string& unknown) {
  VectorQuantizer quantizer({.n_e = 6, .e_dim = 1, .used = {5, 2}, .unknown = unknown});
  const torch::NoGradGuard no_grad;
  auto codes = quantizer.codebook();
  codes.copy_(at::arange(6, at::kFloat).view({6, 1}));
  return quantizer;
}

torch::Tensor three_latents() { return at::tensor({0.1, 2.1, 5.1}, at::kFloat).view({1, 1, 1, 3}); }

std::vector<int64_t> remapped_indices(const std::string& unknown) {
  const auto indices = remapped(unknown).forward(three_latents()).indices;
  return {indices.const_data_ptr<int64_t>(), indices.const_data_ptr<int64_t>() + indices.numel()};
}

TEST(Remap, CountsWithinTheUsedCodes) {
  EXPECT_EQ(remapped_indices("extra"), (std::vector<int64_t>{2, 1, 0}));
  EXPECT_EQ(remapped_indices("1"), (std::vector<int64_t>{1, 1, 0}));
  const auto random = remapped_indices("random");
  EXPECT_TRUE(random[0] == 0 || random[0] == 1);
  EXPECT_EQ(random[1], 1);
}

TEST(Remap, LeavesTheQuantisedLatentsAlone) {
  const auto quantizer = remapped("extra");
  const auto codes = quantizer.forward(three_latents()).latents.flatten();
  EXPECT_TRUE(at::allclose(codes, at::tensor({0.0, 2.0, 5.0}, at::kFloat)));
}

TEST(Remap, TheExtraIndexStandsForTheFirstUsedCode) {
  const auto entry = remapped("extra").codebook_entry(at::tensor({2, 1, 0}, at::kLong), 1, 1, 3).flatten();
  EXPECT_TRUE(at::equal(entry, at::tensor({5.0, 2.0, 5.0}, at::kFloat)));
}

TEST(Remap, IsInTheStateAsTheOriginalsBuffer) {
  EXPECT_TRUE(at::equal(state_dict(remapped("extra")).at("used"), at::tensor({5, 2}, at::kLong)));
}

TEST(Remap, RefusesCodesAndNamesThatAreNone) {
  EXPECT_THROW(VectorQuantizer({.n_e = 6, .e_dim = 1, .used = {6}}), Error);
  EXPECT_THROW(VectorQuantizer({.n_e = 6, .e_dim = 1, .used = {1}, .unknown = "some"}), Error);
}

}  // namespace
}  // namespace ldm
