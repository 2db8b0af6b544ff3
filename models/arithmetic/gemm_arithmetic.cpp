// SPDX-License-Identifier: Apache-2.0
// Compiled once per instruction set by Highway, which picks the best one at run time.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/formats.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/arithmetic/gemm_arithmetic.cpp"
// The kernels keep tiles in arrays of vectors, which vectors of unknown length do not allow.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#define HWY_WANT_AVX3_DL  // for its 8-bit dot products
#include <hwy/aligned_allocator.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway asks for the instructions when it picks this target, but does not tell the compiler.
#undef NPUVP_BYTE_DOT_PRODUCTS
#if HWY_TARGET == HWY_AVX3_DL && HWY_COMPILER_GCC_ACTUAL
#define NPUVP_BYTE_DOT_PRODUCTS 1
#else
#define NPUVP_BYTE_DOT_PRODUCTS 0
#endif

HWY_BEFORE_NAMESPACE();
#if NPUVP_BYTE_DOT_PRODUCTS
#pragma GCC target("avx512vnni")
#endif
namespace npuvp::arithmetic::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A tile of C stays in registers: kTileRows x 2 vectors of 32-bit sums. Both formats are packed to 32-bit words first,
// so that one blocking scheme serves both: FP16 to one FP32 per step of k, INT8 to a pair of INT16 per two steps, or to
// four bytes where the host has dot products of bytes.
#if HWY_TARGET <= HWY_AVX3
constexpr size_t kTileRows = 8;
#else
constexpr size_t kTileRows = 4;
#endif
#if HWY_TARGET == HWY_SCALAR
constexpr size_t kLanes = 1;
#else
constexpr size_t kLanes = HWY_MAX_BYTES / 4;
#endif
constexpr size_t kTileColumns = 2 * kLanes;
constexpr size_t kBlockSteps = 256;  // one panel of B: 256 x 32 words = 32 KiB, the size of an L1 cache
constexpr size_t kBlockRows = 256;   // one block of A: 256 KiB, in the L2 cache

struct Fp16 {
  using Word = float;
  using Sum = float;
  static constexpr size_t kPerStep = 1;
  static constexpr size_t kElementBytes = 2;

  static uint16_t element(const uint8_t* row, size_t index) {
    uint16_t bits;
    std::memcpy(&bits, row + 2 * index, 2);
    return bits;
  }
  static float pack_a(const uint8_t* row, size_t k, float* words) {
    for (size_t i = 0; i < k; ++i) words[i] = fp16_to_fp32(element(row, i));
    return 0;
  }
  static void pack_b(const uint8_t* row, size_t /*stride*/, size_t /*k*/, size_t columns, float* words) {
    for (size_t i = 0; i < columns; ++i) words[i] = fp16_to_fp32(element(row, i));
  }
  // The product is exact in FP32, so that fused and separate operations round alike.
  template <class V>
  static void step(V a, V b, V& sum, V& /*sum_high*/) {
    sum = hn::MulAdd(a, b, sum);
  }
  template <class V>
  static V total(V sum, V /*sum_high*/) {
    return sum;
  }
  template <class V>
  static V stored(V sum) {
    const hn::DFromV<V> d;
    return hn::IfThenElse(hn::IsNaN(sum), hn::Set(d, std::bit_cast<float>(kCanonicalNan32)), sum);
  }
};

struct Bf16 : Fp16 {
  static float pack_a(const uint8_t* row, size_t k, float* words) {
    for (size_t i = 0; i < k; ++i) words[i] = bf16_to_fp32(element(row, i));
    return 0;
  }
  static void pack_b(const uint8_t* row, size_t /*stride*/, size_t /*k*/, size_t columns, float* words) {
    for (size_t i = 0; i < columns; ++i) words[i] = bf16_to_fp32(element(row, i));
  }
  // The product may overflow or underflow FP32, so that only a fused operation is exact enough.
  template <class V>
  static void step(V a, V b, V& sum, V& sum_high) {
#if HWY_NATIVE_FMA
    Fp16::step(a, b, sum, sum_high);
#else
    const hn::DFromV<V> d;
    HWY_ALIGN float x[kLanes];
    HWY_ALIGN float y[kLanes];
    HWY_ALIGN float z[kLanes];
    hn::Store(a, d, x);
    hn::Store(b, d, y);
    hn::Store(sum, d, z);
    for (size_t i = 0; i < kLanes; ++i) z[i] = std::fma(x[i], y[i], z[i]);
    sum = hn::Load(d, z);
    (void)sum_high;
#endif
  }
};

