// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/hart_registers.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "models/riscv/csr.h"

namespace npuvp::debug::gdb {
namespace {

namespace csr = riscv::csr;

constexpr std::array<const char*, 32> kIntegerNames{
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr std::array<const char*, 32> kFloatNames{
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

constexpr unsigned kRa = 1;
constexpr unsigned kSp = 2;
constexpr unsigned kFp = 8;
constexpr unsigned kFloatCsrBytes = 4;

constexpr std::array kCsrNames{std::pair{csr::kFflags, "fflags"},
                               std::pair{csr::kFrm, "frm"},
                               std::pair{csr::kFcsr, "fcsr"},
                               std::pair{csr::kCycle, "cycle"},
                               std::pair{csr::kTime, "time"},
                               std::pair{csr::kInstret, "instret"},
                               std::pair{csr::kMstatus, "mstatus"},
                               std::pair{csr::kMisa, "misa"},
                               std::pair{csr::kMie, "mie"},
                               std::pair{csr::kMtvec, "mtvec"},
                               std::pair{csr::kMcounteren, "mcounteren"},
                               std::pair{csr::kMenvcfg, "menvcfg"},
                               std::pair{csr::kMcountinhibit, "mcountinhibit"},
                               std::pair{csr::kMscratch, "mscratch"},
                               std::pair{csr::kMepc, "mepc"},
                               std::pair{csr::kMcause, "mcause"},
                               std::pair{csr::kMtval, "mtval"},
                               std::pair{csr::kMip, "mip"},
                               std::pair{csr::kTselect, "tselect"},
                               std::pair{csr::kTdata1, "tdata1"},
                               std::pair{csr::kTdata2, "tdata2"},
                               std::pair{csr::kTdata3, "tdata3"},
                               std::pair{csr::kTinfo, "tinfo"},
                               std::pair{csr::kTcontrol, "tcontrol"},
                               std::pair{csr::kMcycle, "mcycle"},
                               std::pair{csr::kMinstret, "minstret"},
                               std::pair{csr::kMvendorid, "mvendorid"},
                               std::pair{csr::kMarchid, "marchid"},
                               std::pair{csr::kMimpid, "mimpid"},
                               std::pair{csr::kMhartid, "mhartid"},
                               std::pair{csr::kMconfigptr, "mconfigptr"}};

/// CSRs with numbers in their names: the first one's, the last one's, the name and the number of the first.
struct Series {
  unsigned first;
  unsigned last;
  const char* name;
  unsigned start;
};
constexpr std::array kSeries{Series{csr::kHpmcounter3, csr::kHpmcounter31, "hpmcounter", 3},
                             Series{csr::kMhpmcounter3, csr::kMhpmcounter31, "mhpmcounter", 3},
                             Series{csr::kMhpmevent3, csr::kMhpmevent31, "mhpmevent", 3},
                             Series{csr::kPmpcfg0, csr::kPmpcfg2, "pmpcfg", 0},
                             Series{csr::kPmpaddr0, csr::kPmpaddr15, "pmpaddr", 0}};

bool is_float_csr(unsigned number) {
  return number == csr::kFflags || number == csr::kFrm || number == csr::kFcsr;
}

std::string integer_feature() {
  std::string xml = "<feature name=\"org.gnu.gdb.riscv.cpu\">\n";
  for (unsigned i = 0; i < kIntegerNames.size(); ++i) {
    const char* type = i == kRa ? "code_ptr" : i == kSp || i == kFp ? "data_ptr" : "int";
    xml += fmt::format("<reg name=\"{}\" bitsize=\"64\" type=\"{}\" regnum=\"{}\"/>\n", kIntegerNames.at(i), type, i);
  }
  return xml + fmt::format("<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\" regnum=\"{}\"/>\n</feature>\n",
                           HartRegisters::kPc);
}

std::string float_feature() {
  std::string xml =
      "<feature name=\"org.gnu.gdb.riscv.fpu\">\n<union id=\"riscv_double\">\n"
      "<field name=\"float\" type=\"ieee_single\"/>\n<field name=\"double\" type=\"ieee_double\"/>\n</union>\n";
  for (unsigned i = 0; i < kFloatNames.size(); ++i) {
    xml += fmt::format("<reg name=\"{}\" bitsize=\"64\" type=\"riscv_double\" regnum=\"{}\"/>\n", kFloatNames.at(i),
                       HartRegisters::kFirstFloat + i);
  }
  for (const unsigned number : {csr::kFflags, csr::kFrm, csr::kFcsr}) {
    xml += fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"int\" regnum=\"{}\"/>\n",
                       HartRegisters::csr_name(number), 8 * kFloatCsrBytes, HartRegisters::kFirstCsr + number);
  }
  return xml + "</feature>\n";
}

}  // namespace

std::string HartRegisters::csr_name(unsigned number) {
  for (const auto& [known, name] : kCsrNames) {
    if (known == number) return name;
  }
  for (const Series& each : kSeries) {
    if (number >= each.first && number <= each.last)
      return fmt::format("{}{}", each.name, number - each.first + each.start);
  }
  return fmt::format("csr{}", number);
}

HartRegisters::HartRegisters(const riscv::Hart& like) : csrs_(kCsrs) {
  // The floating-point ones come and go with mstatus.FS.
  for (unsigned number = 0; number < kCsrs; ++number) {
    csrs_[number] = is_float_csr(number) || like.read_csr(number).has_value();
  }
}

std::string HartRegisters::description() const {
  std::string xml =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
      "<architecture>riscv:rv64</architecture>\n"
      // Else GDB takes the program for one of its own operating system's and steps by breakpoints: not over a WFI.
      "<osabi>none</osabi>\n" +
      integer_feature() + float_feature() + "<feature name=\"org.gnu.gdb.riscv.csr\">\n";
  for (unsigned number = 0; number < kCsrs; ++number) {
    if (!csrs_[number] || is_float_csr(number)) continue;
    xml += fmt::format("<reg name=\"{}\" bitsize=\"64\" type=\"int\" regnum=\"{}\" group=\"csr\"/>\n", csr_name(number),
                       kFirstCsr + number);
  }
  return xml + fmt::format(
                   "</feature>\n<feature name=\"org.gnu.gdb.riscv.virtual\">\n"
                   "<reg name=\"priv\" bitsize=\"64\" type=\"int\" regnum=\"{}\"/>\n</feature>\n</target>\n",
                   kPrivilege);
}

std::optional<RegisterValue> HartRegisters::read(const riscv::Hart& hart, uint64_t number) const {
  if (number < kPc) return RegisterValue{.value = number == 0 ? 0 : hart.x(static_cast<unsigned>(number))};
  if (number == kPc) return RegisterValue{.value = hart.pc()};
  if (number < kFirstCsr) return RegisterValue{.value = hart.f(static_cast<unsigned>(number) - kFirstFloat)};
  if (number == kPrivilege) return RegisterValue{.value = static_cast<uint64_t>(hart.privilege())};
  if (number > kPrivilege || !csrs_[number - kFirstCsr]) return std::nullopt;
  const auto csr = static_cast<unsigned>(number - kFirstCsr);
  return RegisterValue{.bytes = is_float_csr(csr) ? kFloatCsrBytes : 8, .value = hart.read_csr(csr)};
}

bool HartRegisters::write(riscv::Hart& hart, uint64_t number, uint64_t value) const {
  if (number < kPc) {
    hart.set_x(static_cast<unsigned>(number), value);
  } else if (number == kPc) {
    if (hart.pc() == value) return true;
    hart.end_wait();
    hart.set_pc(value);
  } else if (number < kFirstCsr) {
    hart.set_f(static_cast<unsigned>(number) - kFirstFloat, value);
  } else {
    return number < kPrivilege && csrs_[number - kFirstCsr] &&
           hart.write_csr(static_cast<unsigned>(number - kFirstCsr), value);
  }
  return true;
}

}  // namespace npuvp::debug::gdb
