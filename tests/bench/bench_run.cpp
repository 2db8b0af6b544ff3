// SPDX-License-Identifier: Apache-2.0
// npuvp bench run: host seconds of the whole main job in-process (boot, firmware, 256 images, verification) beside a
// plain FP32 evaluation of the same network on the host. Best of three.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>

#include "sw/apps/classify/inputs.h"
#include "sw/compiler/fp32_evaluator.h"
#include "sw/compiler/onnx_reader.h"
#include "tests/bench/bench_report.h"

namespace {

double best_seconds(const std::function<void()>& work) {
  double best = 1e9;
  for (int run = 0; run < 3; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  npuvp::apps::ClassifyOptions options;
  options.model = NPUVP_DATA_DIR "/fashion_mlp_b16.onnx";
  options.input = NPUVP_DATA_DIR "/images.npy";
  const auto graph = npuvp::compiler::read_onnx(options.model);
  const auto images = npuvp::apps::read_inputs(options, graph).images;
  const double plain = best_seconds([&] { (void)npuvp::compiler::evaluate(graph, images); });

  const std::string command =
      std::string(NPUVP_PROGRAM) + " run '" + options.model + "' --input '" + options.input + "' > /dev/null 2>&1";
  int status = 0;
  const double ours = best_seconds([&] { status |= std::system(command.c_str()); });
  if (status != 0) {
    fmt::print(stderr, "npuvp: the run failed; try: npuvp run {} --input {}\n", options.model, options.input);
    return 1;
  }
  npuvp::bench::Report report(argc, argv);
  report.add("run.fashion_mlp.host", ours, "s", "FP32 evaluation on the host", plain);
  return report.finish();
}
