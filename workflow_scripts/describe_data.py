"""Show what is in a data set before anything is trained: describe_data.py SOURCE [--size-px N] [--channels N]

SOURCE is what `source` may be in the config, such as folder:PATH or parquet:PATH. Prints images by split and class,
sizes, duplicates, what is converted or ignored and why; then, to the error stream, a line for each thing that would
stop the preparation, and ends with code 1 if there is one. Writes nothing.
"""

import argparse
import sys
from pathlib import Path

from pydantic import ValidationError

from selfdoubt.data.description import describe
from selfdoubt.runtime.errors import UserError, together
from selfdoubt.settings.data import Dataset
from selfdoubt.settings.source_files import Folders

ROOT = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("--size-px", type=int, metavar="N", help="to which images are resized")
    parser.add_argument("--channels", type=int, metavar="N", help="1 or 3; left out: as the first image has them")
    parser.add_argument("--fetched", type=Path, default=ROOT / "results/data/downloads", help="of published files")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        settings = Dataset(source=arguments.source, size_px=arguments.size_px, channels=arguments.channels)
        lines, faults = describe(settings, Folders(ROOT / "resources", arguments.fetched))
        print(f"{settings.source}\n\n" + "\n".join(map(printable, lines)))
        if faults:
            raise together(faults)
    except ValidationError as error:
        first = error.errors()[0]
        sys.exit(f"describe_data: {first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}")
    except KeyboardInterrupt:
        sys.exit("describe_data: interrupted")
    except (UserError, OSError) as error:
        sys.exit("\n".join(f"describe_data: {line}" for line in str(error).split("\n")))


def printable(line: str) -> str:
    """Return a line whose names of files and classes control no terminal."""
    return str(UserError(line))


if __name__ == "__main__":
    main()
