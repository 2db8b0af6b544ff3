// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/dram/part.h"
#include "platform/config/dram_loader.h"

namespace npuvp::dram::support {

/// The shipped data file of a part.
inline Part part(const std::string& name) {
  return config::load_dram_part(name, NPUVP_BOARDS_DIR);
}
inline Part gddr6() {
  return part("gddr6-16gbps");
}
inline Part hbm3() {
  return part("hbm3-6gbps");
}

}  // namespace npuvp::dram::support