#if NPUVP_BYTE_DOT_PRODUCTS
// Four steps of k in a word. The instruction multiplies unsigned by signed bytes: B is moved up by 128, which adds 128
// times the sum of A's row; the sums start so much lower. All of it is exact modulo 2^32.
struct Int8 {
  using Word = int32_t;
  using Sum = int32_t;
  static constexpr size_t kPerStep = 4;
  static constexpr size_t kElementBytes = 1;

  static int32_t pack_a(const uint8_t* row, size_t k, int32_t* words) {
    int32_t total = 0;
    for (size_t i = 0; i < k; ++i) total += static_cast<int8_t>(row[i]);
    std::memcpy(words, row, k / 4 * 4);
    if (k % 4 != 0) {
      words[k / 4] = 0;
      std::memcpy(&words[k / 4], row + k / 4 * 4, k % 4);
    }
    return -128 * total;
  }
  static void pack_b(const uint8_t* row, size_t stride, size_t k, size_t columns, int32_t* words) {
    constexpr uint32_t kBias = 0x80808080;
    if (k >= 4) {
      const uint8_t* second = row + stride;
      const uint8_t* third = second + stride;
      const uint8_t* fourth = third + stride;
      for (size_t i = 0; i < columns; ++i) {
        const uint32_t word =
            uint32_t{row[i]} | uint32_t{second[i]} << 8 | uint32_t{third[i]} << 16 | uint32_t{fourth[i]} << 24;
        words[i] = static_cast<int32_t>(word ^ kBias);
      }
      return;
    }
    for (size_t i = 0; i < columns; ++i) {
      uint32_t word = kBias;  // A has zeros where B ends
      for (size_t step = 0; step < k; ++step) word ^= uint32_t{row[step * stride + i]} << 8 * step;
      words[i] = static_cast<int32_t>(word);
    }
  }
  template <class V>
  static void step(V a, V b, V& sum, V& /*sum_high*/) {
    sum = V{_mm512_dpbusd_epi32(sum.raw, b.raw, a.raw)};
  }
  template <class V>
  static V total(V sum, V /*sum_high*/) {
    return sum;
  }
  template <class V>
  static V stored(V sum) {
    return sum;
  }
};
#else
struct Int8 {
  using Word = int32_t;
  using Sum = int32_t;
  static constexpr size_t kPerStep = 2;
  static constexpr size_t kElementBytes = 1;

  static int32_t pair(uint8_t first, uint8_t second) {
    const auto low = static_cast<uint16_t>(static_cast<int8_t>(first));
    const auto high = static_cast<uint32_t>(static_cast<int32_t>(static_cast<int8_t>(second)));
    return static_cast<int32_t>(low | (high << 16));
  }
  static int32_t pack_a(const uint8_t* row, size_t k, int32_t* words) {
    for (size_t i = 0; i < k / 2; ++i) words[i] = pair(row[2 * i], row[2 * i + 1]);
    if (k % 2 != 0) words[k / 2] = pair(row[k - 1], 0);
    return 0;
  }
  static void pack_b(const uint8_t* row, size_t stride, size_t k, size_t columns, int32_t* words) {
    if (k >= 2) {
      for (size_t i = 0; i < columns; ++i) words[i] = pair(row[i], row[i + stride]);
    } else {
      for (size_t i = 0; i < columns; ++i) words[i] = pair(row[i], 0);
    }
  }
  template <class V>
  static void step(V a, V b, V& sum, V& sum_high) {
    const hn::DFromV<V> d32;
#if HWY_TARGET == HWY_SCALAR  // its vectors hold one element, no pair
    const int32_t low = static_cast<int16_t>(hn::GetLane(a)) * static_cast<int16_t>(hn::GetLane(b));
    const hn::Vec<decltype(d32)> high = hn::Mul(hn::ShiftRight<16>(a), hn::ShiftRight<16>(b));
    sum = hn::Add(sum, hn::Add(hn::Set(d32, low), high));
    (void)sum_high;
#else
    const hn::Repartition<int16_t, decltype(d32)> d16;
    sum = hn::ReorderWidenMulAccumulate(d32, hn::BitCast(d16, a), hn::BitCast(d16, b), sum, sum_high);
#endif
  }
  template <class V>
  static V total(V sum, V sum_high) {
#if HWY_TARGET == HWY_SCALAR
    (void)sum_high;
    return sum;
#else
    return hn::RearrangeToOddPlusEven(sum, sum_high);
#endif
  }
  template <class V>
  static V stored(V sum) {
    return sum;
  }
};
#endif

