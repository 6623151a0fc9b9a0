"""Fetch one file of a published data set, once for all runs, and check its MD5."""

from selfdoubt.data import downloads
from selfdoubt.runtime import cli, shared_data


def run(arguments):
    settings, name = arguments.settings, arguments.output.name
    with shared_data.alone(arguments.store / name):
        downloads.fetch(settings.url, settings.md5, arguments.store / name)
    shared_data.link(arguments.output, arguments.store / name)


if __name__ == "__main__":
    cli.main(run, {"store": "the folder of what runs share; written", "output": "written: a link into it"})
