# Needs  data/{dataset}/{train,val}.safetensors
#        weights that a network starts from, where the config names their file
#        a robust model: the checkpoint that it is fine-tuned from
#        a student: its teachers' checkpoints of the same replicate; masks, where a model mixes by them
# Makes  checkpoints/{dataset}/{model}/replicate-{replicate}.safetensors    the last epoch's weights, or those that others trained
#        training/{dataset}/{model}/replicate-{replicate}.parquet           loss, accuracy, learning rate per epoch


rule train_teacher:
    """Train a network that others learn from."""
    input:
        train=SPLIT.replace("{split}", "train"),
        val=SPLIT.replace("{split}", "val"),
        weights=weights_of_model,
    output:
        checkpoint=CHECKPOINT,
        history=HISTORY,
    log:
        log_of("train_teacher/{dataset}/{model}/replicate-{replicate}"),
    benchmark:
        benchmark_of("train_teacher/{dataset}/{model}/replicate-{replicate}")
    wildcard_constraints:
        model=one_of(STUDY.teachers),
    priority: 10
    conda:
        "../envs/models.yaml"
    threads: training_threads
    resources:
        gpu=training_gpus,
        mem_mb=recipe_mb,
        runtime=training_minutes,
    params:
        settings=model_settings,
        code=code_of("train_on_labels", model_modules),
    shell:
        'exec python "$SELFDOUBT/train_on_labels.py"'
        " --train {input.train} --val {input.val}"
        " --weights {input.weights:q} --checkpoint {output.checkpoint} --history {output.history}"
        f" --state {STATE}"
        " --progress {log}.progress.jsonl --replicate {wildcards.replicate} --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule train_baseline:
    """Train a network from labels alone."""
    input:
        train=SPLIT.replace("{split}", "train"),
        val=SPLIT.replace("{split}", "val"),
        weights=weights_of_model,
    output:
        checkpoint=CHECKPOINT,
        history=HISTORY,
    log:
        log_of("train_baseline/{dataset}/{model}/replicate-{replicate}"),
    benchmark:
        benchmark_of("train_baseline/{dataset}/{model}/replicate-{replicate}")
    wildcard_constraints:
        model=one_of(STUDY.baselines),
    conda:
        "../envs/models.yaml"
    threads: training_threads
    resources:
        gpu=training_gpus,
        mem_mb=recipe_mb,
        runtime=training_minutes,
    params:
        settings=model_settings,
        code=code_of("train_on_labels", model_modules),
    shell:
        'exec python "$SELFDOUBT/train_on_labels.py"'
        " --train {input.train} --val {input.val}"
        " --weights {input.weights:q} --checkpoint {output.checkpoint} --history {output.history}"
        f" --state {STATE}"
        " --progress {log}.progress.jsonl --replicate {wildcards.replicate} --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule precompute_soft_labels:
    """Compute the targets of every view of every epoch, once for all students of the same teachers."""
    input:
        train=SPLIT.replace("{split}", "train"),
        teachers=teachers_of_soft_labels,
        masks=masks_of_soft_labels,
    output:
        SOFT_LABELS,
    log:
        log_of("precompute_soft_labels/{dataset}/{model}/{views}/replicate-{replicate}"),
    benchmark:
        benchmark_of("precompute_soft_labels/{dataset}/{model}/{views}/replicate-{replicate}")
    priority: 10
    conda:
        "../envs/models.yaml"
    threads: soft_labels_threads
    resources:
        gpu=soft_labels_gpus,
        mem_mb=soft_labels_mb,
        runtime=soft_labels_minutes,
    params:
        settings=soft_labels_settings,
        code=code_of("precompute_soft_labels", families_of_teachers, mixer_of_soft_labels),
    shell:
        'exec python "$SELFDOUBT/precompute_soft_labels.py"'
        " --train {input.train} --teacher {input.teachers} --masks {input.masks}"
        " --output {output} --replicate {wildcards.replicate}"
        " --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule distill_student:
    """Train a network on its teachers' soft labels."""
    input:
        train=SPLIT.replace("{split}", "train"),
        val=SPLIT.replace("{split}", "val"),
        weights=weights_of_model,
        teachers=teachers_of_student,
        soft_labels=soft_labels_of_student,
        masks=masks_of_model,
    output:
        checkpoint=CHECKPOINT,
        history=HISTORY,
    log:
        log_of("distill_student/{dataset}/{model}/replicate-{replicate}"),
    benchmark:
        benchmark_of("distill_student/{dataset}/{model}/replicate-{replicate}")
    wildcard_constraints:
        model=one_of(STUDY.students),
    conda:
        "../envs/models.yaml"
    threads: training_threads
    resources:
        gpu=training_gpus,
        mem_mb=distilling_mb,
        runtime=training_minutes,
    params:
        settings=model_settings,
        code=code_of("distill_student", model_modules),
    shell:
        'exec python "$SELFDOUBT/distill_student.py"'
        " --train {input.train} --val {input.val}"
        " --weights {input.weights:q} --teacher {input.teachers} --soft-labels {input.soft_labels} --masks {input.masks} --checkpoint {output.checkpoint} --history {output.history}"
        f" --state {STATE}"
        " --progress {log}.progress.jsonl --replicate {wildcards.replicate} --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule train_augmented:
    """Train a network on mixed images."""
    input:
        train=SPLIT.replace("{split}", "train"),
        val=SPLIT.replace("{split}", "val"),
        weights=weights_of_model,
        masks=masks_of_model,
    output:
        checkpoint=CHECKPOINT,
        history=HISTORY,
    log:
        log_of("train_augmented/{dataset}/{model}/replicate-{replicate}"),
    benchmark:
        benchmark_of("train_augmented/{dataset}/{model}/replicate-{replicate}")
    wildcard_constraints:
        model=one_of(STUDY.augmented),
    conda:
        "../envs/models.yaml"
    threads: training_threads
    resources:
        gpu=training_gpus,
        mem_mb=recipe_mb,
        runtime=training_minutes,
    params:
        settings=model_settings,
        code=code_of("train_augmented", model_modules),
    shell:
        'exec python "$SELFDOUBT/train_augmented.py"'
        " --train {input.train} --val {input.val}"
        " --weights {input.weights:q} --masks {input.masks} --checkpoint {output.checkpoint} --history {output.history}"
        f" --state {STATE}"
        " --progress {log}.progress.jsonl --replicate {wildcards.replicate} --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule train_robust:
    """Fine-tune a trained network on images that are moved to where its loss is larger."""
    input:
        train=SPLIT.replace("{split}", "train"),
        val=SPLIT.replace("{split}", "val"),
        weights=weights_of_model,
        start=start_of_robust,
    output:
        checkpoint=CHECKPOINT,
        history=HISTORY,
    log:
        log_of("train_robust/{dataset}/{model}/replicate-{replicate}"),
    benchmark:
        benchmark_of("train_robust/{dataset}/{model}/replicate-{replicate}")
    wildcard_constraints:
        model=one_of(STUDY.robust),
    conda:
        "../envs/models.yaml"
    threads: training_threads
    resources:
        gpu=training_gpus,
        mem_mb=recipe_mb,
        runtime=training_minutes,
    params:
        settings=model_settings,
        code=code_of("train_robust", model_modules),
    shell:
        'exec python "$SELFDOUBT/train_robust.py"'
        " --train {input.train} --val {input.val} --start {input.start}"
        " --weights {input.weights:q} --checkpoint {output.checkpoint} --history {output.history}"
        f" --state {STATE}"
        " --progress {log}.progress.jsonl --replicate {wildcards.replicate} --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule import_model:
    """Make the checkpoint of a network that others trained."""
    input:
        train=SPLIT.replace("{split}", "train"),
        weights=weights_of_model,
    output:
        checkpoint=CHECKPOINT,
    log:
        log_of("import_model/{dataset}/{model}/replicate-{replicate}"),
    benchmark:
        benchmark_of("import_model/{dataset}/{model}/replicate-{replicate}")
    wildcard_constraints:
        model=one_of(STUDY.pretrained),
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=dataset_mb,
    params:
        settings=model_settings,
        code=code_of("import_model", model_modules),
    shell:
        'exec python "$SELFDOUBT/import_model.py"'
        " --train {input.train} --weights {input.weights:q}"
        " --checkpoint {output.checkpoint} --settings {params.settings:q} --code {params.code} > {log} 2>&1"
