"""Tables of the page in Chromium: sorted, filtered, searched, downloaded, and walked through by the keyboard."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser_page import N_MODELS, NAMES, downloaded, listed

from selfdoubt.report.explorer import MOST_ROWS


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


SORTED_BY_EACH = """async heads => {
    const found = [];
    for (const head of heads) {
        head.querySelector('[role=button]').click();
        while (head.getAttribute('aria-sort') !== 'ascending') await new Promise(done => setTimeout(done, 5));
        const cells = [...head.closest('table').tBodies[0].rows].map(row => row.cells[head.cellIndex]);
        found.push(cells.map(cell => cell.childNodes[0]?.textContent ?? ''));
    }
    return found;
}"""


def number_in(text: str) -> float | None:
    """The number that a cell begins with, just below it where the cell says "<"; None where it has none."""
    found = re.match(r"(<\s)?([+−]?[\d,]+(?:\.\d+)?)(?= to |$)", text.replace("\u00a0", " ").strip())
    if not found:
        return None
    value = float(found[2].replace("−", "-").replace(",", ""))
    return np.nextafter(value, -np.inf) if found[1] else value


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_numbers_of_every_table_sorts_by_these(opened, name):
    """As its cells show them, which are rounded: equal ones stand in any order."""
    columns = opened(name).locator("table.numbers thead tr:last-child th").evaluate_all(SORTED_BY_EACH)
    numbers = [[number_in(text) for text in texts] for texts in columns]
    numbers = [[each for each in found if each is not None] for found in numbers if found.count(None) < len(found) / 2]
    assert len(numbers) > 20 and [found for found in numbers if found != sorted(found)] == []


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


def test_a_downloaded_comparison_has_exact_numbers_and_both_ends_of_its_interval(opened, data):
    page = opened()
    scroll = page.locator("#distillation .scroll[aria-label^='Not pre-registered']")
    heads, *rows = downloaded(page, scroll.locator("xpath=preceding-sibling::*[1]").locator("button"))
    found = [dict(zip(heads, row, strict=True)) for row in rows]
    of_size = {"difference": "difference", "95 % interval low": "low", "95 % interval high": "high"}
    keys = of_size | {"effect": "effect_size", "p": "p", "Holm p": "p_holm"}
    for shown, row in zip(found, data.comparisons.to_dict("records"), strict=True):
        scale = 1 if row["metric"] == "nll" else 100 if row["metric"] == "accuracy" else 1000
        for head, key in keys.items():
            factor = scale if head in of_size else 1
            assert float(shown[head]) == pytest.approx(factor * row[key], rel=1e-9)


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
