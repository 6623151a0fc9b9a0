"""docs/findings.md: the results of the studies, from whole runs of them; every number is read from the tables of a run.

python docs/findings.py CHECKOUT[:STUDY.yaml] … prints the sections of studies that were run in a checkout, the
default one where no file is named. --write keeps each in docs/findings/RUN.md, with its comparisons, verdicts, costs
and the numbers of each replicate as Parquet beside it, and puts all sections that are there together in
docs/findings.md.
--part counts what is there of a run that goes on; --part --write keeps the tables of those data sets that are done
(`snakemake results/RUN/contrasts/DATASET.parquet` ends one), and the section when none is missing any more.
python docs/findings.py --again RUN … writes the sections of runs again from the tables that are kept, by their config
as it is now. No verdict may change by it. Where the costs of jobs are not kept, the present section has them.
"""

import sys
from pathlib import Path

import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
import earlier_looks
import found
from kept_tables import (
    KEPT,
    ROOT,
    WHOLE,
    commit_of,
    commits,
    decided,
    keep,
    keep_part,
    kept,
    kept_whole,
    mask_tables,
    path_of,
    progress,
    small,
)
from snakemake.utils import update_config

from render_report import qualities_of, registration_of
from selfdoubt.figures.points import with_arms
from selfdoubt.figures.texts import NO_BREAK, counted, listed
from selfdoubt.report.arms import Arms
from selfdoubt.report.comparison_tables import exploratory
from selfdoubt.report.design import design_sentences
from selfdoubt.report.formats import difference, mean_sd, metric_of, number, p_value
from selfdoubt.report.inputs import ReportData
from selfdoubt.report.numbers import numbers_of
from selfdoubt.report.verdict_texts import Verdict, verdicts_of
from selfdoubt.report.warnings import warnings_of
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA
from selfdoubt.runtime.table_files import read_table
from selfdoubt.settings.registration import registration
from selfdoubt.settings.study import Study, load_study

