// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/graph.h"

#include <array>
#include <stdexcept>

#include "sw/compiler/error.h"

namespace npuvp::compiler {
namespace {

/// Shape rules of one node.
class ShapeRule {
 public:
  ShapeRule(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  [[nodiscard]] Shape output() const {
    require_activation(0);
    switch (node_.op) {
      case Op::kIdentity:
      case Op::kRelu:
        require_inputs(1, 1);
        return shape(0);
      case Op::kFlatten:
        return flatten();
      case Op::kReshape:
        return reshape();
      case Op::kGemm:
        return gemm();
      case Op::kMatMul:
        require_inputs(2, 2);
        return product(0);
      case Op::kAdd:
        return add();
    }
    throw std::logic_error("ShapeRule: unknown operator");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw CompileError(graph_.source, node_.name, to_string(node_.op), what);
  }
  [[nodiscard]] const Value& value(size_t i) const { return graph_.values[node_.inputs[i]]; }
  [[nodiscard]] const Shape& shape(size_t i) const { return value(i).shape; }

  void require_inputs(size_t least, size_t most) const {
    if (node_.inputs.size() < least || node_.inputs.size() > most) {
      fail("has " + std::to_string(node_.inputs.size()) + " inputs, expected " + std::to_string(least) +
           (most == least ? "" : " to " + std::to_string(most)));
    }
  }
  void require_activation(size_t i) const {
    if (i >= node_.inputs.size() || value(i).is_constant()) {
      fail("input " + std::to_string(i) + " is constant or missing; it must depend on the graph's input");
    }
  }
  /// A row of `columns` constants, [columns] or [1,columns].
  void require_row(size_t i, int64_t columns) const {
    const Shape& row = shape(i);
    if (value(i).floats() == nullptr || !(row == Shape{columns} || row == Shape{1, columns})) {
      fail("bias '" + printable(value(i).name) + "' must be a float constant of shape [" + std::to_string(columns) +
           "], got " + shape_text(row));
    }
  }

  [[nodiscard]] Shape flatten() const {
    require_inputs(1, 1);
    const auto rank = static_cast<int64_t>(shape(0).size());
    if (node_.axis != 1 && node_.axis != 1 - rank) {
      fail("axis " + std::to_string(node_.axis) + " is not supported; only axis 1 keeps the batch");
    }
    return {shape(0)[0], element_count(shape(0)) / shape(0)[0]};
  }

  [[nodiscard]] Shape reshape() const {
    require_inputs(2, 2);
    const auto* const wanted = std::get_if<std::vector<int64_t>>(&value(1).constant);
    if (wanted == nullptr || wanted->empty()) {
      fail("the shape must be a constant of int64 with at least one dimension");
    }
    const int64_t total = element_count(shape(0));
    Shape result = *wanted;
    int64_t known = 1;
    size_t unknown = result.size();
    for (size_t i = 0; i < result.size(); ++i) {
      if (result[i] == 0 && i < shape(0).size()) {
        result[i] = shape(0)[i];
      }
      if (result[i] == -1 && unknown == result.size()) {
        unknown = i;
      } else if (result[i] < 1 || result[i] > total / known) {
        fail("cannot reshape " + shape_text(shape(0)) + " to " + shape_text(*wanted));
      } else {
        known *= result[i];
      }
    }
    if (unknown != result.size()) {
      result[unknown] = total / known;
    }
    if (element_count(result) != total || result[0] != graph_.batch()) {
      fail("cannot reshape " + shape_text(shape(0)) + " to " + shape_text(*wanted) + " and keep the batch first");
    }
    return result;
  }

  [[nodiscard]] Shape product(int64_t trans_b) const {
    const Shape& a = shape(0);
    const Shape& b = shape(1);
    if (value(1).floats() == nullptr) {
      fail("weights '" + printable(value(1).name) + "' must be a float constant");
    }
    if (a.size() != 2 || b.size() != 2) {
      fail("needs matrices, got " + shape_text(a) + " and " + shape_text(b));
    }
    const int64_t k = trans_b != 0 ? b[1] : b[0];
    if (a[1] != k) {
      fail("inner dimensions differ: " + shape_text(a) + " and " + shape_text(b) + (trans_b != 0 ? " transposed" : ""));
    }
    return {a[0], trans_b != 0 ? b[0] : b[1]};
  }

  [[nodiscard]] Shape gemm() const {
    require_inputs(2, 3);
    if (node_.trans_a != 0) {
      fail("transA is not supported; export with transA=0");
    }
    if (node_.alpha != 1 || node_.beta != 1) {
      fail("alpha and beta must be 1; fold them into the weights");
    }
    Shape result = product(node_.trans_b);
    if (node_.inputs.size() == 3) {
      require_row(2, result[1]);
    }
    return result;
  }

  [[nodiscard]] Shape add() const {
    require_inputs(2, 2);
    if (shape(0).size() != 2) {
      fail("needs a matrix as first input, got " + shape_text(shape(0)));
    }
    require_row(1, shape(0)[1]);
    return shape(0);
  }

  const Graph& graph_;
  const Node& node_;
};

}  // namespace

std::string_view to_string(Op op) {
  constexpr std::array<std::string_view, 7> kNames{"Add", "Flatten", "Gemm", "Identity", "MatMul", "Relu", "Reshape"};
  return kNames.at(static_cast<size_t>(op));
}

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    count *= size;
  }
  return count;
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += i == 0 ? "" : ",";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

void infer_shapes(Graph& graph) {
  for (Node& node : graph.nodes) {
    const bool constant_first =
        node.op == Op::kAdd && node.inputs.size() == 2 && graph.values[node.inputs[0]].is_constant();
    if (constant_first) {
      std::swap(node.inputs[0], node.inputs[1]);
    }
    graph.values[node.output].shape = ShapeRule(graph, node).output();
  }
}

}  // namespace npuvp::compiler
