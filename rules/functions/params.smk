# Params of Snakemake's records, without pandas.
#
# To compare the params of jobs with those of their outputs Snakemake imports pandas, wherever it is installed, for values
# that are tables of pandas: a quarter of a second of each start. A value can be one only where pandas is imported already.

import sys

from snakemake.persistence import PersistenceBase

_with_pandas = PersistenceBase._serialize_param_pandas


def serialize_param(persistence, value):
    serialize = _with_pandas if "pandas" in sys.modules else PersistenceBase._serialize_param_builtin
    return serialize(persistence, value)


PersistenceBase._serialize_param_pandas = serialize_param