/// Where the sums of a tile are, and what becomes of them.
template <class Sum>
struct TileOfC {
  Sum* sums;
  size_t stride;  ///< Sums from row to row.
  bool adds;      ///< To what is there.
  bool is_last;   ///< No further block of steps comes.
};

/// c[kTileRows][kTileColumns] = (c.adds ? c : 0) + a[kTileRows][kBlockSteps] * b[steps][kTileColumns], floating-point
/// sums in order of the steps, integer sums from `starts` on.
template <class Format>
HWY_INLINE void multiply_tile(const typename Format::Word* HWY_RESTRICT a, const typename Format::Sum* starts,
                              const typename Format::Word* HWY_RESTRICT b, size_t steps,
                              const TileOfC<typename Format::Sum>& c) {
  constexpr bool kInOrder = Format::kPerStep == 1;
  const hn::FixedTag<typename Format::Word, kLanes> d;
  using V = hn::Vec<decltype(d)>;
  V sum[kTileRows][2];
  V high[kTileRows][2];  // second half of the sums where widening multiplication needs one; optimised away elsewhere
  for (size_t r = 0; r < kTileRows; ++r) {
    for (size_t v = 0; v < 2; ++v) {
      if constexpr (kInOrder) {
        sum[r][v] = c.adds ? hn::LoadU(d, c.sums + r * c.stride + v * kLanes) : hn::Zero(d);
      } else {
        sum[r][v] = hn::Set(d, starts[r]);
      }
      high[r][v] = hn::Zero(d);
    }
  }
  for (size_t s = 0; s < steps; ++s) {
    const V b0 = hn::Load(d, b + s * kTileColumns);
    const V b1 = hn::Load(d, b + s * kTileColumns + kLanes);
    for (size_t r = 0; r < kTileRows; ++r) {
      const V broadcast = hn::Set(d, a[r * kBlockSteps + s]);
      Format::step(broadcast, b0, sum[r][0], high[r][0]);
      Format::step(broadcast, b1, sum[r][1], high[r][1]);
    }
  }
  for (size_t r = 0; r < kTileRows; ++r) {
    for (size_t v = 0; v < 2; ++v) {
      typename Format::Sum* const place = c.sums + r * c.stride + v * kLanes;
      V total = Format::total(sum[r][v], high[r][v]);
      if constexpr (!kInOrder) {
        if (c.adds) total = hn::Add(total, hn::LoadU(d, place));
      }
      hn::StoreU(c.is_last ? Format::stored(total) : total, d, place);
    }
  }
}

/// One tile of C at row m0, column n0, for one block of steps.
template <class Format>
HWY_INLINE void update_c(const GemmOperands& gemm, size_t m0, size_t n0, bool first, bool last,
                         const typename Format::Word* a, const typename Format::Sum* starts,
                         const typename Format::Word* b, size_t steps) {
  using Sum = typename Format::Sum;
  const size_t rows = std::min(kTileRows, gemm.m - m0);
  const size_t columns = std::min(kTileColumns, gemm.n - n0);
  const bool adds = !first || gemm.accumulate;
  uint8_t* const c = gemm.c + m0 * gemm.c_stride + n0 * sizeof(Sum);
  const bool aligned = (reinterpret_cast<uintptr_t>(c) | gemm.c_stride) % sizeof(Sum) == 0;
  if (rows == kTileRows && columns == kTileColumns && aligned) {
    multiply_tile<Format>(a, starts, b, steps, {reinterpret_cast<Sum*>(c), gemm.c_stride / sizeof(Sum), adds, last});
    return;
  }
  HWY_ALIGN Sum tile[kTileRows * kTileColumns] = {};
  for (size_t r = 0; r < rows && adds; ++r) {
    std::memcpy(tile + r * kTileColumns, c + r * gemm.c_stride, columns * sizeof(Sum));
  }
  multiply_tile<Format>(a, starts, b, steps, {tile, kTileColumns, adds, last});
  for (size_t r = 0; r < rows; ++r) {
    std::memcpy(c + r * gemm.c_stride, tile + r * kTileColumns, columns * sizeof(Sum));
  }
}

