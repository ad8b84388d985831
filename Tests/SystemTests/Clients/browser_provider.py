"""Signs in and out by way of an OpenID provider with headless Chromium, as people do.

Usage: browser_provider.py URL CA.pem PROVIDER_URL FOLDER

The gateway at URL leads to the provider, which knows alice and her password. Both are of one authority, and of two sites: what
comes back comes from another one. Pictures go into FOLDER. Prints what was seen as one JSON object; ends with 1 and says what it
was if something is not as it should be.
"""

import sys
import urllib.parse

from browser import Browser, Site, check, report
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

url, authority, provider, folder = sys.argv[1:5]
site = Site(url, authority, folder)
seen = {}


def at_provider(browser):
    return browser.driver.current_url.startswith(provider)


def by_provider():
    browser = Browser(site, "alice")
    try:
        browser.go("/.sallyport/whoami")
        check(browser.path == "/.sallyport/sign-in?return=/.sallyport/whoami", f"led to {browser.path}")
        button = browser.find("button[value=oidc]")
        check(button.text == "Continue with Glewlwyd", button.text)
        browser.accessible("provider")
        browser.pictures("provider")
        # By keyboard.
        browser.find("button[value=oidc]").send_keys(Keys.ENTER)
        browser.wait(lambda: at_provider(browser) and browser.has("#username"), "the provider's page")
        flows = [cookie for cookie in browser.driver.get_cookies() if "sallyport" in cookie["name"]]
        check(not flows, f"the provider's site has {flows}")
        browser.sign_in("alice", "alice-password")
        browser.wait(lambda: browser.path == "/.sallyport/whoami", "the way back")
        # What the console says of the provider's page is the provider's.
        browser.driver.get_log("browser")
        seen["whoami"] = browser.text
        check("alice@example.org" in browser.text and "staff" in browser.text, browser.text)
        browser.accessible("whoami-provider")
        browser.pictures("whoami-provider")
        cookie = browser.driver.get_cookie("__Host-sallyport-session")
        check(cookie and cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Lax", str(cookie))
        names = [cookie["name"] for cookie in browser.driver.get_cookies()]
        check(not any("flow" in name for name in names), f"a sign-in's cookie stays: {names}")

        # The page that leads on shows for a moment only: its text is taken, and shown without what leads on.
        browser.go("/version")
        page = browser.driver.execute_async_script("""
            const done = arguments[0];
            fetch("/.sallyport/sign-in").then(answer => answer.text()).then(text => {
              const form = new DOMParser().parseFromString(text, "text/html").querySelector("form.way");
              const body = new URLSearchParams(new FormData(form));
              body.set("by", "oidc");
              return fetch("/.sallyport/sign-in", {method: "POST", body});
            }).then(answer => answer.text()).then(done, error => done(String(error)))""")
        lines = [line for line in page.splitlines() if 'http-equiv="refresh"' not in line]
        check(len(lines) == len(page.splitlines()) - 1, page)
        browser.driver.get("data:text/html;charset=utf-8," + urllib.parse.quote("\n".join(lines)))
        browser.accessible("onward")
        browser.pictures("onward")

        # Out here, and on to the provider.
        browser.go("/.sallyport/whoami")
        browser.find("form button").click()
        browser.wait(lambda: at_provider(browser), "the provider's end of the session")
        seen["end"] = browser.driver.current_url.removeprefix(provider).split("?")[0]
        browser.go("/.sallyport/whoami")
        check(browser.path.startswith("/.sallyport/sign-in"), f"still at {browser.path}")
        check(not browser.driver.find_elements(By.CSS_SELECTOR, "[role=alert]"), browser.text)
    finally:
        browser.driver.quit()


report(lambda: seen | {"pictures": site.pictures}, by_provider)
