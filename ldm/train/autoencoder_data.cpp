#include "ldm/train/autoencoder_data.h"

#include <ATen/ops/upsample_bicubic2d.h>

#include <string>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/data/image_folder.h"

namespace ldm {
namespace {

constexpr int64_t kSizeGrain = 16;  // Pixels.

void check_resize_range(const std::vector<int64_t>& range) {
  if (range.empty()) return;
  const bool ordered = range.size() == 2 && range[0] > 0 && range[0] <= range[1];
  check(ordered && range[0] % kSizeGrain == 0 && range[1] % kSizeGrain == 0,
        "model.params.batch_resize_range: expected [lowest, highest], multiples of ", kSizeGrain, " pixels");
}

}  // namespace

AutoencoderData::AutoencoderData(const DataSection& options, uint64_t seed, std::vector<int64_t> resize_range,
                                 const LogFn& log, const ProgressFn& progress, const StopToken& stop)
    : options_(options), seed_(seed), resize_range_(std::move(resize_range)) {
  check_resize_range(resize_range_);
  check(options.task.kind == "pictures", "data.task.kind: stage one is trained on plain pictures, got ",
        options.task.kind);
  const auto folder = open_image_folder({.path = options.path, .size = options.size}, log, progress, stop);
  train_ = make_split(folder.dataset, "train", options.held_out);
  held_out_ = make_split(folder.dataset, "heldout", options.held_out);
  check(train_->size() > 0, ErrorKind::kData, "train: no picture of ", options.path,
        " is in the training split");
  log_info(log, std::to_string(train_->size()) + " pictures to train on, " +
                    std::to_string(held_out_->size()) + " held out");
}

torch::Tensor AutoencoderData::images(int64_t batch, int64_t step) {
  if (!loader_ || next_batch_ != batch) {
    const LoaderOptions options{
        .batch_size = options_.batch_size, .seed = seed_, .workers = options_.workers, .flip = options_.flip};
    loader_.emplace(train_, options, batch);
  }
  next_batch_ = batch + 1;
  return resized(loader_->next()->images, step);
}

// VQModel.get_input of the original: the largest size for the first five steps, then a random one.
torch::Tensor AutoencoderData::resized(const torch::Tensor& images, int64_t step) const {
  if (resize_range_.empty()) return images;
  const auto low = resize_range_[0], high = resize_range_[1];
  Random random(seed_, "batch size in pixels", static_cast<uint64_t>(step));
  const auto side = step <= 4 ? high : low + kSizeGrain * random.below((high - low) / kSizeGrain + 1);
  if (side == images.size(2)) return images;
  return at::upsample_bicubic2d(images, {side, side}, /*align_corners=*/false);
}

}  // namespace ldm
