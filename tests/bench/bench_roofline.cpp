// SPDX-License-Identifier: Apache-2.0
// npuvp bench roofline: simulated FLOP/s of FP16 GEMMs of different shapes on a whole card beside the analytic roof,
// the lesser of the engines' peak and intensity x DRAM bandwidth. Each engine loads A and B of its next GEMM from DRAM
// while it computes the last ones. A figure is measured over roof; roofline.csv and roofline.svg come beside the JSON
// file, or into the current folder. The engines do not compute contents (`data: none`), which changes no time.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "tests/bench/bench_report.h"
#include "tests/bench/card_run.h"

namespace {

using namespace npuvp;

struct Point {
  uint32_t m, n, k;
  double intensity;  ///< FLOP a byte of DRAM.
  double flops;      ///< Measured, FLOP/s.
  double bytes;      ///< Measured, B/s.
  double roof;       ///< FLOP/s.
};

struct Roof {
  double peak_flops;
  double bytes_per_second;
  [[nodiscard]] double at(double intensity) const { return std::min(peak_flops, intensity * bytes_per_second); }
};

Roof roof_of(const config::CardConfig& card) {
  const auto& engines = card.neural_engines;
  return {2.0 * engines.count * engines.fp16.rows * engines.fp16.columns * engines.clock_mhz * 1e6,
          card.dram.channels * card.dram.channel_gb_per_s * 1e9 * card.dram.efficiency};
}

/// `steps` GEMMs on each engine, double-buffered.
Point measure(runtime::Device& device, const Roof& roof, unsigned engines, uint32_t m, uint32_t n, uint32_t k) {
  constexpr unsigned kSteps = 100;
  const uint32_t a_bytes = m * k * 2;
  const uint32_t bytes = a_bytes + k * n * 2;
  const auto data = device.allocate(size_t{engines} * bytes, runtime::Placement::kDevice);
  bench::Stream stream;
  for (size_t step = 0; step < kSteps; ++step) {
    for (unsigned engine = 0; engine < engines; ++engine) {
      const auto loaded = static_cast<uint16_t>(engine);
      const auto done = static_cast<uint16_t>(engines + engine);
      const auto number = static_cast<uint8_t>(engine);
      const auto buffer = static_cast<uint32_t>(step % 2) * bytes;
      auto& load = stream.copy(NPU_COMMAND_NEURAL_DMA, number, loaded, NPU_ADDRESS(0, uint64_t{engine} * bytes),
                               NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, buffer), bytes);
      bench::Stream::wait_for(load, 0, done, step < 2 ? 0 : step - 1);
      auto& command = stream.add(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, number, done);
      bench::Stream::wait_for(command, 0, loaded, step + 1);
      command.u.gemm.a = buffer;
      command.u.gemm.b = buffer + a_bytes;
      command.u.gemm.c = 2 * bytes;
      command.u.gemm.m = m;
      command.u.gemm.n = n;
      command.u.gemm.k = k;
      command.u.gemm.a_stride = k * 2;
      command.u.gemm.b_stride = n * 2;
      command.u.gemm.c_stride = n * 4;
      command.u.gemm.type = NPU_TYPE_FP16;
    }
  }
  const auto completion = stream.run(device, {{data.get(), false}});
  const double seconds = static_cast<double>(completion.end_ns - completion.start_ns) * 1e-9;
  const double work = 2.0 * m * n * k * engines * kSteps;
  const double moved = static_cast<double>(bytes) * engines * kSteps;
  return {m, n, k, work / moved, work / seconds, moved / seconds, roof.at(work / moved)};
}

std::string csv_of(const std::vector<Point>& points) {
  std::string text = "m,n,k,flop_per_byte,measured_tflops,measured_gb_per_s,roof_tflops,ratio\n";
  for (const Point& p : points) {
    text += fmt::format("{},{},{},{:.3f},{:.4f},{:.3f},{:.4f},{:.4f}\n", p.m, p.n, p.k, p.intensity, p.flops / 1e12,
                        p.bytes / 1e9, p.roof / 1e12, p.flops / p.roof);
  }
  return text;
}

