"""The upstream and the contenders: each ends TLS, says who the user is, goes on over kept-alive TLS with a client
certificate, and writes one line a request to a file. One thread each, so that CPU per request compares."""

import base64
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

USER, PASSWORD = "bench", "correct horse battery staple"
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SMALL_PATH = "/api/v1/namespaces/dev/configmaps/small"
LARGE_PATH = "/api/v1/namespaces/dev/configmaps/large"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, output, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            output.seek(0)
            raise SystemExit(f"a server ended at its start: {process.args}\n{output.read()[-2000:].decode(errors='replace')}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"no server on port {port}")


class Server:
    """A process of this run; ended by its id."""

    def __init__(self, name, command, port, cpu=None, cwd=None):
        self.name, self.port = name, port
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        output = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*pin, *map(str, command)], cwd=cwd, stdout=output, stderr=output)
        wait_for(port, self.process, output)

    def worker(self):
        """The process that does the work: nginx and HAProxy work in a child."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    def cpu_seconds(self):
        """User and system time so far. The scheduler's own count is in nanoseconds; `stat` counts ticks of a hundredth."""
        worker = pathlib.Path(f"/proc/{self.worker()}")
        try:
            return sum(int((task / "schedstat").read_text().split()[0]) for task in (worker / "task").iterdir()) / 1e9
        except (OSError, IndexError):
            fields = (worker / "stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self):
        for line in pathlib.Path(f"/proc/{self.worker()}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


NGINX_HEAD = """
daemon off; pid {folder}/{name}.pid; error_log {folder}/{name}.err; worker_processes 1; worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  keepalive_requests 1000000000; keepalive_timeout 300s; sendfile on; tcp_nodelay on;
"""


def upstream(folder, cpu, watches=None, verify="on"):
    """nginx with two files; what is asked for with `?watch=1` goes on to the port `watches`.

    With `verify="optional"` a proxy may also say who asks by something else than a certificate."""
    port = free_port()
    name = f"upstream-{port}"
    body = '{"kind":"ConfigMap","apiVersion":"v1","data":{"x":"' + "y" * 1950 + '"}}'
    (folder / "www").mkdir(exist_ok=True)
    (folder / "www/small").write_text(body)
    (folder / "www/large").write_bytes(os.urandom(1 << 20) * 10)
    stream = ""
    if watches:
        stream = f"location = /api/v1/pods {{ proxy_pass http://127.0.0.1:{watches}; proxy_http_version 1.1; proxy_buffering off; }}"
    (folder / f"{name}.conf").write_text(NGINX_HEAD.format(folder=folder, name=name) + f"""
  access_log off; open_file_cache max=16; default_type application/json;
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    ssl_client_certificate {folder}/ca.pem; ssl_verify_client {verify}; ssl_protocols TLSv1.3;
    location = {SMALL_PATH} {{ alias {folder}/www/small; }}
    location = {LARGE_PATH} {{ alias {folder}/www/large; }}
    {stream}
  }}
}}
""")
    return Server("upstream", ["nginx", "-p", folder, "-c", folder / f"{name}.conf"], port, cpu)


def nginx(folder, up, cpu):
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX_HEAD.format(folder=folder, name="nginx") + f"""
  log_format one '$msec $remote_addr $ssl_client_s_dn "$request" $status $body_bytes_sent $request_time "$http_user_agent"';
  access_log {folder}/nginx.access.log one;
  upstream api {{ server 127.0.0.1:{up.port}; keepalive 128; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} ssl http2 backlog=4096; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    ssl_client_certificate {folder}/ca.pem; ssl_verify_client optional; ssl_protocols TLSv1.3;
    ssl_session_cache shared:s:10m;
    location / {{
      proxy_pass https://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Remote-User {USER};
      proxy_set_header Authorization "";
      proxy_ssl_certificate {folder}/proxy.pem; proxy_ssl_certificate_key {folder}/proxy.key;
      proxy_ssl_trusted_certificate {folder}/ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_protocols TLSv1.3;
      proxy_max_temp_file_size 0; proxy_read_timeout 300s;
    }}
    location = /api/v1/pods {{
      proxy_pass https://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Remote-User {USER};
      proxy_set_header Authorization ""; proxy_buffering off; proxy_read_timeout 300s;
      proxy_ssl_certificate {folder}/proxy.pem; proxy_ssl_certificate_key {folder}/proxy.key;
      proxy_ssl_trusted_certificate {folder}/ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_protocols TLSv1.3;
    }}
  }}
}}
""")
    return Server("nginx", ["nginx", "-p", folder, "-c", folder / "nginx.conf"], port, cpu)


def haproxy(folder, up, cpu):
    port = free_port()
    # HAProxy logs to a socket, not to a file: a small reader of ours writes the lines, outside of what is measured.
    (folder / "haproxy.cfg").write_text(f"""
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
  http-request set-header X-Remote-User {USER}
  http-request del-header Authorization
  default_backend api
backend api
  server a 127.0.0.1:{up.port} ssl verify required ca-file {folder}/ca.pem crt {folder}/proxy.both sni str(localhost) verifyhost localhost alpn http/1.1
""")
    return Server("haproxy", ["haproxy", "-db", "-f", folder / "haproxy.cfg"], port, cpu)


def policy(folder, rules):
    """A policy of so many rules, none of which means the measured requests, all of which have to be told so."""
    lines = ["apiVersion: sallyport.dev/v1alpha1", "kind: AccessPolicy", f"metadata: {{name: rules-{rules}}}", "rules:"]
    for number in range(rules):
        lines += [f"- name: rule-{number}", "  deny:"]
        kind = number % 4
        if kind == 0:
            lines += [f"  - {{verbs: [delete, create], resources: [configmaps], namespaces: [team-{number}]}}"]
        elif kind == 1:
            lines += [f"  - {{resources: [secrets, \"resource{number}\"]}}"]
        elif kind == 2:
            lines += [f"  - {{paths: [\"/debug/{number}/**\"]}}"]
        else:
            lines += ["  - {resources: [\"*\"], verbs: [\"*\"]}"]
        lines += [f"  only: {{groups: [group-{number}]}}"]
    (folder / f"rules-{rules}.yaml").write_text("\n".join(lines) + "\n")


PASSWORDS = """
  passwords:
  - passwordFile: {file: users.yaml}"""
REQUEST_HEADERS = "requestHeaders: {{certificateFile: {folder}/proxy.pem, privateKeyFile: {folder}/proxy.key}}"


def sallyport(folder, up, cpu, binary, name="sallyport", rules=100, authentication=PASSWORDS, authenticate="[clientCertificate, password]",
              credential=None, audit="{directory: audit, rotate: {compress: false}}", more="", files=None):
    """The gateway, with one event loop. Its log is not compressed, as the peers' are not; what that costs has a row of its own.

    `rules` is the number of its policy's; `authentication`, `credential`, `audit` and `more` are parts of its configuration, and
    `files` what lies beside that, by name."""
    port = free_port()
    home = folder / f"gateway-{port}"
    home.mkdir()
    hashed = subprocess.run(["openssl", "passwd", "-6", "-salt", "benchbench", PASSWORD], check=True, capture_output=True, text=True)
    (home / "users.yaml").write_text(f"users:\n- name: {USER}\n  passwordHash: \"{hashed.stdout.strip()}\"\n  groups: [view]\n")
    for file, text in (files or {}).items():
        (home / file).write_text(text)
        (home / file).chmod(0o600)
    policies = ""
    if rules:
        policy(folder, rules)
        policies = f"policy: {{files: [{folder}/rules-{rules}.yaml]}}"
    (home / "sallyport.yaml").write_text(f"""
apiVersion: sallyport.dev/v1alpha1
kind: Gateway
server: {{eventLoops: 1}}
listeners:
- name: main
  address: 127.0.0.1:{port}
  tls: {{certificateFile: {folder}/server.pem, privateKeyFile: {folder}/server.key, clientCAFile: {folder}/ca.pem, minimumVersion: "1.3"}}
  limits: {{connections: 8192, connectionsPerAddress: 8192}}
authentication:
  clientCertificates: {{username: subject.commonName, groups: subject.organization}}{authentication}
credentials:
- name: measured
  {credential or REQUEST_HEADERS.format(folder=folder)}
upstreams:
- name: kubernetes
  kind: kubernetes
  servers: [https://127.0.0.1:{up.port}]
  caFile: {folder}/ca.pem
  serverName: localhost
routes:
- name: api
  match: {{path: /}}
  upstream: kubernetes
  credential: measured
  authenticate: {authenticate}
{policies}
{more}
audit: {audit}
""")
    return Server(name, [binary, "serve", "--config", home / "sallyport.yaml"], port, cpu)
