"""What it costs to know who somebody is: tokens against HAProxy's `jwt_verify` and Apache's mod_auth_openidc, a directory against
Apache's mod_authnz_ldap.

Both peers verify every signed token anew; they have no cache for them. The rows say for which of Sallyport's two cases they are: a token
that it knows, or one that it sees for the first time. Of opaque tokens Apache remembers what it was told, and HAProxy knows none.
"""

import json
import subprocess
import time

from . import apache, contenders, loads, tokens
from .rows import Row

# More tokens than can be presented in the second for which the gateway of these rows believes one.
FRESH = 20_000
# Whose opaque tokens there are.
USERS = 100
SUFFIX = "dc=example,dc=org"


class Cast:
    """The provider and the tokens of these rows, made when the first of them is measured."""

    def __init__(self, bench):
        self.bench, self.folder = bench, bench.folder
        self.keys = {key.algorithm: key for key in (tokens.RSAKey(self.folder), tokens.EllipticKey(self.folder))}
        port = contenders.free_port()
        self.issuer = f"https://localhost:{port}"
        (self.folder / "keys.json").write_text(json.dumps({"keys": [key.entry() for key in self.keys.values()]}))
        # An opaque token for each of some users, and the signed one behind it.
        self.opaque = {f"opaque-{user}": {"username": user, "jwt": tokens.mint(self.keys["ES256"], self.issuer, user, 1)[0]}
                       for user in (f"{contenders.USER}-{number}" for number in range(USERS))}
        (self.folder / "opaque.json").write_text(json.dumps(self.opaque))
        bench.start(contenders.Server(
            "provider", ["python3", "-m", "bench.provider", port, self.folder], port, cpu=loads.LOAD_CPU))
        self.files = {}

    def file(self, kind, count):
        """The path of a file of tokens, one a line: opaque ones of so many users, or so many of one user."""
        if (kind, count) not in self.files:
            path = self.folder / f"tokens-{kind}-{count}"
            made = list(self.opaque)[:count] if kind == "opaque" else tokens.mint(self.keys[kind], self.issuer, contenders.USER, count)
            path.write_text("\n".join(made) + "\n")
            self.files[kind, count] = path
        return self.files[kind, count]

    def introspection(self, username, more=""):
        """The configuration for opaque tokens, `username` being the claim that has the user's name."""
        return f"""
  - introspection: {{url: "{self.issuer}/introspect", clientID: sallyport, clientSecretFile: introspection-secret,
      certificateAuthorityFile: {self.folder}/ca.pem, {mappings(username)}{more}}}"""

    def gateway(self, name, authentication, authenticate, lifetime="10m", **parts):
        """A gateway that believes what it verified for `lifetime`."""
        parts = {"up": self.bench.upstream, "rules": 0, **parts}
        return self.bench.start(contenders.sallyport(
            self.folder, parts.pop("up"), 0, self.bench.options.binary, name,
            authentication=f"\n  cache: {{lifetime: {lifetime}}}{authentication}", authenticate=authenticate,
            files={"introspection-secret": "secret\n"}, **parts))

    def by_token(self, lifetime):
        issuer = f'{{url: "{self.issuer}", audiences: [kubernetes], certificateAuthorityFile: {self.folder}/ca.pem}}'
        return self.gateway("sallyport", f"""
  tokens:
  - jwt: {{issuer: {issuer}, {mappings("sub")}}}{self.introspection("username")}""", "[clientCertificate, token]", lifetime)


def mappings(username):
    return f'claimMappings: {{username: {{claim: {username}, prefix: ""}}, groups: {{claim: groups, prefix: ""}}}}'


def cast(bench):
    if not hasattr(bench, "cast"):
        bench.cast = Cast(bench)
    return bench.cast


def haproxy(folder, up, cpu, algorithm, issuer):
    """Verifies each token and its issuer, audience and end, and says upstream whose it is."""
    port = contenders.free_port()
    public = folder / f"token-{algorithm.lower()}.pub"
    path = folder / f"haproxy-{algorithm}.cfg"
    path.write_text(f"""
global
  nbthread 1
  maxconn 8192
  log {folder}/haproxy.log.sock format raw local0 info
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-server-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  option httplog
  log global
  http-reuse always
frontend front
  bind 127.0.0.1:{port} backlog 4096 ssl crt {folder}/server.both ca-file {folder}/ca.pem verify optional alpn h2,http/1.1
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless {{ var(txn.alg) -m str {algorithm} }}
  http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_payload_query('$.iss') -m str {issuer} }}
  http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_payload_query('$.aud') -m str kubernetes }}
  http-request deny deny_status 401 unless {{ var(txn.exp),sub(txn.now) -m int gt 0 }}
  http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,"{public}") -m int 1 }}
  http-request set-header X-Remote-User %[var(txn.bearer),jwt_payload_query('$.sub')]
  http-request del-header Authorization
  default_backend api
backend api
  server a 127.0.0.1:{up.port} ssl verify required ca-file {folder}/ca.pem crt {folder}/proxy.both sni str(localhost) verifyhost localhost alpn http/1.1
""")
    return contenders.Server("haproxy", ["haproxy", "-db", "-f", path], port, cpu)


