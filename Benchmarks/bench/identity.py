"""What it costs to know who somebody is: tokens against HAProxy's `jwt_verify`, a directory against Apache's mod_authnz_ldap.

HAProxy verifies every token anew; it has no cache. The rows say for which of Sallyport's two cases they are: a token that it knows, or
one that it sees for the first time.
"""

import json
import subprocess
import time

from . import contenders, loads, tokens

# More tokens than can be presented in the second for which the gateway of these rows believes one.
FRESH = 20_000
SUFFIX = "dc=example,dc=org"


class Cast:
    """The provider, the tokens and the contenders of these rows, started when the first of them is measured."""

    def __init__(self, bench):
        self.bench, self.folder = bench, bench.folder
        self.keys = {key.algorithm: key for key in (tokens.RSAKey(self.folder), tokens.EllipticKey(self.folder))}
        port = contenders.free_port()
        self.issuer = f"https://localhost:{port}"
        (self.folder / "keys.json").write_text(json.dumps({"keys": [key.entry() for key in self.keys.values()]}))
        bench.start(contenders.Server(
            "provider", ["python3", "-m", "bench.provider", port, self.folder], port, cpu=loads.LOAD_CPU))
        self.files = {}

    def file(self, algorithm, count):
        """The path of a file of tokens, one a line."""
        if (algorithm, count) not in self.files:
            path = self.folder / f"tokens-{algorithm}-{count}"
            minted = ["opaque-token"] if algorithm == "opaque" else tokens.mint(
                self.keys[algorithm], self.issuer, contenders.USER, count)
            path.write_text("\n".join(minted) + "\n")
            self.files[algorithm, count] = path
        return self.files[algorithm, count]

    def sallyport(self, name, authentication, authenticate, lifetime="10m"):
        (self.folder / "introspection-secret").write_text("secret\n")
        (self.folder / "introspection-secret").chmod(0o600)
        return self.bench.start(sallyport(
            self.folder, self.bench.upstream, 0, self.bench.options.binary, name, authentication, authenticate, lifetime))

    def by_token(self, lifetime):
        issuer = f'{{url: "{self.issuer}", audiences: [kubernetes], certificateAuthorityFile: {self.folder}/ca.pem}}'
        mappings = 'claimMappings: {username: {claim: NAME, prefix: ""}, groups: {claim: groups, prefix: ""}}'
        return self.sallyport(f"token-{lifetime}", f"""
  tokens:
  - jwt: {{issuer: {issuer}, {mappings.replace("NAME", "sub")}}}
  - introspection: {{url: "{self.issuer}/introspect", clientID: sallyport, clientSecretFile: {self.folder}/introspection-secret,
      certificateAuthorityFile: {self.folder}/ca.pem, {mappings.replace("NAME", "username")}}}
""", "[clientCertificate, token]", lifetime)


def cast(bench):
    if not hasattr(bench, "cast"):
        bench.cast = Cast(bench)
    return bench.cast


def sallyport(folder, up, cpu, binary, name, authentication, authenticate, lifetime):
    port = contenders.free_port()
    home = folder / f"sallyport-{name}-{port}"
    home.mkdir()
    (home / "sallyport.yaml").write_text(f"""
apiVersion: sallyport.dev/v1alpha1
kind: Gateway
server: {{eventLoops: 1}}
listeners:
- name: main
  address: 127.0.0.1:{port}
  tls: {{certificateFile: {folder}/server.pem, privateKeyFile: {folder}/server.key, clientCAFile: {folder}/ca.pem, minimumVersion: "1.3"}}
authentication:
  clientCertificates: {{username: subject.commonName, groups: subject.organization}}
  cache: {{lifetime: {lifetime}}}{authentication}
credentials:
- name: front-proxy
  requestHeaders: {{certificateFile: {folder}/proxy.pem, privateKeyFile: {folder}/proxy.key}}
upstreams:
- {{name: kubernetes, kind: kubernetes, servers: ["https://127.0.0.1:{up.port}"], caFile: {folder}/ca.pem, serverName: localhost}}
routes:
- {{name: api, match: {{path: /}}, upstream: kubernetes, credential: front-proxy, authenticate: {authenticate}}}
audit: {{directory: audit}}
""")
    return contenders.Server("sallyport", [binary, "serve", "--config", home / "sallyport.yaml"], port, cpu)


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


