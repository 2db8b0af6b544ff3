// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "platform/host/qemu/guest_session.h"

namespace npuvp::host {
namespace {

TEST(ShellLine, OneWordIsAScript) {
  EXPECT_EQ(shell_line({"ls -l | wc"}), "ls -l | wc");
}

TEST(ShellLine, SeveralWordsKeepTheirBoundaries) {
  EXPECT_EQ(shell_line({"echo", "a b", "$HOME", "it's"}), R"('echo' 'a b' '$HOME' 'it'\''s')");
}

}  // namespace
}  // namespace npuvp::host
