"""Fetch one file of a published data set, and check that it is the one."""

from selfdoubt.data import downloads
from selfdoubt.runtime import cli


def run(arguments):
    downloads.fetch(arguments.settings.url, arguments.settings.md5, arguments.output)


if __name__ == "__main__":
    cli.main(run, {"output": "written"})
