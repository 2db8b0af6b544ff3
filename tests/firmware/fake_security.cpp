// SPDX-License-Identifier: Apache-2.0
#include "tests/firmware/fake_security.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "firmware/abi/memory_map.h"
#include "npu/registers/crypto.h"
#include "npu/registers/flash.h"
#include "npu/registers/gpio.h"
#include "npu/registers/otp.h"
#include "npu/registers/trng.h"
#include "tests/firmware/signing.h"

namespace npuvp::firmware_test {
namespace {

uint64_t block_of(uint64_t address) {
  return address / NPU_MAP_BLOCK_BYTES * NPU_MAP_BLOCK_BYTES;
}

}  // namespace

bool FakeSecurity::covers(uint64_t address) {
  const uint64_t block = block_of(address);
  return block == NPU_MAP_OTP || block == NPU_MAP_FLASH || block == NPU_MAP_CRYPTO || block == NPU_MAP_GPIO ||
         block == NPU_MAP_TRNG;
}

std::optional<uint64_t> FakeSecurity::read(uint64_t address, unsigned size_bytes) {
  const auto offset = static_cast<uint32_t>(address % NPU_MAP_BLOCK_BYTES);
  if (size_bytes != 4) return std::nullopt;
  switch (block_of(address)) {
    case NPU_MAP_OTP:
      return read_otp(offset);
    case NPU_MAP_CRYPTO:
      return read_crypto(offset);
    case NPU_MAP_TRNG:
      return read_trng(offset);
    case NPU_MAP_GPIO:
      return offset == GPIO_STRAPS ? std::optional<uint64_t>(straps) : std::nullopt;
    default:
      break;
  }
  if (offset < FLASH_DATA(0) || offset >= FLASH_DATA(64)) return std::nullopt;
  uint32_t word = 0;
  std::memcpy(&word, buffer_.data() + (offset - FLASH_DATA(0)), 4);
  return word;
}

bool FakeSecurity::write(uint64_t address, unsigned size_bytes, uint64_t value) {
  const auto offset = static_cast<uint32_t>(address % NPU_MAP_BLOCK_BYTES);
  if (block_of(address) == NPU_MAP_CRYPTO) return write_crypto(offset, size_bytes, value);
  if (size_bytes != 4) return false;
  if (block_of(address) == NPU_MAP_TRNG) {
    trng_enabled_ = value == TRNG_CONTROL_ENABLE_MASK;
    return offset == TRNG_CONTROL;
  }
  if (block_of(address) == NPU_MAP_OTP) return write_otp(offset, static_cast<uint32_t>(value));
  return block_of(address) == NPU_MAP_FLASH && write_flash(offset, static_cast<uint32_t>(value));
}

std::optional<uint64_t> FakeSecurity::read_trng(uint32_t offset) {
  if (offset == TRNG_STATUS) {
    const bool ready = trng_enabled_ && trng_failure == 0 && !trng_silent;
    return (ready ? TRNG_STATUS_READY_MASK : 0) | (trng_enabled_ ? trng_failure : 0);
  }
  if (offset != TRNG_DATA) return std::nullopt;
  if (!trng_repeats) trng_word_ = trng_word_ * 1664525 + 1013904223;
  return trng_word_;
}

std::optional<uint64_t> FakeSecurity::read_otp(uint32_t offset) const {
  if (offset < OTP_FUSE(NPU_OTP_WORDS)) return fuses[offset / 4];
  const uint32_t code = fuses[NPU_OTP_LIFECYCLE];
  const uint32_t state = code == 0 ? 0 : code == 1 ? 1 : code == 7 ? 3 : 2;
  const bool debug = state != 2 && fuses[NPU_OTP_DEBUG_DISABLE] == 0;
  switch (offset) {
    case OTP_STATUS:
      return OTP_STATUS_DONE_MASK;
    case OTP_LIFECYCLE:
      return state | (debug ? OTP_LIFECYCLE_DEBUG_ALLOWED_MASK : 0);
    case OTP_ROLLBACK:  // tests use the first word only
      return static_cast<uint32_t>(std::countr_one(fuses[NPU_OTP_ROLLBACK]));
    default:
      return std::nullopt;
  }
}

bool FakeSecurity::write_otp(uint32_t offset, uint32_t value) {
  if (offset == OTP_LOCK) {
    otp_lock |= value;
  } else if (offset == OTP_CONTROL) {
    if (value != (OTP_CONTROL_PROGRAM_MASK | OTP_CONTROL_KEY_PROGRAM << OTP_CONTROL_KEY_SHIFT)) return false;
    fuses.at(otp_[OTP_WORD]) |= otp_[OTP_BITS];
  } else if (offset == OTP_WORD || offset == OTP_BITS) {
    otp_[offset] = value;
  } else {
    return offset == OTP_STATUS;
  }
  return true;
}

bool FakeSecurity::write_flash(uint32_t offset, uint32_t value) {
  if (offset >= FLASH_DATA(0) && offset < FLASH_DATA(64)) {
    std::memcpy(buffer_.data() + (offset - FLASH_DATA(0)), &value, 4);
  } else if (offset == FLASH_CONTROL) {
    start_flash();
  } else if (offset == FLASH_COMMAND || offset == FLASH_ADDRESS) {
    flash_[offset] = value;
  } else {
    return false;
  }
  return true;
}

void FakeSecurity::start_flash() {
  const uint32_t command = flash_[FLASH_COMMAND], address = flash_[FLASH_ADDRESS];
  const uint32_t bytes = command >> FLASH_COMMAND_BYTES_SHIFT;
  const uint32_t opcode = command & FLASH_COMMAND_OPCODE_MASK;
  if (!flash_answers) {
    buffer_.fill(0xff);
  } else if (opcode == 0x9f) {
    buffer_ = {0xef, 0x40, 22};
  } else if (opcode == 0x05) {
    buffer_[0] = polls_left_ != 0 ? 1 : 0;
    if (polls_left_ != 0) --polls_left_;
  } else if (opcode == 0x06) {
    write_enabled_ = true;
  } else if (opcode == 0x03) {
    for (uint32_t i = 0; i < bytes; ++i) buffer_[i] = flash.at(address + i);
  } else if (write_enabled_ && opcode == 0x20) {
    std::fill_n(flash.begin() + address / 4096 * 4096, 4096, uint8_t{0xff});
  } else if (write_enabled_ && opcode == 0x02) {
    for (uint32_t i = 0; i < bytes; ++i) flash.at(address / 256 * 256 + (address + i) % 256) &= buffer_[i];
  }
  if (opcode == 0x20 || opcode == 0x02) {
    write_enabled_ = false;
    polls_left_ = busy_polls;
  }
}

std::optional<uint64_t> FakeSecurity::read_crypto(uint32_t offset) const {
  if (offset == CRYPTO_STATUS) return crypto_status_;
  const bool tag = offset >= CRYPTO_TAG(0) && offset < CRYPTO_TAG(4);
  if (!tag && (offset < CRYPTO_DIGEST(0) || offset >= CRYPTO_DIGEST(12))) return std::nullopt;
  uint32_t word = 0;
  std::memcpy(&word, crypto_bytes_.data() + offset, 4);
  return word;
}

bool FakeSecurity::write_crypto(uint32_t offset, unsigned size_bytes, uint64_t value) {
  const bool wide = offset == CRYPTO_SOURCE || offset == CRYPTO_DESTINATION || offset == CRYPTO_AAD;
  const bool iv_or_tag = offset >= CRYPTO_IV(0) && offset < CRYPTO_TAG(4);
  if (wide != (size_bytes == 8)) return false;
  if (offset >= CRYPTO_KEY(0) && offset < CRYPTO_KEY(8)) {
    aes_key.at((offset - CRYPTO_KEY(0)) / 4) = static_cast<uint32_t>(value);
  } else if (iv_or_tag || (offset >= CRYPTO_PUBLIC_KEY(0) && offset < CRYPTO_SIGNATURE(24))) {
    const auto narrow = static_cast<uint32_t>(value);
    std::memcpy(crypto_bytes_.data() + offset, &narrow, 4);
  } else if (offset == CRYPTO_CONTROL) {
    start_crypto();
  } else if (offset == CRYPTO_STATUS) {
    crypto_status_ &= ~CRYPTO_STATUS_DONE_MASK;
  } else if (wide || offset == CRYPTO_COMMAND || offset == CRYPTO_BYTES || offset == CRYPTO_AAD_BYTES ||
             offset == CRYPTO_IRQ_ENABLE) {
    crypto_[offset] = value;
  } else {
    return false;
  }
  return true;
}

bool FakeSecurity::crypto_interrupt() const {
  const auto enabled = crypto_.find(CRYPTO_IRQ_ENABLE);
  return (crypto_status_ & CRYPTO_STATUS_DONE_MASK) != 0 && enabled != crypto_.end() && enabled->second != 0;
}

void FakeSecurity::start_crypto() {
  const auto command = static_cast<uint32_t>(crypto_[CRYPTO_COMMAND]);
  const uint32_t operation = command & CRYPTO_COMMAND_OPERATION_MASK;
  crypto_status_ = CRYPTO_STATUS_DONE_MASK;
  if (crypto_fails) {
    crypto_status_ |= CRYPTO_STATUS_ERROR_BUS << CRYPTO_STATUS_ERROR_SHIFT;
  } else if (operation == CRYPTO_COMMAND_OPERATION_SHA256 || operation == CRYPTO_COMMAND_OPERATION_SHA384) {
    hash(command);
  } else if (operation == CRYPTO_COMMAND_OPERATION_GCM_ENCRYPT || operation == CRYPTO_COMMAND_OPERATION_GCM_DECRYPT) {
    gcm(command);
  } else {
    const bool p384 = operation == CRYPTO_COMMAND_OPERATION_VERIFY_P384;
    const std::span<const uint8_t> bytes(crypto_bytes_);
    const size_t scalar = p384 ? 48 : 32;
    const bool valid =
        signature_valid(p384 ? NPU_KEY_TYPE_P384 : NPU_KEY_TYPE_P256, bytes.subspan(CRYPTO_PUBLIC_KEY(0), 2 * scalar),
                        bytes.subspan(CRYPTO_DIGEST(0), scalar), bytes.subspan(CRYPTO_SIGNATURE(0), 2 * scalar));
    if (valid) crypto_status_ |= CRYPTO_STATUS_PASSED_MASK;
  }
}

void FakeSecurity::gcm(uint32_t command) {
  gcm_keys.insert(gcm_keys.end(), aes_key.begin(), aes_key.end());
  std::vector<uint8_t> data(crypto_[CRYPTO_BYTES]), aad(crypto_[CRYPTO_AAD_BYTES]);
  const bool encrypt = (command & CRYPTO_COMMAND_OPERATION_MASK) == CRYPTO_COMMAND_OPERATION_GCM_ENCRYPT;
  const size_t key_bytes = (command & CRYPTO_COMMAND_KEY_256_MASK) != 0 ? 32 : 16;
  bool sound = reader_(crypto_[CRYPTO_AAD], aad) && reader_(crypto_[CRYPTO_SOURCE], data);
  const std::span<const uint8_t> key(reinterpret_cast<const uint8_t*>(aes_key.data()), key_bytes);
  const std::span<uint8_t> tag(crypto_bytes_.data() + CRYPTO_TAG(0), 16);
  const bool passed =
      sound &&
      gcm_crypt(encrypt, key, std::span<const uint8_t>(crypto_bytes_).subspan(CRYPTO_IV(0), 12), aad, data, tag);
  if (passed) sound = writer_(crypto_[CRYPTO_DESTINATION], data);
  if (!sound) crypto_status_ |= CRYPTO_STATUS_ERROR_BUS << CRYPTO_STATUS_ERROR_SHIFT;
  if (sound && passed) crypto_status_ |= CRYPTO_STATUS_PASSED_MASK;
}

void FakeSecurity::hash(uint32_t command) {
  std::vector<uint8_t> piece(crypto_[CRYPTO_BYTES]);
  if (!reader_(crypto_[CRYPTO_SOURCE], piece)) {
    crypto_status_ |= CRYPTO_STATUS_ERROR_BUS << CRYPTO_STATUS_ERROR_SHIFT;
    return;
  }
  if ((command & CRYPTO_COMMAND_FIRST_MASK) != 0) message_.clear();
  message_.insert(message_.end(), piece.begin(), piece.end());
  if ((command & CRYPTO_COMMAND_LAST_MASK) == 0) return;
  const bool sha384 = (command & CRYPTO_COMMAND_OPERATION_MASK) == CRYPTO_COMMAND_OPERATION_SHA384;
  const auto digest = digest_of(sha384 ? NPU_KEY_TYPE_P384 : NPU_KEY_TYPE_P256, message_);
  std::copy(digest.begin(), digest.end(), crypto_bytes_.begin() + CRYPTO_DIGEST(0));
}

}  // namespace npuvp::firmware_test
