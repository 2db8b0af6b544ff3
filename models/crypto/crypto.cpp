// SPDX-License-Identifier: Apache-2.0
#include "models/crypto/crypto.h"

#include <algorithm>

#include "npu/registers/crypto.h"

namespace npuvp::crypto {
namespace {

using sc_core::sc_time;

constexpr uint64_t kBurstBytes = 4096;
constexpr uint64_t kMostBytes = 16 << 20;
constexpr uint64_t kMostAadBytes = 4096;
constexpr size_t kKeyBytes = 32;

/// The byte string in an array of registers, and back.
template <typename Registers>
std::vector<uint8_t> bytes_of(const Registers& words, size_t bytes) {
  std::vector<uint8_t> out(bytes);
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(words[i / 4].get() >> (i % 4 * 8));
  return out;
}
template <typename Registers>
void put_bytes(Registers& words, std::span<const uint8_t> bytes) {
  for (size_t word = 0; word < bytes.size() / 4; ++word) {
    uint64_t value = 0;
    for (size_t i = 0; i < 4; ++i) value |= uint64_t{bytes[word * 4 + i]} << (i * 8);
    words[word].set(value);
  }
}

}  // namespace

Crypto::Crypto(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      memory("memory"),
      environment_(environment),
      parameters_(parameters),
      registers_(environment, sc_module::name()),
      key_(kKeyBytes) {
  registers.register_b_transport(this, &Crypto::b_transport);
  registers.register_transport_dbg(this, &Crypto::transport_dbg);
  memory.sideband().origin = {base::Origin::Kind::kEngine, 0, 0};
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (registers_.CONTROL.START.in(write) != 0) start(write);
  });
  for (size_t word = 0; word < kKeyBytes / 4; ++word) {
    registers_.KEY[word].on_write([this, word](const base::RegisterWrite& write) {
      for (size_t i = 0; i < 4; ++i) key_[word * 4 + i] = static_cast<uint8_t>(write.written >> (i * 8));
    });
  }
  registers_.STATUS.on_write([this](const base::RegisterWrite&) { update_irq(); });
  registers_.IRQ_ENABLE.on_write([this](const base::RegisterWrite&) { update_irq(); });
  SC_METHOD(finish);
  sensitive << done_event_;
  dont_initialize();
}

Crypto::~Crypto() = default;

void Crypto::reset() {
  done_event_.cancel();
  registers_.reset();
  hasher_.reset();
  std::fill(key_.begin(), key_.end(), uint8_t{0});
  outcome_ = {};
  update_irq();
}

sc_time Crypto::stream_time(uint64_t bytes) const {
  return {static_cast<double>(bytes) / parameters_.stream_bytes_per_second, sc_core::SC_SEC};
}

void Crypto::start(const base::RegisterWrite& write) {
  if (registers_.STATUS.BUSY.get() != 0) {
    environment_.diagnostics().misuse(registers_.name() + ".CONTROL", "START while BUSY", write.origin);
    return;
  }
  const sc_time present = sc_core::sc_time_stamp();
  sc_time end = now_ - present + parameters_.setup;
  outcome_ = {};
  outcome_.error = run(end);
  if (outcome_.error != CRYPTO_STATUS_ERROR_NONE) outcome_.passed = false;
  registers_.STATUS.set(CRYPTO_STATUS_BUSY_MASK);
  update_irq();
  done_event_.notify(end);
}

uint64_t Crypto::run(sc_time& end) {
  if (registers_.BYTES.get() > kMostBytes || registers_.AAD_BYTES.get() > kMostAadBytes) {
    return CRYPTO_STATUS_ERROR_COMMAND;
  }
  switch (registers_.COMMAND.OPERATION.get()) {
    case CRYPTO_COMMAND_OPERATION_SHA256:
      return run_sha(Hash::kSha256, end);
    case CRYPTO_COMMAND_OPERATION_SHA384:
      return run_sha(Hash::kSha384, end);
    case CRYPTO_COMMAND_OPERATION_VERIFY_P256:
      return run_verify(Curve::kP256, end);
    case CRYPTO_COMMAND_OPERATION_VERIFY_P384:
      return run_verify(Curve::kP384, end);
    case CRYPTO_COMMAND_OPERATION_GCM_ENCRYPT:
      return run_gcm(true, end);
    case CRYPTO_COMMAND_OPERATION_GCM_DECRYPT:
      return run_gcm(false, end);
    default:
      return CRYPTO_STATUS_ERROR_COMMAND;
  }
}

