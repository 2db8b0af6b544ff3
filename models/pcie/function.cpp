// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/function.h"

#include <algorithm>
#include <utility>

namespace npuvp::pcie {

using sc_core::sc_time;

Function::Function(std::string name, unsigned index, base::RegisterBank& header)
    : name_(std::move(name)), index_(index), config_(header) {}

void Function::add_msix(base::Environment& environment, const MsixParameters& parameters, unsigned offset,
                        const Outlet& outlet) {
  vectors_ = parameters.vectors;
  if (vectors_ == 0) return;
  msix_ = std::make_unique<MsixCapability>(environment, name_ + ".msix", parameters);
  msix_table_ = std::make_unique<MsixTable>(
      *msix_, [this, send = outlet.interrupt](uint64_t address, uint32_t data) { send(*this, address, data); },
      [this] { return !may_master(); });
  config_.add(*msix_, offset);
  msix_->registers.MESSAGE_CONTROL.on_write([this](const base::RegisterWrite&) { update_interrupts(); });
}

void Function::access_config(const Request& request) {
  const base::Origin origin{base::Origin::Kind::kHost, request.requester, 0};
  const auto offset = static_cast<unsigned>(request.address);
  if (request.is_read()) {
    config_.read(offset, request.data, origin);
  } else {
    config_.write(offset, request.data, origin);
  }
}

void Function::reset(ResetKind kind) {
  config_.reset(kind);
  if (msix_table_) msix_table_->reset();
  posted_.clear();
  tags_.reset();
}

void Function::note_posted(sc_time issued, sc_time arrived) {
  const sc_time now = sc_core::sc_time_stamp();
  while (!posted_.empty() && posted_.front().arrived <= now) posted_.pop_front();
  posted_.push_back({issued, arrived});
}

sc_time Function::posted_arrived(sc_time issued_until) const {
  sc_time latest;
  for (const auto& write : posted_) {
    if (write.issued <= issued_until) latest = std::max(latest, write.arrived);
  }
  return latest;
}

}  // namespace npuvp::pcie
