"""Data that runs share: made once, never changed, never removed from under who reads it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from selfdoubt.runtime import shared_data

LIBRARY = Path(shared_data.__file__).resolve().parents[2]


@pytest.fixture
def made() -> list[Path]:
    """The folders in which files were made."""
    return []


@pytest.fixture
def provide(tmp_path, made):
    """Provide a.txt and b.txt to a run, each with its name and a text."""

    def make(run: str, text: str = "x", sources=()) -> list[Path]:
        def write(paths):
            made.append(paths[0].parent)
            for path in paths:
                path.write_text(f"{path.name} {text}")
            (paths[0].parent / "images").symlink_to(tmp_path)

        outputs = [tmp_path / f"results/{run}/data/set" / name for name in ("a.txt", "b.txt")]
        shared_data.provide(outputs, tmp_path / "results/data", {"text": text}, sources, write)
        return outputs

    return make


def entries(tmp_path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "results/data").iterdir())


def test_a_second_run_links_what_the_first_made(provide, made, tmp_path):
    first, second = provide("one"), provide("two")
    assert len(made) == 1 and len(entries(tmp_path)) == 1  # neither locks nor temporary folders stay
    assert [path.read_text() for path in first] == ["a.txt x", "b.txt x"]
    assert [path.resolve() for path in first] == [path.resolve() for path in second]
    assert not first[0].readlink().is_absolute()
    assert (first[0].resolve().parent / "images").resolve() == tmp_path


def test_an_entry_is_known_by_its_facts_and_its_sources(provide, made, tmp_path):
    source = tmp_path / "mine/inner/file"
    source.parent.mkdir(parents=True)
    source.write_text("1")
    os.utime(source, (5, 5))
    place = [tmp_path / "mine", tmp_path / "mine/inner"]
    provide("one", "x"), provide("one", "y"), provide("one", "x", place), provide("two", "x", place[:1])
    assert len(made) == 3
    os.utime(source, (6, 6))
    provide("one", "x", place)
    assert len(made) == 4


def test_what_lies_in_the_store_is_known_by_its_place(provide, made, tmp_path):
    (first, _) = provide("one")
    provide("one", "y", [first])
    os.utime(first.resolve(), (5, 5))
    (second, _) = provide("two")
    provide("two", "y", [second])
    assert len(made) == 2


def test_a_run_that_makes_its_links_again_takes_nothing_from_another(provide, tmp_path):
    first, second = provide("one"), provide("two")
    with first[0].open() as reading:
        second[0].unlink()
        provide("two")
        assert reading.read() == first[0].read_text() == second[0].read_text() == "a.txt x"


@pytest.mark.parametrize("harm", [lambda p: p.write_text(""), lambda p: p.unlink(), lambda p: p.write_text("a.txt y")])
def test_a_broken_entry_is_made_again(provide, made, harm, tmp_path):
    (path, _) = provide("one")
    with path.open() as reading:
        harm(path.resolve())
        (path, _) = provide("two")
        assert path.read_text() == "a.txt x" and len(made) == 2 and len(entries(tmp_path)) == 1
        reading.read()


def test_links_to_an_entry_that_was_removed_go_and_no_others(provide, tmp_path):
    (gone, _), (kept, _) = provide("one", "x"), provide("two", "y")
    shutil.rmtree(gone.resolve().parent)
    shared_data.drop_broken_links(tmp_path / "results/one", tmp_path / "results/two", tmp_path / "nowhere")
    assert kept.read_text() == "a.txt y" and not any((tmp_path / "results/one").rglob("*.txt"))


def test_what_fails_leaves_nothing(tmp_path):
    def fail(paths):
        paths[0].write_text("half")
        raise ValueError

    output = tmp_path / "results/one/a"
    with pytest.raises(ValueError):
        shared_data.provide([output], tmp_path / "results/data", {}, [], fail)
    assert not entries(tmp_path) and not os.path.lexists(output)


SLOW = """
import sys, time
from pathlib import Path
from selfdoubt.runtime import shared_data
def make(paths):
    print("making", flush=True)
    sys.stdin.readline()
    paths[0].write_text("x")
top = Path(sys.argv[1])
shared_data.provide([top / sys.argv[2] / "a"], top / "data", {}, [], make)
print("done", flush=True)
"""


def start(tmp_path, run: str) -> subprocess.Popen:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", SLOW, str(tmp_path), run]
    return subprocess.Popen(command, env={"PYTHONPATH": str(LIBRARY)}, **pipes)


def test_of_two_at_once_one_makes_it_and_the_other_waits(tmp_path):
    with start(tmp_path, "one") as one:
        assert one.stdout.readline() == "making\n"
        with start(tmp_path, "two") as two:
            assert "waiting" in two.stdout.readline()
            shared_data.clean(tmp_path / "data")  # takes nothing that is being made
            one.communicate("\n")
            assert two.stdout.readline() == "done\n"
    assert (tmp_path / "one/a").read_text() == (tmp_path / "two/a").read_text() == "x"
    assert len(list((tmp_path / "data").iterdir())) == 1


def test_what_a_killed_job_left_is_cleaned_and_made_anew(tmp_path):
    with start(tmp_path, "one") as one:
        assert one.stdout.readline() == "making\n"
        one.kill()
    assert len(list((tmp_path / "data").glob(".*.tmp"))) == 1
    shared_data.clean(tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())
    with start(tmp_path, "one") as one:
        assert one.communicate("\n")[0] == "making\ndone\n"
