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

/// C = A * B of INT8 on the card: host buffers to DRAM, half of A's rows to stay in each of two engines' scratchpads,
/// B by slabs of columns past them, C back to the host. B lies in the buffer as a compiler lays out weights: slabs one
/// after the other.
class CardProduct {
 public:
  static constexpr uint32_t kColumns = 256;  // of B for an engine at a time

  CardProduct(runtime::Device& device, uint32_t size)
      : device_(device), size_(size), rows_(size / kEngines), operand_bytes_(size * size), sum_bytes_(size * size * 4) {
    host_ = device.allocate(2 * operand_bytes_ + sum_bytes_, runtime::Placement::kHost);
    dram_ = device.allocate(2 * operand_bytes_ + sum_bytes_, runtime::Placement::kDevice);
    build(whole_, true);
    build(resident_, false);
    copy_back(back_);
  }

  [[nodiscard]] uint8_t* a() { return reinterpret_cast<uint8_t*>(host_->bytes().data()); }
  /// Row k of slab n / kColumns.
  [[nodiscard]] uint8_t* b(uint32_t k, uint32_t n) {
    return a() + operand_bytes_ + (size_t{n} / kColumns * size_ + k) * kColumns + n % kColumns;
  }
  [[nodiscard]] uint8_t* c() { return a() + size_t{2} * operand_bytes_; }
  /// What the buffers of host and card hold.
  [[nodiscard]] size_t data_bytes() const { return host_->size() + dram_->size(); }
  void run() { run(whole_); }
  /// The same without the ways from and to the host: the operands lie in the card's DRAM since the last run().
  void run_resident() { run(resident_); }
  /// What the last of these has left in the card's DRAM.
  void fetch_result() {
    std::memset(c(), 0, sum_bytes_);
    run(back_);
  }

 private:
  static constexpr uint8_t kEngines = 2;
  static constexpr uint16_t kInput = 0;  // tokens
  static constexpr uint16_t kOutput = 1;
  static constexpr uint16_t kLoaded = 2;  // and one for each engine more
  static constexpr uint16_t kComputed = 4;
  static constexpr uint16_t kStored = 6;

  static uint64_t pad(uint64_t offset) { return NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset); }
  static uint16_t of(uint16_t token, uint8_t engine) { return static_cast<uint16_t>(token + engine); }

  void run(bench::Stream& stream) { stream.run(device_, {{host_.get(), true}, {dram_.get(), true}}); }

  npu_command& copy_back(bench::Stream& stream) const {
    return stream.copy(NPU_COMMAND_EXTERNAL_HDMA, 1, kOutput, NPU_ADDRESS(1, 2 * operand_bytes_),
                       NPU_ADDRESS(0, 2 * operand_bytes_), sum_bytes_);
  }

  void build(bench::Stream& stream, bool moves) {
    const uint32_t slabs = size_ / kColumns;
    const size_t inputs = moves ? 1 : 0;
    if (moves) {
      stream.copy(NPU_COMMAND_EXTERNAL_HDMA, 0, kInput, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 2 * operand_bytes_);
    }
    for (uint8_t engine = 0; engine < kEngines; ++engine) {
      auto& load = stream.copy(NPU_COMMAND_NEURAL_DMA, engine, of(kLoaded, engine),
                               NPU_ADDRESS(1, uint64_t{engine} * rows_ * size_), pad(0), rows_ * size_);
      bench::Stream::wait_for(load, 0, kInput, inputs);
    }
    for (uint32_t slab = 0; slab < slabs; ++slab) {
      for (uint8_t engine = 0; engine < kEngines; ++engine) multiply(stream, engine, slab, inputs);
    }
    if (!moves) return;
    auto& back = copy_back(stream);
    for (uint8_t engine = 0; engine < kEngines; ++engine) {
      bench::Stream::wait_for(back, engine, of(kStored, engine), slabs);
    }
  }

  /// The engine's rows of A times a slab of B.
  void multiply(bench::Stream& stream, uint8_t engine, uint32_t slab, size_t inputs) {
    const uint32_t b_at = rows_ * size_;
    const uint32_t c_at = b_at + size_ * kColumns;
    auto& load =
        stream.copy(NPU_COMMAND_NEURAL_DMA, engine, of(kLoaded, engine),
                    NPU_ADDRESS(1, operand_bytes_ + uint64_t{slab} * size_ * kColumns), pad(b_at), size_ * kColumns);
    bench::Stream::wait_for(load, 0, kInput, inputs);
    bench::Stream::wait_for(load, 1, of(kComputed, engine), slab);
    auto& command = stream.add(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, engine, of(kComputed, engine));
    bench::Stream::wait_for(command, 0, of(kLoaded, engine), slab + 2);
    bench::Stream::wait_for(command, 1, of(kStored, engine), slab);
    npu_gemm& gemm = command.u.gemm;
    gemm.type = NPU_TYPE_INT8;
    gemm.a = 0;
    gemm.b = b_at;
    gemm.c = c_at;
    gemm.m = rows_;
    gemm.n = kColumns;
    gemm.k = size_;
    gemm.a_stride = size_;
    gemm.b_stride = kColumns;
    gemm.c_stride = kColumns * 4;
    auto& store = stream.copy(
        NPU_COMMAND_NEURAL_DMA, engine, of(kStored, engine), pad(c_at),
        NPU_ADDRESS(1, 2 * operand_bytes_ + uint64_t{engine} * rows_ * size_ * 4 + uint64_t{slab} * kColumns * 4),
        kColumns * 4, rows_, kColumns * 4, size_ * 4);
    bench::Stream::wait_for(store, 0, of(kComputed, engine), slab + 1);
  }

  runtime::Device& device_;
  uint32_t size_;
  uint32_t rows_;  // of A and C in an engine
  uint32_t operand_bytes_;
  uint32_t sum_bytes_;
  std::unique_ptr<runtime::Buffer> host_;
  std::unique_ptr<runtime::Buffer> dram_;
  bench::Stream whole_;
  bench::Stream resident_;
  bench::Stream back_;
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
    const double ours = best_seconds([&] { product.run(); }, 5);
    const double grown = peak_bytes() - before;
    const double resident = best_seconds([&] { product.run_resident(); }, 5);
    std::vector<int32_t> c(size_t{4} * kSize * kSize);
    std::vector<uint8_t> b(size_t{4} * kSize * kSize);
    for (uint32_t k = 0; k < 2 * kSize; ++k) {
      for (uint32_t n = 0; n < 2 * kSize; n += CardProduct::kColumns) {
        std::memcpy(&b[size_t{k} * 2 * kSize + n], product.b(k, n), CardProduct::kColumns);
      }
    }
    const npu_gemm gemm = square(NPU_TYPE_INT8, 2 * kSize);
    const double kernel =
        best_seconds([&] { arithmetic::gemm(gemm, product.a(), b.data(), reinterpret_cast<uint8_t*>(c.data())); }, 5);
    product.fetch_result();
    expect_same(c, product.c());
    report.add("gemm.card.int8.2048.host", ours, "s", "bare SIMD kernel", kernel);
    report.add("gemm.card.int8.2048.resident", resident, "s", "bare SIMD kernel", kernel);
    report.add("gemm.card.int8.2048.peak_memory", grown / 1e6, "MB", "buffers of host and card",
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
