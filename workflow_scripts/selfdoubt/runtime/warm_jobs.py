"""Local jobs as forks of a process that has imported what takes seconds, torch above all.

`start` puts a `python` first on PATH that is warm_client.py, and starts the server that it asks, which ends with the
process that started it. The first job of a script is a fork of the bare server, and reports which of MODULES it came to
import; later ones are forks of a process that has imported just these, itself a fork of one that has imported all but
the last. What the scripts of KNOWN import is known before their first job. So nothing is imported in vain, and what a
job has in memory is its own. No process of the server imports the library, has threads or starts CUDA.

The client runs the job itself, as without all this, where there is no server, or where the environment, which packages
read when they are imported, is another: one of several threads, above all.
"""

import atexit
import ctypes
import fcntl
import gc
import json
import os
import runpy
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

# In the order of import. No pyarrow, which takes a twentieth of a second: it starts a thread.
MODULES = ("numpy", "torch", "scipy.special", "matplotlib.backends.backend_agg", "segmentation_models_pytorch")
# After a change of style each of these runs once: the second is a fork of what the first was.
_DRAWING = frozenset({"numpy", "matplotlib.backends.backend_agg"})
KNOWN = {"plot_figure.py": _DRAWING, "render_report.py": _DRAWING}
OFF = "SELFDOUBT_COLD"  # an environment variable
_ONE_THREAD = dict.fromkeys([f"{name}_NUM_THREADS" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")], "1")
_ONE_THREAD |= {"VECLIB_MAXIMUM_THREADS": "1"}  # as Snakemake gives to a job of one thread
_OF_EACH_JOB = {"PWD", "OLDPWD", "SHLVL", "_", "TMPDIR", "TMP", "TEMPDIR", "TEMP"}  # read when they are used
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15  # linux/prctl.h
_LONGEST_ADDRESS, _REQUEST_SECONDS, _END_SECONDS = 107, 10, 20
NAME_BYTES, BEGUN = 64, b"b"  # as warm_client.py has them
_held: list[socket.socket] = []  # the server ends when this is closed, by the end of this process


def start() -> None:
    """Let `python` on PATH be the client of a server; do nothing where Python is not the first there, or it is off."""
    python = shutil.which("python")
    if sys.platform != "linux" or os.environ.get(OFF) or python != str(Path(sys.executable).with_name("python")):
        return
    with suppress(OSError):
        folder = Path(tempfile.mkdtemp(prefix="selfdoubt-"))  # of which only this user can enter
        try:
            _start(python, folder)
        except OSError:
            shutil.rmtree(folder)
            raise
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def _start(python: str, folder: Path) -> None:
    address = str(folder / "socket")
    words = [python, "-IS", str(Path(__file__).with_name("warm_client.py")), address]
    (folder / "python").write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    (folder / "python").chmod(0o700)
    environment = os.environ | _ONE_THREAD | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there, socket.socket(socket.AF_UNIX) as listener:
        if len(os.fsencode(address)) > _LONGEST_ADDRESS:
            raise OSError("AF_UNIX path too long")
        listener.bind(address)
        listener.listen(256)
        command = [python, "-P", __file__, str(folder), str(listener.fileno())]
        files = {"stdin": there, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen(command, pass_fds=[listener.fileno()], env=environment, **files)
    _held.append(here)
    atexit.register(_end, server, folder)


def _end(server: subprocess.Popen, folder: Path) -> None:
    """End the server, and wait for it, so that what its jobs took counts as taken by this process."""
    _held.pop().close()
    with suppress(subprocess.TimeoutExpired):
        server.wait(_END_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)


# ---- the server ----


class Common:
    """What all processes of a server have: their environment, how jobs take Ctrl-C, and the pipe of jobs' reports."""

    def __init__(self):
        stops = (signal.SIGINT, signal.SIGTSTP)  # which clients pass on
        self.handlers = {number: signal.signal(number, signal.SIG_IGN) for number in stops}
        self.environment = _lasting(os.environ)
        self.reports, self.report_to = os.pipe()


class Server:
    """A process that forks jobs, and servers that have imported one module more; it ends when its channel closes.

    What handles an event returns what this process does next, if that is another: in a fork, and at the end.
    """

    def __init__(self, common: Common, channel: socket.socket):
        self.common, self.channel, self.warmer, self.uses = common, channel, {}, dict(KNOWN)
        self.selector = selectors.PollSelector()
        self.on(channel, self.handed_down)

    def on(self, file: socket.socket | int, handler: Callable, *given) -> None:
        self.selector.register(file, selectors.EVENT_READ, partial(handler, *given))

    def serve(self) -> Callable:
        while True:
            key, _ = self.selector.select()[0]
            if (then := key.data()) is not None:
                return then

    def asked(self, listener: socket.socket) -> Callable | None:
        """Take a job from a client; of this server, only the first process does."""
        connection, _ = listener.accept()
        connection.settimeout(_REQUEST_SECONDS)
        try:
            script = connection.recv(NAME_BYTES).decode(errors="replace").strip()
        except OSError:
            script = ""
        return self.take([name for name in MODULES if name in self.uses.get(script, ())], connection)

    def reported(self) -> None:
        """Note what a script has come to import: of several jobs, what all of them did."""
        for line in os.read(self.common.reports, 1 << 16).decode().splitlines():
            script, *modules = line.split()
            self.uses[script] = self.uses.get(script, {*modules}) & {*modules}

    def handed_down(self) -> Callable | None:
        modules, files, *_ = socket.recv_fds(self.channel, 1024, 1)
        if not files:
            return self.end
        connection = socket.socket(fileno=files[0])
        connection.settimeout(_REQUEST_SECONDS)
        return self.take(modules.decode().split()[1:], connection)

    def take(self, modules: list[str], connection: socket.socket) -> Callable | None:
        """Fork a job here if it needs no more modules, else hand it to the server that has imported the next."""
        if not modules:
            return self.fork_job(connection)
        if modules[0] not in self.warmer:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.warmer[modules[0]] = ours, os.fork()
            if self.warmer[modules[0]][1] == 0:
                connection.close()
                self.close()
                return partial(_serve_with, modules[0], self.common, theirs)
            theirs.close()
        with connection, suppress(OSError):  # that server has ended; its client runs the job
            channel, _ = self.warmer[modules[0]]
            socket.send_fds(channel, [" ".join(["-", *modules[1:]]).encode()], [connection.fileno()])
        return None

    def fork_job(self, connection: socket.socket) -> Callable | None:
        received, here = [], os.getpid()
        try:
            _, received, *_ = socket.recv_fds(connection, 1, 250)
            files, words, folder, environment = json.loads(connection.makefile().readline())
            if _lasting(environment) != self.common.environment or len(list(Path("/proc/self/task").iterdir())) > 1:
                raise ValueError("this job runs by itself")
            process = os.fork()
        except (OSError, ValueError):
            process = None
        if process == 0:
            self.close()
            streams = dict(zip(files, received, strict=True))
            return partial(_run, here, self.common, connection, streams, words, folder, environment)
        for file in received:
            os.close(file)
        if process is None:
            connection.close()
            return None
        end = os.pidfd_open(process)
        self.on(connection, self.signalled, process, connection)
        self.on(end, self.ended, process, end, connection)
        return None

    def signalled(self, process: int, connection: socket.socket) -> None:
        """Pass a client's signals on to its job, and its death."""
        try:
            numbers = connection.recv(64)
        except OSError:
            numbers = b""
        if not numbers:
            self.selector.unregister(connection)
        for number in numbers or [signal.SIGKILL]:
            os.kill(process, number)

    def ended(self, process: int, end: int, connection: socket.socket) -> None:
        """Let the client know how its job ended, and what it used: seconds of processor time, and KiB at most."""
        _, status, used = os.wait4(process, 0)
        self.selector.unregister(end)
        os.close(end)
        with suppress(KeyError):
            self.selector.unregister(connection)
        with connection, suppress(OSError):
            connection.sendall(f"{status} {used.ru_utime + used.ru_stime} {used.ru_maxrss}\n".encode())

    def close(self) -> None:
        """Close, in a fork, what is its parent's."""
        for key in self.selector.get_map().values():
            os.close(key.fd) if isinstance(key.fileobj, int) else key.fileobj.close()
        for channel, _ in self.warmer.values():
            channel.close()

    def end(self) -> None:
        """End this process, and with it the servers that are its forks; jobs that still run end with theirs."""
        self.close()
        for _, process in self.warmer.values():
            os.waitpid(process, 0)
        os._exit(0)


def _lasting(environment) -> dict[str, str]:
    return {name: text for name, text in environment.items() if name not in _OF_EACH_JOB}


def _serve_with(module: str, common: Common, channel: socket.socket) -> Callable:
    __import__(module)
    gc.freeze()  # what is shared with forks stays so
    return Server(common, channel).serve


def _run(server: int, common: Common, connection, streams: dict[int, int], words, folder, environment) -> None:
    """Become the job of a client: run its script as `python *words` does. streams: here, by their number there."""
    script = Path(words[0])
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NAME, script.stem.encode()[:15])
    os.setpgid(0, 0)  # the terminal's signals reach the client, which passes them on
    for number, handler in common.handlers.items():
        signal.signal(number, handler)
    _renumber(streams)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    sys.path.insert(0, str(script.parent))
    sys.excepthook = _show
    if os.getppid() != server:  # it ended before the kernel was asked to end this with it
        os._exit(1)
    connection.sendall(BEGUN)
    connection.close()
    try:
        runpy.run_path(words[0], run_name="__main__")
    finally:
        report = " ".join([script.name[-NAME_BYTES:], *(name for name in MODULES if name in sys.modules)])
        with suppress(OSError):
            os.write(common.report_to, f"{report}\n".encode())


def _renumber(streams: dict[int, int]) -> None:
    """Give open files, the values, the numbers that are the keys."""
    above = max(*streams, *streams.values()) + 1
    for number, file in streams.items():
        streams[number] = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, above)
        os.close(file)
    for number, file in streams.items():
        os.dup2(file, number)
        os.close(file)


def _show(kind, error, trace) -> None:
    """Print a stack trace that begins in the script."""
    while trace and trace.tb_frame.f_code.co_filename in (__file__, "<frozen runpy>"):
        trace = trace.tb_next
    traceback.print_exception(kind, error, trace)


def _main(folder: str, listener: int) -> None:
    common, channel, door = Common(), socket.socket(fileno=os.dup(0)), socket.socket(fileno=listener)
    os.dup2(1, 0)  # no job shall find the channel there
    server, first = Server(common, channel), os.getpid()
    server.on(door, server.asked, door)
    server.on(common.reports, server.reported)
    then = server.serve()
    if os.getpid() == first:
        shutil.rmtree(folder, ignore_errors=True)
    while then is not None:  # a fork's
        then = then()


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
