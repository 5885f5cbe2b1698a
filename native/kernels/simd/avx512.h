// Vectors of 16 with AVX-512 (F, BW, VL); with VNNI when TARS_VNNI is defined.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "tars/kernels.h"

#ifdef TARS_VNNI
#define TARS_ISA avx512vnni
#else
#define TARS_ISA avx512
#endif

namespace tars {
namespace TARS_ISA {

#ifdef TARS_VNNI
constexpr const char* kName = "avx512vnni";
constexpr int kByteOffset = 128;  // dotBytes takes codes as unsigned
#else
constexpr const char* kName = "avx512";
constexpr int kByteOffset = 0;  // dotBytes takes codes as signed (see there)
#endif
constexpr int kPanelRows = panelRowsOf(6);        // 6 tokens x 2 groups: 12 integer and 12 float sums of the 32 registers
constexpr int kFloatPanelRows = panelRowsOf(12);  // 12 tokens x 2 groups: 24 sums
constexpr int kGroupsPerPass = 2;

using F32 = __m512;
using I32 = __m512i;
using Codes = __m512i;
using Quad = __m512i;

inline F32 load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, F32 a) { _mm512_storeu_ps(p, a); }
inline F32 splat(float x) { return _mm512_set1_ps(x); }
inline F32 add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
inline F32 sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
inline F32 mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
inline F32 div(F32 a, F32 b) { return _mm512_div_ps(a, b); }
inline F32 vmax(F32 a, F32 b) { return _mm512_max_ps(a, b); }
inline F32 vmin(F32 a, F32 b) { return _mm512_min_ps(a, b); }
inline F32 fmadd(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
inline F32 whereLess(F32 a, F32 b, F32 yes, F32 no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
// x * 2^n for whole n in [-126, 127].
inline F32 scaleByPower(F32 x, F32 n) {
  const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_mul_ps(x, _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23)));
}
inline F32 loadHalf(const uint16_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
// The half at any address, 16 times.
inline F32 splatHalf(const void* p) {
  uint16_t half;
  __builtin_memcpy(&half, p, 2);
  return _mm512_cvtph_ps(_mm256_set1_epi16(static_cast<short>(half)));
}
inline void storeHalf(uint16_t* p, F32 a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline F32 loadBfloat(const uint16_t* p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

inline I32 splatInt(int32_t x) { return _mm512_set1_epi32(x); }
inline F32 toFloat(I32 a) { return _mm512_cvtepi32_ps(a); }
inline Codes loadCodes(const uint8_t* p) { return _mm512_loadu_si512(p); }
inline Codes lowNibbles(Codes c) { return _mm512_and_si512(c, _mm512_set1_epi8(15)); }
inline Codes highNibbles(Codes c) { return _mm512_and_si512(_mm512_srli_epi16(c, 4), _mm512_set1_epi8(15)); }
inline Quad splatQuad(const int8_t* p) {
  int32_t bits;
  __builtin_memcpy(&bits, p, 4);
  return _mm512_set1_epi32(bits);
}

// 16 bytes to floats.
inline F32 loadBytes(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline F32 loadSignedBytes(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
// The nibbles of 16 bytes to floats.
inline __m512i wideBytes(const uint8_t* p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
inline F32 loadLowNibbles(const uint8_t* p) { return _mm512_cvtepi32_ps(_mm512_and_si512(wideBytes(p), _mm512_set1_epi32(15))); }
inline F32 loadHighNibbles(const uint8_t* p) { return _mm512_cvtepi32_ps(_mm512_srli_epi32(wideBytes(p), 4)); }
// Codes plus kValue, a bit that they do not have, where a mask of 64 bits is set.
template <int kValue>
inline Codes addBits(Codes c, const uint8_t* p) {
  uint64_t mask;
  __builtin_memcpy(&mask, p, 8);
  return _mm512_mask_add_epi8(c, mask, c, _mm512_set1_epi8(kValue));
}
// Field kField (of 2 bits) of each byte.
template <int kField>
inline Codes twoBits(Codes fields) { return _mm512_and_si512(_mm512_srli_epi16(fields, 2 * kField), _mm512_set1_epi8(3)); }
// The entry of a table of 16 for each nibble.
inline Codes lookUp(const uint8_t* table, Codes nibbles) {
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table))), nibbles);
}
// 16 exponents e as 2^(e - 128). The largest pattern of an exponent of 0 is that of 2^-127, halved as all the others.
inline F32 loadHalvedPowers(const uint8_t* p) {
  const __m512i bits = _mm512_slli_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 23);
  return mul(_mm512_castsi512_ps(_mm512_max_epu32(bits, _mm512_set1_epi32(0x00400000))), splat(0.5f));
}
// Nibbles with bits 4 and 5 from field kField (of 2 bits) of each byte.
template <int kField>
inline Codes addTwoBits(Codes c, Codes fields) {
  const __m512i shifted = kField < 2 ? _mm512_slli_epi16(fields, kField < 2 ? 4 - 2 * kField : 0) : _mm512_srli_epi16(fields, kField < 2 ? 0 : 2 * kField - 4);
  return _mm512_or_si512(c, _mm512_and_si512(shifted, _mm512_set1_epi8(0x30)));
}

// acc[r] += sum over i < 4 of codes[r * 4 + i] * quad[i], exactly.
#ifdef TARS_VNNI
inline I32 dotNibbles(I32 acc, Codes c, Quad q) { return _mm512_dpbusd_epi32(acc, c, q); }
inline I32 dotBytes(I32 acc, Codes c, Quad q) { return _mm512_dpbusd_epi32(acc, c, q); }
#else
inline I32 dotNibbles(I32 acc, Codes c, Quad q) {  // 16-bit sums of two products: at most 2 * 63 * 127
  return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_maddubs_epi16(c, q), _mm512_set1_epi16(1)));
}
// Unsigned codes would overflow the 16-bit sums, so the sign moves to the activation: 2 * 128 * 127 still fits.
inline I32 dotBytes(I32 acc, Codes c, Quad q) {
  const __m512i code = _mm512_xor_si512(c, _mm512_set1_epi8(-128));
  const __m512i signedQuad = _mm512_mask_sub_epi8(q, _mm512_movepi8_mask(code), _mm512_setzero_si512(), q);
  const __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(code), signedQuad);
  return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}
#endif

// out[16][16] = transposed rows.
inline void transpose(const F32 (&rows)[16], float* out) {
  __m512 a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {  // b[i + c]: columns c, 4 + c, 8 + c, 12 + c of rows i..i+3
    b[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a[i]), _mm512_castps_pd(a[i + 2])));
    b[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a[i]), _mm512_castps_pd(a[i + 2])));
    b[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a[i + 1]), _mm512_castps_pd(a[i + 3])));
    b[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a[i + 1]), _mm512_castps_pd(a[i + 3])));
  }
  for (int c = 0; c < 4; c++) {
    const __m512 lowA = _mm512_shuffle_f32x4(b[c], b[4 + c], 0x44), highA = _mm512_shuffle_f32x4(b[c], b[4 + c], 0xee);
    const __m512 lowB = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0x44), highB = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0xee);
    store(out + 16 * c, _mm512_shuffle_f32x4(lowA, lowB, 0x88));
    store(out + 16 * (4 + c), _mm512_shuffle_f32x4(lowA, lowB, 0xdd));
    store(out + 16 * (8 + c), _mm512_shuffle_f32x4(highA, highB, 0x88));
    store(out + 16 * (12 + c), _mm512_shuffle_f32x4(highA, highB, 0xdd));
  }
}

}  // namespace TARS_ISA
}  // namespace tars
