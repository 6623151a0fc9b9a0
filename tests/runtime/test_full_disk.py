"""Every kind of result on a disk that fills while it is written: one line, and nothing is left of it.

The disk is a real one (tmpfs), which takes root to mount; the writers are those of the jobs.
"""

import http.server
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch
from disks import small_disk
from matplotlib.figure import Figure
from small_training import SCRIPTS

from selfdoubt.data import datasets, downloads
from selfdoubt.distillation import soft_labels
from selfdoubt.figures import style
from selfdoubt.models import checkpoints
from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.training.resume import Keeper

SIZE = 256 * 1024  # bytes of the disk; all results here take more than the eighth that is left of it
NOISE = np.random.default_rng(0).random(SIZE // 4)  # nothing makes it smaller


def state(path: Path) -> None:
    Keeper(path.parent, path.stem).save({"weights": torch.from_numpy(NOISE)}, {"epoch": 1})


def checkpoint(path: Path) -> None:
    checkpoints.save(path, torch.nn.Linear(1, SIZE), {})


def split(path: Path) -> None:
    images = (256 * NOISE).astype(np.uint8).reshape(-1, 1, 8, 8).repeat(8, 3)
    rows = np.arange(len(images))
    datasets.write_splits(path, {"train": datasets.Split(images, rows % 2, rows.astype(np.int32))}, {})


def table(path: Path) -> None:
    table_files.write_table(path, pa.table({"noise": NOISE}), pa.schema([("noise", pa.float64())]))


def answers(path: Path) -> None:
    """A teacher's logits of ten batches, each of which fits onto the disk."""
    stream = SimpleNamespace(rows_per_epoch=10_000, epoch=lambda _: [SimpleNamespace(images=None)] * 10)
    teachers = SimpleNamespace(exact=lambda _: soft_labels.Targets(torch.randn(1000, 20)), top_k=None)
    soft_labels.write(path, teachers, stream, 1, {})


def figure(path: Path) -> None:
    drawn = Figure(figsize=(8, 8))
    drawn.add_subplot().pcolormesh(NOISE[:10_000].reshape(100, 100))
    style.save(drawn, [path])


def fetched(path: Path) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bytes(2 * SIZE))

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            downloads.fetch(f"http://127.0.0.1:{server.server_port}", "0", path)
        finally:
            server.shutdown()


WRITERS = {
    "state.safetensors": state,
    "checkpoint.safetensors": checkpoint,
    "split.safetensors": split,
    "table.parquet": table,
    "soft-labels.arrow": answers,
    "figure.svg": figure,
    "figure.pdf": figure,
    "figure.png": figure,
}


@pytest.mark.parametrize("room", [SIZE // 8, 0], ids=["some room", "no room"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_disk_that_fills_is_reported_in_one_line_and_holds_what_it_held(tmp_path, name, room):
    with small_disk(tmp_path / "disk", str(SIZE)) as disk:
        (disk / name).write_text("old")
        (disk / "filler").write_bytes(bytes(SIZE - 4096 - room))
        with pytest.raises(UserError) as fault:
            WRITERS[name](disk / name)
        assert str(fault.value).startswith(f"{disk / name}: the disk is full; make room")
        assert sorted(path.name for path in disk.iterdir()) == sorted(["filler", name])
        assert (disk / name).read_text() == "old"
    WRITERS[name](tmp_path / name)  # where there is room
    assert (tmp_path / name).stat().st_size > SIZE // 8


def test_what_was_fetched_of_a_file_stays_and_its_name_is_not_taken(tmp_path):
    with small_disk(tmp_path / "disk", str(SIZE)) as disk:
        with pytest.raises(UserError) as fault:
            fetched(disk / "archive.zip")
        assert str(fault.value).startswith(f"{disk / 'archive.zip'}: the disk is full; make room")
        assert [path.name for path in disk.iterdir()] == ["archive.zip.part"]


def test_a_script_reports_it_in_one_line(tmp_path):
    """A file that is no result, such as a line of progress, has nothing but Python's own error."""
    body = "import sys; from selfdoubt.runtime import cli\n"
    body += "def run(arguments):\n    with open(arguments.output, 'wb', 0) as file:\n        "
    body += f"while True: file.write(bytes({SIZE}))\ncli.main(run, {{'output': 'written'}})\n"
    (tmp_path / "job.py").write_text(body)
    with small_disk(tmp_path / "disk", str(SIZE)) as disk:
        command = [sys.executable, tmp_path / "job.py", "--output", disk / "out"]
        done = subprocess.run(command, env={"PYTHONPATH": str(SCRIPTS)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "job: the disk is full; make room and run again\n")
