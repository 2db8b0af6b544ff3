// SPDX-License-Identifier: Apache-2.0
#include "models/otp/default_fuses.h"

#include <algorithm>
#include <array>

namespace npuvp::otp {
namespace {

using KeyHash = std::array<uint32_t, NPU_OTP_KEY_HASH_WORDS>;

/// Of test-key-0.pem and so on; tests/firmware/npu_sign_test.py compares.
constexpr std::array<KeyHash, 3> kTestKeyHashes{{
    {0xa1e43aeb, 0xcad099cc, 0xde782fa5, 0xde9f2fdc, 0x2efec383, 0x566e0d84, 0xb37521e7, 0x1c2fe91d},
    {0xe72e461d, 0xa2fa7edc, 0x6ba88376, 0x637dd419, 0xb48b53c9, 0x5c1fb5e6, 0x38d8b6af, 0x590e8a8d},
    {0x11308146, 0x22348061, 0x96176528, 0xdc6e17b8, 0x493442ad, 0xeef18dd0, 0x813d5d4e, 0x6cbdef07},
}};

constexpr std::array<uint32_t, 4> kLifecycleCodes{0b000, 0b001, 0b011, 0b111};

}  // namespace

Words default_fuses(npu_lifecycle lifecycle, bool debug_disable) {
  Words words{};
  words[NPU_OTP_LIFECYCLE] = kLifecycleCodes.at(lifecycle);
  words[NPU_OTP_DEBUG_DISABLE] = debug_disable ? 1 : 0;
  for (unsigned slot = 0; slot < kTestKeyHashes.size(); ++slot) {
    std::copy(kTestKeyHashes[slot].begin(), kTestKeyHashes[slot].end(), words.begin() + NPU_OTP_KEY_HASH(slot));
  }
  return words;
}

}  // namespace npuvp::otp
