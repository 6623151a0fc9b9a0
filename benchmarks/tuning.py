"""What an exploratory study found on val: tuning.py results/RUN [--arms [SCORE] | --teachers [ARM ...]]

Prints, for each loss of a study such as studies/distillation-tuning.yaml, its trials with their mean AURC on val, and
marks the lowest; with --arms, all arms of a study such as studies/distillation-sweeps.yaml, the lowest AURC first, by
SCORE (msp). What a score fits, such as the factor of disagreement, it has fitted on these images of val. With
--teachers, the numbers of its figure teacher-quality, a row a student, and their rank correlations over students; of
the students that are named, or of all that the figure has. Test is not read.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
from findings import whole_config  # noqa: E402

from selfdoubt.evaluation.fidelity import spearman  # noqa: E402
from selfdoubt.figures.kinds import teacher_quality  # noqa: E402
from selfdoubt.runtime.schemas.fidelity import FIDELITY_SCHEMA  # noqa: E402
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA  # noqa: E402
from selfdoubt.runtime.table_files import read_table  # noqa: E402
from selfdoubt.settings.study import load_study, parse_arm  # noqa: E402


def trial_of(name: str, study) -> tuple[str, str]:
    """Return the loss of a model, and the settings that its trials differ in."""
    model = study.models[name]
    found = {"learning rate": study.recipes[model.recipe].optimizer.learning_rate}
    loss = getattr(model, "loss", None)
    if loss is None:
        return ("label smoothing" if getattr(model, "label_smoothing", 0) else "cross-entropy"), _text(found)
    found |= {key: value for key, value in loss.model_dump().items() if key in ("temperature", "alpha")}
    teachers = f"{len(model.teacher)} teachers" if len(model.teacher) > 1 else "one teacher"
    return f"{loss.method} of {teachers}", _text(found)


def _text(found: dict) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in found.items())


def of_val(folder: Path) -> tuple:
    """Return the study of a run, and its metrics on val by arm."""
    [file] = [path for path in (ROOT / "studies").glob("*.yaml") if f"\nrun: {folder.name}\n" in path.read_text()]
    study = load_study(whole_config(ROOT, str(file.relative_to(ROOT))))
    table = read_table(folder / "tables/metrics.parquet", METRICS_SCHEMA).to_pandas()
    [text] = study.studies.values()
    arms = [parse_arm(arm) for arm in (text.reference, *text.arms)]
    table["arm"] = list(zip(table.name, table.variant, strict=True))
    return study, table[table.arm.isin(arms) & (table.split == "val")]


def print_losses(study, table) -> None:
    own = table[(table.metric == "aurc") & (table.score == "msp")]
    rows = own.groupby("name").value.agg(["mean", "std", "count"]).reset_index()
    rows[["loss", "trial"]] = [trial_of(name, study) for name in rows.name]
    print("| loss | trial | AURC x 1000 on val, mean | standard deviation | replicates | |\n|---|---|--:|--:|--:|---|")
    for _, group in rows.groupby("loss"):
        for row in group.sort_values("mean").to_dict("records"):
            chosen = "chosen" if row["mean"] == group["mean"].min() else ""
            numbers = f"{1000 * row['mean']:.2f} | {1000 * row['std']:.2f} | {row['count']}"
            print(f"| {row['loss']} | {row['trial']} | {numbers} | {chosen} |")


def print_arms(table, score: str) -> None:
    """Print a row an arm; arms without the score have no AURC by it and are left out."""
    shown = {"aurc": (score, 1000), "auroc": (score, 100), "accuracy": ("none", 100), "ece": ("msp", 100)}
    columns = {}
    for metric, (read, factor) in shown.items():
        own = table[(table.metric == metric) & (table.score == read)].groupby(["dataset", "arm"]).value
        columns[metric] = own.mean() * factor
        if metric == "aurc":
            columns["sd"], columns["n"] = own.std() * factor, own.count()
    print("| data set | arm | AURC x 1000, mean | standard deviation | replicates | AUROC, % | accuracy, % | ECE, % |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    rows = pd.DataFrame(columns).dropna(subset="aurc").reset_index().sort_values(["dataset", "aurc"])
    for row in rows.to_dict("records"):
        name = "/".join(row["arm"]).removesuffix("/clean")
        first = f"| {row['dataset']} | {name} | {row['aurc']:.2f} | {row['sd']:.2f} | {row['n']} |"
        print(first, *(f"{row[metric]:.2f} |" for metric in ("auroc", "accuracy", "ece")))


def print_teachers(folder: Path, settings) -> None:
    """Print the means over replicates of a figure's students, and Spearman's rho of each pair of metrics."""
    if settings.split != "val":
        sys.exit(f"the figure teacher-quality of {folder.name} is of {settings.split}, which is not read here")
    rows = read_table(folder / "tables/fidelity.parquet", FIDELITY_SCHEMA).to_pandas()
    means, n_replicates = teacher_quality.means_of(rows, settings)
    of_teachers = [teacher_quality.quantity_of(name) for name in settings.teacher_metrics]
    of_students = [f"student-{name}" for name in settings.student_metrics]
    names = [_unit(name) for name in (*of_teachers, *of_students)]
    print(f"| student ({n_replicates} replicates) | {' | '.join(names)} |\n|---|{'--:|' * len(names)}")
    for student, values in means.loc[[*settings.arms], [*of_teachers, *of_students]].iterrows():
        print(f"| {student} |", " | ".join(f"{value:.2f}" for value in values), "|")
    print(f"\n| rho over {len(settings.arms)} students | {' | '.join(map(_unit, of_teachers))} |")
    print(f"|---|{'--:|' * len(of_teachers)}")
    for own in of_students:
        rho = [spearman(*means.loc[[*settings.arms], [own, name]].to_numpy().T) for name in of_teachers]
        print(f"| {_unit(own)} |", " | ".join(f"{value:.2f}" for value in rho), "|")


def _unit(quantity: str) -> str:
    role, _, metric = quantity.partition("-")
    return f"{role}'s {teacher_quality.SHOWN[metric][0]}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--arms", nargs="?", const="msp", metavar="SCORE")
    parser.add_argument("--teachers", nargs="*", metavar="ARM")
    given = parser.parse_args()
    study, table = of_val(given.folder)
    if given.teachers is not None:
        figure = study.figures["teacher-quality"]
        print_teachers(given.folder, figure.model_copy(update={"arms": given.teachers or figure.arms}))
    elif given.arms:
        print_arms(table, given.arms)
    else:
        print_losses(study, table)
