"""A small real study that is killed at random moments, again and again: `make soak N=20`.

It is started by the command that the README gives, disturbed (the engine killed by SIGKILL, one of its jobs killed so,
or all of it interrupted as by Ctrl-C), and started again by that command alone; when it is done its files are compared
with those of an undisturbed run, byte for byte. A study takes several faults; N counts faults. Exit code 1 where
anything differs, is left running, is left over, or was made twice.
"""

import argparse
import base64
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from small_study import small_copy, tiny

COMMAND = [sys.executable, "-m", "snakemake", "--cores", "all", "--resources", "gpu=4"]
NOT_REPEATED = (
    "results/default/logs/",
    "results/default/benchmarks/",
    "results/default/tables/costs.parquet",
    "results/default/report/",
)  # seconds
NO_JOB = "between jobs"  # what is hit where none runs
KINDS = ("engine killed", "job killed", "interrupted")
MARK = "SELFDOUBT_SOAK"  # an environment variable that marks the processes of a start
_ORPHAN_SECONDS, _END_SECONDS = 30, 300


def smallest(config: dict) -> None:
    """A job or more of every rule that the tests' study has, but two of its figures only; hardly any seconds."""
    tiny(config)
    del config["enhancers"]["random-sign"], config["students"]["kd-no-labels"]
    config["soft_labels"]["mode"] = "stored"
    config["hypotheses"]["odin-beats-placebo"]["than"] = "ce"
    for study in config["studies"].values():
        study["arms"] = [arm for arm in study["arms"] if arm not in ("ce/random-sign", "kd-no-labels")]
    config["figures"] = {name: config["figures"][name] for name in ("risk-coverage", "mask-gallery")}
    config["figures"]["risk-coverage"]["arms"] = ["ce", "kd"]


# ---- processes ----