uint64_t Crypto::run_sha(Hash hash, sc_time& end) {
  if (registers_.COMMAND.FIRST.get() != 0) hasher_.emplace(hash);
  if (!hasher_ || hasher_->hash() != hash) return CRYPTO_STATUS_ERROR_COMMAND;
  std::vector<uint8_t> data(registers_.BYTES.get());
  const sc_time begin = end;
  if (!read(registers_.SOURCE.get(), data, end)) {
    hasher_.reset();
    return CRYPTO_STATUS_ERROR_BUS;
  }
  end = std::max(end, begin + stream_time(data.size()));
  hasher_->update(data);
  if (registers_.COMMAND.LAST.get() != 0) {
    outcome_.digest = hasher_->finish();
    hasher_.reset();
  }
  return CRYPTO_STATUS_ERROR_NONE;
}

uint64_t Crypto::run_verify(Curve curve, sc_time& end) {
  const size_t scalar = scalar_bytes(curve);
  outcome_.passed = ecdsa_verify(curve, bytes_of(registers_.PUBLIC_KEY, 2 * scalar),
                                 bytes_of(registers_.DIGEST, scalar), bytes_of(registers_.SIGNATURE, 2 * scalar));
  end += curve == Curve::kP256 ? parameters_.verify_p256 : parameters_.verify_p384;
  return CRYPTO_STATUS_ERROR_NONE;
}

uint64_t Crypto::run_gcm(bool encrypt, sc_time& end) {
  std::vector<uint8_t> data(registers_.BYTES.get());
  std::vector<uint8_t> aad(registers_.AAD_BYTES.get());
  const sc_time begin = end;
  if (!read(registers_.AAD.get(), aad, end) || !read(registers_.SOURCE.get(), data, end)) {
    return CRYPTO_STATUS_ERROR_BUS;
  }
  const auto iv = bytes_of(registers_.IV, 12);
  const size_t key_bytes = registers_.COMMAND.KEY_256.get() != 0 ? 32 : 16;
  const GcmInput input{{key_.data(), key_bytes}, iv, aad, data};
  std::vector<uint8_t> result;
  GcmTag tag{};
  if (encrypt) {
    result = gcm_encrypt(input, tag);
    outcome_.tag = tag;
    outcome_.passed = true;
  } else {
    const auto given = bytes_of(registers_.TAG, tag.size());
    std::copy(given.begin(), given.end(), tag.begin());
    outcome_.passed = gcm_decrypt(input, tag, result);
  }
  end = std::max(end, begin + stream_time(data.size() + aad.size()));
  return write(registers_.DESTINATION.get(), result, end) ? CRYPTO_STATUS_ERROR_NONE : CRYPTO_STATUS_ERROR_BUS;
}

bool Crypto::read(uint64_t address, std::span<uint8_t> data, sc_time& end) {
  while (!data.empty()) {
    const auto burst = data.first(std::min<uint64_t>(data.size(), kBurstBytes - address % kBurstBytes));
    if (memory.read(address, burst, end) != tlm::TLM_OK_RESPONSE || memory.sideband().poison) {
      memory.sideband().poison = false;
      return false;
    }
    address += burst.size();
    data = data.subspan(burst.size());
  }
  return true;
}

bool Crypto::write(uint64_t address, std::span<const uint8_t> data, sc_time& end) {
  while (!data.empty()) {
    const auto burst = data.first(std::min<uint64_t>(data.size(), kBurstBytes - address % kBurstBytes));
    if (memory.write(address, burst, end) != tlm::TLM_OK_RESPONSE) return false;
    address += burst.size();
    data = data.subspan(burst.size());
  }
  return true;
}

void Crypto::finish() {
  put_bytes(registers_.DIGEST, outcome_.digest);
  if (outcome_.tag) put_bytes(registers_.TAG, *outcome_.tag);
  registers_.STATUS.set(CRYPTO_STATUS_DONE_MASK | (outcome_.passed ? CRYPTO_STATUS_PASSED_MASK : 0) |
                        outcome_.error << CRYPTO_STATUS_ERROR_SHIFT);
  update_irq();
}

void Crypto::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  now_ = sc_core::sc_time_stamp() + delay;
  registers_.transport(payload);
}

unsigned Crypto::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::crypto
