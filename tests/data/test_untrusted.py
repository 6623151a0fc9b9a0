"""Files and texts from elsewhere are data: real attempts to make them run something, or reach where they should not.

Pickles are tried in test_weight_files (checkpoints), test_published (CIFAR) and test_shifted (arrays); links in
test_links and test_image_files; what the report escapes in test_report; what the code calls at all is in test_calls.
"""

import io
import json
import re
import tarfile
import zipfile
from functools import reduce
from html.parser import HTMLParser
from operator import getitem
from pathlib import Path

import pytest
from copies import ROOT
from PIL import EpsImagePlugin, Image
from small_data import load, load_splits, write_folder, write_tiny_imagenet
from small_report import HYPOTHESIS, METRICS, SETTINGS, frame, report, row

from selfdoubt.data import archives, decoding
from selfdoubt.data.sources import tiny_imagenet
from selfdoubt.report.arms import Arms
from selfdoubt.report.page import FOLDER, render
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources import cifar10
from selfdoubt.settings.study import load_study

HOSTILE = [
    "$(touch TOUCHED)",
    "`touch TOUCHED`",
    "'; touch TOUCHED; '",
    '"; touch TOUCHED; "',
    "two\nlines & touch TOUCHED\n",
    "{input} {config[seeds]} {{x}} %s \\",
    "-rf --settings *",
    "<script>TOUCHED</script>",
    "tab\tnul\0esc\x1b é 犬",
]


# ---- a config ----


def hostile_texts(config: dict, text: str) -> None:
    """Put a text wherever the config may hold any."""
    for study in config["studies"].values():
        study |= dict.fromkeys(("title", "question", "background", "protocol", "threats"), text)
    for hypothesis in config["hypotheses"].values():
        hypothesis["statement"] = text
    config["ood_sets"]["digits"]["overlap"] = text


def touched(place: Path) -> list[Path]:
    return [*place.rglob("*TOUCHED*"), *ROOT.glob("*TOUCHED*")]


def test_texts_of_a_config_reach_the_jobs_as_they_are_and_run_nothing(copy):
    """All at once, through the shell that Snakemake starts; the fake job writes down what it is given."""
    text = "".join(HOSTILE)
    copy.edit_config(lambda config: hostile_texts(config, text))
    given = copy.folder / "given"
    given.mkdir()
    fake = copy.folder / "fakes/python"
    shown = (
        'for word in "$@"; do case "$word" in @*) cat "${word#@}" ;; *) printf %s "$word" ;; esac; printf "\\0"; done'
    )
    fake.write_text(f'{fake.read_text()}{{ {shown}; }} > "given/$(basename "$1")"\n')
    run = copy.snakemake("--resources", "gpu=4")
    assert run.returncode == 0, run.stdout + run.stderr
    words = (given / "render_report.py").read_text().split("\0")
    study = json.loads(words[words.index("--settings") + 1])["study"]
    assert study["studies"]["distillation"]["title"] == text == study["ood_sets"]["digits"]["overlap"]
    hypotheses = (given / "test_hypotheses.py").read_text().split("\0")
    assert json.loads(hypotheses[hypotheses.index("--settings") + 1])["claims"][0]["statement"] == text
    assert not touched(copy.folder)


def test_folders_of_any_name_go_through_snakemake(copy):
    photos = copy.folder.parent / "a $(touch TOUCHED) 'b' \"c\" `touch TOUCHED`; d & * #"
    write_folder(photos)
    source = {"source": f"folder:{photos}", "size_px": 28, "ood": ["digits"]}
    copy.edit_config(lambda config: config["datasets"].update({"fashion-mnist-12k": source}))
    run = copy.snakemake("results/default/data/fashion-mnist-12k/train.safetensors", "--resources", "gpu=4")
    assert run.returncode == 0, run.stdout + run.stderr
    assert touched(copy.folder.parent) == [photos]


