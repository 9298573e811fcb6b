#include "ldm/nn/norm_sums.h"

#include <ATen/ops/addcmul.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/var_mean.h>
#include <ATen/ops/zeros_like.h>

#include <utility>

#include "ldm/kernels/simd.h"

namespace ldm {
namespace {

// The kernel's way where it can be taken, else undefined.
torch::Tensor for_norm_kernel(const torch::Tensor& rows) {
  if (!simd_available() || !rows.is_cpu() || rows.scalar_type() != at::kFloat) return {};
  auto x = rows.contiguous(at::MemoryFormat::ChannelsLast);
  return group_norm_nhwc_takes(x) ? x : torch::Tensor();
}

}  // namespace

NormSums::NormSums(GroupNorm norm, int64_t groups, double eps)
    : norm_(std::move(norm)), groups_(groups), eps_(eps) {}

void NormSums::add(const torch::Tensor& rows) {
  const auto x = for_norm_kernel(rows);
  by_kernel_ = x.defined();
  if (by_kernel_) {
    add_group_norm_sums(x, sums_);
  } else {
    add_groups(rows);
  }
}

// Two sets of values as one (Chan et al. 1979, "Updating Formulae and a Pairwise Algorithm for Computing
// Sample Variances").
void NormSums::add_groups(const torch::Tensor& rows) {
  const auto values = rows.to(at::kFloat).reshape({groups_, -1});
  const int64_t n = values.size(1), all = count_ + n;
  const auto [variance, mean] = at::var_mean(values, at::IntArrayRef{1}, std::optional<at::Scalar>(0));
  const auto own_mean = mean.to(at::kDouble), own_squares = variance.to(at::kDouble) * n;
  if (count_ == 0) {
    mean_ = own_mean;
    squares_ = own_squares;
  } else {
    const auto distance = own_mean - mean_;
    const double share = static_cast<double>(n) / static_cast<double>(all);
    squares_ = squares_ + own_squares + distance.square() * (static_cast<double>(count_) * share);
    mean_ = mean_ + distance * share;
  }
  count_ = all;
}

torch::Tensor NormSums::normalize_silu(const torch::Tensor& rows) const {
  const auto weight = norm_->weight.to(at::kFloat), bias = norm_->bias.to(at::kFloat);
  if (by_kernel_) {
    const auto x = rows.contiguous(at::MemoryFormat::ChannelsLast);
    return group_norm_by_sums(x, sums_, groups_, weight, bias, eps_, /*with_silu=*/true);
  }
  const int64_t channels = rows.size(1);
  const auto spread = [&](const torch::Tensor& t) {
    return at::repeat_interleave(t, channels / groups_).to(at::kFloat);
  };
  const auto scale = weight * spread(at::rsqrt(squares_ / count_ + eps_));
  const auto shift = bias - spread(mean_) * scale;
  auto y = at::addcmul(shift.view({1, channels, 1, 1}), rows.to(at::kFloat), scale.view({1, channels, 1, 1}));
  return at::silu_(y).to(rows.scalar_type());
}

}  // namespace ldm
