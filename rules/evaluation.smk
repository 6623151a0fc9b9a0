# Needs  checkpoints and splits; files of predictions that others made; predictions of models, enhancers and groups
# Makes  predictions/{dataset}/{model}/replicate-{replicate}/clean.parquet         logits of every image of every split
#        features/{dataset}/{model}/replicate-{replicate}.safetensors               of models with `features: true`
#        metrics/{dataset}/{model or group}/replicate-{replicate}/{variant}.parquet    a row per number
#        tables/groups.parquet                     errors that groups fix and introduce, weights, passes
#        tables/gaps.parquet                       from each arm's order to a perfect one, in parts
#        tables/fidelity.parquet                   how alike students and teachers predict, and where students gain
#        tables/metrics.parquet                    all metrics in one table
#        tables/guarantees.parquet                 thresholds with a bound on the risk, conformal sets; if asked for
#        contrasts/{dataset}.parquet               arms of a data set, paired over replicates
#        tables/{comparisons,hypotheses}.parquet   of all data sets, with verdicts
#        tables/costs.parquet                      seconds and memory of each job, from benchmarks
#
# What grows with the study reaches a job through a pipe, @<(printf …): Linux takes no argument above 128 kB, and 2 MB of
# them, and the shell's own printf is no process.


rule predict:
    """Predict every image of val, test, OOD and shifted sets."""
    input:
        checkpoint=CHECKPOINT.replace("{model}", "{name}"),
        val=SPLIT.replace("{split}", "val"),
        test=SPLIT.replace("{split}", "test"),
        ood=ood_files,
        shifted=shifted_sets,
    output:
        PREDICTIONS.replace("{variant}", "clean"),
    log:
        log_of("predict/{dataset}/{name}/replicate-{replicate}"),
    benchmark:
        benchmark_of("predict/{dataset}/{name}/replicate-{replicate}")
    wildcard_constraints:
        name=one_of([name for name in STUDY.models if name not in STUDY.featured()]),
    conda:
        "../envs/models.yaml"
    threads: computing_threads
    resources:
        gpu=computing_gpus,
        mem_mb=predicting_mb,
        runtime=predicting_minutes,
    params:
        settings=predict_settings,
        code=code_of("predict", family_of_model),
    shell:
        'exec python "$SELFDOUBT/predict.py"'
        " --checkpoint {input.checkpoint}"
        " --val {input.val} --test {input.test} --ood {input.ood} --shifted {input.shifted}"
        " --output {output} --replicate {wildcards.replicate} --gpu {resources.gpu}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


use rule predict as predict_before_scores with:
    output:
        UNSCORED,
    log:
        log_of("predict_before_scores/{dataset}/{name}/replicate-{replicate}"),
    benchmark:
        benchmark_of("predict_before_scores/{dataset}/{name}/replicate-{replicate}")
    wildcard_constraints:
        name=one_of(STUDY.featured()),


