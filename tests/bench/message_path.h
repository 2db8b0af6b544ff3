// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace npuvp::bench {

/// What a read of a register over vfio-user costs on this machine when nothing is done but to pass the messages, in
/// nanoseconds: two processes, connected by a UNIX stream socket, exchange a REGION_READ request of 32 bytes and its
/// reply of 36. The server sleeps in poll(), receives, and sends. The client is built as QEMU's is: the thread that
/// wants the value sends the request and sleeps on a condition variable; another sleeps in poll(), receives the reply
/// and wakes it. So a round trip is four system calls that move data and three wake-ups of a sleeping thread. No
/// emulation of a guest, no parsing, no device. Best of 30 rounds
/// of `count`: short ones, for a busy machine has its quiet moments.
double message_path_ns(uint64_t count);

}  // namespace npuvp::bench
