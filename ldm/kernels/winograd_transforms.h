#pragma once

#include "ldm/kernels/simd.h"

namespace ldm {

// One-dimensional transforms of F(m, 3) on eight channels at once: d -> B^T d, g -> G g, s -> A^T s.
// Lavin & Gray 2015, Sec. 4; for other points p the rows follow from the polynomials prod_{q != p} (x - q).
template <int m>
struct Winograd;

// Points 0, 1, -1, infinity.
template <>
struct Winograd<2> {
  using Vec = simd::Vec;
  static constexpr int kPoints = 4;

  LDM_SIMD_INLINE static void input(const Vec* d, Vec* out) {
    out[0] = d[0] - d[2];
    out[1] = d[1] + d[2];
    out[2] = d[2] - d[1];
    out[3] = d[1] - d[3];
  }
  LDM_SIMD_INLINE static void weight(const Vec* g, Vec* out) {
    const Vec half = simd::broadcast(0.5F), even = half * (g[0] + g[2]), odd = half * g[1];
    out[0] = g[0];
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = g[2];
  }
  LDM_SIMD_INLINE static void output(const Vec* s, Vec* out) {
    out[0] = s[0] + s[1] + s[2];
    out[1] = s[1] - s[2] - s[3];
  }
};

// Points 0, +-a, +-b, infinity with a = sqrt(1/2), b = sqrt(2): a b = 1, a^2 + b^2 = 5/2.
template <>
struct Winograd<4> {
  using Vec = simd::Vec;
  static constexpr int kPoints = 6;
  static constexpr float kA = 0.70710678118654752F, kB = 1.4142135623730951F;

  LDM_SIMD_INLINE static void input(const Vec* d, Vec* out) {
    const Vec sum = simd::broadcast(2.5F), a = simd::broadcast(kA), b = simd::broadcast(kB);
    const Vec even_a = d[4] - simd::broadcast(2.0F) * d[2], odd_a = a * d[3] - b * d[1];
    const Vec even_b = d[4] - simd::broadcast(0.5F) * d[2], odd_b = b * d[3] - a * d[1];
    out[0] = d[0] + d[4] - sum * d[2];
    out[1] = even_a + odd_a;
    out[2] = even_a - odd_a;
    out[3] = even_b + odd_b;
    out[4] = even_b - odd_b;
    out[5] = d[1] + d[5] - sum * d[3];
  }
  // Rows (1, p, p^2) / prod_{q != p} (p - q): the divisors are 1 (p = 0), 2 a^2 (a^2 - b^2) = -3/2 (p = +-a)
  // and 2 b^2 (b^2 - a^2) = 6 (p = +-b).
  LDM_SIMD_INLINE static void weight(const Vec* g, Vec* out) {
    const Vec scale_a = simd::broadcast(-2.0F / 3.0F), scale_b = simd::broadcast(1.0F / 6.0F);
    const Vec even_a = scale_a * (g[0] + simd::broadcast(0.5F) * g[2]),
              odd_a = scale_a * (simd::broadcast(kA) * g[1]);
    const Vec even_b = scale_b * (g[0] + simd::broadcast(2.0F) * g[2]),
              odd_b = scale_b * (simd::broadcast(kB) * g[1]);
    out[0] = g[0];
    out[1] = even_a + odd_a;
    out[2] = even_a - odd_a;
    out[3] = even_b + odd_b;
    out[4] = even_b - odd_b;
    out[5] = g[2];
  }
  // Rows (p^i); infinity enters the last.
  LDM_SIMD_INLINE static void output(const Vec* s, Vec* out) {
    const Vec even_a = s[1] + s[2], odd_a = s[1] - s[2], even_b = s[3] + s[4], odd_b = s[3] - s[4];
    out[0] = s[0] + even_a + even_b;
    out[1] = simd::broadcast(kA) * odd_a + simd::broadcast(kB) * odd_b;
    out[2] = simd::broadcast(0.5F) * even_a + simd::broadcast(2.0F) * even_b;
    out[3] = simd::broadcast(0.5F * kA) * odd_a + simd::broadcast(2.0F * kB) * odd_b + s[5];
  }
};

}  // namespace ldm
