"""A small real study with its files in a bucket, by profiles/s3, and a plan for Kubernetes: `make test-storage`.

Its name keeps it out of the quick tests: it takes a minute or two, and an environment of its own. The bucket is moto's,
a server on this machine.
"""

import hashlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import boto3
import pyarrow.parquet as pq
import pytest
from small_study import digests, small_copy, two_models

OWN = "resources/tiny"  # which small_copy writes
BUCKET, PREFIX = "selfdoubt-tests", "small"
TRAINING_LOG = "results/default/logs/train_baseline/fashion-mnist-12k/ce/replicate-1.log"
KEYS = {"access_key": "any", "secret_key": "thing"}
ENVIRONMENT = os.environ | {f"SNAKEMAKE_STORAGE_S3_{key.upper()}": value for key, value in KEYS.items()}
_PATIENCE_SECONDS = 300  # what takes longer hangs


@contextmanager
def s3_server() -> Iterator[SimpleNamespace]:
    """A server with one empty bucket: its address, and a client to look into it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command, address = [sys.executable, "-m", "moto.server", "-p", str(port)], f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: listens(port))
            keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
            client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
            client.create_bucket(Bucket=BUCKET)
            yield SimpleNamespace(address=address, client=client)
        finally:
            server.terminate()


def listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it hangs"
        time.sleep(0.1)


def command(server: SimpleNamespace, profile: str, *arguments: str) -> list[str]:
    """Snakemake with a profile whose bucket is the server's."""
    words = ["-m", "snakemake", "--cores", "2", "--profile", f"profiles/{profile}"]
    words += ["--default-storage-prefix", f"s3://{BUCKET}/{PREFIX}", "--storage-s3-endpoint-url", server.address]
    return [sys.executable, *words, *arguments]


def run(folder: Path, words: list[str]) -> str:
    """Run it to its end, which must be a good one, and return what it wrote."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": _PATIENCE_SECONDS}
    ended = subprocess.run(words, cwd=folder, env=ENVIRONMENT, **options, check=False)
    assert ended.returncode == 0, ended.stdout[-5000:]
    return ended.stdout


def kill_in_the_middle(folder: Path, words: list[str]) -> None:
    """Start it, and kill it and its jobs when a training of the baseline has kept a state."""
    state = folder / "results/default/state/fashion-mnist-12k/ce"
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(words, cwd=folder, env=ENVIRONMENT, **options) as engine:
        wait_for(lambda: engine.poll() is not None or any(state.rglob("*.safetensors")))
        assert engine.poll() is None, "it ended before it could be killed"
        os.killpg(engine.pid, signal.SIGKILL)


def objects(server: SimpleNamespace) -> dict[str, bytes]:
    """The content of what is in the bucket, by path."""
    pages = server.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [item["Key"] for page in pages for item in page["Contents"]]
    return {
        key.removeprefix(f"{PREFIX}/"): server.client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys
    }


def of_ones_own(config: dict) -> None:
    """The study of two models on a table of one's own, which is no result, so that no bucket has it."""
    two_models(config)
    config["datasets"]["fashion-mnist-12k"].update(source="parquet:{data_folder}", mask_truth=None)
    config["data_folder"] = OWN


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> SimpleNamespace:
    """What a study left that ran in a folder alone, and in a bucket with a kill in the middle."""
    place = tmp_path_factory.mktemp("storage")
    kept, alone, elsewhere = (small_copy(place / name, of_ones_own) for name in ("bucket", "alone", "elsewhere"))
    assert alone.snakemake().returncode == 0
    with s3_server() as server:
        kill_in_the_middle(kept.folder, command(server, "s3"))
        run(kept.folder, command(server, "s3"))
        planned = (kept.folder / "results/default/benchmarks/planned.txt").read_text()
        log = (kept.folder / TRAINING_LOG).read_text()
        again = run(kept.folder, command(server, "s3"))
        from_elsewhere = run(elsewhere.folder, command(server, "s3"))
        content = objects(server)
        pods = run(elsewhere.folder, command(server, "kubernetes", "--dry-run", "--forceall"))
    outputs = {"again": again, "from_elsewhere": from_elsewhere, "pods": pods, "planned": planned, "log": log}
    return SimpleNamespace(alone=digests(alone), content=content, **outputs)


def test_a_bucket_has_the_bytes_of_a_folder(seen):
    """All tables but that of costs, tensors and figures, though the study was killed on the way."""
    in_bucket = {name: hashlib.sha256(seen.content[name]).hexdigest() for name in seen.alone if name in seen.content}
    shared = {name for name in seen.alone if name.startswith("results/data/")}  # each machine keeps its own
    assert in_bucket == {name: digest for name, digest in seen.alone.items() if name not in shared}
    assert "results/default/report/index.html" in seen.content


def test_a_killed_training_resumes_on_the_same_machine(seen):
    resumed = re.search(r"resuming at epoch (\d+)", seen.log)
    assert resumed and int(resumed[1]) > 0


def test_costs_are_those_of_the_jobs_in_the_bucket(seen):
    table = pq.read_table(io.BytesIO(seen.content["results/default/tables/costs.parquet"])).to_pandas()
    jobs = {f"{row.rule}/{row.job}": row.seconds for row in table.itertuples()}
    assert {"train_teacher/fashion-mnist-12k/teacher/replicate-1", "prepare_dataset/fashion-mnist-12k"} <= {*jobs}
    assert all(seconds > 0 for seconds in jobs.values())
    assert not [name for name in seen.content if "/benchmarks/" in name or "/logs/" in name]  # which lie on the machine
    assert "train_baseline/" in seen.planned  # what was killed is left, by which watch.py knows the time


def test_there_is_nothing_to_do_afterwards(seen):
    assert "Nothing to be done" in seen.again


def test_a_checkout_elsewhere_finds_all_done(seen):
    assert "Nothing to be done" in seen.from_elsewhere


def test_kubernetes_gets_each_job_with_what_it_needs(seen):
    resources = dict(re.findall(r"^rule (\w+):\n(?: .*\n)*? +resources: (.*)$", seen.pods, re.MULTILINE))
    assert {"train_teacher", "predict", "compute_metrics", "render_report"} <= set(resources)
    assert "gpu=1" in resources["train_teacher"] and "gpu_manufacturer=nvidia" in resources["train_teacher"]
    assert "mem_mb=9500," in resources["train_teacher"] and "runtime=10" in resources["train_teacher"]
    assert "gpu=" not in resources["compute_metrics"] and "mem_mb=1000," in resources["render_report"]
