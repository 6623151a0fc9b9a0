# Needs  predictions, metrics, training histories, masks, labels of mixed images, enhanced examples, persuasion tables; all tables
# Makes  figures/{figure}.{svg,pdf,png}    each of the kind that its entry names
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
        enhancements=read_by_figure("enhancements", enhancements_of_figure),
        groups=read_by_figure("groups", groups_of_figure),
        gaps=read_by_figure("gaps", gaps_of_figure),
        fidelity=read_by_figure("fidelity", fidelity_of_figure),
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
        " --enhancements {input.enhancements} --groups {input.groups}"
        " --fidelity {input.fidelity} --histories {input.histories} --figure {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule render_report:
    """Render questions, verdicts, figures and tables as one page, and record how they were made."""
    input:
        tables=TABLES,
        figures=all_figures(),
        qualities=all_mask_qualities(),
        counts=all_counts(),
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
