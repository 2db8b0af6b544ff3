// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/task_manager.h"

#include <algorithm>

#include "firmware/abi/memory_map.h"
#include "firmware/abi/page_table.h"
#include "models/base/sideband.h"

namespace npuvp::task_manager {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr uint64_t kBurstBytes = 4096;

uint64_t to_ns(sc_time time) {
  return time.value() / sc_time(1, sc_core::SC_NS).value();
}

uint64_t dma_bytes(const npu_command& command) {
  return command.kind == NPU_COMMAND_NEURAL_ENGINE ? 0 : uint64_t{command.u.dma.rows} * command.u.dma.row_bytes;
}

std::string_view title_of(const npu_command& command) {
  if (command.kind != NPU_COMMAND_NEURAL_ENGINE) return "copy";
  static constexpr std::string_view kTitles[] = {"illegal", "gemm",    "vector",    "convolution", "elementwise",
                                                 "reduce",  "softmax", "normalize", "rotary",      "gather",
                                                 "scatter", "top-k",   "transpose"};
  return command.opcode < std::size(kTitles) ? kTitles[command.opcode] : kTitles[0];
}

base::TraceArguments arguments_of(const npu_command& command, uint32_t index) {
  base::TraceArguments arguments{{"tag", uint64_t{command.tag}}, {"index", uint64_t{index}}};
  if (command.kind != NPU_COMMAND_NEURAL_ENGINE) {
    arguments.push_back({"bytes", dma_bytes(command)});
  } else if (command.opcode == NPU_NE_GEMM) {
    const auto& gemm = command.u.gemm;
    arguments.insert(arguments.end(), {{"m", uint64_t{gemm.m}}, {"n", uint64_t{gemm.n}}, {"k", uint64_t{gemm.k}}});
  } else if (command.opcode == NPU_NE_VECTOR) {
    const auto& vector = command.u.vector;
    arguments.insert(arguments.end(), {{"m", uint64_t{vector.m}}, {"n", uint64_t{vector.n}}});
  }
  return arguments;
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
      external_hdma("external_hdma", 2),
      environment_(environment),
      parameters_(parameters),
      layout_(parameters.memories.neural_engines),
      registers_(environment, sc_module::name()) {
  registers.register_b_transport(this, &TaskManager::b_transport);
  registers.register_transport_dbg(this, &TaskManager::transport_dbg);
  memory.sideband().origin = {base::Origin::Kind::kEngine, 0, 0};
  wire_registers();
  SC_THREAD(run_fetch);
  add_queues(neural_engines, "Neural Engine");
  add_queues(neural_dma, "Neural DMA");
  add_queues(task_dma, "Task DMA");
  add_queues(external_hdma, "External HDMA");
  add_queues(neural_vector, "Neural Engine vector");
}

void TaskManager::add_queues(sc_core::sc_vector<base::CommandPort>& ports, const std::string& title) {
  for (size_t engine = 0; engine < ports.size(); ++engine) {
    const auto track = environment_.trace().add_track(fmt::format("{} {}", title, engine), parameters_.trace_parent);
    auto& queue = queues_.emplace_back(static_cast<unsigned>(queues_.size()), ports[engine], track);
    sc_core::sc_spawn([this, &queue] { run_queue(queue); }, sc_core::sc_gen_unique_name("queue"));
  }
}

void TaskManager::wire_registers() {
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (registers_.CONTROL.CLEAR_MEMORIES.in(write) != 0) must_clear_ = true;
    if (registers_.CONTROL.START.in(write) != 0) start(write.origin);
    if (registers_.CONTROL.ABORT.in(write) != 0) abort();
  });
  registers_.FUNCTION.on_write([this](const base::RegisterWrite& write) {
    if (registers_.FUNCTION.get() <= NPU_MAX_VFS) return;
    environment_.diagnostics().misuse(registers_.name() + ".FUNCTION",
                                      fmt::format("there is no function {}", registers_.FUNCTION.get()), write.origin);
    registers_.FUNCTION.set(write.before);
  });
  registers_.ADDRESS_SPACE.on_write([this](const base::RegisterWrite& write) {
    if (registers_.ADDRESS_SPACE.get() < NPU_MMU_ASIDS) return;
    environment_.diagnostics().misuse(registers_.name() + ".ADDRESS_SPACE",
                                      fmt::format("there is no address space {}", registers_.ADDRESS_SPACE.get()),
                                      write.origin);
    registers_.ADDRESS_SPACE.set(write.before);
  });
  registers_.STATUS.on_write([this](const base::RegisterWrite&) { update_irq(); });
}

void TaskManager::reset() {
  job_.reset();
  for (auto& queue : queues_) queue.job.reset();
  start_event_.cancel();
  fetch_cancelled_.notify();
  registers_.reset();
  time_by_kind_ = {};
  update_irq();
}

void TaskManager::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  access_delay_ = delay;
  registers_.transport(payload);
}

unsigned TaskManager::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

void TaskManager::start(const base::Origin& origin) {
  if (job_) {
    environment_.diagnostics().misuse(registers_.name() + ".CONTROL", "START while BUSY is ignored", origin);
    return;
  }
  job_ = std::make_shared<Job>(
      layout_, parameters_.memories, memory, static_cast<uint16_t>(registers_.CONTEXT.ASID.get()),
      static_cast<uint16_t>(registers_.FUNCTION.get()), static_cast<uint16_t>(registers_.ADDRESS_SPACE.get()));
  registers_.STATUS.set(registers_.STATUS.BUSY.mask());
  registers_.FAULT_CODE.set(NPU_FAULT_NONE);
  registers_.FAULT_COMMAND.set(0);
  registers_.FAULT_ADDRESS.set(0);
  registers_.RETIRED.set(0);
  registers_.START_NS.set(to_ns(sc_time_stamp() + access_delay_));
  registers_.END_NS.set(0);
  update_irq();
  start_event_.notify(access_delay_);
}

