// OpenSSL's libcrypto, for what no Swift library offers: writing PKCS#12 files, and reading and verifying revocation lists.
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// The stack of revoked certificates has only macros to be walked by.
static inline int sallyport_revoked_count(const STACK_OF(X509_REVOKED) *list) { return sk_X509_REVOKED_num(list); }
static inline const X509_REVOKED *sallyport_revoked_at(const STACK_OF(X509_REVOKED) *list, int index) {
  return sk_X509_REVOKED_value(list, index);
}
// Whether the last error is only that no PEM block follows; the code's parts are macros.
static inline int sallyport_is_end_of_pem(void) {
  unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}
// How a name is printed, a combination of flags that is no plain number to Swift.
static inline int sallyport_print_name(BIO *out, const X509_NAME *name) {
  return X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253);
}