def slapd(folder):
    """A directory with one user and one group."""
    port = contenders.free_port()
    home = folder / "slapd"
    (home / "db").mkdir(parents=True)
    (home / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {home}/slapd.pid
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSVerifyClient never
database mdb
maxsize 16777216
suffix "{SUFFIX}"
rootdn "cn=admin,{SUFFIX}"
rootpw admin
directory {home}/db
access to attrs=userPassword by anonymous auth by * none
access to * by * read
""")
    (home / "content.ldif").write_text(f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: uid={contenders.USER},{SUFFIX}
objectClass: inetOrgPerson
uid: {contenders.USER}
cn: {contenders.USER}
sn: {contenders.USER}
userPassword: {contenders.PASSWORD}

dn: cn=view,{SUFFIX}
objectClass: groupOfNames
cn: view
member: uid={contenders.USER},{SUFFIX}
""")
    subprocess.run(["/usr/sbin/slapadd", "-f", home / "slapd.conf", "-l", home / "content.ldif"], check=True, capture_output=True)
    return contenders.Server(
        "slapd", ["/usr/sbin/slapd", "-d", "0", "-f", home / "slapd.conf", "-h", f"ldaps://127.0.0.1:{port}"], port, cpu=loads.LOAD_CPU)


# MARK: the rows

def by_token(kind, count, lifetime, *peers):
    """Tokens of one kind, `count` of them in turn, at the peers that know such tokens and at Sallyport."""
    def measure(bench):
        actors = cast(bench)
        servers = {server.name: server for server in [bench.start(peer(actors, kind)) for peer in peers] + [actors.by_token(lifetime)]}
        file = actors.file(kind, count)
        try:
            return bench.rounds(lambda server, seconds: loads.wrk_tokens(server, contenders.SMALL_PATH, 32, seconds, file), servers)
        finally:
            # One core for all that is measured: who has had their row makes room.
            for server in servers.values():
                server.stop()
    return measure


def verifying_haproxy(actors, kind):
    return haproxy(actors.folder, actors.bench.upstream, 0, kind, actors.issuer)


def verifying_apache(actors, kind):
    return apache.by_jwt(actors.folder, actors.bench.upstream, actors.issuer)


def asking_apache(actors, kind):
    return apache.by_introspection(actors.folder, actors.bench.upstream, actors.issuer)


def token_and_certificate(bench):
    """The same gateway and load with a token that it knows and with a client certificate, on kept connections."""
    actors = cast(bench)
    gateway = actors.by_token("10m")
    token = actors.file("ES256", 1).read_text().strip()
    ways = {"certificate": {"certificate": True}, "known token": {"authorization": f"Bearer {token}"}}
    try:
        return bench.rounds(lambda way, seconds: loads.kept(gateway, 16, seconds, bench.folder, **way), ways)
    finally:
        gateway.stop()


def directory(bench):
    """A password that both know from their directory."""
    actors = cast(bench)
    server = bench.start(slapd(bench.folder))
    ours = actors.gateway("sallyport", f"""
  passwords:
  - ldap:
      urls: ["ldaps://127.0.0.1:{server.port}"]
      caFile: {bench.folder}/ca.pem
      users: {{base: "{SUFFIX}", filter: "(uid={{username}})", username: uid}}
      groups: {{base: "{SUFFIX}", filter: "(member={{dn}})", name: cn}}""", "[clientCertificate, password]")
    theirs = bench.start(apache.by_directory(bench.folder, bench.upstream, server.port, SUFFIX))
    time.sleep(0.5)
    try:
        return bench.rounds(
            lambda contender, seconds: loads.wrk(contender, contenders.SMALL_PATH, 32, seconds), {"apache": theirs, "sallyport": ours})
    finally:
        for contender in (theirs, ours, server):
            contender.stop()


SIGNED = (verifying_haproxy, verifying_apache)
WORK = {
    "JWT RS256, known": Row(by_token("RS256", 1, "10m", *SIGNED), goal=1.0),
    "JWT RS256, new": Row(by_token("RS256", FRESH, "1s", *SIGNED), goal=1.0),
    "JWT ES256, known": Row(by_token("ES256", 1, "10m", *SIGNED), goal=1.0),
    "JWT ES256, new": Row(by_token("ES256", FRESH, "1s", *SIGNED), goal=1.0),
    "opaque token, known": Row(by_token("opaque", 1, "10m", asking_apache), goal=1.0),
    "LDAP password, known": Row(directory, goal=0.4),
    "known token": Row(token_and_certificate, goal=1.05, baseline="certificate"),
}
