"""The studies beside the default one: each is planned whole, with stand-ins for images that are not here.

Of two replicates, or of the first look: more of them are more jobs of the same rules, and minutes.
"""

import json
import re
import shutil
from functools import cache

import pytest
import yaml
from copies import ROOT, Copy, copy_repository
from PIL import Image

from selfdoubt.settings.models import Recipe

STUDIES = sorted((ROOT / "studies").glob("*.yaml"))
MADE_BY = ("train_teacher", "train_baseline", "distill_student", "train_augmented", "train_robust", "import_model")
AS_THEY_ARE = ("config", "cifar10-published", "imagenet-benchmark", "photograph-mixing", "predictions")
LOOKS = ("ensemble-distillation", "several-teachers", "transform-steps")
EXPECTED = {  # how many jobs train or import a model, by study
    "baselines": 3 * 2 * 13,
    "cifar10": 2 * 8,
    "cifar10-published": 4,
    "cifar100": 2 * 8,
    "communication": 3 * 2 * 5,  # two of them fine-tuned
    "communication-methods": 2 * 11,  # two of them fine-tuned
    "distillation": 3 * 2 * 13,
    "distillation-2": 2 * 13,
    "distillation-dose": 2 * 4 * 7,
    "distillation-proposals": 3 * 2 * 11,
    "distillation-sweeps": 2 * 104,
    "distillation-tuning": 2 * 39,
    "enhancers": 3 * 2,
    "enhancer-methods": 2 * 7,  # three of them folds
    "ensemble-distillation": 10 * 7,  # at the first look
    "fashion-full": 2 * 7,
    "fashion-scenes": 2 * 7,
    "mixing-2": 2 * 2 * 5,
    "mixing": 3 * 2 * 11,
    "mixing-methods": 2 * 45,
    "imagenet": 2 * 5 + 2,
    "imagenet-benchmark": 20,
    "photograph-masks": 2 * 5,
    "photograph-mixing": 5 * 5 + 1,
    "photographs": 2 * 7,
    "segmenters": 2 * 2 * 2,
    "several-teachers": 10 * 6,  # at the first look
    "predictions": 0,
    "transform-steps": 10,  # at the first look
}

