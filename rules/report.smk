# Needs  predictions, metrics, masks, labels of mixed images, enhanced examples, persuasion tables; all tables
# Makes  figures/{figure}.{svg,pdf,png}    one rule for each kind of figure
#        report/index.html                 one page with everything inlined
#
# What grows with the study reaches a job through a pipe, as in evaluation.smk.


rule plot_risk_coverage:
    """Draw the error among the accepted against the share accepted."""
    input:
        predictions_of_figure,
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_risk_coverage/{figure}"),
    benchmark:
        benchmark_of("plot_risk_coverage/{figure}")
    wildcard_constraints:
        figure=one_of(named(STUDY.figures, kind="risk-coverage")),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=arms_figure_settings,
        code=code_of("plot_risk_coverage", figure_scores),
    shell:
        'exec python "$SELFDOUBT/plot_risk_coverage.py"'
        " --predictions {input} --figure {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule plot_reliability:
    """Draw accuracy against confidence."""
    input:
        predictions_of_figure,
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_reliability/{figure}"),
    benchmark:
        benchmark_of("plot_reliability/{figure}")
    wildcard_constraints:
        figure=one_of(named(STUDY.figures, kind="reliability")),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=arms_figure_settings,
        code=code_digest("plot_reliability"),
    shell:
        'exec python "$SELFDOUBT/plot_reliability.py"'
        " --predictions {input} --figure {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule plot_auroc_accuracy:
    """Draw how well models rank their errors against how few they make."""
    input:
        metrics_of_figure,
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_auroc_accuracy/{figure}"),
    benchmark:
        benchmark_of("plot_auroc_accuracy/{figure}")
    wildcard_constraints:
        figure=one_of(named(STUDY.figures, kind="auroc-accuracy")),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=arms_figure_settings,
        code=code_digest("plot_auroc_accuracy"),
    shell:
        'exec python "$SELFDOUBT/plot_auroc_accuracy.py"'
        " --metrics @<(printf '%s\\n' {input}) --figure {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule plot_mask_gallery:
    """Draw images with their masks."""
    input:
        masks=masks_of_figure,
        train=images_of_figure,
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_mask_gallery/{figure}"),
    benchmark:
        benchmark_of("plot_mask_gallery/{figure}")
    wildcard_constraints:
        figure=one_of(named(STUDY.figures, kind="mask-gallery")),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=mask_gallery_settings,
        code=code_digest("plot_mask_gallery"),
    shell:
        'exec python "$SELFDOUBT/plot_mask_gallery.py"'
        " --train {input.train}"
        " --masks {input.masks[0]} --pseudo-masks {input.masks[1]} --figure {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule plot_enhancement_examples:
    """Draw images before and after enhancers, with the perturbation magnified."""
    input:
        examples_of_figure,
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_enhancement_examples/{figure}"),
    benchmark:
        benchmark_of("plot_enhancement_examples/{figure}")
    wildcard_constraints:
        figure=one_of(named(STUDY.figures, kind="enhancement-examples")),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=enhancement_examples_settings,
        code=code_digest("plot_enhancement_examples"),
    shell:
        'exec python "$SELFDOUBT/plot_enhancement_examples.py"'
        " --examples {input} --figure {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule plot_persuasion_matrix:
    """Draw who persuades whom."""
    input:
        persuasion_of_figure,
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_persuasion_matrix/{figure}"),
    benchmark:
        benchmark_of("plot_persuasion_matrix/{figure}")
    wildcard_constraints:
        figure=one_of(named(STUDY.figures, kind="persuasion-matrix")),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=figure_settings,
        code=code_digest("plot_persuasion_matrix"),
    shell:
        'exec python "$SELFDOUBT/plot_persuasion_matrix.py"'
        " --persuasion {input} --figure {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule plot_mixed_labels:
    """Draw how much of the label mixing moves, and how far it is from what can be seen."""
    input:
        mixed_labels_of_figure,
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_mixed_labels/{figure}"),
    benchmark:
        benchmark_of("plot_mixed_labels/{figure}")
    wildcard_constraints:
        figure=one_of(named(STUDY.figures, kind="mixed-labels")),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=arms_figure_settings,
        code=code_digest("plot_mixed_labels"),
    shell:
        'exec python "$SELFDOUBT/plot_mixed_labels.py"'
        " --labels {input} --figure {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule plot_object_size:
    """Draw what arms gain over the first one, by the size of the object."""
    input:
        predictions=predictions_of_figure,
        images=images_of_figure,
    output:
        figure_outputs("{figure}"),
    log:
        log_of("plot_object_size/{figure}"),
    benchmark:
        benchmark_of("plot_object_size/{figure}")
    wildcard_constraints:
        figure=one_of(named(STUDY.figures, kind="object-size")),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=object_size_settings,
        code=code_of("plot_object_size", figure_scores),
    shell:
        'exec python "$SELFDOUBT/plot_object_size.py"'
        " --predictions {input.predictions} --images {input.images} --figure {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule render_report:
    """Put questions, answers, figures and tables on one page."""
    input:
        tables=TABLES,
        figures=all_figures(),
        qualities=all_mask_qualities(),
        counts=all_counts(),
    output:
        in_report(REPORT, "page", "Study"),
    log:
        log_of("render_report"),
    benchmark:
        benchmark_of("render_report")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
    params:
        settings=report_settings,
        code=code_digest("render_report"),
    shell:
        'exec python "$SELFDOUBT/render_report.py"'
        " --tables {input.tables}"
        " --figures {input.figures} --qualities {input.qualities} --counts {input.counts} --page {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"
