"""A person with a real browser: headless Chromium, driven through the server's pages to the program's own page."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.processes import marked
from tests.support.real_parts import program

SECONDS = 120.0
STEPS = 10  # a code sign-in takes three pages, a device sign-in five
WINDOW = (1000, 700)
# Still loading, or a form that is about to send itself. One script, so that both are asked of the same page.
PAGE_IS_MOVING = "return document.readyState != 'complete' || document.title == 'Submitting Callback'"


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the person saw last."""

    url: str
    title: str
    text: str
    screenshot: Path | None = None


def sign_in(
    authorization_url: str,
    login: str = "alice",
    password: str = "x",
    *,
    deny: bool = False,
    screenshot: Path | None = None,
) -> Page:
    """Follow an authorization URL through login and consent to the page that the program itself answers with.

    `deny` cancels at the first page. A `screenshot` is a path that ends in .png.
    """
    with _browser() as driver:
        driver.get(authorization_url)
        _through_the_pages(driver, login, password, deny=deny)
        return _page(driver, screenshot)


def approve_device(
    verification_uri_complete: str,
    login: str = "alice",
    password: str = "x",
    *,
    deny: bool = False,
    screenshot: Path | None = None,
) -> Page:
    """Confirm the code of a device, sign in, consent, and come to the server's own last page.

    With `deny` the code is refused where it is to be confirmed.
    """
    with _browser() as driver:
        driver.get(verification_uri_complete)
        _through_the_pages(driver, login, password, deny=deny)
        return _page(driver, screenshot)


def look_at(url: str, screenshot: Path | None = None) -> Page:
    """Open any page, to see how it comes out."""
    with _browser() as driver:
        driver.get(url)
        return _page(driver, screenshot)


@contextmanager
def _browser() -> Iterator[Chrome]:
    chromium, chromedriver = program("chromium"), program("chromedriver")
    with tempfile.TemporaryDirectory(prefix="tokenctl-chromium-", ignore_cleanup_errors=True) as folder:
        options = ChromeOptions()
        options.binary_location = chromium
        for flag in (
            "headless",
            "no-sandbox",  # tests may run as root
            "disable-gpu",
            "disable-dev-shm-usage",
            "disable-quic",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "password-store=basic",
            "no-proxy-server",
            # The server's pages ask for a web font: a name that does not resolve is answered at once.
            "host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost , EXCLUDE ::1",
            f"user-data-dir={folder}/profile",
            f"window-size={WINDOW[0]},{WINDOW[1]}",
        ):
            options.add_argument(f"--{flag}")
        # Both paths are given, so that selenium never looks for a download; the browser gets a home of its own and
        # no session bus.
        environ = {"PATH": os.environ.get("PATH", ""), "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", **marked()}
        driver = Chrome(options=options, service=Service(chromedriver, env=environ))
        try:
            driver.set_page_load_timeout(SECONDS)
            yield driver
        finally:
            driver.quit()


def _through_the_pages(driver: Chrome, login: str, password: str, *, deny: bool) -> None:
    server = urlsplit(driver.current_url).netloc
    for _ in range(STEPS):
        button = WebDriverWait(driver, SECONDS).until(lambda _: _next_button(driver, server, deny=deny))
        if not isinstance(button, WebElement):
            return
        for name, value in (("login", login), ("password", password)):
            for field in driver.find_elements(By.CSS_SELECTOR, f"input[name={name}]"):
                field.clear()
                field.send_keys(value)
        button.click()
        WebDriverWait(driver, SECONDS).until(partial(_is_gone, button))
    raise RuntimeError(f"still not signed in after {STEPS} pages: {driver.current_url}")


def _is_gone(element: WebElement, _: Chrome) -> bool:
    """Whether the page that the element was on has gone; while it goes, Chromium says so in two ways."""
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as reason:
        if "does not belong to the document" in str(reason):
            return True
        raise
    return False


def _next_button(driver: Chrome, server: str, *, deny: bool) -> WebElement | bool:
    """The button to press now; True at the journey's end, False while a page is still on its way."""
    if driver.execute_script(PAGE_IS_MOVING):
        return False
    if urlsplit(driver.current_url).netloc != server:
        return True
    refusals = driver.find_elements(By.CSS_SELECTOR, "a[href$='/abort'], button[name=abort]")
    if deny and refusals:
        return refusals[0]
    buttons = driver.find_elements(By.CSS_SELECTOR, "button[type=submit]:not([name=abort])")
    if not buttons or _asks_for_a_code(driver):
        return True
    return buttons[0]


def _asks_for_a_code(driver: Chrome) -> bool:
    """Where a device sign-in that was refused or has expired ends: at the empty form for another code."""
    return bool(driver.find_elements(By.CSS_SELECTOR, "input[type=text][name=user_code]"))


def _page(driver: Chrome, screenshot: Path | None) -> Page:
    if screenshot is not None:
        driver.save_screenshot(str(screenshot))
    text = driver.find_element(By.TAG_NAME, "body").text
    return Page(url=driver.current_url, title=driver.title, text=text, screenshot=screenshot)
