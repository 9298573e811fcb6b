#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace ldm {

// Matrix products with a right side that is packed once, for weights that serve many times. The packed form
// is [ceil(n / 16)][k][16]: panels of 16 columns, which the inner kernel (6 rows x 16 columns in registers)
// reads from front to back. Each output is one chain of fused multiply-adds over k in an order that does not
// depend on the other rows or on the number of threads: a row has the same bits in every batch. All of this
// needs simd_available().

inline constexpr int64_t kPanelColumns = 16;

struct PackedMatrix {
  int64_t k = 0, n = 0;
  at::Tensor panels;  // float [ceil(n / 16), k, 16], zeros in the missing columns.
  at::Tensor bias;    // float [16 ceil(n / 16)]; undefined without one.

  int64_t panel_count() const { return (n + kPanelColumns - 1) / kPanelColumns; }
};

// weight [n, k] (any strides; float, half or bfloat16; CPU), as a linear layer stores it; bias [n] or
// undefined.
PackedMatrix pack_transposed(const at::Tensor& weight, const at::Tensor& bias);
// bias [n] -> [16 ceil(n / 16)] in float; undefined stays undefined.
at::Tensor pack_bias(const at::Tensor& bias, int64_t n);

// Where the rows of the left side come from.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // Columns [k0, k1) of rows [first, first + count): a pointer to the first of them, and in *stride the
  // distance of rows. May write them to `buffer`, which has room for count rows of stride_in_buffer(k1 - k0).
  virtual const float* rows(int64_t first, int64_t count, int64_t k0, int64_t k1, float* buffer,
                            int64_t* stride) const = 0;
  // Never a multiple of 4096 bytes, where rows would fight for the same lines of the cache.
  static int64_t stride_in_buffer(int64_t columns) { return (columns + 15) / 16 * 16 + 16; }
};

// Rows that lie in memory one after the other, `columns` floats each.
class DenseRows : public RowSource {
 public:
  DenseRows(const float* data, int64_t columns) : data_(data), columns_(columns) {}
  const float* rows(int64_t first, int64_t count, int64_t k0, int64_t k1, float* buffer,
                    int64_t* stride) const override;

 private:
  const float* data_;
  int64_t columns_;
};

// out[i, :] = a[i, :] b + bias for m rows; out has rows of out_stride floats.
void gemm(const RowSource& a, int64_t m, const PackedMatrix& b, float* out, int64_t out_stride);

// One k-range of the product of some rows with some panels, on the calling thread.
struct PanelProduct {
  const float* a = nullptr;  // [rows, k], rows a_stride apart.
  int64_t a_stride = 0, rows = 0, k = 0;
  const float* b = nullptr;  // First panel, at the first of the k.
  int64_t b_stride = 0;      // Between panels.
  int64_t panels = 0;
  float* out = nullptr;  // [rows, columns], rows out_stride apart.
  int64_t out_stride = 0;
  int64_t columns = 0;          // Valid ones; at most 16 * panels, the last panel may be cut.
  const float* bias = nullptr;  // 16 * panels values to start from, or null.
  bool accumulate = false;      // Start from what `out` holds.
};
void multiply_panels(const PanelProduct& p);

}  // namespace ldm