NAMED = ("datasets", "ood_sets", "networks", "recipes", "teachers", "baselines", "students", "augmented", "segmenters")
NAMED += ("pretrained", "enhancers", "protocols", "groups", "studies", "hypotheses", "figures")
NAMED += ("datasets.fashion-mnist-12k.shifted",)
EMPTY = {"pretrained": {"some": {"name": "resnet18"}}, "shifted": {"some": "numpy:some.npz"}}  # in the default study


def test_names_are_words_and_nothing_else(config):
    for place in NAMED:
        *above, section = place.split(".")
        entries = reduce(getitem, above, config)
        before, known = entries.get(section), entries.get(section) or EMPTY[section]
        entries[section] = known
        load_study(config)
        for name in ("$(touch TOUCHED)", "../up", "a/b", "Upper", "a_b", "a--b", "x" * 61, "-a", "", "a\n"):
            entries[section] = known | {name: next(iter(known.values()))}
            with pytest.raises(UserError) as fault:
                load_study(config)
            assert str(fault.value).startswith(f"config: {place}") and "\n" not in str(fault.value)
        entries[section] = before if before is not None else {}


@pytest.mark.parametrize("text", ["ce; touch TOUCHED", "ce/$(id)", "../ce", "ce\n"])
def test_arms_splits_and_networks_are_no_free_texts(config, text):
    places = [(config["studies"]["distillation"], "reference"), (config["hypotheses"]["kd-ranks-better"], "better")]
    places += [(config["hypotheses"]["kd-ranks-better"], "split"), (config["students"]["kd"], "network")]
    places += [(config["comparisons"][0], "split")]
    for entry, key in places:
        before, entry[key] = entry[key], text
        with pytest.raises(UserError, match=r"^config: "):
            load_study(config)
        entry[key] = before
    load_study(config)


@pytest.mark.parametrize("way", ["config.yaml", "--configfile"])
def test_a_config_that_asks_for_an_object_is_refused(copy, way):
    tag = '!!python/object/apply:os.system ["touch TOUCHED"]'
    file = copy.folder / (way if way == "config.yaml" else "own.yaml")
    file.write_text(f"seeds: {tag}\n")
    run = copy.snakemake("-n", *([] if way == "config.yaml" else [way, "own.yaml"]))
    assert run.returncode == 1 and "not valid JSON or YAML" in run.stdout + run.stderr
    assert not touched(copy.folder)


# ---- pictures and archives ----


