// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/onnx_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "onnx.pb.h"
#include "sw/compiler/error.h"
#include "sw/compiler/file.h"

namespace npuvp::compiler {
namespace {

constexpr int32_t kOnnxFloat = 1;  // TensorProto.DataType
constexpr int32_t kOnnxInt64 = 7;
constexpr int64_t kMaxElements = int64_t{1} << 31;
constexpr int64_t kOldestOperatorSet = 7;
constexpr std::array kOps{Op::kAdd, Op::kFlatten, Op::kGemm, Op::kIdentity, Op::kMatMul, Op::kRelu, Op::kReshape};

std::string supported_operators() {
  std::string text = "supported: Constant";
  for (const Op op : kOps) {
    text += ", " + std::string(to_string(op));
  }
  return text;
}

/// Builds the graph in the file's order, which ONNX requires to be an order of execution.
class Reader {
 public:
  Reader(const std::string& name, const onnx::ModelProto& model) : model_(model) { graph_.source = name; }

  Graph read() {
    check_versions();
    if (!model_.has_graph()) {
      fail("no graph inside; is it an ONNX model?");
    }
    for (const onnx::TensorProto& tensor : model_.graph().initializer()) {
      add_constant(tensor, tensor.name());
    }
    read_input();
    for (const onnx::NodeProto& node : model_.graph().node()) {
      for (const std::string& output : node.output()) {
        computed_somewhere_.insert(output);
      }
    }
    for (const onnx::NodeProto& node : model_.graph().node()) {
      add_node(node);
    }
    read_output();
    infer_shapes(graph_);
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw CompileError(graph_.source, what); }
  [[noreturn]] void fail(const onnx::NodeProto& node, const std::string& what) const {
    throw CompileError(graph_.source, node_name(node), node.op_type(), what);
  }
  /// A node without a name is known by its output.
  static const std::string& node_name(const onnx::NodeProto& node) {
    return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  }

  void check_versions() const {
    int64_t version = 0;
    for (const onnx::OperatorSetIdProto& set : model_.opset_import()) {
      if (set.domain().empty() || set.domain() == "ai.onnx") {
        version = set.version();
      }
    }
    if (version < kOldestOperatorSet) {
      fail("operator set " + std::to_string(version) +
           " is not supported; export with opset_version=13 or another from " + std::to_string(kOldestOperatorSet) +
           " on");
    }
  }

  ValueId add_value(const std::string& name, Value value) {
    if (name.empty()) {
      fail("a tensor without a name");
    }
    const auto id = static_cast<ValueId>(graph_.values.size());
    if (!ids_.emplace(name, id).second) {
      fail("tensor name '" + printable(name) + "' is used twice");
    }
    value.name = name;
    graph_.values.push_back(std::move(value));
    return id;
  }

  [[nodiscard]] Shape checked_shape(const std::string& name, const Shape& shape) const {
    int64_t elements = 1;
    for (const int64_t size : shape) {
      if (size < 1 || size > kMaxElements / elements) {
        fail("tensor '" + printable(name) + "' has the impossible shape " + compiler::shape_text(shape));
      }
      elements *= size;
    }
    return shape;
  }

  template <typename T, typename Repeated>
  std::vector<T> contents(const std::string& name, const onnx::TensorProto& tensor, const Repeated& values,
                          int64_t elements) const {
    const auto count = static_cast<size_t>(elements);
    const bool raw = tensor.has_raw_data();
    const size_t got = raw ? tensor.raw_data().size() : static_cast<size_t>(values.size()) * sizeof(T);
    if (got != count * sizeof(T)) {
      fail("tensor '" + printable(name) + "' has " + std::to_string(got) + " bytes of data, its shape needs " +
           std::to_string(count * sizeof(T)));
    }
    std::vector<T> result(count);
    if (raw) {
      std::memcpy(result.data(), tensor.raw_data().data(), got);
    } else {
      std::copy(values.begin(), values.end(), result.begin());
    }
    return result;
  }

  void add_constant(const onnx::TensorProto& tensor, const std::string& name) {
    if (tensor.data_location() != onnx::TensorProto::DEFAULT) {
      fail("tensor '" + printable(name) + "' lies in another file; save the model as a single file");
    }
    Value value;
    value.shape = checked_shape(name, Shape(tensor.dims().begin(), tensor.dims().end()));
    const int64_t elements = element_count(value.shape);
    if (tensor.data_type() == kOnnxFloat) {
      auto floats = contents<float>(name, tensor, tensor.float_data(), elements);
      if (!std::all_of(floats.begin(), floats.end(), [](float x) { return std::isfinite(x); })) {
        fail("tensor '" + printable(name) + "' holds an infinity or NaN");
      }
      value.constant = std::move(floats);
    } else if (tensor.data_type() == kOnnxInt64) {
      value.constant = contents<int64_t>(name, tensor, tensor.int64_data(), elements);
    } else {
      fail("tensor '" + printable(name) + "' has element type " + std::to_string(tensor.data_type()) +
           " of ONNX; supported: float32 and, for shapes, int64");
    }
    add_value(name, std::move(value));
  }

