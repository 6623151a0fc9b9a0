# What all rules share: the checked study, path patterns and target lists. No rules.
#
# The params and input functions of `rules/functions/` take wildcards only, work in constant time and open no file. Those
# of memory and of minutes take the number of the attempt besides, which a profile's `retries` raises; no result depends on it.

import atexit
import gc
import inspect
import logging
import os
import re
import sys
from functools import cache
from itertools import product
from pathlib import Path

# The place of the workflow, from wherever it is called; `workflow.basedir` would be that of who uses it as a module.
WORKFLOW = Path(str(workflow.current_basedir)).parent
SCRIPTS = WORKFLOW / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from selfdoubt.runtime import time_left, warm_jobs
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.provenance import canonical, code_digest, digest, keep, recall
from selfdoubt.runtime.run_lock import check_notes, clean_workdir, hold, is_running
from selfdoubt.runtime.shared_data import clean, drop_broken_links
from selfdoubt.settings import decisions, memory, run_time
from selfdoubt.settings.attacks import attacked_arms
from selfdoubt.settings.catalog import downloads, files_of, is_embedded, modules_of_source, shifted_files
from selfdoubt.settings.data_folder import named as with_data_folder
from selfdoubt.settings.duplicates import check_keys
from selfdoubt.settings.files import check_files
from selfdoubt.settings.licences import licences
from selfdoubt.settings.registered import read_registration
from selfdoubt.settings.registration import registration
from selfdoubt.settings.registry import MIXER, modules_named, modules_of
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.study import load_study, parse_arm
from selfdoubt.settings.upper_bounds import marked

RESOURCES, NOTES = WORKFLOW / "resources", Path(".snakemake").absolute()
MEANINGS = NOTES / "meanings.json"  # of modules, a cache of code digests; it may be deleted

CONFIG = Path([*workflow.configfiles, WORKFLOW / "config.yaml"][0])  # of a study, the first that was given
REGISTRATION = CONFIG.with_name(f"{CONFIG.stem}.registered.json")

try:
    check_notes(NOTES)
    check_keys(*map(Path, workflow.configfiles))
    STUDY = load_study(config)
    check_files(STUDY, RESOURCES)
    if REGISTRATION.exists():
        read_registration(REGISTRATION)
except UserError as fault:
    raise SystemExit(f"{fault}")

RUN = f"results/{STUDY.run}"  # with which every path begins that a run writes
FETCHED, SHARED = Path(RUN, "downloads"), Path("results/data")  # links to what runs share, and where that is
LOCK = NOTES / f"{STUDY.run}.lock"

# Jobs run "python": Snakemake's own, activated or not, or that of a job's conda environment, which comes first on PATH.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))
os.environ.update(SELFDOUBT_ENGINE=str(os.getpid()))  # with which they end

# Jobs inherit nothing that changes how Python or Matplotlib behave, only where packages and compiled files lie: a
# notebook's MPLBACKEND is no module here, PYTHONSAFEPATH hides the library, PYTHONWARNINGS=error stops imports.
KEPT = {
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONHASHSEED",
}
for name in [
    name for name in os.environ if re.match("PYTHON|MPL|MATPLOTLIB|SOURCE_DATE_EPOCH", name) and name not in KEPT
]:
    del os.environ[name]

# Shell lines name scripts by this, since Snakemake compares them before it fills them in: a checkout may be moved.
os.environ.update(SELFDOUBT=str(SCRIPTS))

recall(MEANINGS)
atexit.register(keep, MEANINGS)

# Snakemake keeps all jobs until it ends, so garbage collection finds nothing, and takes a fifth of a large dry run.
gc.set_threshold(100_000, 50, 50)

logging.raiseExceptions = False  # on a full disk Snakemake's log would print a stack trace for each line
WAS_RUNNING = is_running(LOCK)
drop_broken_links(Path(RUN, "data"), FETCHED)


def start_run():
    """Take the run's lock and remove unfinished files. Snakemake calls no `onstart` of a module: its user calls this."""
    try:
        hold(LOCK, WAS_RUNNING)
        clean(SHARED)
        clean_workdir(Path(RUN), SHARED)
    except UserError as fault:
        raise SystemExit(f"{fault}")
    time_left.write_plan(Path(RUN, "benchmarks"), planned_jobs())
    if workflow.local_exec:
        warm_jobs.start()


