// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/task_manager.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "firmware/abi/memory_map.h"
#include "firmware/abi/page_table.h"
#include "models/base/sideband.h"
#include "models/task_manager/describe.h"

namespace npuvp::task_manager {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr uint64_t kBurstBytes = 4096;
constexpr unsigned kHdmaChannels = 2;

uint64_t to_ns(sc_time time) {
  return time.value() / sc_time(1, sc_core::SC_NS).value();
}

std::string name_of_slot(const std::string& block, unsigned number) {
  return number == 0 ? block : fmt::format("{}.slot{}", block, number);
}

}  // namespace

TaskManager::TaskManager(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      memory("memory"),
      neural_engines("neural_engines", parameters.memories.neural_engines),
      neural_vector("neural_vector", parameters.memories.neural_engines),
      neural_dma("neural_dma", parameters.memories.neural_engines),
      task_dma("task_dma", 1),
      external_hdma("external_hdma", kHdmaChannels),
      device_hdma("device_hdma", kHdmaChannels),
      device_sync("device_sync", NPU_SYNC_CHANNELS),
      environment_(environment),
      parameters_(parameters),
      layout_(parameters.memories.neural_engines),
      memories_(parameters.memories) {
  registers.register_b_transport(this, &TaskManager::b_transport);
  registers.register_transport_dbg(this, &TaskManager::transport_dbg);
  memory.sideband().origin = {base::Origin::Kind::kEngine, 0, 0};
  for (unsigned number = 0; number < kSlots; ++number) {
    auto& slot = slots_.emplace_back(environment, name_of_slot(sc_module::name(), number), number);
    wire_registers(slot);
    sc_core::sc_spawn([this, &slot] { run_fetch(slot); }, sc_core::sc_gen_unique_name("fetch"));
  }
  add_queues(neural_engines, "Neural Engine");
  add_queues(neural_dma, "Neural DMA");
  add_queues(task_dma, "Task DMA");
  add_queues(external_hdma, "External HDMA");
  add_queues(device_hdma, "Device HDMA");
  add_queues(device_sync, "Device Sync");
  add_queues(neural_vector, "Neural Engine vector");
  add_queue(nullptr, "Task Manager");
  SC_METHOD(schedule);
  sensitive << look_event_;
  dont_initialize();
}

void TaskManager::add_queues(sc_core::sc_vector<base::CommandPort>& ports, const std::string& title) {
  for (size_t engine = 0; engine < ports.size(); ++engine)
    add_queue(&ports[engine], fmt::format("{} {}", title, engine));
}

void TaskManager::add_queue(base::CommandPort* port, const std::string& title) {
  const auto track = environment_.trace().add_track(title, parameters_.trace_parent);
  auto& queue = queues_.emplace_back(static_cast<unsigned>(queues_.size()), port, track);
  sc_core::sc_spawn([this, &queue] { run_queue(queue); }, sc_core::sc_gen_unique_name("queue"));
}

void TaskManager::wire_registers(Slot& slot) {
  auto& bank = slot.registers;
  bank.CONTROL.on_write([this, &slot](const base::RegisterWrite& write) {
    if (slot.registers.CONTROL.CLEAR_MEMORIES.in(write) != 0) memories_.disown();
    if (slot.registers.CONTROL.START.in(write) != 0) start(slot, write.origin);
    if (slot.registers.CONTROL.ABORT.in(write) != 0) abort(slot);
  });
  bank.FUNCTION.on_write([this, &slot](const base::RegisterWrite& write) {
    auto& function = slot.registers.FUNCTION;
    if (function.get() <= NPU_MAX_VFS) return;
    environment_.diagnostics().misuse(slot.registers.name() + ".FUNCTION",
                                      fmt::format("there is no function {}", function.get()), write.origin);
    function.set(write.before);
  });
  bank.SLOTS.set_reset(kSlots);
  bank.STATUS.on_write([this](const base::RegisterWrite&) { update_irq(); });
  bank.DONE_SLOTS.on_read([this](uint64_t) {
    uint64_t done = 0;
    for (auto& each : slots_) done |= each.registers.STATUS.DONE.get() << each.number;
    return done;
  });
  bank.BLOCKED_NS.on_read([&slot](uint64_t) {
    const sc_time since = slot.blocked_since ? sc_time_stamp() - *slot.blocked_since : sc_core::SC_ZERO_TIME;
    return to_ns(slot.blocked + since);
  });
  bank.ADDRESS_SPACE.on_write([this, &slot](const base::RegisterWrite& write) {
    auto& space = slot.registers.ADDRESS_SPACE;
    if (space.get() < NPU_MMU_ASIDS) return;
    environment_.diagnostics().misuse(slot.registers.name() + ".ADDRESS_SPACE",
                                      fmt::format("there is no address space {}", space.get()), write.origin);
    space.set(write.before);
  });
}

void TaskManager::reset() {
  for (auto& slot : slots_) {
    slot.job.reset();
    slot.claimed = false;
    slot.blocked = sc_core::SC_ZERO_TIME;
    slot.blocked_since.reset();
    slot.started.cancel();
    slot.cancelled.notify();
    slot.registers.reset();
  }
  look_event_.cancel();
  time_by_kind_ = {};
  update_irq();
}

TaskManager::Slot& TaskManager::slot_of(uint64_t address) {
  return slots_[std::min<uint64_t>(address / kSlotStride, kSlots - 1)];
}

void TaskManager::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const uint64_t address = payload.get_address();
  auto& slot = slot_of(address);
  slot.access_delay = delay;
  payload.set_address(address - slot.number * kSlotStride);
  slot.registers.transport(payload);
  payload.set_address(address);
}

