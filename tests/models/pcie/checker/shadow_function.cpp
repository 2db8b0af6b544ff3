// SPDX-License-Identifier: Apache-2.0
#include "tests/models/pcie/checker/shadow_function.h"

#include <fmt/format.h>

#include <bit>

namespace npuvp::tests::checker {

uint32_t ShadowFunction::gather(const Plane& plane, unsigned offset, unsigned bytes) {
  uint32_t value = 0;
  for (unsigned index = 0; index < bytes; ++index) value |= uint32_t{plane[offset + index]} << 8 * index;
  return value;
}

void ShadowFunction::merge(Plane& plane, unsigned offset, unsigned bytes, uint32_t mask, uint32_t value) {
  for (unsigned index = 0; index < bytes; ++index) {
    const auto bits = static_cast<uint8_t>(mask >> 8 * index);
    uint8_t& byte = plane[offset + index];
    byte = static_cast<uint8_t>((byte & ~bits) | (static_cast<uint8_t>(value >> 8 * index) & bits));
  }
}

std::vector<std::string> ShadowFunction::learn(Reader& reader, const std::vector<BarLayout>& bars,
                                               const std::vector<BarLayout>& virtual_bars) {
  std::vector<std::string> faults;
  for (unsigned offset = 0; offset < kBytes; offset += 4) merge(value_, offset, 4, ~0U, reader.read(offset, 4));
  known_.fill(0xff);
  place(header_of(kind_), 0, faults);
  place_bars(0x10, bars);
  walk(reader, faults);
  walk_extended(reader, faults);
  if (const unsigned sriov = extended(0x10); sriov != 0) place_bars(sriov + 0x24, virtual_bars);
  for (unsigned offset = 0; offset < kBytes; ++offset) {
    known_[offset] = static_cast<uint8_t>(~hardware_[offset]);
    if (clear_[offset] != 0) event_bytes_.push_back(offset);
    if (const uint8_t wrong = value_[offset] & ~taken_[offset]; wrong != 0) {
      faults.push_back(
          fmt::format("{}: reserved bits {:#04x} read 1 at {:#05x} ({})", name_, wrong, offset, describe(offset)));
    }
  }
  initial_ = value_;
  learned_ = true;
  return faults;
}

void ShadowFunction::place(const Structure& structure, unsigned at, std::vector<std::string>& faults) {
  for (const Place& other : places_) {
    if (at < other.offset + other.bytes && other.offset < at + structure.bytes) {
      faults.push_back(fmt::format("{}: {} at {:#x} overlaps {}", name_, structure.name, at, other.name));
    }
  }
  places_.push_back({at, structure.bytes, fmt::format("{}, {}", structure.name, structure.section)});
  if (structure.opaque) {
    for (unsigned offset = at; offset < at + structure.bytes && offset < kBytes; ++offset) {
      hardware_[offset] = taken_[offset] = 0xff;
    }
  }
  for (const Register& item : structure.registers) {
    const unsigned offset = at + item.offset;
    if (offset + item.bytes > kBytes) continue;
    if (structure.opaque) {
      merge(hardware_, offset, item.bytes, item.fixed, 0);
      continue;
    }
    const auto set = [&](Plane& plane, uint32_t mask) { merge(plane, offset, item.bytes, mask, ~0U); };
    set(rw_, item.rw);
    set(undecided_, item.optional);
    set(clear_, item.clear);
    set(hardware_, item.hardware);
    set(sticky_, item.sticky);
    set(kept_, item.kept);
    set(taken_, item.rw | item.optional | item.clear | item.fixed | item.hardware);
    interesting_.push_back(offset);
    places_.push_back({offset, item.bytes, fmt::format("{} {}, {}", structure.name, item.name, structure.section)});
    const uint32_t value = gather(value_, offset, item.bytes);
    if (((value ^ item.default_value) & item.default_mask) != 0) {
      faults.push_back(fmt::format("{}: {} {} ({}) is {:#x} after power on, must be {:#x} in bits {:#x}", name_,
                                   structure.name, item.name, structure.section, value, item.default_value,
                                   item.default_mask));
    }
  }
}

void ShadowFunction::place_bars(unsigned at, const std::vector<BarLayout>& bars) {
  for (const BarLayout& bar : bars) {
    const unsigned offset = at + 4 * bar.index;
    merge(taken_, offset, 4, 0xf, ~0U);
    merge(value_, offset, 4, 0xf, (bar.is_64bit ? 4U : 0U) | (bar.prefetchable ? 8U : 0U));
    const uint64_t mask = ~(bar.bytes - 1);
    set_writable(offset, 4, static_cast<uint32_t>(mask));
    merge(taken_, offset, 4, ~0xfU, ~0U);
    interesting_.push_back(offset);
    if (!bar.is_64bit) continue;
    set_writable(offset + 4, 4, static_cast<uint32_t>(mask >> 32));
    merge(taken_, offset + 4, 4, ~0U, ~0U);
    interesting_.push_back(offset + 4);
  }
}

void ShadowFunction::walk(Reader& reader, std::vector<std::string>& faults) {
  unsigned at = reader.read(0x34, 1);
  for (unsigned steps = 0; at != 0; ++steps) {
    if (at < 0x40 || at % 4 != 0 || at > 0xf8 || steps == 48) {
      faults.push_back(fmt::format("{}: capability pointer {:#x} (7.5.1.1.11)", name_, at));
      return;
    }
    const unsigned id = reader.read(at, 1);
    if (const auto structure = capability_of(id, kind_, reader, at)) {
      if (id == 0x10) express_ = at;
      place(*structure, at, faults);
    } else {
      unchecked_.push_back(fmt::format("{}: capability {:#x} at {:#x}", name_, id, at));
    }
    if (!capabilities_.emplace(id, at).second) faults.push_back(fmt::format("{}: capability {:#x} twice", name_, id));
    at = reader.read(at + 1, 1);
  }
  if (express_ == 0) faults.push_back(name_ + ": no PCI Express capability (7.5.3)");
}

void ShadowFunction::walk_extended(Reader& reader, std::vector<std::string>& faults) {
  const unsigned lanes = reader.read(express_ + 0xc, 4) >> 4 & 0x3f;
  if (reader.read(0x100, 4) == 0) return;
  unsigned at = 0x100;
  for (unsigned steps = 0; at != 0; ++steps) {
    if (at < 0x100 || at % 4 != 0 || steps == 960) {
      faults.push_back(fmt::format("{}: extended capability pointer {:#x} (7.6.3)", name_, at));
      return;
    }
    const uint32_t header = reader.read(at, 4);
    const unsigned id = header & 0xffff;
    if ((header >> 16 & 0xf) == 0) faults.push_back(fmt::format("{}: version 0 of extended {:#x}", name_, id));
    if (const auto structure = extended_capability_of(id, kind_, lanes, reader, at)) {
      place(*structure, at, faults);
    } else {
      unchecked_.push_back(fmt::format("{}: extended capability {:#x} at {:#x}", name_, id, at));
    }
    extended_.emplace(id, at);
    at = header >> 20;
  }
}

std::string ShadowFunction::check_read(unsigned offset, unsigned bytes, uint32_t value) {
  const uint32_t known = gather(known_, offset, bytes);
  const uint32_t wrong = (value ^ gather(value_, offset, bytes)) & known;
  const uint32_t limit = bytes == 4 ? ~0U : (1U << 8 * bytes) - 1;
  // Settle what was unknown: an optional bit that took what was written is implemented, else it is hardwired.
  const uint32_t settles = ~known & gather(undecided_, offset, bytes) & limit;
  if (settles != 0) {
    const uint32_t took = ~(value ^ gather(written_, offset, bytes));
    merge(rw_, offset, bytes, settles & took, ~0U);
    merge(undecided_, offset, bytes, settles, 0);
  }
  const uint32_t believed = ~gather(hardware_, offset, bytes);
  merge(value_, offset, bytes, ~0U, value);
  merge(known_, offset, bytes, believed, ~0U);
  if (wrong == 0) return {};
  std::string text = fmt::format("{} at {:#05x} ({}): bits {:#x} are wrong, read {:#x}", name_, offset,
                                 describe(offset + static_cast<unsigned>(std::countr_zero(wrong)) / 8), wrong, value);
  if (offset <= express_ + 0xa && offset + bytes > express_ + 0xa) text += fmt::format(", last refusal: {}", refusal_);
  return text;
}

void ShadowFunction::write(unsigned offset, unsigned bytes, uint32_t value) {
  const uint32_t rw = gather(rw_, offset, bytes);
  set_bits(offset, bytes, rw, value);
  set_bits(offset, bytes, gather(clear_, offset, bytes) & value, 0);
  const uint32_t undecided = gather(undecided_, offset, bytes);
  if (undecided == 0) return;
  merge(written_, offset, bytes, undecided, value);
  // Whatever the choice was, writing the old value leaves it.
  const uint32_t changes = undecided & (value ^ gather(value_, offset, bytes));
  merge(known_, offset, bytes, changes, 0);
  merge(known_, offset, bytes, undecided & ~changes, ~0U);
}

void ShadowFunction::reset(Reset kind) {
  for (unsigned offset = 0; offset < kBytes; ++offset) {
    uint8_t mask = 0xff;
    if (kind != Reset::kPower) mask = static_cast<uint8_t>(mask & ~sticky_[offset]);
    if (kind == Reset::kFunctionLevel) mask = static_cast<uint8_t>(mask & ~kept_[offset]);
    value_[offset] = static_cast<uint8_t>((value_[offset] & ~mask) | (initial_[offset] & mask));
    known_[offset] = static_cast<uint8_t>((known_[offset] | mask) & ~hardware_[offset]);
  }
}

void ShadowFunction::note_event() {
  const unsigned status = express_ + 0xa;
  for (const unsigned offset : event_bytes_) {
    auto events = static_cast<uint8_t>(clear_[offset] & ~value_[offset]);
    if (offset == status) events &= 0xf7;
    known_[offset] = static_cast<uint8_t>(known_[offset] & ~events);
  }
}

void ShadowFunction::maybe_unsupported_request() {
  if ((get(express_ + 0xa, 2) & 0x8) == 0) forget(express_ + 0xa, 2, 0x8);
}

void ShadowFunction::forget(unsigned offset, unsigned bytes, uint32_t mask) {
  merge(known_, offset, bytes, mask, 0);
}

void ShadowFunction::set_writable(unsigned offset, unsigned bytes, uint32_t mask) {
  merge(rw_, offset, bytes, ~0U, mask);
}

void ShadowFunction::set_bits(unsigned offset, unsigned bytes, uint32_t mask, uint32_t value) {
  merge(value_, offset, bytes, mask, value);
  merge(known_, offset, bytes, mask, ~0U);
}

uint32_t ShadowFunction::get(unsigned offset, unsigned bytes) const {
  return gather(value_, offset, bytes);
}

bool ShadowFunction::is_known(unsigned offset, unsigned bytes, uint32_t mask) const {
  return (gather(known_, offset, bytes) & mask) == mask;
}

uint32_t ShadowFunction::writable(unsigned offset, unsigned bytes) const {
  return gather(rw_, offset, bytes);
}

std::string ShadowFunction::describe(unsigned offset) const {
  const Place* best = nullptr;
  for (const Place& place : places_) {
    if (offset >= place.offset && offset < place.offset + place.bytes &&
        (best == nullptr || place.bytes < best->bytes)) {
      best = &place;
    }
  }
  return best == nullptr ? "nothing, 7.4" : best->name;
}

}  // namespace npuvp::tests::checker