def planned_jobs():
    """Return the names of this run's jobs that Snakemake is about to run, as their benchmark files are called."""
    folder = Path(RUN, "benchmarks")
    files = [Path(job.benchmark) for job in workflow.dag.needrun_jobs() if job.benchmark]
    return [str(file.relative_to(folder).with_suffix("")) for file in files if file.is_relative_to(folder)]


onstart:  # of what runs jobs: not of dry runs, nor of Snakemake as a job of its own, nor if there is nothing to do
    start_run()


FOLDERS = Folders(embedded=RESOURCES, fetched=FETCHED)
SPLIT = f"{RUN}/data/{{dataset}}/{{split}}.safetensors"
COUNTS = f"{RUN}/data/{{dataset}}/counts.parquet"
OOD = f"{RUN}/data/{{dataset}}/ood/{{ood}}.safetensors"
CORRUPTED = f"{RUN}/data/{{dataset}}/corrupted/{{corruption}}.safetensors"
SHIFTED = f"{RUN}/data/{{dataset}}/shifted/{{shifted}}.safetensors"
CHECKPOINT = f"{RUN}/checkpoints/{{dataset}}/{{model}}/replicate-{{replicate}}.safetensors"
HISTORY = f"{RUN}/training/{{dataset}}/{{model}}/replicate-{{replicate}}.parquet"
SOFT_LABELS = f"{RUN}/soft-labels/{{dataset}}/{{model}}/{{views}}/replicate-{{replicate}}.arrow"
SEGMENTER = f"{RUN}/masks/{{dataset}}/{{segmenter}}/replicate-{{replicate}}.network.safetensors"
PSEUDO_MASKS = f"{RUN}/masks/{{dataset}}/{{segmenter}}/replicate-{{replicate}}.pseudo-masks.safetensors"
MASKS = f"{RUN}/masks/{{dataset}}/{{segmenter}}/replicate-{{replicate}}.masks.safetensors"
MASK_QUALITY = f"{RUN}/masks/{{dataset}}/{{segmenter}}/replicate-{{replicate}}.quality.parquet"
MIXED_LABELS = f"{RUN}/mixed-labels/{{dataset}}/{{model}}/replicate-{{replicate}}.parquet"
MIXED_EXAMPLES = f"{RUN}/mixed-examples/{{dataset}}/{{model}}/replicate-{{replicate}}.safetensors"
EXAMPLES = f"{RUN}/enhanced/{{dataset}}/{{model}}/replicate-{{replicate}}/{{enhancer}}.safetensors"
PERSUASION = f"{RUN}/communication/{{dataset}}/{{group}}/replicate-{{replicate}}/{{protocol}}.parquet"
GAINS = f"{RUN}/communication/{{dataset}}/{{group}}/replicate-{{replicate}}/{{protocol}}.gains.parquet"
FEATURES = f"{RUN}/features/{{dataset}}/{{name}}/replicate-{{replicate}}.safetensors"
UNSCORED = (
    f"{RUN}/features/{{dataset}}/{{name}}/replicate-{{replicate}}.parquet"  # predictions without scores of features
)
PREDICTIONS = f"{RUN}/predictions/{{dataset}}/{{name}}/replicate-{{replicate}}/{{variant}}.parquet"
METRICS = f"{RUN}/metrics/{{dataset}}/{{name}}/replicate-{{replicate}}/{{variant}}.parquet"
FIGURE = f"{RUN}/figures/{{figure}}"
TABLE = f"{RUN}/tables/{{table}}.parquet"
INFORMATION = f"{RUN}/information/{{dataset}}.parquet"
CONTRASTS = f"{RUN}/contrasts/{{dataset}}.parquet"
PICTURES = f"{RUN}/pictures/{{dataset}}/{{study}}.parquet"
REPORT = f"{RUN}/report/index.html"
AS_RUN = f"{RUN}/report/config.yaml"
ENTRY = f"{RUN}/report/Snakefile"
RECORD = f"{RUN}/ro-crate-metadata.json"
STATE = f"{RUN}/state/{{wildcards.dataset}}/{{wildcards.model}}/replicate-{{wildcards.replicate}}"  # in shell lines
TABLES = expand(
    TABLE, table=["metrics", "comparisons", "hypotheses", "enhancements", "groups", "gaps", "fidelity", "costs", "data"]
)
TABLES += expand(TABLE, table=["guarantees"] if STUDY.evaluation.guarantees else [])


