"""The certificates of a run: one CA, a server certificate for loopback, a client certificate for the proxies."""

import subprocess


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make(folder):
    (folder / "server.ext").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n")
    (folder / "client.ext").write_text("extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key", cwd=folder)
    openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=bench-ca", "-days", "2", "-out", "ca.pem",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", cwd=folder)
    for name, subject, extensions in [
        ("server", "/CN=localhost", "server.ext"),
        ("proxy", "/CN=front-proxy-client", "client.ext"),
        ("user", "/O=bench/CN=bench", "client.ext"),
    ]:
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.sec1", cwd=folder)
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", f"{name}.sec1", "-out", f"{name}.key", cwd=folder)
        openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr", cwd=folder)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", extensions, "-out", f"{name}.pem", cwd=folder)
        (folder / f"{name}.key").chmod(0o600)
    # The gateway mints client certificates by the same authority, which the upstream trusts.
    (folder / "ca.key").chmod(0o600)
    # HAProxy reads certificate and key from one file.
    for name in ("server", "proxy"):
        (folder / f"{name}.both").write_text((folder / f"{name}.pem").read_text() + (folder / f"{name}.key").read_text())
