"""Files from elsewhere: the same predictions from every format, and one line for every fault."""

import io
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from foreign_files import KINDS, LABELS, LOGITS, C, N, run_all, suffix, wide, write

from selfdoubt.external import formats
from selfdoubt.external.files import read
from selfdoubt.runtime.errors import UserError

# ---- what is read ----


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_predictions(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(formats, "BATCH_NUMBERS", 8 * C)  # batches that do not end with the file
    found = read(write(tmp_path / f"a.{suffix(kind)}", kind))
    np.testing.assert_array_equal(found.logits, LOGITS)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert isinstance(found.logits, np.memmap)  # what does not fit into memory stays on disk


@pytest.mark.parametrize("kind", KINDS)
def test_logits_take_as_much_disk_as_they_need(tmp_path, kind):
    for dtype in ("float16", "float32", "float64", "int8"):
        logits = LOGITS.astype(dtype)
        found = read(write(tmp_path / f"{dtype}.{suffix(kind)}", kind, logits)).logits
        np.testing.assert_array_equal(found.astype(dtype), logits)
        assert found.dtype == (np.float32 if dtype in ("float16", "float32") and kind != "csv" else np.float64)


def test_columns_of_several_types_have_room_for_all(tmp_path):
    wide().astype({"logit_0": np.float32}).to_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet").logits
    np.testing.assert_array_equal(found[:, 1:], LOGITS[:, 1:])
    np.testing.assert_array_equal(found[:, 0], LOGITS[:, 0].astype(np.float32))


OTHER_ARRAYS = {
    "columns first": lambda logits, labels: (np.asfortranarray(logits), labels),
    "big-endian": lambda logits, labels: (logits.astype(">f8"), labels.astype(">i4")),
    "labels as floats": lambda logits, labels: (logits, labels.astype(np.float16)),
    "labels as unsigned": lambda logits, labels: (logits, labels.astype(np.uint64)),
}


@pytest.mark.parametrize("name", OTHER_ARRAYS)
def test_arrays_in_other_forms(tmp_path, name, monkeypatch):
    monkeypatch.setattr(formats, "BATCH_NUMBERS", 8 * C)
    logits, labels = OTHER_ARRAYS[name](LOGITS, LABELS)
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", logits=logits, label=labels)
        found = read(tmp_path / "a.npz")
        np.testing.assert_array_equal(found.logits, LOGITS)
        np.testing.assert_array_equal(found.labels, LABELS)


LISTS = pa.array(list(LOGITS))
OTHER_COLUMNS = {
    "long lists": {"label": LABELS, "logits": LISTS.cast(pa.large_list(pa.float64()))},
    "list views": {"label": LABELS, "logits": pa.array(list(LOGITS), pa.list_view(pa.float64()))},
    "labels as dictionary": {"label": pa.array(LABELS).dictionary_encode(), "logits": LISTS},
    "labels as decimals": {"label": pa.array(LABELS).cast(pa.decimal128(20)), "logits": LISTS},
}


@pytest.mark.parametrize("name", OTHER_COLUMNS)
def test_columns_in_other_forms(tmp_path, name):
    pq.write_table(pa.table(OTHER_COLUMNS[name]), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    np.testing.assert_array_equal(found.logits, LOGITS)
    np.testing.assert_array_equal(found.labels, LABELS)


@pytest.mark.parametrize("first", [0, 1])
def test_row_groups_may_be_empty(tmp_path, first):
    table = pa.table({"label": LABELS, "logits": LISTS} if first else dict(wide()))
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema) as writer:
        for part in (table[:0], table[:9], table[:0], table[9:]):
            writer.write_table(part)
    np.testing.assert_array_equal(read(tmp_path / "a.parquet").logits, LOGITS)


HAND = "label,logit_0,logit_1\n0,2.5,-1\n1,0,1\n1,3,2\n"
OTHER_TEXTS = {
    "byte order mark": "\ufeff" + HAND,
    "line ends of Windows": HAND.replace("\n", "\r\n"),
    "empty lines": "\n" + HAND.replace("\n", "\n\n"),
    "no last line end": HAND[:-1],
    "quotes": HAND.replace("label", '"label"').replace("2.5", '"2.5"'),
    "spaces after commas": HAND.replace(",", ", "),
    "labels as floats": HAND.replace("\n1,", "\n1.0,"),
    "other columns, two of one name": "a,a," + HAND.replace("\n", "\nx,é,").removesuffix("x,é,"),
}


@pytest.mark.parametrize("name", OTHER_TEXTS)
def test_texts_in_other_forms(tmp_path, name):
    (tmp_path / "a.CSV").write_text(OTHER_TEXTS[name], encoding="utf-8", newline="")
    found = read(tmp_path / "a.CSV")
    np.testing.assert_array_equal(found.logits, [[2.5, -1], [0, 1], [3, 2]])
    np.testing.assert_array_equal(found.labels, [0, 1, 1])


def test_the_first_rows_of_a_csv_do_not_decide_what_a_column_holds(tmp_path):
    (tmp_path / "a.csv").write_text("label,logit_0,logit_1\n" + "0,1,2\n" * 200_000 + "1,0.5,1\n")
    found = read(tmp_path / "a.csv")
    assert found.logits.shape == (200_001, 2) and found.logits[-1].tolist() == [0.5, 1]


def test_probabilities_keep_more_digits_than_they_came_with(tmp_path):
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    found = read(write(tmp_path / "a.npz", "npz", p.astype(np.float32)), probabilities=True).logits
    np.testing.assert_array_equal(found, np.log(p.astype(np.float32).astype(np.float64)))


def test_names_of_files_need_not_be_text(tmp_path):
    for kind in KINDS:
        path = tmp_path / f"a\n\udcff-{kind}.{suffix(kind)}"
        write(tmp_path / f"b.{suffix(kind)}", kind).rename(path)
        np.testing.assert_array_equal(read(path).labels, LABELS)


# ---- the scratch file ----


def test_nothing_is_left_where_the_scratch_file_was(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    found = read(write(tmp_path / "a.npz", "npz"))
    assert list(scratch.iterdir()) == []
    np.testing.assert_array_equal(found.logits, LOGITS)


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_a_full_disk_names_the_folder(tmp_path, kind, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    with pytest.raises(UserError, match=f"^{tempfile.gettempdir()}: the disk is full; make room or set TMPDIR"):
        read(write(tmp_path / f"a.{kind}", kind))


# ---- what is refused: a function that writes a file, its ending, and what is named ----


def text(content: str | bytes) -> tuple[str, Callable]:
    return "csv", lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def table(*columns, names=("label", "logits")) -> tuple[str, Callable]:
    return "parquet", lambda path: pq.write_table(pa.table([pa.array(c) for c in columns], names=names), path)


def frame(change: Callable, kind: str) -> tuple[str, Callable]:
    if kind == "csv":
        return "csv", lambda path: change(wide()).to_csv(path, index=False)
    return "parquet", lambda path: change(wide()).to_parquet(path, index=False)


def arrays(**given) -> tuple[str, Callable]:
    return "npz", lambda path: np.savez(path, **given)


def archive(*members: tuple[str, bytes]) -> tuple[str, Callable]:
    def put(path: Path):
        with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings(action="ignore"):  # of one name twice
            for name, content in members:
                file.writestr(name, content)

    return "npz", put


def damaged(change: Callable[[bytearray], None]) -> tuple[str, Callable]:
    def put(path: Path):
        np.savez_compressed(path, logits=LOGITS, label=LABELS)
        content = bytearray(path.read_bytes())
        change(content)
        path.write_bytes(content)

    return "npz", put


def put_in_headers(content: bytearray, place: int, value: int) -> None:
    """Set two bytes of each header of an archive; place: counted from the flags."""
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            struct.pack_into("<H", content, at + flags + place, value)


def overwrite(content: bytearray) -> None:
    content[100:140] = b"\xff" * 40


def npy(shape: tuple, extra: bytes = b"") -> bytes:
    """An array file whose header states `shape`, whatever is there."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue() + extra


def npy_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def relabelled(row: int, value: float) -> Callable:
    return lambda frame: frame.assign(label=frame.label.astype(float).where(frame.index != row, value))


AT = "row {} (counted from 0) has "
NOR = " nor columns 'prediction' and 'confidence'"
FRAMES = {
    AT.format(3) + "no logit of class 1: logit_1 is missing, or NaN": lambda f: f.assign(
        logit_1=f.logit_1.where(f.index != 3)
    ),
    AT.format(2) + "label 9, which is none of 4 classes": relabelled(2, 9),
    AT.format(2) + "label -1, which is none of 4 classes": relabelled(2, -1),
    AT.format(2) + "label 0.5, which is no whole number": relabelled(2, 0.5),
    AT.format(2) + "label 1e+30, which is none of 4 cl": relabelled(2, 1e30),
    AT.format(2) + "label inf, which is none of 4": relabelled(2, np.inf),
    AT.format(0) + "label 1.844674407370955e+19, which is": lambda f: f.assign(label=np.uint64(2**64 - 1)),
    AT.format(1) + "no label": relabelled(1, np.nan),
    "has no 'label'; it has 'logit_0', ": lambda f: f.drop(columns="label"),
    NOR + "; it has 'label'": lambda f: f[["label"]],
    "logit columns must be logit_0 to logit_2; it has 'logit_0', 'logit_2', 'log": lambda f: f.drop(columns="logit_1"),
    "has no rows": lambda f: f[:0],
    "has 1 class; give two or more": lambda f: f[["label", "logit_0"]].assign(label=0),
}
BROKEN = [
    *((frame(change, kind), named) for named, change in FRAMES.items() for kind in ("csv", "parquet")),
    (text(""), "cannot be read (Empty CSV file; "),
    (text(bytes(range(256))), "not a text in UTF-8"),
    (text(HAND.encode("utf-16")), "not a text in UTF-8"),
    (text("label,logit_0,logit_1,\xe9".encode("latin-1")), "cannot be read ("),
    (
        text("label;logit_0;logit_1\n0;0,5;2\n0;1.5;2\n"),
        "'logit_0' holds '1.5', which is no number (read with separator ';' and dec",
    ),
    (text(HAND.replace("label", "klass")), "has no 'label'; it has 'klass'"),
    (text("target,y_true,logit_0,logit_1\n0,0,1,2\n"), "which of 'target', 'y_true' is the label?"),
    (text("image_id,label,logit_0,logit_1\n7,0,1,2\n8,1,1,2\n7,1,2,1\n"), "image_id 7 is there twice; give each"),
    (text("image_id,label,logit_0,logit_1\n7,0,1,2\n,1,1,2\n"), AT.format(1) + "no image_id"),
    (text("label,prediction\n0,1\n"), "nor a column 'confidence'; it has 'label', 'prediction'"),
    (text("label,confidence\n0,1\n"), NOR + "; it has"),
    (text("label,pred,prob_0,prob_1\n0,1,0.2,0.8\n"), "name them 'logit_0', 'logit_1', ... and add --probabilities"),
    (text("label,pred,conf\n0,1,0.5\n1,1,\n"), AT.format(1) + "a conf that is not finite"),
    (text("label,pred,conf\n0,1,0.5\n,1,0.2\n"), AT.format(1) + "no label"),
    (arrays(label=[0, np.nan], pred=[np.nan, np.nan], conf=[0.5, 0.6]), AT.format(1) + "no label"),
    (arrays(label=[0.0, 1], pred=[0, np.nan], conf=[0.5, 0.6]), AT.format(1) + "no pred"),
    (arrays(label=["a", "b"], pred=["a", ""], conf=[0.5, 0.6]), AT.format(1) + "no pred"),
    (text("label,pred,conf\n0,cat,0.5\n1,dog,0.6\n"), "no prediction is one of the labels: these are as '0', and"),
    (text("label,pred,conf\n0,True,0.5\n1,True,0.6\n"), "these are as '0', and those as 'True'; name classes alike"),
    (text("label,pred,conf\ncat,Cat,0.5\n"), "these are as 'cat', and those as 'Cat'"),
    (text("label,pred,entropy\n0,1,0.5\n1,1,0.6\n"), "'entropy' is above 0, so it grows with doubt"),
    (text("label,pred,knn\n0,1,0.5\n1,1,0.6\n"), "'knn' is above 0, so it grows with doubt"),
    (text("label,pred,prob_true\n0,1,0.5\n"), "nor a column 'confidence'; it has"),
    (text("label,pred,uncertainty_score\n0,1,0.5\n"), "nor a column 'confidence'; it has"),
    (text(HAND.replace("t_", "t")), "did you mean 'logit0'? name them 'logit_0', 'logit_1', ...; it has 'label', 'l"),
    (text(HAND.replace("logit", "prob")), "did you mean 'prob_0'? name them 'logit_0', 'logit_1', ... and add --prob"),
    (text(HAND + "1,,2\n"), AT.format(3) + "no logit of class 0: logit_0 is missing, or NaN"),
    (text(HAND.replace("\n", ",x\n") + "1,0.5,no,x\n"), "'logit_1' holds 'no', which is no number"),
    (
        text('label,logits\n0,"[1, 2]"\n'),
        "has no columns 'logit_0', 'logit_1', ...," + NOR,
    ),
    (text("label,label,logit_0,logit_1\n0,0,1,2\n"), "has 'label' 2 times"),
    (text("label,logit_0,logit_0\n0,1,2\n"), "has 'logit_0' 2 times"),
    (text(HAND + "shirt,1,2\n"), "'label' holds 'shirt', which is no number (read with separator ',"),
    (
        text(HAND + "1,2\n"),
        "Expected 3 columns, got 2: 1,2; read with sep",
    ),  # with "Row #5" where there is one processor
    (text("label,logit_0,logit_1\n0,1,5,2,5\n"), "got 5: 0,1,5,2,5; read with separator ',' and decimal mark '.')"),
    (text(HAND + "1," + "9" * 400 + ",2\n"), AT.format(3) + "a logit that is not finite: logit_0 is inf"),
    (("parquet", lambda path: path.write_bytes(b"")), "cannot be read ("),
    (("parquet", lambda path: path.write_bytes(b"PAR1 not really")), "cannot be read ("),
    (table([0, 1], [0, 1], [1.0, 2], [2.0, 1], names=["label", "label", "logit_0", "logit_1"]), "has 'label' 2 times"),
    (table([0, 1], [1.0, 2], [2.0, 1], names=["label", "logit_0", "logit_0"]), "has 'logit_0' 2 times"),
    (table([0, 1], pa.array([[], []], pa.list_(pa.float32()))), "has 0 classes; give two or more"),
    (table([0, 1], [[1.0, 2.0], [1.0]]), "the lists in 'logits' are not all of one length"),
    (table([0, 1], [None, [1.0, 2.0]]), "'logits' has a row without a list"),
    (table([0, 1], pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))), "'logits' has a row without a list"),
    (table([0, 1], [[1.0, 2.0], [1.0, None]]), AT.format(1) + "no logit of class 1: logit_1 is missing, or NaN"),
    (table([0, 1], [0.5, 1.5], names=["label", "logit"]), "did you mean 'logit'? name it 'logits'; it has"),
    (table([0, 1], [1.0, 2.0]), "'logits' is of type double, expected a list of numbers in each row"),
    (table([0, 1], [["1", "2"], ["2", "1"]]), "'logits' holds something that is no number (string)"),
    (
        table(["0", "1"], [[1.0, 2.0], [2.0, 1.0]]),
        "'label' holds something that is no number (string); labels must be whole",
    ),
    (table([0, 1], pa.array([[(0, 1.0)], [(0, 2.0)]], pa.map_(pa.int8(), pa.float32()))), "expected a list of numbers"),
    (arrays(logits=LOGITS), "has no 'label'; it has 'logits'"),
    (arrays(label=LABELS), "has no array 'logits'," + NOR + "; it has 'label'"),
    (
        arrays(logit_0=LOGITS[:, 0], logit_1=LOGITS[:, 1], label=LABELS),
        "'logits'; stack 'logit_0' and the others into one; it",
    ),
    (arrays(Logits=LOGITS, label=LABELS), "did you mean 'Logits'? name it 'logits'; it has"),
    (arrays(logits=LOGITS.T, label=LABELS), "'logits' is of shape (4, 50) for 50 labels: transpose it to (50, C)"),
    (arrays(logits=LOGITS, label=LABELS.astype(str)), "no real number (<U21); labels must be whole numbers 0, 1"),
    (arrays(logits=LOGITS[0], label=LABELS), "'logits' is of shape (4,), expected (n, C)"),
    (arrays(logits=LOGITS, label=LABELS[:3]), "'label' is of shape (3,), expected (50,)"),
    (arrays(logits=LOGITS[:, :0], label=LABELS), "has 0 classes; give two or more"),
    (arrays(logits=LOGITS[:0], label=LABELS[:0]), "has no rows"),
    (arrays(logits=LOGITS + 1j, label=LABELS), "'logits' holds something that is no real number (complex128)"),
    (arrays(logits=LOGITS, label=LABELS + 0j), "'label' holds something that is no real number (complex128)"),
    (arrays(logits=LOGITS, label=LABELS.astype("M8[D]")), "'label' holds something that is no real number (datetime"),
    (arrays(logits=LOGITS.astype(object), label=LABELS), "cannot be read ("),  # would be unpickled
    (arrays(logits=LOGITS, label=np.full(N, 1e30)), AT.format(0) + "label 1e+30, which is none of 4 classes"),
    (arrays(logits=LOGITS, label=np.full(N, 2**63 + 1, np.uint64)), AT.format(0) + "label 9.223372036854776e+18, wh"),
    (("npz", lambda path: path.write_bytes(b"")), "cannot be read (File is not a zip file)"),
    (("npz", lambda path: path.write_bytes(b"PK\x03\x04 cut short")), "cannot be read (File is not a zip file)"),
    (("npz", lambda path: path.write_bytes(npy((2, 2), bytes(32)))), "cannot be read (File is not a zip file)"),
    (archive(), "has no array 'logits'," + NOR + "; it has nothing"),
    (archive(("logits.npy", b"hello"), ("label.npy", b"hello")), "cannot be read ("),
    (archive(("logits.npy", b""), ("logits.npy", b""), ("label.npy", b"")), "has 'logits' 2 times"),
    (archive(("logits.npy", npy((10**7, 10**6))), ("label.npy", npy((10**7,)))), "cannot be read ("),  # 73 TiB
    (archive(("logits.npy", npy((5, 2), b"short")), ("label.npy", npy((5,)))), "cannot be read ("),
    (archive(("logits.npy", npy_header("{'shape': (((")), ("label.npy", b"")), "cannot be read ("),
    (archive(("logits.npy", npy_header("{'shape': (2L, 2)}")), ("label.npy", b"")), "cannot be read ("),
    (damaged(overwrite), "cannot be read (Error -3 while decompressing data"),
    (damaged(partial(put_in_headers, place=0, value=1)), "cannot be read (File 'logits.npy' is encrypted"),
    (damaged(partial(put_in_headers, place=2, value=99)), "cannot be read (That compression method is not supported)"),
    (("npz", Path.mkdir), "is not a file"),
    (("csv", lambda path: path.symlink_to(path)), "no such file"),
    (("csv", lambda path: None), "no such file"),
    (("txt", lambda path: path.write_text(HAND)), "'.txt' is not one of .parquet, .csv, .npz"),
]


def test_a_broken_file_is_refused_in_one_line(tmp_path):
    paths, unlike = [tmp_path / f"{i}.{kind}" for i, ((kind, _), _) in enumerate(BROKEN)], {}
    for path, ((_, put), _) in zip(paths, BROKEN, strict=True):
        put(path)
    outcomes = run_all([[path] for path in paths], tmp_path)
    for path, (_, named), (code, out, err) in zip(paths, BROKEN, outcomes, strict=True):
        one_line = code == 2 and out == "" and err.count("\n") == 1
        if not one_line or not err.startswith(f"evaluate_predictions: {path}: ") or named not in err:
            unlike[named] = err
    assert not unlike


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ([0.5, 0.6, 0, 0], "probabilities that sum to 1.1; are they logits?"),
        ([1.5, -0.5, 0, 0], "a probability of -0.5; are they logits?"),
        ([0.5, np.nan, 0, 0], "no probability of class 1: logit_1 is missing, or NaN"),
        ([0.5, 0, np.inf, 0], "a probability that is not finite: logit_2 is inf"),
    ],
)
def test_what_are_no_probabilities_is_refused(tmp_path, row, named):
    p = np.full((N, C), 0.25)
    p[7] = row
    with pytest.raises(UserError, match=rf"row 7 \(counted from 0\) has {named}".replace("?", r"\?")):
        read(write(tmp_path / "a.csv", "csv", p), probabilities=True)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (-1, "ood_class -1, which is none of"),
        (1.5, "ood_class 1.5, which is no whole number"),
        (1e30, r"ood_class 1e\+30, which is none of 0, 1, ..., 2\*\*53 - 1"),
        (2.0**53, "ood_class 9007199254740992, which is none of"),
        (np.nan, "no ood_class"),
    ],
)
def test_what_is_no_class_is_refused(tmp_path, value, named):
    wide().drop(columns="label").assign(ood_class=[1, 1, 1, value] + [1] * (N - 4)).to_csv(tmp_path / "o.csv")
    with pytest.raises(UserError, match=rf"row 3 \(counted from 0\) has {named}"):
        read(tmp_path / "o.csv", labelled=False)


def test_batches_of_other_numbers_of_classes_are_refused(tmp_path):
    with pq.ParquetWriter(tmp_path / "a.parquet", pa.table({"label": [0], "logits": [[1.0]]}).schema) as writer:
        writer.write_table(pa.table({"label": [0, 1], "logits": [[1.0, 2.0]] * 2}))
        writer.write_table(pa.table({"label": [0], "logits": [[1.0, 2.0, 3.0]]}))
    with pytest.raises(UserError, match=r"the lists in 'logits' are not all of one length|row 2 .* has 3 classes and"):
        read(tmp_path / "a.parquet")
