#include "ldm/train/codebook.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/train/task_common.h"

namespace ldm {
namespace {

constexpr int64_t kStartPerCode = 32;   // Latents per code for k-means,
constexpr int64_t kUsagePerCode = 8;    // and for telling used from unused.
constexpr int64_t kMostPictures = 512;  // But never more pictures than this.
constexpr int64_t kIterations = 10;
constexpr size_t kBatch = 32;

}  // namespace

CodebookKeeper::CodebookKeeper(const VQModel& model, DatasetPtr data, at::Device device, uint64_t seed,
                               int64_t every)
    : model_(model), data_(std::move(data)), device_(device), seed_(seed), every_(every) {
  check(every >= 0, "model.params.codebook_restart: expected a number of steps, 0 for never, got ", every);
}

void CodebookKeeper::start() const {
  torch::NoGradGuard no_grad;
  const auto codes = model_.codebook().size(0);
  const auto latents = drawn_points(kStartPerCode, 0);
  auto codebook = model_.codebook().detach();
  if (latents.size(0) >= codes) {
    codebook.copy_(kmeans_codebook(latents, codes, kIterations, Random(seed_, "k-means")));
  } else {
    const auto unused = at::zeros({codes}, at::TensorOptions(at::kLong).device(device_));
    restart_dead_codes(codebook, unused, latents, 1, Random(seed_, "k-means"));
  }
}

int64_t CodebookKeeper::restart(int64_t step, const torch::Tensor& average,
                                const std::vector<torch::Tensor>& moments) const {
  torch::NoGradGuard no_grad;
  const auto codebook = model_.codebook().detach();
  const auto latents = drawn_points(kUsagePerCode, step);
  const auto usage = count_codes(nearest_codes(latents, codebook), codebook.size(0));
  const auto moved = restart_dead_codes(codebook, usage, latents, 1,
                                        Random(seed_, "restarted codes", static_cast<uint64_t>(step)));
  if (moved == 0) return 0;
  const auto rows = at::nonzero(usage < 1).squeeze(1);
  auto shadow = average;
  shadow.index_copy_(0, rows, codebook.index_select(0, rows).to(shadow.scalar_type()));
  for (auto moment : moments) moment.index_fill_(0, rows, 0);
  return moved;
}

double CodebookKeeper::used_fraction(const Dataset& data, const std::vector<int64_t>& indices) const {
  torch::NoGradGuard no_grad;
  const auto codebook = model_.codebook().detach();
  const auto usage = count_codes(nearest_codes(points(data, indices), codebook), codebook.size(0));
  return (usage > 0).to(at::kDouble).mean().item<double>();
}

// The continuous latents of pictures, [M, C].
torch::Tensor CodebookKeeper::points(const Dataset& data, const std::vector<int64_t>& indices) const {
  std::vector<torch::Tensor> parts;
  for (size_t first = 0; first < indices.size(); first += kBatch) {
    const auto end = std::min(first + kBatch, indices.size());
    const std::vector<int64_t> batch(indices.begin() + static_cast<int64_t>(first),
                                     indices.begin() + static_cast<int64_t>(end));
    const auto latents = model_.encode(load_pictures(data, batch).to(device_));
    parts.push_back(latents.permute({0, 2, 3, 1}).reshape({-1, latents.size(1)}).to(at::kFloat));
  }
  return at::cat(parts);
}

// Latents of training pictures drawn for this step, about `per_code` for each code.
torch::Tensor CodebookKeeper::drawn_points(int64_t per_code, int64_t step) const {
  auto order = permutation(data_->size(), Random(seed_, "codebook pictures", static_cast<uint64_t>(step)));
  const auto side = data_->get(0).image.size(1) / model_.downsampling();
  const auto wanted = model_.codebook().size(0) * per_code / std::max<int64_t>(1, side * side) + 1;
  order.resize(std::min({order.size(), static_cast<size_t>(wanted), static_cast<size_t>(kMostPictures)}));
  return points(*data_, order);
}

}  // namespace ldm
