// What editing asks of mathematics: where a strength begins, and with which state.
#include "ldm/diffusion/editing.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

const std::vector<double> kLevels{16, 8, 4, 2, 1, 0};  // Five steps.

std::vector<double> last_levels(size_t count) {
  return {kLevels.end() - static_cast<int64_t>(count), kLevels.end()};
}

TEST(EditWalk, DiffusersSkipsSteps) {
  const auto walk = edit_walk(StrengthRule::kDiffusers, 0.45, kLevels);  // Two of five.
  EXPECT_EQ(walk.sigmas, last_levels(3));
  EXPECT_EQ(walk.noised, 2);
  EXPECT_EQ(edit_walk(StrengthRule::kDiffusers, 1.0, kLevels).sigmas, kLevels);
}

TEST(EditWalk, TheOriginalNoisesOneLevelHigher) {
  const auto walk = edit_walk(StrengthRule::kLdm, 0.45, kLevels);
  EXPECT_EQ(walk.sigmas, last_levels(3));
  EXPECT_EQ(walk.noised, 4);
  const auto whole = edit_walk(StrengthRule::kLdm, 1.0, kLevels);  // There the index is out of range.
  EXPECT_EQ(whole.sigmas, kLevels);
  EXPECT_EQ(whole.noised, 16);
}

TEST(EditWalk, A1111WalksOneStepMore) {
  const auto walk = edit_walk(StrengthRule::kA1111, 0.45, kLevels);
  EXPECT_EQ(walk.sigmas, last_levels(4));
  EXPECT_EQ(walk.noised, 4);
  EXPECT_EQ(edit_walk(StrengthRule::kA1111, 1.0, kLevels).sigmas, kLevels);
}

TEST(EditWalk, StrengthZeroWalksNothing) {
  for (const auto rule : {StrengthRule::kDiffusers, StrengthRule::kLdm, StrengthRule::kA1111})
    EXPECT_EQ(edit_walk(rule, 0.0, kLevels).steps(), 0);
  EXPECT_EQ(edit_walk(StrengthRule::kDiffusers, 0.1, kLevels).steps(), 0);
  EXPECT_EQ(edit_walk(StrengthRule::kLdm, 0.1, kLevels).steps(), 0);
}

TEST(EditWalk, BeginsWithTheNoisedPicture) {
  const auto clean = at::full({1, 1, 1, 1}, 3.0, at::kDouble),
             noise = at::full({1, 1, 1, 1}, 0.5, at::kDouble);
  const auto state = [&](const EditWalk& walk) { return start_of_walk(walk, clean, noise).item<double>(); };
  EXPECT_DOUBLE_EQ(state({.noised = 4, .sigmas = {4, 1}}), 3 + 4 * 0.5);
  // The variance-preserving state of level 4, taken for one of level 2.
  EXPECT_DOUBLE_EQ(state({.noised = 4, .sigmas = {2, 1}}), 5 / std::sqrt(17.0) * std::sqrt(5.0));
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_DOUBLE_EQ(state({.noised = infinite, .sigmas = {infinite, 1}}), 0.5);
  EXPECT_DOUBLE_EQ(state({.noised = infinite, .sigmas = {2, 1}}), 0.5 * std::sqrt(5.0));
}

TEST(EditWalk, RulesHaveNames) {
  for (const auto rule : {StrengthRule::kDiffusers, StrengthRule::kLdm, StrengthRule::kA1111})
    EXPECT_EQ(parse_strength_rule(to_string(rule)), rule);
  expect_usage_error([] { parse_strength_rule("sd"); }, "expected diffusers, ldm or a1111, got 'sd'");
}

TEST(EditWalk, RefusesStrengthsOutOfRange) {
  expect_usage_error([] { edit_walk(StrengthRule::kDiffusers, 1.01, kLevels); }, "expected 0..1, got 1.01");
  expect_usage_error([] { edit_walk(StrengthRule::kDiffusers, 0.5, {1.0}); }, "two or more levels");
  expect_usage_error([] { start_of_walk({}, at::zeros({1}), at::zeros({1})); }, "one step or more");
}

}  // namespace
}  // namespace ldm
