// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/perfetto_sink.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cmath>

#include "perfetto.pb.h"
#include "platform/config/config_error.h"

namespace npuvp::debug {
namespace {

constexpr uint32_t kSequence = 1;
constexpr uint32_t kPacketTag = 1 << 3 | 2;  // Trace.packet, length-delimited

uint64_t nanoseconds(sc_core::sc_time time) {
  return static_cast<uint64_t>(std::llround(time.to_seconds() * 1e9));
}

perfetto::TracePacket event_packet(base::TrackId track, sc_core::sc_time at, perfetto::TrackEvent::Type type) {
  perfetto::TracePacket packet;
  packet.set_timestamp(nanoseconds(at));
  packet.set_trusted_packet_sequence_id(kSequence);
  packet.mutable_track_event()->set_type(type);
  packet.mutable_track_event()->set_track_uuid(track);
  return packet;
}

void describe(perfetto::TrackEvent& event, std::string_view name, const base::TraceArguments& arguments) {
  event.set_name(std::string(name));
  for (const auto& argument : arguments) {
    auto* annotation = event.add_debug_annotations();
    annotation->set_name(std::string(argument.name));
    if (const auto* number = std::get_if<uint64_t>(&argument.value)) {
      annotation->set_uint_value(*number);
    } else {
      annotation->set_string_value(std::string(std::get<std::string_view>(argument.value)));
    }
  }
}

}  // namespace

PerfettoSink::PerfettoSink(const std::string& file)
    : file_(file), out_(file, std::ios::binary | std::ios::out | std::ios::trunc) {
  if (!out_) throw config::ConfigError(file + ": the trace cannot be written; give a file in a writable folder");
}

void PerfettoSink::write(const perfetto::TracePacket& packet) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.WriteTag(kPacketTag);
    coded.WriteVarint32(static_cast<uint32_t>(packet.ByteSizeLong()));
    packet.SerializeToCodedStream(&coded);
  }
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void PerfettoSink::track(base::TrackId id, base::TrackId parent, std::string_view name) {
  perfetto::TracePacket packet;
  packet.set_trusted_packet_sequence_id(kSequence);
  auto* descriptor = packet.mutable_track_descriptor();
  descriptor->set_uuid(id);
  descriptor->set_name(std::string(name));
  if (parent != 0) descriptor->set_parent_uuid(parent);
  write(packet);
}

void PerfettoSink::span(base::TrackId track, std::string_view name, sc_core::sc_time begin, sc_core::sc_time end,
                        const base::TraceArguments& arguments) {
  auto first = event_packet(track, begin, perfetto::TrackEvent::TYPE_SLICE_BEGIN);
  describe(*first.mutable_track_event(), name, arguments);
  write(first);
  write(event_packet(track, end, perfetto::TrackEvent::TYPE_SLICE_END));
}

void PerfettoSink::instant(base::TrackId track, std::string_view name, sc_core::sc_time at,
                           const base::TraceArguments& arguments) {
  auto packet = event_packet(track, at, perfetto::TrackEvent::TYPE_INSTANT);
  describe(*packet.mutable_track_event(), name, arguments);
  write(packet);
}

void PerfettoSink::flush() {
  out_.flush();
  if (!out_) throw config::ConfigError(file_ + ": writing the trace failed; is the disk full?");
}

}  // namespace npuvp::debug
