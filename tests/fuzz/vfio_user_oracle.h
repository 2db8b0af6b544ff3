// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "tests/fuzz/vfio_user_record.h"

namespace npuvp::fuzz {

/// What a server must answer, written from the protocol's specification and from the limits that this server states in
/// its README.md, by other means than the server: it cuts the client's stream into messages itself, remembers what was
/// negotiated and mapped, and compares each reply. A difference is a finding.
class Oracle {
 public:
  /// The client has sent `message`, whose bytes are `bytes`.
  void sent(const ClientMessage& message, std::span<const uint8_t> bytes);
  /// The client has sent something that is not meant as a message.
  void sent_raw(std::span<const uint8_t> bytes);
  /// The server has sent these.
  void received(std::span<const uint8_t> bytes);

  /// True between messages, as far as the headers of what was sent say.
  [[nodiscard]] bool at_boundary() const { return header_.empty() && left_ == 0; }
  /// Number of replies that are due.
  [[nodiscard]] size_t outstanding() const { return expected_.size(); }
  /// Payload of the last reply that came; empty for an error.
  [[nodiscard]] const std::vector<uint8_t>& last_payload() const { return last_payload_; }
  [[nodiscard]] uint32_t last_error() const { return last_error_; }

 private:
  enum class Outcome : uint8_t { kSuccess, kError, kEither };
  struct Expected {
    uint16_t id;
    uint16_t command;
    Outcome outcome;
    /// Payload of a success: its length, and what it begins with.
    std::optional<size_t> bytes;
    std::vector<uint8_t> begin;
  };
  struct Range {
    uint64_t address;
    uint64_t bytes;
  };

  void frame(std::span<const uint8_t> bytes);
  void expect(const host::vfio_user::Header& header, Outcome outcome, std::optional<size_t> bytes = {},
              std::vector<uint8_t> begin = {});
  void predict(const ClientMessage& message);
  Outcome predict_version(std::span<const uint8_t> payload);
  Outcome predict_dma_map(const ClientMessage& message);
  Outcome predict_dma_unmap(std::span<const uint8_t> payload);
  static Outcome predict_set_irqs(const ClientMessage& message);
  void check(const host::vfio_user::Header& header, std::span<const uint8_t> payload);

  // What was sent.
  std::vector<uint8_t> header_;  // an incomplete one
  uint64_t left_ = 0;            // bytes of the current message that are still to be sent
  std::optional<host::vfio_user::Header> current_;
  // What the server knows of the client; not certain any more once messages and sends have been out of step.
  bool is_certain_ = true;
  bool is_map_certain_ = true;
  bool is_negotiated_ = false;
  std::vector<Range> maps_;
  // What is to come.
  std::deque<Expected> expected_;
  std::vector<uint8_t> received_;
  std::vector<uint8_t> last_payload_;
  uint32_t last_error_ = 0;
};

}  // namespace npuvp::fuzz
