// Vectors of 16 as four NEON registers (arm64 with the dot-product extension).
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "tars/kernels.h"

#define TARS_ISA neon

namespace tars {
namespace TARS_ISA {

constexpr const char* kName = "neon";
constexpr int kPanelRows = panelRowsOf(4);       // 4 tokens: 16 of the 32 registers hold integer sums
constexpr int kFloatPanelRows = panelRowsOf(6);  // 6 tokens: 24 sums
constexpr int kGroupsPerPass = 1;
constexpr int kByteOffset = 0;      // dotBytes takes codes as signed

struct F32 { float32x4_t v[4]; };
struct I32 { int32x4_t v[4]; };
struct Codes { uint8x16_t v[4]; };
using Quad = int8x16_t;

#define TARS_MAP(Result, expression)                     \
  Result r;                                              \
  for (int i = 0; i < 4; i++) { r.v[i] = (expression); } \
  return r

inline F32 load(const float* p) { TARS_MAP(F32, vld1q_f32(p + 4 * i)); }
inline void store(float* p, F32 a) { for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, a.v[i]); }
inline F32 splat(float x) { TARS_MAP(F32, vdupq_n_f32(x)); }
inline F32 add(F32 a, F32 b) { TARS_MAP(F32, vaddq_f32(a.v[i], b.v[i])); }
inline F32 sub(F32 a, F32 b) { TARS_MAP(F32, vsubq_f32(a.v[i], b.v[i])); }
inline F32 mul(F32 a, F32 b) { TARS_MAP(F32, vmulq_f32(a.v[i], b.v[i])); }
inline F32 div(F32 a, F32 b) { TARS_MAP(F32, vdivq_f32(a.v[i], b.v[i])); }
inline F32 vmax(F32 a, F32 b) { TARS_MAP(F32, vmaxq_f32(a.v[i], b.v[i])); }
inline F32 vmin(F32 a, F32 b) { TARS_MAP(F32, vminq_f32(a.v[i], b.v[i])); }
inline F32 fmadd(F32 a, F32 b, F32 c) { TARS_MAP(F32, vfmaq_f32(c.v[i], a.v[i], b.v[i])); }
inline F32 whereLess(F32 a, F32 b, F32 yes, F32 no) { TARS_MAP(F32, vbslq_f32(vcltq_f32(a.v[i], b.v[i]), yes.v[i], no.v[i])); }
inline float32x4_t powerOfTwo(float32x4_t n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23));
}
// x * 2^n for whole n in [-126, 127].
inline F32 scaleByPower(F32 x, F32 n) { TARS_MAP(F32, vmulq_f32(x.v[i], powerOfTwo(n.v[i]))); }

inline F32 loadHalf(const uint16_t* p) { TARS_MAP(F32, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * i)))); }
// The half at any address, 16 times.
inline F32 splatHalf(const void* p) {
  uint16_t half;
  __builtin_memcpy(&half, p, 2);
  const float32x4_t value = vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half)));
  return {{value, value, value, value}};
}
inline void storeHalf(uint16_t* p, F32 a) {
  for (int i = 0; i < 4; i++) vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(a.v[i])));
}
inline F32 loadBfloat(const uint16_t* p) { TARS_MAP(F32, vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16(p + 4 * i)), 16))); }

inline I32 splatInt(int32_t x) { TARS_MAP(I32, vdupq_n_s32(x)); }
inline F32 toFloat(I32 a) { TARS_MAP(F32, vcvtq_f32_s32(a.v[i])); }
inline Codes loadCodes(const uint8_t* p) { TARS_MAP(Codes, vld1q_u8(p + 16 * i)); }
inline Codes lowNibbles(Codes c) { TARS_MAP(Codes, vandq_u8(c.v[i], vdupq_n_u8(15))); }
inline Codes highNibbles(Codes c) { TARS_MAP(Codes, vshrq_n_u8(c.v[i], 4)); }
inline Quad splatQuad(const int8_t* p) {
  int32_t bits;
  __builtin_memcpy(&bits, p, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(bits));
}

