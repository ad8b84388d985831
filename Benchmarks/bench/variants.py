"""Sallyport against itself: what one part of its work costs, all else being the same. The variants take turns in each round."""

import functools
import subprocess

from . import contenders, identity, loads
from .rows import Row


def policy_rules(bench):
    return {name: functools.partial(bench.sallyport, name, rules=count) for name, count in (("10 rules", 10), ("1,000 rules", 1000))}


def audit(bench):
    """What the record costs. There is no gateway without a log: for "none" the audit policy leaves every request out that is allowed.

    Closed files are compressed in the background, a hundred megabytes at a time: seldom enough to fall into one round and not into the
    next. So that has a variant of its own, with files so small that each round has several."""
    nothing = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None}]\n"
    parts = {
        "none": {"audit": "{directory: audit, policyFile: nothing.yaml}", "files": {"nothing.yaml": nothing}},
        "written": {},
        "synced": {"audit": "{directory: audit, durability: synced, rotate: {compress: false}}"},
        "written, compressed later": {"audit": "{directory: audit, rotate: {size: 4MiB, keep: 2}}"},
    }
    return {name: functools.partial(bench.sallyport, name, **of) for name, of in parts.items()}


def credentials(bench):
    """Every credential, for users who come with opaque tokens."""
    actors = identity.cast(bench)
    folder = bench.folder
    # To a proxy that says who asks by a token the upstream must be open without a certificate.
    up = bench.start(contenders.upstream(folder, loads.LOAD_CPU, verify="optional"))
    keys = folder / "issuer-keys"
    if not keys.exists():
        keys.mkdir(0o700)
        subprocess.run([bench.options.binary, "keys", "rotate", "--directory", keys], check=True, capture_output=True)
    issuer = f"issuer: {{url: https://localhost:8443/.sallyport, signingKeysDirectory: {keys}}}"
    introspection = actors.introspection("sub", f', answer: jwt, issuer: "{actors.issuer}", audiences: [kubernetes]')
    written = {
        "requestHeaders": None,
        "idToken": "idToken: {audience: kubernetes}",
        "clientCertificate": f"clientCertificate: {{caCertificateFile: {folder}/ca.pem, caPrivateKeyFile: {folder}/ca.key}}",
        "impersonation": f"impersonation: {{certificateFile: {folder}/proxy.pem, privateKeyFile: {folder}/proxy.key}}",
        "phantomToken": "phantomToken: {}",
        "passthrough": "passthrough: {}",
    }
    return {
        name: functools.partial(
            actors.gateway, name, f"\n  tokens:{introspection}", "[clientCertificate, token]", up=up, credential=credential,
            more=issuer if name == "idToken" else "")
        for name, credential in written.items()
    }


def compare(variants, load):
    """A measurement of all variants; `load(bench)` returns what is put on each, for so many seconds."""
    def measure(bench):
        # One core for all that is measured: who has had their row makes room.
        gateways = {name: start() for name, start in variants(bench).items()}
        try:
            return bench.rounds(load(bench), gateways)
        finally:
            for gateway in gateways.values():
                gateway.stop()
    return measure


def password(bench):
    return lambda gateway, seconds: loads.wrk(gateway, contenders.SMALL_PATH, 32, seconds)


def of_users(count):
    """With one user a connection goes on for whom it went on for; with many no connection asks twice in a row for the same one. All are
    known, and what the upstream is told of them was made before."""
    def load(bench):
        file = identity.cast(bench).file("opaque", count)
        return lambda gateway, seconds: loads.wrk_tokens(gateway, contenders.SMALL_PATH, 32, seconds, file)
    return load


WORK = {
    "policy rules": Row(compare(policy_rules, password), goal=1.02, baseline="10 rules"),
    "audit record": Row(compare(audit, password), goal={"written": 1.05}, baseline="none"),
    "credential, one user": Row(compare(credentials, of_users(1)), goal=1.05, baseline="requestHeaders"),
    "credential, 100 users": Row(compare(credentials, of_users(identity.USERS)), goal=1.05, baseline="requestHeaders"),
}
