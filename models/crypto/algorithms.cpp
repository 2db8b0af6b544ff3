// SPDX-License-Identifier: Apache-2.0
#include "models/crypto/algorithms.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace npuvp::crypto {
namespace {

template <auto kFree>
struct Free {
  template <typename Object>
  void operator()(Object* object) const {
    kFree(object);
  }
};
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

/// For calls that fail only when OpenSSL itself is broken or out of memory.
void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL: ") + what + " failed");
}

int length(std::span<const uint8_t> data) {
  return static_cast<int>(data.size());
}

Key import_key(Curve curve, std::span<const uint8_t> public_key) {
  std::vector<uint8_t> point{4};  // uncompressed, SEC 1 section 2.3.3
  point.insert(point.end(), public_key.begin(), public_key.end());
  std::string group = curve == Curve::kP256 ? "P-256" : "P-384";
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  require(context && EVP_PKEY_fromdata_init(context.get()) > 0, "import of a key");
  EVP_PKEY* key = nullptr;
  auto* list = const_cast<OSSL_PARAM*>(parameters.data());  // OpenSSL does not change it
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, list) <= 0) return nullptr;
  return Key(key);
}

std::vector<uint8_t> to_der(std::span<const uint8_t> signature) {
  const auto half = signature.size() / 2;
  const Signature pair(ECDSA_SIG_new());
  require(pair != nullptr, "a signature");
  BIGNUM* r = BN_bin2bn(signature.data(), static_cast<int>(half), nullptr);
  BIGNUM* s = BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr);
  require(r != nullptr && s != nullptr && ECDSA_SIG_set0(pair.get(), r, s) == 1, "a signature's numbers");
  std::vector<uint8_t> der(static_cast<size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)));
  uint8_t* end = der.data();
  i2d_ECDSA_SIG(pair.get(), &end);
  return der;
}

const EVP_CIPHER* gcm_cipher(std::span<const uint8_t> key) {
  return key.size() == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
}

}  // namespace

struct Hasher::Context {
  std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> digest{EVP_MD_CTX_new()};
};

Hasher::Hasher(Hash hash) : hash_(hash), context_(std::make_unique<Context>()) {
  const EVP_MD* kind = hash == Hash::kSha256 ? EVP_sha256() : EVP_sha384();
  require(context_->digest && EVP_DigestInit_ex(context_->digest.get(), kind, nullptr) == 1, "start of a hash");
}

Hasher::~Hasher() = default;

void Hasher::update(std::span<const uint8_t> data) {
  require(EVP_DigestUpdate(context_->digest.get(), data.data(), data.size()) == 1, "a hash");
}

std::vector<uint8_t> Hasher::finish() {
  std::vector<uint8_t> digest(digest_bytes(hash_));
  require(EVP_DigestFinal_ex(context_->digest.get(), digest.data(), nullptr) == 1, "end of a hash");
  return digest;
}

bool ecdsa_verify(Curve curve, std::span<const uint8_t> public_key, std::span<const uint8_t> digest,
                  std::span<const uint8_t> signature) {
  const Key key = import_key(curve, public_key);
  if (!key) return false;
  const std::vector<uint8_t> der = to_der(signature);
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  require(context && EVP_PKEY_verify_init(context.get()) > 0, "start of a verification");
  return EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), digest.size()) == 1;
}

std::vector<uint8_t> gcm_encrypt(const GcmInput& input, GcmTag& tag) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::vector<uint8_t> out(input.data.size() + 1);  // never an empty pointer
  int bytes = 0;
  require(
      context &&
          EVP_EncryptInit_ex2(context.get(), gcm_cipher(input.key), input.key.data(), input.iv.data(), nullptr) == 1 &&
          EVP_EncryptUpdate(context.get(), nullptr, &bytes, input.aad.data(), length(input.aad)) == 1 &&
          EVP_EncryptUpdate(context.get(), out.data(), &bytes, input.data.data(), length(input.data)) == 1 &&
          EVP_EncryptFinal_ex(context.get(), out.data() + bytes, &bytes) == 1 &&
          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag.size()), tag.data()) == 1,
      "AES-GCM");
  out.resize(input.data.size());
  return out;
}

bool gcm_decrypt(const GcmInput& input, const GcmTag& tag, std::vector<uint8_t>& plain) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  plain.assign(input.data.size() + 1, 0);
  GcmTag expected = tag;
  int bytes = 0;
  require(
      context &&
          EVP_DecryptInit_ex2(context.get(), gcm_cipher(input.key), input.key.data(), input.iv.data(), nullptr) == 1 &&
          EVP_DecryptUpdate(context.get(), nullptr, &bytes, input.aad.data(), length(input.aad)) == 1 &&
          EVP_DecryptUpdate(context.get(), plain.data(), &bytes, input.data.data(), length(input.data)) == 1 &&
          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(expected.size()),
                              expected.data()) == 1,
      "AES-GCM");
  const bool right = EVP_DecryptFinal_ex(context.get(), plain.data() + bytes, &bytes) == 1;
  plain.resize(right ? input.data.size() : 0);
  return right;
}

}  // namespace npuvp::crypto
