"""A Slurm of one node for a test: munge, slurmctld and slurmd from Debian's packages, in a folder of their own.

No accounting and no cgroups, so that it runs in a container; the node pretends to have more processors and memory than
the machine, and device nodes of nothing for GPUs, since Slurm refuses GPUs that are only counted.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
N_GPUS = 2
MARK = "SELFDOUBT_TEST_CLUSTER"  # in the environment of all that belongs to a cluster, with its folder
_CONFIG = """
ClusterName=selfdoubt
SlurmctldHost={host}(127.0.0.1)
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000 Gres=gpu:{n_gpus}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
MailProg=/bin/true
KillWait=5
"""
_SECONDS_TO_COME_UP, _SECONDS_TO_END = 60, 10


def why_not() -> str | None:
    """Return why no Slurm can be set up here, or None."""
    if os.getuid() != 0:
        return "it needs root, for Slurm's daemons and their device nodes"
    import debian  # which the process that ends the cluster cannot find, and does not need

    if not debian.is_debian():
        return "it needs Debian, for Slurm's packages"
    with tempfile.TemporaryDirectory() as folder:
        try:
            _make_device(Path(folder) / "gpu")
        except PermissionError:
            return "it needs root that may make device nodes, which that of this container may not"
    return None


def install() -> None:
    """Install Slurm where it is missing; raises RuntimeError with apt's own words."""
    import debian

    debian.install(PACKAGES, PROGRAMS)


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which Slurm's commands, and what they start, talk to a cluster in `folder`.

    All that has this environment is ended at the end, even if the test is killed with -9: by a process that waits for
    that. Raises TimeoutError if the node does not come up.
    """
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    environment = os.environ | {MARK: str(folder), "SLURM_CONF": f"{folder}/slurm.conf"}
    environment["PATH"] = f"{folder}/bin:{os.environ['PATH']}"
    # the plugin takes SLURM_CONF away from the srun that it starts within a job
    (folder / "bin/srun").write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    (folder / "bin/srun").chmod(0o755)
    for i in range(N_GPUS):
        _make_device(folder / f"gpu{i}")
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    config = _CONFIG.format(host=host, folder=folder, ports=_free_ports(2), n_gpus=N_GPUS)
    (folder / "slurm.conf").write_text(config)
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File={folder}/gpu[0-{N_GPUS - 1}]\n")
    warden = subprocess.Popen([sys.executable, __file__, folder], stdin=subprocess.PIPE, start_new_session=True)
    try:
        _start(folder, environment)
        yield environment
    finally:
        warden.communicate()


def _make_device(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))  # another /dev/null


def _start(folder: Path, environment: dict[str, str]) -> None:
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    munge = ["munged", "--foreground", *(f"--{option}={folder}/munge.{file}" for option, file in files.items())]
    for line in (munge, ["slurmctld", "-D"], ["slurmd", "-D"]):
        with (folder / f"{line[0]}.out").open("wb") as out:
            subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_for(lambda: (folder / "munge.socket").exists(), _SECONDS_TO_COME_UP)
    wait_for(lambda: "idle" in ask(environment, "sinfo", "--noheader", "--format=%T"), _SECONDS_TO_COME_UP)


def ask(environment: dict[str, str], *line: str) -> str:
    """Return what one of Slurm's commands prints, or nothing while no daemon answers."""
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False).stdout


def wait_for(happened, seconds: float) -> None:
    """Wait until happened(); raises TimeoutError after so many seconds."""
    end_of_patience = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end_of_patience:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.1)


def end(folder: Path) -> None:
    """End every process that belongs to the cluster in `folder`, jobs and engines too."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in processes(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        with suppress(TimeoutError):
            wait_for(lambda: not processes(folder), _SECONDS_TO_END)
            return


def processes(folder: Path) -> list[int]:
    """Return the processes that have the environment of the cluster in `folder`."""
    mark, found = f"{MARK}={folder}\0".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it is gone
            if mark in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def command(process: int) -> str:
    """Return a process's command line; nothing of one that has ended."""
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    return ""


def name(process: int) -> str:
    """Return a process's command line and its short name; nothing of one that has ended."""
    with suppress(OSError):
        return f"{command(process)} {Path(f'/proc/{process}/comm').read_text()}"
    return ""


def _free_ports(n: int) -> list[int]:
    sockets = [socket.socket() for _ in range(n)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


if __name__ == "__main__":  # the warden, whose input ends with the process that started it
    sys.stdin.read()
    end(Path(sys.argv[1]))
