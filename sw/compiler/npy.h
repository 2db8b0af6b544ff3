// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace npuvp::compiler {

/// Element types of a .npy file, all little-endian; named as in its header.
enum class NpyType : uint8_t { kU1, kI1, kI4, kI8, kF2, kF4 };

[[nodiscard]] const char* to_string(NpyType type);

/// An array in C order, as read from a NumPy .npy file (format 1.0 or 2.0).
class NpyArray {
 public:
  NpyArray(NpyType type, std::vector<size_t> shape, std::vector<std::byte> data)
      : type_(type), shape_(std::move(shape)), data_(std::move(data)) {}

  /// Errors: InputError naming the file for anything but a complete array of a supported type with at most 2^31
  /// elements and nothing behind it.
  [[nodiscard]] static NpyArray read(const std::string& path);

  [[nodiscard]] NpyType type() const { return type_; }
  [[nodiscard]] const std::vector<size_t>& shape() const { return shape_; }
  [[nodiscard]] size_t size() const;  ///< Elements.
  [[nodiscard]] bool is_floating() const { return type_ >= NpyType::kF2; }
  [[nodiscard]] std::vector<float> to_floats() const;      ///< Every type; rounded to nearest if need be.
  [[nodiscard]] std::vector<int64_t> to_integers() const;  ///< Only if !is_floating(); else std::logic_error.

 private:
  NpyType type_;
  std::vector<size_t> shape_;
  std::vector<std::byte> data_;
};

/// "[256,28,28]"
[[nodiscard]] std::string shape_text(std::span<const size_t> shape);

/// Writes format 1.0. `values` holds the product of `shape` elements. Errors: InputError.
void write_npy(const std::string& path, std::span<const size_t> shape, std::span<const float> values);
void write_npy(const std::string& path, std::span<const size_t> shape, std::span<const int8_t> values);

}  // namespace npuvp::compiler
