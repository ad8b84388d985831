"""Tokens for a run, signed by libcrypto: many different ones, so that no cache knows them."""

import base64
import ctypes
import json
import re
import subprocess
import time


def libcrypto():
    library = ctypes.CDLL("libcrypto.so.3")
    for name in ("BIO_new_mem_buf", "PEM_read_bio_PrivateKey", "EVP_MD_CTX_new", "EVP_sha256"):
        getattr(library, name).restype = ctypes.c_void_p
    return library


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A private key, its public half beside it in a file, and signatures by it."""

    def __init__(self, folder, *generate):
        self.path = folder / f"token-{self.algorithm.lower()}.key"
        subprocess.run(["openssl", *generate, "-out", self.path], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-out", self.path.with_suffix(".pub")], check=True, capture_output=True)
        self.library = libcrypto()
        pem = self.path.read_bytes()
        memory = ctypes.c_void_p(self.library.BIO_new_mem_buf(pem, len(pem)))
        self.key = ctypes.c_void_p(self.library.PEM_read_bio_PrivateKey(memory, None, None, None))
        self.library.BIO_free(memory)
        if not self.key:
            raise SystemExit("libcrypto does not read the key")

    def openssl_sign(self, data):
        context = ctypes.c_void_p(self.library.EVP_MD_CTX_new())
        signature, length = ctypes.create_string_buffer(512), ctypes.c_size_t(512)
        signed = self.library.EVP_DigestSignInit(context, None, ctypes.c_void_p(self.library.EVP_sha256()), None, self.key) == 1 \
            and self.library.EVP_DigestSign(context, signature, ctypes.byref(length), data, ctypes.c_size_t(len(data))) == 1
        self.library.EVP_MD_CTX_free(context)
        if not signed:
            raise SystemExit("libcrypto does not sign")
        return signature.raw[:length.value]


class EllipticKey(Key):
    algorithm, name = "ES256", "bench-es256"

    def __init__(self, folder):
        super().__init__(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")

    def entry(self):
        written = subprocess.run(["openssl", "pkey", "-in", self.path, "-text", "-noout"], check=True, capture_output=True, text=True).stdout
        point = bytes.fromhex(re.sub(r"[\s:]", "", re.search(r"pub:\s*\n((?: {4}[0-9a-f:]+\n)+)", written)[1]))
        return {"kty": "EC", "crv": "P-256", "kid": self.name, "alg": self.algorithm, "use": "sig", "x": text(point[1:33]),
                "y": text(point[33:])}

    def sign(self, data):
        """Both numbers, each of 32 bytes (RFC 7518 section 3.4), out of the two INTEGERs that libcrypto writes."""
        der = self.openssl_sign(data)
        first = 4 + der[3]
        numbers = der[4:first], der[first + 2:first + 2 + der[first + 1]]
        return b"".join(number.lstrip(b"\0").rjust(32, b"\0") for number in numbers)


class RSAKey(Key):
    algorithm, name = "RS256", "bench-rs256"

    def __init__(self, folder):
        super().__init__(folder, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")

    def entry(self):
        written = subprocess.run(["openssl", "rsa", "-in", self.path, "-modulus", "-noout"], check=True, capture_output=True, text=True).stdout
        return {"kty": "RSA", "kid": self.name, "alg": self.algorithm, "use": "sig", "n": text(bytes.fromhex(written.strip().split("=")[1])),
                "e": "AQAB"}

    sign = Key.openssl_sign


def mint(key, issuer, user, count):
    """So many tokens that differ by `jti` alone, good for two hours."""
    now = int(time.time())
    header = text(json.dumps({"alg": key.algorithm, "typ": "JWT", "kid": key.name}).encode())
    tokens = []
    for index in range(count):
        claims = {"iss": issuer, "aud": "kubernetes", "sub": user, "groups": ["view"], "iat": now, "exp": now + 7200, "jti": f"t-{index}"}
        signed = f"{header}.{text(json.dumps(claims).encode())}"
        tokens.append(f"{signed}.{text(key.sign(signed.encode()))}")
    return tokens
