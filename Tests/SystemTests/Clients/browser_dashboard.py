"""Works with the practice dashboard by headless Chromium: by people of a directory and by one with a certificate.

Usage: browser_dashboard.py URL CA.pem CLIENT.p12 SERVER.pem SERVER.key FOLDER

The gateway at URL knows alice (group view) and bob (group edit) by a directory, and believes the client certificate (eve's, group
edit). SERVER.pem and SERVER.key are a certificate of 127.0.0.1 for a page of another origin. Pictures go into FOLDER. Prints what
was seen as one JSON object; ends with 1 and says what it was if something is not as it should be.
"""

import http.server
import ssl
import sys
import threading

from selenium.webdriver.common.keys import Keys

from browser import Browser, Site, check, report

url, authority, client, certificate, key, folder = sys.argv[1:7]
site = Site(url, authority, folder)
POD = "/dashboard/namespaces/dev/pods/web-0"
seen = {}


def password(name):
    return name + "-password-9"


def signed_in(name, home=None):
    path = "/dashboard/"
    browser = Browser(site, home or name)
    browser.go(path)
    check(browser.path == "/.sallyport/sign-in?return=" + path, f"led to {browser.path}")
    browser.sign_in(name, password(name))
    browser.wait(lambda: browser.path == path, f"the way back to {path}; is at {browser.path}: {browser.text}")
    return browser


def fetched(browser, path):
    """Status, and whether there was a redirect, of what a script of the page asks for."""
    return browser.driver.execute_async_script(
        "fetch(arguments[0]).then(a => arguments[1]([a.status, a.redirected]), e => arguments[1](String(e)))", path)


def navigation(browser, fact):
    """What the browser itself knows of how the page came."""
    return browser.driver.execute_script("return performance.getEntriesByType('navigation')[0][arguments[0]]", fact)


def by_the_directory():
    alice = signed_in("alice")
    try:
        check("signed in as alice" in alice.text and "view" in alice.text, alice.text)
        seen["protocol"] = navigation(alice, "nextHopProtocol")
        alice.accessible("dashboard")
        alice.pictures("dashboard")
        alice.find("a[href$='/namespaces/dev']").click()
        alice.wait(lambda: alice.path == "/dashboard/namespaces/dev", "the pods")
        check("web-0" in alice.text and "Running" in alice.text, alice.text)
        alice.accessible("pods")
        alice.pictures("pods")
        alice.find("a[href$='/secrets']").click()
        alice.wait(lambda: alice.path.endswith("/secrets"), "the page about secrets")
        check("403" in alice.text and "You may not see secrets in dev" in alice.text and "web-login" not in alice.text, alice.text)
        seen["secretsForAlice"] = navigation(alice, "responseStatus")
        alice.accessible("secrets-refused")
        alice.pictures("secrets-refused")
        # She may look at a pod, and not go in.
        alice.go(POD + "/terminal")
        alice.wait(lambda: 'cannot get resource "pods/exec"' in alice.find("[role=status]").text, "the reason why not")
        alice.quiet("a refused terminal")
        alice.pictures("terminal-refused")
    finally:
        alice.driver.quit()


def bobs_view_and_terminal():
    bob = signed_in("bob")
    try:
        bob.go("/dashboard/namespaces/dev/secrets")
        check("web-login" in bob.text and "cHJhY3RpY2U=" not in bob.driver.page_source, bob.text)
        bob.accessible("secrets")
        bob.pictures("secrets")
        bob.go(POD)
        bob.accessible("pod")
        bob.pictures("pod")
        bob.find("a.button").click()
        opened(bob)
        first = bob.driver.current_window_handle
        # By keyboard alone: the line has the focus.
        line = bob.driver.switch_to.active_element
        check(line.get_attribute("id") == "line", "typing does not begin in the line")
        line.send_keys("hostname", Keys.ENTER)
        bob.wait(lambda: "hostname\nweb-0\n$ " in shown(bob), "what hostname says")
        line.send_keys("cat", Keys.ENTER)
        line.send_keys("grüße <b>", Keys.ENTER)
        bob.wait(lambda: shown(bob).count("grüße <b>\n") == 2, "the echo and what cat says")
        seen["typed"] = shown(bob)
        bob.accessible("terminal")
        bob.pictures("terminal")
        bob.find("[data-key='3']").click()
        bob.wait(lambda: shown(bob).endswith("^C\n$ "), "the end of cat")
        bob.find("[data-key='4']").click()
        bob.wait(lambda: "sh has ended with code 130" in bob.find("[role=status]").text, "the end of the shell")
        bob.quiet("the end of a terminal")
        bob.pictures("terminal-ended")
        bob.find("[data-again]").click()
        opened(bob)

        # Signed out in another tab, the terminal is cut at once, and its page is nobody's any more.
        bob.driver.switch_to.new_window("tab")
        bob.go("/.sallyport/sign-out")
        bob.find("button").click()
        bob.wait(lambda: "You are signed out" in bob.text, "the end of the session")
        bob.driver.switch_to.window(first)
        bob.wait(lambda: "You may have been signed out" in bob.find("[role=status]").text, "the cut")
        seen["afterSignOut"] = fetched(bob, "/dashboard/")
        bob.find("[data-again]").click()
        bob.wait(lambda: "could not be opened" in bob.find("[role=status]").text, "a refusal")
        bob.driver.refresh()
        check(bob.path.startswith("/.sallyport/sign-in?return=" + POD), f"refreshed to {bob.path}")
    finally:
        bob.driver.quit()


def shown(browser):
    return browser.driver.execute_script("return document.querySelector('pre').textContent")


def opened(browser):
    browser.wait(lambda: browser.has("[role=status]") and "Connected" in browser.find("[role=status]").text, "a terminal")
    browser.wait(lambda: shown(browser).endswith("$ "), "a prompt")


def by_certificate():
    eve = Browser(site, "eve", certificate=client)
    try:
        eve.go("/dashboard/")
        eve.find("button[value=certificate]").click()
        eve.wait(lambda: eve.path == "/dashboard/", "the dashboard")
        check("signed in as eve" in eve.text, eve.text)
        eve.go(POD + "/terminal")
        opened(eve)
        eve.quiet("a terminal by certificate")
        seen["certificate"] = "eve"
    finally:
        eve.driver.quit()


def from_another_origin():
    """A page at another port of the same host: to cookies it is the same site, so that the session's goes along."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = b"<!doctype html><title>another origin</title>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    socket = """
        const socket = new WebSocket(arguments[0], ["v5.channel.k8s.io"]);
        socket.onopen = () => { arguments[1]("open"); socket.close() };
        socket.onerror = () => arguments[1]("refused")"""
    target = url.replace("https:", "wss:") + POD + "/exec"
    bob = signed_in("bob", "other")
    try:
        bob.go(POD + "/terminal")
        opened(bob)
        check(bob.driver.execute_async_script(socket, target) == "open", "the page's own origin is refused")
        bob.driver.get(f"https://127.0.0.1:{server.server_address[1]}/")
        check(bob.driver.title == "another origin", "the other origin's page")
        seen["foreign"] = bob.driver.execute_async_script(socket, target)
    finally:
        bob.driver.quit()
        server.shutdown()


report(
    lambda: {**seen, "pictures": site.pictures, "looks": site.looks}, by_the_directory, bobs_view_and_terminal, by_certificate,
    from_another_origin)
