"""Snakemake as it is, but for one thing: it looks for finished jobs every second.

The plugin looks 10 seconds later each time that it finds nothing finished, which a user can wait for and a test cannot.
"""

import asyncio
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def briefly(_) -> None:
    await asyncio.sleep(1)


RemoteExecutor.sleep = briefly
sys.exit(main())