PAGE = ROOT / "docs/findings.md"
MINUS = " − "  # between two arms
DESCRIBED = ("accuracy", "auroc", "aurc", "augrc", "nll")  # of the arms of a study without claims
HEAD = """# Findings

Results of the default study and some of [studies/](../studies), each run whole, once, with the config's replicates. A
claim is one of the hypotheses that stand in the config; how its verdict comes about: [metrics.md](metrics.md). Small
networks and small images: what holds here need not hold elsewhere. Written by `python docs/findings.py` from the
tables of the runs; the numbers of each are in [findings/](findings). *Numbers were known*: they were, or could be,
before the claim was written down: it describes, and confirms nothing. Each difference has the interval of its
comparison alone, and p is that of the verdict, corrected for its family; below a table, to be opened, is every number
in words. Studies without claims have a table of arms.

**The published order** of training on labels (FMFP first, then SWA and SAM, RegMixup, CRL, cross-entropy: Li et al.,
SURE, CVPR 2024) does not hold in `studies/baselines.yaml`. Of its steps, RegMixup and SWA before cross-entropy, and
RegMixup before CRL, show here; SWA and SAM before RegMixup is refuted; FMFP before SWA and SAM, and FMFP, SAM and CRL
before cross-entropy, stay open. An ensemble of three networks is before all of them, at three times the cost; at the
cost of one it is refuted against cross-entropy, as a third of the epochs trains none of the three to its end. Every
technique has its authors' settings, which were made for larger networks and longer training: none was tuned here.

**What the registered studies answer**, one at a time. Their verdicts stand below; what was tried and dropped before
each run, and what speaks against its proposal, in its decision. The head of a file in studies/ has the command that
runs it; `python docs/findings.py CHECKOUT:studies/NAME.yaml --write` makes its section from the tables.

- *Distillation* ([decision 24](decisions/0024-the-proposal-of-distillation.md)). Plain KD has a lower AURC than
  cross-entropy, at no loss of accuracy: supported on scenes by the 20 fresh replicates of the second round, after the
  first, of ten on each of three data sets, had left it open. It also has a lower AURC than label smoothing about as
  soft as its targets, which itself has a lower AUROC than cross-entropy: softness alone is not it. Which property of
  the targets does KD need there? With the probabilities of the other classes permuted anew for each image, a student
  still has a lower AURC than cross-entropy, though a higher NLL; and so has a student of a calibrated teacher. With the
  difficulty of images taken away (shuffled entropies) that is open, as it is of labels weighted by the teacher's
  confidence, which are .3×10⁻³ ahead. Whether plain KD is better than any of the four, or as good within the margin, is
  open: what a control takes away is less than 20 replicates show. Of the proposal, KD of three teachers that also
  learns from mixed images, the teachers gain where images are mixed: three in place of one lower the AURC by 5.5×10⁻³.
  Whether mixed images add to three teachers is open. What to use: KD of three teachers, with mixed images as in the
  proposal, which has a lower AURC than plain KD and than cross-entropy at no loss of accuracy on three data sets; or,
  at half the images a step, without them, by which nothing was shown to be lost. Both train three teachers first;
  whether the proposal is better than the same mixing with labels alone, which needs none, is open.
  *Each metric* that was compared, without a claim and by its 95 % interval: plain KD has a higher accuracy (by .5 to
  .9 points) and a lower AUGRC and NLL than cross-entropy on each of the three data sets; its AUROC is higher by .4 to
  .8 points, which is open on each. Corrected for all such comparisons, NLL remains, on two data sets. Two thirds to
  three quarters of KD's gain of AUGRC come from accuracy, and two thirds to nine tenths of the proposal's.
  Temperature scaling and p-norm take less than a tenth of the gain of AURC of either, which is therefore no matter of
  calibration; of KD's lead over label smoothing, p-norm takes six sevenths on Fashion-MNIST and nearly a half on the
  scenes, and of the proposal's over the same mixing with labels all of it on the scenes. Against a perfect ordering, KD
  lowers both what errors cost and the gap that remains; on two of the three data sets mixing with labels lowers the
  first alone ([where the gain lies](distillation.md#where-the-gain-lies)). In the second round nearly all of what plain
  KD gains of AUGRC comes from accuracy, and its AUROC is that of cross-entropy to half a point; a third of what a
  student of permuted classes gains comes from the ranking. Three teachers lower the error rate where they are least
  certain, one teacher does not.
- *Enhancers* ([decision 26](decisions/0026-the-proposal-of-enhancers.md)). The mean probability over eight shifted
  and mirrored views ranks errors better than a logistic model of clean logits, than the clean image and than views of
  noise, and undoes more than half of what the attack ACE costs. Gradients do not help here: a step of the pixels is
  negligible against none, the direction of a step among transformations against a random one, and a learned
  transformation is worse than a network that reads image and logits. What to use: views. Whether an ensemble or a
  larger network of eight passes would do as much, this study does not ask. Of four published CIFAR-10 networks, each
  there once, views have the lowest AURC of all arms that keep the class (`studies/cifar10-published.yaml`): that
  describes 500 test images, on which other arms had been seen before, and is no claim.
- *Mixing* ([decision 27](decisions/0027-the-candidate-of-mixing.md)). In the second round mixup of objects beside
  clean images, cut out by a segmenter that no annotation of pixels has taught, is better than CutMix, than OA-CutMix
  and than no mixing, and more accurate, on scenes and on the CIFAR-10 part; the first round, of half as many
  replicates, had left that open. On scenes it is also better than mixup of whole images at the same cost (RegMixup),
  by more before backgrounds that training never showed. Nearly all of it is accuracy: fewer errors, in about as good
  an order. On plain Fashion-MNIST, where objects have no background, masks do not help; on one pool of photographs of
  clothes, with masks of a network that starts from ImageNet's weights, mixup of objects is better than of whole
  photographs, and open against no mixing. Where backgrounds do not depend on the class, objects before other
  backgrounds, with whole labels, are better than all three too. That CutMix harms the ranking is not shown. What to
  use: mixup of objects beside clean images, where objects have backgrounds and a training may cost twice as much.
- *Communication* ([decision 29](decisions/0029-the-candidate-of-communication.md)). Whether a group of which each
  member looks at six views is more accurate than its weighted pool and than views of its best member is open: it is
  ahead of the latter on each data set, and of the pool on the scenes alone. What pixels carry is decided: beyond the
  members' predictions of contested images, messages of ordinarily trained members, of a robust sender and of its
  control are negligible. Messages that a network is trained to write are less accurate than a fusion of the features
  that they are written from, so that the channel loses what these hold. What to use: the weighted pool.

**Registered, and what of it is fresh.** A registration fixes claims, margins, families, arms and replicates before
their test numbers were seen, and no more. The default study's five replicates are all that the embedded images give:
its regime and its claims were chosen by them on val, and claims like them had been evaluated on the same test images
in an earlier regime ([decision 21](decisions/0021-a-regime-with-known-effects.md)). A second registered run of it, with
half of the test images, left the primary claim of its first study open. Commit d20ab9f registered again what had been
registered in 242d355, and bb5991b the same with a check of the masks, which was known to hold. The run below repeats
the first one on the same replicates, whose numbers were known by then, on another processor: it shows that the verdicts
come again, and confirms nothing anew. The replicates of `studies/ensemble-distillation.yaml` had been seen by no
exploration; its test images are among those on which pilots suggested its claim. `studies/transform-steps.yaml` takes
replicates 1 to 30, though 1 to 10 are otherwise for exploration: networks of their training images had been seen, at
another learning rate, and no enhancer on any of them.

Changed after runs had been read, and so registered for none of them: which exploratory comparisons are in a family
(those whose reverse is claimed, and arms that mix by true masks, have left it; they get no verdict), and the words for
a claim on some of several data sets that is negligible, whose rule the code had before. No claim, margin or family of
claims was. Test accuracies of two data sets of `studies/communication.yaml` were read while the third ran.

**Withdrawn.** The former runs of `studies/enhancers.yaml` and `studies/communication.yaml` were made before methods
were brought in line with their papers ([decision 20](decisions/0020-as-their-papers-have-them.md)), and before
replicates had training images of their own; with three replicates, no claim of theirs would now be decided. Their
numbers are no longer here, and other studies stand in those files. Three claims do not stand:

- *Persuasion is more accurate than the mean probability of the same models* (the former default study, supported)
  lacks a control: the mean plus a bias for each class, fitted on val, which needs no message at all. In a pilot on
  the same test images that control was more accurate than persuasion.
- *Confidence after an ODIN step has a lower AURC than after a random step* (the former default study and
  `studies/enhancers.yaml`) was not about ODIN: its temperature was chosen by the AURC on val and so was 1, where the
  paper has 1000 or tunes on OOD images. The placebo's confidence was of a class that was not the reported one where
  the step had changed the largest logit. The default study below has ODIN's temperature and the kept label's
  confidence.
- *Confidence after an ODIN step separates digits from clothes better than before* (`studies/enhancers.yaml`,
  supported) is not about ODIN for the same reason.
"""


