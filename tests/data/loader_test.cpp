#include "ldm/data/loader.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

// Example i is a picture whose columns are i and 255 - i.
DatasetPtr columns(int64_t count) {
  std::vector<Example> examples;
  for (int64_t i = 0; i < count; ++i) {
    Example example;
    example.info = {
        std::to_string(i), {"number " + std::to_string(i), {"a", "b", "c"}, "", "noto"}, 1, i % 3, ""};
    example.image = at::empty({3, 2, 2}, at::kByte);
    example.image.select(2, 0).fill_(i);
    example.image.select(2, 1).fill_(255 - i);
    examples.push_back(example);
  }
  return make_memory_dataset(std::move(examples));
}

// Fails at one index, as a disk might.
class Failing : public Dataset {
 public:
  int64_t size() const override { return 4; }
  const ExampleInfo& info(int64_t) const override { return info_; }
  Example get(int64_t index) const override {
    if (index == 2) fail(ErrorKind::kData, "disk gone");
    return {info_, at::zeros({3, 2, 2}, at::kByte)};
  }
  std::string fingerprint() const override { return ""; }

 private:
  ExampleInfo info_;
};

LoaderOptions options_with(int64_t workers, bool flip = false) {
  LoaderOptions options;
  options.batch_size = 4;
  options.seed = 11;
  options.workers = workers;
  options.flip = flip;
  return options;
}

std::vector<Batch> take(Loader& loader, int64_t count) {
  std::vector<Batch> out;
  for (int64_t i = 0; i < count; ++i) out.push_back(*loader.next());
  return out;
}

void expect_equal(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.indices, b.indices);
  EXPECT_EQ(a.captions, b.captions);
  EXPECT_TRUE(at::equal(a.images, b.images));
  EXPECT_TRUE(at::equal(a.labels, b.labels));
}

TEST(Loader, GivesPicturesLabelsAndCaptions) {
  Loader loader(columns(10), options_with(0));
  const Batch batch = *loader.next();
  EXPECT_EQ(batch.images.sizes(), (std::vector<int64_t>{4, 3, 2, 2}));
  for (int64_t n = 0; n < 4; ++n) {
    const int64_t index = batch.indices[static_cast<size_t>(n)];
    EXPECT_FLOAT_EQ(batch.images[n][1][0][0].item<float>(), static_cast<float>(index) / 127.5F - 1);
    EXPECT_EQ(batch.labels[n].item<int64_t>(), index % 3);
  }
  EXPECT_EQ(batch.captions.size(), 4U);
}

TEST(Loader, WorkersChangeNothing) {
  Loader alone(columns(10), options_with(0, true));
  const auto wanted = take(alone, 20);
  for (int64_t workers : {1, 4}) {
    Loader loader(columns(10), options_with(workers, true));
    const auto got = take(loader, 20);
    for (size_t i = 0; i < 20; ++i) expect_equal(got[i], wanted[i]);
  }
}

TEST(Loader, ResumesAtAnyBatch) {
  Loader unbroken(columns(10), options_with(2, true));
  const auto wanted = take(unbroken, 12);
  Loader resumed(columns(10), options_with(2, true), 7);
  const auto got = take(resumed, 5);
  for (size_t i = 0; i < 5; ++i) expect_equal(got[i], wanted[i + 7]);
}

TEST(Loader, FlipsHalf) {
  Loader loader(columns(10), options_with(0, true));
  int flipped = 0;
  for (const Batch& batch : take(loader, 100)) {
    for (int64_t n = 0; n < 4; ++n) {
      const float index = static_cast<float>(batch.indices[static_cast<size_t>(n)]);
      flipped += batch.images[n][0][0][0].item<float>() != index / 127.5F - 1;
    }
  }
  EXPECT_NEAR(flipped, 200, 40);
}

TEST(Loader, CaptionsAloneAreTheSame) {
  const DatasetPtr data = columns(10);
  Loader loader(data, options_with(1));
  for (const Batch& batch : take(loader, 5)) {
    EXPECT_EQ(draw_captions(*data, batch.indices, batch.number, {}, 11), batch.captions);
  }
}

TEST(Loader, CarriesErrorsToTheCaller) {
  for (int64_t workers : {0, 2}) {
    Loader loader(std::make_shared<Failing>(), options_with(workers));  // Each batch is a whole epoch.
    EXPECT_EQ(error_of(ErrorKind::kData, [&] { loader.next(); }), "disk gone");
  }
}

TEST(Loader, StopsWhenAsked) {
  for (int64_t workers : {0, 2}) {
    const StopToken stop;
    Loader loader(columns(10), options_with(workers), 0, stop);
    EXPECT_TRUE(loader.next());
    stop.request();
    EXPECT_FALSE(loader.next());
  }
}

TEST(Loader, EndsWithBatchesUnread) { const Loader loader(columns(10), options_with(4)); }

TEST(Loader, ChecksItsOptions) {
  const auto error = [](const LoaderOptions& options, int64_t first = 0) {
    return error_of(ErrorKind::kUsage, [&] { Loader(columns(4), options, first); });
  };
  LoaderOptions options = options_with(65);
  EXPECT_TRUE(contains(error(options), "0 to 64 workers, got 65"));
  options = options_with(0);
  options.prefetch = 0;
  EXPECT_TRUE(contains(error(options), "prefetch >= 1"));
  options = options_with(0);
  options.batch_size = 0;
  EXPECT_TRUE(contains(error(options), "batch size"));
  options = options_with(0);
  options.captions.dropout = 2;
  EXPECT_TRUE(contains(error(options), "dropout"));
  EXPECT_TRUE(contains(error(options_with(0), -1), "first batch >= 0"));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { Loader(make_memory_dataset({}), {}); }), "got none"));
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [] { make_batch(*columns(1), {}, 0, {}); }),
                       "at least one index"));
}

}  // namespace
}  // namespace ldm
