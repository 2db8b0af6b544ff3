// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "sw/compiler/error.h"
#include "sw/compiler/file.h"
#include "sw/compiler/half.h"

namespace npuvp::compiler {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxElements = size_t{1} << 31;

struct TypeInfo {
  NpyType type;
  std::string_view descriptor;
  size_t bytes;
};
constexpr std::array<TypeInfo, 6> kTypes{{{NpyType::kU1, "|u1", 1},
                                          {NpyType::kI1, "|i1", 1},
                                          {NpyType::kI4, "<i4", 4},
                                          {NpyType::kI8, "<i8", 8},
                                          {NpyType::kF2, "<f2", 2},
                                          {NpyType::kF4, "<f4", 4}}};

const TypeInfo& info_of(NpyType type) {
  return kTypes[static_cast<size_t>(type)];
}

/// Reads the header, a Python dictionary literal with the keys descr, fortran_order and shape.
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !type_) {
        type_ = type_of(quoted());
      } else if (key == "fortran_order" && !fortran_) {
        fortran_ = boolean();
      } else if (key == "shape" && !shape_) {
        shape_ = tuple();
      } else {
        fail("header has an unknown or repeated key '" + printable(key) + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) {
      fail("text after the header's dictionary");
    }
    if (!type_ || !fortran_ || !shape_) {
      fail("header lacks descr, fortran_order or shape");
    }
    if (*fortran_) {
      fail("Fortran order is not supported; save with numpy.ascontiguousarray()");
    }
  }

  [[nodiscard]] const TypeInfo& type() const { return *type_.value(); }
  [[nodiscard]] const std::vector<size_t>& shape() const { return shape_.value(); }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw InputError(path_, "not a usable .npy file: " + what); }

  void skip_space() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) {
      ++position_;
    }
  }
  bool accept(char c) {
    skip_space();
    if (position_ >= text_.size() || text_[position_] != c) {
      return false;
    }
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) {
      fail(std::string("header lacks '") + c + "' at character " + std::to_string(position_));
    }
  }
  std::string_view quoted() {
    skip_space();
    const char quote = position_ < text_.size() ? text_[position_] : '\0';
    if (quote != '\'' && quote != '"') {
      fail("header lacks a string at character " + std::to_string(position_));
    }
    const size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) {
      fail("header has an open string");
    }
    const std::string_view value = text_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    return value;
  }
  bool boolean() {
    skip_space();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return value;
      }
    }
    fail("fortran_order is neither True nor False");
  }
  std::vector<size_t> tuple() {
    std::vector<size_t> values;
    expect('(');
    while (!accept(')')) {
      skip_space();
      size_t value = 0;
      const char* const begin = text_.data() + position_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
      if (error != std::errc{} || value > kMaxElements || values.size() >= 32) {
        fail("shape is not a tuple of sensible sizes");
      }
      position_ += static_cast<size_t>(end - begin);
      values.push_back(value);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }
  const TypeInfo* type_of(std::string_view descriptor) {
    for (const TypeInfo& info : kTypes) {
      const bool byte_sized = info.bytes == 1 && !descriptor.empty() && (descriptor[0] == '<' || descriptor[0] == '|');
      if (descriptor == info.descriptor || (byte_sized && descriptor.substr(1) == info.descriptor.substr(1))) {
        return &info;
      }
    }
    fail("element type '" + printable(descriptor) + "' is not supported; supported: |u1 |i1 <i4 <i8 <f2 <f4");
  }

  const std::string& path_;
  std::string_view text_;
  size_t position_ = 0;
  std::optional<const TypeInfo*> type_;
  std::optional<bool> fortran_;
  std::optional<std::vector<size_t>> shape_;
};

template <typename T, typename Result>
void widen(const std::vector<std::byte>& data, std::vector<Result>& result) {
  for (size_t i = 0; i < result.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    result[i] = static_cast<Result>(value);
  }
}

template <typename Result>
std::vector<Result> integers_as(NpyType type, const std::vector<std::byte>& data, size_t size) {
  std::vector<Result> result(size);
  switch (type) {
    case NpyType::kU1:
      widen<uint8_t>(data, result);
      break;
    case NpyType::kI1:
      widen<int8_t>(data, result);
      break;
    case NpyType::kI4:
      widen<int32_t>(data, result);
      break;
    case NpyType::kI8:
      widen<int64_t>(data, result);
      break;
    case NpyType::kF2:
    case NpyType::kF4:
      throw std::logic_error("integers_as: floating-point array");
  }
  return result;
}

