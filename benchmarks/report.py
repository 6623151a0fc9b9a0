"""A page of a study of 1,000 models: seconds of the processor and peak memory of reading its tables and rendering it.

    python benchmarks/report.py 100 1000

prints a line for each number of models. Their numbers are made up, five replicates each, as the tests have them.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import Row

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "workflow_scripts")]

LIMIT_SECONDS, LIMIT_MB = 60.0, 2000.0
MOST_MODELS = 1000


def rows() -> Iterator[Row]:
    """Yield what a page of 1,000 models takes against its limits."""
    seconds, peak_mb, _ = measured(MOST_MODELS)
    yield Row("report of 1,000 models", "limit", seconds, LIMIT_SECONDS, "CPU s", "≤", 1)
    yield Row("the same, peak memory", "limit", peak_mb, LIMIT_MB, "MB", "≤", 1)


def measured(n_models: int) -> tuple[float, float, float]:
    """Return seconds of the processor, peak memory in MB and the page's size in MB, of a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--render", folder, str(n_models)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak_mb, page_mb = map(float, shown.stdout.split())
    return seconds, peak_mb, page_mb


def render_and_print(folder: Path, n_models: int) -> None:
    """Make numbers up, write and read their table, render the page, and print what reading and rendering took."""
    import resource
    from dataclasses import replace

    import pyarrow as pa
    from made_up_page import made_up

    from selfdoubt.report.page import render
    from selfdoubt.runtime import table_files
    from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA

    data = made_up(folder, n_models)
    table = pa.Table.from_pandas(data.metrics, METRICS_SCHEMA, preserve_index=False)
    table_files.write_table(folder / "metrics.parquet", table, METRICS_SCHEMA, {})
    data = replace(data, metrics=data.metrics[:0])
    before = time.process_time()
    metrics = table_files.read_table(folder / "metrics.parquet", METRICS_SCHEMA).to_pandas()
    page = render(replace(data, metrics=metrics))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    print(time.process_time() - before, peak_mb, len(page) / 1e6)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--render"]:
        render_and_print(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        for n in map(int, sys.argv[1:] or [MOST_MODELS]):
            seconds, peak_mb, page_mb = measured(n)
            print(f"{n} models: {seconds:.1f} s, {peak_mb:.0f} MB, a page of {page_mb:.1f} MB", flush=True)
