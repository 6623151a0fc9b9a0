"""Chromium and the pages that it opens."""

import importlib.util
import os
import shutil
from pathlib import Path

import debian
import pytest
from browser_page import DESK, N_FEW, N_MODELS
from made_up_page import made_up

from selfdoubt.report.page import render

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_file() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def browser():
    if browser_file() is None:
        if not (debian.is_debian() and os.getuid() == 0):
            pytest.skip("test-browser is left out: it needs Chromium, or root on Debian to install it")
        debian.install(("chromium",), ("chromium",))
    assert importlib.util.find_spec("playwright"), "`make browser` installs what is missing"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.getuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=browser_file(), args=options)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("figures"), N_MODELS)


@pytest.fixture(scope="module")
def pages(data, tmp_path_factory) -> dict[str, Path]:
    """Pages by name: of made-up numbers a large and a small one, and the one that was asked for."""
    folder = tmp_path_factory.mktemp("pages")
    for name, shown in (("made-up", data), ("small", made_up(folder, N_FEW))):
        (folder / f"{name}.html").write_text(render(shown), encoding="utf-8")
    given = {"given": Path(os.environ["PAGE"]).resolve()} if "PAGE" in os.environ else {}
    return {name: folder / f"{name}.html" for name in ("made-up", "small")} | given


@pytest.fixture
def opened(browser, pages):
    """A function that opens a page and notes what it reports and asks for; both are empty at the end of a test."""
    contexts, noted = [], []

    def open_page(name: str = "made-up", viewport: dict = DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        context.set_offline(True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noted.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: noted.append(f"error: {error}"))
        page.on(
            "request", lambda request: noted.append(f"request: {request.url[:99]}") if is_foreign(request) else None
        )
        page.goto(pages[name].as_uri())
        return page

    def is_foreign(request) -> bool:
        return not request.url.startswith(("data:", "blob:")) and not request.is_navigation_request()

    yield open_page
    for context in contexts:
        context.close()
    assert noted == []
