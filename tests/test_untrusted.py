"""Files and texts from elsewhere are data: real attempts to make them run something, or reach where they should not.

Pickles are tried in test_weight_files (checkpoints), test_published (CIFAR) and test_shifted (arrays), what the report
escapes in test_report.
"""

import ast
import io
import json
import shlex
import shutil
import subprocess
import tarfile
import tokenize
import zipfile
from functools import reduce
from html.parser import HTMLParser
from operator import getitem
from pathlib import Path

import numpy as np
import pytest
from copies import ROOT
from PIL import Image
from small_data import load, load_splits, write_folder
from test_report import SETTINGS, frame, report

from selfdoubt import published
from selfdoubt.errors import UserError
from selfdoubt.report import render
from selfdoubt.settings import load_study
from selfdoubt.sources import official

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


# ---- what the code calls ----


SOURCES = [path for top in ("workflow_scripts", "docs", "envs") for path in sorted((ROOT / top).rglob("*.py"))]
SOURCES += [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]  # Python's words, but no Python
NEVER = {"pickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "pty", "builtins"}
NEVER |= {
    "system",
    "popen",
    "getoutput",
    "getstatusoutput",
    "create_subprocess_shell",
    "posix_spawn",
    "fork",
    "forkpty",
}
NEVER |= {f"{kind}{how}" for kind in ("exec", "spawn") for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")}
NEVER |= {"unsafe_load", "full_load", "load_all", "extract", "extractall", "unpack_archive", "read_pickle", "to_pickle"}
NEVER |= {".Loader", ".FullLoader", ".UnsafeLoader", "load_state_dict_from_url"}
NEVER_ALONE = {"eval", "exec", "compile", "__import__"}  # a network's eval() and a pattern's compile() are others
ALLOWED = {
    ("workflow_scripts/selfdoubt/sources/official.py", "pickle"): "an unpickler that lets in arrays alone",
    ("workflow_scripts/lease.py", "execvp"): "the command that the user gave it",
}
LOADERS = {"torch.load": "weights_only=True", "np.load": "allow_pickle=False"}  # and what each must say
OTHERS = {"json.loads", "tomllib.loads", "sources.load", "image.load", "self._keeper.load"}
OTHERS |= {"_ArraysOnly(io.BytesIO(content), encoding='bytes').load"}


def words(path: Path) -> set[str]:
    """The names in a file, with a dot where one stands before them; none of those in texts and comments."""
    with tokenize.open(path) as file:
        tokens = [token for token in tokenize.generate_tokens(file.readline) if token.type != tokenize.NL]
    pairs = zip(["", *(token.string for token in tokens)], tokens, strict=False)
    return {f".{word.string}" if before == "." else word.string for before, word in pairs if word.type == tokenize.NAME}


def test_nothing_unpickles_evaluates_or_becomes_another_program():
    found = {(str(path.relative_to(ROOT)), word) for path in SOURCES for word in words(path)}
    forbidden = {(path, word) for path, word in found if word in NEVER_ALONE or {word, word.lstrip(".")} & NEVER}
    assert {(path, word.lstrip(".")) for path, word in forbidden} == ALLOWED.keys()


def test_what_loads_loads_no_objects_and_nothing_starts_a_shell():
    trees = [ast.parse(path.read_text()) for path in SOURCES if path.suffix == ".py"]
    for call in [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]:
        name = ast.unparse(call.func)
        if name.rpartition(".")[2] in ("load", "loads") and name not in OTHERS:
            assert name in LOADERS and LOADERS[name] in ast.unparse(call)
        assert not any(word.arg == "shell" for word in call.keywords), ast.unparse(call)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import pickle", "pickle"),
        ("from torch.hub import load_state_dict_from_url", "load_state_dict_from_url"),
        ("x = os.system('x')", ".system"),
        ("x = yaml.load(text, Loader=yaml.Loader)", ".Loader"),
        ("os.execvp(x, y)", ".execvp"),
        ("exec(x)", "exec"),
        ("rule a:\n    params:\n        x=joblib.load('x'),\n", "joblib"),
        ("x = re.compile('x'); y = model.eval()  # eval, pickle, 'exec'", None),
    ],
)
def test_the_words_of_a_line(tmp_path, line, found):
    (tmp_path / "a.smk").write_text(line)
    told = {word for word in words(tmp_path / "a.smk") if word in NEVER_ALONE or {word, word.lstrip(".")} & NEVER}
    assert told == ({found} if found else set())


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
    fake.write_text(f'{fake.read_text()}printf "%s\\0" "$@" > "given/$(basename "$1")"\n')
    run = copy.snakemake("--resources", "gpu=4")
    assert run.returncode == 0, run.stdout + run.stderr
    words = (given / "render_report.py").read_text().split("\0")
    study = json.loads(words[words.index("--settings") + 1])["study"]
    assert study["studies"]["distillation"]["title"] == text == study["ood_sets"]["digits"]["overlap"]
    hypotheses = (given / "test_hypotheses.py").read_text().split("\0")
    assert json.loads(hypotheses[hypotheses.index("--settings") + 1])["hypotheses"][0]["statement"] == text
    assert not touched(copy.folder)


