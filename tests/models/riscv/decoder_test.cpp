// SPDX-License-Identifier: Apache-2.0
// The decoder against GNU objdump, which is an independent reading of the same manuals.
#include "models/riscv/decoder.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <regex>
#include <string>
#include <vector>

namespace npuvp::riscv {
namespace {

/// The disassembly of each word, operands separated from the mnemonic by one space. The words are assembled first, so
/// that objdump knows which extensions to read them by.
std::vector<std::string> disassemble(const std::vector<uint32_t>& words, const std::string& options) {
  const auto path =
      std::filesystem::temp_directory_path() / ("npuvp_decoder_" + std::to_string(std::random_device{}()));
  const std::string source = path.string() + ".s";
  std::ofstream assembly(source);
  for (const uint32_t word : words) {
    if ((word & 3) == 3) {
      assembly << ".insn 4, " << word << '\n';
    } else {
      assembly << ".insn 2, " << (word & 0xffff) << "\n.insn 2, " << (word >> 16) << '\n';
    }
  }
  assembly.close();
  const std::string command = "riscv64-unknown-elf-as -march=rv64gc_zba_zbb " + source + " -o " + path.string() +
                              " && riscv64-unknown-elf-objdump -D -z -j .text -M " + options + " " + path.string();
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::vector<std::string> out(words.size());
  std::array<char, 512> line;
  const std::regex pattern("^ *([0-9a-f]+):\t[0-9a-f ]+\t([^\t\n]+)\t?([^\n#<]*)");
  while (std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    std::cmatch match;
    if (!std::regex_search(line.data(), match, pattern)) continue;
    const auto address = std::stoull(match[1], nullptr, 16);
    if (address % 4 != 0) continue;
    std::string text = match[2].str() + " " + match[3].str();
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out.at(address / 4) = text;
  }
  std::filesystem::remove(path);
  std::filesystem::remove(source);
  return out;
}

bool is_illegal(const std::string& text) {
  return text.empty() || text.starts_with(".") || text.starts_with("unimp") || text.starts_with("c.unimp");
}

/// One spelling for the register copies that objdump writes in three ways.
std::string copies_as_mv(const std::string& text) {
  static const std::regex kAddZero("^add (x[0-9]+),(x[0-9]+),0$");
  static const std::regex kAddFromZero("^add (x[0-9]+),x0,(x[0-9]+)$");
  return std::regex_replace(std::regex_replace(text, kAddZero, "mv $1,$2"), kAddFromZero, "mv $1,$2");
}

/// Every 16-bit encoding means what its expansion means.
TEST(Decoder, ExpandsEveryCompressedInstructionAsObjdumpReadsIt) {
  constexpr uint32_t kNop = 0x00010000;         // C.NOP behind each parcel
  constexpr uint32_t kAddi16spByZero = 0x6101;  // reserved by the manual, accepted by objdump
  std::vector<uint32_t> compressed;
  std::vector<uint32_t> expanded;
  for (uint32_t raw = 0; raw < 0x10000; ++raw) {
    if ((raw & 3) == 3) continue;
    compressed.push_back(kNop | raw);
    expanded.push_back(expand_compressed(static_cast<uint16_t>(raw)));
  }
  const auto expected = disassemble(compressed, "numeric");
  const auto actual = disassemble(expanded, "numeric");
  unsigned legal = 0;
  for (size_t i = 0; i < compressed.size(); ++i) {
    SCOPED_TRACE("parcel " + std::to_string(compressed[i] & 0xffff) + ": " + expected[i]);
    if (is_illegal(expected[i]) || (compressed[i] & 0xffff) == kAddi16spByZero) {
      ASSERT_EQ(expanded[i], 0u);
      continue;
    }
    // Hints have no alias in objdump; all of them must do nothing: they write x0 or shift by 0.
    if (expected[i].starts_with("c.")) {
      const Instruction hint = decode(expanded[i]);
      const bool shifts_by_zero =
          (hint.op == Op::kSlli || hint.op == Op::kSrli || hint.op == Op::kSrai) && hint.imm == 0;
      ASSERT_TRUE(shifts_by_zero || (hint.op != Op::kIllegal && hint.rd == kSinkRegister));
      continue;
    }
    ++legal;
    ASSERT_EQ(copies_as_mv(actual[i]), copies_as_mv(expected[i]));
  }
  EXPECT_GT(legal, 30000u) << "objdump gave no usable output";
}

const char* mnemonic(Op op) {
  static constexpr const char* kNames[] = {
#define NPUVP_RISCV_NAME(name) #name,
      NPUVP_RISCV_OPERATIONS(NPUVP_RISCV_NAME)
#undef NPUVP_RISCV_NAME
  };
  return kNames[static_cast<unsigned>(op)];
}

/// objdump's mnemonic without punctuation and ordering suffix: "amoadd.w.aqrl" -> "amoaddw".
std::string plain(std::string text) {
  text = text.substr(0, text.find(' '));
  for (const char* suffix : {".aqrl", ".aq", ".rl"}) {
    if (text.ends_with(suffix)) text.erase(text.size() - std::string(suffix).size());
  }
  std::erase(text, '.');
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

std::string reg(unsigned index) {
  std::string name("x");  // not "x" + ...: gcc 12 warns about that falsely
  name += std::to_string(index == kSinkRegister ? 0 : index);
  return name;
}

std::string hex(uint64_t value) {
  std::array<char, 20> text;
  std::snprintf(text.data(), text.size(), "%llx", static_cast<unsigned long long>(value));
  return text.data();
}

/// Operands as objdump writes them, for the formats where they are compared.
std::string operands(const Instruction& i, uint64_t address) {
  const Op op = i.op;
  const auto target = hex(address + static_cast<uint64_t>(static_cast<int64_t>(i.imm)));
  if (op == Op::kLui || op == Op::kAuipc)
    return reg(i.rd) + ",0x" + hex((static_cast<uint32_t>(i.imm) >> 12) & 0xfffff);
  if (op == Op::kJal) return reg(i.rd) + "," + target;
  if (op >= Op::kBeq && op <= Op::kBgeu) return reg(i.rs1) + "," + reg(i.rs2) + "," + target;
  if ((op >= Op::kLb && op <= Op::kLwu) || op == Op::kJalr)
    return reg(i.rd) + "," + std::to_string(i.imm) + "(" + reg(i.rs1) + ")";
  if (op >= Op::kSb && op <= Op::kSd) return reg(i.rs2) + "," + std::to_string(i.imm) + "(" + reg(i.rs1) + ")";
  const bool shift = (op >= Op::kSlli && op <= Op::kSrai) || (op >= Op::kSlliw && op <= Op::kSraiw);
  if (shift) return reg(i.rd) + "," + reg(i.rs1) + ",0x" + hex(static_cast<uint64_t>(i.imm));
  if ((op >= Op::kAddi && op <= Op::kAndi) || op == Op::kAddiw)
    return reg(i.rd) + "," + reg(i.rs1) + "," + std::to_string(i.imm);
  if (op == Op::kLrW || op == Op::kLrD) return reg(i.rd) + ",(" + reg(i.rs1) + ")";
  if (op >= Op::kLrW && op <= Op::kAmomaxuD) return reg(i.rd) + "," + reg(i.rs2) + ",(" + reg(i.rs1) + ")";
  if ((op >= Op::kAdd && op <= Op::kAnd) || (op >= Op::kAddw && op <= Op::kRemuw)) {
    return reg(i.rd) + "," + reg(i.rs1) + "," + reg(i.rs2);
  }
  return "";
}

TEST(Decoder, AgreesWithObjdumpOnWideInstructions) {
  constexpr std::array<uint32_t, 24> kOpcodes = {0x03, 0x07, 0x0f, 0x13, 0x13, 0x17, 0x1b, 0x1b,
                                                 0x23, 0x27, 0x2f, 0x33, 0x33, 0x37, 0x3b, 0x3b,
                                                 0x43, 0x4b, 0x53, 0x53, 0x63, 0x67, 0x6f, 0x73};
  std::mt19937 random(1);
  std::vector<uint32_t> words;
  for (unsigned i = 0; i < 120000; ++i) {
    uint32_t word = (static_cast<uint32_t>(random()) & ~0x7fu) | kOpcodes[i % kOpcodes.size()];
    // Most random funct7 values are illegal: make three quarters of the register instructions legal ones.
    const uint32_t opcode = word & 0x7f;
    constexpr std::array<uint32_t, 8> kFunct7 = {0x00, 0x20, 0x01, 0x7f, 0x04, 0x05, 0x10, 0x30};
    if ((opcode == 0x33 || opcode == 0x3b || opcode == 0x1b) && i % 8 != 0) {
      word = (word & 0x01ffffffu) | kFunct7[static_cast<uint32_t>(random()) % 8] << 25;
    }
    words.push_back(word);
  }
  const auto text = disassemble(words, "numeric,no-aliases");
  unsigned legal = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const Instruction decoded = decode(words[i]);
    SCOPED_TRACE("word 0x" + hex(words[i]) + ": " + text[i]);
    if (decoded.op == Op::kIllegal) continue;
    // Reserved fields of fences must be ignored; objdump knows only the fences it can name.
    if ((decoded.op == Op::kFence || decoded.op == Op::kFenceI) && text[i].starts_with(".4byte")) continue;
    // Exact conversions take every rounding mode; objdump knows them with the one that assemblers write.
    const bool exact = decoded.op == Op::kFcvtDW || decoded.op == Op::kFcvtDWu || decoded.op == Op::kFcvtDS;
    if (exact && text[i].starts_with(".4byte")) continue;
    ++legal;
    ASSERT_EQ(lower(mnemonic(decoded.op)), plain(text[i]));
    const std::string expected = operands(decoded, 4 * i);
    if (!expected.empty()) {
      ASSERT_EQ(text[i].substr(text[i].find(' ') + 1), expected);
    }
  }
  EXPECT_GT(legal, 50000u);
}

TEST(Decoder, FindsEveryInstructionObjdumpFinds) {
  // What objdump knows of other extensions whatever it is told, and of other names for fences.
  const std::regex other(
      "^(c\\.|\\.|unimp|fence\\.tso|pause|prefetch|cbo|czero|h[lsf]|hinval|sfence|sinval|sret|uret|dret|mnret|wrs|"
      "ntl)");
  std::mt19937 random(2);
  std::vector<uint32_t> words;
  for (const uint32_t opcode :
       {0x03u, 0x07u, 0x13u, 0x1bu, 0x23u, 0x27u, 0x2fu, 0x33u, 0x3bu, 0x43u, 0x4fu, 0x53u, 0x63u, 0x67u, 0x73u}) {
    for (uint32_t funct3 = 0; funct3 < 8; ++funct3) {
      for (uint32_t funct7 = 0; funct7 < 128; ++funct7) {
        const auto registers = static_cast<uint32_t>(random());
        words.push_back(funct7 << 25 | (registers & 0x01f00000) | (registers & 0x000f8000) | funct3 << 12 |
                        (registers & 0xf80) | opcode);
      }
    }
  }
  const auto text = disassemble(words, "numeric,no-aliases");
  unsigned legal = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool reserved_rounding = text[i].ends_with("unknown");
    const bool known = !text[i].empty() && !reserved_rounding && !std::regex_search(text[i], other);
    if (known) {
      ++legal;
      ASSERT_NE(decode(words[i]).op, Op::kIllegal) << hex(words[i]) << " " << text[i];
    }
  }
  EXPECT_GT(legal, 3000u) << "objdump gave no usable output";
}

}  // namespace
}  // namespace npuvp::riscv
