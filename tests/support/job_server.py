"""Jobs of real studies as forks of a process that has imported torch, which is most of a small job's time.

`python job_server.py FOLDER MODULE...` imports modules and listens at FOLDER/socket. FOLDER/python, written by
`write_client`, stands in for Python: it hands its streams, arguments, folder and environment over, and ends as the job
ends, or the job with it.
"""

import gc
import importlib
import json
import multiprocessing
import os
import runpy
import socket
import socketserver
import sys
from multiprocessing import connection
from pathlib import Path

CLIENT = """#!{python} -IS
import json, os, socket, sys
streams = [0, 1, 2, *(int(name) for name in os.listdir("/dev/fd") if int(name) > 9)]  # <(...) of a shell is 63
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"x"], streams)
    server.sendall(json.dumps([streams, sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\n")
    sys.exit(int(server.recv(16) or 1))
"""


def write_client(folder: Path) -> None:
    """Write FOLDER/python."""
    path = folder / "python"
    path.write_text(CLIENT.format(python=sys.executable, address=str(folder / "socket")))
    path.chmod(0o755)


def run(received: list[int], streams: list[int], words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Run a script as `python *words` does in a folder; streams: the numbers that the received ones should have."""
    for stream, number in zip(received, streams, strict=True):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words[words[0] == "-u" :]  # which torchrun gives
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


class Job(socketserver.BaseRequestHandler):
    """A client, in a fork: its job runs in another, whose exit code it is sent."""

    def handle(self):
        _, received, *_ = socket.recv_fds(self.request, 1, 16)
        asked = json.loads(self.request.makefile().readline())
        job = multiprocessing.get_context("fork").Process(target=run, args=(received, *asked))
        job.start()
        if job.sentinel not in connection.wait([job.sentinel, self.request]):  # a client that ended
            job.kill()
        job.join()
        self.request.sendall(str(job.exitcode % 256).encode())


class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """It ends when its parent has ended."""

    request_queue_size, parent = 64, os.getppid()

    def service_actions(self):
        super().service_actions()
        if os.getppid() != self.parent:
            sys.exit()


if __name__ == "__main__":
    folder, *modules = sys.argv[1:]
    for module in modules:
        importlib.import_module(module)
    gc.freeze()  # what is shared with forks stays so
    with Server(str(Path(folder) / "socket"), Job) as server:
        print("ready", flush=True)
        server.serve_forever()
