"""Sets a glewlwyd up as an OpenID provider, and gets tokens from it as its clients do.

Usage: glewlwyd.py PORT CA KEY setup | client GATEWAY_URL | tokens | rotate | revoke TOKEN

KEY is the file of the signing key, beside which its public half stands as KEY.pub. `tokens` prints what the code flow of a
browser that has signed in as alice ends with (id_token, access_token, refresh_token), as JSON.
"""

import base64
import http.client
import json
import ssl
import sys
import urllib.parse

port, authority, key, command, *rest = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
REDIRECT = "https://client.example.org/callback"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"web:web-secret").decode()}


class Browser:
    """One user agent with its cookies."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body=None, form=None, headers=None):
        connection = http.client.HTTPSConnection("localhost", int(port), context=context, timeout=60)
        fields = dict(headers or {})
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        data = None
        if body is not None:
            data, fields["Content-Type"] = json.dumps(body), "application/json"
        if form is not None:
            data, fields["Content-Type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
        connection.request(method, path, data, fields)
        answer = connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status >= 400:
            sys.exit(f"{method} {path.split('?')[0]}: {answer.status} {text}")
        return answer, text


def administrator() -> Browser:
    browser = Browser()
    browser.ask("POST", "/api/auth/", {"username": "admin", "password": "password"})
    return browser


def plugin() -> dict:
    """The OpenID provider. Access tokens get the user's attributes as texts, id_tokens their groups as a list."""
    with open(key) as private, open(key + ".pub") as public:
        keys = {"key": private.read(), "cert": public.read()}
    return {
        "module": "oidc", "name": "oidc", "display_name": "OIDC", "enabled": True,
        "parameters": keys | {
            "iss": f"https://localhost:{port}/api/oidc", "jwt-type": "ecdsa", "jwt-key-size": "256", "access-token-duration": 3600,
            "refresh-token-duration": 86400, "code-duration": 600, "refresh-token-rolling": True, "allow-non-oidc": True,
            "auth-type-code-enabled": True, "auth-type-token-enabled": False, "auth-type-id-token-enabled": True,
            "auth-type-none-enabled": False, "auth-type-password-enabled": False, "auth-type-client-enabled": True,
            "auth-type-refresh-enabled": True, "jwks-show": True, "subject-type": "public", "allowed-scope": ["openid"],
            "pkce-allowed": True, "session-management-allowed": True,
            "session-cookie-name": "GLEWLWYD2_OIDC_SID", "session-cookie-expiration": 86400, "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True,
            "introspection-revocation-auth-scope": [], "name-claim": "mandatory", "email-claim": "mandatory", "scope-claim": "no",
            "claims": [
                {"name": "groups", "user-property": "groups", "type": "string", "mandatory": True, "on-demand": False, "scope": []}],
            "additional-parameters": [{"user-parameter": name, "token-parameter": name} for name in ("username", "email")],
        },
    }


def setup() -> None:
    admin = administrator()
    admin.ask("POST", "/api/mod/plugin/", plugin())
    admin.ask("POST", "/api/user/", {
        "username": "alice", "password": "alice-password", "name": "Alice", "email": "alice@example.org", "enabled": True,
        "scope": ["openid"], "groups": ["edit", "staff"]})
    admin.ask("POST", "/api/client/", {
        "client_id": "web", "name": "web", "confidential": True, "password": "web-secret", "redirect_uri": [REDIRECT],
        "token_endpoint_auth_method": ["client_secret_basic"],
        "authorization_type": ["code", "client_credentials", "refresh_token"], "scope": ["openid"], "enabled": True})


def client(gateway: str) -> None:
    """The gateway itself, whose pages people sign in to."""
    administrator().ask("POST", "/api/client/", {
        "client_id": "portal", "name": "portal", "confidential": True, "password": "portal-secret",
        "redirect_uri": [gateway + "/.sallyport/callback"], "post_logout_redirect_uris": gateway + "/.sallyport/sign-out",
        "token_endpoint_auth_method": ["client_secret_basic"],
        "authorization_type": ["code", "refresh_token"], "scope": ["openid"], "enabled": True})


def tokens() -> None:
    user = Browser()
    user.ask("POST", "/api/auth/", {"username": "alice", "password": "alice-password"})
    user.ask("PUT", "/api/auth/grant/web", {"scope": "openid"})
    query = {
        "response_type": "code", "client_id": "web", "redirect_uri": REDIRECT, "scope": "openid", "nonce": "n", "state": "s",
        "g_continue": ""}
    answer, _ = user.ask("GET", "/api/oidc/auth?" + urllib.parse.urlencode(query))
    code = urllib.parse.parse_qs(urllib.parse.urlparse(answer.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "web"}
    print(user.ask("POST", "/api/oidc/token", form=form, headers=BASIC)[1])


def rotate() -> None:
    admin = administrator()
    admin.ask("PUT", "/api/mod/plugin/oidc", plugin())
    admin.ask("PUT", "/api/mod/plugin/oidc/reset/")


def revoke(token: str) -> None:
    Browser().ask("POST", "/api/oidc/revoke", form={"token": token}, headers=BASIC)


{"setup": setup, "client": client, "tokens": tokens, "rotate": rotate, "revoke": revoke}[command](*rest)