void TaskManager::abort() {
  // A job that has just ended by itself is no mistake of the firmware's: nothing to do.
  if (!job_) return;
  job_->stop();
  fetch_cancelled_.notify();
  schedule();
}

/// Fetches the job that START has announced and hands it to the queues.
void TaskManager::run_fetch() {
  for (;;) {
    wait(start_event_);
    const auto job = job_;
    if (!job) continue;
    const sc_time cleared = hand_over_memories(*job);
    sc_time delay;
    std::vector<npu_command> commands;
    const bool fetched = fetch_segments(*job, delay) && fetch_commands(*job, delay, commands);
    wait(std::max(delay, cleared), fetch_cancelled_);
    if (job != job_) continue;
    if (fetched) static_cast<void>(job->accept(std::move(commands)));
    schedule();
  }
}

/// Clears the on-chip memories if another function's job has used them. Returns how long that takes from now on.
sc_time TaskManager::hand_over_memories(const Job& job) {
  if (job.function == owner_ && !must_clear_) return sc_core::SC_ZERO_TIME;
  owner_ = job.function;
  must_clear_ = false;
  return owner_change_ ? owner_change_() : sc_core::SC_ZERO_TIME;
}

bool TaskManager::fetch_segments(Job& job, sc_time& delay) {
  const uint64_t address = registers_.SEGMENTS.get();
  const uint64_t count = registers_.SEGMENT_COUNT.get();
  if (count == 0) return true;
  std::vector<npu_segment> segments(std::min<uint64_t>(count, NPU_MAX_SEGMENTS));
  const std::span<uint8_t> data(reinterpret_cast<uint8_t*>(segments.data()), segments.size() * sizeof(npu_segment));
  if (count > NPU_MAX_SEGMENTS || !fetch(address, data, delay)) {
    job.fail({NPU_FAULT_FETCH, 0, address});
    return false;
  }
  const size_t loaded = job.segments.load(segments);
  if (loaded != segments.size()) job.fail({NPU_FAULT_FETCH, 0, address + loaded * sizeof(npu_segment)});
  return loaded == segments.size();
}

bool TaskManager::fetch_commands(Job& job, sc_time& delay, std::vector<npu_command>& commands) {
  const uint64_t address = registers_.COMMANDS.get();
  const uint64_t bytes = registers_.COMMAND_BYTES.get();
  if (address % sizeof(npu_command) != 0 || bytes % sizeof(npu_command) != 0 || bytes > NPU_MAX_COMMAND_BYTES) {
    job.fail({NPU_FAULT_FETCH, 0, address});
    return false;
  }
  commands.resize(bytes / sizeof(npu_command));
  if (fetch(address, {reinterpret_cast<uint8_t*>(commands.data()), bytes}, delay)) return true;
  job.fail({NPU_FAULT_FETCH, 0, address});
  return false;
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
    const auto job = std::move(queue.job);
    const uint32_t index = queue.command;
    queue.job.reset();
    sc_core::wait(parameters_.dispatch_latency);
    if (job != job_) continue;
    const auto fault = execute(queue, *job, index);
    if (job != job_) continue;
    job->retire(queue.index, fault);
    registers_.RETIRED.set(job->retired());
    schedule();
  }
}

Fault TaskManager::execute(Queue& queue, Job& job, uint32_t index) {
  const auto& command = job.command(index);
  const sc_time begin = sc_time_stamp();
  const auto outcome = queue.port->execute({&command, &job.segments, job.context, index, job.function, job.asid});
  // Abandoned work leaves no trace in a later job's figures.
  if (&job == job_.get()) account(queue, command, index, begin, outcome.ok());
  return {outcome.fault, index, outcome.fault_address};
}

void TaskManager::account(const Queue& queue, const npu_command& command, uint32_t index, sc_time begin, bool ok) {
  const sc_time end = sc_time_stamp();
  auto& kind = time_by_kind_[command.kind];
  kind.busy += end - begin;
  if (ok) {
    ++kind.commands;
    kind.bytes += dma_bytes(command);
  }
  auto& trace = environment_.trace();
  if (trace.enabled()) trace.span(queue.track, title_of(command), begin, end, arguments_of(command, index));
}

/// Hands over whatever can start now, and ends the job when nothing runs and nothing can.
void TaskManager::schedule() {
  for (auto& queue : queues_) {
    const auto index = job_->ready(queue.index);
    if (!index) continue;
    job_->dispatch(queue.index);
    queue.job = job_;
    queue.command = *index;
    queue.handed_over.notify();
  }
  if (!job_->idle()) return;
  if (!job_->ended()) job_->fail({NPU_FAULT_DEADLOCK, job_->first_blocked(), 0});
  finish();
}

void TaskManager::finish() {
  const auto job = std::move(job_);
  job_.reset();
  registers_.FAULT_CODE.set(job->fault().code);
  registers_.FAULT_COMMAND.set(job->fault().command);
  registers_.FAULT_ADDRESS.set(job->fault().address);
  registers_.END_NS.set(to_ns(sc_time_stamp()));
  registers_.STATUS.BUSY.set(0);
  registers_.STATUS.DONE.set(1);
  registers_.STATUS.ERROR.set(job->failed() ? 1 : 0);
  update_irq();
}

}  // namespace npuvp::task_manager
