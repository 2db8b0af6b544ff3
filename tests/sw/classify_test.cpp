// SPDX-License-Identifier: Apache-2.0
#include "sw/apps/classify/classify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sw/compiler/error.h"
#include "sw/compiler/npy.h"
#include "tests/sw/fake_device.h"
#include "tests/sw/models.h"

namespace npuvp::apps {
namespace {

using compiler::InputError;
using compiler::Precision;
using test::FakeDevice;
using test::fashion;
using testing::HasSubstr;

ClassifyOptions fashion_options(Precision precision) {
  ClassifyOptions options;
  options.model = fashion("fashion_mlp_b16.onnx");
  options.input = fashion("images.npy");
  options.precision = precision;
  return options;
}

compiler::Target card(uint32_t engines) {
  return {.neural_engines = engines, .shared_bytes = 1u << 20};
}

std::string temporary(const std::string& name) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  std::filesystem::create_directories(folder);
  return (folder / name).string();
}

std::string refusal(const ClassifyOptions& options) {
  FakeDevice device(card(2), 1);
  try {
    (void)run_classify(device, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

class FashionMlp : public testing::TestWithParam<Precision> {};

TEST_P(FashionMlp, IsAccurateAndBitExact) {
  FakeDevice device(card(8), 5);
  ClassifyOptions options = fashion_options(GetParam());
  options.output = temporary("out.npy");
  std::vector<std::string> lines;
  const ClassifyReport report = run_classify(device, options, [&](const std::string& line) { lines.push_back(line); });
  EXPECT_EQ(report.images, 256u);
  EXPECT_EQ(report.jobs, 4u);
  EXPECT_EQ(report.wrong_outputs, 0u);
  EXPECT_TRUE(report.passed());
  EXPECT_GE(report.top1_agreement, (GetParam() == Precision::kInt8 ? 253 : 255) / 256.0);
  ASSERT_TRUE(report.accuracy.has_value());
  EXPECT_NEAR(*report.accuracy, 0.9023, 0.012) << "FP32 has 231 of 256";
  EXPECT_EQ(report.labels_used, fashion("labels.npy"));
  EXPECT_EQ(report.reference_used, fashion("fashion_mlp_logits.npy"));
  EXPECT_GT(report.simulated_seconds, 0);
  EXPECT_NEAR(report.images_per_simulated_second, 256 / report.simulated_seconds,
              1e-6 * report.images_per_simulated_second);
  EXPECT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines.back(), "run: 256/256");
  EXPECT_EQ(compiler::NpyArray::read(options.output).shape(), (std::vector<size_t>{256, 10}));
}

INSTANTIATE_TEST_SUITE_P(Precisions, FashionMlp, testing::Values(Precision::kInt8, Precision::kFp16),
                         [](const auto& instance) { return std::string(to_string(instance.param)); });

TEST(Classify, WrongCardResultFailsTheRun) {
  FakeDevice device(card(2), 5);
  device.tamper = [](std::vector<npu_command>& commands) {
    for (npu_command& command : commands) {
      if (command.kind == NPU_COMMAND_NEURAL_ENGINE && command.opcode == NPU_NE_GEMM) {
        command.u.gemm.k -= 1;
      }
    }
  };
  const ClassifyReport report = run_classify(device, fashion_options(Precision::kInt8));
  EXPECT_GT(report.wrong_outputs.value(), 0u);
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(to_text(report), HasSubstr("WRONG"));
}

TEST(Classify, FloatImagesWithoutFilesBesideThemUseTheBuiltInReference) {
  compiler::Matrix images = test::fashion_images();
  images.data.resize(5 * 784);
  ClassifyOptions options = fashion_options(Precision::kFp16);
  options.input = temporary("few.npy");
  compiler::write_npy(options.input, std::vector<size_t>{5, 1, 28, 28}, std::span<const float>(images.data));
  FakeDevice device(card(8), 5);
  const ClassifyReport report = run_classify(device, options);
  EXPECT_FALSE(report.accuracy.has_value());
  EXPECT_EQ(report.top1_agreement, 1);
  EXPECT_EQ(report.reference_used, "built-in FP32 evaluator");
  EXPECT_EQ(report.batch, 5u);
  EXPECT_THAT(to_json(report), HasSubstr("\"accuracy\": null"));
  EXPECT_THAT(to_json(report), HasSubstr("\"wrong_outputs\": 0"));
  EXPECT_THAT(to_json(report), HasSubstr("\"firmware_version\": \"1.2.3\""));
}

TEST(Classify, WrongInputsAreRefusedInOneLine) {
  ClassifyOptions options = fashion_options(Precision::kInt8);
  options.input = fashion("labels.npy");
  EXPECT_THAT(refusal(options), HasSubstr("labels.npy: wrong image shape: expected [N,1,28,28], got [256]"));
  options.input = temporary("i1.npy");
  compiler::write_npy(options.input, std::vector<size_t>{1, 28, 28}, std::vector<int8_t>(784));
  EXPECT_THAT(refusal(options), HasSubstr("wrong image type: expected |u1 or <f4, got |i1"));
  compiler::write_npy(options.input, std::vector<size_t>{0, 28, 28}, std::vector<float>());
  EXPECT_THAT(refusal(options), HasSubstr("holds no images"));
  compiler::write_npy(options.input, std::vector<size_t>{1, 28, 28}, std::vector<float>(784, NAN));
  EXPECT_THAT(refusal(options), HasSubstr("infinity or NaN"));

  options = fashion_options(Precision::kInt8);
  options.labels = fashion("fashion_mlp_logits.npy");
  EXPECT_THAT(refusal(options), HasSubstr("expected 256 integers, one an image, got <f4[256,10]"));
  options = fashion_options(Precision::kInt8);
  options.reference = fashion("labels.npy");
  EXPECT_THAT(refusal(options), HasSubstr("expected <f4[256,10] logits"));
  options = fashion_options(Precision::kInt8);
  options.batch = 0;
  EXPECT_THAT(refusal(options), HasSubstr("batch"));
  options = fashion_options(Precision::kInt8);
  options.batch = 1 << 20;
  EXPECT_EQ(refusal(options), "accepted") << "a batch has no more rows than there are images";
  options.model = fashion("nothing.onnx");
  EXPECT_THAT(refusal(options), HasSubstr("nothing.onnx: cannot open: No such file"));
  options.model = fashion("images.npy");
  EXPECT_THAT(refusal(options), HasSubstr("not an ONNX model"));
}

TEST(LinuxDevice, ErrorsNamePathOperationAndRemedy) {
  const auto refusal_of = [](const std::string& path) -> std::string {
    try {
      (void)runtime::open_linux_device(path);
    } catch (const runtime::DeviceError& error) {
      return error.what();
    }
    return "opened";
  };
  EXPECT_EQ(refusal_of("/nonexistent/accel0"),
            "/nonexistent/accel0: open: No such file or directory; is the npu module loaded and a card present (lsmod, "
            "dmesg)?");
  EXPECT_THAT(refusal_of("/dev/null"), HasSubstr("/dev/null: DRM_IOCTL_NPU_GET_INFO: Inappropriate ioctl"));
}

}  // namespace
}  // namespace npuvp::apps
