// Drawing within a memory budget: batches, crops, and what happens when there is not even that.
#include "ldm/pipeline/memory_plan.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <vector>

#include "ldm/pipeline/generator.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

GenerateRequest memory_request() {
  GenerateRequest r{.prompt = "red disc", .count = 5, .seed = 5};
  r.sampling.steps = 3;
  return r;
}

int largest_difference(const std::vector<GeneratedImage>& a, const std::vector<GeneratedImage>& b) {
  EXPECT_EQ(a.size(), b.size());
  int largest = 0;
  for (size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
    const auto &x = a[k].image.pixels, &y = b[k].image.pixels;
    EXPECT_EQ(x.size(), y.size());
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i)
      largest = std::max(largest, std::abs(int{x[i]} - int{y[i]}));
  }
  return largest;
}

// Another first stage's codec that runs out of memory for more than `most` pictures at once, as `how` says.
class ShortOfMemory : public FirstStage {
 public:
  ShortOfMemory(std::shared_ptr<FirstStage> inner, int64_t most, int how)
      : inner_(std::move(inner)), most_(most), how_(how) {}
  torch::Tensor encode(const torch::Tensor& x, const torch::Tensor& noise) const override {
    return inner_->encode(x, noise);
  }
  torch::Tensor decode(const torch::Tensor& z) const override {
    if (z.size(0) > most_) run_out();
    return inner_->decode(z);
  }
  int64_t downsampling() const override { return inner_->downsampling(); }
  int64_t latent_channels() const override { return inner_->latent_channels(); }

 private:
  void run_out() const {
    if (how_ == 0) throw std::bad_alloc();
    if (how_ == 1)
      TORCH_CHECK(false, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.");
    throw std::runtime_error("something else");
  }
  std::shared_ptr<FirstStage> inner_;
  int64_t most_;
  int how_;
};

std::shared_ptr<LatentDiffusion> short_model(int64_t most, int how) {
  const auto whole = tiny_model("text");
  auto options = whole->options();
  auto model = std::make_shared<LatentDiffusion>(
      options, std::make_shared<ShortOfMemory>(tiny_first_stage(), most, how), tiny_vocabulary());
  model->load(whole->state());
  model->eval();
  return model;
}

TEST(MemoryPlan, CountsMoreForLargerNetworksAndPictures) {
  const UNetOptions small{.num_head_channels = 16};
  auto wide = small;
  wide.model_channels = 128;
  EXPECT_GT(unet_bytes(wide, 16, 16), 3 * unet_bytes(small, 16, 16) / 2);
  EXPECT_EQ(unet_bytes(small, 32, 64), 8 * unet_bytes(small, 16, 16));
}

TEST(MemoryPlan, SplitsBatchesThenPictures) {
  const auto model = tiny_model("text");
  auto r = memory_request();
  r.width = r.height = 64;  // 16 x 16 latents.
  const auto canvas = plan_canvas(*model, r);
  const int64_t one = 2 * unet_bytes(model->unet().options(), 16, 16);  // With and without the prompt.
  EXPECT_EQ(plan_memory(*model, r, canvas, 0).batch, 16);
  const auto three = plan_memory(*model, r, canvas, 3 * one);
  EXPECT_EQ(three.batch, 3);
  EXPECT_FALSE(three.tiles);
  const auto crops = plan_memory(*model, r, canvas, one / 3);
  EXPECT_EQ(crops.batch, 1);
  ASSERT_TRUE(crops.tiles && crops.tiles_by_memory);
  EXPECT_EQ(crops.tiles->height, 8);
  EXPECT_EQ(crops.tiles->stride_x, 6);
  // Never smaller than in training.
  EXPECT_EQ(plan_memory(*model, r, canvas, 1).tiles->height, 4);
}

TEST(MemoryPlan, ShrinksStepByStep) {
  const auto model = tiny_model("text");
  auto r = memory_request();
  r.width = r.height = 256;
  const auto canvas = plan_canvas(*model, r);
  auto plan = plan_memory(*model, r, canvas, 0);
  plan = smaller_plan(*model, r, canvas, plan, 5).value();
  EXPECT_EQ(plan.batch, 2);
  EXPECT_EQ(plan.memory, 0);
  plan.memory = int64_t{1} << 30;
  plan = smaller_plan(*model, r, canvas, plan, 1).value();
  EXPECT_EQ(plan.memory, int64_t{1} << 29);
  EXPECT_EQ(plan.batch, 1);
  plan.memory = 1 << 20;
  EXPECT_FALSE(smaller_plan(*model, r, canvas, plan, 1));
}

TEST(MemoryPlan, RefusesNumbersOutOfRange) {
  const auto model = tiny_model("text");
  auto r = memory_request();
  const auto refused = [&](int64_t side, int64_t overlap) {
    r.tile = {.side = side, .overlap = overlap};
    return thrown(ErrorKind::kUsage, [&] { Generator(model).generate(r); });
  };
  EXPECT_TRUE(has(refused(-2, 0), "expected a tile of a latent or more, got -2"));
  EXPECT_TRUE(has(refused(4, 4), "overlap by less than their 4 latents, got 4"));
  r.tile = {};
  r.memory = -1;
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { Generator(model).generate(r); }), "memory"));
}

