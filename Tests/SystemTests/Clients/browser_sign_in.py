"""Signs in and out with headless Chromium, as people do, and takes pictures of every page.

Usage: browser_sign_in.py URL CA.pem CLIENT.p12 FOLDER

The gateway at URL has bob's password and believes the client certificate (alice's). Pictures go into FOLDER. Prints what was
seen as one JSON object; ends with 1 and says what it was if something is not as it should be.
"""

import sys

from browser import Browser, Site, check, report

url, authority, client, folder = sys.argv[1:5]
PASSWORD = "correct horse 17"
site = Site(url, authority, folder)
seen = {}


def by_form():
    browser = Browser(site, "bob")
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
    browser = Browser(site, "alice", certificate=client)
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
    thief = Browser(site, "thief")
    try:
        thief.go("/.sallyport/sign-in")
        thief.driver.add_cookie(
            {"name": "__Host-sallyport-session", "value": stolen, "path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax"})
        thief.go("/version")
        check(thief.path.startswith("/.sallyport/sign-in"), "a stolen cookie let somebody in without the certificate")
    finally:
        thief.driver.quit()


report(lambda: {**seen, "pictures": site.pictures, "looks": site.looks}, by_form, by_certificate)
