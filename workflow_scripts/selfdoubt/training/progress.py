"""The progress of a long job, as JSON lines that `watch.py` reads: one at the start, one an epoch, one at the end."""

import json
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

SUFFIX = ".progress.jsonl"
_SILENT_SECONDS = 3600  # after which a job on another machine counts as lost


class Progress:
    """Appends to one job's file. Times are written here alone: no result depends on them."""

    def __init__(self, path: Path | None, epochs: int):
        """Begin the file, in the place of an older one; path: None writes nothing. epochs: how many the job has."""
        self._path, self._epochs, self._last, self._pace = path, epochs, time.monotonic(), None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        self._write(state="running", pid=os.getpid(), host=socket.gethostname(), epochs=epochs)

    def epoch(self, epoch: int, n_images: int, **numbers: float) -> None:
        """Record the end of an epoch (from 0): its number of images, and numbers such as loss and accuracy."""
        seconds, self._last = time.monotonic() - self._last, time.monotonic()
        self._pace = seconds if self._pace is None else (self._pace + seconds) / 2  # follows a change of pace
        left = (self._epochs - epoch - 1) * self._pace
        self._write(epoch=epoch, images_per_second=n_images / seconds, seconds_left=left, **numbers)

    def end(self) -> None:
        """Record the end of the job."""
        self._write(state="done")

    def _write(self, **facts) -> None:
        if self._path is None:
            return
        with self._path.open("a") as file:
            file.write(json.dumps({"time": time.time(), **facts}) + "\n")


@dataclass
class Job:
    """The state of a job, from its file."""

    name: str
    state: str  # running, done, or lost: its process is gone and its file has no end
    epochs: int
    n_epochs: int = 0  # finished
    seconds_left: float = 0.0
    last: dict = field(default_factory=dict)  # the last epoch's numbers


def jobs(folder: Path) -> list[Job]:
    """Return the jobs whose files lie under a folder of logs, by name."""
    found = []
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        lines = [line for text in path.read_text().splitlines() if (line := _parsed(text))]
        if lines and "epochs" in lines[0]:
            found.append(_job(str(path.relative_to(folder))[: -len(SUFFIX)].removesuffix(".log"), lines))
    return found


def _job(name: str, lines: list[dict]) -> Job:
    first, last = lines[0], lines[-1]
    state = "done" if last.get("state") == "done" else "running" if _alive(first, last) else "lost"
    epochs = [line for line in lines if "epoch" in line]
    if not epochs:
        return Job(name, state, first["epochs"])
    left = max(0.0, epochs[-1]["seconds_left"] - (time.time() - epochs[-1]["time"]))
    return Job(name, state, first["epochs"], epochs[-1]["epoch"] + 1, left, epochs[-1])


def _parsed(text: str) -> dict | None:
    """Return a line's facts; None if it was truncated by a kill."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _alive(first: dict, last: dict) -> bool:
    if first["host"] != socket.gethostname():
        return time.time() - last["time"] < _SILENT_SECONDS
    try:
        os.kill(first["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # someone else's
        return True
    return True