unsigned TaskManager::transport_dbg(tlm::tlm_generic_payload& payload) {
  const uint64_t address = payload.get_address();
  auto& slot = slot_of(address);
  payload.set_address(address - slot.number * kSlotStride);
  const unsigned moved = slot.registers.transport_debug(payload);
  payload.set_address(address);
  return moved;
}

void TaskManager::start(Slot& slot, const base::Origin& origin) {
  auto& bank = slot.registers;
  if (slot.job) {
    environment_.diagnostics().misuse(bank.name() + ".CONTROL", "START while BUSY is ignored", origin);
    return;
  }
  bool legal = true;
  auto settings = settings_of(slot, legal);
  if (!legal) {
    environment_.diagnostics().misuse(bank.name() + ".SHARED_BASE",
                                      "not a part of the shared memory in units of 64 KiB: the job gets none of it",
                                      origin);
  }
  slot.job = std::make_shared<Job>(layout_, parameters_.memories, memory, std::move(settings));
  slot.age = starts_++;
  slot.claimed = false;
  slot.blocked = sc_core::SC_ZERO_TIME;
  bank.STATUS.set(bank.STATUS.BUSY.mask());
  bank.FAULT_CODE.set(NPU_FAULT_NONE);
  bank.FAULT_COMMAND.set(0);
  bank.FAULT_ADDRESS.set(0);
  bank.FAULT_POSITION.set(0);
  bank.RETIRED.set(0);
  bank.CANCELLED.set(0);
  bank.START_NS.set(to_ns(sc_time_stamp() + slot.access_delay));
  bank.END_NS.set(0);
  update_irq();
  slot.started.notify(slot.access_delay);
}

/// The job's description, latched at START. A part of the shared memory that cannot be is none, which is not `legal`.
JobSettings TaskManager::settings_of(Slot& slot, bool& legal) const {
  auto& bank = slot.registers;
  JobSettings settings;
  settings.context = static_cast<uint16_t>(bank.CONTEXT.ASID.get());
  settings.function = static_cast<uint16_t>(bank.FUNCTION.get());
  settings.address_space = static_cast<uint16_t>(bank.ADDRESS_SPACE.get());
  settings.group = static_cast<uint32_t>(bank.GROUP.get());
  settings.continue_after_fault = bank.OPTIONS.CONTINUE.get() != 0;
  for (unsigned engine = 0; engine < std::min(parameters_.memories.neural_engines, 32U); ++engine) {
    if ((bank.ENGINES.get() >> engine & 1) != 0) settings.engines.push_back(static_cast<uint8_t>(engine));
  }
  settings.first_engine = static_cast<uint32_t>(bank.FIRST_ENGINE.get());
  const uint64_t size = parameters_.memories.shared_bytes;
  const uint64_t base = bank.SHARED_BASE.get();
  const uint64_t bytes = bank.SHARED_BYTES.get() == 0 ? size - std::min(base, size) : bank.SHARED_BYTES.get();
  const bool aligned = (base | bank.SHARED_BYTES.get()) % OnChipMemories::kBlockBytes == 0;
  legal = aligned && base <= size && bytes <= size - base;
  settings.shared_base = legal ? base : 0;
  settings.shared_bytes = legal ? bytes : 0;
  return settings;
}

