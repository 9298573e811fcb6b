#include "ldm/kernels/gemm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "ldm/kernels/parallel.h"
#include "ldm/kernels/simd.h"

namespace ldm {
namespace {

constexpr int64_t kTileRows = 6;   // 12 accumulators of 8 floats, 2 of b and 1 of a fill the 16 registers.
constexpr int64_t kRowBlock = 96;  // Rows whose k-range stays in the L2 cache while all panels pass by.
constexpr int64_t kDepthBlock = 640;

// out[0..Rows, 0..16] = start + a b, where start is out itself (accumulate), the bias, or zero.
template <size_t... Row>
LDM_SIMD inline void gemm_tile(std::index_sequence<Row...>, const float* a, int64_t a_stride, const float* b,
                               int64_t k, float* out, int64_t out_stride, const float* bias,
                               bool accumulate) {
  using namespace simd;
  Vec acc[sizeof...(Row)][2];
  if (accumulate) {
    ((acc[Row][0] = load(out + Row * out_stride), acc[Row][1] = load(out + Row * out_stride + 8)), ...);
  } else {
    const Vec left = bias ? load(bias) : zero(), right = bias ? load(bias + 8) : zero();
    ((acc[Row][0] = left, acc[Row][1] = right), ...);
  }
  for (int64_t i = 0; i < k; ++i) {
    const Vec left = load(b), right = load(b + 8);
    __builtin_prefetch(b + 512);  // 32 steps ahead, into the next page where the hardware stops.
    b += 16;
    const auto row = [&](Vec(&sum)[2], float x) LDM_SIMD __attribute__((always_inline)) {
      const Vec factor = broadcast(x);
      sum[0] = fma(factor, left, sum[0]);
      sum[1] = fma(factor, right, sum[1]);
    };
    (row(acc[Row], a[Row * a_stride + i]), ...);
  }
  ((store(out + Row * out_stride, acc[Row][0]), store(out + Row * out_stride + 8, acc[Row][1])), ...);
}

template <size_t Rows>
LDM_SIMD void gemm_tile_of(const float* a, int64_t a_stride, const float* b, int64_t k, float* out,
                           int64_t out_stride, const float* bias, bool accumulate) {
  gemm_tile(std::make_index_sequence<Rows>(), a, a_stride, b, k, out, out_stride, bias, accumulate);
}

using GemmTile = void (*)(const float*, int64_t, const float*, int64_t, float*, int64_t, const float*, bool);
constexpr GemmTile kGemmTiles[kTileRows + 1] = {nullptr,         gemm_tile_of<1>, gemm_tile_of<2>,
                                                gemm_tile_of<3>, gemm_tile_of<4>, gemm_tile_of<5>,
                                                gemm_tile_of<6>};

// A tile of the last panel, of which only some columns exist.
void cut_tile(int64_t rows, const float* a, int64_t a_stride, const float* b, int64_t k, float* out,
              int64_t out_stride, int64_t columns, const float* bias, bool accumulate) {
  float whole[kTileRows * kPanelColumns] = {};
  const auto bytes = static_cast<size_t>(columns) * sizeof(float);
  if (accumulate) {
    for (int64_t r = 0; r < rows; ++r) std::memcpy(whole + r * kPanelColumns, out + r * out_stride, bytes);
  }
  kGemmTiles[rows](a, a_stride, b, k, whole, kPanelColumns, bias, accumulate);
  for (int64_t r = 0; r < rows; ++r) std::memcpy(out + r * out_stride, whole + r * kPanelColumns, bytes);
}

}  // namespace

void multiply_panels(const PanelProduct& p) {
  for (int64_t j = 0; j < p.panels; ++j) {
    const float* b = p.b + j * p.b_stride;
    const int64_t column = j * kPanelColumns;
    const int64_t columns = std::min(kPanelColumns, p.columns - column);
    const float* bias = p.bias ? p.bias + column : nullptr;
    for (int64_t i = 0; i < p.rows; i += kTileRows) {
      const int64_t rows = std::min(kTileRows, p.rows - i);
      const float* a = p.a + i * p.a_stride;
      float* out = p.out + i * p.out_stride + column;
      if (columns == kPanelColumns) {
        kGemmTiles[rows](a, p.a_stride, b, p.k, out, p.out_stride, bias, p.accumulate);
      } else {
        cut_tile(rows, a, p.a_stride, b, p.k, out, p.out_stride, columns, bias, p.accumulate);
      }
    }
  }
}

const float* DenseRows::rows(int64_t first, int64_t count, int64_t k0, int64_t k1, float* buffer,
                             int64_t* stride) const {
  const float* from = data_ + first * columns_ + k0;
  if (columns_ % 1024 != 0) {
    *stride = columns_;
    return from;
  }
  *stride = stride_in_buffer(k1 - k0);
  const auto bytes = static_cast<size_t>(k1 - k0) * sizeof(float);
  for (int64_t r = 0; r < count; ++r) std::memcpy(buffer + r * *stride, from + r * columns_, bytes);
  return buffer;
}

at::Tensor pack_bias(const at::Tensor& bias, int64_t n) {
  if (!bias.defined()) return {};
  auto out = at::zeros({(n + kPanelColumns - 1) / kPanelColumns * kPanelColumns}, at::kFloat);
  out.narrow(0, 0, n).copy_(bias.detach());
  return out;
}

PackedMatrix pack_transposed(const at::Tensor& weight, const at::Tensor& bias) {
  PackedMatrix out{.k = weight.size(1), .n = weight.size(0), .panels = {}, .bias = {}};
  out.panels = at::empty({out.panel_count(), out.k, kPanelColumns}, at::kFloat);
  const int64_t whole = out.n / kPanelColumns, rest = out.n % kPanelColumns;
  const auto source = weight.detach();
  if (whole > 0) {
    const auto rows = source.narrow(0, 0, whole * kPanelColumns).unflatten(0, {whole, kPanelColumns});
    out.panels.narrow(0, 0, whole).copy_(rows.transpose(1, 2));
  }
  if (rest > 0) {
    auto last = out.panels.select(0, whole);  // [k, 16]
    last.zero_();
    last.narrow(1, 0, rest).copy_(source.narrow(0, whole * kPanelColumns, rest).t());
  }
  out.bias = pack_bias(bias, out.n);
  return out;
}

void gemm(const RowSource& a, int64_t m, const PackedMatrix& b, float* out, int64_t out_stride) {
  if (m == 0 || b.n == 0) return;
  const int64_t blocks = (m + kRowBlock - 1) / kRowBlock;
  const int64_t block_rows = ((m + blocks - 1) / blocks + kTileRows - 1) / kTileRows * kTileRows;
  const int64_t threads = at::get_num_threads(), panels = b.panel_count();
  const int64_t groups = blocks % threads == 0 ? 1 : std::min(threads, panels);  // Of panels, for even work.
  const int64_t group_panels = (panels + groups - 1) / groups;
  const float* packed = b.panels.const_data_ptr<float>();
  const float* bias = b.bias.defined() ? b.bias.const_data_ptr<float>() : nullptr;
  parallel_for(0, blocks * groups, 1, [&](int64_t begin, int64_t end) {
    const auto depth = std::min(b.k, kDepthBlock);
    const auto scratch = at::empty({block_rows * RowSource::stride_in_buffer(depth)}, at::kFloat);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task / groups * block_rows, panel = task % groups * group_panels;
      PanelProduct p{.rows = std::min(block_rows, m - row),
                     .b_stride = b.k * kPanelColumns,
                     .panels = std::min(group_panels, panels - panel),
                     .out = out + row * out_stride + panel * kPanelColumns,
                     .out_stride = out_stride,
                     .columns = b.n - panel * kPanelColumns,
                     .bias = bias ? bias + panel * kPanelColumns : nullptr};
      if (p.rows <= 0 || p.panels <= 0) continue;
      for (int64_t k0 = 0; k0 < b.k; k0 += kDepthBlock) {
        const int64_t k1 = std::min(b.k, k0 + kDepthBlock);
        p.a = a.rows(row, p.rows, k0, k1, scratch.data_ptr<float>(), &p.a_stride);
        p.b = packed + (panel * b.k + k0) * kPanelColumns;
        p.k = k1 - k0;
        p.accumulate = k0 > 0;
        multiply_panels(p);
      }
    }
  });
}

}  // namespace ldm
