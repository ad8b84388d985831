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
TERMINAL = "/dashboard/namespaces/dev/pods/web-0/terminal"
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
    # A page whose terminal has ended, and in another session one that has not: that one is in use.
    page, terminal = Browser(site, "page"), Browser(site, "terminal")
    try:
        for browser in terminal, page:
            sign_in(browser, TERMINAL)
            browser.wait(lambda: shown(browser).endswith("$ "), "a prompt")
        page.find("[data-key='4']").click()
        page.wait(lambda: "sh has ended" in page.find("[role=status]").text, "the end of the shell")
        check(fetched(page)[0] == 200, "the page's script is refused too early")
        time.sleep(float(idle) + 1)
        seen["fetched"] = fetched(page)
        page.driver.refresh()
        check(page.path == "/.sallyport/sign-in?return=" + TERMINAL, f"refreshed to {page.path}")
        page.accessible("sign-in-again")
        page.sign_in("bob", "correct horse 17")
        page.wait(lambda: page.path == TERMINAL, "the way back")

        terminal.find("#line").send_keys("hostname", Keys.ENTER)
        terminal.wait(lambda: "hostname\nweb-0\n" in shown(terminal), "what hostname says")
        seen["terminal"] = "open"
    finally:
        page.driver.quit()
        terminal.driver.quit()


report(lambda: seen, leave_it_open)
