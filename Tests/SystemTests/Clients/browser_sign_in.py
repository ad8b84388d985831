"""Signs in and out with headless Chromium, as people do, and takes pictures of every page.

Usage: browser_sign_in.py URL CA.pem CLIENT.p12 FOLDER

The gateway at URL has bob's password and believes the client certificate (alice's). Pictures go into FOLDER. Prints what was
seen as one JSON object; ends with 1 and says what it was if something is not as it should be.
"""

import json
import os
import subprocess
import sys

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

url, authority, client, folder = sys.argv[1:5]
PASSWORD = "correct horse 17"
WIDTHS = {"wide": 1200, "narrow": 360}
seen = {"pictures": []}


def check(condition, message):
    if not condition:
        raise AssertionError(message)


class Browser:
    """A Chromium with a home of its own, and so with certificates of its own."""

    def __init__(self, name, certificate=None):
        home = os.path.join(folder, "home-" + name)
        database = os.path.join(home, ".pki/nssdb")
        os.makedirs(database)
        store = "sql:" + database
        run = lambda *command: subprocess.run(command, check=True, capture_output=True)
        run("certutil", "-d", store, "-N", "--empty-password")
        run("certutil", "-d", store, "-A", "-n", "gateway", "-t", "C,,", "-i", authority)
        program = "/usr/bin/chromium"
        if certificate:
            run("pk12util", "-d", store, "-i", certificate, "-W", "secret")
            # Which certificate to show is a policy; where policies stand, this browser alone sees another folder.
            policies = os.path.join(home, "etc/policies/managed")
            os.makedirs(policies)
            with open(os.path.join(policies, "sallyport.json"), "w") as file:
                json.dump({"AutoSelectCertificateForUrls": [json.dumps({"pattern": url, "filter": {}})]}, file)
            program = os.path.join(home, "chromium")
            with open(program, "w") as file:
                file.write(
                    "#!/bin/sh\nexec unshare --map-root-user --mount sh -c "
                    f"'mount --bind {home}/etc /etc/chromium && exec /usr/bin/chromium \"$@\"' chromium \"$@\"\n")
            os.chmod(program, 0o755)
        options = Options()
        options.binary_location = program
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
            "--lang=en", "--user-data-dir=" + os.path.join(home, "profile"),
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver", env={**os.environ, "HOME": home}))
        self.driver.set_page_load_timeout(60)

    def go(self, path):
        self.driver.get(url + path)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def has(self, selector):
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    @property
    def path(self):
        return self.driver.current_url.removeprefix(url)

    @property
    def text(self):
        return self.find("body").text

    def wait(self, condition, what):
        WebDriverWait(self.driver, 30).until(lambda _: condition(), what)

    def sign_in(self, name, password):
        self.find("#username").clear()
        self.find("#username").send_keys(name)
        self.find("#password").send_keys(password, Keys.ENTER)

    def pictures(self, name):
        """The page as it is shown, at two widths, in the light and in the dark."""
        for scheme in ("light", "dark"):
            self.driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            for width_name, width in WIDTHS.items():
                self.driver.execute_cdp_cmd(
                    "Emulation.setDeviceMetricsOverride",
                    {"width": width, "height": 760, "deviceScaleFactor": 1, "mobile": False})
                overflow = self.driver.execute_script(
                    "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                check(overflow <= 0, f"{name} is {overflow} pixels wider than a window of {width}")
                file = f"{name}-{width_name}-{scheme}.png"
                self.driver.save_screenshot(os.path.join(folder, file))
                seen["pictures"].append(file)
        self.contrast(name)
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def contrast(self, name):
        """Text is told from what is behind it by 4.5 to 1 (WCAG 2.2, 1.4.3), in both schemes."""
        for scheme in ("light", "dark"):
            self.driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            poor = self.driver.execute_script("""
                const channels = c => c.match(/[\\d.]+/g).map(Number);
                const light = c => { const f = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
                  const [r, g, b] = channels(c); return .2126 * f(r) + .7152 * f(g) + .0722 * f(b) };
                const behind = e => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor);
                  if (c.length < 4 || c[3] > 0) return getComputedStyle(e).backgroundColor } return "rgb(255,255,255)" };
                return [...document.querySelectorAll("main *")].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
                  .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
                    return [e.tagName, e.textContent.trim().slice(0, 30), (a + .05) / (b + .05)] }).filter(r => r[2] < 4.5)""")
            check(not poor, f"{name}, {scheme}: too little contrast: {poor}")

    def accessible(self, name):
        """What a screen reader needs: a language, a title, one heading of the first level, a name for everything to act on."""
        faults = self.driver.execute_script("""
            const faults = [];
            if (!document.documentElement.lang) faults.push("no language");
            if (!document.title) faults.push("no title");
            if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
            if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
            for (const e of document.querySelectorAll("input:not([type=hidden])"))
              if (!e.labels.length) faults.push("no label: " + e.outerHTML);
            for (const e of document.querySelectorAll("button, a")) if (!e.textContent.trim()) faults.push("no name: " + e.outerHTML);
            for (const e of document.querySelectorAll("[aria-describedby],[aria-labelledby]"))
              for (const a of ["aria-describedby", "aria-labelledby"])
                if (e.getAttribute(a) && !document.getElementById(e.getAttribute(a))) faults.push("leads nowhere: " + e.outerHTML);
            for (const e of document.querySelectorAll("button, a.button, input:not([type=hidden])"))
              if (e.getBoundingClientRect().height < 43.5) faults.push("too low to be hit: " + e.outerHTML);
            if (getComputedStyle(document.body).display !== "flex") faults.push("no style: the policy refused it");
            return faults""")
        check(not faults, f"{name}: {faults}")
        errors = [entry["message"] for entry in self.driver.get_log("browser") if "favicon" not in entry["message"]]
        errors = [message for message in errors if "the server responded with a status of" not in message]
        check(not errors, f"{name}: the browser complains: {errors}")


def by_form():
    browser = Browser("bob")
    try:
        browser.go("/version?pretty=1")
        check(browser.path == "/.sallyport/sign-in?return=/version%3Fpretty%3D1", f"led to {browser.path}")
        browser.accessible("sign-in")
        browser.pictures("sign-in")
        check(browser.driver.switch_to.active_element.get_attribute("id") == "username", "the name is not where typing begins")
        # By keyboard alone.
        browser.sign_in("bob", "not this one")
        browser.wait(lambda: browser.has("[role=alert]"), "an alert")
        check(browser.find("#username").get_attribute("value") == "bob", "the name is gone")
        check(browser.find("#password").get_attribute("value") == "", "the password came back")
        check(browser.driver.switch_to.active_element.get_attribute("id") == "password", "the password is not where typing goes on")
        browser.accessible("wrong-password")
        browser.pictures("wrong-password")
        browser.sign_in("bob", PASSWORD)
        browser.wait(lambda: browser.path == "/version?pretty=1", "the way back")
        check("gitVersion" in browser.text, browser.text)

        cookie = browser.driver.get_cookie("__Host-sallyport-session")
        check(cookie and cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Lax" and cookie["path"] == "/", str(cookie))
        check("sallyport" not in browser.driver.execute_script("return document.cookie"), "a script reads the cookie")

        # A second tab is signed in, too.
        first = browser.driver.current_window_handle
        browser.driver.switch_to.new_window("tab")
        browser.go("/.sallyport/whoami")
        check("bob" in browser.text and "edit" in browser.text, browser.text)
        check('username: "bob"' in browser.find("pre").text and PASSWORD not in browser.driver.page_source, "the kubeconfig")
        browser.accessible("whoami")
        browser.pictures("whoami")
        browser.go("/.sallyport/sign-in")
        check("You are signed in as bob" in browser.text, browser.text)
        browser.pictures("signed-in")
        # Signed out in the second tab, the first is signed out as well.
        browser.go("/.sallyport/sign-out")
        browser.accessible("sign-out")
        browser.pictures("sign-out")
        browser.find("button").click()
        browser.wait(lambda: "You are signed out" in browser.text, "the end of the session")
        browser.accessible("signed-out")
        browser.pictures("signed-out")
        check(not browser.driver.get_cookie("__Host-sallyport-session"), "the cookie stays")
        browser.driver.switch_to.window(first)
        answer = browser.driver.execute_async_script(
            "fetch('/version').then(a => arguments[0]([a.status, a.redirected, a.headers.get('www-authenticate')]))")
        seen["fetched"] = answer
        browser.driver.refresh()
        check(browser.path.startswith("/.sallyport/sign-in?return=/version"), f"refreshed to {browser.path}")

        # Two tabs with a form each; both forms count.
        browser.driver.switch_to.new_window("tab")
        browser.go("/.sallyport/sign-in?return=/.sallyport/whoami")
        browser.sign_in("bob", PASSWORD)
        browser.wait(lambda: browser.path == "/.sallyport/whoami", "whoami")
        browser.driver.switch_to.window(first)
        browser.sign_in("bob", PASSWORD)
        browser.wait(lambda: browser.path == "/version?pretty=1", "the first tab's own place")

        browser.go("/.sallyport/nothing-here")
        browser.pictures("not-found")
        seen["form"] = "bob"
    finally:
        browser.driver.quit()


def by_certificate():
    browser = Browser("alice", certificate=client)
    try:
        browser.go("/.sallyport/whoami")
        check(browser.path == "/.sallyport/sign-in?return=/.sallyport/whoami", f"led to {browser.path}")
        check("alice" in browser.text, browser.text)
        browser.accessible("certificate")
        browser.pictures("certificate")
        browser.find("button[value=certificate]").click()
        browser.wait(lambda: browser.path == "/.sallyport/whoami", "whoami")
        check("alice" in browser.text and "client certificate" in browser.text, browser.text)
        browser.pictures("whoami-certificate")
        stolen = browser.driver.get_cookie("__Host-sallyport-session")["value"]
        seen["certificate"] = "alice"
    finally:
        browser.driver.quit()
    thief = Browser("thief")
    try:
        thief.go("/.sallyport/sign-in")
        thief.driver.add_cookie(
            {"name": "__Host-sallyport-session", "value": stolen, "path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax"})
        thief.go("/version")
        check(thief.path.startswith("/.sallyport/sign-in"), "a stolen cookie let somebody in without the certificate")
    finally:
        thief.driver.quit()


try:
    by_form()
    by_certificate()
except Exception as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(1)
print(json.dumps(seen))