// 16 bytes, or their nibbles, to floats.
inline F32 widen(uint8x16_t bytes) {
  const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_u8(vget_high_u8(bytes));
  return {{vcvtq_f32_u32(vmovl_u16(vget_low_u16(low))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(low))),
           vcvtq_f32_u32(vmovl_u16(vget_low_u16(high))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(high)))}};
}
inline F32 loadBytes(const uint8_t* p) { return widen(vld1q_u8(p)); }
inline F32 loadLowNibbles(const uint8_t* p) { return widen(vandq_u8(vld1q_u8(p), vdupq_n_u8(15))); }
inline F32 loadHighNibbles(const uint8_t* p) { return widen(vshrq_n_u8(vld1q_u8(p), 4)); }
inline F32 loadSignedBytes(const uint8_t* p) {
  const int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(p));
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));
  return {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
           vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
}
// 16 exponents e as 2^(e - 128). The largest pattern of an exponent of 0 is that of 2^-127, halved as all the others.
inline float32x4_t halvedPowers(uint16x4_t exponents) {
  const uint32x4_t bits = vmaxq_u32(vshlq_n_u32(vmovl_u16(exponents), 23), vdupq_n_u32(0x00400000));
  return vmulq_f32(vreinterpretq_f32_u32(bits), vdupq_n_f32(0.5f));
}
inline F32 loadHalvedPowers(const uint8_t* p) {
  const uint8x16_t bytes = vld1q_u8(p);
  const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_u8(vget_high_u8(bytes));
  return {{halvedPowers(vget_low_u16(low)), halvedPowers(vget_high_u16(low)), halvedPowers(vget_low_u16(high)), halvedPowers(vget_high_u16(high))}};
}
// Field kField (of 2 bits) of each byte.
template <int kField>
inline Codes twoBits(Codes fields) { TARS_MAP(Codes, vandq_u8(vshlq_u8(fields.v[i], vdupq_n_s8(-2 * kField)), vdupq_n_u8(3))); }
// The entry of a table of 16 for each nibble.
inline Codes lookUp(const uint8_t* table, Codes nibbles) { TARS_MAP(Codes, vqtbl1q_u8(vld1q_u8(table), nibbles.v[i])); }
// Codes plus kValue, a bit that they do not have, where a mask of 64 bits is set.
template <int kValue>
inline Codes addBits(Codes c, const uint8_t* p) {
  const uint8x8_t bit = vcreate_u8(0x8040201008040201);
  const uint8x16_t bits = vcombine_u8(bit, bit);
  for (int i = 0; i < 4; i++) {
    const uint8x16_t mask = vcombine_u8(vdup_n_u8(p[2 * i]), vdup_n_u8(p[2 * i + 1]));
    c.v[i] = vorrq_u8(c.v[i], vandq_u8(vtstq_u8(mask, bits), vdupq_n_u8(kValue)));
  }
  return c;
}
// Nibbles with bits 4 and 5 from field kField (of 2 bits) of each byte.
template <int kField>
inline Codes addTwoBits(Codes c, Codes fields) {
  for (int i = 0; i < 4; i++) {
    const uint8x16_t two = vandq_u8(vshlq_u8(fields.v[i], vdupq_n_s8(4 - 2 * kField)), vdupq_n_u8(0x30));
    c.v[i] = vorrq_u8(c.v[i], two);
  }
  return c;
}

// acc[r] += sum over i < 4 of codes[r * 4 + i] * quad[i], exactly.
inline I32 dotNibbles(I32 acc, Codes c, Quad q) { TARS_MAP(I32, vdotq_s32(acc.v[i], vreinterpretq_s8_u8(c.v[i]), q)); }
inline I32 dotBytes(I32 acc, Codes c, Quad q) {
  TARS_MAP(I32, vdotq_s32(acc.v[i], vreinterpretq_s8_u8(veorq_u8(c.v[i], vdupq_n_u8(0x80))), q));
}

#undef TARS_MAP

// out[16][16] = transposed rows, 4 x 4 at a time.
inline void transpose(const F32 (&rows)[16], float* out) {
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 4; j++) {
      const float32x4_t a = vtrn1q_f32(rows[i].v[j], rows[i + 1].v[j]), b = vtrn2q_f32(rows[i].v[j], rows[i + 1].v[j]);
      const float32x4_t c = vtrn1q_f32(rows[i + 2].v[j], rows[i + 3].v[j]), d = vtrn2q_f32(rows[i + 2].v[j], rows[i + 3].v[j]);
      const float64x2_t a2 = vreinterpretq_f64_f32(a), b2 = vreinterpretq_f64_f32(b);
      const float64x2_t c2 = vreinterpretq_f64_f32(c), d2 = vreinterpretq_f64_f32(d);
      float* target = out + 4 * j * 16 + i;
      vst1q_f32(target, vreinterpretq_f32_f64(vtrn1q_f64(a2, c2)));
      vst1q_f32(target + 16, vreinterpretq_f32_f64(vtrn1q_f64(b2, d2)));
      vst1q_f32(target + 32, vreinterpretq_f32_f64(vtrn2q_f64(a2, c2)));
      vst1q_f32(target + 48, vreinterpretq_f32_f64(vtrn2q_f64(b2, d2)));
    }
  }
}

}  // namespace TARS_ISA
}  // namespace tars
