"""Wait for GPUs that no other job has, and run a command with them: lease.py N COMMAND ...

The same lease that the pipeline's jobs take, for a command of one's own on a shared machine. The GPUs are free again
when the command ends, however it ends.
"""

import argparse
import os
import sys

from selfdoubt.runtime import gpu_leases
from selfdoubt.runtime.errors import UserError


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, help="how many GPUs")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run; CUDA_VISIBLE_DEVICES names its GPUs")
    arguments = parser.parse_args()
    if arguments.n < 1:
        parser.error(f"N: {arguments.n}; give 1 or more")
    if not arguments.command:
        parser.error("give a command to run")
    try:
        gpu_leases.take(arguments.n)
        os.execvp(arguments.command[0], arguments.command)
    except FileNotFoundError:
        sys.exit(f"lease: {arguments.command[0]}: no such command")
    except (UserError, OSError) as fault:
        sys.exit(f"lease: {fault}")


if __name__ == "__main__":
    main()
