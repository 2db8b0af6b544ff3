// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "firmware/abi/flash_layout.h"
#include "firmware/abi/otp.h"

namespace npuvp::firmware_test {

/// OTP, flash, crypto block, TRNG and GPIO of the fake card: as models/<block>/registers.yaml says and no better,
/// without the models. Everything happens at once.
class FakeSecurity {
 public:
  /// Reads `data` at a card physical address for the crypto block; false: bus error.
  using Reader = std::function<bool(uint64_t address, std::span<uint8_t> data)>;
  using Writer = std::function<bool(uint64_t address, std::span<const uint8_t> data)>;

  FakeSecurity(Reader reader, Writer writer) : reader_(std::move(reader)), writer_(std::move(writer)) {}

  /// Whether `address` belongs to one of the blocks.
  [[nodiscard]] static bool covers(uint64_t address);
  /// Empty: registers.yaml does not allow the access.
  std::optional<uint64_t> read(uint64_t address, unsigned size_bytes);
  bool write(uint64_t address, unsigned size_bytes, uint64_t value);
  [[nodiscard]] bool crypto_interrupt() const;

  // State a test may set or look at.
  std::array<uint32_t, NPU_OTP_WORDS> fuses{};
  uint32_t otp_lock = 0;
  std::vector<uint8_t> flash = std::vector<uint8_t>(NPU_FLASH_LEAST_BYTES, 0xff);
  bool flash_answers = true;
  unsigned busy_polls = 2;  ///< Status reads after which a write has ended.
  uint32_t straps = 0;
  bool crypto_fails = false;
  std::vector<uint32_t> gcm_keys;     ///< What KEY held at each AES operation, 8 words each.
  uint32_t trng_failure = 0;          ///< TRNG_STATUS bits.
  bool trng_silent = false;           ///< No word ever comes.
  bool trng_repeats = false;          ///< The same word again and again.
  std::array<uint32_t, 8> aes_key{};  ///< KEY, which cannot be read.

 private:
  std::optional<uint64_t> read_otp(uint32_t offset) const;
  bool write_otp(uint32_t offset, uint32_t value);
  bool write_flash(uint32_t offset, uint32_t value);
  void start_flash();
  std::optional<uint64_t> read_crypto(uint32_t offset) const;
  bool write_crypto(uint32_t offset, unsigned size_bytes, uint64_t value);
  void start_crypto();
  void hash(uint32_t command);
  void gcm(uint32_t command);
  std::optional<uint64_t> read_trng(uint32_t offset);

  Reader reader_;
  Writer writer_;
  bool trng_enabled_ = false;
  uint32_t trng_word_ = 0x2545'f491;
  std::map<uint32_t, uint32_t> otp_, flash_;
  std::array<uint8_t, 256> buffer_{};
  bool write_enabled_ = false;
  unsigned polls_left_ = 0;
  std::map<uint32_t, uint64_t> crypto_;
  std::array<uint8_t, 0x200> crypto_bytes_{};  ///< DIGEST, PUBLIC_KEY, SIGNATURE at their offsets.
  std::vector<uint8_t> message_;
  uint32_t crypto_status_ = 0;
};

}  // namespace npuvp::firmware_test