def code_of(script, *modules):
    """Return the params function of a job's code: a digest of its script and of the modules found."""

    def code(wildcards):
        return code_digest(script, tuple(sorted({name for found in modules for name in found(wildcards)})))

    code.__signature__ = inspect.signature(code)
    return code


def log_of(job):
    """Return where a job's log lies, wherever results are kept; job: RULE/KEY/…, as a pattern."""
    return local(f"{RUN}/logs/{job}.log")


def benchmark_of(job):
    """Return where a job's seconds and memory lie, as its log."""
    return local(f"{RUN}/benchmarks/{job}.tsv")


def one_of(names):
    """Return the wildcard constraint that matches these names only; it matches nothing if there are none."""
    return "|".join(names) or "(?!)"


wildcard_constraints:  # so that no rule makes the targets of an unknown name
    dataset=one_of(STUDY.datasets),
    ood=one_of(STUDY.ood_sets),
    segmenter=one_of(STUDY.segmenters),


def named(section, **wanted):
    """Return the names of a config section's entries whose attributes have these values."""
    return [n for n, e in section.items() if all(getattr(e, k) == v for k, v in wanted.items())]


def once(files):
    """Return the files without repetitions, in order of first appearance."""
    return list(dict.fromkeys(files))


# ---- arms ----


def arm_files(pattern, dataset, arms, replicates=None):
    """Return one file per arm and replicate, arms first: the order that scripts rely on.

    replicates: of all arms; left out, of each arm its own. An arm that exists for the first replicate only is listed
    with that file for every replicate.
    """
    return [
        pattern.format(dataset=dataset, name=name, variant=variant, replicate=STUDY.replicate_of(name, replicate))
        for name, variant in map(parse_arm, arms)
        for replicate in replicates or STUDY.replicates_of(name)
    ]


@cache
def all_arms():
    """Return every arm of the study."""
    return STUDY.arms()


def compared_arms():
    """Return the arms that a study or hypothesis compares, in a fixed order."""
    return decisions.compared_arms(STUDY)


def all_metrics():
    """Return the metrics tables of all data sets, arms and replicates, in an order independent of the config's."""
    return sorted({file for dataset in STUDY.datasets for file in arm_files(METRICS, dataset, all_arms())})


def enhanced_arms():
    """Return data set, model, enhancer and replicates of all enhanced predictions, sorted."""
    return [
        {"dataset": dataset, "name": model, "variant": enhancer, "replicates": STUDY.replicates_of(model)}
        for dataset, enhancer in product(sorted(STUDY.datasets), sorted(STUDY.enhancers))
        for model in sorted(STUDY.enhancers[enhancer].models)
    ]


def all_enhanced():
    """Return the predictions files of every data set, enhanced model, enhancer and replicate."""
    return [
        PREDICTIONS.format(replicate=replicate, **arm) for arm in enhanced_arms() for replicate in arm["replicates"]
    ]


@cache
def compared_groups():
    """Return every data set, group and replicate, with the names of members and protocols."""
    keys = product(sorted(STUDY.datasets), sorted(STUDY.groups.items()))
    return [
        (dataset, name, replicate, sorted(group.members), sorted(group.protocols))
        for dataset, (name, group) in keys
        for replicate in STUDY.replicates_of(name)
    ]


def compared_group_predictions():
    """Return the predictions of each group's members, then of its protocols, in the order of `compared_groups`."""
    return [
        PREDICTIONS.format(dataset=dataset, name=name, replicate=STUDY.replicate_of(name, replicate), variant=variant)
        for dataset, group, replicate, members, protocols in compared_groups()
        for name, variant in [
            *((member, "clean") for member in members),
            *((group, protocol) for protocol in protocols),
        ]
    ]