def read(checkout: Path, file: str) -> tuple[Study, dict[str, pd.DataFrame]]:
    """Return a study and its tables; file: "" for the default study."""
    study = load_study(whole_config(checkout, file))
    folder = checkout / f"results/{study.run}/tables"
    return study, {name: read_table(folder / f"{name}.parquet", schema).to_pandas() for name, schema in WHOLE.items()}


def section(checkout: Path, file: str, study: Study, tables: dict[str, pd.DataFrame], what_was_run: str) -> str:
    """Return the section of a study. what_was_run: by `extent`."""
    data = data_of(checkout, study, tables)
    metrics, names = with_arms(data.metrics), data.arms
    numbers = numbers_of(metrics)
    lines = [f"## {f'`{file}`' if file else 'The default study'}", "", what_was_run, ""]
    registered = (checkout / (file or "config.yaml")).with_suffix(".registered.json")
    if registered.exists():
        lines += [registration_of(registered, registration(study)).sentence, ""]
    if warned := warnings_of(data, metrics):
        lines += ["Warnings:", "", *(f"- {each.of([*each.arms])}" for each in warned), ""]
    for name, text in study.studies.items():
        own = tables["hypotheses"][tables["hypotheses"]["study"] == name]
        verdicts = verdicts_of(tables["hypotheses"], tables["comparisons"], numbers, name, names)
        shown = claims(verdicts) if verdicts else described([text.reference, *text.arms], tables["metrics"], names)
        if shown:
            lines += [f"**{text.title}.** {text.question}", "", *shown, ""]
        if verdicts and all(each.role == "check" for each in verdicts):
            lines += explored(tables["comparisons"][tables["comparisons"]["study"] == name], names)
        lines += [line for text in design_sentences(name, data, own) for line in (text, "")]
        if looks := earlier_looks.lines_of(study, name, tables["hypotheses"], tables["metrics"]):
            lines += ["Its primary claim at each look:", "", *looks, ""]
    return "\n".join(lines)


def data_of(checkout: Path, study: Study, tables: dict[str, pd.DataFrame]) -> ReportData:
    """Return what the page is made from, as far as sentences and warnings need it."""
    folder = checkout / f"results/{study.run}"
    return ReportData(
        study.model_dump(),
        *(tables[name] for name in ("metrics", "comparisons", "hypotheses", "costs")),
        groups=pd.DataFrame(),
        mask_quality=qualities_of(mask_tables(folder, study)),
        counts={name: counts_of(folder, study, name) for name in study.datasets if not study.without_images(name)},
        figures={},
        provenance={},
        arms=Arms({arm: study.label(arm) for arm in study.arms()}, frozenset(study.upper_bounds())),
    )


