# Needs  resources/{name}/{train,val,test}.parquet
# Makes  results/data/{dataset}/{train,val,test}.safetensors    uint8 images and labels
#        results/data/{dataset}/ood/{ood}.safetensors           label -1
#        results/data/{dataset}/corrupted/{corruption}.safetensors    all severities of a corruption


rule prepare_dataset:
    """Read a data set and split it into train, val and test."""
    input:
        embedded_files,
    output:
        train=SPLIT.replace("{split}", "train"),
        val=SPLIT.replace("{split}", "val"),
        test=SPLIT.replace("{split}", "test"),
    log:
        "results/logs/prepare_dataset/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_dataset/{dataset}.tsv"
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=2000,
    params:
        settings=dataset_settings,
        code=code_digest("prepare_dataset"),
    shell:
        "exec python workflow_scripts/prepare_dataset.py"
        " --train {output.train} --val {output.val} --test {output.test}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule prepare_ood:
    """Convert images of other things to a data set's size and channels."""
    input:
        like=SPLIT.replace("{split}", "val"),
    output:
        OOD,
    log:
        "results/logs/prepare_ood/{dataset}/{ood}.log",
    benchmark:
        "results/benchmarks/prepare_ood/{dataset}/{ood}.tsv"
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=2000,
    params:
        settings=ood_settings,
        code=code_digest("prepare_ood"),
    shell:
        "exec python workflow_scripts/prepare_ood.py --like {input.like} --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule corrupt_images:
    """Corrupt part of the test split at several severities."""
    input:
        test=SPLIT.replace("{split}", "test"),
    output:
        CORRUPTED,
    log:
        "results/logs/corrupt_images/{dataset}/{corruption}.log",
    benchmark:
        "results/benchmarks/corrupt_images/{dataset}/{corruption}.tsv"
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=2000,
    params:
        settings=corruption_settings,
        code=code_digest("corrupt_images"),
    shell:
        "exec python workflow_scripts/corrupt_images.py --test {input.test} --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"
