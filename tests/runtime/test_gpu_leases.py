"""No two jobs hold one device, no job starves, and a dead job holds nothing."""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfdoubt.runtime import gpu_leases
from selfdoubt.runtime.errors import UserError

SCRIPTS = Path(gpu_leases.__file__).resolve().parents[2]
# Marks each device that it was given by a file that must not be there yet, works, and takes the marks away.
JOB = """
import os, pathlib, sys, time
folder, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
ids = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
for device in ids:
    (folder / device).touch(exist_ok=False)
with (folder / "log").open("a") as file:
    file.write(",".join(ids) + "\\n")
time.sleep(seconds)
for device in ids:
    (folder / device).unlink()
"""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder for marks; pretend devices and locks of the test's own."""
    for name in (*gpu_leases._SCHEDULERS, "CUDA_VISIBLE_DEVICES", "RANK"):
        monkeypatch.setenv(name, "")  # deleting what is not there would undo nothing of what a lease sets
        monkeypatch.delenv(name)
    monkeypatch.setenv("SELFDOUBT_LEASES", str(tmp_path / "locks"))
    monkeypatch.setenv("SELFDOUBT_DEVICES", "a,b,c")
    monkeypatch.setenv("SELFDOUBT_LEASED", "")
    monkeypatch.setenv("PYTHONPATH", str(SCRIPTS))
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


def start(n: int, place: Path, seconds: float = 0.05) -> subprocess.Popen:
    # -S: no site-packages, which the lease does not need and which take longer than it does
    line = [sys.executable, "-S", str(SCRIPTS / "lease.py"), str(n), sys.executable, "-S", "-c", JOB, str(place)]
    return subprocess.Popen([*line, str(seconds)], stderr=subprocess.PIPE, text=True)


def test_thirty_jobs_share_three_devices_without_overlap_or_starvation(place):
    choice = random.Random(0)
    wanted = [choice.choice([1, 1, 2]) for _ in range(30)]
    jobs = [start(n, place) for n in wanted]
    assert [job.communicate(timeout=120)[1] for job in jobs] == [""] * 30  # a mark that was there would be a fault
    assert all(job.returncode == 0 for job in jobs)
    given = [line.split(",") for line in (place / "log").read_text().splitlines()]
    assert Counter(map(len, given)) == Counter(wanted)
    assert all(len(set(ids)) == len(ids) for ids in given) and set().union(*given) == {"a", "b", "c"}


def test_slots_let_so_many_jobs_have_one_device(place, monkeypatch):
    """Six jobs hold three devices of two slots, the first slots of all before the second; a seventh waits."""
    monkeypatch.setenv("SELFDOUBT_JOBS_PER_GPU", "2")
    held, taken = [], []
    for _ in range(6):
        taken += gpu_leases._collect(["a", "b", "c"], 1, gpu_leases.jobs_per_gpu())
        held.append(gpu_leases._held.pop())
    assert taken == ["a", "b", "c", "a", "b", "c"]
    waiting = start(1, place)
    time.sleep(0.3)
    assert waiting.poll() is None
    os.close(held[4])  # that of the second slot of b
    assert waiting.communicate(timeout=30)[1] == "" and (place / "log").read_text() == "b\n"
    for file in held[:4] + held[5:]:
        os.close(file)


def test_a_job_of_two_devices_has_a_slot_of_each(place, monkeypatch):
    monkeypatch.setenv("SELFDOUBT_JOBS_PER_GPU", "3")
    assert gpu_leases._collect(["a", "b", "c"], 2, 3) == ["a", "b"]
    assert gpu_leases._collect(["a", "b", "c"], 2, 3) == ["a", "c"]
    for _ in range(4):
        os.close(gpu_leases._held.pop())


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", ""])
def test_slots_that_are_no_number_are_refused(place, monkeypatch, given):
    monkeypatch.setenv("SELFDOUBT_JOBS_PER_GPU", given)
    with pytest.raises(UserError, match="SELFDOUBT_JOBS_PER_GPU"):
        gpu_leases.take(1)


