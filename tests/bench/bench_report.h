// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace npuvp::bench {

/// The figures of one benchmark: printed as they come, and written as docs/benchmarks.md describes. A figure means
/// something only beside the baseline measured in the same run.
class Report {
 public:
  /// Takes the arguments of a benchmark program: [--json FILE].
  Report(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; ++i) {
      if (std::string(argv[i]) == "--json") file_ = argv[i + 1];
    }
  }

  void add(const std::string& metric, double value, const std::string& unit, const std::string& baseline,
           double baseline_value) {
    const double ratio = value / baseline_value;
    fmt::print("{:<42} {:>10.2f} {:<16} {:<28} {:>10.2f}  ratio {:.3f}\n", metric, value, unit, baseline,
               baseline_value, ratio);
    figures_.push_back({{"metric", metric},
                        {"value", value},
                        {"unit", unit},
                        {"baseline", baseline},
                        {"baseline_value", baseline_value},
                        {"ratio", ratio}});
  }

  /// Writes the JSON file, if one was asked for. Returns the program's exit status.
  [[nodiscard]] int finish() const {
    if (file_.empty()) return 0;
    std::ofstream out(file_);
    out << figures_.dump(2) << '\n';
    out.close();
    if (out) return 0;
    fmt::print(stderr, "npuvp: {}: cannot be written; give a file in a writable folder\n", file_);
    return 2;
  }

 private:
  std::string file_;
  nlohmann::ordered_json figures_ = nlohmann::ordered_json::array();
};

}  // namespace npuvp::bench
