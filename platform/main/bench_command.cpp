// SPDX-License-Identifier: Apache-2.0
#include "platform/main/commands.h"
namespace npuvp::main {
int bench_command(const BenchOptions&) { return kExitFailed; }
}
