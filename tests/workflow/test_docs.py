"""The docs as a site: links lead somewhere, what is written from the settings is current, every paper has its entry."""

import re
import subprocess
import sys

import pytest
from copies import ROOT

sys.path.insert(0, str(ROOT / "docs"))

import citations

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "results/README.md", *sorted(ROOT.glob("docs/**/*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page; the second of two equal ones has a number."""
    found = []
    for heading in re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    ):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        found.append(f"{name}-{n}" if (n := found.count(name)) else name)
    return {*found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_place_that_is_there(page):
    text = re.sub(r"^(?:```.*?^```|    .*?)$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    dead = []
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        if re.match(r"https?:", target):
            continue
        place = (page.parent / path).resolve() if path else page
        there = place.exists() and (not anchor or place.suffix != ".md" or anchor in anchors(place.read_text()))
        dead += [] if there else [target]
    assert not dead


def test_every_page_can_be_reached_from_the_first():
    first = ROOT / "docs/README.md"
    seen, waiting = {first}, [first]
    while waiting:
        page = waiting.pop()
        targets = {(page.parent / target.partition("#")[0]).resolve() for target in LINK.findall(page.read_text())}
        new = {target for target in targets if target.suffix == ".md" and target.is_file()} - seen
        seen, waiting = seen | new, [*waiting, *new]
    pages = {*ROOT.glob("docs/*.md")}
    assert pages - seen == set() and (ROOT / "README.md").read_text().count("docs/README.md")


def test_the_reference_is_that_of_the_settings():
    run = subprocess.run([sys.executable, ROOT / "docs/reference.py"], capture_output=True, text=True, check=True)
    pages = [(ROOT / f"docs/{name}.md").read_text() for name in ("config", "methods")]
    assert run.stdout == "\n".join(pages) + "\n", "make reference"


def test_the_reference_has_bounds_choices_defaults_units_and_meanings():
    page = (ROOT / "docs/config.md").read_text()
    for line in (
        "| `height_mm` | number ≥ 30 and ≤ 400, mm | *required* |",
        "| `precision` | `auto`, `bfloat16`, `float32` |",
        "| `max_gb` | number > 0, GB | `4` | of one split as an array |",
        "| `val_from` | `train`, `test` | `train` |",
    ):
        assert line in page, line


def test_every_key_of_a_config_is_described():
    rows = re.findall(r"^\| `.*$", (ROOT / "docs/config.md").read_text(), re.MULTILINE)
    assert [row for row in rows if re.split(r"(?<!\\)\|", row)[-2].isspace()] == []


def test_every_paper_that_is_named_has_an_entry_and_every_entry_is_named():
    assert citations.faults() == []


def test_entries_are_whole():
    for key, entry in citations.entries().items():
        where = entry.keys() & {"booktitle", "journal", "howpublished", "publisher", "institution"}
        assert entry.keys() >= {"author", "title", "year"} and len(where) == 1, key
        assert re.fullmatch(r"(19|20)\d\d", entry["year"]) and key.startswith(
            re.sub(r"[^a-z]", "", citations.plain(citations.surnames(key)[0]).lower()) + entry["year"]
        ), key


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("(Liang, Li & Srikant, ICLR 2018)", ["liang2018"]),
        ("Galil & El-Yaniv (NeurIPS 2021)", ["galil2021"]),
        ("the mean of several (Wolpert 1992; Ting &\n# Witten 1999)", ["wolpert1992", "ting1999"]),
        ("Corbière et al. 2019", ["corbiere2019"]),
        ("Jordan et al. 2024 and Jordan 2024", ["jordan2024", "jordan2024airbench"]),
        ("robust radius (2503.14783)", ["yan2025"]),
        ("on 25 November 2026 at CVPR 2016", []),
    ],
)
def test_papers_are_found_as_texts_name_them(text, keys):
    assert citations.cited(text) == keys


def test_a_paper_without_an_entry_is_found():
    [(names, year)] = citations.found_in("as in Nobody & Noone (ICML 2019)")
    assert (names, year) == (["Nobody", "Noone"], "2019") and citations.keys_of(names, year) == []
