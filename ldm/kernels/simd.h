#pragma once

// Eight floats, and what the kernels of this folder do with them. Functions marked LDM_SIMD are compiled for
// AVX2 and FMA whatever the build's flags; they may run only where simd_available() is true.

#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#define LDM_SIMD __attribute__((target("avx2,fma")))
#else
#define LDM_SIMD
#endif
#define LDM_SIMD_INLINE LDM_SIMD __attribute__((always_inline)) inline

namespace ldm {

// Does this machine have what LDM_SIMD functions are compiled for?
inline bool simd_available() {
#if defined(__x86_64__)
  static const bool available = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return available;
#else
  return false;
#endif
}

}  // namespace ldm

// The helpers have internal linkage: their code depends on LDM_SIMD.
namespace ldm::simd {

#if defined(__x86_64__)
using Vec = __m256;
LDM_SIMD_INLINE static Vec load(const float* p) { return _mm256_loadu_ps(p); }
LDM_SIMD_INLINE static void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
LDM_SIMD_INLINE static Vec broadcast(float x) { return _mm256_set1_ps(x); }
LDM_SIMD_INLINE static Vec zero() { return _mm256_setzero_ps(); }
// a * b + c with one rounding.
LDM_SIMD_INLINE static Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
LDM_SIMD_INLINE static Vec clamp(Vec x, float low, float high) {
  return _mm256_min_ps(_mm256_max_ps(x, broadcast(low)), broadcast(high));
}
LDM_SIMD_INLINE static Vec round(Vec x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// 2^n for whole n in [-126, 127].
LDM_SIMD_INLINE static Vec power_of_two(Vec n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}
#else
// Elsewhere the compiler's own vectors, so that the code still compiles.
using Vec = float __attribute__((vector_size(32)));
LDM_SIMD_INLINE static Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
LDM_SIMD_INLINE static void store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof(v)); }
LDM_SIMD_INLINE static Vec zero() { return Vec{}; }
LDM_SIMD_INLINE static Vec broadcast(float x) { return zero() + x; }
LDM_SIMD_INLINE static Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
LDM_SIMD_INLINE static Vec clamp(Vec x, float low, float high) {
  for (int i = 0; i < 8; ++i) x[i] = std::fmin(std::fmax(x[i], low), high);
  return x;
}
LDM_SIMD_INLINE static Vec round(Vec x) {
  for (int i = 0; i < 8; ++i) x[i] = std::nearbyint(x[i]);
  return x;
}
LDM_SIMD_INLINE static Vec power_of_two(Vec n) {
  for (int i = 0; i < 8; ++i) n[i] = std::ldexp(1.0F, static_cast<int>(n[i]));
  return n;
}
#endif

// e^x to about one unit in the last place: x = n ln 2 + r, and the polynomial of Cephes' expf for e^r.
// Arguments are clamped to [-87, 87].
LDM_SIMD_INLINE static Vec exp(Vec x) {
  x = clamp(x, -87.0F, 87.0F);
  const Vec n = round(x * broadcast(1.44269504F));
  Vec r = fma(n, broadcast(-0.693359375F), x);
  r = fma(n, broadcast(2.12194440e-4F), r);
  Vec p = broadcast(1.9875691500e-4F);
  p = fma(p, r, broadcast(1.3981999507e-3F));
  p = fma(p, r, broadcast(8.3334519073e-3F));
  p = fma(p, r, broadcast(4.1665795894e-2F));
  p = fma(p, r, broadcast(1.6666665459e-1F));
  p = fma(p, r, broadcast(5.0000001201e-1F));
  return fma(p, r * r, r + broadcast(1.0F)) * power_of_two(n);
}

}  // namespace ldm::simd
