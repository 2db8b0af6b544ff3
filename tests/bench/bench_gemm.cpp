// SPDX-License-Identifier: Apache-2.0
// npuvp bench gemm: host speed of the engines' GEMM arithmetic, one thread, processor time, best of
// several, beside a plain loop that the
// compiler vectorises and, where they are installed, OpenBLAS and oneDNN; then the same product with data through the
// whole command path of a card, in its simulated time.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/formats.h"
#include "models/arithmetic/vector_unit.h"
#include "tests/bench/bench_report.h"
#include "tests/bench/card_run.h"
#ifdef NPUVP_HAVE_OPENBLAS
#include <cblas.h>
#endif
#ifdef NPUVP_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

namespace {

using namespace npuvp;
using bench::Report;

constexpr uint32_t kSize = 1024;

/// Processor time, so that what else the machine does counts little.
double best_seconds(const std::function<void()>& work, int runs = 7) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  double best = 1e9;
  for (int run = 0; run < runs; ++run) {
    const double begin = now();
    work();
    best = std::min(best, now() - begin);
  }
  return best;
}

double giga(uint32_t size, double seconds) {
  return 2e-9 * size * size * size / seconds;
}

template <class In, class Sum>
void plain_loop(uint32_t size, const std::vector<In>& a, const std::vector<In>& b, std::vector<Sum>& c) {
  std::fill(c.begin(), c.end(), Sum{});
  for (size_t m = 0; m < size; ++m) {
    for (size_t k = 0; k < size; ++k) {
      const Sum factor = a[m * size + k];
      for (size_t n = 0; n < size; ++n) c[m * size + n] += factor * b[k * size + n];
    }
  }
}

npu_gemm square(uint8_t type, uint32_t size) {
  npu_gemm gemm{};
  gemm.type = type;
  gemm.m = gemm.n = gemm.k = size;
  gemm.a_stride = gemm.b_stride = static_cast<uint32_t>(arithmetic::row_bytes(type, size));
  gemm.c_stride = size * 4;
  return gemm;
}

/// GOP/s of others in this run; 0: not there.
struct Baselines {
  double plain_int8 = 0;
  double plain_fp32 = 0;
  double openblas = 0;
  double onednn = 0;
};

Baselines measure_baselines(std::mt19937& random) {
  Baselines result;
  const size_t elements = size_t{kSize} * kSize;
  std::vector<int8_t> a8(elements);
  std::vector<int8_t> b8(elements);
  std::vector<int32_t> c32(elements);
  std::vector<float> a(elements);
  std::vector<float> b(elements);
  std::vector<float> c(elements);
  std::uniform_real_distribution<float> value(-1, 1);
  for (size_t i = 0; i < elements; ++i) {
    a8[i] = static_cast<int8_t>(random());
    b8[i] = static_cast<int8_t>(random());
    a[i] = value(random);
    b[i] = value(random);
  }
  result.plain_int8 = giga(kSize, best_seconds([&] { plain_loop(kSize, a8, b8, c32); }));
  result.plain_fp32 = giga(kSize, best_seconds([&] { plain_loop(kSize, a, b, c); }));
#ifdef NPUVP_HAVE_OPENBLAS
  openblas_set_num_threads(1);
  result.openblas = giga(kSize, best_seconds([&] {
                           cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kSize, kSize, kSize, 1, a.data(),
                                       kSize, b.data(), kSize, 0, c.data(), kSize);
                         }));
#endif
#ifdef NPUVP_HAVE_ONEDNN
  result.onednn = giga(kSize, best_seconds([&] {
                         const int32_t offset = 0;
                         dnnl_gemm_s8s8s32('N', 'N', 'F', kSize, kSize, kSize, 1, a8.data(), kSize, 0, b8.data(), kSize,
                                           0, 0, c32.data(), kSize, &offset);
                       }));
#endif
  return result;
}

