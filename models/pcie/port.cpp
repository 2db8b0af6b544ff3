// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/port.h"

#include "models/pcie/link.h"

namespace npuvp::pcie {

bool Port::is_link_up() const {
  return link_ != nullptr && link_->is_up();
}

void Port::hold_down(Hold reason, bool held) {
  const auto bit = static_cast<unsigned>(reason);
  const unsigned before = holds_;
  holds_ = held ? holds_ | bit : holds_ & ~bit;
  if (holds_ != before && link_ != nullptr) link_->update();
}

void Port::limit_generation(unsigned generation) {
  if (generation == generation_limit_) return;
  generation_limit_ = generation;
  if (link_ != nullptr) link_->change_speed();
}

void Port::reset_below(ResetKind kind) {
  if (link_ != nullptr) link_->reset_below(kind);
}

void Port::inject(Fault fault, unsigned count) {
  constexpr unsigned kNoTag = 0xff;
  switch (fault) {
    case Fault::kUnexpectedCompletion:
      for (unsigned each = 0; each < count; ++each) {
        errors_.report(Error::kUnexpectedCompletion, completion_header(0, 0, kNoTag, Completion::kSuccess), true);
      }
      return;
    case Fault::kReceiverError:
      for (unsigned each = 0; each < count; ++each) errors_.report(Error::kReceiverError);
      return;
    case Fault::kInternal:
      for (unsigned each = 0; each < count; ++each) errors_.report(Error::kUncorrectableInternal);
      return;
    case Fault::kSurpriseDown:
      if (link_ != nullptr) link_->drop();
      return;
    default:
      faults_.add(fault, count);
  }
}

}  // namespace npuvp::pcie
