"""Local jobs as forks: they run, fail and end as processes of their own do, and what they took is known."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import comes_true

from selfdoubt.runtime import cli, costs, warm_jobs

SCRIPTS = Path(cli.__file__).parents[2]
ENGINE = """
import os, subprocess, sys
from selfdoubt.runtime import warm_jobs
warm_jobs.start()
os.environ.update(warm_jobs._ONE_THREAD)
for line in sys.stdin:
    print(subprocess.Popen(line, shell=True, executable="/bin/bash").wait(), flush=True)
"""  # as Snakemake starts jobs
SHOWS = """
import sys
known = "numpy" in sys.modules, "selfdoubt" in sys.modules
import json, os
import numpy
from selfdoubt.runtime import cli
argument = open(sys.argv[1][1:]).read() if sys.argv[1:] else None
print(json.dumps([*known, os.getpid(), os.getppid(), os.getcwd(), os.environ.get("A"), argument]))
"""
WAITS = """
import os, time
import numpy
from selfdoubt.runtime import cli
def run(arguments):
    arguments.input.write_text(f"{os.getpid()} ")
    time.sleep(60)
cli.main(run, {"input": "where it notes its number"})
"""


class Engine:
    """A process that runs shell lines one after the other, as Snakemake does."""

    def __init__(self, folder: Path, **environment):
        self.folder = folder
        place = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TMPDIR": str(folder)}
        environment = os.environ | place | {"PYTHONPATH": str(SCRIPTS)} | environment
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, "-c", ENGINE]
        self.process = subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True, **pipes)

    def script(self, text: str, name: str = "job.py") -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def begin(self, line: str) -> None:
        print(f"exec {line} > {self.folder}/log 2>&1", file=self.process.stdin, flush=True)

    def code(self) -> int:
        return int(self.process.stdout.readline())

    def run(self, line: str) -> tuple[int, str]:
        self.begin(line)
        return self.code(), (self.folder / "log").read_text()

    def shown(self, line: str) -> list:
        code, log = self.run(line)
        assert code == 0, log
        return json.loads(log.splitlines()[0])


@pytest.fixture
def engine(tmp_path):
    made = []

    def make(**environment) -> Engine:
        made.append(Engine(tmp_path, **environment))
        return made[-1]

    yield make
    for engine in made:
        engine.process.stdin.close()
        engine.process.wait()
        engine.process.stdout.close()
        assert comes_true(lambda: not list(tmp_path.glob("selfdoubt-*")))


def server_of(engine: Engine) -> int:
    (server,) = Path(f"/proc/{engine.process.pid}/task/{engine.process.pid}/children").read_text().split()
    return int(server)


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_second_job_of_a_script_finds_its_packages_imported_and_no_library(engine):
    engine = engine()
    script = engine.script(SHOWS)
    first, second = (engine.shown(f"python {script}") for _ in range(2))
    assert first[:2] == [False, False] and second[:2] == [True, False]
    assert first[3] == server_of(engine) and second[3] not in (first[3], engine.process.pid)


def test_what_a_known_script_imports_is_there_for_its_first_job(engine):
    engine = engine()
    assert engine.shown(f"python {engine.script(SHOWS, 'plot_figure.py')}")[:2] == [True, False]


@pytest.mark.parametrize("script", warm_jobs.KNOWN)
def test_known_scripts_import_what_is_known_of_them(script):
    first = f"import sys, {Path(script).stem}, selfdoubt.figures.kinds.risk_coverage"  # a page has figures
    line = f"{first}; sys.exit(not {warm_jobs.KNOWN[script]} <= {{*sys.modules}})"
    assert subprocess.run([sys.executable, "-c", line], cwd=SCRIPTS, check=False).returncode == 0
    assert warm_jobs.KNOWN[script] <= {*warm_jobs.MODULES}


def test_a_job_has_the_folder_the_variables_and_the_pipes_of_its_shell(engine):
    engine = engine(A="1")
    script = engine.script(SHOWS)
    (engine.folder / "sub").mkdir()
    line = f"bash -c 'cd sub; exec python {script} @<(printf %s given)'"
    assert engine.shown(line)[4:] == [str(engine.folder / "sub"), "1", "given"]


@pytest.mark.parametrize("why", ["off", "threads", "server gone", "several devices"])
def test_what_cannot_be_a_fork_runs_by_itself(engine, why):
    engine = engine(**({"SELFDOUBT_COLD": "1"} if why == "off" else {}))
    if why == "server gone":
        engine.run("true")
        os.kill(server := server_of(engine), signal.SIGKILL)
        assert comes_true(lambda: not is_running(server))
    before = "OMP_NUM_THREADS=2 " if why == "threads" else ""
    after = "@/dev/null --gpu 2" if why == "several devices" else ""
    script = engine.script(SHOWS)
    found = [engine.shown(f"env {before}python {script} {after}") for _ in range(2)]
    assert all(row[0] is False and row[3] == engine.process.pid for row in found)
    assert "took" not in (engine.folder / "log").read_text()


@pytest.mark.parametrize(
    ("body", "code", "log"),
    [
        ("import sys; sys.exit('one line')", 1, "one line\n"),
        ("import sys; sys.exit(3)", 3, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        (
            "1 / 0",
            1,
            'Traceback (most recent call last):\n  File "{script}", line 1, in <module>\n    1 / 0\n    ~~^~~\n'
            "ZeroDivisionError: division by zero\n",
        ),
    ],
)
def test_a_job_that_fails_does_so_as_by_itself(engine, body, code, log):
    engine = engine()
    script = engine.script(body)
    assert engine.run(f"python {script}") == (code, log.format(script=script))


def begun(engine: Engine) -> tuple[int, int]:
    """Begin a job that waits; return the processes of its client and of itself."""
    note = engine.folder / "note"
    note.unlink(missing_ok=True)
    engine.begin(f"python {engine.script(WAITS)} --input {note}")
    assert comes_true(lambda: note.exists() and note.read_text().endswith(" "))
    children = Path(f"/proc/{engine.process.pid}/task/{engine.process.pid}/children").read_text().split()
    (client,) = {*map(int, children)} - {engine.server}
    return client, int(note.read_text())


@pytest.mark.parametrize(
    ("hit", "number", "code", "log"),
    [
        ("client", signal.SIGINT, 1, "job: interrupted\n"),
        ("all", signal.SIGINT, 1, "job: interrupted\n"),
        ("client", signal.SIGTERM, -15, ""),
        ("client", signal.SIGKILL, -9, ""),
        ("job", signal.SIGTERM, -15, ""),
        ("job", signal.SIGKILL, -9, ""),
    ],
)
def test_a_signal_ends_job_and_client(engine, hit, number, code, log):
    engine = engine()
    engine.run("true")
    engine.server = server_of(engine)
    client, job = begun(engine)
    assert job != client
    if hit == "all":  # as Ctrl-C in a terminal: all of the group but the engine, which has no job to wait for here
        for process in (client, engine.server):
            os.kill(process, number)
    else:
        os.kill({"client": client, "job": job}[hit], number)
    assert engine.code() == code
    assert comes_true(lambda: not is_running(job)) and (engine.folder / "log").read_text() == log
    assert engine.run("python -c pass")[0] == 0 and is_running(engine.server)


def test_with_the_server_its_jobs_end_and_fail(engine):
    engine = engine()
    engine.run("true")
    engine.server = server_of(engine)
    _, job = begun(engine)
    os.kill(engine.server, signal.SIGKILL)
    assert engine.code() == 1 and comes_true(lambda: not is_running(job))
    assert engine.run("python -c pass")[0] == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_with_the_engine_all_ends(engine, number):
    """A job whose server is a fork of the first one, too."""
    engine = engine()
    engine.run("true")
    engine.server = server_of(engine)
    _, first = begun(engine)
    os.kill(first, signal.SIGINT)
    engine.code()
    processes = begun(engine)
    assert parent_of(processes[1]) != engine.server
    os.kill(engine.process.pid, number)
    try:
        assert comes_true(lambda: not any(map(is_running, [*processes, engine.server])))
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def test_what_a_job_took_is_that_of_the_fork(engine):
    engine = engine()
    body = "import time; kept = b'1' * 200_000_000\nwhile time.process_time() < 0.5: pass"
    assert engine.run(f"python {engine.script(body)}")[0] == 0
    (engine.folder / "log").rename(engine.folder / "job.log")
    (engine.folder / "job.tsv").write_text("s\tcpu_time\tmax_rss\n1.5\t0.02\t9\n")
    (row,) = costs.read_benchmarks(engine.folder, ["job"], engine.folder)
    assert row["seconds"] == 1.5 and 0.5 <= row["cpu_seconds"] < 0.8 and 200 < row["max_rss_mb"] < 240