void bench_kernels(Report& report, const Baselines& baselines, std::mt19937& random) {
  const struct {
    uint8_t type;
    const char* name;
  } types[] = {{NPU_TYPE_INT8, "int8"}, {NPU_TYPE_INT4, "int4"},         {NPU_TYPE_FP16, "fp16"},
               {NPU_TYPE_BF16, "bf16"}, {NPU_TYPE_FP8_E4M3, "fp8_e4m3"}, {NPU_TYPE_FP8_E5M2, "fp8_e5m2"}};
  std::vector<uint8_t> c(size_t{kSize} * kSize * 4);
  for (const auto& type : types) {
    const bool integers = type.type == NPU_TYPE_INT8 || type.type == NPU_TYPE_INT4;
    const npu_gemm gemm = square(type.type, kSize);
    std::vector<uint8_t> a(size_t{kSize} * gemm.a_stride);
    std::vector<uint8_t> b(size_t{kSize} * gemm.b_stride);
    // Without the top bit of exponents: numbers of ordinary size.
    for (size_t i = 0; i < a.size(); ++i) {
      a[i] = static_cast<uint8_t>(random() & (integers ? 0xff : 0xbf));
      b[i] = static_cast<uint8_t>(random() & (integers ? 0xff : 0xbf));
    }
    const double ours = giga(kSize, best_seconds([&] { arithmetic::gemm(gemm, a.data(), b.data(), c.data()); }));
    const std::string metric = fmt::format("gemm.{}.{}", type.name, kSize);
    const char* unit = integers ? "GOP/s" : "GFLOP/s";
    report.add(metric, ours, unit, integers ? "auto-vectorised loop" : "auto-vectorised FP32 loop",
               integers ? baselines.plain_int8 : baselines.plain_fp32);
    if (integers && baselines.onednn > 0) report.add(metric, ours, unit, "onednn", baselines.onednn);
    if (!integers && baselines.openblas > 0) report.add(metric, ours, unit, "openblas", baselines.openblas);
  }
}

/// C = A * B of INT8 on the card. Both operands stream from the host and C streams back, through two small rings in the
/// card's DRAM: a block of B's columns at a time stays in an engine's scratchpad, and A passes by slabs of rows. B lies
/// in the host's buffer as a compiler lays out weights, a block of columns after the other.
class CardProduct {
 public:
  CardProduct(runtime::Device& device, uint32_t size) : device_(device), size_(size) {
    sc_assert(size % kColumns == 0 && size % kRows == 0);
    host_ = device.allocate(size_t{2} * size * size + size_t{4} * size * size, runtime::Placement::kHost);
    rings_ = device.allocate(kSlots * (input_bytes() + kPartBytes), runtime::Placement::kDevice);
    for (uint32_t block = 0; block < size / kColumns; ++block) {
      for (uint32_t piece = 0; piece < size / (input_bytes() / kColumns); ++piece) load_operand(block, piece);
      for (uint32_t slab = 0; slab < size / kRows; ++slab) multiply(block, slab);
    }
  }

  [[nodiscard]] uint8_t* a() { return reinterpret_cast<uint8_t*>(host_->bytes().data()); }
  /// Row k of block n / kColumns.
  [[nodiscard]] uint8_t* b(uint32_t k, uint32_t n) { return a() + b_at(n / kColumns, k) + n % kColumns; }
  [[nodiscard]] uint8_t* c() { return a() + c_at(0, 0); }
  /// A, B and C, once.
  [[nodiscard]] size_t data_bytes() const { return host_->size(); }
  void run() { stream_.run(device_, {{host_.get(), true}, {rings_.get(), true}}); }

 private:
  static constexpr uint32_t kRows = 128;            // of A and C at a time
  static constexpr uint32_t kColumns = 1024;        // of B and C at a time
  static constexpr uint32_t kProductColumns = 512;  // of an instruction: the host's L2 cache holds its part of B
  static constexpr uint32_t kPartRows = 32;         // of C leave the scratchpad at a time
  static constexpr uint32_t kPartBytes = kPartRows * kColumns * 4;
  static constexpr uint32_t kSlots = 2;  // of each ring

