"""What the tests of the page in Chromium share: screens, names of pages, and what they do with one."""

import csv
import io
import os
from pathlib import Path

PHONE, DESK = {"width": 375, "height": 800}, {"width": 1280, "height": 900}
N_MODELS, N_FEW = 110, 14  # so that there are more numbers than a page lists; and that axe takes seconds
NAMES = ["small", *(["given"] if "PAGE" in os.environ else [])]


def listed(page):
    """Bring the list of all numbers into view, and return when it is there."""
    page.evaluate("document.getElementById('numbers').scrollIntoView({behavior: 'instant'})")
    page.locator("#number-list tbody tr").first.wait_for()
    return page.locator("#number-list")


def downloaded(page, locator) -> list[list[str]]:
    with page.expect_download() as download:
        locator.click()
    return list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