def counts_of(folder: Path, study: Study, dataset: str) -> pd.DataFrame:
    """Return the counts of images of a data set, of the run or as they are kept."""
    path = folder / f"data/{dataset}/counts.parquet"
    return (
        read_table(path, COUNTS_SCHEMA).to_pandas()
        if path.exists()
        else kept(study, "counts").query("dataset == @dataset")
    )


def claims(verdicts: list[Verdict]) -> list[str]:
    """Return a table of claims with their verdicts and differences, and below it, to be opened, all numbers of each."""
    lines = ["| claim | verdict | difference (95 % interval) | corrected p |", "|---|---|---|---|"]
    for v in verdicts:
        notes = [*([] if v.role == "secondary" else [v.role]), *([] if v.registered else ["numbers were known"])]
        claim = f"{cell(v.statement)}{f' ({listed(notes)})' if notes else ''}"
        p = "" if pd.isna(v.p) else p_value(v.p).removeprefix(f"={NO_BREAK}")
        lines.append(f"| {claim} | {v.symbol} {v.verdict} | {'<br>'.join(map(cell, compared(v)))} | {p} |")
    numbers = []
    for v in verdicts:
        numbers += [f"- *{v.statement}* {v.sentence}", *(f"  - {comparison}" for comparison in v.further)]
    return [*lines, "", *folded("Every number of these claims", numbers)]


def compared(verdict: Verdict) -> list[str]:
    """Return the differences of a claim, with the arms whose difference they are."""
    heads = [text.partition("(")[0] for text in verdict.differences]
    if any(": " in head and MINUS in head for head in heads):  # each names its own
        return verdict.differences
    if len(heads) == 1 and ": " not in heads[0]:
        return [f"{verdict.compared}: {verdict.differences[0]}"]
    return [f"{verdict.compared}:", *verdict.differences]


def folded(title: str, lines: list[str]) -> list[str]:
    """Return lines that a reader opens by their title."""
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def described(arms: list[str], metrics: pd.DataFrame, names: Arms) -> list[str]:
    """Return a table of arms on test: mean and deviation over replicates, of a single one the interval over images."""
    test = with_arms(metrics).query("split == 'test' and score in ('none', 'msp')").dropna(subset="value")
    shown = [metric for metric in DESCRIBED if metric in set(test["metric"])]
    lines = [f"| | {' | '.join(metric_of(metric).heading for metric in shown)} |", f"|---|{'--:|' * len(shown)}"]
    for dataset in test["dataset"].unique():
        for arm in arms:
            own = test[(test["arm"] == arm) & (test["dataset"] == dataset)]
            place = f" on {dataset}" if test["dataset"].nunique() > 1 else ""
            cells = [described_number(own[own["metric"] == metric], metric) for metric in shown]
            lines.append(f"| {cell(names.marked(arm))}{place} | {' | '.join(cells)} |")
    return lines if shown else []


def explored(comparisons: pd.DataFrame, names: Arms) -> list[str]:
    """Return the comparisons of a study that has checks and no claims, a row for each arm, the lowest AURC first."""
    rows = exploratory(comparisons).dropna(subset="low")
    lines: list[str] = []
    for (dataset, split, than), own in rows.groupby(["dataset", "split", "than"]):
        if own["better"].nunique() == 1:  # no choice of arms
            continue
        style = {metric: metric_of(metric) for metric in DESCRIBED if metric in set(own["metric"])}
        heads = [f"{metric.label}, {metric.short_unit}" for metric in style.values()]
        what = f"{dataset}, {split}: each arm less {names.label(than)}, with 95 % intervals that nothing corrects."
        lines += [f"{what} Arms that use true labels or masks are upper bounds.", ""]
        lines += [f"| | {' | '.join(heads)} |", f"|---|{'--:|' * len(heads)}"]
        of = {(row["better"], row["metric"]): row for row in own.to_dict("records")}
        ranked = own[own["metric"] == ("aurc" if "aurc" in style else next(iter(style)))].sort_values("difference")
        for arm in dict.fromkeys([*ranked["better"], *own["better"]]):
            cells = [difference_cell(of[arm, metric]) if (arm, metric) in of else "" for metric in style]
            lines.append(f"| {cell(names.marked(arm))} | {' | '.join(cells)} |")
        lines.append("")
    return lines


def difference_cell(row: dict) -> str:
    value, low, high = (difference(row[key], metric_of(row["metric"])) for key in ("difference", "low", "high"))
    return f"{value} ({low} to {high})"


def described_number(rows: pd.DataFrame, metric: str) -> str:
    if rows.empty:
        return ""
    style = metric_of(metric)
    text = " ".join(mean_sd(rows["value"], style)).strip()
    bounds = [number(style.scale * bound, style.digits) for bound in rows[["low", "high"]].iloc[0].dropna()]
    return f"{text} [{', '.join(bounds)}]" if len(rows) == 1 and bounds else text