void TaskManager::abort(Slot& slot) {
  // A job that has just ended by itself is no mistake of the firmware's: nothing to do.
  if (!slot.job) return;
  slot.job->abort();
  slot.cancelled.notify();
  schedule();
}

/// Fetches the job that START has announced while its first commands may run already.
void TaskManager::run_fetch(Slot& slot) {
  for (;;) {
    wait(slot.started);
    const auto job = slot.job;
    if (!job) continue;
    claim_memories();
    sc_time delay;
    if (fetch_segments(slot, *job, delay)) {
      stream_commands(slot, job, delay);
    } else {
      wait(delay, slot.cancelled);
    }
    if (job == slot.job) schedule_soon();
  }
}

/// Gives waiting jobs their part of the on-chip memories, in the order in which they are served: a job waits for those
/// that use it and for those before it that want it.
void TaskManager::claim_memories() {
  std::vector<Slot*> order;
  for (auto& slot : slots_) {
    if (slot.job) order.push_back(&slot);
  }
  const auto rank = [](Slot& slot) { return std::tuple(!slot.claimed, ~slot.registers.PRIORITY.get(), slot.age); };
  std::sort(order.begin(), order.end(), [&](Slot* a, Slot* b) { return rank(*a) < rank(*b); });
  for (size_t i = 0; i < order.size(); ++i) {
    auto& slot = *order[i];
    const bool excluded = std::any_of(order.begin(), order.begin() + static_cast<int64_t>(i), [&](const Slot* other) {
      return OnChipMemories::exclude(slot.job->settings, other->job->settings);
    });
    if (slot.claimed || excluded || slot.job->failed()) continue;
    const sc_time cleared = memories_.hand_over(slot.job->settings);
    slot.claimed = true;
    slot.usable = sc_time_stamp() + cleared;
  }
}

bool TaskManager::fetch_segments(Slot& slot, Job& job, sc_time& delay) {
  const uint64_t address = slot.registers.SEGMENTS.get();
  const uint64_t count = slot.registers.SEGMENT_COUNT.get();
  if (count == 0) return true;
  std::vector<npu_segment> segments(std::min<uint64_t>(count, NPU_MAX_SEGMENTS));
  const std::span<uint8_t> data(reinterpret_cast<uint8_t*>(segments.data()), segments.size() * sizeof(npu_segment));
  if (count > NPU_MAX_SEGMENTS || !fetch(address, data, delay)) {
    job.fail({NPU_FAULT_FETCH, 0, address, 0});
    return false;
  }
  const size_t loaded = job.segments.load(segments);
  if (loaded != segments.size()) job.fail({NPU_FAULT_FETCH, 0, address + loaded * sizeof(npu_segment), 0});
  return loaded == segments.size();
}

