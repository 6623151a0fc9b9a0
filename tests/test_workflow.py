"""What reruns: each test edits a finished copy and compares the jobs of a dry run with the exact set expected."""

import pytest
import yaml
from conftest import ROOT

from selfdoubt.provenance import digest
from selfdoubt.settings import load_study

SEEDS = (1, 2, 3)
MODELS = ("teacher", "ce", "label-smoothing", "kd", "kd-no-labels", "cutmix", "mask-cutmix")
STUDENTS = ("kd", "kd-no-labels")
ENHANCERS = ("odin", "anti-adversary", "random-sign")
PROTOCOLS = ("mean-probability", "persuasion", "persuasion-placebo")
TABLES = {"collect_metrics", "collect_costs", "test_hypotheses", "render_report"}
ACCURACY = {"plot_auroc_accuracy:auroc-accuracy"}


def seeds(rule: str, *names: str, of=SEEDS) -> set[str]:
    """The jobs of a rule for each name and seed; a name may end in a variant."""
    return {f"{rule}:{'/'.join([name.split('/')[0], str(s), *name.split('/')[1:]])}" for name in names for s in of}


def evaluated(*models: str, of=SEEDS) -> set[str]:
    """Predictions and numbers of models, and all tables."""
    return (
        seeds("predict", *models, of=of)
        | seeds("compute_metrics", *(f"{m}/clean" for m in models), of=of)
        | TABLES
        | ACCURACY
    )


def enhanced(of=SEEDS) -> set[str]:
    """All that the enhancers of ce do, with the figures that show it."""
    arms = [f"ce/{enhancer}" for enhancer in ENHANCERS]
    shown = {"plot_risk_coverage:risk-coverage-enhancers", "plot_enhancement_examples:enhancement-examples"}
    return seeds("enhance_images", *arms, of=of) | seeds("compute_metrics", *arms, of=of) | shown | TABLES | ACCURACY


def communicated(of=SEEDS, protocols=PROTOCOLS) -> set[str]:
    """All that the group does, with its matrix."""
    arms = [f"trio/{protocol}" for protocol in protocols]
    jobs = seeds("communicate", *(arm for arm in arms if "persuasion" in arm), of=of)
    jobs |= seeds("combine_members", *(arm for arm in arms if "mean" in arm), of=of)
    return (
        jobs | seeds("compute_metrics", *arms, of=of) | {"plot_persuasion_matrix:persuasion-matrix"} | TABLES | ACCURACY
    )


def stored(of=SEEDS) -> set[str]:
    """The teacher's answers to the one stream of views that both students see."""
    study = load_study(yaml.safe_load((ROOT / "config.yaml").read_text()))
    return {f"precompute_soft_labels:teacher/views-{digest(study.views('kd'), [])}/{seed}" for seed in of}


def drawn(*figures: str) -> set[str]:
    return {f"plot_{'reliability' if figure == 'reliability' else 'risk_coverage'}:{figure}" for figure in figures}


def test_nothing_changed_nothing_runs(copy):
    assert copy.jobs() == set()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("workflow_scripts/selfdoubt/training.py", "\n\n\nclass Training", "\n\n\n# a remark\nclass Training"),
        ("workflow_scripts/selfdoubt/losses.py", "(Hinton, Vinyals & Dean 2015)", "(Hinton et al. 2015)"),
        ("workflow_scripts/selfdoubt/settings/types.py", "class Strict", "A_NEW_NAME = 1\n\n\nclass Strict"),
        ("config.yaml", "flip: true # random horizontal flip", "flip: true"),
        ("config.yaml", "temperature: 4,", "temperature: 4.0,"),
        ("rules/training.smk", "priority: 10", "priority: 11"),
    ],
    ids=["comment", "docstring", "settings-module", "config-comment", "4-and-4.0", "priority"],
)
def test_an_edit_without_meaning_reruns_nothing(copy, file, old, new):
    copy.edit(file, old, new)
    assert copy.jobs() == set()


def test_the_order_of_the_sections_means_nothing(copy):
    copy.edit_config(lambda config: config.update(students=config.pop("students"), recipes=config.pop("recipes")))
    assert copy.jobs() == set()


