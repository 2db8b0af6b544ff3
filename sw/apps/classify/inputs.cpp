// SPDX-License-Identifier: Apache-2.0
#include "sw/apps/classify/inputs.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sw/compiler/error.h"
#include "sw/compiler/npy.h"

namespace npuvp::apps {
namespace {

using compiler::InputError;
using compiler::NpyArray;
using compiler::NpyType;

/// Dimensions of one image without those of size 1, which carry no information.
template <typename Sizes>
std::vector<size_t> squeezed_row(const Sizes& shape) {
  std::vector<size_t> result;
  for (size_t i = 1; i < shape.size(); ++i) {
    if (shape[i] != 1) {
      result.push_back(static_cast<size_t>(shape[i]));
    }
  }
  return result;
}

compiler::Matrix read_images(const std::string& path, const compiler::Graph& graph) {
  constexpr float kLargestPixel = 255;
  const NpyArray array = NpyArray::read(path);
  const compiler::Shape& expected = graph.values[graph.input].shape;
  if (array.type() != NpyType::kU1 && array.type() != NpyType::kF4) {
    throw InputError(path, std::string("wrong image type: expected |u1 or <f4, got ") + to_string(array.type()));
  }
  if (array.shape().empty() || squeezed_row(array.shape()) != squeezed_row(expected)) {
    compiler::Shape row(expected.begin() + 1, expected.end());
    std::string wanted = compiler::shape_text(row);
    wanted = "[N" + std::string(row.empty() ? "" : ",") + wanted.substr(1);
    throw InputError(path, "wrong image shape: expected " + wanted + ", got " + compiler::shape_text(array.shape()));
  }
  if (array.size() == 0) {
    throw InputError(path, "holds no images");
  }
  compiler::Matrix images{array.shape()[0], array.size() / array.shape()[0], array.to_floats()};
  if (array.type() == NpyType::kU1) {
    for (float& pixel : images.data) {
      pixel /= kLargestPixel;
    }
  } else if (!std::all_of(images.data.begin(), images.data.end(), [](float x) { return std::isfinite(x); })) {
    throw InputError(path, "holds an infinity or NaN");
  }
  return images;
}

/// The given file, else the one beside the input if it exists, else empty.
std::string choose(const std::string& given, const std::string& input, const std::string& default_name) {
  if (!given.empty()) {
    return given;
  }
  const std::filesystem::path beside = std::filesystem::path(input).parent_path() / default_name;
  std::error_code error;
  return std::filesystem::is_regular_file(beside, error) ? beside.string() : std::string();
}

std::string logits_name(const std::string& model) {
  std::string stem = std::filesystem::path(model).stem().string();
  for (const std::string_view suffix : {"_b16", "_b1"}) {
    if (stem.ends_with(suffix)) {
      stem.resize(stem.size() - suffix.size());
      break;
    }
  }
  return stem + "_logits.npy";
}

/// A file that was named must fit; one that merely lies beside the input may belong to other images (`path` is
/// cleared).
void refuse(std::string& path, bool named, const std::string& expected, const NpyArray& array) {
  if (!named) {
    path.clear();
    return;
  }
  throw InputError(path, "expected " + expected + ", got " + to_string(array.type()) +
                             compiler::shape_text(array.shape()) + "; does the file belong to these images?");
}

}  // namespace

ClassifyInputs read_inputs(const ClassifyOptions& options, const compiler::Graph& graph) {
  ClassifyInputs inputs;
  inputs.images = read_images(options.input, graph);
  const size_t count = inputs.images.rows;
  const auto classes = static_cast<size_t>(graph.values[graph.output].shape.back());

  inputs.labels_file = choose(options.labels, options.input, "labels.npy");
  if (!inputs.labels_file.empty()) {
    const NpyArray array = NpyArray::read(inputs.labels_file);
    if (array.is_floating() || array.shape() != std::vector<size_t>{count}) {
      refuse(inputs.labels_file, !options.labels.empty(), std::to_string(count) + " integers, one an image", array);
    } else {
      inputs.labels = array.to_integers();
    }
  }

  inputs.reference_file = choose(options.reference, options.input, logits_name(options.model));
  if (!inputs.reference_file.empty()) {
    const NpyArray array = NpyArray::read(inputs.reference_file);
    if (!array.is_floating() || array.shape() != std::vector<size_t>{count, classes}) {
      refuse(inputs.reference_file, !options.reference.empty(),
             "<f4" + compiler::shape_text(std::vector<size_t>{count, classes}) + " logits", array);
    } else {
      inputs.reference = compiler::Matrix{count, classes, array.to_floats()};
    }
  }
  return inputs;
}

}  // namespace npuvp::apps