def apache(folder, up, directory, cpu):
    """One process with threads, which remembers binds and searches as it does by default; the user must be in the group."""
    port = contenders.free_port()
    path = folder / "apache.conf"
    modules = "mpm_event authn_core authz_core authz_user auth_basic ldap authnz_ldap headers proxy proxy_http ssl"
    loaded = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in modules.split())
    path.write_text(f"""
{loaded}
ServerName localhost
User nobody
Group nogroup
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.err
LogLevel warn
DefaultRuntimeDir {folder}/tmp
Mutex default:{folder}/tmp
Listen 127.0.0.1:{port}
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
MaxKeepAliveRequests 0
KeepAliveTimeout 300
LDAPVerifyServerCert On
LDAPSharedCacheSize 500000
SSLSessionCache none
LogFormat "%t %a %u \\"%r\\" %s %B %D \\"%{{User-Agent}}i\\"" one
CustomLog {folder}/apache.access.log one
<VirtualHost 127.0.0.1:{port}>
  SSLEngine on
  SSLCertificateFile {folder}/server.pem
  SSLCertificateKeyFile {folder}/server.key
  SSLProtocol TLSv1.3
  SSLProxyEngine on
  SSLProxyProtocol TLSv1.3
  SSLProxyCACertificateFile {folder}/ca.pem
  SSLProxyMachineCertificateFile {folder}/proxy.both
  SSLProxyVerify require
  <Location />
    AuthType Basic
    AuthName bench
    AuthBasicProvider ldap
    AuthLDAPURL "ldaps://127.0.0.1:{directory.port}/{SUFFIX}?uid?sub?(objectClass=*)"
    Require ldap-group cn=view,{SUFFIX}
    RequestHeader set X-Remote-User "expr=%{{REMOTE_USER}}"
    RequestHeader unset Authorization
    ProxyPass https://localhost:{up.port}/
  </Location>
</VirtualHost>
""")
    return contenders.Server("apache", ["env", f"LDAPTLS_CACERT={folder}/ca.pem", "/usr/sbin/apache2", "-DFOREGROUND", "-f", path], port, cpu)


# MARK: the rows

def by_token(algorithm, count, lifetime, peer=None):
    """Tokens of one kind, `count` of them in turn, at HAProxy (with `peer`'s algorithm where it knows no such token) and Sallyport."""
    def measure(bench):
        actors = cast(bench)
        other = peer or algorithm
        ours = actors.by_token(lifetime)
        theirs = bench.start(haproxy(actors.folder, bench.upstream, 0, other, actors.issuer))
        files = {ours.name: actors.file(algorithm, count), theirs.name: actors.file(other, count)}
        try:
            for server in (theirs, ours):
                loads.wrk_tokens(server, contenders.SMALL_PATH, 32, 1, files[server.name])
            return bench.rounds(
                lambda server: loads.wrk_tokens(server, contenders.SMALL_PATH, 32, bench.options.seconds, files[server.name]), [theirs, ours])
        finally:
            # One core for all that is measured: who has had their row makes room.
            ours.stop()
            theirs.stop()
    return measure


def token_and_certificate(bench):
    """The same gateway and load with a token that it knows and with a client certificate, on kept connections."""
    actors = cast(bench)
    gateway = actors.by_token("10m")
    token = actors.file("ES256", 1).read_text().strip()
    ways = {
        "certificate": ("-E", bench.folder / "user.both"),
        "token": ("-H", f"Authorization: Bearer {token}"),
    }
    (bench.folder / "user.both").write_text((bench.folder / "user.pem").read_text() + (bench.folder / "user.key").read_text())
    figures = {name: [] for name in ways}
    for way in ways.values():
        loads.ab(gateway, contenders.SMALL_PATH, 16, 1, *way)
    for _ in range(bench.options.rounds):
        for name, way in ways.items():
            figures[name].append(loads.ab(gateway, contenders.SMALL_PATH, 16, bench.options.seconds, *way))
    gateway.stop()
    return {name: [loads.median(column) for column in zip(*rows)] for name, rows in figures.items()}


def directory(bench):
    """A password that both know from their directory."""
    actors = cast(bench)
    server = bench.start(slapd(bench.folder))
    ours = actors.sallyport("ldap", f"""
  passwords:
  - ldap:
      urls: ["ldaps://127.0.0.1:{server.port}"]
      caFile: {bench.folder}/ca.pem
      users: {{base: "{SUFFIX}", filter: "(uid={{username}})", username: uid}}
      groups: {{base: "{SUFFIX}", filter: "(member={{dn}})", name: cn}}
""", "[clientCertificate, password]")
    theirs = bench.start(apache(bench.folder, bench.upstream, server, 0))
    time.sleep(0.5)
    try:
        for contender in (theirs, ours):
            loads.wrk(contender, contenders.SMALL_PATH, 32, 1)
        return bench.rounds(
            lambda contender: loads.wrk(contender, contenders.SMALL_PATH, 32, bench.options.seconds), [theirs, ours])
    finally:
        for contender in (theirs, ours, server):
            contender.stop()


UNITS = ("us CPU a request", "requests a second")
WORK = {
    "JWT RS256, known": (by_token("RS256", 1, "10m"), *UNITS, 1.0),
    "JWT RS256, new": (by_token("RS256", FRESH, "1s"), *UNITS, 1.0),
    "JWT ES256, known": (by_token("ES256", 1, "10m"), *UNITS, 1.0),
    "JWT ES256, new": (by_token("ES256", FRESH, "1s"), *UNITS, 1.0),
    "opaque token, known (HAProxy: JWT RS256)": (by_token("opaque", 1, "10m", peer="RS256"), *UNITS, 1.0),
    "LDAP password, known (Apache)": (directory, *UNITS, 0.4),
    "known token against certificate": (token_and_certificate, *UNITS, 1.05),
}
