"""The page in Chromium: `make test-browser`, and with PAGE=FILE a page of a study too.

Its name keeps it out of the quick tests: it needs a browser and Playwright, and is skipped by name where neither
Chromium nor a Debian to install it on is there. All else that is missing is a failure.
"""

import base64
import re
from pathlib import Path

import pytest
from browser_page import DESK, NAMES, PHONE, listed

from selfdoubt.report.page import render

AXE = Path(__file__).parent / "axe-core/axe.min.js"


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
