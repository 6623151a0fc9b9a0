"""The page in Chromium: `make test-browser`, and with PAGE=FILE a page of a study too.

Its name keeps it out of the quick tests: it needs a browser and Playwright, and is skipped by name where neither
Chromium nor a Debian to install it on is there. All else that is missing is a failure.
"""

import base64
import csv
import importlib.util
import io
import os
import re
import shutil
from pathlib import Path

import debian
import pandas as pd
import pytest
from made_up_page import made_up

from selfdoubt.report.explorer import MOST_ROWS
from selfdoubt.report.page import render

AXE = Path(__file__).parent / "axe-core/axe.min.js"
PHONE, DESK = {"width": 375, "height": 800}, {"width": 1280, "height": 900}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
N_MODELS, N_FEW = 110, 14  # so that there are more numbers than a page lists; and that axe takes seconds


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


# ---- it opens, and reads without scripts ----


@pytest.mark.parametrize("name", NAMES)
def test_it_opens_from_disk_without_errors_requests_or_broken_pictures(opened, name):
    page = opened(name)
    listed(page)
    width = "i => (i.loading = 'eager', i.decode().then(() => i.naturalWidth, () => 0))"
    pictures = page.evaluate(f"Promise.all([...document.images].map({width}))")
    assert pictures and min(pictures) > 0


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_whole_without_scripts(opened, name):
    page = opened(name, java_script_enabled=False)
    shown = page.locator("h2:visible, h3:visible").all_text_contents()
    assert "Provenance" in shown and "Every number of every arm" not in shown  # which scripts list
    assert page.locator("table.numbers").count() == page.locator("table.numbers:visible").count() > 0
    assert page.locator(".card:visible").count() > 0 and page.locator("button:visible, input:visible").count() == 0
    assert page.locator("a[href='#numbers']:visible").count() == 0


