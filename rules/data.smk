# Needs  the files of the config's sources: resources/{name}/*.parquet, your own folders and files, or nothing if fetched
# Makes  downloads/{file}                             of a published data set, checked by its md5
#        data/{dataset}/{train,val,test}.safetensors    uint8 images and labels, or the names of their files
#        data/{dataset}/counts.parquet                  images by split and class, conversions, duplicates
#        data/{dataset}/ood/{ood}.safetensors           label -1
#        data/{dataset}/corrupted/{corruption}.safetensors    all severities of a corruption
#        data/{dataset}/shifted/{shifted}.safetensors         a re-collected test set
#        tables/data.parquet                            digests of what all of these but the corrupted ones hold


rule fetch_file:
    """Fetch one file of a published data set, unless it was put there by hand."""
    output:
        local(f"{FETCHED}/{{file}}"),
    log:
        log_of("fetch_file/{file}"),
    benchmark:
        benchmark_of("fetch_file/{file}")
    wildcard_constraints:
        file=one_of(map(re.escape, downloads())),
    retries: 2
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=500,
    params:
        settings=file_settings,
        code=code_digest("fetch_file"),
    shell:
        'exec python "$SELFDOUBT/fetch_file.py"'
        f" --store {SHARED}/downloads"
        " --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule prepare_dataset:
    """Read a data set and split it into train, val and test."""
    input:
        source=source_files,
    output:
        train=SPLIT.replace("{split}", "train"),
        val=SPLIT.replace("{split}", "val"),
        test=SPLIT.replace("{split}", "test"),
        counts=COUNTS,
    log:
        log_of("prepare_dataset/{dataset}"),
    benchmark:
        benchmark_of("prepare_dataset/{dataset}")
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=dataset_mb,
        runtime=preparing_minutes,
    params:
        settings=dataset_settings,
        code=code_of("prepare_dataset", source_modules),
    shell:
        'exec python "$SELFDOUBT/prepare_dataset.py"'
        f" --fetched {FETCHED} --store {SHARED}"
        " --sources @<(printf '%s\\n' {input.source:q}) --train {output.train} --val {output.val} --test {output.test}"
        " --counts {output.counts} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule prepare_ood:
    """Convert out-of-distribution images to a data set's size and channels."""
    input:
        source=ood_source_files,
        like=SPLIT.replace("{split}", "val"),
    output:
        OOD,
    log:
        log_of("prepare_ood/{dataset}/{ood}"),
    benchmark:
        benchmark_of("prepare_ood/{dataset}/{ood}")
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=ood_mb,
        runtime=converting_minutes,
    params:
        settings=ood_settings,
        code=code_of("prepare_ood", ood_source_modules),
    shell:
        'exec python "$SELFDOUBT/prepare_ood.py"'
        f" --fetched {FETCHED} --store {SHARED}"
        " --sources @<(printf '%s\\n' {input.source:q}) --like {input.like} --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule corrupt_images:
    """Corrupt part of the test split at several severities, or read it corrupted as published."""
    input:
        test=SPLIT.replace("{split}", "test"),
        counts=COUNTS,
        source=published_corruption,
    output:
        CORRUPTED,
    log:
        log_of("corrupt_images/{dataset}/{corruption}"),
    benchmark:
        benchmark_of("corrupt_images/{dataset}/{corruption}")
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=corruption_mb,
        runtime=converting_minutes,
    params:
        settings=corruption_settings,
        code=code_of("corrupt_images", corruption_modules),
    shell:
        'exec python "$SELFDOUBT/corrupt_images.py"'
        f" --store {SHARED}"
        " --sources @<(printf '%s\\n' {input.source:q}) --test {input.test} --counts {input.counts} --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule prepare_shifted:
    """Read a test set that others collected again."""
    input:
        source=shifted_source_files,
        like=SPLIT.replace("{split}", "test"),
        counts=COUNTS,
    output:
        SHIFTED,
    log:
        log_of("prepare_shifted/{dataset}/{shifted}"),
    benchmark:
        benchmark_of("prepare_shifted/{dataset}/{shifted}")
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=shifted_mb,
        runtime=converting_minutes,
    params:
        settings=shifted_settings,
        code=code_of("prepare_shifted", shifted_modules),
    shell:
        'exec python "$SELFDOUBT/prepare_shifted.py"'
        f" --store {SHARED}"
        " --sources @<(printf '%s\\n' {input.source:q}) --like {input.like} --counts {input.counts} --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule digest_data:
    """Record digests of the images of each data set."""
    input:
        digested_splits(),
    output:
        in_report(TABLE.format(table="data"), "table", "Tables"),
    log:
        log_of("digest_data"),
    benchmark:
        benchmark_of("digest_data")
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=digesting_mb,
    params:
        settings=digest_settings,
        code=code_digest("digest_data"),
    shell:
        'exec python "$SELFDOUBT/digest_data.py"'
        " --splits @<(printf '%s\\n' {input}) --output {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"
