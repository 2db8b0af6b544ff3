// SPDX-License-Identifier: Apache-2.0
#include "models/dma/mover.h"

#include "models/dma/command_check.h"
#include "models/dma/transfer_run.h"

namespace npuvp::dma {

using base::CommandOutcome;

namespace {

Transfer transfer_of(const npu_dma_descriptor& descriptor) {
  return descriptor.opcode == NPU_DMA_COPY ? Transfer::from(descriptor.u.dma) : Transfer::from(descriptor.u.tensor);
}

}  // namespace

/// A run, kept by the mover and not on its thread's stack: a simulation that ends does not unwind its threads.
class Mover::Run {
 public:
  Run(Mover& mover, const RunContext& context) : runs_(mover.runs_), run_(runs_.emplace(runs_.end(), mover, context)) {}
  ~Run() { runs_.erase(run_); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  TransferRun& operator*() { return *run_; }

 private:
  std::list<TransferRun>& runs_;
  std::list<TransferRun>::iterator run_;
};

Mover::Mover(base::InitiatorPort& memory, const Parameters& parameters)
    : memory_(memory), parameters_(parameters), arbiter_(parameters.engine_outstanding_bursts) {}

Mover::~Mover() = default;

std::optional<CommandOutcome> Mover::run(const Transfer& transfer, const RunContext& context) {
  Run kept(*this, context);
  auto& run = *kept;
  static_cast<void>(run.move(transfer));
  return run.finish();
}

std::optional<CommandOutcome> Mover::run(const npu_dma_chain& chain, const RunContext& context) {
  Run kept(*this, context);
  auto& run = *kept;
  uint64_t address = chain.descriptor;
  auto fetched = run.fetch(address);
  for (uint32_t number = 0;; ++number) {
    run.begin_descriptor(number, fetched.ready);
    CommandOutcome outcome = fetched.outcome;
    if (outcome.ok()) outcome = check_descriptor(fetched.descriptor, parameters_.kind);
    if (outcome.fault == NPU_FAULT_ILLEGAL_COMMAND && outcome.fault_address == 0) outcome.fault_address = address;
    if (!outcome.ok()) {
      run.fail(outcome);
      break;
    }
    const auto transfer = transfer_of(fetched.descriptor);
    const uint64_t next = fetched.descriptor.next;
    const bool last = next == NPU_DMA_CHAIN_END;
    const bool too_long = !last && number + 1 == chain.limit;
    if (!last && !too_long) fetched = run.fetch(next);
    if (!run.move(transfer)) break;
    if (too_long) run.fail({NPU_FAULT_ILLEGAL_COMMAND, next});
    if (last || too_long) break;
    address = next;
  }
  return run.finish();
}

void Mover::reset() {
  ++epoch_;
  bytes_read_ = 0;
  bytes_written_ = 0;
  arbiter_.reset();
  reset_event_.notify();
}

}  // namespace npuvp::dma
