// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace npuvp::base {

/// A file that keeps a block's contents cannot be used: thrown by constructors. The message is one line that names
/// file, reason and remedy; it is the user's mistake, not ours.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace npuvp::base
