"""Changes of a finished copy of the repository, for tests/support/edits.py: each is a function of a `copies.Copy`."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from copies import Copy
from expected_jobs import STUDENTS

from selfdoubt.runtime.methods import names_in
from selfdoubt.settings.registry import FOLDERS


@dataclass(frozen=True)
class Edit:
    """One edit of a finished study, what it makes run again, and why, where that is not plain."""

    name: str  # in the docs
    change: Callable[[Copy], None]
    jobs: set[str]
    why: str = ""
    tried: bool = True  # by a dry run; no need where another edit goes the same way through the rules


def config(change: Callable[[dict], object]) -> Callable[[Copy], None]:
    """Apply change(config) to config.yaml."""
    return lambda copy: copy.edit_config(change)


def text(file: str, old: str, new: str) -> Callable[[Copy], None]:
    return lambda copy: copy.edit(file, old, new)


def texts(old: str, new: str, *files: str) -> Callable[[Copy], None]:
    """Replace a text in several files."""
    return several(*(text(file, old, new) for file in files))


def modules(*paths: str) -> Callable[[Copy], None]:
    """Add a line to modules below workflow_scripts/."""

    def change(copy: Copy) -> None:
        for path in (copy.folder / "workflow_scripts" / path for path in paths):
            path.write_text(f"{path.read_text()}\n\nCHANGED = True\n")

    return change


def delete(*patterns: str) -> Callable[[Copy], None]:
    def change(copy: Copy) -> None:
        files = [file for pattern in patterns for file in copy.folder.glob(pattern) if file.is_file()]
        assert files
        for file in files:
            file.unlink()

    return change


def put(section: str, **entries) -> Callable[[Copy], None]:
    """Add entries to a section of the config (keys joined by dots), or replace them."""

    def change(config: dict) -> None:
        here = config
        for key in section.split("."):
            here = here[key]
        here.update(entries)

    return lambda copy: copy.edit_config(change)


def several(*changes: Callable[[Copy], None]) -> Callable[[Copy], None]:
    return lambda copy: [change(copy) for change in changes]


def renamed(entries: dict, old: str, new: str) -> None:
    """Rename a key where it stands."""
    items = [(new if key == old else key, value) for key, value in entries.items()]
    entries.clear()
    entries.update(items)


def installed(package: str) -> Callable[[Copy], None]:
    """Let another version of a package be found first."""

    def change(copy: Copy) -> None:
        folder = copy.folder / f"workflow_scripts/{package}-99.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 99.0\n")

    return change


def touch(copy: Copy) -> None:
    """Set the time of every file to now, images among them."""
    copy.own_resources()
    for file in copy.folder.rglob("*"):
        if file.is_file() and ".snakemake" not in file.parts:
            os.utime(file)


def other_image(copy: Copy) -> None:
    copy.own_resources()
    path = copy.folder / "resources/fashion-mnist-12k/val.parquet"
    path.write_bytes(path.read_bytes() + b"\0")


# ---- changes of the config that are more than a line ----


def swap(entry: dict, one: str, other: str) -> None:
    entry[one], entry[other] = entry[other], entry[one]


def other_orders(config: dict) -> None:
    """Reverse every list that means a set."""
    for here, key in (
        (config["groups"]["trio"], "members"),
        (config["datasets"]["fashion-mnist-12k"]["corruptions"], "names"),
        (config["datasets"]["fashion-mnist-12k"]["corruptions"], "severities"),
        (config["enhancers"]["odin"], "epsilon_255"),
        (config["evaluation"], "scores"),
        (config["evaluation"], "metrics"),
        (config["evaluation"], "coverages_percent"),
    ):
        here[key].reverse()


def defaults_otherwise(config: dict) -> None:
    """Leave out what is the default, write out what was left out."""
    del config["soft_labels"]["max_gb"], config["recipes"]["short"]["ema_decay"], config["recipes"]["short"]["gpu"]
    config["baselines"]["ce"]["label_smoothing"] = 0
    config["datasets"]["fashion-mnist-12k"].update(val_fraction=0.1, shifted={})


def rename_recipe(config: dict) -> None:
    renamed(config["recipes"], "short", "quick")
    renamed(config["networks"], "convnet-small", "tiny")
    for section in ("teachers", "baselines", "students", "augmented", "robust"):
        for model in config[section].values():
            model["recipe"] = "quick"
            model["network"] = model["network"].replace("convnet-small", "tiny")


def rename_study(config: dict) -> None:
    renamed(config["studies"], "distillation", "students")
    for entry in (*config["hypotheses"].values(), *config["figures"].values()):
        entry["study"] = entry["study"].replace("distillation", "students")


def rename_model(config: dict) -> None:
    renamed(config["baselines"], "label-smoothing", "smooth")
    for entry in (config["studies"]["distillation"], *config["figures"].values()):
        entry["arms"] = [arm.replace("label-smoothing", "smooth") for arm in entry.get("arms", [])]
        if not entry["arms"]:
            del entry["arms"]


def remove_model(config: dict) -> None:
    del config["baselines"]["label-smoothing"]
    for entry in (config["studies"]["distillation"], *config["figures"].values()):
        if "label-smoothing" in entry.get("arms", []):
            entry["arms"].remove("label-smoothing")


def remove_group(config: dict) -> None:
    for section, key in (("groups", "trio"), ("studies", "communication"), ("figures", "persuasion-matrix")):
        del config[section][key]
    del config["hypotheses"]["persuasion-lifts-accuracy"], config["hypotheses"]["persuasion-beats-placebo"]


def remove_enhancer(config: dict) -> None:
    del config["enhancers"]["anti-adversary"]
    config["studies"]["enhancers"]["arms"].remove("ce/anti-adversary")
    config["figures"]["risk-coverage-enhancers"]["arms"].remove("ce/anti-adversary")
    config["figures"]["enhancement-examples"]["enhancers"].remove("anti-adversary")


def longer(section: str, *names: str) -> Callable[[Copy], None]:
    """Give models a recipe of more epochs."""

    def change(config: dict) -> None:
        config["recipes"]["long"] = {**config["recipes"]["short"], "epochs": 9}
        for name in names:
            config[section][name]["recipe"] = "long"

    return lambda copy: copy.edit_config(change)


def pretrained_member(copy: Copy) -> None:
    (copy.folder / "w.pth").touch()
    put("pretrained", big={"name": "resnet50.a1_in1k", "weights": "w.pth"})(copy)
    copy.edit_config(lambda config: config["groups"]["trio"]["members"].append("big"))


def pretrained_teacher(config: dict) -> None:
    config["pretrained"] = {"big": {"name": "resnet50.a1_in1k"}}
    for student in STUDENTS:
        config["students"][student]["teacher"] = "big"


def robust_model(config: dict) -> None:
    config["robust"]["moved"] = config["robust"]["robust"] | {"fine_tuned_from": "kd"}


def with_second_dataset(config: dict) -> None:
    config["datasets"]["second"] = config["datasets"]["fashion-mnist-12k"]


def without_second_dataset(copy: Copy) -> None:
    """Finish a study of two data sets, and then take the second away."""
    copy.edit_config(with_second_dataset)
    run = copy.snakemake("--resources", "gpu=4")
    assert run.returncode == 0, run.stderr
    copy.edit_config(lambda config: config["datasets"].pop("second"))


def more_members(entry: dict, n: int) -> Callable[[Copy], None]:
    """Finish a study with twins or folds of a baseline, and then ask for n of them; entry: that stands for them."""

    def change(copy: Copy) -> None:
        put("baselines", twins=entry)(copy)
        run = copy.snakemake("--resources", "gpu=4")
        assert run.returncode == 0, run.stderr
        put("baselines.twins", n=n)(copy)

    return change


def learning_enhancer(change: Callable[[Copy], None]) -> Callable[[Copy], None]:
    """Finish a study with two folds of `ce`, and a network `learned` that changes its images; then change it.

    The network learns by the errors of `kd`.
    """
    entry = {"method": "deep", "models": ["ce"], "errors_of": "kd", "epsilon_255": [2], "confidence_weight": [1]}
    entry |= {"width": 2, "epochs": 1, "batch_size": 64, "learning_rate": 0.01, "n_folds": 2}

    def begin(copy: Copy) -> None:
        put("baselines", twins={"folds_of": "ce", "parts": 2, "n": 2})(copy)
        put("enhancers", learned=entry)(copy)
        run = copy.snakemake("--resources", "gpu=4")
        assert run.returncode == 0, run.stderr

    return several(begin, change)


# ---- methods ----


def new_method(copy: Copy, kind: str, like: str, name: str = "newcomer") -> None:
    """Add a method of a kind: settings and module of another one under a new name."""
    library = copy.folder / "workflow_scripts/selfdoubt"
    for folder in (f"settings/{kind}", FOLDERS[kind].replace(".", "/")):
        old = library / folder / f"{like.replace('-', '_')}.py"
        if old.exists():  # a corruption has no settings
            old.with_stem(name).write_text(old.read_text().replace(f'"{like}"', f'"{name}"'))


def new_methods(copy: Copy) -> None:
    """Add a method of every kind."""
    for kind, folder in FOLDERS.items():
        new_method(copy, kind, names_in(folder)[0])


def used(kind: str, like: str, change: Callable[[dict], object]) -> Callable[[Copy], None]:
    """Add a method, and let the config use it."""
    return several(lambda copy: new_method(copy, kind, like), config(change))


def put_in(section: str, **entries) -> Callable[[dict], object]:
    """Return a change of the config that adds entries to a section."""
    return lambda config: config[section].update(entries)


def edited(kind: str, like: str, change: Callable[[dict], object]) -> Callable[[Copy], None]:
    """Add a method, finish a study that uses it, and edit the method."""

    def finish(copy: Copy) -> None:
        run = copy.snakemake("--resources", "gpu=4")
        assert run.returncode == 0, run.stderr

    edit = modules(f"selfdoubt/{FOLDERS[kind].replace('.', '/')}/newcomer.py")
    return several(used(kind, like, change), finish, edit)


def ask_for_newcomer(config: dict) -> None:
    config["evaluation"]["scores"].append("newcomer")


def join_group(protocol: str, entry: dict) -> Callable[[dict], object]:
    """Return a change of the config that adds a protocol to the group."""

    def change(config: dict) -> None:
        config["protocols"][protocol] = entry
        config["groups"]["trio"]["protocols"].append(protocol)

    return change


def corrupt_by_newcomer(config: dict) -> None:
    config["datasets"]["fashion-mnist-12k"]["corruptions"]["names"].append("newcomer")
