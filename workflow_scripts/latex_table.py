"""Print a table of a run for a paper, in LaTeX (\\usepackage{booktabs}): latex_table.py RUN [TABLE]

RUN is the folder of a run whose report was made, such as results/default. Numbers and labels are those of its page.

  latex_table.py results/default arms --study distillation --metrics accuracy auroc aurc
  latex_table.py results/default verdicts --study distillation
"""

import argparse
import sys
from pathlib import Path

from selfdoubt.report.runs import latex
from selfdoubt.report.runs.reading import read_run
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError

TABLES = {
    "arms": latex.of_arms,
    "differences": latex.of_differences,
    "verdicts": latex.of_verdicts,
    "comparisons": latex.of_comparisons,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN")
    kinds = "arms: mean ± deviation (default); differences: exploratory comparisons; verdicts: claims; "
    kinds += "comparisons: all, those of claims with what must not be lost and what repeats them"
    parser.add_argument("table", nargs="?", choices=TABLES, default="arms", help=kinds, metavar="TABLE")
    parser.add_argument("--study", help="its arms, comparisons or claims alone", metavar="NAME")
    parser.add_argument("--dataset", help="where there are several", metavar="NAME")
    of_arms = "in this order; of comparisons and claims those of which others are subtracted"
    parser.add_argument("--arms", nargs="+", help=of_arms, metavar="ARM")
    parser.add_argument("--metrics", nargs="+", help="in this order", metavar="METRIC")
    parser.add_argument("--split", help="of arms test, else all, where none is given")
    parser.add_argument("--score", help="of arms msp, else all, where none is given")
    parser.add_argument("--output", type=Path, help="written instead of printed", metavar="FILE")
    arguments = parser.parse_args()
    try:
        text = TABLES[arguments.table](read_run(arguments.run), arguments)
        if arguments.output is None:
            print(text)
            return
        with atomic_path(arguments.output) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
    except (UserError, OSError) as error:
        sys.exit(f"latex_table: {error}")


if __name__ == "__main__":
    main()
