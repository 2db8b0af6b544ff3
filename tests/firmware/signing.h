// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

extern "C" {
#include "firmware/abi/image.h"
}

namespace npuvp::firmware_test {

/// SHA-256 or SHA-384 of `data`, by the kind of key.
[[nodiscard]] std::vector<uint8_t> digest_of(uint32_t key_type, std::span<const uint8_t> data);

/// Whether `signature` (r, s) by the public key `point` (X, Y) belongs to `digest`.
[[nodiscard]] bool signature_valid(uint32_t key_type, std::span<const uint8_t> point, std::span<const uint8_t> digest,
                                   std::span<const uint8_t> signature);

/// AES-GCM in place: encrypts `data` and makes `tag` (16 bytes), or checks it and decrypts; false: the tag is wrong.
[[nodiscard]] bool gcm_crypt(bool encrypt, std::span<const uint8_t> key, std::span<const uint8_t> iv,
                             std::span<const uint8_t> aad, std::span<uint8_t> data, std::span<uint8_t> tag);

/// A key that signs; OpenSSL does everything, so that neither our tool nor our models have a say.
class SigningKey {
 public:
  /// A fresh one of NPU_KEY_TYPE_*.
  explicit SigningKey(uint32_t type);
  /// From a PEM file.
  explicit SigningKey(const std::string& file);
  ~SigningKey();
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  [[nodiscard]] const npu_public_key& field() const { return field_; }
  /// SHA-256 of field(): what the fuses hold.
  [[nodiscard]] std::vector<uint32_t> hash_words() const;
  /// r then s of a signature of `message`.
  [[nodiscard]] std::vector<uint8_t> sign(std::span<const uint8_t> message) const;

 private:
  struct Handle;
  void fill_field();
  std::unique_ptr<Handle> handle_;
  npu_public_key field_{};
};

/// An image under construction. sign() makes it complete; what is changed after that is an attack.
struct TestImage {
  npu_image_header header{};
  std::vector<uint8_t> payload;

  /// Good in every respect but not signed: `payload`, a multiple of 8 bytes, loads and starts at the TCM's begin.
  explicit TestImage(std::vector<uint8_t> payload_bytes);

  void sign(const SigningKey& key, uint32_t slot = 0);
  /// The signature alone, for a header that was changed.
  void sign_header(const SigningKey& key);
  [[nodiscard]] std::vector<uint8_t> bytes() const;
};

}  // namespace npuvp::firmware_test
