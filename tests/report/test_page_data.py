"""What the page hands to its scripts, and which scripts may run."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from copies import ROOT
from made_up_page import figures_in, made_up, pictures_of
from small_figures import DATA as KINDS
from small_report import METRICS, frame, report

from render_report import library
from selfdoubt.figures.points import with_arms
from selfdoubt.report import explorer
from selfdoubt.report.arms import Arms
from selfdoubt.report.explorer import explorer_of
from selfdoubt.report.figures import figures_of
from selfdoubt.report.numbers import numbers_of
from selfdoubt.report.page import render
from selfdoubt.report.pictures import class_names, picture_lists


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    return render(made_up(tmp_path_factory.mktemp("figures"), 3))


def test_every_script_of_the_page_is_named_by_its_digest_and_no_other_may_run(page):
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1].replace("&#39;", "'")
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert len(scripts) == 2 and policy.endswith("script-src " + " ".join(f"'sha256-{each}'" for each in digests))
    assert "MIT" in page and "DataTables 3.1.5" in page
    assert "script-src 'none'" in render(report()).replace("&#39;", "'")  # of a page without the library


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_figure_has_its_caption_on_the_page(tmp_path, kind):
    data = replace(report(), figures=figures_in(tmp_path, kind))
    [figure] = figures_of(data, numbers_of(with_arms(data.metrics)), "distillation")
    assert figure.caption and figure.uri


def test_the_library_is_the_file_that_its_readme_names():
    digest = hashlib.sha256(library().source.encode()).hexdigest()
    readme = open_resource("README.md")
    assert digest in readme and library().name in readme and "</script" not in library().source


def open_resource(name: str) -> str:
    from render_report import LIBRARY

    return (LIBRARY / name).read_text(encoding="utf-8")


def test_all_numbers_are_there_by_their_places_test_first_and_reasons_in_the_place_of_values():
    rows = [row | {"split": split} for split in ("blur-1", "test") for row in METRICS]
    numbers = numbers_of(with_arms(frame("metrics", rows)))
    found = explorer_of(numbers, Arms({"kd": "</script>"}))
    data = json.loads(found.data)
    assert "<" not in found.data and data["labels"] == ["ce", "</script>"]
    for key, place in found.row_of.items():
        *texts, n, replicates, values = data["rows"][place]
        names = [data["texts"][name][text] for name, text in zip(data["texts"], texts, strict=True)]
        assert tuple(names) == key and n == 100 and data["replicates"][replicates] == [1, 2, 3]
        assert values == [value.reason if value.value is None else value.value for value in numbers[key]]
    splits = [data["texts"]["split"][row[2]] for row in data["rows"]]
    assert splits == sorted(splits, reverse=True) and len(splits) == 12


def test_a_page_holds_so_many_numbers_and_states_how_many_more_there_are(monkeypatch):
    monkeypatch.setattr(explorer, "MOST_ROWS", 4)
    text = render(report(library=library()))
    assert "4 numbers, each over its replicates; 2 further ones are in tables/metrics.parquet alone" in text
    assert len(re.findall(r'data-row="\d"', text)) > 4 and 'data-row="4"' not in text  # what is not listed has no link


def test_exact_values_stand_behind_the_rounded_ones(page):
    cell = re.search(
        r'data-order="([\d.]+)" data-spread="([\d.]+)" data-row="\d+">([\d.]+)<small>±\u00a0([\d.]+)<', page
    )
    exact, spread, shown, shown_spread = map(float, cell.groups())
    assert shown == round(exact, 4) != exact and shown_spread == round(spread, 4) != spread


def test_classes_of_the_images_that_come_with_the_project_have_names():
    counts = pd.DataFrame({"label": [None, *range(10)], "class_name": [None, *map(str, range(10))]})
    names = class_names(counts, "embedded:fashion-mnist-12k")
    text = re.search(r"Classes: (.*)\.", (ROOT / "resources/fashion-mnist-12k/README.md").read_text())[1]
    assert ", ".join(f"{label} {name}" for label, name in names.items()) == text
    assert class_names(counts, "fashion-scenes") == names and class_names(counts, "folder:mine")[3] == "3"
    own = counts.assign(class_name=[None, *"abcdefghij"])
    assert class_names(own, "embedded:fashion-mnist-12k")[0] == "a"


def test_pictures_are_listed_by_kind_with_what_arms_predict():
    errors, other, gains, losses = picture_lists(pictures_of(2), {0: "cat", 1: "1"}, Arms({"model-1": "KD"}))
    assert [each.title for each in (errors, other)] == ["model-0: most confident errors", "KD: most confident errors"]
    assert gains.title == "KD finds the class more probable than model-0" and "less probable" in losses.title
    first, lines = errors.pictures[0], gains.pictures[0].lines
    assert first.label == "cat" and first.alt == "test image 1, of the class cat" and len(errors.pictures) == 2
    plain = [line.replace("\u00a0", " ") for line in (*first.lines, *lines)]
    assert plain[0] == "model-0: class 1 (0.970); incorrect in 4 of 5 replicates"
    assert plain[1].startswith("KD: 0.020; incorrect in 4 of 5") and plain[2].startswith("model-0: 0.020")
