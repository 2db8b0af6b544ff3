// SPDX-License-Identifier: Apache-2.0
#include "tests/firmware/boot_bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "firmware/abi/mailbox.h"
#include "firmware/abi/memory_map.h"

namespace npuvp::firmware_test {
namespace {

using sc_core::sc_time;

constexpr uint64_t kMostInstructions = 50'000'000;
constexpr uint64_t kTurn = 1000;  // instructions between two looks at the interrupts

sc_time at_ns(uint64_t ns) {
  return {static_cast<double>(ns), sc_core::SC_NS};
}
uint64_t to_ns(const sc_time& time) {
  return static_cast<uint64_t>(time / sc_time(1, sc_core::SC_NS));
}

}  // namespace

std::vector<uint8_t> file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

class BootBench::Memory final : public sc_core::sc_module {
 public:
  Memory(const sc_core::sc_module_name& name, BootBench& bench) : sc_module(name), socket("socket"), bench_(bench) {
    socket.register_b_transport(this, &Memory::b_transport);
  }
  tlm_utils::simple_target_socket<Memory> socket;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_time&) {
    const std::span<uint8_t> data(payload.get_data_ptr(), payload.get_data_length());
    const uint64_t address = payload.get_address();
    bool done = payload.is_read();
    if (address < NPU_MAP_ROM_BYTES && done) {
      std::copy_n(bench_.rom_.begin() + static_cast<int64_t>(address), data.size(), data.begin());
    } else {
      done = done ? bench_.card_->engine_read(address, data) : bench_.card_->engine_write(address, data);
    }
    payload.set_response_status(done ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
  BootBench& bench_;
};

BootBench::BootBench(const Parameters& parameters)
    : otp_("otp", environment_, {.fuses = parameters.fuses}),
      flash_("flash", environment_, {.flash = {.seed = parameters.seed}}),
      crypto_("crypto", environment_, {}),
      gpio_("gpio", environment_, {.boot = parameters.boot_strap}),
      memory_(std::make_unique<Memory>("memory", *this)),
      card_(std::make_unique<FakeCard>()),
      rom_(file_bytes(NPU_FIRMWARE_DIR "/rom.bin")),
      hart_(*this, {.hart_id = 0, .reset_pc = NPU_MAP_ROM}) {
  environment_.set_log_level("all", spdlog::level::off);
  rom_.resize(NPU_MAP_ROM_BYTES);
  otp_port_.port.socket.bind(otp_.registers);
  flash_port_.port.socket.bind(flash_.registers);
  crypto_port_.port.socket.bind(crypto_.registers);
  gpio_port_.port.socket.bind(gpio_.registers);
  crypto_.memory.socket.bind(memory_->socket);
  crypto_.irq.connect([this](bool level) {
    if (card_) card_->drive_source(NPU_IRQ_CRYPTO, level);
  });
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  watch_execution(true);
}

BootBench::~BootBench() = default;

void BootBench::power_on(std::optional<uint64_t> cut_after) {
  const uint64_t now = card_->now_ns;
  card_.reset();  // there may be only one
  card_ = std::make_unique<FakeCard>();
  card_->now_ns = now;
  card_->addresses_may_be_pointers = false;
  std::fill(card_->tcm.begin(), card_->tcm.end(), uint8_t{0xa5});  // nobody may rely on zeroed memory
  flash().power_on();
  if (cut_after) flash().cut_power_after(*cut_after, {});
  flash_.reset();
  crypto_.reset();
  otp_.reset();
  gpio_.reset();
  executed_payload_ = false;
  hart_.reset();
  hart_.flush_direct_memory();
  hart_.invalidate_code();
  run();
}

void BootBench::drive_interrupts() {
  hart_.set_interrupt_pending(riscv::Interrupt::kExternal, card_->external_pending());
  hart_.set_interrupt_pending(riscv::Interrupt::kTimer, card_->timer_pending());
}

void BootBench::catch_up() {
  const sc_time now = at_ns(card_->now_ns);
  if (now > sc_core::sc_time_stamp()) sc_core::sc_start(now - sc_core::sc_time_stamp(), sc_core::SC_RUN_TO_TIME);
}

uint64_t BootBench::next_event_ns() const {
  uint64_t next = card_->next_event_ns();
  if (sc_core::sc_pending_activity()) {
    next = std::min(next, to_ns(sc_core::sc_time_stamp() + sc_core::sc_time_to_pending_activity()) + 1);
  }
  return next;
}

void BootBench::run() {
  for (uint64_t cycles = 0; cycles < kMostInstructions;) {
    if (!flash().powered()) return;
    drive_interrupts();
    const riscv::RunResult result = hart_.run(kTurn, riscv::BusAccess::kAllowed);
    cycles += result.cycles;
    card_->advance_ns(result.cycles);
    catch_up();
    if (result.reason != riscv::StopReason::kWfi) continue;
    drive_interrupts();
    if (hart_.wakes_from_wfi()) continue;
    const uint64_t next = next_event_ns();
    if (next == UINT64_MAX || next <= card_->now_ns) return;
    card_->advance_ns(next - card_->now_ns);
    catch_up();
  }
  FAIL() << "does not come to rest, pc 0x" << std::hex << hart_.pc() << "\n" << card_->console;
}

std::optional<Message> BootBench::ask(const Message& message) {
  card_->send(message);
  run();
  return flash().powered() ? card_->reply() : std::nullopt;
}

std::optional<uint32_t> BootBench::offer(const std::vector<uint8_t>& image) {
  card_->host.map(kImageBus, image.size());
  EXPECT_TRUE(card_->host.write(kImageBus, image));
  const auto reply =
      ask({NPU_MESSAGE_BOOT_LOAD, static_cast<uint32_t>(kImageBus), static_cast<uint32_t>(kImageBus >> 32),
           static_cast<uint32_t>(image.size()), NPU_ABI_VERSION});
  if (!reply) return std::nullopt;
  return NPU_MAILBOX_STATUS((*reply)[0]);
}

void BootBench::put_flash(uint32_t address, const std::vector<uint8_t>& bytes) {
  flash().load(address, bytes);
}

npu_boot_record BootBench::record() {
  std::array<uint32_t, sizeof(npu_boot_record) / 4 + 7> words{};
  for (uint32_t word = 0; word < sizeof(npu_boot_record) / 4; word += 7) {
    const auto reply = ask({NPU_MESSAGE_BOOT_RECORD, word * 4});
    EXPECT_TRUE(reply && NPU_MAILBOX_STATUS((*reply)[0]) == NPU_MAILBOX_OK) << card_->console;
    if (reply) std::copy(reply->begin() + 1, reply->end(), words.begin() + word);
  }
  npu_boot_record record{};
  std::memcpy(&record, words.data(), sizeof(record));
  return record;
}

test::TestInitiator* BootBench::model_at(uint64_t address) {
  switch (address / NPU_MAP_BLOCK_BYTES * NPU_MAP_BLOCK_BYTES) {
    case NPU_MAP_OTP:
      return &otp_port_;
    case NPU_MAP_FLASH:
      return &flash_port_;
    case NPU_MAP_CRYPTO:
      return &crypto_port_;
    case NPU_MAP_GPIO:
      return &gpio_port_;
    default:
      return nullptr;
  }
}

bool BootBench::access_model(test::TestInitiator& model, uint64_t address, unsigned size_bytes, uint64_t& value,
                             bool write) {
  const sc_time before = at_ns(card_->now_ns) - sc_core::sc_time_stamp();
  sc_time delay = before;
  const std::span<uint8_t> data(reinterpret_cast<uint8_t*>(&value), size_bytes);
  const uint64_t offset = address % NPU_MAP_BLOCK_BYTES;
  const auto response = write ? model.port.write(offset, data, delay) : model.port.read(offset, data, delay);
  card_->advance_ns(10 + to_ns(delay - before));
  return response == tlm::TLM_OK_RESPONSE;
}

riscv::BusStatus BootBench::load(uint64_t address, unsigned size_bytes, uint64_t& value) {
  if (address < NPU_MAP_ACLINT) return riscv::BusStatus::kAccessFault;
  value = 0;
  if (auto* model = model_at(address)) {
    EXPECT_TRUE(access_model(*model, address, size_bytes, value, false)) << std::hex << address;
  } else {
    value = card_->read(address, size_bytes);
  }
  drive_interrupts();
  return riscv::BusStatus::kOk;
}

riscv::BusStatus BootBench::store(uint64_t address, unsigned size_bytes, uint64_t value) {
  if (address < NPU_MAP_ACLINT) return riscv::BusStatus::kAccessFault;
  if (auto* model = model_at(address)) {
    EXPECT_TRUE(access_model(*model, address, size_bytes, value, true)) << std::hex << address;
    if (!flash().powered()) hart_.request_halt();
  } else {
    card_->write(address, size_bytes, value);
  }
  drive_interrupts();
  return riscv::BusStatus::kOk;
}

std::optional<riscv::DirectRegion> BootBench::direct(uint64_t address) {
  if (address < NPU_MAP_ROM_BYTES) {
    return riscv::DirectRegion{rom_.data(), NPU_MAP_ROM, NPU_MAP_ROM_BYTES, true, false};
  }
  if (address - NPU_MAP_TCM < NPU_MAP_TCM_BYTES) {
    return riscv::DirectRegion{card_->tcm.data(), NPU_MAP_TCM, NPU_MAP_TCM_BYTES, true, true};
  }
  return std::nullopt;
}

void BootBench::on_instruction(const riscv::Hart&, uint64_t pc, const riscv::Instruction&) {
  if (pc >= NPU_MAP_TCM) executed_payload_ = true;
}

}  // namespace npuvp::firmware_test
