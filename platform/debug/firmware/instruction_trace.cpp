// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/instruction_trace.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <utility>

namespace npuvp::debug::firmware {
namespace {

using riscv::Instruction;
using riscv::Op;

constexpr std::array kNames{
#define NPUVP_RISCV_NAME(name) #name,
    NPUVP_RISCV_OPERATIONS(NPUVP_RISCV_NAME)
#undef NPUVP_RISCV_NAME
};

/// "AmoaddW" -> "amoadd.w".
std::string mnemonic(Op op) {
  std::string name = kNames.at(static_cast<size_t>(op));
  if (name.ends_with("Near")) name.resize(name.size() - 4);
  std::string out;
  for (const char each : name) {
    const bool upper = std::isupper(static_cast<unsigned char>(each)) != 0;
    if (upper && !out.empty()) out += '.';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  }
  return out;
}

bool between(Op op, Op first, Op last) {
  return op >= first && op <= last;
}

/// Near jumps keep their distance in slots of two bytes.
bool is_near(Op op) {
  return between(op, Op::kBeqNear, Op::kJalNear);
}

std::string x(unsigned index) {
  return fmt::format("x{}", index == riscv::kSinkRegister ? 0U : index);
}

std::string changes(const std::array<uint64_t, 32>& before, const std::array<uint64_t, 32>& now, char letter) {
  std::string text;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before.at(i) != now.at(i)) text += fmt::format(" {}{}={:#x}", letter, i, now.at(i));
  }
  return text;
}

}  // namespace

std::string InstructionTrace::describe(const Instruction& instruction) {
  const Op op = instruction.op;
  const std::string name = mnemonic(op);
  const int64_t distance = int64_t{instruction.imm} * (is_near(op) ? 2 : 1);
  const std::string rd = x(instruction.rd);
  const std::string rs1 = x(instruction.rs1);
  const std::string rs2 = x(instruction.rs2);
  if (op == Op::kIllegal || between(op, Op::kFence, Op::kWfi)) return name;
  if (op == Op::kLui || op == Op::kAuipc)
    return fmt::format("{} {}, {:#x}", name, rd, static_cast<uint32_t>(instruction.imm) >> 12);
  if (op == Op::kJal || op == Op::kJalNear) return fmt::format("{} {}, {:+}", name, rd, distance);
  if (op == Op::kJalr || between(op, Op::kLb, Op::kLwu)) return fmt::format("{} {}, {}({})", name, rd, distance, rs1);
  if (between(op, Op::kBeq, Op::kBgeu) || between(op, Op::kBeqNear, Op::kBgeuNear)) {
    return fmt::format("{} {}, {}, {:+}", name, rs1, rs2, distance);
  }
  if (between(op, Op::kSb, Op::kSd)) return fmt::format("{} {}, {}({})", name, rs2, distance, rs1);
  if (between(op, Op::kAddi, Op::kSrai) || between(op, Op::kAddiw, Op::kSraiw)) {
    return fmt::format("{} {}, {}, {}", name, rd, rs1, distance);
  }
  if (between(op, Op::kCsrrw, Op::kCsrrci)) {
    return fmt::format("{} {}, {:#x}, {}", name, rd, riscv::csr_of(instruction),
                       op >= Op::kCsrrwi ? std::to_string(instruction.rs1) : rs1);
  }
  if (between(op, Op::kFlw, Op::kFcvtDS))
    return fmt::format("{} {}, {}, {}", name, instruction.rd, instruction.rs1, instruction.rs2);
  return fmt::format("{} {}, {}, {}", name, rd, rs1, rs2);
}

InstructionTrace::InstructionTrace(std::FILE* out, const FunctionTable& functions, unsigned harts,
                                   CallTracker::TimeSource time)
    : out_(out), functions_(functions), time_(std::move(time)), states_(harts) {}

void InstructionTrace::complete(HartState& state) {
  if (state.line.empty()) return;
  std::array<uint64_t, 32> integers{};
  std::array<uint64_t, 32> floats{};
  for (unsigned i = 0; i < 32; ++i) {
    integers.at(i) = i == 0 ? 0 : state.hart->x(i);
    floats.at(i) = state.hart->f(i);
  }
  fmt::print(out_, "{}{}{}\n", std::exchange(state.line, {}), changes(state.x, integers, 'x'),
             changes(state.f, floats, 'f'));
  state.x = integers;
  state.f = floats;
}

void InstructionTrace::on_instruction(const riscv::Hart& hart, uint64_t pc, const Instruction& instruction) {
  const auto id = static_cast<unsigned>(hart.hart_id());
  HartState& state = states_.at(id);
  state.hart = &hart;
  complete(state);
  const auto* function = functions_.find(pc);
  const std::string place = function == nullptr ? "" : fmt::format("<{}+{}>", function->name, pc - function->begin);
  state.line = fmt::format("{:>12.3f} us hart {} {:#010x} {:<28} {:08x} {:<28}", time_(id).to_seconds() * 1e6, id, pc,
                           place, instruction.raw, describe(instruction));
}

void InstructionTrace::on_trap(const riscv::Hart& hart, const riscv::TrapRecord& trap) {
  const auto id = static_cast<unsigned>(hart.hart_id());
  complete(states_.at(id));
  fmt::print(out_, "{:>12.3f} us hart {} {:#010x} trap: cause {:#x}, value {:#x}, handler {:#x}\n",
             time_(id).to_seconds() * 1e6, id, trap.pc, trap.cause, trap.value, trap.handler);
}

void InstructionTrace::on_reset(const riscv::Hart& hart) {
  HartState& state = states_.at(hart.hart_id());
  state.line.clear();
  state.x = {};
  state.f = {};
}

void InstructionTrace::finish() {
  for (HartState& state : states_) complete(state);
  std::fflush(out_);
}

}  // namespace npuvp::debug::firmware
