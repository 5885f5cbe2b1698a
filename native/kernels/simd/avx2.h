// Vectors of 16 as two AVX registers (AVX2, FMA, F16C).
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "tars/kernels.h"

#define TARS_ISA avx2

namespace tars {
namespace TARS_ISA {

constexpr const char* kName = "avx2";
constexpr int kPanelRows = panelRowsOf(4);       // 4 tokens: 8 of the 16 registers hold integer sums
constexpr int kFloatPanelRows = panelRowsOf(6);  // 6 tokens: 12 sums
constexpr int kGroupsPerPass = 1;
constexpr int kByteOffset = 0;      // dotBytes takes codes as signed (see there)

struct F32 { __m256 lo, hi; };
struct I32 { __m256i lo, hi; };
struct Codes { __m256i lo, hi; };
using Quad = __m256i;

inline F32 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline void store(float* p, F32 a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
inline F32 splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline F32 add(F32 a, F32 b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
inline F32 sub(F32 a, F32 b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
inline F32 mul(F32 a, F32 b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
inline F32 div(F32 a, F32 b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
inline F32 vmax(F32 a, F32 b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
inline F32 vmin(F32 a, F32 b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
inline F32 fmadd(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)}; }
inline F32 whereLess(F32 a, F32 b, F32 yes, F32 no) {
  return {_mm256_blendv_ps(no.lo, yes.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ)),
          _mm256_blendv_ps(no.hi, yes.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ))};
}
inline __m256 powerOfTwo(__m256 n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}
// x * 2^n for whole n in [-126, 127].
inline F32 scaleByPower(F32 x, F32 n) { return {_mm256_mul_ps(x.lo, powerOfTwo(n.lo)), _mm256_mul_ps(x.hi, powerOfTwo(n.hi))}; }

inline __m128i load8(const uint16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline F32 loadHalf(const uint16_t* p) { return {_mm256_cvtph_ps(load8(p)), _mm256_cvtph_ps(load8(p + 8))}; }
// The half at any address, 16 times.
inline F32 splatHalf(const void* p) {
  uint16_t half;
  __builtin_memcpy(&half, p, 2);
  const __m256 value = _mm256_cvtph_ps(_mm_set1_epi16(static_cast<short>(half)));
  return {value, value};
}
inline void storeHalf(uint16_t* p, F32 a) {
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.lo, kNearest));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 8), _mm256_cvtps_ph(a.hi, kNearest));
}
inline __m256 widenBfloat(__m128i x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16)); }
inline F32 loadBfloat(const uint16_t* p) { return {widenBfloat(load8(p)), widenBfloat(load8(p + 8))}; }

inline I32 splatInt(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
inline F32 toFloat(I32 a) { return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)}; }
inline Codes loadCodes(const uint8_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))};
}
inline Codes lowNibbles(Codes c) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(c.lo, mask), _mm256_and_si256(c.hi, mask)};
}
inline Codes highNibbles(Codes c) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(_mm256_srli_epi16(c.lo, 4), mask), _mm256_and_si256(_mm256_srli_epi16(c.hi, 4), mask)};
}
inline Quad splatQuad(const int8_t* p) {
  int32_t bits;
  __builtin_memcpy(&bits, p, 4);
  return _mm256_set1_epi32(bits);
}