def test_a_job_that_is_killed_while_holding_frees_its_devices(place):
    holders = [start(2, place, 600), start(1, place, 600)]
    while len(list(place.iterdir())) < 4:  # three devices and the log
        time.sleep(0.01)
    waiting = [start(n, place) for n in (2, 1, 2)]
    time.sleep(0.3)
    assert all(job.poll() is None for job in waiting)
    for mark in place.glob("?"):
        mark.unlink()  # those of the killed
    for holder in holders:
        holder.kill()
        holder.communicate()
    assert [job.communicate(timeout=60)[1] for job in waiting] == [""] * 3
    assert all(job.returncode == 0 for job in waiting)


def test_a_job_of_two_devices_is_not_overtaken_for_ever(place, monkeypatch):
    """While jobs of one device keep coming, one that wants all of them gets its turn."""
    first = [start(1, place, 0.4) for _ in range(3)]
    while len(list(place.iterdir())) < 4:
        time.sleep(0.01)
    large = start(3, place)
    time.sleep(0.2)  # it is in the queue
    later = [start(1, place) for _ in range(6)]
    assert large.communicate(timeout=60)[1] == ""
    for job in [*first, *later]:
        assert job.communicate(timeout=60)[1] == "" and job.returncode == 0
    lines = (place / "log").read_text().splitlines()
    assert lines[3] == "a,b,c"  # after the three that held, before all that came later


def test_two_engines_on_one_machine_share_the_devices(place):
    """Two parents that know nothing of one another, each with more jobs than there are devices."""
    line = f"import subprocess, sys; jobs = [subprocess.Popen({start_line(place)!r}) for _ in range(6)]; "
    line += "sys.exit(sum(job.wait() for job in jobs))"
    engines = [subprocess.Popen([sys.executable, "-c", line]) for _ in range(2)]
    assert [engine.wait(timeout=60) for engine in engines] == [0, 0]
    assert len((place / "log").read_text().splitlines()) == 12


def start_line(place: Path) -> list[str]:
    return [sys.executable, "-S", str(SCRIPTS / "lease.py"), "1", sys.executable, "-c", JOB, str(place), "0.05"]


# ---- in a process ----


@pytest.fixture
def freed():
    """Give back what a test took in this process."""
    yield
    while gpu_leases._held:
        os.close(gpu_leases._held.pop())


@pytest.mark.usefixtures("place", "freed")
def test_two_devices_are_two_ids():
    assert gpu_leases.take(2) == ["a", "b"] and os.environ["CUDA_VISIBLE_DEVICES"] == "a,b"
    assert len(gpu_leases._held) == 2


@pytest.mark.usefixtures("freed")
def test_who_has_a_device_is_not_in_the_queue_any_more(place):
    assert gpu_leases.take(1) == ["a"]
    assert gpu_leases._lock(place.parent / "locks/queue.lock")  # it is free


def next_descriptor() -> int:
    """The least that is free: what the next file to be opened gets."""
    file = os.open(os.devnull, os.O_RDONLY)
    os.close(file)
    return file


@pytest.mark.usefixtures("freed")
def test_a_lock_that_is_held_already_costs_no_descriptor(tmp_path):
    assert gpu_leases._lock(tmp_path / "a.lock")
    before = next_descriptor()
    assert not gpu_leases._lock(tmp_path / "a.lock")
    assert next_descriptor() == before