@pytest.mark.parametrize("name", [text for text in HOSTILE if "/" not in text and "{" not in text and "\0" not in text])
def test_a_source_may_have_any_name_and_runs_nothing(config, tmp_path, name):
    """The shell line of its preparation, quoted as Snakemake's :q does it, gives the name back."""
    write_folder(tmp_path / name, n=4)
    config["datasets"]["fashion-mnist-12k"] |= {"source": f"folder:{tmp_path / name}", "size_px": 16}
    settings = json.dumps(load_study(config).datasets["fashion-mnist-12k"].model_dump())
    line = f"printf %s {shlex.quote(settings)}"
    said = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert json.loads(said)["source"] == f"folder:{tmp_path / name}"
    assert set(load_splits(json.loads(said)["source"], size_px=16)) == {"train", "val", "test"}
    assert touched(tmp_path) == ([tmp_path / name] if "TOUCHED" in name else [])


def test_folders_of_any_name_go_through_snakemake(copy):
    photos = copy.folder.parent / "a $(touch TOUCHED) 'b' \"c\" `touch TOUCHED`; d & * #"
    write_folder(photos)
    source = {"source": f"folder:{photos}", "size_px": 28, "ood": ["digits"]}
    copy.edit_config(lambda config: config["datasets"].update({"fashion-mnist-12k": source}))
    run = copy.snakemake("results/data/fashion-mnist-12k/train.safetensors", "--resources", "gpu=4")
    assert run.returncode == 0, run.stdout + run.stderr
    assert touched(copy.folder.parent) == [photos]


NAMED = ("datasets", "ood_sets", "networks", "recipes", "teachers", "baselines", "students", "augmented", "segmenters")
NAMED += ("pretrained", "enhancers", "protocols", "groups", "studies", "hypotheses", "figures")
NAMED += ("datasets.fashion-mnist-12k.shifted",)
EMPTY = {"pretrained": {"some": {"name": "resnet18"}}, "shifted": {"some": "numpy:some.npz"}}  # in the default study


@pytest.mark.parametrize("place", NAMED)
def test_names_are_words_and_nothing_else(config, place):
    *above, section = place.split(".")
    entries = reduce(getitem, above, config)
    known = entries.get(section) or EMPTY[section]
    entries[section] = known
    load_study(config)
    for name in ("$(touch TOUCHED)", "../up", "a/b", "Upper", "-a", "", "a\n"):
        entries[section] = known | {name: next(iter(known.values()))}
        with pytest.raises(UserError) as fault:
            load_study(config)
        assert str(fault.value).startswith(f"config: {place}") and "\n" not in str(fault.value)


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