void write(const std::string& path, NpyType type, std::span<const size_t> shape, std::span<const std::byte> values) {
  std::string text = "{'descr': '" + std::string(info_of(type).descriptor) + "', 'fortran_order': False, 'shape': (";
  for (const size_t size : shape) {
    text += std::to_string(size) + ",";
  }
  text += "), }";
  constexpr size_t kPreamble = 10;  // magic, version, header length
  constexpr size_t kAlignment = 64;
  text.resize((kPreamble + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment - kPreamble, ' ');
  text.back() = '\n';
  std::string file(kMagic);
  file += {'\1', '\0', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  file += text;
  std::vector<std::byte> contents(file.size() + values.size());
  std::memcpy(contents.data(), file.data(), file.size());
  std::copy(values.begin(), values.end(), contents.begin() + static_cast<ptrdiff_t>(file.size()));
  write_file(path, contents);
}

}  // namespace

const char* to_string(NpyType type) {
  return info_of(type).descriptor.data();
}

NpyArray NpyArray::read(const std::string& path) {
  std::vector<std::byte> file = read_file(path, size_t{4} << 30);
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with(kMagic) || text.size() < 10) {
    throw InputError(path, "not a NumPy .npy file: its first bytes are not \\x93NUMPY");
  }
  const auto byte_at = [&](size_t i) { return static_cast<size_t>(file[i]); };
  const size_t version = byte_at(6);
  const size_t length_bytes = version == 1 ? 2 : 4;
  if ((version != 1 && version != 2) || byte_at(7) != 0) {
    throw InputError(path, ".npy format " + std::to_string(version) + "." + std::to_string(byte_at(7)) +
                               " is not supported; supported: 1.0 and 2.0");
  }
  size_t data_offset = 8 + length_bytes;
  if (file.size() < data_offset) {
    throw InputError(path, "truncated .npy file: no header length");
  }
  size_t header_bytes = 0;
  for (size_t i = 0; i < length_bytes; ++i) {
    header_bytes |= byte_at(8 + i) << (8 * i);
  }
  if (header_bytes > file.size() - data_offset) {
    throw InputError(path, "truncated .npy file: the header has " + std::to_string(header_bytes) + " bytes");
  }
  HeaderParser header(path, text.substr(data_offset, header_bytes));
  header.parse();
  data_offset += header_bytes;

  size_t elements = 1;
  for (const size_t size : header.shape()) {
    if (size != 0 && elements > kMaxElements / size) {
      throw InputError(path, "array of shape " + shape_text(header.shape()) + " is too large");
    }
    elements *= size;
  }
  const size_t expected = elements * header.type().bytes;
  if (file.size() - data_offset != expected) {
    throw InputError(path, "expected " + std::to_string(expected) + " bytes of data for shape " +
                               shape_text(header.shape()) + ", got " + std::to_string(file.size() - data_offset) +
                               "; is the file complete?");
  }
  file.erase(file.begin(), file.begin() + static_cast<ptrdiff_t>(data_offset));
  return NpyArray(header.type().type, header.shape(), std::move(file));
}

size_t NpyArray::size() const {
  return data_.size() / info_of(type_).bytes;
}

std::vector<float> NpyArray::to_floats() const {
  if (type_ == NpyType::kF4) {
    std::vector<float> result(size());
    widen<float>(data_, result);
    return result;
  }
  if (type_ == NpyType::kF2) {
    std::vector<uint16_t> bits(size());
    widen<uint16_t>(data_, bits);
    std::vector<float> result(size());
    std::transform(bits.begin(), bits.end(), result.begin(), half_to_float);
    return result;
  }
  return integers_as<float>(type_, data_, size());
}

std::vector<int64_t> NpyArray::to_integers() const {
  return integers_as<int64_t>(type_, data_, size());
}

std::string shape_text(std::span<const size_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += i == 0 ? "" : ",";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

void write_npy(const std::string& path, std::span<const size_t> shape, std::span<const float> values) {
  write(path, NpyType::kF4, shape, std::as_bytes(values));
}

void write_npy(const std::string& path, std::span<const size_t> shape, std::span<const int8_t> values) {
  write(path, NpyType::kI1, shape, std::as_bytes(values));
}

}  // namespace npuvp::compiler
