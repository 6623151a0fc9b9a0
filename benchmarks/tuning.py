"""What a small, equal budget chooses for each loss: tuning.py results/RUN

Prints, for each loss of an exploratory study such as studies/distillation-tuning.yaml, its trials with their mean AURC
on val, and marks the lowest. Test is not read.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
from findings import whole_config  # noqa: E402

from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA  # noqa: E402
from selfdoubt.runtime.table_files import read_table  # noqa: E402
from selfdoubt.settings.study import load_study  # noqa: E402


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


def main(folder: Path) -> None:
    [file] = [path for path in (ROOT / "studies").glob("*.yaml") if f"\nrun: {folder.name}\n" in path.read_text()]
    study = load_study(whole_config(ROOT, str(file.relative_to(ROOT))))
    table = read_table(folder / "tables/metrics.parquet", METRICS_SCHEMA).to_pandas()
    [text] = study.studies.values()
    own = table[table.name.isin([text.reference, *text.arms]) & (table.split == "val")]
    own = own[(own.metric == "aurc") & (own.score == "msp")]
    rows = own.groupby("name").value.agg(["mean", "std", "count"]).reset_index()
    rows[["loss", "trial"]] = [trial_of(name, study) for name in rows.name]
    print("| loss | trial | AURC x 1000 on val, mean | standard deviation | replicates | |\n|---|---|--:|--:|--:|---|")
    for _, group in rows.groupby("loss"):
        for row in group.sort_values("mean").to_dict("records"):
            chosen = "chosen" if row["mean"] == group["mean"].min() else ""
            numbers = f"{1000 * row['mean']:.2f} | {1000 * row['std']:.2f} | {row['count']}"
            print(f"| {row['loss']} | {row['trial']} | {numbers} | {chosen} |")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1], "tables/metrics.parquet").exists():
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
