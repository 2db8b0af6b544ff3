// SPDX-License-Identifier: Apache-2.0
// Expected digests: FIPS 180-4 examples as published by NIST (SHA256.pdf, "Cryptographic Standards and Guidelines").
#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "firmware/lib/sha256.h"
}

namespace {

std::string digest_of(const std::string& message, size_t piece) {
  sha256 hash;
  sha256_init(&hash);
  for (size_t at = 0; at < message.size(); at += piece) {
    size_t bytes = std::min(piece, message.size() - at);
    sha256_update(&hash, reinterpret_cast<const uint8_t*>(message.data()) + at, bytes);
  }
  uint8_t digest[SHA256_DIGEST_BYTES];
  sha256_final(&hash, digest);
  std::string hex;
  for (uint8_t byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

TEST(Sha256, HashesTheEmptyMessage) {
  EXPECT_EQ(digest_of("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, HashesOneBlock) {
  EXPECT_EQ(digest_of("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, HashesTwoBlocksInPiecesOfEverySize) {
  const std::string message = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  for (size_t piece = 1; piece <= message.size(); ++piece) {
    EXPECT_EQ(digest_of(message, piece), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1") << piece;
  }
}

TEST(Sha256, HashesAMillionLettersInOddPieces) {
  EXPECT_EQ(digest_of(std::string(1000000, 'a'), 997),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
