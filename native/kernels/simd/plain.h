// Vectors of 16 in plain C++: any processor, and the reference for the other instruction sets.
#pragma once

#include <stdint.h>
#include <string.h>

#define TARS_ISA plain

namespace tars {
namespace TARS_ISA {

constexpr const char* kName = "plain";
constexpr int kPanelRows = 2;       // the two planes of one token: scalar code gains nothing from more and would grow twentyfold
constexpr int kFloatPanelRows = 1;
constexpr int kGroupsPerPass = 1;
constexpr int kByteOffset = 128;    // dotBytes takes codes as unsigned

struct F32 { float v[16]; };
struct I32 { int32_t v[16]; };
struct Codes { uint8_t v[64]; };
struct Quad { int8_t v[4]; };

#define TARS_EACH(expression)                            \
  do {                                                   \
    for (int i = 0; i < 16; i++) { expression; }         \
  } while (0)

inline F32 load(const float* p) { F32 r; memcpy(&r, p, 64); return r; }
inline void store(float* p, F32 a) { memcpy(p, &a, 64); }
inline F32 splat(float x) { F32 r; TARS_EACH(r.v[i] = x); return r; }
inline F32 add(F32 a, F32 b) { F32 r; TARS_EACH(r.v[i] = a.v[i] + b.v[i]); return r; }
inline F32 sub(F32 a, F32 b) { F32 r; TARS_EACH(r.v[i] = a.v[i] - b.v[i]); return r; }
inline F32 mul(F32 a, F32 b) { F32 r; TARS_EACH(r.v[i] = a.v[i] * b.v[i]); return r; }
inline F32 div(F32 a, F32 b) { F32 r; TARS_EACH(r.v[i] = a.v[i] / b.v[i]); return r; }
inline F32 vmax(F32 a, F32 b) { F32 r; TARS_EACH(r.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i]); return r; }
inline F32 vmin(F32 a, F32 b) { F32 r; TARS_EACH(r.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i]); return r; }
// One rounding but for rare double roundings: a product of floats is exact in double. A call of fmaf would cost ten times this.
inline F32 fmadd(F32 a, F32 b, F32 c) {
  F32 r;
  TARS_EACH(r.v[i] = static_cast<float>(static_cast<double>(a.v[i]) * b.v[i] + c.v[i]));
  return r;
}
inline F32 whereLess(F32 a, F32 b, F32 yes, F32 no) { F32 r; TARS_EACH(r.v[i] = a.v[i] < b.v[i] ? yes.v[i] : no.v[i]); return r; }
// x * 2^n for whole n in [-126, 127].
inline F32 scaleByPower(F32 x, F32 n) {
  F32 r;
  for (int i = 0; i < 16; i++) {
    const int32_t bits = (static_cast<int32_t>(n.v[i]) + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    r.v[i] = x.v[i] * power;
  }
  return r;
}

inline float halfToFloat(uint16_t half) {
  // Exact for every finite half, subnormals included: the exponent is re-based by one multiplication.
  const uint32_t shifted = static_cast<uint32_t>(half & 0x7fff) << 13;
  uint32_t bits = shifted;
  float value;
  memcpy(&value, &bits, 4);
  value *= 0x1p112f;
  if ((half & 0x7c00) == 0x7c00) {
    bits = 0x7f800000u | shifted;
    memcpy(&value, &bits, 4);
  }
  return half & 0x8000 ? -value : value;
}

inline uint16_t floatToHalf(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00 | ((bits >> 13) & 0x3ff));
  if (bits >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // rounds beyond 65504
  float magnitude;
  memcpy(&magnitude, &bits, 4);
  if (bits < 0x38800000) {  // subnormal: adding 0.5 rounds the value to a multiple of 2^-24 in the low bits
    magnitude += 0.5f;
    memcpy(&bits, &magnitude, 4);
    return static_cast<uint16_t>(sign | (bits - 0x3f000000));
  }
  bits += 0xfff + ((bits >> 13) & 1);  // nearest, ties to even
  return static_cast<uint16_t>(sign | ((bits - 0x38000000) >> 13));
}

inline F32 loadHalf(const uint16_t* p) { F32 r; TARS_EACH(r.v[i] = halfToFloat(p[i])); return r; }
// The half at any address, 16 times.
inline F32 splatHalf(const void* p) {
  uint16_t half;
  memcpy(&half, p, 2);
  return splat(halfToFloat(half));
}
inline void storeHalf(uint16_t* p, F32 a) { TARS_EACH(p[i] = floatToHalf(a.v[i])); }
inline F32 loadBfloat(const uint16_t* p) {
  F32 r;
  for (int i = 0; i < 16; i++) {
    const uint32_t bits = static_cast<uint32_t>(p[i]) << 16;
    memcpy(&r.v[i], &bits, 4);
  }
  return r;
}

inline I32 splatInt(int32_t x) { I32 r; TARS_EACH(r.v[i] = x); return r; }
inline F32 toFloat(I32 a) { F32 r; TARS_EACH(r.v[i] = static_cast<float>(a.v[i])); return r; }
inline Codes loadCodes(const uint8_t* p) { Codes r; memcpy(&r, p, 64); return r; }
inline Codes lowNibbles(Codes c) { for (uint8_t& x : c.v) x &= 15; return c; }
inline Codes highNibbles(Codes c) { for (uint8_t& x : c.v) x >>= 4; return c; }
inline Quad splatQuad(const int8_t* p) { Quad r; memcpy(&r, p, 4); return r; }
inline F32 loadBytes(const uint8_t* p) { F32 r; TARS_EACH(r.v[i] = p[i]); return r; }
inline F32 loadSignedBytes(const uint8_t* p) { F32 r; TARS_EACH(r.v[i] = static_cast<int8_t>(p[i])); return r; }
inline F32 loadLowNibbles(const uint8_t* p) { F32 r; TARS_EACH(r.v[i] = static_cast<float>(p[i] & 15)); return r; }
inline F32 loadHighNibbles(const uint8_t* p) { F32 r; TARS_EACH(r.v[i] = static_cast<float>(p[i] >> 4)); return r; }
// 16 exponents e as 2^(e - 128). The largest pattern of an exponent of 0 is that of 2^-127, halved as all the others.
inline float halvedPower(uint8_t exponent) {
  const uint32_t bits = exponent == 0 ? 0x00400000u : static_cast<uint32_t>(exponent) << 23;
  float power;
  memcpy(&power, &bits, 4);
  return power * 0.5f;
}
inline F32 loadHalvedPowers(const uint8_t* p) { F32 r; TARS_EACH(r.v[i] = halvedPower(p[i])); return r; }
// Codes plus kValue, a bit that they do not have, where a mask of 64 bits is set.
template <int kValue>
inline Codes addBits(Codes c, const uint8_t* p) {
  for (int i = 0; i < 64; i++) c.v[i] = static_cast<uint8_t>(c.v[i] | (p[i / 8] >> i % 8 & 1) * kValue);
  return c;
}
// Field kField (of 2 bits) of each byte.
template <int kField>
inline Codes twoBits(Codes fields) {
  for (uint8_t& x : fields.v) x = x >> 2 * kField & 3;
  return fields;
}
// The entry of a table of 16 for each nibble.
inline Codes lookUp(const uint8_t* table, Codes nibbles) {
  for (uint8_t& x : nibbles.v) x = table[x];
  return nibbles;
}
// Nibbles with bits 4 and 5 from field kField (of 2 bits) of each byte.
template <int kField>
inline Codes addTwoBits(Codes c, Codes fields) {
  for (int i = 0; i < 64; i++) c.v[i] = static_cast<uint8_t>(c.v[i] | (fields.v[i] >> 2 * kField & 3) << 4);
  return c;
}
// acc[r] += sum over i < 4 of codes[r * 4 + i] * quad[i], exactly.
inline I32 dotBytes(I32 acc, Codes c, Quad q) {
  TARS_EACH(acc.v[i] += c.v[4 * i] * q.v[0] + c.v[4 * i + 1] * q.v[1] + c.v[4 * i + 2] * q.v[2] + c.v[4 * i + 3] * q.v[3]);
  return acc;
}
inline I32 dotNibbles(I32 acc, Codes c, Quad q) { return dotBytes(acc, c, q); }

// out[16][16] = transposed rows.
inline void transpose(const F32 (&rows)[16], float* out) {
  for (int column = 0; column < 16; column++) {
    for (int row = 0; row < 16; row++) out[column * 16 + row] = rows[row].v[column];
  }
}

#undef TARS_EACH

}  // namespace TARS_ISA
}  // namespace tars
