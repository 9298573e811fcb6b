#include "ldm/nn/row_map.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

class StoredMap : public RowMap {
 public:
  explicit StoredMap(torch::Tensor x) : RowMap(x.size(1), x.size(2), x.size(3)), x_(std::move(x)) {}
  torch::Tensor rows(int64_t first, int64_t last) const override { return x_.narrow(2, first, last - first); }
  torch::Tensor stored() const override { return x_; }

 private:
  torch::Tensor x_;
};

class MappedMap : public RowMap {
 public:
  MappedMap(RowMapPtr x, PixelFn f)
      : RowMap(x->channels(), x->height(), x->width()), x_(std::move(x)), f_(std::move(f)) {}
  torch::Tensor rows(int64_t first, int64_t last) const override { return f_(x_->rows(first, last)); }

 private:
  RowMapPtr x_;
  PixelFn f_;
};

class SumMap : public RowMap {
 public:
  SumMap(RowMapPtr a, RowMapPtr b)
      : RowMap(a->channels(), a->height(), a->width()), a_(std::move(a)), b_(std::move(b)) {}
  torch::Tensor rows(int64_t first, int64_t last) const override {
    const auto a = a_->rows(first, last);
    return a + b_->rows(first, last);
  }

 private:
  RowMapPtr a_, b_;
};

// The rows beside those that are wanted belong to the neighbours: at the ends of the picture the convolution
// pads with zeros as always, elsewhere the rows that saw its padding are dropped.
class ConvolvedMap : public RowMap {
 public:
  ConvolvedMap(RowMapPtr x, Conv2d conv)
      : RowMap(conv->weight.size(0), x->height(), x->width()), x_(std::move(x)), conv_(std::move(conv)) {
    check(conv_->stride() == 1 && conv_->weight.size(2) == 2 * conv_->padding() + 1, ErrorKind::kInternal,
          "convolved: expected a convolution that keeps the size");
  }
  torch::Tensor rows(int64_t first, int64_t last) const override {
    const int64_t above = std::max<int64_t>(0, first - conv_->padding());
    const int64_t below = std::min(height(), last + conv_->padding());
    return conv_(x_->rows(above, below)).narrow(2, first - above, last - first);
  }

 private:
  RowMapPtr x_;
  Conv2d conv_;
};

class HalvedMap : public RowMap {
 public:
  HalvedMap(RowMapPtr x, Conv2d conv)
      : RowMap(x->channels(), x->height() / 2, x->width() / 2), x_(std::move(x)), conv_(std::move(conv)) {}
  torch::Tensor rows(int64_t first, int64_t last) const override {
    if (!conv_) return at::avg_pool2d(x_->rows(2 * first, 2 * last), {2, 2}, {2, 2});
    const int64_t end = 2 * last + 1, below = std::min(x_->height(), end);
    return conv_(at::constant_pad_nd(x_->rows(2 * first, below), {0, 1, 0, end - below}));
  }

 private:
  RowMapPtr x_;
  Conv2d conv_;
};

class DoubledMap : public RowMap {
 public:
  explicit DoubledMap(RowMapPtr x)
      : RowMap(x->channels(), 2 * x->height(), 2 * x->width()), x_(std::move(x)) {}
  torch::Tensor rows(int64_t first, int64_t last) const override {
    const int64_t above = first / 2, below = (last + 1) / 2;
    const auto x = x_->rows(above, below);
    const auto twice = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
    return twice.narrow(2, first - 2 * above, last - first);
  }

 private:
  RowMapPtr x_;
};

class FoldedMap : public RowMap {
 public:
  FoldedMap(RowMapPtr x, int64_t factor)
      : RowMap(x->channels() * factor * factor, x->height() / factor, x->width() / factor),
        x_(std::move(x)),
        factor_(factor) {}
  torch::Tensor rows(int64_t first, int64_t last) const override {
    return at::pixel_unshuffle(x_->rows(first * factor_, last * factor_), factor_);
  }

 private:
  RowMapPtr x_;
  int64_t factor_;
};

class UnfoldedMap : public RowMap {
 public:
  UnfoldedMap(RowMapPtr x, int64_t factor)
      : RowMap(x->channels() / factor / factor, x->height() * factor, x->width() * factor),
        x_(std::move(x)),
        factor_(factor) {}
  torch::Tensor rows(int64_t first, int64_t last) const override {
    const int64_t above = first / factor_, below = (last + factor_ - 1) / factor_;
    return at::pixel_shuffle(x_->rows(above, below), factor_)
        .narrow(2, first - above * factor_, last - first);
  }

 private:
  RowMapPtr x_;
  int64_t factor_;
};

class RememberedMap : public RowMap {
 public:
  explicit RememberedMap(RowMapPtr x) : RowMap(x->channels(), x->height(), x->width()), x_(std::move(x)) {}
  torch::Tensor rows(int64_t first, int64_t last) const override {
    if (!kept_.defined() || first < first_ || last > first_ + kept_.size(2)) {
      kept_ = torch::Tensor();  // Before the next ones are made.
      kept_ = x_->rows(first, last);
      first_ = first;
    }
    return kept_.narrow(2, first - first_, last - first);
  }

 private:
  RowMapPtr x_;
  mutable torch::Tensor kept_;
  mutable int64_t first_ = 0;
};

}  // namespace

RowMapPtr stored_map(torch::Tensor x) {
  check(x.dim() == 4 && x.size(0) == 1, ErrorKind::kInternal, "stored_map: expected [1, C, H, W], got ",
        x.sizes());
  return std::make_shared<StoredMap>(std::move(x));
}
RowMapPtr mapped(RowMapPtr x, PixelFn f) { return std::make_shared<MappedMap>(std::move(x), std::move(f)); }
RowMapPtr added(RowMapPtr a, RowMapPtr b) { return std::make_shared<SumMap>(std::move(a), std::move(b)); }
RowMapPtr convolved(RowMapPtr x, Conv2d conv) {
  return std::make_shared<ConvolvedMap>(std::move(x), std::move(conv));
}
RowMapPtr halved(RowMapPtr x, Conv2d conv) {
  return std::make_shared<HalvedMap>(std::move(x), std::move(conv));
}
RowMapPtr doubled(RowMapPtr x) { return std::make_shared<DoubledMap>(std::move(x)); }
RowMapPtr folded(RowMapPtr x, int64_t factor) { return std::make_shared<FoldedMap>(std::move(x), factor); }
RowMapPtr unfolded(RowMapPtr x, int64_t factor) {
  return std::make_shared<UnfoldedMap>(std::move(x), factor);
}
RowMapPtr remembered(RowMapPtr x) { return std::make_shared<RememberedMap>(std::move(x)); }

}  // namespace ldm