  void read_input() {
    const onnx::ValueInfoProto* input = nullptr;
    for (const onnx::ValueInfoProto& info : model_.graph().input()) {
      if (ids_.contains(info.name())) {
        continue;  // an initializer that is also listed as input, as old exporters do
      }
      if (input != nullptr) {
        fail("has more than one input ('" + printable(input->name()) + "', '" + printable(info.name()) +
             "'); export a model with one");
      }
      input = &info;
    }
    if (input == nullptr) {
      fail("has no input");
    }
    const onnx::TypeProto::Tensor& type = input->type().tensor_type();
    if (type.elem_type() != kOnnxFloat) {
      fail("input '" + printable(input->name()) + "' is not float32");
    }
    Shape shape;
    for (const onnx::TensorShapeProto::Dimension& dimension : type.shape().dim()) {
      const bool symbolic_batch = shape.empty() && !dimension.has_dim_value();
      shape.push_back(symbolic_batch ? 1 : dimension.dim_value());
    }
    if (shape.empty()) {
      fail("input '" + printable(input->name()) + "' has no shape; export with fixed shapes");
    }
    Value value;
    value.shape = checked_shape(input->name(), shape);
    graph_.input = add_value(input->name(), std::move(value));
  }

  void read_output() {
    if (model_.graph().output_size() != 1) {
      fail("has " + std::to_string(model_.graph().output_size()) + " outputs; export a model with one");
    }
    const std::string& name = model_.graph().output(0).name();
    const auto found = ids_.find(name);
    if (found == ids_.end() || graph_.values[found->second].is_constant()) {
      fail("output '" + printable(name) + "' is not computed by any node");
    }
    graph_.output = found->second;
  }

  void add_node(const onnx::NodeProto& proto) {
    if (proto.output_size() != 1) {
      fail(proto, "has " + std::to_string(proto.output_size()) + " outputs, expected 1");
    }
    const bool standard = proto.domain().empty() || proto.domain() == "ai.onnx";
    if (standard && proto.op_type() == "Constant") {
      add_constant_node(proto);
      return;
    }
    const auto* const op =
        std::find_if(kOps.begin(), kOps.end(), [&](Op o) { return to_string(o) == proto.op_type(); });
    if (!standard || op == kOps.end()) {
      fail(proto, "unsupported operator " + printable(proto.op_type()) +
                      (standard ? "" : " of domain " + printable(proto.domain())) + "; " + supported_operators());
    }
    Node node;
    node.op = *op;
    node.name = node_name(proto);
    for (int i = 0; i < proto.input_size(); ++i) {
      const bool absent_bias = proto.input(i).empty() && i == 2 && i + 1 == proto.input_size();
      if (!absent_bias) {
        node.inputs.push_back(find_input(proto, proto.input(i)));
      }
    }
    for (const onnx::AttributeProto& attribute : proto.attribute()) {
      read_attribute(proto, attribute, node);
    }
    node.output = add_value(proto.output(0), {});
    graph_.nodes.push_back(std::move(node));
  }

  void add_constant_node(const onnx::NodeProto& proto) {
    if (proto.attribute_size() != 1 || proto.attribute(0).name() != "value" || !proto.attribute(0).has_t()) {
      fail(proto, "only a tensor in attribute 'value' is supported");
    }
    add_constant(proto.attribute(0).t(), proto.output(0));
  }

  [[nodiscard]] ValueId find_input(const onnx::NodeProto& proto, const std::string& name) const {
    const auto found = ids_.find(name);
    if (found == ids_.end()) {
      const bool later = computed_somewhere_.contains(name);
      fail(proto, "input '" + printable(name) + "' is " +
                      (later ? "computed only by this or a later node: the graph has a cycle or is not sorted"
                             : "neither computed nor an initializer; the file is incomplete"));
    }
    return found->second;
  }

  void read_attribute(const onnx::NodeProto& proto, const onnx::AttributeProto& attribute, Node& node) const {
    const std::string& name = attribute.name();
    const bool gemm = node.op == Op::kGemm;
    if (gemm && name == "alpha" && attribute.has_f()) {
      node.alpha = attribute.f();
    } else if (gemm && name == "beta" && attribute.has_f()) {
      node.beta = attribute.f();
    } else if (gemm && name == "transA" && attribute.has_i()) {
      node.trans_a = attribute.i();
    } else if (gemm && name == "transB" && attribute.has_i()) {
      node.trans_b = attribute.i();
    } else if (node.op == Op::kFlatten && name == "axis" && attribute.has_i()) {
      node.axis = attribute.i();
    } else if (!(node.op == Op::kReshape && name == "allowzero" && attribute.has_i() && attribute.i() == 0)) {
      fail(proto, "attribute '" + printable(name) + "' is not supported");
    }
  }

  const onnx::ModelProto& model_;
  Graph graph_;
  std::map<std::string, ValueId> ids_;
  std::set<std::string> computed_somewhere_;
};

}  // namespace

Graph read_onnx(const std::string& path) {
  return parse_onnx(path, read_file(path));
}

Graph parse_onnx(const std::string& name, std::span<const std::byte> contents) {
  onnx::ModelProto model;
  const bool fits = contents.size() <= static_cast<size_t>(std::numeric_limits<int>::max());
  if (!fits || !model.ParseFromArray(contents.data(), static_cast<int>(contents.size()))) {
    throw CompileError(name, "not an ONNX model, or the file is damaged or incomplete");
  }
  return Reader(name, model).read();
}

}  // namespace npuvp::compiler
