# Needs  data/{dataset}/train.safetensors, the checkpoint of a teacher
#        weights that a segmenter's encoder starts from, where the config names their file
# Makes  masks/{dataset}/{segmenter}/replicate-{replicate}.network.safetensors
#        masks/{dataset}/{segmenter}/replicate-{replicate}.pseudo-masks.safetensors    what it learned from, one bit a pixel
#        masks/{dataset}/{segmenter}/replicate-{replicate}.masks.safetensors           of the training images, one bit a pixel
#        masks/{dataset}/{segmenter}/replicate-{replicate}.quality.parquet             IoU where truth is known, fractions
#        mixed-labels/{dataset}/{model}/replicate-{replicate}.parquet      labels of mixed images against visible objects
#        mixed-examples/{dataset}/{model}/replicate-{replicate}.safetensors    a few mixed images, with what they are mixed of
#
# Of a segmenter with a teacher_replicate there is that replicate's alone, whose masks serve all.


rule train_segmenter:
    """Train a segmentation network on pseudo-labels from a teacher's maps."""
    input:
        train=SPLIT.replace("{split}", "train"),
        teacher=teacher_of_segmenter,
        weights=weights_of_segmenter,
    output:
        network=SEGMENTER,
        pseudo_masks=PSEUDO_MASKS,
    log:
        log_of("train_segmenter/{dataset}/{segmenter}/replicate-{replicate}"),
    benchmark:
        benchmark_of("train_segmenter/{dataset}/{segmenter}/replicate-{replicate}")
    priority: 20
    conda:
        "../envs/models.yaml"
    threads: segmenter_threads
    resources:
        gpu=segmenter_gpus,
        mem_mb=maps_mb,
        runtime=segmenter_minutes,
    params:
        settings=segmenter_settings,
        code=code_of("train_segmenter", families_of_segmenter),
    shell:
        'exec python "$SELFDOUBT/train_segmenter.py"'
        " --train {input.train} --teacher {input.teacher} --weights {input.weights:q}"
        " --network {output.network} --pseudo-masks {output.pseudo_masks} --progress {log}.progress.jsonl"
        " --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule segment_images:
    """Predict the object masks of the training images."""
    input:
        train=SPLIT.replace("{split}", "train"),
        network=SEGMENTER,
    output:
        MASKS,
    log:
        log_of("segment_images/{dataset}/{segmenter}/replicate-{replicate}"),
    benchmark:
        benchmark_of("segment_images/{dataset}/{segmenter}/replicate-{replicate}")
    priority: 20
    conda:
        "../envs/models.yaml"
    threads: segmenter_threads
    resources:
        gpu=segmenter_gpus,
        mem_mb=maps_mb,
        runtime=segmenting_minutes,
    params:
        settings=segmenting_settings,
        code=code_digest("segment_images"),
    shell:
        'exec python "$SELFDOUBT/segment_images.py"'
        " --train {input.train} --network {input.network}"
        " --masks {output} --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule evaluate_masks:
    """Evaluate the masks, and the pseudo-labels that the segmenter learned from."""
    input:
        train=SPLIT.replace("{split}", "train"),
        pseudo_masks=PSEUDO_MASKS,
        masks=MASKS,
    output:
        MASK_QUALITY,
    log:
        log_of("evaluate_masks/{dataset}/{segmenter}/replicate-{replicate}"),
    benchmark:
        benchmark_of("evaluate_masks/{dataset}/{segmenter}/replicate-{replicate}")
    priority: 20
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=maps_mb,
        runtime=masks_minutes,
    params:
        settings=mask_quality_settings,
        code=code_digest("evaluate_masks"),
    shell:
        'exec python "$SELFDOUBT/evaluate_masks.py"'
        " --train {input.train} --pseudo-masks {input.pseudo_masks}"
        " --masks {input.masks} --quality {output} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule measure_mixing:
    """Measure how far the labels of mixed images are from the visible fractions of their objects."""
    input:
        train=SPLIT.replace("{split}", "train"),
        masks=masks_of_model,
    output:
        MIXED_LABELS,
    log:
        log_of("measure_mixing/{dataset}/{model}/replicate-{replicate}"),
    benchmark:
        benchmark_of("measure_mixing/{dataset}/{model}/replicate-{replicate}")
    wildcard_constraints:
        model=one_of(STUDY.augmented),
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=maps_mb,
        runtime=masks_minutes,
    params:
        settings=mixing_settings,
        code=code_of("measure_mixing", mixing_modules),
    shell:
        'exec python "$SELFDOUBT/measure_mixing.py"'
        " --train {input.train} --masks {input.masks}"
        " --output {output} --replicate {wildcards.replicate}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule show_mixing:
    """Keep a few pairs of training images and what a model's mixing makes of them."""
    input:
        train=SPLIT.replace("{split}", "train"),
        masks=masks_of_model,
    output:
        MIXED_EXAMPLES,
    log:
        log_of("show_mixing/{dataset}/{model}/replicate-{replicate}"),
    benchmark:
        benchmark_of("show_mixing/{dataset}/{model}/replicate-{replicate}")
    wildcard_constraints:
        model=one_of(STUDY.augmented),
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=maps_mb,
        runtime=masks_minutes,
    params:
        settings=mixing_settings,
        code=code_of("show_mixing", mixing_modules),
    shell:
        'exec python "$SELFDOUBT/show_mixing.py"'
        " --train {input.train} --masks {input.masks}"
        " --output {output} --replicate {wildcards.replicate}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"
