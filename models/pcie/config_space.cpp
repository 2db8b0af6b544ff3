// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/config_space.h"

#include <algorithm>
#include <systemc>

namespace npuvp::pcie {
namespace {

// Places of the list pointers, PCI Express Base Specification 7.5.1.1.11 and 7.6.3.
constexpr unsigned kCapabilitiesPointer = 0x34;
constexpr unsigned kNextPointer = 1;
constexpr unsigned kExtendedNextShift = 20;

}  // namespace

ConfigSpace::ConfigSpace(base::RegisterBank& header) : structures_{{0, kCapabilities, &header, nullptr}} {}

void ConfigSpace::add(Capability& capability, unsigned offset) {
  auto& previous = structures_.back();
  const bool extended = offset >= kExtendedCapabilities;
  const bool first_extended = extended && previous.offset < kExtendedCapabilities;
  // Not in the constructor: a function's header may be constructed after its configuration space.
  sc_assert(structures_.front().bank->size() == kCapabilities);
  sc_assert(offset % 4 == 0 && offset >= std::max(kCapabilities, previous.end()));
  sc_assert(offset + capability.bytes() <= (extended ? kBytes : kExtendedCapabilities));
  sc_assert(!first_extended || offset == kExtendedCapabilities);

  if (extended && !first_extended) {
    auto* header = previous.bank->find(0);
    header->set_reset(header->info().reset | static_cast<uint64_t>(offset) << kExtendedNextShift);
  } else if (!extended) {
    previous.bank->find(previous.capability == nullptr ? kCapabilitiesPointer : kNextPointer)->set_reset(offset);
  }
  structures_.push_back({offset, capability.bytes(), &capability.bank(), &capability});
}

template <typename Access>
void ConfigSpace::for_each_part(unsigned offset, size_t bytes, Access access) {
  sc_assert(offset <= kBytes && bytes <= kBytes - offset);
  const unsigned end = offset + static_cast<unsigned>(bytes);
  for (const auto& each : structures_) {
    const unsigned from = std::max(offset, each.offset);
    const unsigned to = std::min(end, each.end());
    if (from < to) access(*each.bank, from - each.offset, from - offset, to - from);
  }
}

void ConfigSpace::read(unsigned offset, std::span<uint8_t> data, const base::Origin& origin) {
  std::fill(data.begin(), data.end(), uint8_t{0});
  for_each_part(offset, data.size(), [&](base::RegisterBank& bank, unsigned at, unsigned first, unsigned bytes) {
    bank.read(at, data.subspan(first, bytes), origin);
  });
}

void ConfigSpace::write(unsigned offset, std::span<const uint8_t> data, const base::Origin& origin) {
  for_each_part(offset, data.size(), [&](base::RegisterBank& bank, unsigned at, unsigned first, unsigned bytes) {
    bank.write(at, data.subspan(first, bytes), origin);
  });
}

void ConfigSpace::reset(ResetKind kind) {
  for (const auto& each : structures_) {
    if (each.capability != nullptr) {
      each.capability->reset(kind);
    } else {
      each.bank->reset();
    }
  }
}

}  // namespace npuvp::pcie
