// SPDX-License-Identifier: Apache-2.0
// npuvp bench boot: host seconds of a cold boot in-process to "firmware ready" and of the way from an edited source
// file of the firmware to its prompt (build and boot), each beside its limit; and the simulated boot time, beside that
// of firmware that would not wait for anything: its instructions at one a cycle. Best of three.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "tests/bench/bench_report.h"

namespace {

namespace fs = std::filesystem;

/// Targets of issue 4: section "Must hold", 6, and "Developer's experience".
constexpr double kBootLimitSeconds = 0.5;
constexpr double kEditLimitSeconds = 3;
constexpr const char* kEdited = NPUVP_SOURCE_DIR "/firmware/cp/service.c";

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
  const fs::path json = fs::temp_directory_path() / ("npuvp-bench-boot-" + std::to_string(getpid()));
  const std::string boot = NPUVP_PROGRAM " boot --json '" + json.string() + "' > /dev/null 2>&1";
  int status = 0;
  const double boot_seconds = best_seconds([&] { status |= std::system(boot.c_str()); });

  nlohmann::json figures;
  std::ifstream(json) >> figures;
  const std::string build_and_boot =
      "'" NPUVP_CMAKE "' --build '" NPUVP_BUILD_DIR "' --target npuvp_card > /dev/null 2>&1 && " + boot;
  // The file's time is put back: its contents are the same as before.
  const auto written = fs::last_write_time(kEdited);
  const double edit_seconds = best_seconds([&] {
    fs::last_write_time(kEdited, fs::file_time_type::clock::now());
    status |= std::system(build_and_boot.c_str());
  });
  fs::last_write_time(kEdited, written);
  fs::remove(json);
  if (status != 0) {
    fmt::print(stderr, "npuvp: the boot failed; try: npuvp boot\n");
    return 1;
  }
  npuvp::bench::Report report(argc, argv);
  const double instruction_seconds =
      figures.at("instructions").get<double>() * figures.at("clock_period_seconds").get<double>();
  report.add("boot.host", boot_seconds, "s", "limit", kBootLimitSeconds);
  report.add("boot.simulated", figures.at("simulated_seconds").get<double>() * 1e3, "ms", "its instructions",
             instruction_seconds * 1e3);
  report.add("boot.edit_to_prompt", edit_seconds, "s", "limit", kEditLimitSeconds);
  return report.finish();
}