// 16 bytes to floats.
inline __m128i load8Bytes(const uint8_t* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }
inline F32 loadBytes(const uint8_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(load8Bytes(p))), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(load8Bytes(p + 8)))};
}
inline F32 loadSignedBytes(const uint8_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load8Bytes(p))), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load8Bytes(p + 8)))};
}
// The nibbles of 16 bytes to floats.
inline __m256 lowOf(__m128i bytes) { return _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_cvtepu8_epi32(bytes), _mm256_set1_epi32(15))); }
inline __m256 highOf(__m128i bytes) { return _mm256_cvtepi32_ps(_mm256_srli_epi32(_mm256_cvtepu8_epi32(bytes), 4)); }
inline F32 loadLowNibbles(const uint8_t* p) { return {lowOf(load8Bytes(p)), lowOf(load8Bytes(p + 8))}; }
inline F32 loadHighNibbles(const uint8_t* p) { return {highOf(load8Bytes(p)), highOf(load8Bytes(p + 8))}; }
// kValue where the bit of a byte is set in a mask of 32 bits, else 0.
template <int kValue>
inline __m256i valueWhereSet(const uint8_t* p) {
  int32_t mask;
  __builtin_memcpy(&mask, p, 4);
  const __m256i byteOfLane = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
  const __m256i spread = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(mask), byteOfLane), bit);
  return _mm256_and_si256(_mm256_cmpeq_epi8(spread, bit), _mm256_set1_epi8(kValue));
}
// Codes plus kValue, a bit that they do not have, where a mask of 64 bits is set.
template <int kValue>
inline Codes addBits(Codes c, const uint8_t* p) {
  return {_mm256_or_si256(c.lo, valueWhereSet<kValue>(p)), _mm256_or_si256(c.hi, valueWhereSet<kValue>(p + 4))};
}
// Field kField (of 2 bits) of each byte.
template <int kField>
inline Codes twoBits(Codes fields) {
  const __m256i mask = _mm256_set1_epi8(3);
  return {_mm256_and_si256(_mm256_srli_epi16(fields.lo, 2 * kField), mask), _mm256_and_si256(_mm256_srli_epi16(fields.hi, 2 * kField), mask)};
}
// The entry of a table of 16 for each nibble.
inline Codes lookUp(const uint8_t* table, Codes nibbles) {
  const __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return {_mm256_shuffle_epi8(entries, nibbles.lo), _mm256_shuffle_epi8(entries, nibbles.hi)};
}
inline __m256 halvedPowers(__m128i exponents) {
  const __m256i bits = _mm256_slli_epi32(_mm256_cvtepu8_epi32(exponents), 23);
  return _mm256_mul_ps(_mm256_castsi256_ps(_mm256_max_epu32(bits, _mm256_set1_epi32(0x00400000))), _mm256_set1_ps(0.5f));
}
// 16 exponents e as 2^(e - 128). The largest pattern of an exponent of 0 is that of 2^-127, halved as all the others.
inline F32 loadHalvedPowers(const uint8_t* p) { return {halvedPowers(load8Bytes(p)), halvedPowers(load8Bytes(p + 8))}; }
template <int kField>
inline __m256i upperBits(__m256i fields) {
  const __m256i shifted = kField < 2 ? _mm256_slli_epi16(fields, kField < 2 ? 4 - 2 * kField : 0) : _mm256_srli_epi16(fields, kField < 2 ? 0 : 2 * kField - 4);
  return _mm256_and_si256(shifted, _mm256_set1_epi8(0x30));
}
// Nibbles with bits 4 and 5 from field kField (of 2 bits) of each byte.
template <int kField>
inline Codes addTwoBits(Codes c, Codes fields) {
  return {_mm256_or_si256(c.lo, upperBits<kField>(fields.lo)), _mm256_or_si256(c.hi, upperBits<kField>(fields.hi))};
}

// acc[r] += sum over i < 4 of codes[r * 4 + i] * quad[i], exactly.
inline __m256i addPairs(__m256i acc, __m256i unsignedCodes, __m256i quad) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(unsignedCodes, quad), _mm256_set1_epi16(1)));
}
inline I32 dotNibbles(I32 acc, Codes c, Quad q) {  // 16-bit sums of two products: at most 2 * 63 * 127
  return {addPairs(acc.lo, c.lo, q), addPairs(acc.hi, c.hi, q)};
}
// Unsigned codes would overflow the 16-bit sums, so the sign moves to the activation: 2 * 128 * 127 still fits.
inline __m256i addSignedPairs(__m256i acc, __m256i codes, __m256i quad) {
  const __m256i code = _mm256_xor_si256(codes, _mm256_set1_epi8(-128));
  return addPairs(acc, _mm256_abs_epi8(code), _mm256_sign_epi8(quad, code));
}
inline I32 dotBytes(I32 acc, Codes c, Quad q) { return {addSignedPairs(acc.lo, c.lo, q), addSignedPairs(acc.hi, c.hi, q)}; }

// Transposes an 8 x 8 tile; rows of `out` are 16 apart.
inline void transpose8(const __m256 (&r)[8], float* out) {
  __m256 a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    a[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(out + 16 * i, _mm256_permute2f128_ps(b[i], b[4 + i], 0x20));
    _mm256_storeu_ps(out + 16 * (4 + i), _mm256_permute2f128_ps(b[i], b[4 + i], 0x31));
  }
}

// out[16][16] = transposed rows.
inline void transpose(const F32 (&rows)[16], float* out) {
  for (int half = 0; half < 2; half++) {
    __m256 lo[8], hi[8];
    for (int i = 0; i < 8; i++) {
      lo[i] = rows[8 * half + i].lo;
      hi[i] = rows[8 * half + i].hi;
    }
    transpose8(lo, out + 8 * half);
    transpose8(hi, out + 8 * 16 + 8 * half);
  }
}

}  // namespace TARS_ISA
}  // namespace tars
