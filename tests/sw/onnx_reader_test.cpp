// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/onnx_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "onnx.pb.h"
#include "sw/compiler/error.h"
#include "sw/compiler/file.h"
#include "sw/compiler/fp32_evaluator.h"
#include "sw/compiler/network.h"
#include "tests/sw/models.h"

namespace npuvp::compiler {
namespace {

using testing::AllOf;
using testing::HasSubstr;

onnx::TensorProto float_tensor(const std::string& name, const Shape& shape, float value) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(1);
  for (const int64_t size : shape) {
    tensor.add_dims(size);
  }
  for (int64_t i = 0; i < element_count(shape); ++i) {
    tensor.add_float_data(value);
  }
  return tensor;
}

onnx::NodeProto node(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                     const std::string& output) {
  onnx::NodeProto proto;
  proto.set_op_type(op);
  proto.set_name(name);
  for (const std::string& input : inputs) {
    proto.add_input(input);
  }
  proto.add_output(output);
  return proto;
}

/// x [2,3] -> MatMul w [3,4] -> Add b [4] -> Relu -> y
onnx::ModelProto small_model() {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  onnx::ValueInfoProto& input = *graph.add_input();
  input.set_name("x");
  auto& type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(1);
  type.mutable_shape()->add_dim()->set_dim_value(2);
  type.mutable_shape()->add_dim()->set_dim_value(3);
  graph.add_output()->set_name("y");
  *graph.add_initializer() = float_tensor("w", {3, 4}, 0.5f);
  *graph.add_initializer() = float_tensor("b", {4}, -1.0f);
  *graph.add_node() = node("MatMul", "product", {"x", "w"}, "p");
  *graph.add_node() = node("Add", "bias", {"b", "p"}, "s");
  *graph.add_node() = node("Relu", "relu", {"s"}, "y");
  return model;
}

Graph parse(const onnx::ModelProto& model) {
  const std::string bytes = model.SerializeAsString();
  return parse_onnx("m.onnx", std::as_bytes(std::span(bytes)));
}

using Change = std::function<void(onnx::GraphProto&)>;

/// Message of the CompileError for the small model after `change`, from reading or lowering.
std::string refusal(const Change& change) {
  onnx::ModelProto model = small_model();
  change(*model.mutable_graph());
  try {
    (void)lower(parse(model));
  } catch (const CompileError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(OnnxReader, FashionModelsHaveTheDocumentedShapes) {
  for (const auto& [file, batch] :
       {std::pair<std::string, int64_t>{"fashion_mlp_b1.onnx", 1}, {"fashion_mlp_b16.onnx", 16}}) {
    const Graph graph = read_onnx(test::fashion(file));
    EXPECT_EQ(graph.values[graph.input].shape, (Shape{batch, 1, 28, 28}));
    EXPECT_EQ(graph.values[graph.output].shape, (Shape{batch, 10}));
    const Network network = lower(graph);
    ASSERT_EQ(network.layers.size(), 3u);
    EXPECT_EQ(network.layers[0].k, 784u);
    EXPECT_EQ(network.layers[1].k, 256u);
    EXPECT_EQ(network.layers[2].k, 128u);
    EXPECT_EQ(network.layers[2].n, 10u);
    EXPECT_TRUE(network.layers[1].relu);
    EXPECT_FALSE(network.layers[2].relu);
  }
}

TEST(OnnxReader, FusesMatMulAddAndRelu) {
  const Graph graph = parse(small_model());
  const Network network = lower(graph);
  ASSERT_EQ(network.layers.size(), 1u);
  EXPECT_EQ(network.layers[0].bias, std::vector<float>(4, -1.0f));
  EXPECT_TRUE(network.layers[0].relu);
  const Matrix output = evaluate(graph, {2, 3, {1, 2, 3, 0, 0, 1}})[graph.output];
  EXPECT_EQ(output.data, (std::vector<float>{2, 2, 2, 2, 0, 0, 0, 0}));
}

TEST(OnnxReader, AcceptsReshapeConstantNodesRawDataAndASymbolicBatch) {
  onnx::ModelProto model = small_model();
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param("N");
  onnx::NodeProto shape = node("Constant", "", {}, "shape");
  onnx::AttributeProto& value = *shape.add_attribute();
  value.set_name("value");
  value.mutable_t()->set_data_type(7);
  value.mutable_t()->add_dims(2);
  value.mutable_t()->set_raw_data(std::string("\xff\xff\xff\xff\xff\xff\xff\xff\x04\0\0\0\0\0\0\0", 16));
  graph.mutable_node(2)->set_output(0, "r");
  *graph.add_node() = shape;
  *graph.add_node() = node("Reshape", "reshape", {"r", "shape"}, "y");
  EXPECT_EQ(parse(model).values.back().shape, (Shape{1, 4}));
}

TEST(OnnxReader, UnsupportedOperatorIsNamedWithItsNodeAndWhatIsSupported) {
  EXPECT_THAT(refusal([](auto& graph) {
                *graph.mutable_node(0) = node("Conv", "conv1", {"x", "w"}, "p");
              }),
              AllOf(HasSubstr("m.onnx: node 'conv1' (Conv): unsupported operator Conv"),
                    HasSubstr("supported: Constant, Add, Flatten, Gemm, Identity, MatMul, Relu, Reshape")));
  EXPECT_THAT(refusal([](auto& graph) { graph.mutable_node(0)->set_domain("com.example"); }),
              HasSubstr("of domain com.example"));
}

TEST(OnnxReader, RefusesBrokenGraphs) {
  const auto expect = [](const Change& change, const std::string& text) {
    EXPECT_THAT(refusal(change), HasSubstr(text));
  };
  expect([](auto& g) { g.mutable_initializer()->DeleteSubrange(0, 1); },
         "input 'w' is neither computed nor an initializer");
  expect([](auto& g) { g.mutable_node(0)->set_input(0, "s"); }, "cycle");
  expect([](auto& g) { g.mutable_node(0)->set_input(0, "p"); }, "cycle");
  expect([](auto& g) { *g.add_initializer() = float_tensor("w", {3, 4}, 1); }, "'w' is used twice");
  expect([](auto& g) { g.mutable_node(1)->set_output(0, "p"); }, "'p' is used twice");
  expect([](auto& g) { g.mutable_node(1)->set_output(0, ""); }, "without a name");
  expect([](auto& g) { g.mutable_node(0)->clear_output(); }, "has 0 outputs");
  expect([](auto& g) { g.clear_input(); }, "has no input");
  expect([](auto& g) { g.add_input()->set_name("z"); }, "more than one input");
  expect([](auto& g) { g.clear_output(); }, "has 0 outputs");
  expect([](auto& g) { g.mutable_output(0)->set_name("nowhere"); }, "not computed by any node");
  expect([](auto& g) { g.mutable_output(0)->set_name("s"); }, "not a chain");
  expect([](auto& g) { g.clear_node(); }, "not computed by any node");
  expect([](auto& g) { g.mutable_node(2)->set_input(0, "x"); }, "branches are not supported");
  expect([](auto& g) { g.mutable_node(2)->clear_input(); }, "missing");
}

TEST(OnnxReader, RefusesBrokenTensors) {
  const auto expect = [](const Change& change, const std::string& text) {
    EXPECT_THAT(refusal(change), HasSubstr(text));
  };
  expect([](auto& g) { g.mutable_initializer(0)->mutable_float_data()->RemoveLast(); },
         "has 44 bytes of data, its shape needs 48");
  expect([](auto& g) { g.mutable_initializer(0)->set_raw_data("abc"); }, "has 3 bytes");
  expect([](auto& g) { g.mutable_initializer(0)->set_dims(0, -3); }, "impossible shape");
  expect([](auto& g) { g.mutable_initializer(0)->set_dims(0, 0); }, "impossible shape");
  expect([](auto& g) { g.mutable_initializer(0)->set_dims(0, int64_t{1} << 62); },
         "impossible shape [4611686018427387904,4]");
  expect([](auto& g) { g.mutable_initializer(0)->set_data_type(10); }, "element type 10");
  expect([](auto& g) { g.mutable_initializer(0)->set_float_data(0, INFINITY); }, "infinity or NaN");
  expect([](auto& g) { g.mutable_initializer(0)->set_data_location(onnx::TensorProto::EXTERNAL); },
         "lies in another file");
  expect(
      [](auto& g) {
        g.mutable_initializer(0)->set_dims(0, 4);
        g.mutable_initializer(0)->set_dims(1, 3);
      },
      "inner dimensions differ: [2,3] and [4,3]");
  expect([](auto& g) { *g.mutable_initializer(1) = float_tensor("b", {3}, 1); },
         "must be a float constant of shape [4], got [3]");
  expect([](auto& g) { g.mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(7); }, "not float32");
  expect([](auto& g) { g.mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape(); }, "has no shape");
}

TEST(OnnxReader, RefusesUnsupportedGemm) {
  const auto with_attribute = [](const std::string& name, bool integer, int value) {
    return refusal([&](auto& g) {
      *g.mutable_node(0) = node("Gemm", "fc", {"x", "w"}, "p");
      onnx::AttributeProto& attribute = *g.mutable_node(0)->add_attribute();
      attribute.set_name(name);
      integer ? attribute.set_i(value) : attribute.set_f(static_cast<float>(value));
    });
  };
  EXPECT_EQ(with_attribute("transB", true, 0), "accepted");
  EXPECT_EQ(with_attribute("alpha", false, 1), "accepted");
  EXPECT_THAT(with_attribute("transA", true, 1), HasSubstr("node 'fc' (Gemm): transA is not supported"));
  EXPECT_THAT(with_attribute("alpha", false, 2), HasSubstr("alpha and beta must be 1"));
  EXPECT_THAT(with_attribute("transB", true, 1), HasSubstr("inner dimensions differ"));
  EXPECT_THAT(with_attribute("shift", true, 1), HasSubstr("attribute 'shift' is not supported"));
}

TEST(OnnxReader, RefusesOldOperatorSetsAndNamesStayPrintable) {
  onnx::ModelProto model = small_model();
  model.mutable_opset_import(0)->set_version(6);
  EXPECT_THROW((void)parse(model), CompileError);
  const std::string message = refusal([](auto& g) { *g.mutable_node(0) = node("Conv\n", "a\x1b[2J", {"x"}, "p"); });
  EXPECT_THAT(message, HasSubstr("node 'a\\x1b[2J' (Conv\\x0a)"));
}

/// The reader either returns a graph or throws CompileError; with sanitizers this also finds bad accesses.
void expect_no_crash(std::span<const std::byte> bytes) {
  try {
    (void)lower(parse_onnx("damaged.onnx", bytes));
  } catch (const CompileError& error) {
    EXPECT_THAT(error.what(), HasSubstr("damaged.onnx: "));
  }
}

TEST(OnnxReader, TruncatedFilesAreRefused) {
  const std::vector<std::byte> file = read_file(test::fashion("fashion_mlp_b1.onnx"));
  for (size_t length = 0; length < file.size(); length += 1000) {
    ASSERT_THROW((void)lower(parse_onnx("damaged.onnx", std::span(file).first(length))), CompileError) << length;
  }
}

TEST(OnnxReader, FlippedBitsDoNotCrash) {
  std::vector<std::byte> file = read_file(test::fashion("fashion_mlp_b1.onnx"));
  // The structure stands at both ends, the weights between: each bit there, then a sample.
  constexpr size_t kEdge = 700;
  for (size_t i = 0; i < file.size(); i += (i < kEdge || i + kEdge > file.size()) ? 1u : 40009u) {
    for (unsigned bit = 0; bit < 8; bit += (i < kEdge ? 1u : 3u)) {
      file[i] ^= std::byte{1} << bit;
      expect_no_crash(file);
      file[i] ^= std::byte{1} << bit;
    }
  }
}

TEST(OnnxReader, FlippedBitsInASmallModelDoNotCrash) {
  const std::string good = small_model().SerializeAsString();
  for (size_t i = 0; i < good.size() * 8; ++i) {
    for (size_t j = i; j < good.size() * 8; j += 97) {
      std::string bad = good;
      bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
      bad[j / 8] = static_cast<char>(bad[j / 8] ^ (1 << (j % 8)));
      expect_no_crash(std::as_bytes(std::span(bad)));
    }
  }
}

}  // namespace
}  // namespace npuvp::compiler
