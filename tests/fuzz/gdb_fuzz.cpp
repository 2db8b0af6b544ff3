// SPDX-License-Identifier: Apache-2.0
// Fuzz target: a debugger's connection. Input: the bytes it sends, cut into pieces at bytes 0, where the target stops
// if it runs. Whatever comes, the answers must be acknowledgements and whole packets of at most the agreed size.
#include <algorithm>
#include <string>
#include <string_view>

#include "platform/debug/gdb/session.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/platform/debug/gdb/fake_target.h"

namespace {

using namespace npuvp::debug::gdb;

/// A finding unless `sent` is made of acknowledgements and packets.
void check_answers(const std::string& sent) {
  PacketReader reader;
  size_t understood = 0;
  reader.take(sent, [&](PacketReader::Kind kind, std::string_view payload) {
    if (kind == PacketReader::Kind::kAcknowledged || kind == PacketReader::Kind::kRefused) {
      ++understood;
    } else if (kind == PacketReader::Kind::kPacket) {
      understood += payload.size() + 4;  // '$', '#' and two digits
    } else {
      npuvp::fuzz::report_finding("an answer is no packet");
    }
  });
  if (understood != sent.size()) npuvp::fuzz::report_finding("bytes outside of packets were sent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  test::FakeTarget target;
  std::string sent;
  {
    Session session(target, [&](std::string_view bytes) { sent += bytes; });
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    bool goes_on = true;
    while (goes_on && !rest.empty()) {
      const std::string_view piece = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
      goes_on = session.receive(piece);
      if (!target.resumed.empty()) target.handler({.thread = 1, .reason = Stop::Reason::kStep});
      check_answers(sent);
      sent.clear();
    }
  }
  if (target.attached) npuvp::fuzz::report_finding("the target is still attached");
  return 0;
}