@cache
def student_teacher_pairs():
    """Return every data set, student and replicate, with its teachers and the references of its studies, sorted."""
    return [
        {
            "dataset": dataset,
            "student": name,
            "replicate": replicate,
            "teachers": student.teacher,
            "factor": student.target_transform.factor_of_logits if student.target_transform else 1,
            "references": [each for each in references_of(name) if is_there(each, replicate)],
        }
        for dataset, (name, student) in product(sorted(STUDY.datasets), sorted(STUDY.students.items()))
        for replicate in STUDY.replicates_of(name)
        if all(is_there(teacher, replicate) for teacher in student.teacher)
    ]


@cache
def references_of(student):
    """Return the references of the studies that have a student among their arms."""
    studies = STUDY.studies.values()
    return sorted({study.reference for study in studies if student in study.arms and study.reference != student})


def is_there(arm, replicate):
    """Return whether there are predictions of an arm for a replicate: one that was trained elsewhere stands for all."""
    name, _ = parse_arm(arm)
    return STUDY.is_pretrained(name) or replicate in STUDY.replicates_of(name)


def student_teacher_predictions():
    """Return the predictions of each pair's student, teachers and references, in the order of the pairs."""
    return [
        file
        for pair in student_teacher_pairs()
        for file in arm_files(
            PREDICTIONS,
            pair["dataset"],
            [pair["student"], *pair["teachers"], *pair["references"]],
            [pair["replicate"]],
        )
    ]


@cache
def informed_groups(dataset):
    """Return the same of a data set's groups that keep gains, with those of their protocols that do, by name."""
    kept = named(STUDY.protocols, keeps_gains=True)
    of_dataset = [key for key in compared_groups() if key[0] == dataset]
    found = [(*key, [name for name in protocols if name in kept]) for *key, protocols in of_dataset]
    return [each for each in found if each[-1]]


def files_of_information(wildcards):
    """Return the predictions of each group's members, then the gains of its protocols, in the order of `informed_groups`."""
    files = []
    for dataset, group, replicate, members, protocols in informed_groups(wildcards.dataset):
        of_members = {"dataset": dataset, "variant": "clean"}
        files += [
            PREDICTIONS.format(name=name, replicate=STUDY.replicate_of(name, replicate), **of_members)
            for name in members
        ]
        files += expand(GAINS, dataset=dataset, group=group, replicate=replicate, protocol=protocols)
    return files


def all_checkpoints():
    """Return the checkpoints of all models."""
    return once(
        checkpoint_file(dataset, model, replicate)
        for dataset, model in product(STUDY.datasets, STUDY.models)
        for replicate in STUDY.replicates_of(model)
    )


def all_information():
    """Return the information tests of all data sets, if they are asked for."""
    return expand(INFORMATION, dataset=sorted(STUDY.datasets)) if STUDY.evaluation.information else []


def all_counts():
    """Return the tables of counts of all data sets that have images."""
    return expand(COUNTS, dataset=[name for name in STUDY.datasets if not STUDY.without_images(name)])


def all_mask_qualities():
    """Return the quality tables of all segmenters: data sets first, then segmenters, then replicates."""
    return once(
        masks_file(MASK_QUALITY, dataset, segmenter, replicate)
        for dataset, segmenter, replicate in product(STUDY.datasets, STUDY.segmenters, STUDY.present)
    )


def all_pictures():
    """Return the tables of pictures: data sets that have images first, then studies; none where none are asked for."""
    datasets = [name for name in STUDY.datasets if STUDY.pictures and not STUDY.without_images(name)]
    return expand(PICTURES, dataset=datasets, study=STUDY.studies)


def figure_files(figure):
    """Return the files of a figure, one per format, and what it shows as numbers."""
    return multiext(FIGURE.format(figure=figure), ".svg", ".pdf", ".png", ".csv")


def figure_outputs(figure):
    """Return the outputs of a figure, one per format; Snakemake's own report shows the first."""
    svg, *others = figure_files(figure)
    return [in_report(svg, "figure", "Figures"), *others]


def in_report(file, caption, category):
    """Mark a file for Snakemake's own report (`--report`); caption: a file of rules/captions."""
    return report(file, caption=f"captions/{caption}.rst", category=category)


def all_figures():
    """Return the files of all figures in all formats."""
    return [file for figure in STUDY.figures for file in figure_files(figure)]