  enum Segment : uint32_t { kHost, kRings };
  enum Token : uint16_t { kArrived, kLoaded, kComputed, kStored, kReturned };

  // An input is kRows of A or as many bytes of B.
  [[nodiscard]] uint32_t input_bytes() const { return kRows * size_; }
  [[nodiscard]] size_t b_at(uint32_t block, uint32_t row) const {
    return size_t{size_} * size_ + (size_t{block} * size_ + row) * kColumns;
  }
  [[nodiscard]] size_t c_at(uint32_t row, uint32_t column) const {
    return size_t{2} * size_ * size_ + (size_t{row} * size_ + column) * 4;
  }
  // In the scratchpad.
  [[nodiscard]] uint32_t operand_b() const { return 0; }
  [[nodiscard]] uint32_t operand_a() const { return size_ * kColumns; }
  [[nodiscard]] uint32_t sums() const { return operand_a() + input_bytes(); }
  static uint64_t pad(uint64_t offset) { return NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset); }

  /// An input by its slot of the ring to the scratchpad, when the products so far are done.
  void load(size_t from, uint32_t to) {
    const uint64_t slot = NPU_ADDRESS(kRings, inputs_ % kSlots * input_bytes());
    auto& arrive = stream_.copy(NPU_COMMAND_EXTERNAL_HDMA, 0, kArrived, NPU_ADDRESS(kHost, from), slot, input_bytes());
    if (inputs_ >= kSlots) bench::Stream::wait_for(arrive, 0, kLoaded, inputs_ - kSlots + 1);
    ++inputs_;
    auto& load = stream_.copy(NPU_COMMAND_NEURAL_DMA, 0, kLoaded, slot, pad(to), input_bytes());
    bench::Stream::wait_for(load, 0, kArrived, inputs_);
    bench::Stream::wait_for(load, 1, kComputed, products_);
  }

  void load_operand(uint32_t block, uint32_t piece) {
    const uint32_t rows = input_bytes() / kColumns;
    load(b_at(block, piece * rows), operand_b() + piece * input_bytes());
  }

  /// kRows of A times the block of B in the scratchpad.
  void multiply(uint32_t block, uint32_t slab) {
    load(size_t{slab} * input_bytes(), operand_a());
    for (uint32_t column = 0; column < kColumns; column += kProductColumns) {
      auto& command = stream_.add(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, 0, kComputed);
      bench::Stream::wait_for(command, 0, kLoaded, inputs_);
      bench::Stream::wait_for(command, 1, kStored, parts_);
      npu_gemm& gemm = command.u.gemm;
      gemm.type = NPU_TYPE_INT8;
      gemm.a = operand_a();
      gemm.b = operand_b() + column;
      gemm.c = sums() + column * 4;
      gemm.m = kRows;
      gemm.n = kProductColumns;
      gemm.k = size_;
      gemm.a_stride = size_;
      gemm.b_stride = kColumns;
      gemm.c_stride = kColumns * 4;
      ++products_;
    }
    for (uint32_t row = 0; row < kRows; row += kPartRows) {
      give_back(sums() + row * kColumns * 4, c_at(slab * kRows + row, block * kColumns));
    }
  }

  /// kPartRows of the sums by a slot of the ring to the host.
  void give_back(uint32_t from, size_t to) {
    const uint64_t slot = NPU_ADDRESS(kRings, kSlots * input_bytes() + parts_ % kSlots * kPartBytes);
    auto& store = stream_.copy(NPU_COMMAND_NEURAL_DMA, 0, kStored, pad(from), slot, kPartBytes);
    bench::Stream::wait_for(store, 0, kComputed, products_);
    if (parts_ >= kSlots) bench::Stream::wait_for(store, 1, kReturned, parts_ - kSlots + 1);
    ++parts_;
    auto& back = stream_.copy(NPU_COMMAND_EXTERNAL_HDMA, 1, kReturned, slot, NPU_ADDRESS(kHost, to), kColumns * 4,
                              kPartRows, kColumns * 4, size_ * 4);
    bench::Stream::wait_for(back, 0, kStored, parts_);
  }

  runtime::Device& device_;
  uint32_t size_;
  std::unique_ptr<runtime::Buffer> host_;
  std::unique_ptr<runtime::Buffer> rings_;
  bench::Stream stream_;
  size_t inputs_ = 0;
  size_t products_ = 0;
  size_t parts_ = 0;
};

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

