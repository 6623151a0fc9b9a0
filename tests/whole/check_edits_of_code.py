"""What docs/invalidation.md has of edits of code: each module's, alone, after a finished run."""

import pytest
from edits import EDITS

LOUD = [edit for edit in EDITS["Code"] if edit.tried and edit.jobs]


@pytest.mark.parametrize("edit", LOUD, ids=[edit.name[:40] for edit in LOUD])
def test_an_edit_of_code_reruns_exactly_the_jobs_of_the_table(copy, edit):
    edit.change(copy)
    found = copy.jobs()
    assert (found - edit.jobs, edit.jobs - found) == (set(), set())
