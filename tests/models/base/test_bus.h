// SPDX-License-Identifier: Apache-2.0
// Bus ends for tests of blocks: an initiator, and a target that answers and stalls as told.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <random>
#include <systemc>
#include <vector>

#include "firmware/abi/memory_map.h"
#include "models/base/initiator_port.h"
#include "models/base/sideband.h"

namespace npuvp::test {

/// An initiator whose accesses a TEST makes directly.
class TestInitiator final : public sc_core::sc_module {
 public:
  explicit TestInitiator(sc_core::sc_module_name name) : sc_module(name), port("port") {}

  base::InitiatorPort port;

  template <typename Value>
  tlm::tlm_response_status write(uint64_t address, Value value) {
    std::vector<uint8_t> data(sizeof(value));
    std::memcpy(data.data(), &value, sizeof(value));
    sc_core::sc_time delay;
    return port.write(address, data, delay);
  }

  template <typename Value>
  Value read(uint64_t address) {
    std::vector<uint8_t> data(sizeof(Value));
    sc_core::sc_time delay;
    response = port.read(address, data, delay);
    Value value{};
    std::memcpy(&value, data.data(), sizeof(value));
    return value;
  }

  tlm::tlm_response_status response = tlm::TLM_INCOMPLETE_RESPONSE;  ///< Of the last read().
};

/// A memory of bytes with a fixed latency that can fail, poison, and keep a list of what came.
class TestTarget final : public sc_core::sc_module {
 public:
  struct Access {
    uint64_t address;
    uint64_t bytes;
    bool write;
    sc_core::sc_time arrival;
    base::Origin::Kind origin;
    uint16_t context;
    uint16_t function;
    uint16_t asid;
  };

  TestTarget(sc_core::sc_module_name name, size_t bytes) : sc_module(name), socket("socket"), data(bytes) {
    socket.register_b_transport(this, &TestTarget::b_transport);
    socket.register_get_direct_mem_ptr(this, &TestTarget::get_direct_mem_ptr);
    socket.register_transport_dbg(this, &TestTarget::transport_dbg);
  }

  tlm_utils::simple_target_socket<TestTarget> socket;
  std::vector<uint8_t> data;
  std::vector<Access> log;
  sc_core::sc_time latency;
  std::function<uint64_t(uint64_t address)> index_of = [](uint64_t address) { return address; };  ///< Into `data`.
  std::optional<uint64_t> failing;       ///< An access that covers this address gets TLM_GENERIC_ERROR_RESPONSE.
  std::optional<uint64_t> untranslated;  ///< The same, as the device MMU refuses it.
  std::optional<uint64_t> poisoned;      ///< A read that covers this address is poisoned.

  template <typename Value>
  void put(uint64_t address, const Value& value) {
    std::memcpy(data.data() + index_of(address), &value, sizeof(value));
  }

 private:
  static bool covers(const std::optional<uint64_t>& at, uint64_t address, uint64_t bytes) {
    return at && *at >= address && *at - address < bytes;
  }

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    const uint64_t address = payload.get_address();
    const uint64_t bytes = payload.get_data_length();
    const auto& sideband = base::sideband_of(payload);
    log.push_back({address, bytes, payload.is_write(), sc_core::sc_time_stamp() + delay, sideband.origin.kind,
                   sideband.context, sideband.function, sideband.asid});
    delay += latency;
    const uint64_t index = index_of(address);
    if (index > data.size() || bytes > data.size() - index) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    if (covers(untranslated, address, bytes)) payload.get_extension<base::Sideband>()->translation_fault = true;
    if (covers(failing, address, bytes) || covers(untranslated, address, bytes)) {
      payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
      return;
    }
    if (payload.is_read()) std::memcpy(payload.get_data_ptr(), data.data() + index, bytes);
    if (payload.is_write()) std::memcpy(data.data() + index, payload.get_data_ptr(), bytes);
    if (payload.is_read() && covers(poisoned, address, bytes)) payload.get_extension<base::Sideband>()->poison = true;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
    dmi.set_dmi_ptr(data.data());
    dmi.set_start_address(0);
    dmi.set_end_address(data.size() - 1);
    dmi.allow_read_write();
    return true;
  }

  unsigned transport_dbg(tlm::tlm_generic_payload& payload) {
    if (payload.get_address() >= data.size()) return 0;
    const auto bytes =
        static_cast<unsigned>(std::min<uint64_t>(payload.get_data_length(), data.size() - payload.get_address()));
    uint8_t* const stored = data.data() + payload.get_address();
    if (payload.is_read()) std::memcpy(payload.get_data_ptr(), stored, bytes);
    if (payload.is_write()) std::memcpy(stored, payload.get_data_ptr(), bytes);
    return bytes;
  }
};

/// Runs `body` in an SC_THREAD of the simulation until nothing is left to do, or until `limit`.
inline void run_thread(std::function<void()> body, sc_core::sc_time limit = {1, sc_core::SC_SEC}) {
  sc_core::sc_spawn(std::move(body));
  sc_core::sc_start(limit, sc_core::SC_EXIT_ON_STARVATION);
}

constexpr uint64_t kCardRegionBytes = 4ULL << 20;
constexpr uint64_t kCardBytes = 5 * kCardRegionBytes;

/// TestTarget::index_of for a small card: the first 4 MiB each of host, DRAM, shared memory and two scratchpads.
inline uint64_t card_index(uint64_t address) {
  const std::array<uint64_t, 5> bases{NPU_MAP_HOST, NPU_MAP_DRAM, NPU_MAP_SHARED, NPU_MAP_SCRATCHPAD,
                                      NPU_MAP_SCRATCHPAD + NPU_MAP_SCRATCHPAD_STRIDE};
  for (size_t i = 0; i < bases.size(); ++i) {
    if (address >= bases[i] && address - bases[i] < kCardRegionBytes)
      return i * kCardRegionBytes + (address - bases[i]);
  }
  return ~0ULL;
}

/// 0 to bound - 1.
inline uint32_t below(std::mt19937& random, uint64_t bound) {
  return static_cast<uint32_t>(random() % bound);
}

inline sc_core::sc_time ns(double value) {
  return {value, sc_core::SC_NS};
}

}  // namespace npuvp::test
