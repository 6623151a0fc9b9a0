"""The page's list of 20,000 numbers in Chromium: seconds until it is sorted, filtered, searched, and painted again.

    python benchmarks/browser.py

needs `make browser` and Chromium, so that `run.py` measures it by its name alone. Each is the median of five.
"""

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Row

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "workflow_scripts")]

LIMIT_SECONDS = 1.0  # a reader waits so long without losing the thought (Miller 1968)
N_MODELS = 110  # whose numbers are more than the page lists
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Each handler ends by drawing the list; the second frame begins when the first, with the list, has been painted.
TIMED = """async ([selector, value]) => {
    const element = document.querySelector(selector);
    const began = performance.now();
    if (value === null) element.click();
    else {
        element.value = value;
        element.dispatchEvent(new Event(element.tagName === 'INPUT' ? 'input' : 'change', { bubbles: true }));
    }
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    return (performance.now() - began) / 1000;
}"""
ACTIONS = {  # selector and values, of which each differs from the one before
    "sorted": ("#number-list thead th:nth-child({value_column}) [role=button]", [None] * 5),
    "filtered": ("#number-tools select[aria-label=metric]", ["aurc", "", "auroc", "", "accuracy"]),
    "searched": ("#number-tools input[type=search]", ["model-1", "aurc", "blur", "msp-ts", "model-99"]),
}


def rows() -> Iterator[Row]:
    """Yield what each action on the list takes against a limit."""
    for action, (n_rows, seconds) in measured().items():
        what = f"a list of {n_rows:,} numbers, {action} in Chromium"
        yield Row(what, f"a limit of {LIMIT_SECONDS:g} s", seconds, LIMIT_SECONDS, "s", "≤", 1)


def measured() -> dict[str, tuple[int, float]]:
    """Return the number of rows and the median seconds of each action."""
    from made_up_page import made_up
    from playwright.sync_api import sync_playwright

    from selfdoubt.report.page import render

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "index.html")
        file.write_text(render(made_up(Path(folder), N_MODELS)), encoding="utf-8")
        options = ["--no-sandbox"] if os.getuid() == 0 else []
        path = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=path, args=options)
        page = browser.new_page()
        page.goto(file.as_uri())
        found = _times(page)
        browser.close()
    return found


def _times(page) -> dict[str, tuple[int, float]]:
    page.evaluate("document.getElementById('numbers').scrollIntoView({behavior: 'instant'})")
    page.locator("#number-list tbody tr").first.wait_for()
    n_rows = page.evaluate("JSON.parse(document.getElementById('all-numbers').textContent).rows.length")
    heads = page.locator("#number-list thead th").all_inner_texts()
    place = next(i for i, text in enumerate(heads, 1) if text.strip().startswith("mean"))
    found = {}
    for action, (selector, values) in ACTIONS.items():
        target = selector.format(value_column=place)
        seconds = [page.evaluate(TIMED, [target, value]) for value in values]
        found[action] = n_rows, statistics.median(seconds)
    if not page.locator("#number-list thead th[aria-sort]").count() or n_rows < 20_000:
        sys.exit("browser.py: the list is not sorted, or shorter than it should be")
    return found


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.ours:.3f} {row.unit}")
