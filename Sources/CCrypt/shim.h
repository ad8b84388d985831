// libxcrypt's reentrant interface: crypt_r(3) with a caller-owned crypt_data of 32 KB.
#include <crypt.h>
