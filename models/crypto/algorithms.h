// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace npuvp::crypto {

enum class Hash : uint8_t { kSha256, kSha384 };
enum class Curve : uint8_t { kP256, kP384 };

[[nodiscard]] constexpr size_t digest_bytes(Hash hash) {
  return hash == Hash::kSha256 ? 32 : 48;
}
/// Of one coordinate, and of r and s.
[[nodiscard]] constexpr size_t scalar_bytes(Curve curve) {
  return curve == Curve::kP256 ? 32 : 48;
}

/// A hash in progress (FIPS 180-4), computed by OpenSSL.
class Hasher {
 public:
  explicit Hasher(Hash hash);
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  [[nodiscard]] Hash hash() const { return hash_; }
  void update(std::span<const uint8_t> data);
  /// Ends the message: digest_bytes(hash()) bytes. Nothing may follow.
  [[nodiscard]] std::vector<uint8_t> finish();

 private:
  struct Context;
  Hash hash_;
  std::unique_ptr<Context> context_;
};

/// ECDSA (FIPS 186-4, section 6.4). `public_key` is X then Y, `signature` r then s, scalar_bytes() each; `digest` has
/// the length of the hash that goes with the curve. False for anything that is not a valid signature, also for a key
/// that is no point of the curve.
[[nodiscard]] bool ecdsa_verify(Curve curve, std::span<const uint8_t> public_key, std::span<const uint8_t> digest,
                                std::span<const uint8_t> signature);

struct GcmInput {
  std::span<const uint8_t> key;  ///< 16 or 32 bytes.
  std::span<const uint8_t> iv;   ///< 12 bytes.
  std::span<const uint8_t> aad;
  std::span<const uint8_t> data;
};
using GcmTag = std::array<uint8_t, 16>;

/// AES-GCM (NIST SP 800-38D).
[[nodiscard]] std::vector<uint8_t> gcm_encrypt(const GcmInput& input, GcmTag& tag);
/// False if the tag is wrong; `plain` is then empty.
[[nodiscard]] bool gcm_decrypt(const GcmInput& input, const GcmTag& tag, std::vector<uint8_t>& plain);

}  // namespace npuvp::crypto
