#include "ldm/train/latent_set.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/data/latent_cache.h"
#include "ldm/nn/autoencoder_kl.h"
#include "ldm/train/task_common.h"

namespace ldm {

constexpr int64_t kEncodeBatch = 32;

double latent_scale(const torch::Tensor& latents) {
  const double deviation = latents.detach().flatten().std().item<double>();
  check(deviation > 0, ErrorKind::kData, "scale_by_std: the first batch's latents are all the same");
  return 1.0 / deviation;
}

LatentSet::LatentSet(DatasetPtr data, std::shared_ptr<const FirstStage> first_stage, at::Device device,
                     bool remember, const ProgressFn& progress, const StopToken& stop)
    : data_(std::move(data)), first_stage_(std::move(first_stage)), device_(device) {
  check(data_->size() > 0, ErrorKind::kData, "latents: the data set is empty");
  const auto first = moments({0});
  shape_ = {first_stage_->latent_channels(), first.size(2), first.size(3)};
  if (!remember) return;
  const auto encode_batch = [this](const torch::Tensor& images) { return encode(images); };
  kept_ = encode_dataset(*data_, encode_batch, kEncodeBatch, progress, stop).to(device_);
}

torch::Tensor LatentSet::encode(const torch::Tensor& images) const {
  torch::NoGradGuard no_grad;
  const auto* kl = dynamic_cast<const AutoencoderKL*>(first_stage_.get());
  if (kl == nullptr) return first_stage_->encode(images.to(device_));
  const auto posterior = kl->posterior(images.to(device_));
  return at::cat({posterior.mean, posterior.stddev()}, 1);
}

torch::Tensor LatentSet::moments(const std::vector<int64_t>& indices) const {
  if (!kept_.defined()) return encode(load_pictures(*data_, indices));
  return kept_.index_select(0, at::tensor(indices, at::kLong).to(device_));
}

torch::Tensor LatentSet::draw(const torch::Tensor& moments, const torch::Tensor& noise) const {
  const auto channels = shape_.front();
  const auto mean = moments.narrow(1, 0, channels);
  if (!noise.defined() || moments.size(1) == channels) return mean;
  return mean + moments.narrow(1, channels, channels) * noise.to(device_);
}

torch::Tensor LatentSet::get(const std::vector<int64_t>& indices, const torch::Tensor& noise) const {
  return draw(moments(indices), noise);
}

torch::Tensor LatentSet::encode_drawn(const torch::Tensor& pictures, const torch::Tensor& noise) const {
  return draw(encode(pictures), noise);
}

double LatentSet::standard_deviation() const {
  constexpr int64_t kMost = 4096;
  const auto count = std::min(kMost, data_->size());
  const auto channels = shape_.front();
  double sum = 0, squares = 0, numbers = 0;
  for (int64_t first = 0; first < count; first += kEncodeBatch) {
    std::vector<int64_t> batch;
    for (int64_t k = first; k < std::min(count, first + kEncodeBatch); ++k)
      batch.push_back(k * data_->size() / count);
    const auto both = moments(batch).to(at::kDouble);  // E z^2 = mean^2 + deviation^2
    const auto mean = both.narrow(1, 0, channels);
    sum += mean.sum().item<double>();
    squares += both.square().sum().item<double>();
    numbers += static_cast<double>(mean.numel());
  }
  const double average = sum / numbers;
  return std::sqrt(squares / numbers - average * average);
}

}  // namespace ldm
