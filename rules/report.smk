# Needs  predictions, metrics, training histories, masks, labels of mixed images, enhanced examples, persuasion tables; all tables
# Makes  figures/{figure}.{svg,pdf,png,csv}    each of the kind that its entry names, and what it shows as numbers
#        pictures/{dataset}/{study}.parquet       test images that arms classify incorrectly, and on which they differ
#        report/index.html                 one page with everything inlined
#        report/config.yaml, Snakefile, ro-crate-metadata.json    how it was made
#
# What grows with the study reaches a job through a pipe, as in evaluation.smk.


rule plot_figure:
    """Draw a figure of the kind that its entry names, from those files that the kind reads."""
    input:
        predictions=read_by_figure("predictions", predictions_of_figure),
        metrics=read_by_figure("metrics", metrics_of_figure),
        images=read_by_figure("images", images_of_figure),
        masks=read_by_figure("masks", masks_of_figure),
        pseudo_masks=read_by_figure("pseudo_masks", pseudo_masks_of_figure),
        mixed_labels=read_by_figure("mixed_labels", mixed_labels_of_figure),
        examples=read_by_figure("examples", examples_of_figure),
        persuasion=read_by_figure("persuasion", persuasion_of_figure),
        gains=read_by_figure("gains", gains_of_figure),
        counts=read_by_figure("counts", counts_of_figure),
        enhancements=read_by_figure("enhancements", table_of_figure("enhancements")),
        comparisons=read_by_figure("comparisons", table_of_figure("comparisons")),
        hypotheses=read_by_figure("hypotheses", table_of_figure("hypotheses")),
        groups=read_by_figure("groups", table_of_figure("groups")),
        gaps=read_by_figure("gaps", table_of_figure("gaps")),
        fidelity=read_by_figure("fidelity", table_of_figure("fidelity")),
        histories=read_by_figure("histories", histories_of_figure),
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_figure/{figure}"),
    benchmark:
        benchmark_of("plot_figure/{figure}")
    wildcard_constraints:
        figure=one_of(STUDY.figures),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=drawing_mb,
    params:
        settings=figure_settings,
        code=code_of("plot_figure", figure_modules),
    shell:
        'exec python "$SELFDOUBT/plot_figure.py"'
        " --predictions {input.predictions} --metrics @<(printf '%s\\n' {input.metrics}) --images {input.images}"
        " --masks {input.masks} --pseudo-masks {input.pseudo_masks} --mixed-labels {input.mixed_labels}"
        " --examples {input.examples} --persuasion {input.persuasion} --gaps {input.gaps}"
        " --gains {input.gains} --counts {input.counts}"
        " --enhancements {input.enhancements} --groups {input.groups}"
        " --comparisons {input.comparisons} --hypotheses {input.hypotheses}"
        " --fidelity {input.fidelity} --histories {input.histories} --figure {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule choose_pictures:
    """Choose the test images that arms classify incorrectly with most confidence, and on which they differ most."""
    input:
        predictions=predictions_of_pictures,
        images=SPLIT.replace("{split}", "test"),
    output:
        PICTURES,
    log:
        log_of("choose_pictures/{dataset}/{study}"),
    benchmark:
        benchmark_of("choose_pictures/{dataset}/{study}")
    wildcard_constraints:
        study=one_of(STUDY.studies),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=choosing_mb,
    params:
        settings=pictures_settings,
        code=code_digest("choose_pictures"),
    shell:
        'exec python "$SELFDOUBT/choose_pictures.py"'
        " --predictions @<(printf '%s\\n' {input.predictions}) --images {input.images} --output {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule render_report:
    """Render questions, verdicts, figures and tables as one page, and record how they were made."""
    input:
        tables=TABLES,
        figures=all_figures(),
        qualities=all_mask_qualities(),
        counts=all_counts(),
        information=all_information(),
        pictures=all_pictures(),
        registration=registration_file,
    output:
        page=in_report(REPORT, "page", "Study"),
        config=AS_RUN,
        workflow=ENTRY,
        record=RECORD,
    log:
        log_of("render_report"),
    benchmark:
        benchmark_of("render_report")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=page_mb,
    params:
        settings=report_settings,
        code=code_of("render_report", report_modules),
    shell:
        'exec python "$SELFDOUBT/render_report.py"'
        " --tables {input.tables}"
        " --figures {input.figures} --qualities {input.qualities} --counts {input.counts}"
        " --pictures {input.pictures} --information {input.information}"
        " --registration {input.registration:q} --page {output.page}"
        " --config {output.config} --workflow {output.workflow} --record {output.record}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule register:
    """Write down what the study claims, beside its config: to be committed before the run."""
    log:
        log_of("register"),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=500,
    params:
        settings=registration_settings,
        code=code_digest("register"),
    shell:
        'exec python "$SELFDOUBT/register.py"'
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"
