"""`python` in the shell lines of local jobs: has a server of `warm_jobs` run the script, or becomes Python itself.

    python -IS warm_client.py SOCKET SCRIPT ARGUMENT...

It passes signals on, and ends as the job ends; where the server ends, or this, so does the job. It imports little, and
no pathlib, since each job starts with it. After a job that succeeded it prints a line of what the job took, which
costs.py reads: Snakemake looks at this process, of which the job is no child.
"""

import json
import os
import signal
import socket
import sys

_FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def main(address: str, words: list[str]) -> None:
    """Run `python *words`, and end as it ends."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    connection = _connect(address) if _may_be_warm(words) else None
    if connection is None or not _begins(connection, words):
        os.execv(sys.executable, [sys.executable, *words])
    _pass_signals_on(connection)
    try:
        ended = connection.makefile().readline().split()
    except OSError:
        ended = []
    if not ended:
        sys.exit("the process that this job is a fork of was ended")
    code = os.waitstatus_to_exitcode(int(ended[0]))
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    if code == 0:
        print(f"took {float(ended[1]):.2f} s of processor time, {int(ended[2]) / 1024:.2f} MiB at most")
    sys.exit(code)


def _may_be_warm(words: list[str]) -> bool:
    """Return whether words are a script and its arguments; on several devices it starts processes of its own."""
    gpus = words[words.index("--gpu") + 1 :][:1] if "--gpu" in words else []
    return bool(words) and words[0].endswith(".py") and gpus in ([], ["0"], ["1"])


def _connect(address: str) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        return None
    return connection


def _begins(connection: socket.socket, words: list[str]) -> bool:
    """Hand streams, arguments, folder and environment over; return whether the job has begun."""
    files = [file for file in map(int, os.listdir("/proc/self/fd")) if _is_inherited(file)]  # that of <(...) is 63
    name = words[0].rpartition("/")[2].encode()
    try:
        connection.sendall(name[-64:].ljust(64))
        socket.send_fds(connection, [b"x"], files)
        connection.sendall(json.dumps([files, words, os.getcwd(), dict(os.environ)]).encode() + b"\n")
        begins = connection.recv(1) == b"b"
    except OSError:
        begins = False
    if not begins:
        connection.close()
    return begins


def _is_inherited(file: int) -> bool:
    try:
        return os.get_inheritable(file)
    except OSError:  # that of the listing
        return False


def _pass_signals_on(connection: socket.socket) -> None:
    def forward(number, frame):
        try:
            connection.send(bytes([number]))
        except OSError:  # the server has ended, and with it the job
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def suspend(number, frame):
        forward(number, frame)
        os.kill(os.getpid(), signal.SIGSTOP)
        forward(signal.SIGCONT, frame)

    for number in _FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward)
    signal.signal(signal.SIGTSTP, suspend)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
