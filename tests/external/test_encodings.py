"""Files in another encoding than UTF-8, and numbers that are percentages: one line with the remedy."""

import numpy as np
import pandas as pd
import pytest
from foreign_files import LOGITS, C, N, suffix, wide, write

from selfdoubt.external.files import read
from selfdoubt.runtime import texts
from selfdoubt.runtime.errors import UserError

NAMED = pd.DataFrame({"id": range(8), "label": ["café"] * 8, "prediction": ["café"] * 8, "confidence": [0.5] * 8})


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"])
def test_a_table_in_another_encoding_is_refused_with_the_way_to_save_it(tmp_path, encoding):
    path = tmp_path / "a.csv"
    for frame in (NAMED, NAMED.rename(columns={"id": "numéro"}), wide()):
        path.write_bytes(frame.to_csv(index=False).encode(encoding))
        if frame.to_csv().isascii() and encoding in ("latin-1", "cp1252"):
            assert len(read(path).labels) == N
            continue
        with pytest.raises(UserError, match=r"a\.csv: not a text in UTF-8.* save it as UTF-8") as caught:
            read(path)
        assert ("UTF-16" in str(caught.value)) == encoding.startswith("utf")


def test_another_encoding_is_found_in_the_last_row_too(tmp_path):
    rows = "".join(f"{i},cat,cat,0.5\n" for i in range(300_000))
    (tmp_path / "a.csv").write_bytes(f"id,label,prediction,confidence\n{rows}x,café,café,0.5\n".encode("latin-1"))
    with pytest.raises(UserError, match="not a text in UTF-8"):
        read(tmp_path / "a.csv")


def test_utf_8_is_read_with_the_mark_that_spreadsheets_put_before_it(tmp_path):
    NAMED.to_csv(tmp_path / "a.csv", index=False, encoding="utf-8-sig")
    assert len(read(tmp_path / "a.csv").labels) == 8
    assert texts.decode("\ufeffcafé".encode(), "a.txt") == "café"


@pytest.mark.parametrize("kind", ["csv", "parquet-list", "npz"])
@pytest.mark.parametrize("probabilities", [True, None])
def test_percentages_are_not_taken_for_logits(tmp_path, kind, probabilities):
    """Rounded to whole numbers they need not sum to 100."""
    percentages = 100 * np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    path = write(tmp_path / f"a.{suffix(kind)}", kind, percentages)
    with pytest.raises(UserError, match=r"percentages.*divide them by 100"):
        read(path, probabilities)
    if probabilities:
        with pytest.raises(UserError, match="percentages"):
            read(write(tmp_path / f"a.{suffix(kind)}", kind, np.round(percentages)), True)


@pytest.mark.parametrize("row", [[100.0, 1.0, -1.0, 0.0], [60.0, 3.0, 2.0, 1.0]])
def test_logits_are_not_taken_for_percentages(tmp_path, row):
    path = write(tmp_path / "a.csv", "csv", np.tile(row[:C], (N, 1)))
    with pytest.raises(UserError, match="are they logits"):
        read(path, True)
    assert len(read(path).labels) == N
    assert len(read(write(tmp_path / "b.csv", "csv", np.full((N, C), 100 / C)), False).labels) == N
