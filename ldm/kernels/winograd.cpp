#include "ldm/kernels/winograd.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "ldm/kernels/gemm.h"
#include "ldm/kernels/parallel.h"
#include "ldm/kernels/winograd_transforms.h"

namespace ldm {
namespace {

constexpr int64_t kLanes = 8;
// Transformed inputs and products of one block of tiles; the L3 cache holds them beside the weights.
constexpr int64_t kBlockBytes = 6 << 20;

// Distances in the two scratch arrays [points][tiles][channels]. An odd number of cache lines is added where
// equal positions of neighbours would otherwise fall into the same set of the cache.
struct ScratchShape {
  int64_t row, slice;
  ScratchShape(int64_t channels, int64_t tiles) : row(channels % 512 == 0 ? channels + 16 : channels) {
    slice = (row * tiles + 31) / 32 * 32 + 16;
  }
};

struct WinogradImage {
  int64_t height, width, tiles_down, tiles_across;
  int64_t tiles() const { return tiles_down * tiles_across; }
};

// Where a tile of m x m outputs lies.
struct TilePlace {
  int64_t image, y, x;
};
template <int m>
TilePlace place_of(const WinogradImage& g, int64_t tile) {
  const int64_t inside = tile % g.tiles();
  return {.image = tile / g.tiles(), .y = inside / g.tiles_across * m, .x = inside % g.tiles_across * m};
}

// B^T d B of one tile for all channels: out[point * slice + c].
template <int m>
LDM_SIMD void transform_input(const float* x, int64_t channels, const WinogradImage& g, TilePlace at,
                              float* out, int64_t slice) {
  using W = Winograd<m>;
  constexpr int t = W::kPoints;
  const float* pixel[t][t];  // Null outside of the image.
  for (int i = 0; i < t; ++i) {
    for (int j = 0; j < t; ++j) {
      const int64_t py = at.y + i - 1, px = at.x + j - 1;
      const bool inside = py >= 0 && py < g.height && px >= 0 && px < g.width;
      pixel[i][j] = inside ? x + ((at.image * g.height + py) * g.width + px) * channels : nullptr;
    }
  }
  for (int64_t c = 0; c < channels; c += kLanes) {
    simd::Vec columns[t][t];  // [column][row], transformed along the rows' index.
    for (int j = 0; j < t; ++j) {
      simd::Vec d[t];
      for (int i = 0; i < t; ++i) d[i] = pixel[i][j] ? simd::load(pixel[i][j] + c) : simd::zero();
      W::input(d, columns[j]);
    }
    for (int i = 0; i < t; ++i) {
      simd::Vec d[t], out_row[t];
      for (int j = 0; j < t; ++j) d[j] = columns[j][i];
      W::input(d, out_row);
      for (int j = 0; j < t; ++j) simd::store(out + (i * t + j) * slice + c, out_row[j]);
    }
  }
}

// A^T s A of one tile for all channels, cut at the image's edge.
template <int m>
LDM_SIMD void transform_output(const float* s, int64_t slice, int64_t channels, const float* bias,
                               const WinogradImage& g, TilePlace at, float* out) {
  using W = Winograd<m>;
  constexpr int t = W::kPoints;
  const int64_t rows = std::min<int64_t>(m, g.height - at.y), columns = std::min<int64_t>(m, g.width - at.x);
  float* corner = out + ((at.image * g.height + at.y) * g.width + at.x) * channels;
  for (int64_t c = 0; c < channels; c += kLanes) {
    simd::Vec half[t][m];  // [column][row]
    for (int j = 0; j < t; ++j) {
      simd::Vec column[t];
      for (int i = 0; i < t; ++i) column[i] = simd::load(s + (i * t + j) * slice + c);
      W::output(column, half[j]);
    }
    const simd::Vec start = bias ? simd::load(bias + c) : simd::zero();
    for (int64_t i = 0; i < rows; ++i) {
      simd::Vec row[t], result[m];
      for (int j = 0; j < t; ++j) row[j] = half[j][i];
      W::output(row, result);
      float* to = corner + i * g.width * channels + c;
      for (int64_t j = 0; j < columns; ++j) simd::store(to + j * channels, result[j] + start);
    }
  }
}

// G g G^T for eight outputs of one input channel; g[tap][lane] -> out[point * point_stride + lane].
template <int m>
LDM_SIMD void transform_weight(const float (&g)[9][kLanes], float* out, int64_t point_stride) {
  using W = Winograd<m>;
  constexpr int t = W::kPoints;
  simd::Vec columns[3][t];
  for (int j = 0; j < 3; ++j) {
    const simd::Vec column[3] = {simd::load(g[j]), simd::load(g[3 + j]), simd::load(g[6 + j])};
    W::weight(column, columns[j]);
  }
  for (int i = 0; i < t; ++i) {
    const simd::Vec row[3] = {columns[0][i], columns[1][i], columns[2][i]};
    simd::Vec result[t];
    W::weight(row, result);
    for (int j = 0; j < t; ++j) simd::store(out + (i * t + j) * point_stride, result[j]);
  }
}

template <int m>
void pack(const float* weight, int64_t in, int64_t out_channels, float* points) {
  const int64_t panels = (out_channels + kPanelColumns - 1) / kPanelColumns;
  const int64_t point_stride = panels * in * kPanelColumns;
  parallel_for(0, panels * 2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t half = begin; half < end; ++half) {
      const int64_t first = half * kLanes, lanes = std::clamp<int64_t>(out_channels - first, 0, kLanes);
      float* to = points + half / 2 * in * kPanelColumns + half % 2 * kLanes;
      for (int64_t c = 0; c < in; ++c) {
        float g[9][kLanes] = {};
        for (int64_t lane = 0; lane < lanes; ++lane) {
          const float* from = weight + ((first + lane) * in + c) * 9;
          for (int tap = 0; tap < 9; ++tap) g[tap][lane] = from[tap];
        }
        transform_weight<m>(g, to + c * kPanelColumns, point_stride);
      }
    }
  });
}

