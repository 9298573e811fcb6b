#include "ldm/data/loader.h"

#include <ATen/ops/empty.h>

#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/random.h"

namespace ldm {
namespace {

// uint8 to float32: x / 127.5 - 1.
const std::array<float, 256>& unit_range() {
  static const std::array<float, 256> kTable = [] {
    std::array<float, 256> table{};
    for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i) / 127.5F - 1.0F;
    return table;
  }();
  return kTable;
}

// Plain loops instead of tensor functions: worker threads must not start thread pools of their own.
void copy_image(const torch::Tensor& image, bool mirror, float* out) {
  const uint8_t* in = image.const_data_ptr<uint8_t>();
  const int64_t width = image.size(2), rows = image.size(0) * image.size(1);
  const auto& table = unit_range();
  for (int64_t y = 0; y < rows; ++y, in += width, out += width) {
    for (int64_t x = 0; x < width; ++x) out[x] = table[in[mirror ? width - 1 - x : x]];
  }
}

// Puts one sample's conditions at its place; the first one makes room for all.
void add_conditions(Batch& batch, const Example& example, size_t place) {
  for (const auto& [name, value] : example.conditions) {
    torch::Tensor& all = batch.conditions[name];
    if (place == 0) {
      std::vector<int64_t> shape{batch.labels.size(0)};
      shape.insert(shape.end(), value.sizes().begin(), value.sizes().end());
      all = at::empty(shape, value.scalar_type());
    }
    check(all.defined() && all.scalar_type() == value.scalar_type() &&
              all.sizes().slice(1) == value.sizes() && value.is_contiguous(),
          ErrorKind::kInternal, "make_batch: expected ", name, " to have one shape in all examples");
    std::memcpy(static_cast<char*>(all.mutable_data_ptr()) + static_cast<int64_t>(place) * value.nbytes(),
                value.const_data_ptr(), value.nbytes());
  }
}

// What one sample of a batch loses.
void drop_one(Batch& batch, const std::string& name, const Conditions& nulls, int64_t place) {
  if (name == "caption" || name == "all") batch.captions[static_cast<size_t>(place)].clear();
  if (name == "label" || name == "all") batch.labels.mutable_data_ptr<int64_t>()[place] = -1;
  for (auto& [key, values] : batch.conditions) {
    if (key != name && name != "all") continue;
    const auto null = nulls.find(key);
    torch::Tensor one = values[place];
    null == nulls.end() ? one.zero_() : one.copy_(null->second);
  }
}

const LoaderOptions& checked(const LoaderOptions& options, const DatasetPtr& dataset) {
  check(dataset && dataset->size() > 0, "Loader: expected a data set with examples, got none");
  check(options.workers >= 0 && options.workers <= 64, "Loader: expected 0 to 64 workers, got ",
        options.workers);
  check(options.prefetch >= 1, "Loader: expected prefetch >= 1, got ", options.prefetch);
  check_caption_options(options.captions);
  return options;
}

}  // namespace

std::vector<std::string> draw_captions(const Dataset& dataset, const std::vector<int64_t>& indices,
                                       int64_t number, const CaptionOptions& options, uint64_t seed) {
  std::vector<std::string> out;
  for (size_t i = 0; i < indices.size(); ++i) {
    const Random random(seed, "caption", static_cast<uint64_t>(number), i);
    out.push_back(draw_caption(dataset.info(indices[i]).words, options, random));
  }
  return out;
}

void drop_conditions(Batch& batch, const std::map<std::string, double>& probabilities,
                     const Conditions& nulls, uint64_t seed) {
  for (const auto& [name, probability] : probabilities) {
    const bool known =
        name == "caption" || name == "label" || name == "all" || batch.conditions.contains(name);
    check(known, "drop_conditions: expected a condition of the batch, got '", name, "'");
    check(probability >= 0 && probability <= 1, "drop_conditions: expected a probability in [0, 1] for ",
          name, ", got ", probability);
    for (int64_t i = 0; i < batch.labels.size(0); ++i) {
      Random random(seed, "drop " + name, static_cast<uint64_t>(batch.number), static_cast<uint64_t>(i));
      if (random.uniform() < probability) drop_one(batch, name, nulls, i);
    }
  }
}

Batch make_batch(const Dataset& dataset, std::vector<int64_t> indices, int64_t number,
                 const LoaderOptions& options) {
  check(!indices.empty(), "make_batch: expected at least one index, got none");
  Batch batch;
  batch.number = number;
  batch.labels = at::empty({static_cast<int64_t>(indices.size())}, at::kLong);
  float* out = nullptr;
  for (size_t i = 0; i < indices.size(); ++i) {
    const Example example =
        dataset.sample(indices[i], {options.seed, static_cast<uint64_t>(number), static_cast<uint64_t>(i)});
    if (i == 0) {
      const auto& image = example.image;
      batch.images =
          at::empty({batch.labels.size(0), image.size(0), image.size(1), image.size(2)}, at::kFloat);
      out = batch.images.mutable_data_ptr<float>();
    }
    Random flips(options.seed, "flip", static_cast<uint64_t>(number), i);
    copy_image(example.image, options.flip && flips.below(2) == 1, out);
    out += example.image.numel();
    batch.labels.mutable_data_ptr<int64_t>()[i] = example.info.label;
    check(!options.flip || example.conditions.empty(),
          "make_batch: expected no flip with conditions; hint: give the option to the set that makes them");
    add_conditions(batch, example, i);
    const Random random(options.seed, "caption", static_cast<uint64_t>(number), i);
    batch.captions.push_back(draw_caption(example.info.words, options.captions, random));
  }
  batch.indices = std::move(indices);
  return batch;
}

Loader::Loader(DatasetPtr dataset, const LoaderOptions& options, int64_t first, StopToken stop)
    : dataset_(std::move(dataset)),
      options_(checked(options, dataset_)),
      order_(weights_of(*dataset_), options.batch_size, options.seed),
      stop_(std::move(stop)),
      next_to_give_(first),
      next_to_make_(first) {
  check(first >= 0, "Loader: expected a first batch >= 0, got ", first);
  for (int64_t i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  room_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

Loader::Made Loader::make(int64_t number) const noexcept {
  Made made;
  try {
    made.batch = make_batch(*dataset_, order_.indices(number), number, options_);
  } catch (...) {
    made.error = std::current_exception();
  }
  return made;
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [&] { return closing_ || next_to_make_ < next_to_give_ + options_.prefetch; });
    if (closing_ || stop_.requested()) return;
    const int64_t number = next_to_make_++;
    lock.unlock();
    Made made = make(number);
    lock.lock();
    made_.emplace(number, std::move(made));
    ready_.notify_all();
  }
}

std::optional<Batch> Loader::next() {
  Made made;
  if (workers_.empty()) {
    if (stop_.requested()) return std::nullopt;
    made = make(next_to_give_++);
  } else {
    std::unique_lock lock(mutex_);
    // A stop wakes nobody, so look at it now and then.
    while (!made_.contains(next_to_give_) && !stop_.requested()) {
      ready_.wait_for(lock, std::chrono::milliseconds(50));
    }
    if (stop_.requested()) return std::nullopt;
    made = std::move(made_.extract(next_to_give_++).mapped());
    room_.notify_all();
  }
  if (made.error) std::rethrow_exception(made.error);
  return std::move(made.batch);
}

}  // namespace ldm
