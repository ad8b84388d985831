"""Leaves the practice dashboard open in headless Chromium until its session has been idle for too long.

Usage: browser_expiry.py URL CA.pem IDLE FOLDER

The gateway at URL knows bob's password, and ends sessions that nobody uses for IDLE seconds. Prints what was seen as one JSON
object; ends with 1 and says what it was if something is not as it should be.
"""

import sys
import time

from selenium.webdriver.common.keys import Keys

from browser import Browser, Site, check, report

url, authority, idle, folder = sys.argv[1:5]
site = Site(url, authority, folder)
PODS = "/dashboard/namespaces/dev"
seen = {}


def sign_in(browser, path):
    browser.go(path)
    browser.sign_in("bob", "correct horse 17")
    browser.wait(lambda: browser.path == path, f"the way to {path}")


def shown(browser):
    return browser.driver.execute_script("return document.querySelector('pre').textContent")


def fetched(browser):
    return browser.driver.execute_async_script(
        "fetch(location).then(a => arguments[0]([a.status, a.redirected, a.headers.get('www-authenticate')]))")


def leave_it_open():
    # A page alone, and beside it a terminal of another session: that one is in use.
    page, terminal = Browser(site, "page"), Browser(site, "terminal")
    try:
        sign_in(terminal, PODS + "/pods/web-0/terminal")
        terminal.wait(lambda: shown(terminal).endswith("$ "), "a prompt")
        sign_in(page, PODS)
        check(fetched(page)[0] == 200, "the page's script is refused too early")
        time.sleep(float(idle) + 1)
        seen["fetched"] = fetched(page)
        page.driver.refresh()
        check(page.path == "/.sallyport/sign-in?return=" + PODS, f"refreshed to {page.path}")
        page.accessible("sign-in-again")
        page.sign_in("bob", "correct horse 17")
        page.wait(lambda: page.path == PODS, "the way back")

        terminal.find("#line").send_keys("hostname", Keys.ENTER)
        terminal.wait(lambda: "hostname\nweb-0\n" in shown(terminal), "what hostname says")
        seen["terminal"] = "open"
    finally:
        page.driver.quit()
        terminal.driver.quit()


report(lambda: seen, leave_it_open)