rule extract_features:
    """Keep the penultimate features of training images, and of every image that is predicted."""
    input:
        checkpoint=CHECKPOINT.replace("{model}", "{name}"),
        train=SPLIT.replace("{split}", "train"),
        val=SPLIT.replace("{split}", "val"),
        test=SPLIT.replace("{split}", "test"),
        ood=ood_files,
        shifted=shifted_sets,
    output:
        FEATURES,
    log:
        log_of("extract_features/{dataset}/{name}/replicate-{replicate}"),
    benchmark:
        benchmark_of("extract_features/{dataset}/{name}/replicate-{replicate}")
    wildcard_constraints:
        name=one_of(STUDY.featured()),
    conda:
        "../envs/models.yaml"
    threads: computing_threads
    resources:
        gpu=computing_gpus,
        mem_mb=extracting_mb,
        runtime=extracting_minutes,
        disk_mb=features_mb,
    params:
        settings=features_settings,
        code=code_of("extract_features", family_of_model),
    shell:
        'exec python "$SELFDOUBT/extract_features.py"'
        " --checkpoint {input.checkpoint} --train {input.train}"
        " --val {input.val} --test {input.test} --ood {input.ood} --shifted {input.shifted}"
        " --output {output} --replicate {wildcards.replicate} --gpu {resources.gpu}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule score_features:
    """Add to a model's predictions the confidences that are computed from its features."""
    input:
        predictions=UNSCORED,
        features=FEATURES,
    output:
        PREDICTIONS.replace("{variant}", "clean"),
    log:
        log_of("score_features/{dataset}/{name}/replicate-{replicate}"),
    benchmark:
        benchmark_of("score_features/{dataset}/{name}/replicate-{replicate}")
    wildcard_constraints:
        name=one_of(STUDY.featured()),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=scoring_mb,
        runtime=fitting_minutes,
    params:
        settings=feature_scores_settings,
        code=code_of("score_features", feature_scores_modules),
    shell:
        'exec python "$SELFDOUBT/score_features.py"'
        " --predictions {input.predictions} --features {input.features} --output {output}"
        " --replicate {wildcards.replicate} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule read_predictions:
    """Read the predictions that others made of a model into the table of this pipeline."""
    input:
        files=given_files,
        splits=splits_of_given,
    output:
        PREDICTIONS.replace("{variant}", "clean"),
    log:
        log_of("read_predictions/{dataset}/{name}/replicate-{replicate}"),
    benchmark:
        benchmark_of("read_predictions/{dataset}/{name}/replicate-{replicate}")
    wildcard_constraints:
        name=one_of(STUDY.predictions),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=given_mb,
        runtime=reading_minutes,
    params:
        settings=given_settings,
        code=code_digest("read_predictions"),
    shell:
        'exec python "$SELFDOUBT/read_predictions.py"'
        " --files {input.files:q} --splits {input.splits} --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule compute_metrics:
    """Compute the scores and metrics of one table of predictions."""
    input:
        PREDICTIONS,
    output:
        METRICS,
    log:
        log_of("compute_metrics/{dataset}/{name}/replicate-{replicate}/{variant}"),
    benchmark:
        benchmark_of("compute_metrics/{dataset}/{name}/replicate-{replicate}/{variant}")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=reading_mb,
        runtime=reading_minutes,
    params:
        settings=metrics_settings,
        code=code_of("compute_metrics", metrics_modules),
    shell:
        'exec python "$SELFDOUBT/compute_metrics.py"'
        " --predictions {input} --output {output}"
        " --replicate {wildcards.replicate} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule compare_groups:
    """Compare what groups decide with the predictions of their members."""
    input:
        compared_group_predictions(),
    output:
        in_report(TABLE.format(table="groups"), "table", "Tables"),
    log:
        log_of("compare_groups"),
    benchmark:
        benchmark_of("compare_groups")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=comparing_groups_mb,
        runtime=comparing_minutes,
    params:
        settings=compared_groups_settings,
        code=code_digest("compare_groups"),
    shell:
        'exec python "$SELFDOUBT/compare_groups.py"'
        " --predictions @<(printf '%s\\n' {input}) --output {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule measure_gaps:
    """Measure each arm's gap to a perfect ordering, and what it comes from."""
    input:
        predictions=measured_predictions(),
        soft_labels=soft_labels_of_people(),
    output:
        in_report(TABLE.format(table="gaps"), "table", "Tables"),
    log:
        log_of("measure_gaps"),
    benchmark:
        benchmark_of("measure_gaps")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=comparing_arms_mb,
        runtime=comparing_minutes,
    params:
        settings=gap_settings,
        code=code_of("measure_gaps", gap_modules),
    shell:
        'exec python "$SELFDOUBT/measure_gaps.py"'
        " --predictions @<(printf '%s\\n' {input.predictions}) --soft-labels {input.soft_labels:q}"
        " --output {output} --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule measure_fidelity:
    """Measure how alike students and their teachers predict, and where students gain."""
    input:
        student_teacher_predictions(),
    output:
        in_report(TABLE.format(table="fidelity"), "table", "Tables"),
    log:
        log_of("measure_fidelity"),
    benchmark:
        benchmark_of("measure_fidelity")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=comparing_students_mb,
        runtime=comparing_minutes,
    params:
        settings=fidelity_settings,
        code=code_digest("measure_fidelity"),
    shell:
        'exec python "$SELFDOUBT/measure_fidelity.py"'
        " --predictions @<(printf '%s\\n' {input}) --output {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule compute_guarantees:
    """Find thresholds with a bound on the risk, and conformal sets, on val, and evaluate them on test."""
    input:
        compared_predictions,
    output:
        in_report(TABLE.format(table="guarantees"), "table", "Tables"),
    log:
        log_of("compute_guarantees"),
    benchmark:
        benchmark_of("compute_guarantees")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=comparing_arms_mb,
        runtime=comparing_minutes,
    params:
        settings=guarantees_settings,
        code=code_of("compute_guarantees", guarantees_modules),
    shell:
        'exec python "$SELFDOUBT/compute_guarantees.py"'
        " --predictions @<(printf '%s\\n' {input}) --output {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule collect_metrics:
    """Collect all metrics in one table."""
    input:
        all_metrics(),
    output:
        in_report(TABLE.format(table="metrics"), "table", "Tables"),
    log:
        log_of("collect_metrics"),
    benchmark:
        benchmark_of("collect_metrics")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=metrics_mb,
    params:
        settings="{}",
        code=code_digest("collect_metrics"),
    shell:
        'exec python "$SELFDOUBT/collect_metrics.py"'
        " --tables @<(printf '%s\\n' {input}) --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule collect_costs:
    """Collect the seconds and the memory of all jobs up to the metrics in one table."""
    input:
        all_metrics(),
    output:
        in_report(TABLE.format(table="costs"), "table", "Tables"),
    log:
        log_of("collect_costs"),
    benchmark:
        benchmark_of("collect_costs")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=500,
    params:
        settings=cost_settings,
        code=code_digest("collect_costs"),
    shell:
        'exec python "$SELFDOUBT/collect_costs.py"'
        f" --folder {RUN}/benchmarks --logs {RUN}/logs"
        " --output {output} --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule compare_arms:
    """Compare the arms of one data set, paired over replicates."""
    input:
        predictions=compared_predictions_of,
        counts=counts_if_overlapping,
        qualities=qualities_of_mask_checks,
        information=information_if_claimed,
    output:
        CONTRASTS,
    log:
        log_of("compare_arms/{dataset}"),
    benchmark:
        benchmark_of("compare_arms/{dataset}")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=reading_mb,
        runtime=comparing_arms_minutes,
    params:
        settings=contrast_settings,
        code=code_of("compare_arms", contrast_modules),
    shell:
        'exec python "$SELFDOUBT/compare_arms.py"'
        " --predictions @<(printf '%s\\n' {input.predictions}) --counts {input.counts}"
        " --qualities {input.qualities} --information {input.information} --output {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"


rule test_hypotheses:
    """Decide which hypotheses are supported, from the contrasts of all data sets."""
    input:
        expand(CONTRASTS, dataset=sorted(STUDY.datasets)),
    output:
        comparisons=in_report(TABLE.format(table="comparisons"), "table", "Tables"),
        hypotheses=in_report(TABLE.format(table="hypotheses"), "table", "Tables"),
    log:
        log_of("test_hypotheses"),
    benchmark:
        benchmark_of("test_hypotheses")
    conda:
        "../envs/tables.yaml"
    params:
        settings=hypothesis_settings,
        code=code_digest("test_hypotheses"),
    shell:
        'exec python "$SELFDOUBT/test_hypotheses.py"'
        " --contrasts {input}"
        " --comparisons {output.comparisons} --hypotheses {output.hypotheses}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"
