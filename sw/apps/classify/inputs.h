// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sw/apps/classify/classify.h"
#include "sw/compiler/fp32_evaluator.h"
#include "sw/compiler/graph.h"

namespace npuvp::apps {

/// What the files named by the options contain, checked against the model and against each other.
struct ClassifyInputs {
  compiler::Matrix images;  ///< As the model takes them.
  std::optional<std::vector<int64_t>> labels;
  std::string labels_file;
  std::optional<compiler::Matrix> reference;
  std::string reference_file;
};

/// Errors: compiler::InputError.
[[nodiscard]] ClassifyInputs read_inputs(const ClassifyOptions& options, const compiler::Graph& graph);

}  // namespace npuvp::apps
