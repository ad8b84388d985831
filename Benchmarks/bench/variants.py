"""Sallyport against itself: what one part of its work costs, all else being the same. The variants take turns in each round."""

import subprocess

from . import contenders, identity, loads
from .rows import Row


def policy_rules(bench):
    return compare(bench, {name: bench.sallyport(name, rules=count) for name, count in (("10 rules", 10), ("1,000 rules", 1000))})


def audit(bench):
    """What the record costs. There is no gateway without a log: for "none" the audit policy leaves every request out that is allowed."""
    nothing = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None}]\n"
    return compare(bench, {
        "none": bench.sallyport("none", audit="{directory: audit, policyFile: nothing.yaml}", files={"nothing.yaml": nothing}),
        "written": bench.sallyport("written"),
        "synced": bench.sallyport("synced", audit="{directory: audit, durability: synced}"),
    })


def compare(bench, gateways):
    try:
        return bench.rounds(lambda gateway, seconds: loads.wrk(gateway, contenders.SMALL_PATH, 32, seconds), gateways)
    finally:
        for gateway in gateways.values():
            gateway.stop()


def credentials(users):
    """Every credential in its turn for the opaque tokens of so many users, which are known and have been told to the upstream before.

    With one user a connection goes on for whom it went on for; with many no connection asks twice in a row for the same one."""
    def measure(bench):
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

        def gateway(name, credential=None, more=""):
            return actors.gateway(name, f"\n  tokens:{introspection}", "[token]", up=up, credential=credential, more=more)

        gateways = {
            "requestHeaders": gateway("requestHeaders"),
            "idToken": gateway("idToken", "idToken: {audience: kubernetes}", issuer),
            "clientCertificate": gateway(
                "clientCertificate", f"clientCertificate: {{caCertificateFile: {folder}/ca.pem, caPrivateKeyFile: {folder}/ca.key}}"),
            "impersonation": gateway(
                "impersonation", f"impersonation: {{certificateFile: {folder}/proxy.pem, privateKeyFile: {folder}/proxy.key}}"),
            "phantomToken": gateway("phantomToken", "phantomToken: {}"),
            "passthrough": gateway("passthrough", "passthrough: {}"),
        }
        file = actors.file("opaque", users)
        try:
            return bench.rounds(
                lambda gateway, seconds: loads.wrk_tokens(gateway, contenders.SMALL_PATH, 32, seconds, file), gateways)
        finally:
            for server in (*gateways.values(), up):
                server.stop()
    return measure


WORK = {
    "policy rules": Row(policy_rules, goal=1.02, baseline="10 rules"),
    "audit record": Row(audit, goal={"written": 1.05}, baseline="none"),
    "credential, one user": Row(credentials(1), goal=1.05, baseline="requestHeaders"),
    "credential, 100 users": Row(credentials(identity.USERS), goal=1.05, baseline="requestHeaders"),
}
