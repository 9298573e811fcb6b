#include "ldm/data/dataset.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

DatasetPtr numbered(int64_t count) {
  std::vector<Example> examples;
  for (int64_t i = 0; i < count; ++i) {
    Example example;
    example.info.id = std::to_string(i) + ".png";
    example.image = at::full({3, 2, 2}, i % 256, at::kByte);
    examples.push_back(example);
  }
  return make_memory_dataset(std::move(examples));
}

TEST(Dataset, SubsetsKeepOrder) {
  const DatasetPtr subset = make_subset(numbered(5), {4, 1, 1});
  EXPECT_EQ(subset->size(), 3);
  EXPECT_EQ(subset->info(0).id, "4.png");
  EXPECT_EQ(subset->get(2).image[0][0][0].item<int>(), 1);
  EXPECT_NE(subset->fingerprint(), make_subset(numbered(5), {1, 4, 1})->fingerprint());
}

TEST(Dataset, SplitsByTheDataOrByHash) {
  const DatasetPtr all = numbered(2000);
  const DatasetPtr held_out = make_split(all, "heldout", 0.1), train = make_split(all, "train", 0.1);
  EXPECT_EQ(held_out->size() + train->size(), 2000);
  EXPECT_NEAR(static_cast<double>(held_out->size()), 200, 45);
  EXPECT_EQ(make_split(all, "heldout", 0)->size(), 0);
  EXPECT_EQ(make_split(all, "heldout", 1)->size(), 2000);
  // More pictures move no other: the first thousand alone split the same way.
  const DatasetPtr fewer = make_split(numbered(1000), "heldout", 0.1);
  for (int64_t i = 0; i < fewer->size(); ++i) EXPECT_EQ(fewer->info(i).id, held_out->info(i).id);
  EXPECT_EQ(split_of({"x", {}, 1, -1, "train"}, 1.0), "train");
}

TEST(Dataset, RefusesWhatDoesNotFit) {
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { numbered(2)->get(2); }), "an index below 2, got 2"));
  EXPECT_THROW(numbered(2)->info(-1), Error);
  EXPECT_THROW(make_subset(numbered(2), {2}), Error);
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kUsage, [] { make_split(numbered(2), "train", 1.5); }), "got 1.5"));
  Example wrong;
  wrong.info.id = "w.png";
  wrong.image = at::zeros({3, 2, 2});
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { make_memory_dataset({wrong}); }), "w.png"));
}

}  // namespace
}  // namespace ldm
