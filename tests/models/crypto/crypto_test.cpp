// SPDX-License-Identifier: Apache-2.0
// Against published test vectors: FIPS 180-4 examples, RFC 6979 appendix A.2, and the GCM specification's test cases.
#include "models/crypto/crypto.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "npu/registers/crypto.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::crypto {
namespace {

using sc_core::sc_time;

std::vector<uint8_t> hex(const std::string& text) {
  std::vector<uint8_t> bytes(text.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

// RFC 6979, A.2.5 and A.2.6: keys, and signatures of "sample" with the hash of the curve's size.
const std::string kP256Key =
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const std::string kP256Signature =
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
const std::string kP384Key =
    "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13"
    "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720";
const std::string kP384Signature =
    "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
    "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8";

class CryptoTest : public testing::Test {
 protected:
  CryptoTest() {
    environment.set_log_level("all", spdlog::level::off);
    cp.port.socket.bind(crypto.registers);
    crypto.memory.socket.bind(memory.socket);
    crypto.irq.connect([this](bool level) { irq = level; });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  void put(uint64_t offset, const std::vector<uint8_t>& bytes) {
    for (size_t i = 0; i < bytes.size(); i += 4) {
      uint32_t word = 0;
      std::memcpy(&word, bytes.data() + i, 4);
      cp.write(offset + i, word);
    }
  }
  std::vector<uint8_t> get(uint64_t offset, size_t bytes) {
    std::vector<uint8_t> out(bytes);
    for (size_t i = 0; i < bytes; i += 4) {
      const auto word = cp.read<uint32_t>(offset + i);
      std::memcpy(out.data() + i, &word, 4);
    }
    return out;
  }
  void put_memory(uint64_t address, const std::vector<uint8_t>& bytes) {
    std::copy(bytes.begin(), bytes.end(), memory.data.begin() + static_cast<int64_t>(address));
  }
  /// Starts and waits; the status.
  uint32_t run(uint32_t command) {
    cp.write(CRYPTO_COMMAND, command);
    cp.write(CRYPTO_CONTROL, uint32_t{CRYPTO_CONTROL_START_MASK});
    EXPECT_EQ(cp.read<uint32_t>(CRYPTO_STATUS), uint32_t{CRYPTO_STATUS_BUSY_MASK});
    sc_core::sc_start(10, sc_core::SC_MS);
    return cp.read<uint32_t>(CRYPTO_STATUS);
  }
  void source(uint64_t address, uint32_t bytes) {
    cp.write(CRYPTO_SOURCE, address);
    cp.write(CRYPTO_BYTES, bytes);
  }
  uint32_t verify(uint32_t operation, const std::string& key, const std::string& signature) {
    put(CRYPTO_PUBLIC_KEY(0), hex(key));
    put(CRYPTO_SIGNATURE(0), hex(signature));
    return run(operation);
  }

  static constexpr uint32_t kWhole = CRYPTO_COMMAND_FIRST_MASK | CRYPTO_COMMAND_LAST_MASK;
  static constexpr uint32_t kDone = CRYPTO_STATUS_DONE_MASK;
  static constexpr uint32_t kPassed = CRYPTO_STATUS_DONE_MASK | CRYPTO_STATUS_PASSED_MASK;
  static constexpr uint32_t kCommandError = kDone | CRYPTO_STATUS_ERROR_COMMAND << CRYPTO_STATUS_ERROR_SHIFT;
  static constexpr uint32_t kBusError = kDone | CRYPTO_STATUS_ERROR_BUS << CRYPTO_STATUS_ERROR_SHIFT;

  base::Environment environment;
  Crypto crypto{"crypto", environment, {}};
  test::TestInitiator cp{"cp"};
  test::TestTarget memory{"memory", 1 << 20};
  bool irq = false;
};

TEST_F(CryptoTest, HashesTheStandardsExamples) {
  put_memory(0x100, {'a', 'b', 'c'});
  source(0x100, 3);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | kWhole), kDone);
  EXPECT_EQ(get(CRYPTO_DIGEST(0), 32), hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA384 | kWhole), kDone);
  EXPECT_EQ(get(CRYPTO_DIGEST(0), 48), hex("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                                           "8086072ba1e7cc2358baeca134c825a7"));
  source(0x100, 0);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | kWhole), kDone);
  EXPECT_EQ(get(CRYPTO_DIGEST(0), 32), hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

TEST_F(CryptoTest, HashesInPieces) {
  put_memory(0, std::vector<uint8_t>(1000000, 'a'));
  source(0, 300000);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | CRYPTO_COMMAND_FIRST_MASK), kDone);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256), kDone);
  source(0, 400000);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | CRYPTO_COMMAND_LAST_MASK), kDone);
  EXPECT_EQ(get(CRYPTO_DIGEST(0), 32), hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256), kCommandError);  // no message is open
}

TEST_F(CryptoTest, VerifiesWhatItHasJustHashed) {
  const std::string sample = "sample";
  put_memory(0, {sample.begin(), sample.end()});
  source(0, 6);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | kWhole), kDone);
  EXPECT_EQ(verify(CRYPTO_COMMAND_OPERATION_VERIFY_P256, kP256Key, kP256Signature), kPassed);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA384 | kWhole), kDone);
  EXPECT_EQ(verify(CRYPTO_COMMAND_OPERATION_VERIFY_P384, kP384Key, kP384Signature), kPassed);
}

