#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "ldm/nn/coding_limits.h"
#include "ldm/nn/norm_sums.h"
#include "ldm/nn/row_map.h"

namespace ldm {

// Decides which maps of a network lie in memory as a whole. Those that do not are made again each time that
// somebody asks for their rows: time for memory.
class RowStore {
 public:
  explicit RowStore(const CodingLimits& limits);

  // Whether maps of so many bytes fit beside those that are kept and the bands.
  bool has_room(int64_t bytes) const;
  // Whether work that needs so many bytes for a moment, as much as a band may, can be done at once.
  bool has_scratch(int64_t bytes) const;

  RowMapPtr adopt(torch::Tensor x) const;    // A map that was made as a whole: [1, C, H, W].
  RowMapPtr kept(const RowMapPtr& x) const;  // x in memory, room or not.
  RowMapPtr kept_if_room(const RowMapPtr& x) const;
  // The result of a residual block takes the place of its input: x, which was made by this store, must not be
  // used any more; `result` needs of it the rows that it makes and at most two more on each side.
  RowMapPtr kept_in_place(const RowMapPtr& result, const RowMapPtr& x) const;
  bool owns(const RowMapPtr& x) const;  // Whether the map's memory was taken by this store.

  torch::Tensor whole(const RowMapPtr& x) const;  // As one tensor that belongs to the caller.
  std::shared_ptr<const NormSums> sums(const RowMapPtr& x, const GroupNorm& norm, int64_t groups,
                                       double eps) const;

 private:
  void for_bands(const RowMap& x,
                 const std::function<void(int64_t first, const torch::Tensor& rows)>& use) const;
  int64_t band_rows(const RowMap& x) const;
  int64_t band_bytes() const;  // What is set aside for making a band: at most a quarter of the memory.

  CodingLimits limits_;
  std::shared_ptr<int64_t> used_;  // Bytes of the maps that are kept.
};

}  // namespace ldm