void expect_same(const std::vector<int32_t>& expected, const uint8_t* c) {
  if (std::memcmp(expected.data(), c, expected.size() * 4) != 0) throw runtime::DeviceError("the product is wrong");
}

void bench_card(Report& report, runtime::Device& device, std::mt19937& random) {
  {
    // Before anything else of this size: the peak counts since the start of the program.
    const double before = peak_bytes();
    CardProduct product(device, 2 * kSize);
    for (size_t i = 0; i < size_t{8} * kSize * kSize; ++i) product.a()[i] = static_cast<uint8_t>(random());
    product.run();
    const double grown = peak_bytes() - before;
    std::vector<int32_t> c(size_t{4} * kSize * kSize);
    std::vector<uint8_t> b(size_t{4} * kSize * kSize);
    for (uint32_t k = 0; k < 2 * kSize; ++k) {
      for (uint32_t n = 0; n < 2 * kSize; ++n) b[size_t{k} * 2 * kSize + n] = *product.b(k, n);
    }
    const npu_gemm gemm = square(NPU_TYPE_INT8, 2 * kSize);
    // In turns, so that what else the machine does meets both; each twice, as the first of two finds the other's data
    // in the caches.
    const auto bare = [&] { arithmetic::gemm(gemm, product.a(), b.data(), reinterpret_cast<uint8_t*>(c.data())); };
    double ours = best_seconds([&] { product.run(); }, 1);
    double kernel = best_seconds(bare, 1);
    for (int round = 0; round < 15; ++round) {
      ours = std::min(ours, best_seconds([&] { product.run(); }, 2));
      kernel = std::min(kernel, best_seconds(bare, 2));
    }
    expect_same(c, product.c());
    report.add("gemm.card.int8.2048.host", ours, "s", "bare SIMD kernel", kernel);
    report.add("gemm.card.int8.2048.peak_memory", grown / 1e6, "MB", "A, B and C once",
               static_cast<double>(product.data_bytes()) / 1e6);
  }
  CardProduct product(device, kSize);
  std::vector<int8_t> a(size_t{kSize} * kSize);
  std::vector<int8_t> b(a.size());
  std::vector<int32_t> c(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    product.a()[i] = static_cast<uint8_t>(a[i] = static_cast<int8_t>(random()));
    const auto at = static_cast<uint32_t>(i);
    *product.b(at / kSize, at % kSize) = static_cast<uint8_t>(b[i] = static_cast<int8_t>(random()));
  }
  const double ours = best_seconds([&] { product.run(); });
  const double plain = best_seconds([&] { plain_loop(kSize, a, b, c); });
  expect_same(c, product.c());
  report.add("gemm.card.int8.1024.host", ours, "s", "auto-vectorised loop", plain);
}

}  // namespace

// libsystemc refers to it; the platform elaborates and starts by itself.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 1;
}

int main(int argc, char** argv) {
  // Libraries that would use more threads look at this when they are loaded.
  if (std::getenv("OMP_NUM_THREADS") == nullptr) {
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  Report report(argc, argv);
  std::mt19937 random(1);
  try {
    bench::run_on_card(config::load_server("server-1", NPUVP_BOARDS_DIR),
                       [&](runtime::Device& device) { bench_card(report, device, random); });
  } catch (const std::exception& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return 1;
  }
  bench_kernels(report, measure_baselines(random), random);
  return report.finish();
}
