// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "sw/compiler/error.h"
#include "sw/compiler/file.h"
#include "tests/sw/models.h"

namespace npuvp::compiler {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string temporary(const std::string& name) {
  return testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + name;
}

/// A .npy file from its parts; the header's length is right unless `claimed_header` says otherwise.
std::string npy(const std::string& header, const std::string& data, int major = 1, long claimed_header = -1) {
  const auto length = static_cast<uint32_t>(claimed_header < 0 ? static_cast<long>(header.size()) : claimed_header);
  std::string file("\x93NUMPY");
  file += {static_cast<char>(major), '\0', static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  if (major == 2) {
    file += {static_cast<char>(length >> 16), static_cast<char>(length >> 24)};
  }
  return file + header + data;
}

NpyArray read(const std::string& contents) {
  const std::string path = temporary(".npy");
  write_file(path, std::as_bytes(std::span(contents)));
  return NpyArray::read(path);
}

/// Message of the InputError for these contents.
std::string refusal(const std::string& contents) {
  try {
    (void)read(contents);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Npy, ReadsEveryTypeAndBothVersions) {
  EXPECT_EQ(read(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n", "\x01\x02\xff")).to_integers(),
            (std::vector<int64_t>{1, 2, 255}));
  EXPECT_EQ(read(npy("{'descr': '|i1', 'fortran_order': False, 'shape': (1, 2)}", "\x01\xff", 2)).to_floats(),
            (std::vector<float>{1, -1}));
  EXPECT_EQ(read(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", std::string("\xfe\xff\xff\xff")))
                .to_integers(),
            (std::vector<int64_t>{-2}));
  EXPECT_EQ(read(npy("{'shape': (), \"descr\": '<i8', 'fortran_order': False}", std::string("\0\0\0\0\1\0\0\0", 8)))
                .to_integers(),
            (std::vector<int64_t>{int64_t{1} << 32}));
  EXPECT_EQ(read(npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }", std::string("\x00\x3c\x01\x00", 4)))
                .to_floats(),
            (std::vector<float>{1.0f, 5.9604645e-8f}));
  const NpyArray floats =
      read(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }", std::string("\0\0\xc0\xbf", 4)));
  EXPECT_EQ(floats.to_floats(), (std::vector<float>{-1.5f}));
  EXPECT_EQ(floats.shape(), (std::vector<size_t>{1, 1}));
}

TEST(Npy, ReadsWhatNumpyWrote) {
  const NpyArray images = NpyArray::read(test::fashion("images.npy"));
  EXPECT_EQ(images.type(), NpyType::kU1);
  EXPECT_EQ(images.shape(), (std::vector<size_t>{256, 28, 28}));
  const NpyArray labels = NpyArray::read(test::fashion("labels.npy"));
  EXPECT_EQ(labels.shape(), (std::vector<size_t>{256}));
}

TEST(Npy, WrittenFileCanBeRead) {
  const std::string path = temporary(".npy");
  write_npy(path, std::vector<size_t>{2, 1}, std::vector<float>{1.5f, -2.0f});
  const NpyArray array = NpyArray::read(path);
  EXPECT_EQ(array.shape(), (std::vector<size_t>{2, 1}));
  EXPECT_EQ(array.to_floats(), (std::vector<float>{1.5f, -2.0f}));
  EXPECT_EQ(read_file(path).size() % 64, 8u) << "data starts at a multiple of 64";
}

TEST(Npy, RefusesMalformedFilesWithTheReason) {
  const std::string good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
  EXPECT_THAT(refusal(""), HasSubstr("not a NumPy"));
  EXPECT_THAT(refusal("PNG 1234567890"), HasSubstr("not a NumPy"));
  EXPECT_THAT(refusal(npy(good, "ab", 3)), HasSubstr("format 3.0 is not supported"));
  EXPECT_THAT(refusal(npy(good, "ab", 1, 60000)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(npy(good, "ab", 2, 0x7fffffff)), HasSubstr("truncated"));
  EXPECT_THAT(refusal(npy(good, "a")), AllOf(HasSubstr("expected 2 bytes"), HasSubstr("got 1")));
  EXPECT_THAT(refusal(npy(good, "abc")), HasSubstr("got 3"));
  EXPECT_THAT(refusal(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "abcd")),
              HasSubstr("'>f4' is not supported"));
  EXPECT_THAT(refusal(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "abcd")),
              HasSubstr("not supported"));
  EXPECT_THAT(refusal(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2,)}", "ab")), HasSubstr("Fortran"));
  EXPECT_THAT(refusal(npy("{'descr': '|u1', 'shape': (2,)}", "ab")), HasSubstr("lacks"));
  EXPECT_THAT(refusal(npy("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "ab")),
              HasSubstr("repeated key"));
  EXPECT_THAT(refusal(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-2,)}", "ab")),
              HasSubstr("sensible sizes"));
  EXPECT_THAT(refusal(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}", "ab")),
              HasSubstr("sensible"));
  EXPECT_THAT(
      refusal(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2000000000, 2000000000, 2000000000)}", "ab")),
      HasSubstr("too large"));
  EXPECT_THAT(refusal(npy(good + "import os", "ab")), HasSubstr("text after"));
  EXPECT_THAT(refusal(npy("{'descr': '|u1", "ab")), HasSubstr("open string"));
  EXPECT_THAT(refusal(npy("{\x01", "ab")), HasSubstr("not a usable .npy file"));
}

TEST(Npy, EveryTruncationIsRefusedByName) {
  const std::string file = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", "12345678");
  for (size_t length = 0; length < file.size(); ++length) {
    ASSERT_THAT(refusal(file.substr(0, length)), HasSubstr(temporary(".npy"))) << length;
  }
}

TEST(Npy, MissingFileIsNamedWithTheReason) {
  try {
    (void)NpyArray::read("/nonexistent/images.npy");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("/nonexistent/images.npy"), HasSubstr("No such file")));
  }
  EXPECT_THROW((void)NpyArray::read("/"), InputError);
}

}  // namespace
}  // namespace npuvp::compiler
