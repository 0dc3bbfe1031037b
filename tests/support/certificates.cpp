#include "support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace sluice::testing_support {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using Signed = std::unique_ptr<X509, decltype(&::X509_free)>;
using Memory = std::unique_ptr<BIO, decltype(&::BIO_free)>;

Key new_key() {
  return {::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), ::EVP_PKEY_free};
}

std::string text_of(BIO* memory) {
  char* begin = nullptr;
  const long size = BIO_get_mem_data(memory, &begin);
  return {begin, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const Memory memory(::BIO_new(::BIO_s_mem()), ::BIO_free);
  ::PEM_write_bio_X509(memory.get(), certificate);
  return text_of(memory.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Memory memory(::BIO_new(::BIO_s_mem()), ::BIO_free);
  ::PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(memory.get());
}

void extend(X509* certificate, int extension, const std::string& value) {
  X509_EXTENSION* made = ::X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
  if (made == nullptr) throw std::runtime_error("no such extension: " + value);
  ::X509_add_ext(certificate, made, -1);
  ::X509_EXTENSION_free(made);
}

Signed begin(const std::string& name, EVP_PKEY* key, int days) {
  static long serial = 1;
  constexpr long kDay = 86400;
  Signed made(::X509_new(), ::X509_free);
  ::X509_set_version(made.get(), X509_VERSION_3);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), serial++);
  ::X509_gmtime_adj(X509_getm_notBefore(made.get()), -400 * kDay);
  ::X509_gmtime_adj(X509_getm_notAfter(made.get()), days * kDay);
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  ::X509_set_pubkey(made.get(), key);
  return made;
}

}  // namespace

struct Authority::Keys {
  Key key = new_key();
  Signed certificate{nullptr, ::X509_free};
};

Authority::Authority() : keys_(std::make_unique<Keys>()) {
  static int count = 0;
  keys_->certificate = begin("sluice's tests " + std::to_string(++count), keys_->key.get(), 1);
  X509* const own = keys_->certificate.get();
  ::X509_set_issuer_name(own, ::X509_get_subject_name(own));
  extend(own, NID_basic_constraints, "critical,CA:TRUE");
  extend(own, NID_key_usage, "critical,keyCertSign,cRLSign");
  ::X509_sign(own, keys_->key.get(), ::EVP_sha256());
}

Authority::~Authority() = default;

std::string Authority::pem() const {
  return pem_of(keys_->certificate.get());
}

Certificate Authority::certificate(const std::string& name, int days) const {
  const Key key = new_key();
  const Signed made = begin(name, key.get(), days);
  ::X509_set_issuer_name(made.get(), ::X509_get_subject_name(keys_->certificate.get()));
  const bool address = name.find_first_not_of("0123456789.") == name.npos;
  extend(made.get(), NID_subject_alt_name, (address ? "IP:" : "DNS:") + name);
  ::X509_sign(made.get(), keys_->key.get(), ::EVP_sha256());
  return {pem_of(made.get()), pem_of(key.get())};
}

}  // namespace sluice::testing_support
