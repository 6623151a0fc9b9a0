"""Edits of what is installed and of results, for tests/support/edits.py."""

from expected_jobs import DIGESTS, ENHANCEMENTS, FIDELITY, FROM_SEGMENTER, FROM_TRAINING, GROUPS, PLOTS, REPORT, TABLES
from ways_of_editing import Edit, delete, installed, texts

OF_INSTALLATION = [
    Edit(
        "the lock, the conda files",
        texts("timm==1", "timm==2", "envs/requirements.lock", "envs/models.yaml"),
        set(),
        "what counts is what is installed, below; with `--software-deployment-method conda`, the conda files too",
    ),
    Edit(
        "another torch",
        installed("torch"),
        FROM_TRAINING,
        "the versions of these three are in the digests of what imports them",
    ),
    Edit("another timm", installed("timm"), FROM_TRAINING, tried=False),
    Edit("another segmentation-models-pytorch", installed("segmentation_models_pytorch"), FROM_SEGMENTER),
    Edit(
        "another numpy",
        installed("numpy"),
        set(),
        "its version is in the results' metadata; run `snakemake --forceall` after a leap",
    ),
]

OF_RESULTS = [
    Edit("the figures deleted", delete("results/default/figures/*"), PLOTS | REPORT),
    Edit(
        "the tables deleted",
        delete("results/default/tables/*"),
        (TABLES - {"compare_arms"}) | ENHANCEMENTS | GROUPS | FIDELITY | DIGESTS,
    ),
    Edit("the soft labels deleted", delete("results/default/soft-labels/**/*"), set()),
    Edit("a checkpoint deleted", delete("results/default/checkpoints/*/ce/replicate-1.safetensors"), set()),
    Edit("numbers of one arm deleted", delete("results/default/metrics/*/ce/replicate-1/odin.parquet"), set()),
]
