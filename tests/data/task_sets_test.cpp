#include "ldm/data/task_sets.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ldm/data/folder_index.h"
#include "ldm/data/loader.h"
#include "ldm/data/picture_tensor.h"
#include "ldm/io/safetensors.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

// Three pictures of 48 x 40 in images/.
TempFolder& with_pictures(TempFolder& folder) {
  folder.write_png("images/a.png", 48, 40, {255, 0, 0});
  folder.write_png("images/b.png", 48, 40, {0, 255, 0});
  folder.write_png("images/c.png", 48, 40, {0, 0, 255});
  return folder;
}

PictureFiles files_of(const TempFolder& folder) {
  return {folder.path(), index_folder(folder.path()).examples};
}

DatasetPtr plain_set(const TempFolder& folder) {
  SuperResolutionOptions options;
  options.size = 16;
  options.degradation = "cv_area";
  return make_super_resolution_set(files_of(folder), options);
}

TEST(TaskSets, SuperResolutionGivesBothSizes) {
  TempFolder folder;
  const DatasetPtr set = plain_set(with_pictures(folder));
  const Example example = set->sample(1, {7, 0, 0});
  EXPECT_EQ(example.image.sizes(), (std::vector<int64_t>{3, 16, 16}));
  const torch::Tensor low = example.conditions.at("LR_image");
  EXPECT_EQ(low.sizes(), (std::vector<int64_t>{3, 4, 4}));
  EXPECT_TRUE(low[1].eq(1).all().item<bool>());
  EXPECT_TRUE(low[0].eq(-1).all().item<bool>());
}

TEST(TaskSets, InpaintingMasksThePicture) {
  TempFolder folder;
  const DatasetPtr set = make_inpainting_set(plain_set(with_pictures(folder)), {.strokes = "boxes"});
  const Example example = set->sample(0, {1, 2, 3});
  const torch::Tensor mask = example.conditions.at("mask"), masked = example.conditions.at("masked_image");
  EXPECT_TRUE(mask.abs().eq(1).all().item<bool>());
  const torch::Tensor red = masked[0];
  EXPECT_TRUE(at::equal(red.eq(-1), mask[0].eq(1)));
  EXPECT_TRUE(at::equal(set->sample(0, {1, 2, 3}).conditions.at("mask"), mask));
  EXPECT_FALSE(at::equal(set->sample(0, {1, 2, 4}).conditions.at("mask"), mask));
  const torch::Tensor small = mask_for_latents(mask.unsqueeze(0), 4, 4);
  EXPECT_TRUE(at::equal(small[0][0], mask[0].slice(0, 0, 16, 4).slice(1, 0, 16, 4)));
}

TEST(TaskSets, LayoutsFollowCropAndFlip) {
  TempFolder folder;
  with_pictures(folder);
  CocoSet coco;
  coco.categories = {{1, "dog", ""}, {2, "cat", ""}};
  coco.images = {{1, "images/a.png", 48, 40, {{1, {0, 0, 1, 1}}}, {"a cat"}}};
  LayoutSetOptions options;
  options.size = 8;
  options.crop_method = "center";
  options.flip = false;
  const DatasetPtr set = make_layout_set(folder.string(), coco, options);
  const Example example = set->get(0);
  EXPECT_EQ(example.info.words.text, "a cat");
  const torch::Tensor tokens = example.conditions.at("objects_bbox");
  EXPECT_EQ(tokens.size(0), 92);
  EXPECT_EQ(tokens[0].item<int64_t>(), 1);
  EXPECT_EQ(tokens[90].item<int64_t>(), 7);             // x = 4 / 48 of 89.
  EXPECT_EQ(tokens[91].item<int64_t>(), 89 * 90 + 82);  // x = 44 / 48 of 89.
  EXPECT_EQ(set->null_conditions().at("objects_bbox")[0].item<int64_t>(), 8191);
}

TEST(TaskSets, SegmentationIsOneHot) {
  TempFolder folder;
  with_pictures(folder);
  Image labels = make_image(48, 40, 1, 7);
  for (int64_t y = 0; y < 40; ++y) std::fill_n(labels.row(y), 24, uint8_t{3});
  for (const char* name : {"labels/a.png", "labels/b.png", "labels/c.png"}) {
    folder.write(name, std::string(as_text(encode_png(labels))));
  }
  std::vector<ExampleInfo> pictures(1);
  pictures[0].id = "images/b.png";
  const LabelTable table = parse_label_table(as_bytes("7 grass\n# things\n3 small dog\n"), "x");
  EXPECT_EQ(table.labels[0].name, "small dog");
  const DatasetPtr set = make_segmentation_set({folder.path(), pictures}, table, {.size = 10});
  const torch::Tensor map = set->get(0).conditions.at("segmentation");
  EXPECT_EQ(map.sizes(), (std::vector<int64_t>{2, 10, 10}));
  EXPECT_TRUE(map.sum(0).eq(1).all().item<bool>());
  EXPECT_TRUE(map[0].slice(1, 0, 5).eq(1).all().item<bool>());
  EXPECT_TRUE(contains(
      error_of(ErrorKind::kData, [&] { one_hot_labels(make_image(2, 2, 1, 9), table, 2, 2); }), "got 9"));
  EXPECT_EQ(one_hot_labels(make_image(2, 2, 1, 255), table, 2, 2, 255).sum().item<float>(), 0.0F);
  folder.write("labels/b.png", std::string(as_text(encode_png(make_image(48, 40, 1, 4)))));
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kData, [&] { set->get(0); }), "b.png: pixel 0,0: expected one of the 2"));
  EXPECT_EQ(parse_label_table(as_bytes("\xEF\xBB\xBF"
                                       "7 grass"),
                              "x")
                .labels[0]
                .value,
            7);
  for (const char* bad : {"", "256 a\n", "7\n", "7 a\n7 b\n", "x a\n", "7a b\n"}) {
    EXPECT_THROW(parse_label_table(as_bytes(bad), "x"), Error) << bad;
  }
}

