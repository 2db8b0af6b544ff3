// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/perfetto_sink.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "platform/config/config_error.h"

namespace npuvp::debug {
namespace {

/// A reader of the protobuf wire format that knows no message: field number -> values, in order. Independent of the
/// .proto file, so a wrong field number there shows.
struct Fields {
  std::map<uint32_t, std::vector<uint64_t>> numbers;
  std::map<uint32_t, std::vector<std::string>> bytes;
};

uint64_t varint(const std::string& data, size_t& at) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<uint8_t>(data.at(at++));
    value |= uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80U) == 0) return value;
  }
}

Fields parse(const std::string& data) {
  Fields fields;
  for (size_t at = 0; at < data.size();) {
    const uint64_t tag = varint(data, at);
    const auto number = static_cast<uint32_t>(tag >> 3);
    if ((tag & 7) == 0) {
      fields.numbers[number].push_back(varint(data, at));
    } else {
      EXPECT_EQ(tag & 7, 2U);
      const uint64_t length = varint(data, at);
      fields.bytes[number].push_back(data.substr(at, length));
      at += length;
    }
  }
  return fields;
}

TEST(PerfettoSink, WritesTracksAndSlicesWithPerfettosFieldNumbers) {
  const std::string file = testing::TempDir() + "sink.pftrace";
  {
    PerfettoSink sink(file);
    sink.track(1, 0, "card0");
    sink.track(2, 1, "Neural DMA");
    sink.span(2, "copy", sc_core::sc_time(1, sc_core::SC_US), sc_core::sc_time(3, sc_core::SC_US),
              {{"bytes", uint64_t{4096}}});
    sink.flush();
  }
  std::ifstream in(file, std::ios::binary);
  const auto packets = parse({std::istreambuf_iterator<char>(in), {}}).bytes.at(1);  // Trace.packet
  ASSERT_EQ(packets.size(), 4U);
  const auto descriptor = parse(parse(packets[1]).bytes.at(60).at(0));  // TracePacket.track_descriptor
  EXPECT_EQ(descriptor.numbers.at(1).at(0), 2U);                        // uuid
  EXPECT_EQ(descriptor.bytes.at(2).at(0), "Neural DMA");                // name
  EXPECT_EQ(descriptor.numbers.at(5).at(0), 1U);                        // parent_uuid
  const auto begin = parse(packets[2]);
  EXPECT_EQ(begin.numbers.at(8).at(0), 1000U);  // timestamp, ns
  const auto event = parse(begin.bytes.at(11).at(0));
  EXPECT_EQ(event.numbers.at(9).at(0), 1U);   // type: slice begin
  EXPECT_EQ(event.numbers.at(11).at(0), 2U);  // track_uuid
  EXPECT_EQ(event.bytes.at(23).at(0), "copy");
  const auto annotation = parse(event.bytes.at(4).at(0));
  EXPECT_EQ(annotation.bytes.at(10).at(0), "bytes");
  EXPECT_EQ(annotation.numbers.at(3).at(0), 4096U);
  const auto end = parse(packets[3]);
  EXPECT_EQ(end.numbers.at(8).at(0), 3000U);
  EXPECT_EQ(parse(end.bytes.at(11).at(0)).numbers.at(9).at(0), 2U);  // slice end
}

TEST(PerfettoSink, AFileThatCannotBeWrittenIsNamed) {
  try {
    const PerfettoSink sink("/nowhere/x.pftrace");
    FAIL();
  } catch (const config::ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/x.pftrace"), std::string::npos);
  }
}

TEST(PerfettoSink, AFullDiskIsReported) {
  PerfettoSink sink("/dev/full");
  for (int i = 0; i < 100000; ++i) sink.instant(1, "event", sc_core::SC_ZERO_TIME, {});
  EXPECT_THROW(sink.flush(), config::ConfigError);
}

}  // namespace
}  // namespace npuvp::debug
