import os

from snakemake.utils import min_version

min_version("9.0")


configfile: os.path.join(str(workflow.current_basedir), "config.yaml")


include: "rules/common.smk"
include: "rules/functions/scheduler.smk"
include: "rules/functions/params.smk"
include: "rules/functions/data.smk"
include: "rules/functions/training.smk"
include: "rules/functions/masks.smk"
include: "rules/functions/predictions.smk"
include: "rules/functions/report.smk"
include: "rules/functions/jobs.smk"
include: "rules/functions/memory.smk"
include: "rules/functions/run_time.smk"
include: "rules/functions/signatures.smk"
include: "rules/data.smk"
include: "rules/training.smk"
include: "rules/masks.smk"
include: "rules/enhancement.smk"
include: "rules/communication.smk"
include: "rules/evaluation.smk"
include: "rules/report.smk"


rule all:
    """Everything: the report, and all tables and figures."""
    default_target: True
    input:
        REPORT,
        TABLES,
        all_figures(),


rule report:
    """The report page."""
    input:
        REPORT,


rule figures:
    """Every figure."""
    input:
        all_figures(),


rule metrics:
    """Every table of numbers."""
    input:
        TABLES,


rule models:
    """Every trained model."""
    input:
        all_checkpoints(),
