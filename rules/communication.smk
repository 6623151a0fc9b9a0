# Needs  the members' checkpoints and clean predictions, val, test and OOD splits; train, where a protocol learns from it
# Makes  predictions/{dataset}/{group}/replicate-{replicate}/{protocol}.parquet      what the group decides
#        communication/{dataset}/{group}/replicate-{replicate}/{protocol}.parquet    mean gains of messages, by sender and listener
#        communication/{dataset}/{group}/replicate-{replicate}/{protocol}.gains.parquet    gains of each uncertain image
#        information/{dataset}.parquet    what gains say beyond predictions; if asked for


GROUP_PREDICTIONS = PREDICTIONS.replace("{name}", "{group}").replace("{variant}", "{protocol}")


rule combine_members:
    """Let a group decide from its members' predictions alone."""
    input:
        members=predictions_of_members,
    output:
        GROUP_PREDICTIONS,
    log:
        log_of("combine_members/{dataset}/{group}/replicate-{replicate}/{protocol}"),
    benchmark:
        benchmark_of("combine_members/{dataset}/{group}/replicate-{replicate}/{protocol}")
    wildcard_constraints:
        group=one_of(STUDY.groups),
        protocol=one_of(named(STUDY.protocols, runs_models=False)),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=combining_mb,
        runtime=fitting_minutes,
    params:
        settings=group_settings,
        code=code_of("combine_members", protocol_modules),
    shell:
        'exec python "$SELFDOUBT/combine_members.py"'
        " --members {input.members} --output {output}"
        " --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule communicate:
    """Let a group decide whose members predict perturbed images (messages) or views."""
    input:
        members=members_of_group,
        train=train_of_protocol,
        val=SPLIT.replace("{split}", "val"),
        test=SPLIT.replace("{split}", "test"),
        ood=ood_files,
    output:
        predictions=GROUP_PREDICTIONS,
        persuasion=PERSUASION,
        gains=GAINS,
    log:
        log_of("communicate/{dataset}/{group}/replicate-{replicate}/{protocol}"),
    benchmark:
        benchmark_of("communicate/{dataset}/{group}/replicate-{replicate}/{protocol}")
    wildcard_constraints:
        group=one_of(STUDY.groups),
        protocol=one_of(named(STUDY.protocols, runs_models=True)),
    conda:
        "../envs/models.yaml"
    threads: computing_threads
    resources:
        gpu=computing_gpus,
        mem_mb=communicating_mb,
        runtime=communicating_minutes,
    params:
        settings=group_settings,
        code=code_of("communicate", protocol_modules, families_of_members),
    shell:
        'exec python "$SELFDOUBT/communicate.py"'
        " --members {input.members} --train {input.train}"
        " --val {input.val} --test {input.test} --ood {input.ood}"
        " --output {output.predictions} --persuasion {output.persuasion} --gains {output.gains}"
        " --replicate {wildcards.replicate} --gpu {resources.gpu} --settings {params.settings:q} --code {params.code} > {log} 2>&1"


rule measure_information:
    """Measure what gains by messages or views say beyond the members' predictions."""
    input:
        files_of_information,
    output:
        INFORMATION,
    log:
        log_of("measure_information/{dataset}"),
    benchmark:
        benchmark_of("measure_information/{dataset}")
    wildcard_constraints:
        dataset=one_of(STUDY.datasets if STUDY.evaluation.information else []),
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=comparing_groups_mb,
        runtime=comparing_minutes,
    params:
        settings=information_settings,
        code=code_digest("measure_information"),
    shell:
        'exec python "$SELFDOUBT/measure_information.py"'
        " --files @<(printf '%s\\n' {input}) --output {output}"
        " --settings @<(printf %s {params.settings:q}) --code {params.code} > {log} 2>&1"