def test_a_figures_style(copy):
    copy.edit_config(lambda config: config["figures"]["risk-coverage"]["style"].update(width_mm=120))
    assert copy.jobs() == drawn("risk-coverage") | {"render_report"}


def test_the_number_of_ece_bins(copy):
    copy.edit_config(lambda config: config["evaluation"].update(ece_bins=10))
    arms = [f"{model}/clean" for model in MODELS]
    arms += [f"ce/{enhancer}" for enhancer in ENHANCERS] + [f"trio/{protocol}" for protocol in PROTOCOLS]
    assert copy.jobs() == seeds("compute_metrics", *arms) | TABLES | ACCURACY


def test_one_students_temperature(copy):
    copy.edit_config(lambda config: config["students"]["kd"].update(temperature=2))
    figures = drawn("risk-coverage", "reliability")
    assert copy.jobs() == seeds("distill_student", "kd") | evaluated("kd") | communicated() | figures


def test_all_classes_or_a_few_of_the_soft_labels(copy):
    copy.edit_config(lambda config: config["soft_labels"].update(top_k=3))
    figures = drawn("risk-coverage", "reliability")
    students = seeds("distill_student", *STUDENTS) | evaluated(*STUDENTS)
    assert copy.jobs() == stored() | students | communicated() | figures


def test_asking_online_needs_no_soft_labels(copy):
    copy.edit_config(lambda config: config["soft_labels"].update(mode="online"))
    assert not {job for job in copy.jobs() if job.startswith(("precompute", "train"))}
    assert seeds("distill_student", *STUDENTS) <= copy.jobs()  # their input files are others


def test_one_student_alone_asks_online(copy):
    def change(config):
        config["students"]["kd-no-labels"]["recipe"] = "long"
        config["recipes"]["long"] = {**config["recipes"]["short"], "epochs": 9}

    copy.edit_config(change)
    jobs = copy.jobs()
    assert seeds("distill_student", *STUDENTS) <= jobs and not {j for j in jobs if j.startswith("precompute")}


def test_the_teachers_epochs(copy):
    def change(config):
        config["recipes"]["long"] = {**config["recipes"]["short"], "epochs": 9}
        config["teachers"]["teacher"]["recipe"] = "long"

    copy.edit_config(change)
    trained = seeds("train_teacher", "teacher") | seeds("distill_student", *STUDENTS) | stored()
    trained |= seeds("train_augmented", "mask-cutmix")
    masks = {"train_segmenter:unet", "segment_images:unet", "plot_mask_gallery:mask-gallery"}
    figures = drawn("risk-coverage", "reliability", "risk-coverage-cutmix")
    read = evaluated("teacher", *STUDENTS, "mask-cutmix") | communicated()
    assert copy.jobs() == trained | masks | figures | read


def test_a_new_seed(copy):
    copy.edit_config(lambda config: config["seeds"].append(4))
    trained = seeds("train_teacher", "teacher", of=[4]) | seeds("distill_student", *STUDENTS, of=[4])
    trained |= seeds("train_baseline", "ce", "label-smoothing", of=[4])
    trained |= seeds("train_augmented", "cutmix", "mask-cutmix", of=[4])
    figures = drawn("risk-coverage", "reliability", "risk-coverage-enhancers", "risk-coverage-cutmix")
    examples = {"plot_enhancement_examples:enhancement-examples"}  # of seed 1
    arms = evaluated(*MODELS, of=[4]) | (enhanced([4]) - examples) | communicated([4]) | stored([4])
    assert copy.jobs() == trained | arms | figures


def test_a_removed_model(copy):
    def change(config):
        del config["baselines"]["label-smoothing"]
        config["studies"]["distillation"]["arms"].remove("label-smoothing")
        for figure in ("risk-coverage", "reliability"):
            config["figures"][figure]["arms"].remove("label-smoothing")

    copy.edit_config(change)
    shown = drawn("risk-coverage", "reliability", "risk-coverage-enhancers", "risk-coverage-cutmix")
    assert copy.jobs() == TABLES | ACCURACY | shown


def test_a_change_in_the_attacks(copy):
    copy.edit("workflow_scripts/selfdoubt/attacks.py", "def project(", "CHANGED = True\n\n\ndef project(")
    spoken = ("persuasion", "persuasion-placebo")
    assert copy.jobs() == enhanced() | communicated(protocols=spoken)


