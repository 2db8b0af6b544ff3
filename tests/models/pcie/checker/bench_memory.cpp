// SPDX-License-Identifier: Apache-2.0
// Judges memory accesses: what came out at which BAR or in host memory, and what was answered.
#include <fmt/format.h>

#include <algorithm>

#include "tests/models/pcie/checker/bench.h"

namespace npuvp::tests::checker {
namespace {

using Fate = Verdict::Fate;
constexpr uint64_t kPage = 4096;

void pass(const sc_core::sc_time& time) {
  if (time > sc_core::SC_ZERO_TIME) sc_core::sc_start(time);
}

std::string text_of(const Touch& touch) {
  const std::string where =
      touch.card == nullptr ? "host memory"
                            : fmt::format("{} function {} BAR{}", touch.card->layout.name, touch.function, touch.bar);
  return fmt::format("{} of {} bytes at {} offset {:#x}", touch.is_write ? "write" : "read", touch.bytes, where,
                     touch.offset);
}

uint64_t pending_bytes(const MsixLayout& layout) {
  return (layout.vectors + 63) / 64 * 8;
}

bool meets(uint64_t offset, uint64_t bytes, uint64_t at, uint64_t size) {
  return offset < at + size && at < offset + bytes;
}

/// 7.7.2: software must use aligned accesses of 4 or 8 bytes.
bool is_legal_for_msix(uint64_t offset, uint64_t bytes) {
  return (bytes == 4 || bytes == 8) && offset % bytes == 0;
}

}  // namespace

std::vector<Bench::Piece> Bench::split(uint64_t address, std::span<uint8_t> data) const {
  // Windows, BARs and host memory begin and end at multiples of 4 KiB, so all of such a piece has one fate.
  std::vector<Piece> pieces;
  while (!data.empty()) {
    const uint64_t bytes = std::min<uint64_t>(data.size(), kPage - address % kPage);
    pieces.push_back({address, data.first(bytes), {}});
    data = data.subspan(bytes);
    address += bytes;
  }
  return pieces;
}

bool Bench::touches_msix(const Verdict& verdict, uint64_t bytes) {
  if (verdict.fate != Fate::kReaches || verdict.bar != 0) return false;
  const MsixLayout& layout = ShadowFabric::msix_of(*verdict.place.card, verdict.place.index);
  return layout.vectors > 0 && (meets(verdict.offset, bytes, layout.table_offset, 16 * layout.vectors) ||
                                meets(verdict.offset, bytes, layout.pending_offset, pending_bytes(layout)));
}

bool Bench::may_touch(const Touch& touch, uint64_t address, uint64_t bytes) const {
  if (touch.card == nullptr) {
    const uint64_t at = RecordingHost::kBase + touch.offset;
    return at >= address && at + touch.bytes <= address + bytes;
  }
  const Card& card = *touch.card;
  if (touch.function > card.layout.virtual_functions) return false;
  const MsixLayout& layout = ShadowFabric::msix_of(card, touch.function);
  if (touch.bar == 0 && layout.vectors > 0 &&
      (meets(touch.offset, touch.bytes, layout.table_offset, 16 * layout.vectors) ||
       meets(touch.offset, touch.bytes, layout.pending_offset, pending_bytes(layout)))) {
    return false;
  }
  if (is_lax_) return true;
  if (touch.function > card.enabled && !card.undefined_functions) return false;
  for (uint64_t at = address; at < address + bytes; ++at) {
    if (shadow_.matches(card, touch.function, touch.bar, touch.offset, at)) {
      return at + touch.bytes <= address + bytes;
    }
  }
  return false;
}

uint8_t& Bench::byte_at(const Verdict& verdict, uint64_t index) {
  if (verdict.fate == Fate::kHost) return host_.memory.at(verdict.offset + index);
  return memory_of(*verdict.place.card).memory(verdict.place.index, verdict.bar).at(verdict.offset + index);
}

Bench::MsixTable& Bench::table_of(const Card& card, unsigned function) {
  MsixTable& table = tables_[{&card, function}];
  if (table.resets != card.resets[function]) {
    table.resets = card.resets[function];
    const size_t bytes = size_t{16} * ShadowFabric::msix_of(card, function).vectors;
    table.value.assign(bytes, 0);
    table.known.assign(bytes, 0);
    for (size_t entry = 0; entry < bytes; entry += 16) table.value[entry + 12] = table.known[entry + 12] = 1;
  }
  return table;
}

void Bench::forget_tables() {
  for (const auto& card : shadow_.cards()) {
    for (unsigned function = 0; function < card->functions.size(); ++function) {
      std::ranges::fill(table_of(*card, function).known, uint8_t{0});
    }
  }
}

void Bench::judge_msix(const Piece& piece, bool is_write, size_t& next) {
  const Card& card = *piece.verdict.place.card;
  const unsigned function = piece.verdict.place.index;
  const MsixLayout& layout = ShadowFabric::msix_of(card, function);
  const uint64_t offset = piece.verdict.offset;
  const uint64_t bytes = piece.data.size();
  const bool in_table = offset >= layout.table_offset && offset + bytes <= layout.table_offset + 16 * layout.vectors;
  const bool in_pending =
      offset >= layout.pending_offset && offset + bytes <= layout.pending_offset + pending_bytes(layout);
  MsixTable& table = table_of(card, function);
  if (!is_legal_for_msix(offset, bytes) || (!in_table && !in_pending) || (in_pending && is_write)) {
    while (next < touches_.size() && may_touch(touches_[next], piece.address, bytes)) ++next;
    for (uint64_t at = offset; at < offset + bytes && is_write; ++at) {
      if (at >= layout.table_offset && at < layout.table_offset + 16 * layout.vectors) {
        // The entry's neighbours too: the write may have been widened to the double word.
        const uint64_t first = (at - layout.table_offset) / 4 * 4;
        std::fill_n(table.known.begin() + static_cast<std::ptrdiff_t>(first), 4, uint8_t{0});
      }
    }
    follow(shadow_.note_error(piece.verdict.place));
    piece.verdict.place.function().maybe_unsupported_request();
    return;
  }
  if (in_pending) {
    if (std::ranges::any_of(piece.data, [](uint8_t byte) { return byte != 0; })) {
      fail(fmt::format("{}: pending bits without a condition (7.7.2)", piece.verdict.place.function().name()));
    }
    return;
  }
  for (uint64_t index = 0; index < bytes; ++index) {
    const uint64_t at = offset - layout.table_offset + index;
    const uint64_t field = at % 16;
    // Reserved bits of the vector control, and the address's low bits, may be hardwired.
    const uint8_t mask = field == 0 ? 0xfc : field < 12 ? 0xff : field == 12 ? 0x01 : 0x00;
    uint8_t& byte = piece.data[index];
    if (is_write) {
      table.value[at] = byte;
      table.known[at] = mask;
      continue;
    }
    if (((byte ^ table.value[at]) & table.known[at]) != 0) {
      fail(fmt::format("{}: MSI-X table byte {:#x} is {:#x}, must be {:#x} in {:#x} (7.7.2.5)",
                       piece.verdict.place.function().name(), at, byte, table.value[at], table.known[at]));
    }
    table.value[at] = byte;
    table.known[at] |= mask;
  }
}

bool Bench::take_touches(const Piece& piece, uint64_t offset, uint64_t bytes, bool is_write, size_t& next, bool all) {
  const Verdict& verdict = piece.verdict;
  const Card* card = verdict.fate == Fate::kHost ? nullptr : verdict.place.card;
  uint64_t done = 0;
  while (done < bytes && next < touches_.size()) {
    const Touch& touch = touches_[next];
    const bool fits = touch.card == card && touch.offset == offset + done && touch.bytes <= bytes - done &&
                      touch.is_write == is_write &&
                      (card == nullptr || (touch.function == verdict.place.index && touch.bar == verdict.bar));
    if (!fits) break;
    done += touch.bytes;
    ++next;
  }
  return done == bytes || (!all && done == 0);
}

void Bench::judge_reaching(const Piece& piece, bool is_write, size_t& next, bool& failed_read, bool is_dma) {
  const Verdict& verdict = piece.verdict;
  const uint64_t bytes = piece.data.size();
  if (touches_msix(verdict, bytes)) return judge_msix(piece, is_write, next);
  const bool is_card = verdict.fate == Fate::kReaches;
  const bool fails = is_card && (CardMemory::aborts(verdict.offset) || CardMemory::is_absent(verdict.offset));
  // After a piece of its read has failed, a function need not ask for the others.
  if (!take_touches(piece, verdict.offset, bytes, is_write, next, !(failed_read && is_dma) && !fails)) {
    const std::string got = next < touches_.size() ? text_of(touches_[next]) : "nothing";
    return fail(
        fmt::format("{} bytes at {:#x} must reach {} offset {:#x} ({}), but {} came", bytes, piece.address,
                    is_card ? fmt::format("{} BAR{}", verdict.place.function().name(), verdict.bar) : "the host",
                    verdict.offset, verdict.reason, got));
  }
  if (!fails) {
    if (failed_read && is_dma) return;
    for (uint64_t index = 0; index < bytes; ++index) {
      if (piece.data[index] == byte_at(verdict, index)) continue;
      return fail(fmt::format("byte {} at {:#x}: {:#x}, must be {:#x}", index, piece.address, piece.data[index],
                              byte_at(verdict, index)));
    }
    return;
  }
  while (next < touches_.size() && may_touch(touches_[next], piece.address, bytes)) ++next;
  if (!is_write && !is_dma && std::ranges::any_of(piece.data, [](uint8_t byte) { return byte != 0xff; })) {
    fail(fmt::format("read at {:#x}, which the card does not answer, gave data (2.3.1)", piece.address));
  }
  const bool had_failed = failed_read && !is_write;
  failed_read = true;
  if (CardMemory::aborts(verdict.offset)) return follow(shadow_.note_error(verdict.place));
  follow(shadow_.note_refusal({.fate = Fate::kRefused,
                               .refuser = verdict.place,
                               .certain = !had_failed || !is_dma,
                               .reason = "the card does not answer, 2.3.1"}));
}

void Bench::judge_refused(const Piece& piece, bool is_write, bool is_dma, bool may_be_left_out) {
  const bool has_data = std::ranges::any_of(piece.data, [](uint8_t byte) { return byte != 0xff; });
  if (!is_write && !is_dma && has_data) {
    fail(fmt::format("read at {:#x} gave data instead of all ones: {}", piece.address, piece.verdict.reason));
  }
  Verdict verdict = piece.verdict;
  verdict.certain &= !may_be_left_out;
  follow(shadow_.note_refusal(verdict));
}

void Bench::judge_memory(uint64_t address, std::span<uint8_t> data, bool is_write, std::vector<Piece>& pieces,
                         tlm::tlm_response_status status, bool is_dma) {
  count(pieces[0].verdict, address, data.size());
  const std::vector<Touch> touches = touches_;  // follow() makes further accesses
  const auto restore = [&] { touches_ = touches; };
  size_t next = 0;
  bool failed_read = false;
  bool is_open = is_lax_;
  const bool is_armed = shadow_.is_containment_armed();
  bool may_fail = false;
  for (const Piece& piece : pieces) {
    if (is_open || failed()) break;
    switch (piece.verdict.fate) {
      case Fate::kReaches:
      case Fate::kHost:
        judge_reaching(piece, is_write, next, failed_read, is_dma);
        break;
      case Fate::kRefused:
        judge_refused(piece, is_write, is_dma, is_dma && !is_write && failed_read);
        failed_read = true;
        break;
      case Fate::kLost:
        break;
      case Fate::kUndefined:
        while (next < touches.size() && may_touch(touches[next], piece.address, piece.data.size())) ++next;
        follow(shadow_.note_anywhere());
        restore();
        may_fail = true;
        failed_read |= is_dma && !is_write;
        // Perhaps it hit a table, which no touch tells.
        if (is_write) forget_tables();
        break;
    }
    restore();
    if (touches_msix(piece.verdict, piece.data.size())) may_fail = true;
    // Containment may have cut the way for what follows.
    if ((failed_read || may_fail) && is_armed) {
      is_open = true;
      while (next < touches.size() && may_touch(touches[next], address, data.size())) ++next;
      follow(shadow_.note_anywhere());
      restore();
    }
  }
  if (failed()) return;
  if (is_dma && failed_read) shadow_.note_events();  // the requester's status too, 7.5.1.1.4
  if (is_open && is_write) forget_tables();
  if (is_open) {
    while (next < touches.size() && may_touch(touches[next], address, data.size())) ++next;
  }
  if (next < touches.size()) {
    return fail(fmt::format("{} of {} bytes at {:#x}: {} must not happen ({})", is_write ? "write" : "read",
                            data.size(), address, text_of(touches[next]),
                            pieces.empty() ? "" : pieces[0].verdict.reason));
  }
  if (!is_dma) {
    if (status != tlm::TLM_OK_RESPONSE) fail("memory access of the host has no answer");
    return;
  }
  if (is_open || may_fail) return;
  const bool is_lost = !pieces.empty() && pieces[0].verdict.fate == Fate::kLost;
  const auto expected = is_lost                    ? tlm::TLM_GENERIC_ERROR_RESPONSE
                        : failed_read && !is_write ? tlm::TLM_ADDRESS_ERROR_RESPONSE
                                                   : tlm::TLM_OK_RESPONSE;
  if (status != expected) {
    fail(fmt::format("DMA {} of {} bytes at {:#x}: response {}, must be {} ({})", is_write ? "write" : "read",
                     data.size(), address, static_cast<int>(status), static_cast<int>(expected),
                     pieces.empty() ? "" : pieces.back().verdict.reason));
  }
}

void Bench::read_memory(uint64_t address, unsigned bytes) {
  std::vector<uint8_t> data(bytes, 0x99);
  std::vector<Piece> pieces = split(address, data);
  for (Piece& piece : pieces) piece.verdict = shadow_.route_memory(piece.address);
  touches_.clear();
  sc_core::sc_time delay;
  const auto status = initiators_.memory.read(address, data, delay);
  pass(delay);
  note("memory read", address, bytes, data[0], pieces[0].verdict.reason);
  judge_memory(address, data, false, pieces, status, false);
  if (is_paranoid_) check_statuses();
}

void Bench::write_memory(uint64_t address, std::span<const uint8_t> data) {
  std::vector<uint8_t> copy(data.begin(), data.end());
  std::vector<Piece> pieces = split(address, copy);
  for (Piece& piece : pieces) piece.verdict = shadow_.route_memory(piece.address);
  touches_.clear();
  sc_core::sc_time delay;
  const auto status = initiators_.memory.write(address, copy, delay);
  pass(delay);
  note("memory write", address, static_cast<unsigned>(data.size()), data[0], pieces[0].verdict.reason);
  judge_memory(address, copy, true, pieces, status, false);
  if (is_paranoid_) check_statuses();
}

void Bench::dma_read(size_t card, unsigned function, uint64_t address, unsigned bytes) {
  std::vector<uint8_t> data(bytes, 0x99);
  std::vector<Piece> pieces = split(address, data);
  for (Piece& piece : pieces) piece.verdict = shadow_.route_dma(*shadow_.cards()[card], function, piece.address, true);
  touches_.clear();
  sc_core::sc_time delay;
  base::InitiatorPort& port = memories_[card]->dma;
  port.sideband().function = static_cast<uint16_t>(function);
  const auto status = port.read(address, data, delay);
  pass(delay);
  note("DMA read", address, bytes, card << 8 | function, pieces[0].verdict.reason);
  judge_memory(address, data, false, pieces, status, true);
  if (is_paranoid_) check_statuses();
}

void Bench::dma_write(size_t card, unsigned function, uint64_t address, std::span<const uint8_t> data) {
  std::vector<uint8_t> copy(data.begin(), data.end());
  std::vector<Piece> pieces = split(address, copy);
  for (Piece& piece : pieces) piece.verdict = shadow_.route_dma(*shadow_.cards()[card], function, piece.address, false);
  touches_.clear();
  sc_core::sc_time delay;
  base::InitiatorPort& port = memories_[card]->dma;
  port.sideband().function = static_cast<uint16_t>(function);
  const auto status = port.write(address, copy, delay);
  pass(delay);
  note("DMA write", address, static_cast<unsigned>(data.size()), card << 8 | function, pieces[0].verdict.reason);
  judge_memory(address, copy, true, pieces, status, true);
  if (is_paranoid_) check_statuses();
}

}  // namespace npuvp::tests::checker
