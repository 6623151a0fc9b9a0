# Needs  checkpoints/{dataset}/{model}/replicate-{replicate}.safetensors, val, test and OOD splits;
#        train and further checkpoints, where an enhancer learns by other models
# Makes  predictions/{dataset}/{model}/replicate-{replicate}/{enhancer}.parquet     on enhanced images
#        enhanced/{dataset}/{model}/replicate-{replicate}/{enhancer}.safetensors    a few of them, to be looked at
#        tables/enhancements.parquet    settings selected on val, and passes per image


rule enhance_images:
    """Select an enhancer's settings on val, and predict the enhanced images of every split."""
    input:
        checkpoint=CHECKPOINT.replace("{model}", "{name}"),
        val=SPLIT.replace("{split}", "val"),
        test=SPLIT.replace("{split}", "test"),
        ood=ood_files,
        shifted=shifted_sets_of_enhancer,
        train=train_of_enhancer,
        siblings=checkpoints_of_siblings,
        errors_of=errors_of_another,
    output:
        predictions=PREDICTIONS,
        examples=EXAMPLES.replace("{model}", "{name}").replace("{enhancer}", "{variant}"),
    log:
        log_of("enhance_images/{dataset}/{name}/replicate-{replicate}/{variant}"),
    benchmark:
        benchmark_of("enhance_images/{dataset}/{name}/replicate-{replicate}/{variant}")
    wildcard_constraints:
        name=one_of(STUDY.models),
        variant=one_of(STUDY.enhancers),
    conda:
        "../envs/models.yaml"
    threads: computing_threads
    resources:
        gpu=computing_gpus,
        mem_mb=enhancing_mb,
        runtime=enhancing_minutes,
    params:
        settings=enhancer_settings,
        code=code_of("enhance_images", enhancer_modules, family_of_model),
    shell:
        'exec python "$SELFDOUBT/enhance_images.py"'
        " --checkpoint {input.checkpoint}"
        " --val {input.val} --test {input.test} --ood {input.ood} --shifted {input.shifted}"
        " --train {input.train} --siblings {input.siblings} --errors-of {input.errors_of}"
        " --output {output.predictions} --examples {output.examples}"
        " --replicate {wildcards.replicate} --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule collect_enhancements:
    """Collect the selected settings and the costs of all enhancers in one table."""
    input:
        all_enhanced(),
    output:
        in_report(TABLE.format(table="enhancements"), "table", "Tables"),
    log:
        log_of("collect_enhancements"),
    benchmark:
        benchmark_of("collect_enhancements")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=500,
    params:
        settings=enhancements_settings,
        code=code_digest("collect_enhancements"),
    shell:
        'exec python "$SELFDOUBT/collect_enhancements.py"'
        " --predictions @<(printf '%s\\n' {input}) --output {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"