/// Reads the stream and hands its commands over as they arrive, in order. `delay`: when the first burst is asked for.
void TaskManager::stream_commands(Slot& slot, const std::shared_ptr<Job>& job, sc_time delay) {
  const uint64_t address = slot.registers.COMMANDS.get();
  const uint64_t bytes = slot.registers.COMMAND_BYTES.get();
  if (address % sizeof(npu_command) != 0 || bytes % sizeof(npu_command) != 0 || bytes > NPU_MAX_COMMAND_BYTES ||
      address + bytes < address) {
    job->fail({NPU_FAULT_FETCH, 0, address, 0});
    wait(delay, slot.cancelled);
    return;
  }
  struct Burst {
    size_t begin;
    size_t end;
    sc_time arrival;
    bool good;
  };
  std::vector<npu_command> commands(bytes / sizeof(npu_command));
  std::vector<Burst> bursts;
  sc_time arrival = sc_time_stamp() + delay;
  for (uint64_t done = 0; done < bytes;) {
    const uint64_t size = std::min(bytes - done, kBurstBytes - (address + done) % kBurstBytes);
    sc_time completion = delay;
    auto* const data = reinterpret_cast<uint8_t*>(commands.data()) + done;
    const bool good = fetch(address + done, {data, size}, completion);
    arrival = std::max(arrival, sc_time_stamp() + completion);
    bursts.push_back({done / sizeof(npu_command), (done + size) / sizeof(npu_command), arrival, good});
    done += size;
  }
  if (bursts.empty()) wait(delay, slot.cancelled);
  for (auto next = bursts.begin(); next != bursts.end();) {
    if (next->arrival > sc_time_stamp()) wait(next->arrival - sc_time_stamp(), slot.cancelled);
    if (job != slot.job || job->failed()) return;
    const auto last =
        std::find_if(next, bursts.end(), [](const Burst& each) { return each.arrival > sc_time_stamp(); });
    if (!std::all_of(next, last, [](const Burst& each) { return each.good; })) {
      job->fail({NPU_FAULT_FETCH, 0, address, 0});
      return;
    }
    const size_t end = std::prev(last)->end;
    if (!job->append(std::span(commands).subspan(next->begin, end - next->begin))) return;
    if (last != bursts.end()) schedule_soon();
    next = last;
  }
  if (job == slot.job) static_cast<void>(job->complete());
}

/// Reads device memory in bursts that all start at `delay`, which grows to the last one's completion.
bool TaskManager::fetch(uint64_t address, std::span<uint8_t> data, sc_time& delay) {
  if ((address & NPU_MAP_HOST) != 0 || address + data.size() < address) return false;
  const sc_time begin = delay;
  for (size_t done = 0; done < data.size();) {
    const size_t bytes = std::min<size_t>(data.size() - done, kBurstBytes - (address + done) % kBurstBytes);
    sc_time completion = begin;
    memory.sideband().context = 0;
    memory.sideband().function = 0;
    const auto response = memory.read(address + done, data.subspan(done, bytes), completion);
    const bool poisoned = memory.sideband().poison;
    memory.sideband().poison = false;
    delay = std::max(delay, completion);
    if (response != tlm::TLM_OK_RESPONSE || poisoned) return false;
    done += bytes;
  }
  return true;
}

void TaskManager::run_queue(Queue& queue) {
  for (;;) {
    while (!queue.job) sc_core::wait(queue.handed_over);
    auto& slot = *queue.slot;
    const auto job = queue.job;
    const auto dispatch = queue.dispatch;  // its own: the engine may still look at it when the queue has a new one
    sc_core::wait(parameters_.dispatch_latency);
    Fault fault;
    if (job == slot.job && !dispatch.cancelled) fault = execute(queue, *job, dispatch);
    queue.job.reset();
    if (job == slot.job) {
      job->retire(queue.index, dispatch, fault);
      slot.registers.RETIRED.set(job->retired());
      slot.registers.CANCELLED.set(job->cancelled());
    }
    schedule();
  }
}

Fault TaskManager::execute(const Queue& queue, Job& job, const Job::Dispatch& dispatch) {
  const sc_time begin = sc_time_stamp();
  base::CommandOutcome outcome;
  if (queue.port != nullptr) {
    outcome = (*queue.port)
                  ->execute({&dispatch.command, &job.segments, job.settings.context, dispatch.index,
                             job.settings.function, job.settings.address_space, &job.cancel()});
  }
  // Abandoned work leaves no trace in a later job's figures.
  if (&job == queue.slot->job.get()) account(queue, dispatch, begin, outcome.ok());
  return {outcome.fault, dispatch.index, outcome.fault_address, outcome.position};
}

void TaskManager::account(const Queue& queue, const Job::Dispatch& dispatch, sc_time begin, bool ok) {
  const sc_time end = sc_time_stamp();
  const auto& command = dispatch.command;
  auto& kind = time_by_kind_[command.kind];
  kind.busy += end - begin;
  if (ok) {
    ++kind.commands;
    kind.bytes += dma_bytes(command);
  }
  auto& trace = environment_.trace();
  if (trace.enabled()) {
    trace.span(queue.track, title_of(command), begin, end, arguments_of(command, dispatch.index));
  }
}