/// Both axes logarithmic.
std::string svg_of(const std::vector<Point>& points, const Roof& roof) {
  constexpr double kWidth = 720;
  constexpr double kHeight = 440;
  constexpr double kMargin = 60;
  const double ridge = roof.peak_flops / roof.bytes_per_second;
  const double left = ridge / 100;
  const double right = ridge * 10;
  const double bottom = roof.at(left) / 2;
  const double top = roof.peak_flops * 2;
  const auto x = [&](double intensity) {
    return kMargin + (kWidth - 2 * kMargin) * std::log(intensity / left) / std::log(right / left);
  };
  const auto y = [&](double flops) {
    return kHeight - kMargin - (kHeight - 2 * kMargin) * std::log(flops / bottom) / std::log(top / bottom);
  };
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
      "<polyline fill=\"none\" stroke=\"black\" stroke-width=\"2\" points=\"{2:.1f},{3:.1f} {4:.1f},{5:.1f} "
      "{6:.1f},{5:.1f}\"/>\n",
      kWidth, kHeight, x(left), y(roof.at(left)), x(ridge), y(roof.peak_flops), x(right));
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{:.1f} TFLOP/s</text>\n", x(ridge), y(roof.peak_flops) - 8,
                     roof.peak_flops / 1e12);
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{:.1f} GB/s</text>\n", x(ridge / 20) + 8,
                     y(roof.at(ridge / 20)) + 16, roof.bytes_per_second / 1e9);
  for (const Point& p : points) {
    svg += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"steelblue\"><title>m {} n {} k {}: {:.3f} of the "
        "roof</title></circle>\n",
        x(p.intensity), y(p.flops), p.m, p.n, p.k, p.flops / p.roof);
  }
  svg += fmt::format("<text x=\"{}\" y=\"{}\">FLOP per byte of DRAM (logarithmic)</text>\n", kWidth / 2 - 80,
                     kHeight - 20);
  svg += fmt::format("<text x=\"10\" y=\"20\">FLOP/s (logarithmic), FP16 GEMM on the whole card</text>\n</svg>\n");
  return svg;
}

bool write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) fmt::print(stderr, "npuvp: {}: cannot be written; start in a writable folder\n", path.string());
  return static_cast<bool>(file);
}

}  // namespace

// libsystemc refers to it; the platform elaborates and starts by itself.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 1;
}

int main(int argc, char** argv) {
  bench::Report report(argc, argv);
  auto config = config::load_server("server-1", NPUVP_BOARDS_DIR);
  config.cards.front().data = config::DataMode::kNone;
  const Roof roof = roof_of(config.cards.front());
  const unsigned engines = config.cards.front().neural_engines.count;
  std::vector<Point> points;
  try {
    bench::run_on_card(config, [&](runtime::Device& device) {
      for (const uint32_t m : {16u, 32u, 64u, 96u, 256u, 384u, 512u}) {
        points.push_back(measure(device, roof, engines, m, 512, 512));
      }
    });
  } catch (const std::exception& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return 1;
  }
  for (const Point& p : points) {
    const auto name = fmt::format("roofline.fp16.m{}.n{}.k{}", p.m, p.n, p.k);
    if (p.roof < roof.peak_flops) {
      report.add(name + ".bandwidth", p.bytes / 1e9, "GB/s", "analytic roof", roof.bytes_per_second / 1e9);
    }
    report.add(name + ".rate", p.flops / 1e12, "TFLOP/s", "analytic roof", p.roof / 1e12);
  }
  std::filesystem::path beside = "roofline.json";
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string(argv[i]) == "--json") beside = argv[i + 1];
  }
  const bool written = write(beside.replace_extension(".csv"), csv_of(points)) &&
                       write(beside.replace_extension(".svg"), svg_of(points, roof));
  const int status = report.finish();
  return written ? status : 2;
}
