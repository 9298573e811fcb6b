#include "ldm/nn/row_store.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/stopped.h"

namespace ldm {
namespace {

constexpr int64_t kFewestRows = 8;     // Fewer, and most of the work would be for rows that are dropped.
constexpr int64_t kRowsAlignment = 4;  // Winograd's tiles then lie as in the whole map.
// Of a band: what a chain of layers has in memory at once, in rows of its result.
constexpr int64_t kBandMaps = 8;
constexpr int64_t kOwnPages = int64_t{16} << 20;
constexpr int64_t kMostForBands = int64_t{256} << 20;

// What earlier work left free in the heap may lie between small blocks, where nothing large fits any more.
void give_back_holes() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

// Uninitialised, in channels-last order. Large maps on the CPU get pages of their own: in the heap, which is
// not given back, they would leave holes that the next larger one does not fit into.
torch::Tensor empty_map(const RowMap& like, const at::TensorOptions& options) {
  const std::vector<int64_t> shape{1, like.channels(), like.height(), like.width()};
  const int64_t values = like.channels() * like.height() * like.width();
  const size_t bytes = static_cast<size_t>(values) * options.dtype().itemsize();
  if (!options.device().is_cpu() || like.bytes() < kOwnPages)
    return at::empty(shape, options, at::MemoryFormat::ChannelsLast);
  void* const pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  const int64_t row = like.channels() * like.width();
  const std::vector<int64_t> strides{row * like.height(), 1, row, like.channels()};
  return at::from_blob(
      pages, shape, strides, [bytes](void* p) { munmap(p, bytes); }, options);
}

// A map whose bytes are counted for as long as it lives.
class CountedMap : public RowMap {
 public:
  CountedMap(torch::Tensor x, std::shared_ptr<int64_t> used)
      : RowMap(x.size(1), x.size(2), x.size(3)), x_(std::move(x)), used_(std::move(used)) {
    *used_ += bytes();
  }
  ~CountedMap() override { *used_ -= bytes(); }
  torch::Tensor rows(int64_t first, int64_t last) const override { return x_.narrow(2, first, last - first); }
  torch::Tensor stored() const override { return x_; }

 private:
  torch::Tensor x_;
  std::shared_ptr<int64_t> used_;
};

}  // namespace

RowStore::RowStore(const CodingLimits& limits) : limits_(limits), used_(std::make_shared<int64_t>(0)) {
  check(limits.memory >= 0 && limits.band >= 0 && limits.band != 1,
        "RowStore: expected memory >= 0 and bands of 2 rows or more, got ", limits.memory, " and ",
        limits.band);
}

bool RowStore::has_room(int64_t bytes) const {
  return limits_.memory == 0 || *used_ + bytes <= limits_.memory - band_bytes();
}

bool RowStore::has_scratch(int64_t bytes) const { return limits_.memory == 0 || bytes <= band_bytes(); }

int64_t RowStore::band_bytes() const { return std::min(kMostForBands, limits_.memory / 4); }

RowMapPtr RowStore::adopt(torch::Tensor x) const {
  check(x.dim() == 4 && x.size(0) == 1, ErrorKind::kInternal, "RowStore: expected [1, C, H, W], got ",
        x.sizes());
  return std::make_shared<CountedMap>(std::move(x), used_);
}

bool RowStore::owns(const RowMapPtr& x) const { return dynamic_cast<const CountedMap*>(x.get()) != nullptr; }

int64_t RowStore::band_rows(const RowMap& x) const {
  if (limits_.band > 0) return limits_.band;
  if (limits_.memory == 0) return x.height();
  const int64_t fitting = band_bytes() / (kBandMaps * x.row_bytes());
  return std::max(kFewestRows, fitting / kRowsAlignment * kRowsAlignment);
}

void RowStore::for_bands(const RowMap& x,
                         const std::function<void(int64_t, const torch::Tensor&)>& use) const {
  const int64_t step = band_rows(x);
  if (limits_.memory > 0 && x.bytes() >= kOwnPages) give_back_holes();
  for (int64_t first = 0; first < x.height(); first += step) {
    check_stop(limits_.stop, "coding: stopped");
    use(first, x.rows(first, std::min(first + step, x.height())));
  }
}

torch::Tensor RowStore::whole(const RowMapPtr& x) const {
  if (x->stored().defined()) return x->stored();
  torch::Tensor out;
  for_bands(*x, [&](int64_t first, const torch::Tensor& rows) {
    if (!out.defined()) out = empty_map(*x, rows.options());
    out.narrow(2, first, rows.size(2)).copy_(rows);
  });
  return out;
}

RowMapPtr RowStore::kept(const RowMapPtr& x) const { return x->stored().defined() ? x : adopt(whole(x)); }
RowMapPtr RowStore::kept_if_room(const RowMapPtr& x) const { return has_room(x->bytes()) ? kept(x) : x; }

RowMapPtr RowStore::kept_in_place(const RowMapPtr& result, const RowMapPtr& x) const {
  check(owns(x) && result->bytes() == x->bytes(), ErrorKind::kInternal,
        "RowStore: expected a map of its own, of the result's size");
  const auto target = x->stored();
  // A band enters the map once the next one, which needs its last rows as they were, is made.
  torch::Tensor waiting;
  int64_t at = 0;
  for_bands(*result, [&](int64_t first, const torch::Tensor& rows) {
    if (waiting.defined()) target.narrow(2, at, waiting.size(2)).copy_(waiting);
    waiting = rows;
    at = first;
  });
  target.narrow(2, at, waiting.size(2)).copy_(waiting);
  return x;
}

std::shared_ptr<const NormSums> RowStore::sums(const RowMapPtr& x, const GroupNorm& norm, int64_t groups,
                                               double eps) const {
  auto sums = std::make_shared<NormSums>(norm, groups, eps);
  for_bands(*x, [&](int64_t, const torch::Tensor& rows) { sums->add(rows); });
  return sums;
}

}  // namespace ldm