def test_a_change_in_the_training_loop(copy):
    copy.edit("workflow_scripts/selfdoubt/training.py", "10_000, 12_000_000", "9_000, 12_000_000")
    jobs = {job.split(":")[0] for job in copy.jobs()}
    assert {"train_teacher", "train_baseline", "distill_student", "train_augmented"} <= jobs
    assert not jobs & {"prepare_dataset", "prepare_ood", "corrupt_images"}


def test_deleted_figures_are_drawn_again_and_nothing_else(copy):
    for file in (copy.folder / "results/figures").iterdir():
        file.unlink()
    assert {job.split(":")[0] for job in copy.jobs()} == {
        *("plot_risk_coverage", "plot_reliability", "plot_auroc_accuracy", "plot_mask_gallery"),
        *("plot_enhancement_examples", "plot_persuasion_matrix", "render_report"),
    }


def test_a_model_that_is_evaluated_only(copy):
    (copy.folder / "w.pth").touch()

    def change(config):
        config["pretrained"] = {"big": {"name": "resnet50.a1_in1k", "weights": "w.pth"}}
        config["groups"]["trio"]["members"].append("big")

    copy.edit_config(change)
    looks = drawn("risk-coverage", "reliability", "risk-coverage-enhancers", "risk-coverage-cutmix")
    # An arm's look depends on which arms there are.
    assert copy.jobs() == {"import_model:big/1"} | evaluated("big", of=[1]) | communicated() | looks


def test_a_teacher_that_is_evaluated_only_serves_every_seed(copy):
    def change(config):
        config["pretrained"] = {"big": {"name": "resnet50.a1_in1k"}}
        config["students"]["kd"]["teacher"] = config["students"]["kd-no-labels"]["teacher"] = "big"

    copy.edit_config(change)
    jobs = copy.jobs()
    assert {job for job in jobs if job.startswith(("import", "train"))} == {"import_model:big/1"}
    assert seeds("distill_student", *STUDENTS) <= jobs
    assert {job.rpartition("/")[2] for job in jobs if job.startswith("precompute")} == {"1", "2", "3"}


def test_a_file_of_weights_trains_again_what_starts_from_it(copy):
    weights = copy.folder / "w.pth"
    weights.write_text("some")

    def change(config):
        config["networks"]["r"] = {"family": "timm", "name": "resnet18", "weights": "w.pth"}
        config["baselines"]["label-smoothing"]["network"] = "r"

    copy.edit_config(change)
    target = "results/checkpoints/fashion-mnist-12k/label-smoothing/seed-1.safetensors"
    run = copy.snakemake(target, "--resources", "gpu=4")
    assert run.returncode == 0, run.stderr
    assert "Nothing to be done" in copy.snakemake("-n", target).stdout
    weights.write_text("more")
    assert "train_baseline" in copy.snakemake("-n", target).stdout
    weights.unlink()
    run = copy.snakemake("-n", target, "--quiet")
    assert run.returncode == 1
    assert "config: networks.r.weights: w.pth is missing; put the file there" in run.stderr + run.stdout


def test_a_wrong_key_ends_with_one_line(copy):
    copy.edit("config.yaml", "temperature: 4, alpha: 0.9", "temprature: 4, alpha: 0.9")
    run = copy.snakemake("-n", "--quiet")
    lines = [line for line in (run.stdout + run.stderr).splitlines() if "workflow specific profile" not in line]
    assert run.returncode == 1
    assert lines == [
        "config: students.kd.temprature: unknown key; did you mean 'temperature'? "
        "Keys: alpha, network, recipe, teacher, temperature (and 1 more)"
    ]


def test_a_missing_file_ends_with_one_line(copy):
    (copy.folder / "resources").unlink()
    (copy.folder / "resources/fashion-mnist-12k").mkdir(parents=True)
    run = copy.snakemake("-n", "--quiet")
    lines = [line for line in (run.stdout + run.stderr).splitlines() if "workflow specific profile" not in line]
    assert run.returncode == 1 and len(lines) == 1
    assert "resources/fashion-mnist-12k/train.parquet is missing" in lines[0]