# ---- folders and archives ----


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder data set, beside pictures that are not of it."""
    write_folder(tmp_path / "photos")
    write_folder(tmp_path / "secrets", classes=("bee",))
    return tmp_path / "photos"


def refused(photos: Path, told: str) -> None:
    for source in (f"folder:{photos}", f"folder:{photos}/"):
        with pytest.raises(UserError, match=told):
            load(source, size_px=16)


def test_a_class_folder_that_is_a_link_out_of_the_root(photos):
    shutil.rmtree(photos / "bee")
    (photos / "bee").symlink_to("../secrets/bee")
    refused(photos, r"photos/bee: a link that leads out of .*photos; replace it by what it points to")


def test_a_folder_below_a_class_and_a_split_that_are_links_out_of_the_root(photos):
    (photos / "bee/more").symlink_to(photos.parent / "secrets/bee")
    refused(photos, r"bee/more: a link that leads out of")
    (photos / "bee/more").unlink()
    for name in ("ant", "bee", "cat"):
        (photos / "train" / name).parent.mkdir(exist_ok=True)
        (photos / name).rename(photos / "train" / name)
    (photos / "val").symlink_to(photos.parent / "secrets")
    refused(photos, r"photos/val: a link that leads out of")


def test_masks_that_are_links_out_of_the_root(photos):
    masks = photos.parent / "masks"
    for name in ("ant", "bee", "cat"):
        (masks / name).mkdir(parents=True)
        for i in range(10):
            Image.fromarray(np.full((30, 20), 255, np.uint8)).save(masks / name / f"{i:03}.png")
    (photos / "masks").symlink_to(masks)
    refused(photos, r"photos/masks: a link that leads out of")
    (photos / "masks").unlink()
    shutil.copytree(masks, photos / "masks")
    (photos / "masks/ant/000.png").unlink()
    (photos / "masks/ant/000.png").symlink_to(masks / "ant/000.png")
    refused(photos, r"masks/ant/000\.png: a link that leads out of")


def test_a_chain_of_links_out_of_the_root(photos):
    (photos.parent / "secrets/one.png").symlink_to("bee/000.jpg")
    (photos / "ant/a.png").symlink_to("b.png")
    (photos / "ant/b.png").symlink_to("../../secrets/one.png")
    refused(photos, r"ant/[ab]\.png: a link that leads out of")


def test_a_link_in_a_circle_is_refused_and_one_inside_is_not(photos):
    (photos / "ant/000.png").symlink_to("../bee/001.png")
    assert sum(len(split.labels) for split in load_splits(f"folder:{photos}", size_px=16).values()) == 31
    (photos / "ant/again").symlink_to(photos / "ant")
    refused(photos, r"ant/again: a link that leads back")


def test_the_root_itself_may_be_a_link(photos):
    (photos.parent / "here").symlink_to(photos)
    assert set(load_splits(f"folder:{photos.parent / 'here'}", size_px=16)) == {"train", "val", "test"}


def test_names_in_an_archive_lead_nowhere(tmp_path, monkeypatch):
    """Members are found by the last part of their names and read into memory; links among them are passed over."""
    wanted = published.PUBLISHED["cifar10"].members
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
    assert official._untar(archive, wanted) == dict.fromkeys(wanted, b"data")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cifar-10-python.tar.gz", "inner", "secret"]


def test_names_in_a_zip_lead_nowhere(tmp_path, monkeypatch):
    png = io.BytesIO()
    Image.new("RGB", (64, 64)).save(png, "JPEG")
    archive = tmp_path / "downloads/tiny-imagenet-200.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        top = "tiny-imagenet-200/"
        file.writestr(f"{top}wnids.txt", "n1\n")
        file.writestr(f"{top}words.txt", "n1\tfish\n")
        file.writestr(f"{top}val/val_annotations.txt", "../../../evil.JPEG\tn1\n")
        file.writestr(f"{top}train/n1/../../../../out.JPEG", png.getvalue())
        file.writestr(f"{top}val/images/../../../evil.JPEG", png.getvalue())
    monkeypatch.setattr(official, "_check", lambda paths: None)
    raw = official.tiny_imagenet("", tmp_path)
    for pool in raw.pools.values():
        assert pool.images.content(0) == png.getvalue()
    assert [path.name for path in tmp_path.rglob("*")] == ["downloads", archive.name]


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
    """The settings with a text in place of every string."""
    if isinstance(value, dict):
        return {key: everywhere(entry, text) for key, entry in value.items()}
    return [everywhere(entry, text) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize("text", ['"><img src=x onerror=alert(1)>', "</pre></details><script>1</script>", "'{{ 7*7 }}"])
def test_no_text_of_config_or_data_becomes_an_element(text):
    def page(word: str) -> str:
        study = SETTINGS["studies"]["distillation"]
        words = dict.fromkeys(("title", "question", "background", "protocol", "threats"), word)
        counts = [("train", "duplicates", 3, word, None, None), ("all", "ignored files", 1, word, None, None)]
        splits = ("train", "val", "test")
        counts += [(split, "images", 3, None, *of) for split in splits for of in ((None, None), (0, word))]
        settings = SETTINGS | {"studies": {"distillation": study | words}}
        settings |= {"ood_sets": {"digits": {"source": f"folder:{word}", "overlap": word}}}
        return render(report(settings=settings, counts={"toys": frame("data", counts)}))

    assert text not in page(text)
    assert Elements(page(text)).found == Elements(page("harmless")).found
