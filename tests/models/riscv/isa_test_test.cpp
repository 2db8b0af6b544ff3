// SPDX-License-Identifier: Apache-2.0
// The runner behind `npuvp hart --isa-test`, on programs of riscv-tests' convention.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "models/riscv/isa_test.h"

namespace npuvp::riscv {
namespace {

std::string program(const std::string& name) {
  return std::string(NPUVP_TEST_PROGRAMS) + "/" + name + ".elf";
}

TEST(IsaTest, ProgramsPass) {
  for (const char* name : {"integer", "multiply", "atomic", "compressed", "float", "bits", "privileged"}) {
    const IsaTestResult result = run_isa_test(program(name), {});
    EXPECT_TRUE(result.passed) << name << ": " << result.message;
    EXPECT_GT(result.instructions, 50u);
  }
}

TEST(IsaTest, NamesTheFailedCaseAndServesTheConsole) {
  std::string output;
  IsaTestOptions options;
  options.output = [&output](char letter) { output += letter; };
  const IsaTestResult result = run_isa_test(program("failing"), options);
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.message, "case 7 failed");
  EXPECT_EQ(output, "!hello\n");
}

TEST(IsaTest, EndsAtItsLimit) {
  IsaTestOptions options;
  options.instructions = 10;
  const IsaTestResult result = run_isa_test(program("integer"), options);
  EXPECT_FALSE(result.passed);
  EXPECT_TRUE(result.message.starts_with("no end after 10 instructions")) << result.message;
}

TEST(IsaTest, RefusesWhatIsNoProgram) {
  EXPECT_THROW((void)run_isa_test("/nonexistent.elf", {}), std::runtime_error);
  const auto path = std::filesystem::temp_directory_path() / "npuvp_isa_test_cut.elf";
  std::ifstream whole(program("integer"), std::ios::binary);
  std::string bytes(100, '\0');
  whole.read(bytes.data(), 100);
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_THROW((void)run_isa_test(path.string(), {}), std::runtime_error);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace npuvp::riscv