/// Packs `steps` steps of all columns of B from row k0 into panels [n / kTileColumns][steps][kTileColumns].
template <class Format>
void pack_panels(const GemmOperands& gemm, size_t k0, size_t steps, typename Format::Word* panels) {
  for (size_t n0 = 0; n0 < gemm.n; n0 += kTileColumns) {
    const size_t columns = std::min(kTileColumns, gemm.n - n0);
    for (size_t s = 0; s < steps; ++s) {
      const size_t k = k0 + s * Format::kPerStep;
      typename Format::Word* words = panels + n0 * steps + s * kTileColumns;
      const uint8_t* row = gemm.b + k * gemm.b_stride + n0 * Format::kElementBytes;
      if (columns == kTileColumns) {
        Format::pack_b(row, gemm.b_stride, gemm.k - k, kTileColumns, words);
      } else {
        Format::pack_b(row, gemm.b_stride, gemm.k - k, columns, words);
        std::fill(words + columns, words + kTileColumns, typename Format::Word{});
      }
    }
  }
}

/// Memory that is kept from one product to the next: an allocator would give blocks of this size back to the system,
/// which costs small products a tenth of their time.
template <class Word>
class Workspace {
 public:
  Word* at_least(size_t words) {
    if (words > words_) {
      memory_.reset();
      memory_ = hwy::AllocateAligned<Word>(words);
      words_ = words;
    }
    return memory_.get();
  }

 private:
  hwy::AlignedFreeUniquePtr<Word[]> memory_;
  size_t words_ = 0;
};

template <class Format>
void multiply(const GemmOperands& gemm) {
  using Word = typename Format::Word;
  constexpr size_t kBlockK = kBlockSteps * Format::kPerStep;
  const size_t padded_n = hwy::RoundUpTo(gemm.n, kTileColumns);
  const size_t padded_rows = hwy::RoundUpTo(std::min(gemm.m, kBlockRows), kTileRows);
  const size_t most_steps = std::min(kBlockSteps, (gemm.k + Format::kPerStep - 1) / Format::kPerStep);
  static thread_local Workspace<Word> panels_of_b;
  static thread_local Workspace<Word> block_of_a;
  typename Format::Sum starts[kBlockRows];
  Word* const panels = panels_of_b.at_least(padded_n * most_steps);
  Word* const block = block_of_a.at_least(padded_rows * kBlockSteps);

  for (size_t k0 = 0; k0 < gemm.k; k0 += kBlockK) {
    const size_t k = std::min(kBlockK, gemm.k - k0);
    const size_t steps = (k + Format::kPerStep - 1) / Format::kPerStep;
    pack_panels<Format>(gemm, k0, steps, panels);
    for (size_t m0 = 0; m0 < gemm.m; m0 += kBlockRows) {
      const size_t rows = std::min(kBlockRows, gemm.m - m0);
      for (size_t r = 0; r < rows; ++r) {
        starts[r] =
            Format::pack_a(gemm.a + (m0 + r) * gemm.a_stride + k0 * Format::kElementBytes, k, block + r * kBlockSteps);
      }
      const size_t padded = hwy::RoundUpTo(rows, kTileRows);
      std::fill(block + rows * kBlockSteps, block + padded * kBlockSteps, Word{});
      std::fill(starts + rows, starts + padded, typename Format::Sum{});
      for (size_t n0 = 0; n0 < gemm.n; n0 += kTileColumns) {
        for (size_t r = 0; r < rows; r += kTileRows) {
          update_c<Format>(gemm, m0 + r, n0, k0 == 0, k0 + k == gemm.k, block + r * kBlockSteps, starts + r,
                           panels + n0 * steps, steps);
        }
      }
    }
  }
}

void multiply_int8(const GemmOperands& gemm) {
  multiply<Int8>(gemm);
}
void multiply_fp16(const GemmOperands& gemm) {
  multiply<Fp16>(gemm);
}
void multiply_bf16(const GemmOperands& gemm) {
  multiply<Bf16>(gemm);
}

}  // namespace
}  // namespace npuvp::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npuvp::arithmetic {
namespace {
HWY_EXPORT(multiply_int8);
HWY_EXPORT(multiply_fp16);
HWY_EXPORT(multiply_bf16);
}  // namespace

void gemm_int8(const GemmOperands& gemm) {
  HWY_DYNAMIC_DISPATCH(multiply_int8)(gemm);
}
void gemm_fp16(const GemmOperands& gemm) {
  HWY_DYNAMIC_DISPATCH(multiply_fp16)(gemm);
}
void gemm_bf16(const GemmOperands& gemm) {
  HWY_DYNAMIC_DISPATCH(multiply_bf16)(gemm);
}

}  // namespace npuvp::arithmetic
#endif