class Start:
    """One start of the study, in a process group of its own, which is what Ctrl-C reaches."""

    def __init__(self, folder: Path, name: str, scratch: Path):
        self.name, self.began = name, time.monotonic()
        own = {MARK: name, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(scratch)}
        with (folder.parent / f"{folder.name}.log").open("a") as log:
            options = {"stdout": log, "stderr": log, "start_new_session": True, "preexec_fn": heed_interrupts}
            self.engine = subprocess.Popen(COMMAND, cwd=folder, env=os.environ | own, **options)

    def ended(self, seconds: float) -> bool:
        """Whether the engine has ended, within so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            self.engine.wait(seconds)
        return self.engine.returncode is not None

    def jobs(self) -> dict[int, str]:
        """The jobs that run: process and script."""
        found = {process: script_of(command_of(process)) for process in processes(self.name)}
        return {process: script for process, script in found.items() if script}

    def left(self) -> list[int]:
        """What still runs when there was time enough to end."""
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while (left := processes(self.name)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left


def heed_interrupts() -> None:
    """Ctrl-C reaches a start even where the soak itself was started to ignore it, as by a script's `make soak &`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def processes(mark: str) -> list[int]:
    """The processes of a start that run, the engine among them."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def command_of(process: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    return []


def script_of(words: list[str]) -> str | None:
    """The script that a process runs, or as a client has run by a fork of a server, which it takes along."""
    return next((word.name for word in map(Path, words[1:]) if word.parent.name == "workflow_scripts"), None)


def disturb(start: Start, kind: str, draw: random.Random) -> str | None:
    """Do it, and return what was hit; None where the study was over before."""
    jobs = {}
    while not jobs and not start.ended(0.01):
        jobs = start.jobs()
        if kind != "job killed":
            break
    if start.engine.poll() is not None:
        return None
    with suppress(ProcessLookupError):
        if kind == "job killed":
            process = draw.choice(sorted(jobs))
            os.kill(process, signal.SIGKILL)
            return jobs[process]
        if kind == "engine killed":
            start.engine.kill()
        else:
            os.killpg(start.engine.pid, signal.SIGINT)
    return ", ".join(sorted(jobs.values())) or NO_JOB


# ---- files ----


def files(folder: Path) -> dict[str, Path]:
    """Every file of the results that is the same in every run, by name."""
    found = [path for path in sorted(folder.glob("results/**/*")) if path.is_file()]
    named = {str(path.relative_to(folder)): path for path in found}
    return {name: path for name, path in named.items() if not name.startswith(NOT_REPEATED)}


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files(folder).items()}


def recorded(folder: Path, what: str) -> set[str]:
    """The outputs of which Snakemake keeps a record: `metadata` of those once finished, `incomplete` of those begun."""
    top = folder / ".snakemake" / what
    codes = [
        "".join(part.lstrip("@") for part in path.relative_to(top).parts) for path in top.rglob("*") if path.is_file()
    ]
    return {base64.urlsafe_b64decode(code).decode() for code in codes}


def finished(folder: Path) -> dict[str, tuple]:
    """What distinguishes a finished output from the same made again: its inode and date."""
    names = recorded(folder, "metadata") - recorded(folder, "incomplete")
    found = {name: path.stat() for name, path in files(folder).items() if name in names}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def leftovers(folder: Path, scratch: Path) -> list[str]:
    """What a study that is done should not have left."""
    found = [path for path in folder.glob("results/**/*") if path.name.endswith(".tmp")]
    found += [path for path in (folder / "results/default/state").glob("**/*") if path.is_file()]
    found += [path for path in scratch.rglob("*") if path.is_file() and path.suffix != ".lock"]
    found += (folder / ".snakemake").glob("shell_tmp*")
    return [str(path.relative_to(folder.parent)) for path in found] + sorted(recorded(folder, "incomplete"))


def faults_found(folder: Path, scratch: Path, expected: dict[str, str]) -> list[str]:
    """What is wrong with a study that is done."""
    got = digests(folder)
    found = [f"differs: {name}" for name in sorted(expected.keys() & got.keys()) if expected[name] != got[name]]
    found += [f"missing: {name}" for name in sorted(expected.keys() - got.keys())]
    found += [f"too much: {name}" for name in sorted(got.keys() - expected.keys())]
    return found + [f"left over: {name}" for name in leftovers(folder, scratch)]


# ---- the soak ----


class Soak:
    """Studies that are disturbed until there were enough faults, and what was seen."""

    def __init__(self, place: Path, n_faults: int, seed: int):
        self.place, self.n_faults, self.draw = place, n_faults, random.Random(seed)
        self.hits, self.found, self.starts, self.studies, self.kept = Counter(), [], 0, 0, {}

    def run(self) -> None:
        began = time.monotonic()
        folder, scratch = self.fresh("undisturbed")
        start = Start(folder, self.mark(), scratch)
        if not start.ended(1800) or start.engine.returncode:
            sys.exit(f"the undisturbed study failed; its log is {folder}.log")
        self.seconds, self.expected = time.monotonic() - began, digests(folder)
        self.found += [f"left over: {name}" for name in leftovers(folder, scratch)]
        print(
            f"An undisturbed study takes {self.seconds:.0f} s and makes {len(self.expected)} files that are compared.\n"
        )
        print("| fault | study | after | what | hit | whole files then |\n|---|---|---|---|---|---|", flush=True)
        while sum(self.hits.values()) < self.n_faults:
            self.study()

    def mark(self) -> str:
        self.starts += 1
        return f"{os.getpid()}-{self.starts}"

    def fresh(self, name: str) -> tuple[Path, Path]:
        folder, scratch = self.place / name, self.place / f"{name}.tmp"
        small_copy(folder, smallest)
        scratch.mkdir()
        return folder, scratch

    def study(self) -> None:
        """One study, disturbed until it is done."""
        self.studies, self.kept, before = self.studies + 1, {}, None
        folder, scratch = self.fresh(f"study-{self.studies}")
        while True:
            start = Start(folder, self.mark(), scratch)
            done = start.ended(self.draw.uniform(0.5, self.seconds / 6)) or not self.fault(start, folder)
            if before is not None:
                self.ended(before)
            before = start
            if done or sum(self.hits.values()) >= self.n_faults:
                break
        if not done:
            before = Start(folder, self.mark(), scratch)
            before.ended(6 * self.seconds + _END_SECONDS)
        self.ended(before)
        self.compare(folder, scratch, before.engine.returncode)

    def fault(self, start: Start, folder: Path) -> bool:
        """Disturb a start; False where it was over before."""
        kind = self.draw.choice(KINDS)
        hit, seconds = disturb(start, kind, self.draw), time.monotonic() - start.began
        if hit is None:
            return False
        if not start.ended(_END_SECONDS):
            self.found.append(f"start {start.name}: the engine did not end")
            start.engine.kill()
            start.engine.wait()
        if start.engine.returncode == 0:
            if hit != NO_JOB:  # else it was at its end
                self.found.append(f"start {start.name}: went on to its end, though {kind} in {hit}")
            return False
        self.hits[kind] += 1
        whole = finished(folder)
        self.again(whole)
        self.kept |= whole
        row = (sum(self.hits.values()), self.studies, f"{seconds:.1f} s", kind, hit, len(whole))
        print("|", " | ".join(map(str, row)), "|", flush=True)
        return True

    def again(self, now: dict[str, tuple]) -> None:
        """Look for finished files that were made again."""
        self.found += [f"made twice: {name}" for name, known in self.kept.items() if now.get(name, known) != known]

    def ended(self, start: Start) -> None:
        """Look for what is left of a start."""
        start.engine.wait()
        for process in start.left():
            self.found.append(f"left running: {' '.join(command_of(process))[:200]}")
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def compare(self, folder: Path, scratch: Path, code: int) -> None:
        self.again(finished(folder))
        found = faults_found(folder, scratch, self.expected)
        self.found += [f"study {self.studies}: {text}" for text in ([f"exit code {code}"] if code else []) + found]

    def report(self) -> None:
        rows = {"studies done": self.studies, **{kind: self.hits[kind] for kind in KINDS}, "starts": self.starts}
        rows |= {"files compared": self.studies * len(self.expected), "found": len(self.found)}
        print("\n| | |\n|---|---|")
        print("\n".join(f"| {name} | {number} |" for name, number in rows.items()))
        print(*(f"\n{text}" for text in self.found), sep="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=None, help="of kinds and moments; left out: another each time")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the studies stay; left out: nowhere")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    print(f"{arguments.faults} faults, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        soak = Soak(arguments.keep or Path(name), arguments.faults, seed)
        soak.run()
        soak.report()
    sys.exit(bool(soak.found))


if __name__ == "__main__":
    main()
