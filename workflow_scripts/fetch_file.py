"""Fetch one file of a published data set, once for all runs, and check its MD5."""

from pathlib import Path

from selfdoubt.data import downloads
from selfdoubt.runtime import cli, shared_data

EARLIER = Path(__file__).resolve().parent.parent / "resources/downloads"  # where versions before runs had names put it


def run(arguments):
    settings, name = arguments.settings, arguments.output.name
    url = (EARLIER / name).as_uri() if (EARLIER / name).is_file() else settings.url
    with shared_data.alone(arguments.store / name):
        downloads.fetch(url, settings.md5, arguments.store / name)
    shared_data.link(arguments.output, arguments.store / name)


if __name__ == "__main__":
    cli.main(run, {"store": "the folder of what runs share; written", "output": "written: a link into it"})
