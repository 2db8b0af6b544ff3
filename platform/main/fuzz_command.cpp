// SPDX-License-Identifier: Apache-2.0
// fuzz: runs the fuzzers of tests/fuzz, built by the preset fuzz, and tells of their progress and of what they find.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <system_error>
#include <vector>

#include "platform/base/unique_fd.h"
#include "platform/config/config_error.h"
#include "platform/main/commands.h"
#include "platform/main/resources.h"

namespace npuvp::main {
namespace {

namespace fs = std::filesystem;

/// One input may take this long; a hang is a finding.
constexpr int kInputSeconds = 10;
constexpr int kMemoryMib = 2048;
/// 64 steps: longer sessions find little more and take their time.
constexpr int kSessionBytes = 1024;
constexpr size_t kLastWords = 8192;
constexpr unsigned kProgressLines = 10;

/// What libFuzzer said of itself so far.
struct Figures {
  uint64_t executions = 0;
  uint64_t coverage = 0;
  uint64_t features = 0;
  std::string reproducer;
};

/// Takes one line of libFuzzer's; true if the line is a report of progress.
bool take_line(const std::string& line, Figures& figures) {
  static const std::regex kProgress(R"(^#(\d+)\s+\S+\s+cov: (\d+) ft: (\d+).*)");
  static const std::regex kUnits(R"(^stat::number_of_executed_units:\s+(\d+))");
  static const std::regex kWritten(R"(Test unit written to (\S+))");
  std::smatch match;
  if (std::regex_match(line, match, kProgress)) {
    figures.executions = std::stoull(match[1]);
    figures.coverage = std::stoull(match[2]);
    figures.features = std::stoull(match[3]);
    return true;
  }
  if (std::regex_match(line, match, kUnits)) figures.executions = std::stoull(match[1]);
  if (std::regex_search(line, match, kWritten)) figures.reproducer = match[1];
  return false;
}

/// A fuzzer as a child whose messages can be read; it dies with us.
class Fuzzer {
 public:
  Fuzzer(const std::string& program, const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    messages_ = host::UniqueFd(ends[0]);
    host::UniqueFd theirs(ends[1]);
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(theirs.get(), STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }

  /// The next line without its end; false at the end of all.
  bool read_line(std::string& line) {
    for (;;) {
      const size_t end = text_.find('\n');
      if (end != std::string::npos) {
        line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return true;
      }
      std::array<char, 4096> buffer;
      const ssize_t bytes = ::read(messages_.get(), buffer.data(), buffer.size());
      if (bytes < 0 && errno == EINTR) continue;
      if (bytes <= 0) return false;
      text_.append(buffer.data(), static_cast<size_t>(bytes));
    }
  }

  /// Waits for the end; true if it was a good one.
  bool succeeded() const {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  host::UniqueFd messages_;
  pid_t pid_ = -1;
  std::string text_;
};

/// Runs one target for `seconds`; appends its figures to `json`. True if nothing was found.
bool run_target(const std::string& target, unsigned seconds, nlohmann::ordered_json& json) {
  const fs::path folder = fs::path(resources().source_dir) / "build/fuzz/tests/fuzz";
  const fs::path program = folder / ("fuzz_" + target);
  if (::access(program.c_str(), X_OK) != 0) {
    throw config::ConfigError(program.string() + ": not found; ./npuvp fuzz builds it");
  }
  const fs::path corpus = folder / "corpus" / target;
  fs::create_directories(corpus);
  std::vector<std::string> arguments{fmt::format("-max_total_time={}", seconds),
                                     fmt::format("-timeout={}", kInputSeconds),
                                     fmt::format("-rss_limit_mb={}", kMemoryMib),
                                     "-print_final_stats=1",
                                     fmt::format("-artifact_prefix={}/finding-{}-", folder.string(), target),
                                     corpus,
                                     folder / "seeds" / target};
  if (target == "vfio_user") arguments.push_back(fmt::format("-max_len={}", kSessionBytes));
  const fs::path findings = fs::path(resources().source_dir) / "tests/fuzz/findings" / target;
  if (fs::exists(findings)) arguments.push_back(findings);

  Figures figures;
  std::string last_words;
  std::string line;
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  const double interval = static_cast<double>(seconds) / kProgressLines;
  double next_report = interval;
  Fuzzer fuzzer(program, arguments);
  while (fuzzer.read_line(line)) {
    if (!take_line(line, figures)) {
      last_words += line + '\n';
      if (last_words.size() > 2 * kLastWords) last_words.erase(0, last_words.size() - kLastWords);
    } else if (elapsed() >= next_report) {
      next_report = elapsed() + interval;
      fmt::print("{:<10} {:>5.0f} s  {:>9} executions  {:>6.0f}/s  coverage {}\n", target, elapsed(),
                 figures.executions, static_cast<double>(figures.executions) / elapsed(), figures.coverage);
      std::fflush(stdout);
    }
  }
  const bool passed = fuzzer.succeeded();
  const double rate = static_cast<double>(figures.executions) / elapsed();
  fmt::print("{:<10} {:>5.0f} s  {:>9} executions  {:>6.0f}/s  coverage {}  {}\n", target, elapsed(),
             figures.executions, rate, figures.coverage, passed ? "nothing found" : "FOUND");
  if (!passed) {
    fmt::print(stderr, "{}npuvp: {}: a finding; its input: {}. Again: {} {}\n", last_words, target, figures.reproducer,
               program.string(), figures.reproducer);
  }
  json.push_back({{"target", target},
                  {"seconds", elapsed()},
                  {"executions", figures.executions},
                  {"executions_per_second", rate},
                  {"coverage", figures.coverage},
                  {"features", figures.features},
                  {"finding", passed ? nlohmann::ordered_json() : nlohmann::ordered_json(figures.reproducer)}});
  return passed;
}

}  // namespace

int fuzz_command(const FuzzOptions& options) {
  auto json = nlohmann::ordered_json::array();
  bool passed = true;
  for (const auto& target : options.targets) passed &= run_target(target, options.seconds, json);
  if (!options.json.empty()) write_file(options.json, json.dump(2) + "\n");
  return passed ? kExitDone : kExitFailed;
}

}  // namespace npuvp::main
