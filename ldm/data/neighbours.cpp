#include "ldm/data/neighbours.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/safetensors.h"

namespace ldm {
namespace {

constexpr int64_t kSearchChunk = 1 << 24;  // Scores computed at once: 64 MiB.

torch::Tensor unit_rows(const torch::Tensor& rows, const char* who) {
  check(rows.dim() == 2 && rows.size(0) >= 1 && rows.size(1) >= 1 && rows.is_floating_point(), who,
        ": expected floating-point rows [N, D], got ", rows.sizes());
  const torch::Tensor values = rows.detach().to(at::kCPU, at::kFloat).contiguous();
  const torch::Tensor length = values.norm(2, {1}, true);
  check(length.isfinite().all().item<bool>() && length.gt(0).all().item<bool>(), who,
        ": expected rows that are finite and not all zero");
  return values / length;
}

at::ScalarType neighbour_type(DType dtype, const std::string& what) {
  switch (dtype) {
    case DType::kF32:
      return at::kFloat;
    case DType::kF16:
      return at::kHalf;
    case DType::kBF16:
      return at::kBFloat16;
    default:
      fail(ErrorKind::kFormat, what, ": expected embeddings of F32, F16 or BF16, got ", dtype_name(dtype));
  }
}

}  // namespace

NeighbourBank::NeighbourBank(const torch::Tensor& embeddings)
    : embeddings_(unit_rows(embeddings, "NeighbourBank")) {}

NeighbourBank NeighbourBank::read(const std::filesystem::path& path, const std::string& name) {
  const MappedFile file(path);
  for (const TensorEntry& entry : parse_safetensors(file.bytes()).tensors) {
    if (entry.name != name) continue;
    check(entry.shape.size() == 2 && entry.shape[0] >= 1 && entry.shape[1] >= 1, ErrorKind::kFormat,
          path.string(), ": expected ", name, " as [N, D]");
    void* data = const_cast<std::byte*>(entry.data.data());
    return NeighbourBank(at::from_blob(data, entry.shape, neighbour_type(entry.dtype, path.string())));
  }
  fail(ErrorKind::kFormat, path.string(), ": expected a tensor named ", name, ", found none");
}

torch::Tensor NeighbourBank::check_queries(const torch::Tensor& queries, int64_t k,
                                           const std::vector<int64_t>& exclude) const {
  const torch::Tensor unit = unit_rows(queries, "NeighbourBank::search");
  const int64_t count = unit.size(0), most = size() - (exclude.empty() ? 0 : 1);
  check(unit.size(1) == width(), "NeighbourBank::search: expected queries of width ", width(), ", got ",
        unit.size(1));
  check(k >= 1 && k <= most, "NeighbourBank::search: expected 1 to ", most, " neighbours, got ", k);
  check(exclude.empty() || static_cast<int64_t>(exclude.size()) == count,
        "NeighbourBank::search: expected one excluded row a query, got ", exclude.size(), " for ", count);
  return unit;
}

Neighbours NeighbourBank::search(const torch::Tensor& queries, int64_t k,
                                 const std::vector<int64_t>& exclude) const {
  const torch::Tensor unit = check_queries(queries, k, exclude);
  const int64_t count = unit.size(0);
  std::vector<torch::Tensor> indices, scores;
  const int64_t step = std::max<int64_t>(1, kSearchChunk / size());
  for (int64_t begin = 0; begin < count; begin += step) {
    torch::Tensor found = at::matmul(unit.narrow(0, begin, std::min(step, count - begin)), embeddings_.t());
    for (int64_t i = 0; i < found.size(0) && !exclude.empty(); ++i) {
      const int64_t row = exclude[static_cast<size_t>(begin + i)];
      if (row >= 0 && row < size()) found[i][row].fill_(-std::numeric_limits<float>::infinity());
    }
    const auto [best, rows] = found.topk(k, 1, true, true);
    scores.push_back(best);
    indices.push_back(rows);
  }
  return {at::cat(indices), at::cat(scores)};
}

torch::Tensor NeighbourBank::gather(const torch::Tensor& indices) const {
  check(indices.scalar_type() == at::kLong && indices.numel() > 0 && indices.min().item<int64_t>() >= 0 &&
            indices.max().item<int64_t>() < size(),
        "NeighbourBank::gather: expected int64 indices below ", size());
  auto shape = indices.sizes().vec();
  shape.push_back(width());
  return embeddings_.index_select(0, indices.flatten()).view(shape);
}

}  // namespace ldm
