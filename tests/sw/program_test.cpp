// SPDX-License-Identifier: Apache-2.0
// Compiler and runtime end to end on the FakeDevice; the expected outputs are those of the written arithmetic, which
// knows nothing of layouts, tokens and engines.
#include "sw/compiler/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "firmware/abi/queue.h"
#include "firmware/abi/status.h"
#include "sw/compiler/error.h"
#include "sw/compiler/quantizer.h"
#include "sw/runtime/classifier.h"
#include "tests/sw/fake_device.h"
#include "tests/sw/models.h"

namespace npuvp::test {
namespace {

using compiler::CardNetwork;
using compiler::Matrix;
using compiler::Precision;
using compiler::Program;
using compiler::Target;
using testing::HasSubstr;

CardNetwork build(const compiler::Graph& graph, const Matrix& calibration, Precision precision) {
  const compiler::Network network = compiler::lower(graph);
  return precision == Precision::kInt8 ? compiler::quantize_int8(graph, network, calibration)
                                       : compiler::convert_fp16(network);
}

/// Memories no larger than small networks need, because the FakeDevice fills them for every job.
Target small_card(uint32_t engines) {
  return {.neural_engines = engines, .scratchpad_bytes = 64u << 10, .shared_bytes = 64u << 10};
}

struct Case {
  CardNetwork network;
  std::vector<std::byte> encoded;
  std::vector<float> expected;
};

/// A chain of dense layers with `rows` inputs and what the card must answer.
Case chain(const std::vector<int64_t>& sizes, size_t rows, Precision precision) {
  const compiler::Graph graph = dense_chain(sizes);
  const Matrix inputs = noise_rows(rows, static_cast<size_t>(sizes[0]));
  Case setup{build(graph, inputs, precision), {}, {}};
  setup.encoded = setup.network.encode(inputs);
  setup.expected = compiler::run_card_arithmetic(setup.network, setup.encoded, rows).data;
  return setup;
}

std::vector<uint32_t> bits(const std::vector<float>& values) {
  std::vector<uint32_t> result;
  for (const float value : values) {
    result.push_back(std::bit_cast<uint32_t>(value));
  }
  return result;
}

/// Outputs of the whole path on a FakeDevice.
std::vector<float> run(const Case& setup, const Target& target, uint32_t batch, uint64_t seed, uint32_t in_flight = 3) {
  const Program program(setup.network, target, batch);
  FakeDevice device(target, seed);
  runtime::Classifier classifier(device, program, {.jobs_in_flight = in_flight});
  classifier.load();
  return classifier.run(setup.encoded);
}

class EndToEnd : public testing::TestWithParam<std::tuple<Precision, uint32_t>> {};

TEST_P(EndToEnd, EveryRowCountGivesTheBitsOfTheWrittenArithmetic) {
  const auto [precision, engines] = GetParam();
  for (const size_t rows : {1u, 2u, 7u, 8u, 9u, 16u, 33u}) {
    const Case setup = chain({37, 19, 21, 5}, rows, precision);
    for (const uint32_t batch : {1u, 3u, 8u, 16u, 64u}) {
      ASSERT_EQ(bits(run(setup, small_card(engines), batch, rows * batch)), bits(setup.expected))
          << rows << " rows in batches of " << batch;
    }
  }
}

TEST_P(EndToEnd, FashionMlpGivesTheBitsOfTheWrittenArithmetic) {
  const auto [precision, engines] = GetParam();
  const compiler::Graph graph = fashion_graph();
  Matrix images = fashion_images();
  images.rows = 50;
  images.data.resize(images.rows * images.columns);
  Case setup{build(graph, images, precision), {}, {}};
  setup.encoded = setup.network.encode(images);
  setup.expected = compiler::run_card_arithmetic(setup.network, setup.encoded, images.rows).data;
  EXPECT_EQ(bits(run(setup, {.neural_engines = engines, .shared_bytes = 1u << 20}, 20, 1)), bits(setup.expected));
}

INSTANTIATE_TEST_SUITE_P(PrecisionsAndEngines, EndToEnd,
                         testing::Combine(testing::Values(Precision::kInt8, Precision::kFp16),
                                          testing::Values(1u, 2u, 8u)),
                         [](const auto& instance) {
                           return std::string(to_string(std::get<0>(instance.param))) + "_" +
                                  std::to_string(std::get<1>(instance.param)) + "_engines";
                         });

TEST(Program, AnyOrderThatTokensAllowIsCorrect) {
  const Case setup = chain({24, 18, 20, 12, 4}, 11, Precision::kInt8);
  for (uint64_t seed = 0; seed < 200; ++seed) {
    ASSERT_EQ(bits(run(setup, small_card(3), 4, seed)), bits(setup.expected)) << "seed " << seed;
  }
}

TEST(Program, SmallScratchpadsReuseWeightSlotsInOrder) {
  const Case setup = chain({64, 64, 64, 64, 64, 8}, 6, Precision::kFp16);
  const uint32_t layer = 64 * 64 * 2;
  // From one slot (no layer is loaded ahead) to all resident.
  for (const uint32_t scratchpad : {12u * 1024, layer * 2 + 4096, layer * 3 + 4096, 64u << 10}) {
    const Target target{.neural_engines = 2, .scratchpad_bytes = scratchpad, .shared_bytes = 64u << 10};
    for (uint64_t seed = 0; seed < 50; ++seed) {
      ASSERT_EQ(bits(run(setup, target, 6, seed)), bits(setup.expected)) << scratchpad << " bytes, seed " << seed;
    }
  }
}

TEST(Program, EveryTokenWaitIsNeeded) {
  const Case setup = chain({24, 18, 4}, 5, Precision::kInt8);
  const Target target = small_card(2);
  const Program program(setup.network, target, 5);
  const std::vector<npu_command> stream = program.infer_commands(5);
  for (size_t command = 0; command < stream.size(); ++command) {
    for (size_t wait = 0; wait < NPU_TOKEN_WAITS; ++wait) {
      if (stream[command].wait[wait].token == NPU_TOKEN_NONE) {
        continue;
      }
      bool noticed = false;
      for (uint64_t seed = 0; seed < 200 && !noticed; ++seed) {
        FakeDevice device(target, seed);
        device.tamper = [&](std::vector<npu_command>& commands) {
          if (commands.size() == stream.size()) {
            commands[command].wait[wait].token = NPU_TOKEN_NONE;
          }
        };
        runtime::Classifier classifier(device, program, {});
        classifier.load();
        noticed = bits(classifier.run(setup.encoded)) != bits(setup.expected);
      }
      EXPECT_TRUE(noticed) << "command " << command << " works without its wait " << wait;
    }
  }
}

TEST(Program, StreamOrderIsAlsoASequentialOrder) {
  const Case setup = chain({64, 64, 64, 64, 8}, 8, Precision::kFp16);
  for (const uint32_t scratchpad : {12u * 1024, 21u * 1024, 1u << 20}) {
    const Program program(setup.network, {.neural_engines = 4, .scratchpad_bytes = scratchpad}, 8);
    for (uint32_t rows = 1; rows <= 8; ++rows) {
      std::array<uint32_t, NPU_TOKENS> tokens{};
      for (const npu_command& command : program.infer_commands(rows)) {
        for (const npu_token_wait& wait : command.wait) {
          ASSERT_TRUE(wait.token == NPU_TOKEN_NONE || tokens.at(wait.token) >= wait.count);
        }
        if (command.signal != NPU_TOKEN_NONE) {
          ++tokens.at(command.signal);
        }
      }
    }
  }
}

TEST(Program, UsesEveryKindOfCommandAndIdlesEnginesWithoutRows) {
  const Case setup = chain({24, 18, 4}, 3, Precision::kInt8);
  const Program program(setup.network, small_card(8), 3);
  FakeDevice device(small_card(8), 1);
  runtime::Classifier classifier(device, program, {});
  classifier.load();
  (void)classifier.run(setup.encoded);
  // 2 layers, 3 rows on 3 engines; the load brings 2 blocks.
  const std::map<uint8_t, size_t> expected{{NPU_COMMAND_NEURAL_ENGINE, 3 * 2 * 2},
                                           {NPU_COMMAND_NEURAL_DMA, 3 * (2 + 1 + 1)},
                                           {NPU_COMMAND_TASK_DMA, 2},
                                           {NPU_COMMAND_EXTERNAL_HDMA, 2 + 3 + 1}};
  EXPECT_EQ(device.commands_run(), expected);
}

std::string refusal(const CardNetwork& network, const Target& target, uint32_t batch) {
  try {
    (void)Program(network, target, batch);
  } catch (const compiler::CompileError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Program, WhatDoesNotFitIsRefusedWithTheLimit) {
  const CardNetwork network = chain({512, 512, 8}, 1, Precision::kInt8).network;
  EXPECT_THAT(refusal(network, {.scratchpad_bytes = 100 << 10}, 8),
              HasSubstr("node 'fc0' (Gemm): weights need 260 KiB"));
  EXPECT_THAT(refusal(network, {.shared_bytes = 256 << 10}, 8), HasSubstr("more than the shared memory"));
  const std::string message = refusal(network, {.neural_engines = 2, .scratchpad_bytes = 300 << 10}, 1000);
  EXPECT_THAT(message, HasSubstr("batch of 1000 rows does not fit"));
  const auto limit = static_cast<uint32_t>(std::stoul(message.substr(message.find("at most ") + 8)));
  EXPECT_EQ(refusal(network, {.neural_engines = 2, .scratchpad_bytes = 300 << 10}, limit), "accepted");
  EXPECT_NE(refusal(network, {.neural_engines = 2, .scratchpad_bytes = 300 << 10}, limit + 1), "accepted");
  EXPECT_THAT(refusal(network, {.neural_engines = 200}, 8), HasSubstr("200 Neural Engines"));
  EXPECT_THAT(refusal(network, {.neural_engines = 0}, 8), HasSubstr("at least one"));
}

TEST(Classifier, JobsDoNotOverlapInTimeAndCoverAllRows) {
  const Case setup = chain({16, 4}, 10, Precision::kInt8);
  const Program program(setup.network, small_card(2), 4);
  FakeDevice device(small_card(2), 1);
  runtime::Classifier classifier(device, program, {.jobs_in_flight = 2});
  classifier.load();
  std::vector<size_t> progress;
  (void)classifier.run(setup.encoded, [&](size_t done, size_t total) {
    progress.push_back(done);
    EXPECT_EQ(total, 10u);
  });
  EXPECT_EQ(progress, (std::vector<size_t>{4, 8, 10}));
  ASSERT_EQ(classifier.job_times().size(), 3u);
  EXPECT_EQ(classifier.job_times()[2].rows, 2u);
  EXPECT_LE(classifier.job_times()[0].end_ns, classifier.job_times()[1].start_ns);
}

TEST(Classifier, CanRunAgainWithOtherRowCounts) {
  const Case large = chain({16, 6, 4}, 11, Precision::kInt8);
  const Program program(large.network, small_card(2), 4);
  FakeDevice device(small_card(2), 3);
  runtime::Classifier classifier(device, program, {});
  classifier.load();
  for (const size_t rows : {11u, 2u, 5u, 0u, 4u, 3u}) {
    const std::span<const std::byte> encoded = std::span(large.encoded).first(rows * 16);
    EXPECT_EQ(bits(classifier.run(encoded)),
              bits({large.expected.begin(), large.expected.begin() + static_cast<ptrdiff_t>(rows * 4)}));
  }
}

TEST(Classifier, FaultNamesTheCommand) {
  const Case setup = chain({16, 6, 4}, 4, Precision::kInt8);
  const Program program(setup.network, small_card(2), 4);
  FakeDevice device(small_card(2), 3);
  runtime::Classifier classifier(device, program, {});
  classifier.load();
  device.tamper = [](std::vector<npu_command>& commands) {
    for (npu_command& command : commands) {
      if (command.kind == NPU_COMMAND_NEURAL_DMA && command.engine == 1) {
        command.u.dma.destination = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 64u << 10);
        return;
      }
    }
  };
  try {
    (void)classifier.run(setup.encoded);
    FAIL() << "the fault was not noticed";
  } catch (const runtime::DeviceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("fault ADDRESS at command"));
    EXPECT_THAT(error.what(), HasSubstr("(Neural DMA, engine 1), address 0x8000000000010000"));
  }
}

TEST(Classifier, DeadlockIsReported) {
  const Case setup = chain({16, 4}, 4, Precision::kInt8);
  const Program program(setup.network, small_card(2), 4);
  FakeDevice device(small_card(2), 3);
  device.tamper = [](std::vector<npu_command>& commands) { commands.back().wait[0] = {255, 1}; };
  runtime::Classifier classifier(device, program, {});
  EXPECT_THROW(classifier.load(), runtime::DeviceError);
}

}  // namespace
}  // namespace npuvp::test