@pytest.mark.usefixtures("place", "freed")
def test_no_device_asked_for_is_none_seen():
    assert gpu_leases.take(0) == [] and os.environ["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.usefixtures("place", "freed")
def test_more_than_there_are_is_refused():
    with pytest.raises(UserError, match=r"gpu: 4 .* 3 \(a, b, c\)"):
        gpu_leases.take(4)


@pytest.mark.parametrize("devices", ["", "-1"])
def test_a_machine_without_devices_needs_no_lease(place, monkeypatch, devices):
    monkeypatch.setenv("SELFDOUBT_DEVICES", devices)
    assert gpu_leases.take(2) == [] and "CUDA_VISIBLE_DEVICES" not in os.environ
    assert not (place.parent / "locks").exists()


@pytest.mark.usefixtures("freed")
def test_what_a_scheduler_assigned_is_kept_without_a_lock(place, monkeypatch):
    monkeypatch.delenv("SELFDOUBT_DEVICES")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # a cgroup calls every job's one device 0
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert gpu_leases.take(1) == ["0"] and not gpu_leases._held and not (place.parent / "locks").exists()


@pytest.mark.usefixtures("freed")
def test_within_a_larger_allocation_jobs_share_by_lease(place, monkeypatch):
    monkeypatch.delenv("SELFDOUBT_DEVICES")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert gpu_leases.take(1) == ["0"] and len(gpu_leases._held) == 1


@pytest.mark.usefixtures("freed")
def test_other_allocations_have_other_locks(place, monkeypatch):
    monkeypatch.delenv("SELFDOUBT_LEASES")
    monkeypatch.setattr(gpu_leases.tempfile, "gettempdir", lambda: str(place))
    folders = set()
    for job in (None, "17", "18"):
        if job:
            monkeypatch.setenv("SLURM_JOB_ID", job)
        folders.add(gpu_leases._folder())
    assert len(folders) == 3


# ---- between users ----


@pytest.fixture
def shared(monkeypatch) -> Iterator[Path]:
    """A folder for locks that is not there yet, in one that every user may enter; a umask that shuts others out."""
    if os.geteuid():
        pytest.skip("being another user takes root")
    monkeypatch.setenv("SELFDOUBT_DEVICES", "a,b")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        monkeypatch.setenv("SELFDOUBT_LEASES", f"{folder}/locks")
        umask = os.umask(0o077)
        yield Path(folder) / "locks"
        os.umask(umask)


def as_user(number: int, n: int) -> str:
    """What a child of another user prints about its lease of n devices."""
    read, write = os.pipe()
    if not (child := os.fork()):
        try:
            os.setuid(number)
            output = ",".join(gpu_leases.take(n))
        except BaseException as fault:
            output = f"{type(fault).__name__}: {fault}"
        os.write(write, output.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        return pipe.read()


@pytest.mark.usefixtures("place", "freed")
@pytest.mark.parametrize("first", [0, 65534])
def test_users_lease_from_one_another_whatever_their_umask(shared, first):
    """The first makes the folder and a lock, the second takes that and makes another, the first takes both."""
    other = 65534 - first
    assert [as_user(first, 1), as_user(other, 2), as_user(first, 2)] == ["a", "a,b", "a,b"]
    assert gpu_leases.take(1) == ["a"] and os.umask(0o077) == 0o077
    assert as_user(65534, 1) == "b"  # a is held by another user
    assert oct(shared.stat().st_mode) == "0o41777"
    assert {oct(path.stat().st_mode) for path in shared.iterdir()} == {"0o100666"}


@pytest.mark.usefixtures("freed")
def test_a_lock_that_is_there_is_not_asked_to_be_made(place, monkeypatch):
    """Where fs.protected_regular is set, the kernel would refuse that to other users than the one who made it."""
    os.close(gpu_leases._open(gpu_leases._folder() / "queue.lock"))
    flags, real = [], os.open
    monkeypatch.setattr(os, "open", lambda path, how, *mode: flags.append(how) or real(path, how, *mode))
    os.close(gpu_leases._open(gpu_leases._folder() / "queue.lock"))
    assert flags and not any(how & os.O_CREAT for how in flags)


@pytest.mark.usefixtures("place", "freed")
def test_a_folder_that_was_made_for_one_user_is_reported_and_left(shared):
    shared.mkdir()
    message = f"UserError: {shared}/queue.lock: Permission denied; have it removed, or name another folder by"
    assert as_user(65534, 1).startswith(message)
    assert oct(shared.stat().st_mode) == "0o40700"


@pytest.mark.usefixtures("freed")
@pytest.mark.parametrize("name", ["queue.lock", "device-a.lock"])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_place_of_a_lock_is_not_followed(place, name, there):
    locks, target = place.parent / "locks", place.parent / "target"
    locks.mkdir()
    (locks / name).symlink_to(target)
    if there:
        target.write_text("kept")
    with pytest.raises(UserError, match=rf"locks/{name}: a link; have it removed, or name another folder by SELFDOUBT"):
        gpu_leases.take(1)
    assert target.exists() == there


@pytest.mark.usefixtures("freed")
def test_a_link_in_place_of_the_folder_is_not_followed(place):
    (place.parent / "locks").symlink_to(place)
    with pytest.raises(UserError, match="locks: a link; have it removed"):
        gpu_leases.take(1)
    assert not list(place.iterdir())


@pytest.mark.usefixtures("freed")
def test_devices_are_found_by_the_drivers_own_command(place, monkeypatch, tmp_path):
    monkeypatch.delenv("SELFDOUBT_DEVICES")
    command = tmp_path / "nvidia-smi"
    listed = ["GPU 0: NVIDIA A100 (UUID: GPU-11-aa)", "  MIG 1g.5gb Device 0: (UUID: MIG-1)", "GPU 1: B (UUID: GPU-22)"]
    command.write_text("#!/bin/sh\n" + "\n".join(f"echo '{line}'" for line in listed) + "\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert gpu_leases.found() == ["GPU-11-aa", "GPU-22"]
    command.write_text("#!/bin/sh\nexit 9\n")  # the driver does not answer
    assert gpu_leases.found() == []


def test_a_device_has_one_lock_by_its_number_and_its_uuid(place, monkeypatch, tmp_path):
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-a)'\necho 'GPU 1: A (UUID: GPU-b)'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SELFDOUBT_DEVICES")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,7,MIG-c")
    assert gpu_leases.take(3) == ["GPU-b", "7", "MIG-c"]  # 7 is not known to the driver
    names = {path.name for path in (tmp_path / "locks").glob("device-*")}
    assert names == {"device-GPU-b.lock", "device-7.lock", "device-MIG-c.lock"}


@pytest.mark.usefixtures("freed")
@pytest.mark.parametrize(("pretended", "leased"), [(None, "0"), ("a", "")])
def test_what_is_leased_is_known_to_what_computes_unless_it_is_pretended(place, monkeypatch, pretended, leased):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    if pretended is None:
        monkeypatch.delenv("SELFDOUBT_DEVICES")
    assert gpu_leases.take(1) and gpu_leases.leased() == leased


def test_a_job_of_the_pipeline_leases_before_it_runs(place):
    """--gpu of any script that computes: its process holds the lease while it runs."""
    body = "import os\nfrom selfdoubt.runtime import cli\n"
    body += "def run(arguments):\n    print(os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True)\n"
    script = place / "script.py"
    script.write_text(body + "cli.main(run, {}, computes=True)\n")
    for options, expected in ((["--gpu", "2"], "a,b"), (["--gpu", "0"], ""), ([], "None")):
        done = subprocess.run([sys.executable, str(script), *options], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected
    failed = subprocess.run([sys.executable, str(script), "--gpu", "9"], capture_output=True, text=True, check=False)
    assert failed.returncode == 1 and failed.stderr.startswith("script: gpu: 9")


def test_a_rank_has_its_parents_devices(place, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "a,b")
    script = place / "script.py"
    script.write_text("import os\nfrom selfdoubt.runtime import cli\ncli.main(lambda _: print(os.environ"
                      "['CUDA_VISIBLE_DEVICES']), {}, computes=True)\n")  # fmt: skip
    done = subprocess.run([sys.executable, str(script), "--gpu", "2"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "a,b" and not (place.parent / "locks").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["1"], "give a command"), (["1", "no-such"], "no-such: no such command"), (["0", "env"], "N: 0; give 1")],
)
def test_the_command_reports_what_is_wrong(place, arguments, message):
    line = [sys.executable, str(SCRIPTS / "lease.py"), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and message in done.stderr and "Traceback" not in done.stderr