PUBLISHED = ["cifar10-part/train.parquet", "cifar10-part/test.parquet"]  # below data_folder
PUBLISHED += [
    f"resnet-cifar10-weights/resnet{name}.th" for name in ("20-12fca82f", "32-d509ac18", "44-014dd654", "56-4bfd9763")
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Copy:
    copy = copy_repository(tmp_path_factory.mktemp("studies") / "repository")
    shutil.copy(ROOT / "config.yaml", copy.folder)
    (copy.folder / "studies").symlink_to(ROOT / "studies")
    (copy.folder / ".snakemake").mkdir()
    resources = copy.folder / "resources"
    resources.unlink()
    resources.mkdir()
    for name in ("fashion-mnist-12k", "datatables"):
        (resources / name).symlink_to(ROOT / "resources" / name)
    for name in PUBLISHED:
        (copy.folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (copy.folder / "data" / name).touch()
    for split in ("train", "val"):
        folder = resources / "imagenet" / split / "n01440764"
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "n01440764_1.JPEG")
    for name in ("hat", "shoes"):
        folder = copy.folder / "data/clothing-photos/train" / name
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "1.png")
    for path in STUDIES:
        for name in re.findall(r"\{data_folder\}/([^\"]+\.\w+)", path.read_text()):
            (copy.folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (copy.folder / "data" / name).touch()
    return copy


@pytest.fixture(scope="module")
def planned(copy):
    """The dry run of a study, by its name; each is made once."""

    @cache
    def planned(study: str) -> str:
        given = [] if study == "config" else ["--configfile", f"studies/{study}.yaml"]
        few = [] if study in (*AS_THEY_ARE, *LOOKS) else ["replicates=2"]
        run = copy.snakemake("-n", "-p", *given, "--config", "data_folder=data", *few)
        assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
        return run.stdout + run.stderr

    return planned


@pytest.mark.parametrize("study", [path.stem for path in STUDIES])
def test_a_study_is_planned_whole(planned, study):
    jobs = dict(re.findall(rf"^({'|'.join(MADE_BY)}) +(\d+)$", planned(study), re.MULTILINE))  # shown twice
    assert sum(map(int, jobs.values())) == EXPECTED[study]
    assert re.search(r"^render_report +1$", planned(study), re.MULTILINE)


@pytest.mark.parametrize("study", ["config", *(path.stem for path in STUDIES)])
def test_the_costs_count_the_jobs_that_lead_to_the_metrics(planned, study):
    """All of them, and no others."""
    made_by, benchmarks = {}, {}  # blocks by the files that they make
    for block in blocks(planned(study)):
        made_by |= dict.fromkeys(files(block, "output"), block)
        benchmarks[block] = [
            re.sub(r"results/.*?/benchmarks/(.*)\.tsv", r"\1", file) for file in files(block, "benchmark")
        ]
    last = next(block for block in benchmarks if block.startswith(("rule collect_costs:", "localrule collect_costs:")))
    found, waiting = set(), [last]
    while waiting:
        block = waiting.pop()
        found.add(block)
        waiting += {made_by[file] for file in files(block, "input") if file in made_by} - found
    counted = json.loads(re.search(r"\{\"jobs\":.*?\]\}", last)[0])["jobs"]
    assert len(counted) > 2 and sorted(counted) == sorted(
        name for block in found - {last} for name in benchmarks[block]
    )


def blocks(output: str) -> list[str]:
    """What Snakemake prints of each job."""
    return [part for part in re.split(r"\n(?=(?:local)?rule \w+:)", output) if re.match(r"(?:local)?rule \w+:", part)]


def files(block: str, field: str) -> list[str]:
    found = re.search(rf"^    {field}: (.*)$", block, re.MULTILINE)
    return found[1].split(", ") if found else []


TABLE = 4 * 1000 * (25_623 + 50_000 + 3 * 3 * 5000) / 1e6  # MB of logits of val, test and corrupted images
CLEAN = 4 * 1000 * (25_623 + 50_000) / 1e6
CORRUPTED = 3 * 5000 * 3 * 224 * 224 / 1e6  # of three severities
GRADIENTS = 4 * (150e6 + 1.5 * 700 * (2**22 // 3)) / 1e6 - 1000  # of a network of timm, where no device is named
OF_IMAGENET = {
    "prepare_dataset": {2000},  # images stay in their files
    "import_model": {2000},
    "corrupt_images": {2000 + 2 * (CORRUPTED - 250)},
    **{key: {50620} for key in ("train_baseline", "distill_student", "train_augmented")},  # docs/clusters.md
    "predict": {2000 + 2 * (CORRUPTED - 250) + 4 * TABLE},
    "enhance_images": {2000 + 4 * CLEAN - 500 + 3 * 4 * 1000 * 25_623 / 1e6 + GRADIENTS},  # three candidates
    "communicate": {2000 - 500 + (3 * 3 + 4) * CLEAN + GRADIENTS},
    "combine_members": {500 + (3 * 3 + 4) * TABLE},
    "compare_groups": {500 + (3 * 3 + 4) * TABLE},
    "compute_metrics": {500 + 6 * TABLE},
    "compare_arms": {500 + 6 * TABLE},
    "choose_pictures": {500 + 6 * TABLE},
    "measure_gaps": {500 + 6 * TABLE},
    "measure_fidelity": {500 + (3 * 3 + 4) * TABLE},  # a student, its teacher and the reference
    "compute_guarantees": {500 + 6 * TABLE},
    "plot_figure": {500 + 10 * TABLE, 1000},  # the others read metrics, examples and persuasion tables
    "collect_metrics": {2000},
    "digest_data": {2000},
    "render_report": {1000},
    **{key: {500} for key in ("collect_costs", "collect_enhancements")},
}


def test_each_job_of_imagenet_requests_what_its_data_take(planned):
    found = {}
    for block in blocks(planned("imagenet")):
        if job := re.match(r"(?:local)?rule (\w+):.*?^    resources:.*?mem_mb=(\d+)", block, re.MULTILINE | re.DOTALL):
            found.setdefault(job[1], set()).add(int(job[2]))
    assert found == {rule: {round(mb) for mb in numbers} for rule, numbers in OF_IMAGENET.items()}


def test_a_study_only_overrides():
    default = yaml.safe_load((ROOT / "config.yaml").read_text())
    for path in STUDIES:
        assert same_entries(yaml.safe_load(path.read_text()), default) == [], path.name


def same_entries(study: dict, default: dict, place: str = "") -> list[str]:
    """Keys that repeat config.yaml: a study is small because it only overrides."""
    found = []
    for key, value in study.items():
        if isinstance(value, dict) and isinstance(default.get(key), dict):
            found += same_entries(value, default[key], f"{place}{key}.")
        elif key in default and value == default[key]:
            found.append(f"{place}{key}")
    return found


def test_the_arms_of_baselines_differ_from_the_default_recipe_as_they_say():
    default = Recipe(**yaml.safe_load((ROOT / "config.yaml").read_text())["recipes"]["short"])
    recipes = yaml.safe_load((ROOT / "studies/baselines.yaml").read_text())["recipes"]
    default = default.model_copy(update={"validate_every": 1})  # of the curve alone
    assert Recipe(**recipes["ema"]) == default.model_copy(update={"ema_decay": 0.95})
    assert Recipe(**recipes["third"]) == default.model_copy(update={"epochs": default.epochs // 3})


def test_every_study_is_expected():
    assert {path.stem for path in STUDIES} == set(EXPECTED)
