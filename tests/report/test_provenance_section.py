"""How a run was made, on the page: commit, machine, data and config without anyone's paths."""

import pytest
from small_report import frame, report
from test_crate import PROVENANCE

from selfdoubt.report.page import render
from selfdoubt.report.provenance import commit_text, shortened


def made(**provenance) -> str:
    return render(report(provenance=provenance)).partition('id="made"')[2].replace("\u00a0", " ")


def test_the_section_has_commit_times_machine_devices_data_and_licences():
    page = made(**PROVENANCE)
    for text in (
        "abc123, with changes that are not committed",
        "2026-01-02 03:04 to 2026-01-03 03:04 UTC",
        "A fast one, 2 threads",
        "cpu, float32, 1 thread (4 jobs)",
        "abab" * 4,
        ">MIT<",
        ">for research<",
    ):
        assert text in page, text
    assert "abab" * 5 not in page


def test_what_is_not_known_is_left_out():
    page = made()
    assert "not under version control" in page
    assert not [text for text in ("UTC", "machine", "SHA-256", "<h3>Packages", "<h3>Data") if text in page]


def test_images_in_files_are_known_by_their_names():
    data = frame("data", [("toys", "train", 7, "ab" * 32, "names")])
    assert "ids, labels and names" in made(data=data) and "ids, labels and names" not in made(**PROVENANCE)


def test_a_clean_commit_is_named_as_it_is():
    assert commit_text("abc123") == "abc123" and commit_text(None) == "not under version control"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/ada/photos", "…/photos"),
        ("~/photos/", "…/photos"),
        ("folder:/home/ada/my photos", "folder:…/my photos"),
        ("fashion-scenes:fashion-mnist:/data/f", "fashion-scenes:fashion-mnist:…/f"),
        ("weights/a.pth", "weights/a.pth"),
        ("folder:{data_folder}/photos", "folder:{data_folder}/photos"),
        ("ce/odin", "ce/odin"),
        ("accuracy and/or AUROC", "accuracy and/or AUROC"),
    ],
)
def test_an_absolute_path_is_shown_by_its_last_part(path, shown):
    assert shortened({"a": [{"b": path}], "n": 3}) == {"a": [{"b": shown}], "n": 3}