template <int m>
void convolve(const float* x, int64_t n, int64_t height, int64_t width, const WinogradWeights& w,
              float* out) {
  constexpr int64_t t2 = Winograd<m>::kPoints * Winograd<m>::kPoints;
  const WinogradImage g{height, width, (height + m - 1) / m, (width + m - 1) / m};
  const int64_t in = w.in_channels, panels = w.points.size(1), padded = panels * kPanelColumns;
  const int64_t tiles = n * g.tiles();
  const int64_t fitting = kBlockBytes / (t2 * (in + padded) * static_cast<int64_t>(sizeof(float)));
  const int64_t block = std::min(tiles, std::max<int64_t>(24, fitting / 6 * 6));
  const ScratchShape v(in, block), s(padded, block);
  const auto scratch = at::empty({t2 * (v.slice + s.slice)}, at::kFloat);
  float* const inputs = scratch.data_ptr<float>();
  float* const products = inputs + t2 * v.slice;
  const float* points = w.points.const_data_ptr<float>();
  const float* bias = w.bias.defined() ? w.bias.const_data_ptr<float>() : nullptr;

  for (int64_t first = 0; first < tiles; first += block) {
    const int64_t count = std::min(block, tiles - first);
    parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        transform_input<m>(x, in, g, place_of<m>(g, first + i), inputs + i * v.row, v.slice);
    });
    parallel_for(0, t2 * panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t point = unit / panels, panel = unit % panels;
        multiply_panels({.a = inputs + point * v.slice,
                         .a_stride = v.row,
                         .rows = count,
                         .k = in,
                         .b = points + unit * in * kPanelColumns,
                         .panels = 1,
                         .out = products + point * s.slice + panel * kPanelColumns,
                         .out_stride = s.row,
                         .columns = kPanelColumns});
      }
    });
    parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        transform_output<m>(products + i * s.row, s.slice, w.out_channels, bias, g, place_of<m>(g, first + i),
                            out);
    });
  }
}

}  // namespace

bool winograd_takes(int64_t in_channels, int64_t out_channels) {
  return in_channels % kLanes == 0 && out_channels % kLanes == 0;
}

WinogradWeights pack_winograd(const at::Tensor& weight, const at::Tensor& bias, int64_t m) {
  const int64_t out_channels = weight.size(0), in = weight.size(1), points = (m + 2) * (m + 2);
  WinogradWeights w{.m = m, .in_channels = in, .out_channels = out_channels, .points = {}, .bias = {}};
  w.points =
      at::empty({points, (out_channels + kPanelColumns - 1) / kPanelColumns, in, kPanelColumns}, at::kFloat);
  w.bias = pack_bias(bias, out_channels);
  const auto plain = weight.detach().to(at::kFloat).contiguous();
  const auto* from = plain.const_data_ptr<float>();
  auto* to = w.points.data_ptr<float>();
  m == 4 ? pack<4>(from, in, out_channels, to) : pack<2>(from, in, out_channels, to);
  return w;
}

void winograd_conv(const float* x, int64_t n, int64_t height, int64_t width, const WinogradWeights& w,
                   float* out) {
  w.m == 4 ? convolve<4>(x, n, height, width, w, out) : convolve<2>(x, n, height, width, w, out);
}

}  // namespace ldm