TEST_F(CryptoTest, FindsEveryChangedNibbleOfASignature) {
  const std::string sample = "sample";
  put_memory(0, {sample.begin(), sample.end()});
  source(0, 6);
  ASSERT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | kWhole), kDone);
  for (size_t at = 0; at < kP256Signature.size(); ++at) {
    std::string changed = kP256Signature;
    changed[at] = changed[at] == '0' ? '1' : '0';
    EXPECT_EQ(verify(CRYPTO_COMMAND_OPERATION_VERIFY_P256, kP256Key, changed), kDone) << at;
  }
  EXPECT_EQ(verify(CRYPTO_COMMAND_OPERATION_VERIFY_P256, kP256Key, std::string(128, '0')), kDone);
  EXPECT_EQ(verify(CRYPTO_COMMAND_OPERATION_VERIFY_P256, kP256Key, std::string(128, 'f')), kDone);
}

TEST_F(CryptoTest, AKeyThatIsNoPointVerifiesNothing) {
  EXPECT_EQ(verify(CRYPTO_COMMAND_OPERATION_VERIFY_P256, std::string(128, '0'), kP256Signature), kDone);
  EXPECT_EQ(verify(CRYPTO_COMMAND_OPERATION_VERIFY_P256, "00" + kP256Key.substr(2), kP256Signature), kDone);
}

/// Test case 4 of "The Galois/Counter Mode of Operation" (McGrew, Viega), appendix B.
class GcmTest : public CryptoTest {
 protected:
  GcmTest() {
    put(CRYPTO_KEY(0), hex("feffe9928665731c6d6a8f9467308308"));
    put(CRYPTO_IV(0), hex("cafebabefacedbaddecaf888"));
    put_memory(0x2000, hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
    cp.write(CRYPTO_AAD, uint64_t{0x2000});
    cp.write(CRYPTO_AAD_BYTES, 20U);
    cp.write(CRYPTO_DESTINATION, uint64_t{0x3000});
    source(0x1000, static_cast<uint32_t>(plain.size()));
  }
  std::vector<uint8_t> result() {
    return {memory.data.begin() + 0x3000, memory.data.begin() + 0x3000 + static_cast<int64_t>(plain.size())};
  }
  const std::vector<uint8_t> plain = hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
      "ba637b39");
  const std::vector<uint8_t> cipher = hex(
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac97"
      "3d58e091");
  const std::vector<uint8_t> tag = hex("5bc94fbc3221a5db94fae95ae7121a47");
};

TEST_F(GcmTest, Encrypts) {
  put_memory(0x1000, plain);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_GCM_ENCRYPT), kPassed);
  EXPECT_EQ(result(), cipher);
  EXPECT_EQ(get(CRYPTO_TAG(0), 16), tag);
}

TEST_F(GcmTest, DecryptsAndLeavesNothingBehindAWrongTag) {
  put_memory(0x1000, cipher);
  put(CRYPTO_TAG(0), tag);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_GCM_DECRYPT), kPassed);
  EXPECT_EQ(result(), plain);
  put_memory(0x3000, std::vector<uint8_t>(plain.size(), 0xee));
  auto wrong = tag;
  wrong[15] ^= 1;
  put(CRYPTO_TAG(0), wrong);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_GCM_DECRYPT), kDone);
  EXPECT_EQ(result(), std::vector<uint8_t>(plain.size(), 0xee));
}

TEST_F(GcmTest, TheKeyCannotBeRead) {
  for (uint32_t word = 0; word < 8; ++word) EXPECT_EQ(cp.read<uint32_t>(CRYPTO_KEY(word)), 0U);
}

TEST_F(CryptoTest, TakesItsTimeAndInterrupts) {
  cp.write(CRYPTO_IRQ_ENABLE, 1U);
  cp.write(CRYPTO_COMMAND, uint32_t{CRYPTO_COMMAND_OPERATION_VERIFY_P256});
  cp.write(CRYPTO_CONTROL, 1U);
  sc_core::sc_start(sc_time(250, sc_core::SC_US));  // and 100 ns of set-up
  EXPECT_FALSE(irq);
  cp.write(CRYPTO_CONTROL, 1U);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
  sc_core::sc_start(sc_time(101, sc_core::SC_NS));
  EXPECT_TRUE(irq);
  cp.write(CRYPTO_STATUS, uint32_t{CRYPTO_STATUS_DONE_MASK});
  EXPECT_FALSE(irq);
}

TEST_F(CryptoTest, AResetEndsEverything) {
  cp.write(CRYPTO_COMMAND, uint32_t{CRYPTO_COMMAND_OPERATION_VERIFY_P384});
  cp.write(CRYPTO_CONTROL, 1U);
  crypto.reset();
  EXPECT_EQ(cp.read<uint32_t>(CRYPTO_STATUS), 0U);
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(CryptoTest, RefusesWhatItCannotDo) {
  EXPECT_EQ(run(0), kCommandError);
  EXPECT_EQ(run(15), kCommandError);
  source(0, (16 << 20) + 1);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | kWhole), kCommandError);
  source(~uint64_t{0} - 3, 64);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | kWhole), kBusError);
  memory.poisoned = 0x500;
  source(0x400, 0x200);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | kWhole), kBusError);
  EXPECT_EQ(run(CRYPTO_COMMAND_OPERATION_SHA256 | CRYPTO_COMMAND_LAST_MASK), kCommandError);
}

}  // namespace
}  // namespace npuvp::crypto
