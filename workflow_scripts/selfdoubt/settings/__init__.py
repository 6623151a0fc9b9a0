"""config.yaml as types: a typo, a wrong unit or a dangling name fails while the DAG is built.

`load_study(config)` returns a Study or raises UserError with a line a fault that names the key and the remedy.
Rules ask the Study for the part of the config that a job depends on; scripts get that part as JSON and
never see this package, so that a new key here reruns nothing.
"""

from selfdoubt.settings import memory
from selfdoubt.settings.duplicates import check_keys
from selfdoubt.settings.references import check_files
from selfdoubt.settings.study import Study, load_study, parse_arm

__all__ = ["Study", "check_files", "check_keys", "load_study", "memory", "parse_arm"]