@pytest.mark.parametrize("name", ["../../../secret/s.png", "val_9.JPEG"])
def test_annotations_of_tiny_imagenet_name_its_own_files_alone(tmp_path, name):
    (tmp_path / "secret").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "secret/s.png")
    root = tmp_path / "tiny"
    write_tiny_imagenet(root)
    annotations = root / "val/val_annotations.txt"
    annotations.write_text(annotations.read_text().replace("val_0.JPEG", name))
    with pytest.raises(UserError, match=rf"val/images/{name} is annotated but not among its files"):
        load(f"tiny-imagenet:{root}")


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder data set."""
    write_folder(tmp_path / "photos")
    return tmp_path / "photos"


@pytest.mark.parametrize("storage", ["arrays", "files"])
def test_postscript_under_the_name_of_a_picture_starts_no_ghostscript(photos, monkeypatch, storage):
    """Pillow goes by the content, and would give it to a program of its own."""
    started = []
    monkeypatch.setattr(
        EpsImagePlugin, "Ghostscript", lambda *what, **how: started.append(what) or Image.new("L", (9, 9))
    )
    (photos / "ant/000.jpg").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    fault = r"ant/000\.jpg: cannot be decoded \(no PNG, JPEG, BMP, GIF, TIFF, WebP or PNM image\)"
    with pytest.raises(UserError, match=fault):
        for split in load_splits(f"folder:{photos}", size_px=16, storage=storage).values():
            split.images[:]
    assert not started


def test_every_suffix_of_pictures_has_a_format_that_is_read():
    Image.init()
    assert {Image.EXTENSION[suffix] for suffix in decoding.IMAGE_SUFFIXES} == {*decoding.FORMATS}


def test_names_in_an_archive_lead_nowhere(tmp_path, monkeypatch):
    """Members are found by the last part of their names and read into memory; links among them are passed over."""
    wanted = cifar10.MEMBERS
    archive = tmp_path / "inner/cifar-10-python.tar.gz"
    archive.parent.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    with tarfile.open(archive, "w:gz") as tar:
        for i, name in enumerate(wanted):
            member = tarfile.TarInfo(["../../", "/tmp/", "./a/../../"][i % 3] + name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"data"))
            link = tarfile.TarInfo(f"later/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
            tar.addfile(link)
    assert archives.untar(archive, wanted) == dict.fromkeys(wanted, b"data")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cifar-10-python.tar.gz", "inner", "secret"]


def test_names_in_a_zip_lead_nowhere(tmp_path, monkeypatch):
    png = io.BytesIO()
    Image.new("RGB", (64, 64)).save(png, "JPEG")
    archive = tmp_path / "tiny-imagenet-200.zip"
    with zipfile.ZipFile(archive, "w") as file:
        top = "tiny-imagenet-200/"
        file.writestr(f"{top}wnids.txt", "n1\n")
        file.writestr(f"{top}words.txt", "n1\tfish\n")
        file.writestr(f"{top}val/val_annotations.txt", "../../../evil.JPEG\tn1\n")
        file.writestr(f"{top}train/n1/../../../../out.JPEG", png.getvalue())
        file.writestr(f"{top}val/images/../../../evil.JPEG", png.getvalue())
    monkeypatch.setattr(archives, "check", lambda facts, paths, folders: None)
    raw = tiny_imagenet.find("", Folders(tmp_path, tmp_path))
    for pool in raw.pools.values():
        assert pool.images.content(0) == png.getvalue()
    assert [path.name for path in tmp_path.rglob("*")] == [archive.name]


# ---- the page ----


class Elements(HTMLParser):
    """Counts the elements of a page, with the names of their attributes."""

    def __init__(self, page: str):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, *sorted(name for name, _ in attrs)))


def everywhere(value, text: str):
    """A value with a text in place of every string in it; keys stay."""
    if isinstance(value, dict):
        return {key: everywhere(entry, text) for key, entry in value.items()}
    if isinstance(value, list):
        return [everywhere(entry, text) for entry in value]
    return text if isinstance(value, str) else value


@pytest.mark.parametrize("text", ['"><img src=x onerror=alert(1)>', "</pre></details><script>1</script>", "'{{ 7*7 }}"])
def test_no_text_of_config_or_data_becomes_an_element(text):
    def page(word: str) -> str:
        counts = [("train", "duplicates", 3, word, None, None), ("all", "ignored files", 1, word, None, None)]
        splits = ("train", "val", "test")
        counts += [(split, "images", 3, None, *of) for split in splits for of in ((None, None), (0, word))]
        settings = everywhere(SETTINGS | {"ood_sets": {"digits": {"source": "folder:x", "overlap": "none"}}}, word)
        settings["studies"]["distillation"] |= {"reference": "ce", "arms": ["kd"]}  # so that their settings are shown
        claim = HYPOTHESIS | {"metric": "auroc", "difference": None, "statement": word, "reason": word}
        metrics = [*METRICS, *(row("ce", seed, "auroc", None, reason=word) for seed in (4, 5))]
        tables = {name: frame(name, rows) for name, rows in (("metrics", metrics), ("hypotheses", [claim]))}
        tables["mask_quality"] = {("toys", "unet"): [frame("mask-quality", [("mask", "iou", None, 0, word, word)])]}
        provenance = everywhere({"commit": "abc", "versions": {"numpy": "2"}, "device": "cpu"}, word)
        tables["counts"], arms = {"toys": frame("counts", counts)}, Arms({"kd": word})
        return render(report(settings=settings, arms=arms, provenance=provenance, **tables))

    assert text not in page(text)
    assert Elements(page(text)).found == Elements(page("harmless")).found


def test_no_template_takes_data_for_markup():
    """The style, which comes marked as what it is, is the project's own file."""
    for path in FOLDER.glob("*.j2"):
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", path.read_text()), path
