// SPDX-License-Identifier: Apache-2.0
#include "rtl/tensor_core/adapter/verilated_core.h"

#include <Vtensor_core.h>

#include <bit>
#include <cstring>
#include <initializer_list>
#include <stdexcept>

#ifdef NPUVP_RTL_TRACE
#include <verilated_fst_c.h>
#endif

namespace npuvp::rtl_tensor_core {
namespace {

constexpr uint32_t kNotRead = 0xa5a5a5a5;  // what a port answers where there was no strobe

/// The place of `bytes` bytes at `address`, which a correct design keeps inside the operand.
uint8_t* place(const VerilatedCore::Operand& operand, uint32_t address, uint64_t bytes) {
  if (address < operand.begin || address - operand.begin + bytes > operand.bytes) {
    throw std::logic_error("RTL tensor core: access outside its operand");
  }
  return operand.data + (address - operand.begin);
}

/// Bytes that a strobe of one bit for each element names; the design's strobes are dense from the first element.
size_t strobed_bytes(unsigned strobe, size_t element_bytes) {
  if ((strobe & (strobe + 1)) != 0) throw std::logic_error("RTL tensor core: strobe with gaps");
  return static_cast<size_t>(std::popcount(strobe)) * element_bytes;
}

/// Answers a read request in `data`, a port's Verilated words; returns the bytes read.
size_t serve_read(const VerilatedCore::Operand& operand, uint32_t address, unsigned strobe, size_t element_bytes,
                  auto& data) {
  const size_t bytes = strobed_bytes(strobe, element_bytes);
  for (auto& word : data.m_storage) word = kNotRead;
  std::memcpy(data.m_storage, place(operand, address, bytes), bytes);
  return bytes;
}

/// Far above any command's cycles: more means that the RTL hangs.
uint64_t cycle_limit(const npu_gemm& gemm) {
  const uint64_t strips = gemm.n / VerilatedCore::kColumns + 1;
  const uint64_t tiles = gemm.k / VerilatedCore::kRows + 1;
  return 1000 + strips * (tiles + 3) * (uint64_t{gemm.m} + 1) * 64;
}

}  // namespace

#ifdef NPUVP_RTL_TRACE
class VerilatedCore::Waveform {
 public:
  Waveform(Vtensor_core& model, const std::string& file) {
    Verilated::traceEverOn(true);
    model.trace(&fst_, 99);
    fst_.open(file.c_str());
  }
  ~Waveform() { fst_.close(); }
  void dump(uint64_t time) { fst_.dump(time); }

 private:
  VerilatedFstC fst_;
};
#else
class VerilatedCore::Waveform {
 public:
  Waveform(Vtensor_core& /*model*/, const std::string& /*file*/) {}
  void dump(uint64_t /*time*/) {}
};
#endif

VerilatedCore::VerilatedCore(const std::string& fst_file) : model_(std::make_unique<Vtensor_core>()) {
  if (!fst_file.empty()) waveform_ = std::make_unique<Waveform>(*model_, fst_file);
  reset();
}

VerilatedCore::~VerilatedCore() {
  model_->final();
}

void VerilatedCore::reset() {
  model_->rst_ni = 0;
  model_->command_valid_i = 0;
  for (const uint8_t level : std::initializer_list<uint8_t>{0, 1, 0, 1}) {
    model_->clk_i = level;
    model_->eval();
  }
  model_->rst_ni = 1;
}

uint64_t VerilatedCore::run(const npu_gemm& gemm, const Operands& operands) {
  bytes_read_ = 0;
  present(gemm);
  const uint64_t limit = cycle_limit(gemm);
  uint64_t cycles = 0;
  do {
    if (++cycles > limit) throw std::logic_error("RTL tensor core: command does not end");
    clock_cycle(operands);
    model_->command_valid_i = 0;
  } while (model_->done_o == 0);
  clock_cycle(operands);  // the cycle of done_o, which carries the last write
  return cycles + 1;
}

void VerilatedCore::present(const npu_gemm& gemm) {
  model_->command_valid_i = 1;
  model_->command_a_i = gemm.a;
  model_->command_b_i = gemm.b;
  model_->command_c_i = gemm.c;
  model_->command_m_i = static_cast<uint16_t>(gemm.m);
  model_->command_n_i = static_cast<uint16_t>(gemm.n);
  model_->command_k_i = static_cast<uint16_t>(gemm.k);
  model_->command_a_stride_i = gemm.a_stride;
  model_->command_b_stride_i = gemm.b_stride;
  model_->command_c_stride_i = gemm.c_stride;
  model_->command_accumulate_i = gemm.accumulate;
}

void VerilatedCore::clock_cycle(const Operands& operands) {
  model_->clk_i = 0;
  model_->eval();
  if (waveform_) waveform_->dump(2 * cycle_);

  // The memories sample the requests at the end of this cycle and answer in the next.
  auto a_data = model_->a_data_i;
  auto b_data = model_->b_data_i;
  auto c_data = model_->c_read_data_i;
  if (model_->a_read_o != 0) {
    bytes_read_ += serve_read(operands.a, model_->a_address_o, model_->a_strobe_o, 1, a_data);
  }
  if (model_->b_read_o != 0) {
    bytes_read_ += serve_read(operands.b, model_->b_address_o, model_->b_strobe_o, 1, b_data);
  }
  if (model_->c_read_o != 0) serve_read(operands.c, model_->c_read_address_o, model_->c_read_strobe_o, 4, c_data);
  if (model_->c_write_o != 0) {
    const size_t bytes = strobed_bytes(model_->c_write_strobe_o, 4);
    std::memcpy(place(operands.c, model_->c_write_address_o, bytes), model_->c_write_data_o.m_storage, bytes);
  }

  model_->clk_i = 1;
  model_->eval();
  model_->a_data_i = a_data;
  model_->b_data_i = b_data;
  model_->c_read_data_i = c_data;
  if (waveform_) waveform_->dump(2 * cycle_ + 1);
  ++cycle_;
}

}  // namespace npuvp::rtl_tensor_core
