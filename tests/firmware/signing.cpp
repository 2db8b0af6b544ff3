// SPDX-License-Identifier: Apache-2.0
#include "tests/firmware/signing.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "firmware/abi/memory_map.h"

namespace npuvp::firmware_test {
namespace {

size_t scalar_bytes(uint32_t key_type) {
  return key_type == NPU_KEY_TYPE_P384 ? 48 : 32;
}
const char* group_name(uint32_t key_type) {
  return key_type == NPU_KEY_TYPE_P384 ? "P-384" : "P-256";
}
const EVP_MD* hash(uint32_t key_type) {
  return key_type == NPU_KEY_TYPE_P384 ? EVP_sha384() : EVP_sha256();
}
void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL failed");
}

using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

KeyPointer public_key(uint32_t key_type, std::span<const uint8_t> point) {
  std::vector<uint8_t> encoded{4};
  encoded.insert(encoded.end(), point.begin(), point.end());
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group_name(key_type), 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size());
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) <= 0) key = nullptr;
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  return {key, &EVP_PKEY_free};
}

}  // namespace

std::vector<uint8_t> digest_of(uint32_t key_type, std::span<const uint8_t> data) {
  std::vector<uint8_t> digest(scalar_bytes(key_type));
  require(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, hash(key_type), nullptr) == 1);
  return digest;
}

bool gcm_crypt(bool encrypt, std::span<const uint8_t> key, std::span<const uint8_t> iv, std::span<const uint8_t> aad,
               std::span<uint8_t> data, std::span<uint8_t> tag) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  const int direction = encrypt ? 1 : 0;
  int bytes = 0;
  std::vector<uint8_t> out(data.size() + 16);
  require(EVP_CipherInit_ex(context, key.size() == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(), nullptr, key.data(),
                            iv.data(), direction) == 1);
  require(EVP_CipherUpdate(context, nullptr, &bytes, aad.data(), static_cast<int>(aad.size())) == 1);
  require(EVP_CipherUpdate(context, out.data(), &bytes, data.data(), static_cast<int>(data.size())) == 1);
  if (!encrypt) EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, tag.data());
  const bool valid = EVP_CipherFinal_ex(context, out.data() + bytes, &bytes) == 1;
  if (encrypt) EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag.data());
  EVP_CIPHER_CTX_free(context);
  if (valid) std::copy_n(out.begin(), data.size(), data.begin());
  return valid;
}

bool signature_valid(uint32_t key_type, std::span<const uint8_t> point, std::span<const uint8_t> digest,
                     std::span<const uint8_t> signature) {
  const KeyPointer key = public_key(key_type, point);
  if (!key) return false;
  const auto half = static_cast<int>(scalar_bytes(key_type));
  ECDSA_SIG* pair = ECDSA_SIG_new();
  ECDSA_SIG_set0(pair, BN_bin2bn(signature.data(), half, nullptr), BN_bin2bn(signature.data() + half, half, nullptr));
  uint8_t* der = nullptr;
  const int bytes = i2d_ECDSA_SIG(pair, &der);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key.get(), nullptr);
  EVP_PKEY_verify_init(context);
  const bool valid = EVP_PKEY_verify(context, der, static_cast<size_t>(bytes), digest.data(), digest.size()) == 1;
  EVP_PKEY_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(pair);
  return valid;
}

struct SigningKey::Handle {
  KeyPointer key;
};

SigningKey::SigningKey(uint32_t type) : handle_(new Handle{{EVP_EC_gen(group_name(type)), &EVP_PKEY_free}}) {
  fill_field();
}

SigningKey::SigningKey(const std::string& file) {
  FILE* stream = std::fopen(file.c_str(), "r");
  if (stream == nullptr) throw std::runtime_error("no key file " + file);
  handle_.reset(new Handle{{PEM_read_PrivateKey(stream, nullptr, nullptr, nullptr), &EVP_PKEY_free}});
  std::fclose(stream);
  fill_field();
}

SigningKey::~SigningKey() = default;

void SigningKey::fill_field() {
  require(handle_->key != nullptr);
  std::array<uint8_t, 97> encoded{};
  size_t bytes = 0;
  require(EVP_PKEY_get_octet_string_param(handle_->key.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size(),
                                          &bytes) == 1);
  field_.type = bytes == 97 ? NPU_KEY_TYPE_P384 : NPU_KEY_TYPE_P256;
  std::copy_n(encoded.begin() + 1, bytes - 1, field_.point);
}

std::vector<uint32_t> SigningKey::hash_words() const {
  const auto hash_bytes = digest_of(NPU_KEY_TYPE_P256, {reinterpret_cast<const uint8_t*>(&field_), sizeof(field_)});
  std::vector<uint32_t> words(8);
  std::memcpy(words.data(), hash_bytes.data(), hash_bytes.size());
  return words;
}

std::vector<uint8_t> SigningKey::sign(std::span<const uint8_t> message) const {
  const size_t scalar = scalar_bytes(field_.type);
  const auto digest = digest_of(field_.type, message);
  std::array<uint8_t, 128> der{};
  size_t bytes = der.size();
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(handle_->key.get(), nullptr);
  EVP_PKEY_sign_init(context);
  require(EVP_PKEY_sign(context, der.data(), &bytes, digest.data(), digest.size()) == 1);
  EVP_PKEY_CTX_free(context);
  const uint8_t* at = der.data();
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(bytes));
  std::vector<uint8_t> signature(2 * scalar);
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature.data(), static_cast<int>(scalar));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature.data() + scalar, static_cast<int>(scalar));
  ECDSA_SIG_free(pair);
  return signature;
}

TestImage::TestImage(std::vector<uint8_t> payload_bytes) : payload(std::move(payload_bytes)) {
  header.magic = NPU_IMAGE_MAGIC;
  header.header_version = NPU_IMAGE_HEADER_VERSION;
  header.abi_version = NPU_ABI_VERSION;
  header.image_version = 0x010203;
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  header.load_address = header.entry = NPU_MAP_TCM;
}

void TestImage::sign(const SigningKey& key, uint32_t slot) {
  header.key = key.field();
  header.key_slot = slot;
  std::memset(header.payload_digest, 0, sizeof(header.payload_digest));
  const auto digest = digest_of(key.field().type, payload);
  std::copy(digest.begin(), digest.end(), header.payload_digest);
  sign_header(key);
}

void TestImage::sign_header(const SigningKey& key) {
  std::memset(header.signature, 0, sizeof(header.signature));
  const auto signature = key.sign({reinterpret_cast<const uint8_t*>(&header), NPU_IMAGE_SIGNED_BYTES});
  std::copy(signature.begin(), signature.end(), header.signature);
}

std::vector<uint8_t> TestImage::bytes() const {
  std::vector<uint8_t> all(sizeof(header) + payload.size());
  std::memcpy(all.data(), &header, sizeof(header));
  std::copy(payload.begin(), payload.end(), all.begin() + sizeof(header));
  return all;
}

}  // namespace npuvp::firmware_test