TEST(TaskSets, NeighboursAreTheNearestOthers) {
  TempFolder folder;
  const DatasetPtr pictures = plain_set(with_pictures(folder));
  const NeighbourBank bank(at::tensor({1.0F, 0.0F, 3.0F, 1.0F, 0.0F, 2.0F}).view({3, 2}));
  const auto found = bank.search(at::tensor({5.0F, 0.0F}).view({1, 2}), 3);
  EXPECT_TRUE(at::equal(found.indices, at::tensor({int64_t{0}, int64_t{1}, int64_t{2}}).view({1, 3})));
  EXPECT_NEAR(found.scores[0][1].item<double>(), 3 / std::sqrt(10.0), 1e-6);
  const DatasetPtr set = make_neighbour_set(pictures, bank, 1);
  EXPECT_NEAR(set->get(0).conditions.at("neighbours")[0][0].item<double>(), 3 / std::sqrt(10.0), 1e-6);
  EXPECT_THROW(bank.search(at::ones({1, 2}), 4), Error);
  EXPECT_THROW(bank.search(at::zeros({1, 2}), 1), Error);
  EXPECT_THROW(bank.search(at::ones({1, 3}), 1), Error);
  EXPECT_THROW(NeighbourBank(at::zeros({2, 2})), Error);

  const std::vector<float> rows{1, 0, 0, 2};
  const auto bytes = std::as_bytes(std::span(rows));
  write_safetensors(folder.path() / "e.safetensors", {{"embeddings", DType::kF32, {2, 2}, bytes}}, {});
  EXPECT_EQ(NeighbourBank::read(folder.path() / "e.safetensors").size(), 2);
  error_of(ErrorKind::kFormat, [&] { NeighbourBank::read(folder.path() / "e.safetensors", "other"); });
}

TEST(TaskSets, BatchesStackAndDropConditions) {
  TempFolder folder;
  const DatasetPtr set = plain_set(with_pictures(folder));
  LoaderOptions options;
  options.seed = 4;
  Batch batch = make_batch(*set, {0, 1, 2, 0}, 5, options);
  const torch::Tensor before = batch.conditions.at("LR_image").clone();
  EXPECT_EQ(before.sizes(), (std::vector<int64_t>{4, 3, 4, 4}));
  EXPECT_TRUE(at::equal(before[1], set->sample(1, {4, 5, 1}).conditions.at("LR_image")));
  drop_conditions(batch, {{"LR_image", 0.0}}, {}, 4);
  EXPECT_TRUE(at::equal(batch.conditions.at("LR_image"), before));
  drop_conditions(batch, {{"all", 1.0}}, {{"LR_image", at::full({3, 4, 4}, 9.0F)}}, 4);
  EXPECT_TRUE(batch.conditions.at("LR_image").eq(9).all().item<bool>());
  EXPECT_EQ(batch.captions, std::vector<std::string>(4));
  EXPECT_TRUE(batch.labels.eq(-1).all().item<bool>());
  EXPECT_THROW(drop_conditions(batch, {{"nothing", 0.5}}, {}, 4), Error);
  EXPECT_THROW(drop_conditions(batch, {{"label", 1.5}}, {}, 4), Error);
  options.flip = true;
  EXPECT_THROW(make_batch(*set, {0}, 0, options), Error);
}

TEST(TaskSets, RefuseBadOptions) {
  TempFolder folder;
  with_pictures(folder);
  SuperResolutionOptions options;
  options.size = 18;
  EXPECT_TRUE(
      contains(error_of(ErrorKind::kUsage, [&] { make_super_resolution_set(files_of(folder), options); }),
               "multiple of downscale_f"));
  EXPECT_THROW(make_inpainting_set(plain_set(folder), {.strokes = "dots"}), Error);
  LayoutSetOptions layout;
  layout.crop_method = "left";
  EXPECT_THROW(make_layout_set(folder.string(), {}, layout), Error);
  EXPECT_THROW(PictureFiles(folder.path(), {}), Error);
}

}  // namespace
}  // namespace ldm
