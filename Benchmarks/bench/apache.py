"""Apache as a contender: its directory and its token modules, one process with threads."""

from . import contenders


def server(folder, up, modules, directives, location, environment=()):
    """Ends TLS, has `location` say who the user is, and goes on as the other contenders do."""
    port = contenders.free_port()
    path = folder / f"apache-{port}.conf"
    loaded = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                       for name in ("mpm_event authn_core authz_core authz_user headers proxy proxy_http ssl " + modules).split())
    path.write_text(f"""
{loaded}
ServerName localhost
User nobody
Group nogroup
PidFile {folder}/apache-{port}.pid
ErrorLog {folder}/apache-{port}.err
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
SSLSessionCache none
{directives}
LogFormat "%t %a %u \\"%r\\" %s %B %D \\"%{{User-Agent}}i\\"" one
CustomLog {folder}/apache-{port}.access.log one
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
    {location}
    RequestHeader set X-Remote-User "expr=%{{REMOTE_USER}}"
    RequestHeader unset Authorization
    ProxyPass https://localhost:{up.port}/
  </Location>
</VirtualHost>
""")
    return contenders.Server("apache", ["env", *environment, "/usr/sbin/apache2", "-DFOREGROUND", "-f", path], port, 0)


def by_directory(folder, up, port, suffix):
    """mod_authnz_ldap, which remembers binds and searches as it does by default; the user must be in the group."""
    return server(folder, up, "auth_basic ldap authnz_ldap", "LDAPVerifyServerCert On\nLDAPSharedCacheSize 500000", f"""
    AuthType Basic
    AuthName bench
    AuthBasicProvider ldap
    AuthLDAPURL "ldaps://127.0.0.1:{port}/{suffix}?uid?sub?(objectClass=*)"
    Require ldap-group cn=view,{suffix}""", [f"LDAPTLS_CACERT={folder}/ca.pem"])


def by_jwt(folder, up, issuer):
    """mod_auth_openidc as a resource server: it verifies each token by the issuer's keys, which it fetches once an hour."""
    return _resource_server(folder, up, f"""
OIDCOAuthVerifyJwksUri {issuer}/keys
OIDCOAuthRemoteUserClaim sub""", f"""
    <RequireAll>
      Require claim "iss:{issuer}"
      Require claim "aud:kubernetes"
    </RequireAll>""")


def by_introspection(folder, up, issuer):
    """mod_auth_openidc asking about each token once, and remembering the answer until the token ends."""
    return _resource_server(folder, up, f"""
OIDCOAuthIntrospectionEndpoint {issuer}/introspect
OIDCOAuthIntrospectionEndpointAuth client_secret_basic
OIDCOAuthClientID sallyport
OIDCOAuthClientSecret secret
OIDCOAuthTokenExpiryClaim exp absolute mandatory
OIDCOAuthRemoteUserClaim username""", """
    Require claim groups:view""")


def _resource_server(folder, up, directives, requirement):
    return server(folder, up, "auth_openidc", f"""
OIDCOAuthSSLValidateServer On
OIDCCABundlePath {folder}/ca.pem
OIDCPassClaimsAs none{directives}""", f"""
    AuthType oauth20{requirement}""")
