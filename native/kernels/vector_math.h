// Elementary functions over vectors of 16, built from the same operations on every instruction set.
#pragma once

#include <stddef.h>
#include <string.h>

namespace tars {
namespace TARS_ISA {

inline F32 loadPartial(const float* p, size_t count) {
  if (count >= 16) return load(p);
  float padded[16] = {};
  memcpy(padded, p, count * sizeof(float));
  return load(padded);
}

inline void storePartial(float* p, F32 a, size_t count) {
  if (count >= 16) return store(p, a);
  float padded[16];
  store(padded, a);
  memcpy(p, padded, count * sizeof(float));
}

// Sum of the lanes as a fixed tree of halves.
inline float sumOf(F32 a) {
  float lanes[16];
  store(lanes, a);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

inline float maxOf(F32 a) {
  float lanes[16];
  store(lanes, a);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) lanes[i] = lanes[i] > lanes[i + width] ? lanes[i] : lanes[i + width];
  }
  return lanes[0];
}

// e^x to about 1 ulp: 2^n times a polynomial of x - n ln 2 (coefficients of Cephes' expf). e^0 is exactly 1; below -87 the
// result is exactly 0, so that masked scores add nothing; above 88 it stays at e^88.
inline F32 exponential(F32 x) {
  const F32 clamped = vmax(vmin(x, splat(88.0f)), splat(-87.0f));
  const F32 magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
  const F32 n = sub(fmadd(clamped, splat(1.44269504088896341f), magic), magic);
  F32 r = fmadd(n, splat(-0.693359375f), clamped);
  r = fmadd(n, splat(2.12194440e-4f), r);
  F32 p = splat(1.9875691500e-4f);
  p = fmadd(p, r, splat(1.3981999507e-3f));
  p = fmadd(p, r, splat(8.3334519073e-3f));
  p = fmadd(p, r, splat(4.1665795894e-2f));
  p = fmadd(p, r, splat(1.6666665459e-1f));
  p = fmadd(p, r, splat(5.0000001201e-1f));
  p = add(fmadd(p, mul(r, r), r), splat(1.0f));
  return whereLess(x, splat(-87.0f), splat(0.0f), scaleByPower(p, n));
}

inline float exponential(float x) {
  float lanes[16];
  store(lanes, exponential(splat(x)));
  return lanes[0];
}

// x / (1 + e^-x)
inline F32 silu(F32 x) { return div(x, add(splat(1.0f), exponential(sub(splat(0.0f), x)))); }

// x/2 (1 + tanh(u)) = x / (1 + e^-2u), u = sqrt(2/pi) (x + 0.044715 x^3)
inline F32 geluTanh(F32 x) {
  const F32 cubic = fmadd(mul(mul(x, x), x), splat(0.044715f), x);
  return div(x, add(splat(1.0f), exponential(mul(cubic, splat(-2.0f * 0.7978845608028654f)))));
}

// 1 - 2 / (e^2x + 1)
inline F32 tanh(F32 x) {
  const F32 e = exponential(mul(x, splat(2.0f)));
  return sub(splat(1.0f), div(splat(2.0f), add(e, splat(1.0f))));
}

}  // namespace TARS_ISA
}  // namespace tars