/// Hands over whatever can start now, and ends jobs of which nothing runs and nothing can.
/// When all that happens at this time has happened: of several jobs whose commands arrive together the one that ranks
/// first is served first.
void TaskManager::schedule_soon() {
  look_event_.notify(sc_core::SC_ZERO_TIME);
}

void TaskManager::schedule() {
  for (auto& slot : slots_) {
    if (slot.job) slot.job->advance();
  }
  for (auto& queue : queues_) {
    if (queue.job) continue;
    auto* const slot = choose(queue);
    if (slot == nullptr) continue;
    queue.slot = slot;
    queue.last_slot = slot->number;
    queue.last_function = slot->job->settings.function;
    queue.job = slot->job;
    queue.dispatch = slot->job->dispatch(queue.index);
    queue.handed_over.notify();
  }
  bool ended = false;
  for (auto& slot : slots_) {
    if (!slot.job) continue;
    if (slot.job->deadlocked()) slot.job->fail({NPU_FAULT_DEADLOCK, slot.job->first_blocked(), 0, 0});
    if (!slot.job->ended()) continue;
    finish(slot);
    ended = true;
  }
  if (ended) {
    claim_memories();
    schedule();
    return;
  }
  for (auto& slot : slots_) {
    if (slot.job && slot.usable > sc_time_stamp()) look_event_.notify(slot.usable - sc_time_stamp());
    count_blocked(slot);
  }
}

/// The job whose command `queue` takes next: functions in turn, so that none takes an engine from the others by calling
/// its jobs urgent; of a function's jobs the highest priority, equal ones in turn.
TaskManager::Slot* TaskManager::choose(const Queue& queue) {
  constexpr unsigned kFunctions = NPU_MAX_VFS + 1;
  const auto rank = [&queue](Slot& slot) {
    const unsigned function = slot.job->settings.function + kFunctions - queue.last_function - 1;
    const unsigned turn = slot.number + kSlots - queue.last_slot - 1;
    return std::tuple(function % kFunctions, ~slot.registers.PRIORITY.get(), turn % kSlots);
  };
  Slot* best = nullptr;
  for (auto& slot : slots_) {
    if (!slot.job || !slot.claimed || slot.usable > sc_time_stamp() || !slot.job->ready(queue.index)) continue;
    if (best == nullptr || rank(slot) < rank(*best)) best = &slot;
  }
  return best;
}

/// The job stands still, and only because others have the queues it could go on in.
bool TaskManager::blocked(const Slot& slot) const {
  if (!slot.job || !slot.claimed || slot.usable > sc_time_stamp() || !slot.job->idle() || slot.job->failed())
    return false;
  return std::any_of(queues_.begin(), queues_.end(), [&slot](const Queue& queue) {
    return queue.job && queue.slot != &slot && slot.job->ready(queue.index);
  });
}

void TaskManager::count_blocked(Slot& slot) {
  const bool now = blocked(slot);
  if (now == slot.blocked_since.has_value()) return;
  if (now) {
    slot.blocked_since = sc_time_stamp();
    return;
  }
  slot.blocked += sc_time_stamp() - *slot.blocked_since;
  slot.blocked_since.reset();
}

void TaskManager::finish(Slot& slot) {
  const auto job = std::move(slot.job);
  slot.job.reset();
  slot.claimed = false;
  auto& bank = slot.registers;
  bank.FAULT_CODE.set(job->fault().code);
  bank.FAULT_COMMAND.set(job->fault().command);
  bank.FAULT_ADDRESS.set(job->fault().address);
  bank.FAULT_POSITION.set(job->fault().position);
  bank.END_NS.set(to_ns(sc_time_stamp()));
  bank.STATUS.BUSY.set(0);
  bank.STATUS.DONE.set(1);
  bank.STATUS.ERROR.set(job->failed() ? 1 : 0);
  update_irq();
}

void TaskManager::update_irq() {
  irq.set(std::any_of(slots_.begin(), slots_.end(), [](Slot& slot) { return slot.registers.STATUS.DONE.get() != 0; }));
}

}  // namespace npuvp::task_manager