def test_no_script_runs_but_those_of_the_page(browser, pages, tmp_path):
    text = pages["made-up"].read_text(encoding="utf-8").replace("</body>", "<script>window.strange = 1</script></body>")
    (tmp_path / "changed.html").write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "changed.html").as_uri())
    assert page.evaluate("[window.strange, typeof DataTable]") == [None, "function"]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_overflows_a_phone_or_a_desk(opened, name, scheme):
    for viewport in (PHONE, DESK):
        page = opened(name, viewport, color_scheme=scheme)
        listed(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


# ---- tables ----


def column(table, number: int) -> list[float]:
    texts = table.locator(f"tbody tr > :nth-child({number})").evaluate_all("cells => cells.map(c => c.dataset.order)")
    return [float(text) for text in texts if text]


@pytest.mark.parametrize("by_key", [False, True])
def test_a_table_sorts_by_its_exact_numbers_with_mouse_and_keyboard(opened, by_key):
    page = opened()
    table = page.locator("#tables table.numbers").nth(1)
    before = column(table, 2)
    button = table.locator("thead [role=button]").nth(1)
    ways = {"ascending": sorted(before), "descending": sorted(before, reverse=True), None: before}
    for way, ordered in ways.items():
        if by_key:
            button.focus()
            page.keyboard.press("Enter")
        else:
            button.click()
        heads = table.locator(f"thead th[aria-sort='{way}']" if way else "thead:not(:has(th[aria-sort]))")
        heads.wait_for()
        assert column(table, 2) == ordered
    assert len(set(before)) > 50


def test_a_table_is_searched_and_downloaded_as_it_is_shown(opened):
    page = opened()
    scroll = page.locator("#tables .scroll", has=page.locator("table.numbers")).nth(1)
    tools = scroll.locator("xpath=preceding-sibling::*[1]")
    tools.locator("input").fill("model-11")
    rows = downloaded(page, tools.locator("button"))
    shown = scroll.locator("tbody tr").all()
    assert [row[0] for row in rows[1:]] == ["model-11"] and len(shown) == 1
    cells = shown[0].locator("td")
    assert float(rows[1][1]) == float(cells.nth(0).get_attribute("data-order"))
    assert float(rows[1][2]) == float(cells.nth(0).get_attribute("data-spread")) and rows[0][1:3] == [
        "accuracy ↑",
        "accuracy ↑ sd",
    ]
    tools.locator("input").fill("")
    assert scroll.locator("tbody tr").count() == N_MODELS


def test_all_numbers_are_filtered_searched_and_sorted(opened):
    page = opened()
    table, info = listed(page), page.locator("#numbers [role=status]")
    assert f"of {MOST_ROWS:,} numbers" in info.text_content() and table.locator("tbody tr").count() == 25
    page.get_by_role("combobox", name="metric", exact=True).select_option("aurc")
    page.get_by_role("combobox", name="split", exact=True).select_option("test")
    page.get_by_role("combobox", name="score", exact=True).select_option("msp")
    assert f"of {N_MODELS} numbers" in info.text_content()
    assert set(table.locator("tbody td:nth-child(3)").all_text_contents()) == {"aurc"}
    order = table.locator("thead [role=button]").nth(4)
    order.click()
    table.locator("thead th[aria-sort='ascending']").wait_for()
    means = [float(text) for text in table.locator("tbody td:nth-child(5)").all_text_contents()]
    assert means == sorted(means) and len(means) == 25
    page.locator("#numbers").get_by_label("Search", exact=True).fill("three teachers")
    assert "of 1 numbers" in info.text_content() and "KD, τ = 4 <three teachers>" in table.inner_text()
    page.get_by_role("button", name="Show all").click()
    assert f"of {MOST_ROWS:,} numbers" in info.text_content()


def test_the_download_of_listed_numbers_holds_those_of_the_table_of_metrics(opened, data):
    page = opened()
    listed(page)
    page.get_by_role("combobox", name="metric", exact=True).select_option("auroc")
    page.get_by_role("combobox", name="arm", exact=True).select_option("model-7")
    rows = downloaded(page, page.get_by_role("button", name="Download the listed numbers as CSV"))
    found = {tuple(row[:6]): row[6] for row in rows[1:]}
    own = data.metrics.query("name == 'model-7' and metric == 'auroc' and split == 'test'")
    assert (
        rows[0] == ["dataset", "arm", "split", "metric", "score", "replicate", "value", "n", "reason"]
        and len(own) == 20
    )
    for row in own.to_dict("records"):
        key = ("toys", "model-7", row["split"], "auroc", row["score"], str(row["replicate"]))
        assert found[key] == ("" if pd.isna(row["value"]) else f"{row['value']:.7g}")


def test_the_download_of_a_figure_holds_what_it_shows(opened, data):
    page = opened()
    rows = downloaded(page, page.locator("#figure-risk-coverage figcaption a"))
    text = Path(data.figures["risk-coverage"]["csv"]).read_text()
    assert rows == list(csv.reader(io.StringIO(text)))
    points = downloaded(page, page.locator("#figure-auroc-accuracy figcaption a"))
    assert points[0] == ["arm", "replicate", "n", "accuracy_percent", "auroc_percent"]


@pytest.mark.parametrize("name", NAMES)
def test_a_number_leads_to_its_row_and_back(opened, name):
    page = opened(name)
    link = page.locator("#tables a.to-row").first
    value, row = link.text_content(), link.locator("xpath=..").get_attribute("data-row")
    exact = float(link.locator("xpath=..").get_attribute("data-order"))
    link.click()
    found = page.locator("tr.found")
    assert found.get_attribute("id") == f"number-{row}" and found.evaluate("row => row === document.activeElement")
    shown = float(found.locator("td.dt-type-numeric").first.text_content())
    assert shown == pytest.approx(exact, abs=5e-5) and re.fullmatch(r"[\d.−]+", value)
    page.go_back()
    assert "#number" not in page.url


def test_an_address_with_a_number_opens_at_its_row(opened, pages):
    page = opened()
    page.goto(f"{pages['made-up'].as_uri()}#number-777")
    page.reload()
    assert page.locator("tr.found").get_attribute("id") == "number-777"


def test_the_replicates_of_a_number_and_its_missing_ones_are_shown(opened):
    page = opened()
    table = listed(page)
    button = table.locator("button.more").first
    button.focus()
    page.keyboard.press("Enter")
    assert table.locator("ul.replicates li").count() == 5 and button.get_attribute("aria-expanded") == "true"
    page.locator("#numbers").get_by_label("Search", exact=True).fill("")
    for more in table.locator("button.more").all():
        if more.get_attribute("aria-expanded") == "false":
            more.click()
    assert table.locator("ul.replicates li").count() == 125


# ---- figures ----


@pytest.mark.parametrize(
    "figure, text",
    [
        ("auroc-accuracy", r"ce, replicate 1: accuracy 90.00\s%, auroc 80.00\s%"),
        ("gain-cost", r"ce/odin, mean: 3 passes, gain 5.00 \(AURC\s×10³\)"),
    ],
)
def test_a_point_shows_its_arm_replicate_and_values_to_pointer_and_keyboard(opened, figure, text):
    page = opened()
    points, tip = page.locator(f"#figure-{figure} .point"), page.locator(".tip")
    assert tip.is_hidden()
    which = re.search(r"replicate 1|mean", text)[0]
    page.locator(f"#figure-{figure} .point[data-text*='{which}']").first.hover()
    assert tip.is_visible() and re.fullmatch(text, tip.text_content()), tip.text_content()
    points.first.focus()
    page.keyboard.press("ArrowRight")
    assert "replicate 2" in tip.text_content()
    page.keyboard.press("Escape")
    assert tip.is_hidden()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_points_lie_on_their_picture_and_their_numbers_beside_them(opened, name, viewport):
    page = opened(name, viewport)
    widths = "plot => plot.getBoundingClientRect().width - plot.querySelector('img').getBoundingClientRect().width"
    plots = page.locator(".plot:has(.point)")
    assert plots.count() and max(abs(plot.evaluate(widths)) for plot in plots.all()) < 1
    point = page.locator("#figure-auroc-accuracy .point").first
    point.focus()
    page.mouse.wheel(0, 60)
    gaps = """point => new Promise(done => setTimeout(() => requestAnimationFrame(() => {
        const [at, tip] = [point, document.querySelector('.tip')].map(each => each.getBoundingClientRect());
        done([at.top - tip.bottom, tip.top - at.bottom]);
    }), 800))"""
    assert min(abs(gap - 6) for gap in point.evaluate(gaps)) < 2


# ---- for everybody ----

REACHED = "document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')"


@pytest.mark.parametrize("name", NAMES)
def test_the_keyboard_reaches_everything(opened, name):
    """By the tab key, but for what arrow keys reach from a first element."""
    page = opened(name)
    listed(page)
    wanted = page.evaluate(f"""() => {{
        window.places = [...{REACHED}].filter(e => e.tabIndex >= 0 && e.checkVisibility() && !e.disabled);
        window.reached = new Set();
        document.addEventListener('focusin', event => reached.add(event.target));
        document.body.focus();
        return places.length;
    }}""")
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
    missed = page.evaluate("places.filter(e => !reached.has(e)).map(e => e.outerHTML.slice(0, 120))")
    assert wanted > 20 and missed == []


def test_arrow_keys_move_between_the_numbers_of_a_table(opened):
    page = opened()
    first = page.locator("#tables table.numbers").nth(1).locator("a.to-row").first
    first.focus()
    seen = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        seen.append(
            page.evaluate(
                "[document.activeElement.closest('tr').rowIndex, document.activeElement.closest('td').cellIndex]"
            )
        )
    start = [seen[3][0], seen[3][1]]
    assert seen == [[start[0], start[1] + 1], [start[0] + 1, start[1] + 1], [start[0] + 1, start[1]], start]
    assert first.evaluate("link => link === document.activeElement")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_serious(browser, pages, name, scheme, viewport):
    """Injected as a script of the test, which the page's own policy would stop."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(pages[name].as_uri())
    listed(page)
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.removeAttribute('name'); e.open = true; })")
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    context.close()
    serious = [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_it_prints_without_what_scripts_add(opened, tmp_path):
    page = opened("small")
    listed(page)
    page.emulate_media(media="print")
    assert page.locator(".tools:visible, nav:visible, #numbers:visible").count() == 0
    assert page.locator("table.numbers:visible, .track:visible").count() > 3
    content = page.pdf(prefer_css_page_size=True)
    assert content.startswith(b"%PDF-") and content.count(b"/Type /Page\n") + content.count(b"/Type/Page") > 3


def test_a_data_address_is_the_file_itself(data):
    text = render(data)
    found = re.findall(r'href="data:text/csv;base64,([^"]+)" download="([^"]+)"', text)
    assert {name for _, name in found} == {f"{name}.csv" for name in data.figures}
    assert all(base64.b64decode(content).decode().count("\n") > 1 for content, _ in found)