TEST(Generation, IsTheSameWithinAnyMemory) {
  auto r = memory_request();
  const Generator generator(tiny_model("text"));
  const auto want = generator.generate(r);
  r.memory = 2 * 2 * unet_bytes(tiny_model("text")->unet().options(), 4, 4) + 1;
  EXPECT_LE(largest_difference(generator.generate(r), want), 1);
  r.memory = 1;  // One at a time, coded in bands.
  EXPECT_LE(largest_difference(generator.generate(r), want), 1);
}

TEST(Generation, InCropsThatAreTheWholeIsTheSame) {
  auto r = memory_request();
  const Generator generator(tiny_model("text"));
  const auto want = generator.generate(r);
  r.tile = {.side = 4};
  EXPECT_EQ(largest_difference(generator.generate(r), want), 0);
  r.width = r.height = 32;
  const auto whole = generator.generate(r);
  r.tile = {};
  EXPECT_GT(largest_difference(generator.generate(r), whole), 0) << "crops see less";
}

TEST(Generation, GoesOnWithLessWhenMemoryRunsOut) {
  const auto r = memory_request();
  const auto want = Generator(tiny_model("text")).generate(r);
  for (const int how : {0, 1}) {
    std::vector<std::string> notices;
    const DrawHooks hooks{.log = [&](LogLevel, std::string_view text) { notices.emplace_back(text); }};
    const auto got = Generator(short_model(/*most=*/1, how)).generate(r, hooks);
    EXPECT_LE(largest_difference(got, want), 1);
    ASSERT_EQ(notices.size(), 2u);
    EXPECT_EQ(notices[0], "not enough memory for 5 pictures at once; going on with 2");
    EXPECT_EQ(notices[1], "not enough memory for 2 pictures at once; going on with 1");
  }
}

TEST(MemoryPlan, KnowsTheWordsOfThoseWhoFoundNoMemory) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(is_out_of_memory(std::runtime_error("could not create a primitive")));
  EXPECT_TRUE(is_out_of_memory(Error(ErrorKind::kInternal, "parallel_for: a part failed; out of memory?")));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("expected a primitive")));
  EXPECT_FALSE(is_out_of_memory(Error(ErrorKind::kUsage, "expected a size")));
}

TEST(Generation, GivesUpWhereNothingHelps) {
  const auto r = memory_request();
  EXPECT_THROW(Generator(short_model(/*most=*/0, 0)).generate(r), std::bad_alloc);
  EXPECT_THROW(Generator(short_model(/*most=*/0, 2)).generate(r), std::runtime_error);
}

}  // namespace
}  // namespace ldm
