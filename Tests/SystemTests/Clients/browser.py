"""Headless Chromium, as the tests of pages drive it: a home of its own, pictures of pages, and what makes pages fit for everybody."""

import dataclasses
import json
import os
import subprocess
import sys

from axe_core_python.base import AXE_SCRIPT
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

WIDTHS = {"wide": 1280, "narrow": 360}


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def report(seen, *acts):
    """Does what is to be done, and prints what was seen as one JSON object; ends with 1 and says what was not as it should be."""
    try:
        for act in acts:
            act()
    except Exception as error:  # Whatever it is, the test that started this is to read it.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    print(json.dumps(seen()))


@dataclasses.dataclass
class Site:
    """Where the gateway is, and what was seen of it."""

    url: str
    authority: str
    folder: str
    pictures: list = dataclasses.field(default_factory=list)
    # How often axe-core looked at a page.
    looks: int = 0


class Browser:
    """A Chromium with a home of its own, and so with certificates of its own."""

    def __init__(self, site, name, certificate=None):
        self.site = site
        home = os.path.join(site.folder, "home-" + name)
        database = os.path.join(home, ".pki/nssdb")
        os.makedirs(database)
        store = "sql:" + database
        run = lambda *command: subprocess.run(command, check=True, capture_output=True)
        run("certutil", "-d", store, "-N", "--empty-password")
        run("certutil", "-d", store, "-A", "-n", "gateway", "-t", "C,,", "-i", site.authority)
        program = "/usr/bin/chromium"
        if certificate:
            run("pk12util", "-d", store, "-i", certificate, "-W", "secret")
            # Which certificate to show is a policy; where policies stand, this browser alone sees another folder.
            policies = os.path.join(home, "etc/policies/managed")
            os.makedirs(policies)
            with open(os.path.join(policies, "sallyport.json"), "w") as file:
                json.dump({"AutoSelectCertificateForUrls": [json.dumps({"pattern": site.url, "filter": {}})]}, file)
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
        self.driver.get(self.site.url + path)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def has(self, selector):
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    @property
    def path(self):
        return self.driver.current_url.removeprefix(self.site.url)

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
        """The page as it is shown, at two widths, in the light and in the dark; axe-core looks at each."""
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
                self.driver.save_screenshot(os.path.join(self.site.folder, file))
                self.site.pictures.append(file)
                self.axe(f"{name}, {scheme}, {width}")
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def axe(self, name):
        """No finding of axe-core's that it calls serious or critical."""
        if not self.driver.execute_script("return typeof axe === 'object'"):
            self.driver.execute_script(AXE_SCRIPT)
        found = self.driver.execute_async_script("axe.run({resultTypes: ['violations']}).then(arguments[0], e => arguments[0](String(e)))")
        check(isinstance(found, dict) and found["passes"], f"{name}: axe did not run: {found}")
        self.site.looks += 1
        serious = [
            (violation["id"], violation["help"], [node["html"][:200] for node in violation["nodes"]])
            for violation in found["violations"] if violation["impact"] in ("serious", "critical")
        ]
        check(not serious, f"{name}: axe-core finds {serious}")

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
        self.quiet(name)

    def quiet(self, name):
        """Nothing on the browser's console but the answers that were asked for; a page that its policy hinders says so there."""
        errors = [entry["message"] for entry in self.driver.get_log("browser") if "favicon" not in entry["message"]]
        errors = [message for message in errors if "the server responded with a status of" not in message]
        check(not errors, f"{name}: the browser complains: {errors}")