def write_section(study: Study, written: str, tables: dict[str, pd.DataFrame]) -> None:
    """Write the section of a study and its small tables."""
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{study.run}.md").write_text(written)
    for name, table in tables.items():
        keep(study, name, small(table) if name == "metrics" else table)


def keep_parts(checkout: Path, file: str, write: bool) -> None:
    """Count what is there of each data set; keep what is done, and the section when nothing is missing."""
    study = load_study(whole_config(checkout, file))
    folder = checkout / f"results/{study.run}"
    for dataset, (n, of) in progress(folder, study).items():
        compared = (folder / f"contrasts/{dataset}.parquet").exists()
        print(f"{dataset}: {n} of {of} tables of metrics; {'compared' if compared else 'not compared'}")
        if write and n == of and compared:
            keep_part(folder, study, dataset, commit_of(checkout))
    tables = decided(study) if write else None
    if tables:
        write_section(study, section(checkout, file, study, tables, extent(study, tables, commits(study))), tables)


def write_again(run: str) -> None:
    """Write the section of a run from the tables that are kept of it; exit if a verdict differs from the one there."""
    file = "" if run == "default" else f"studies/{run}.yaml"
    study = load_study(whole_config(ROOT, file))
    before, tables = kept(study, "hypotheses"), kept_whole(study)
    if not before["verdict"].equals(tables["hypotheses"]["verdict"]):
        sys.exit(f"{run}: a verdict is no longer that of the section; run the study again")
    for name, dataset in study.datasets.items():
        if getattr(dataset, "overlapping_draws", False) and counts_of(ROOT, study, name).empty:
            sys.exit(f"{run}: how far draws of {name} overlap is not kept; keep the run's parts first (--part --write)")
    if study.looks:
        study = load_study(whole_config(ROOT, file) | {"look": looks_of(study, before)})
    _, _, present, *_ = (KEPT / f"{run}.md").read_text().split("\n")
    is_known = len(tables["costs"]) and commits(study)  # where contrasts are kept, so is the commit of each data set
    what_was_run = extent(study, tables, commits(study)) if is_known else present
    written = section(ROOT, file, study, tables, what_was_run)
    write_section(study, written, {name: table for name, table in tables.items() if path_of(study, name).exists()})


def looks_of(study: Study, hypotheses: pd.DataFrame) -> dict[str, int]:
    """Return how far each study had come, by the replicates of its claims."""
    replicates = hypotheses.groupby("study")["n_replicates"].max()
    return {name: study.looks.index(n) + 1 for name, n in replicates.items()}


def whole_config(checkout: Path, file: str) -> dict:
    """Return the config as Snakemake would hand it to the rules."""
    config = yaml.safe_load((checkout / "config.yaml").read_text())
    if file:
        update_config(config, yaml.safe_load((checkout / file).read_text()))
    config["data_folder"] = config.get("data_folder") or "DATA"  # where a user keeps files is no part of a result
    return config


def extent(study: Study, tables: dict[str, pd.DataFrame], at: dict[str, str]) -> str:
    costs, replicates = tables["costs"], counted(tables["metrics"]["replicate"].nunique(), "replicate")
    minutes = counted(round(costs["cpu_seconds"].sum() / 60), "processor minute")
    found = list(dict.fromkeys(at.values()))
    return (
        f"{listed(list(study.datasets))}; {replicates}; {counted(len(costs), 'job')}, {minutes}, "
        f"at most {costs['max_rss_mb'].max() / 1000:.1f} GB a job; "
        f"{'commit' if len(found) == 1 else 'commits'} {listed(found)}."
    )


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    given = [argument.partition(":") for argument in sys.argv[1:] if not argument.startswith("--")]
    if not given:
        sys.exit(__doc__)
    for checkout, _, file in given:
        if "--again" in sys.argv:
            write_again(checkout)
            continue
        if "--part" in sys.argv:
            keep_parts(Path(checkout), file, "--write" in sys.argv)
            continue
        study, tables = read(Path(checkout), file)
        at = dict.fromkeys(study.datasets, commit_of(Path(checkout)))
        written = section(Path(checkout), file, study, tables, extent(study, tables, at))
        if "--write" in sys.argv:
            write_section(study, written, tables)
        else:
            print(written)
    if {"--write", "--again"} & {*sys.argv}:
        PAGE.write_text("\n".join([HEAD, *(path.read_text() for path in sorted(KEPT.glob("*.md")))]))
        found.write()
