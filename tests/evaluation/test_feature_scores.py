"""Scores from features, each against a value worked out by hand, and the file that keeps the features."""

import numpy as np
import pytest

from selfdoubt.evaluation import features, scoring
from selfdoubt.evaluation.features import Head, Sample
from selfdoubt.evaluation.scores import vim
from selfdoubt.runtime.errors import UserError

AS_THEY_ARE = Head(np.eye(2), np.zeros(2))  # logits are the features


def confidence(name: str, train, test, head: Head = AS_THEY_ARE) -> list[float]:
    module = scoring.load(name)
    fitted = module.fit_features(Sample(np.float64(train), head))
    return module.from_features(Sample(np.float64(test), head), **fitted).tolist()


def test_knn_is_the_distance_to_the_50th_neighbour_of_features_of_length_1():
    train = [(2, 0)] * 49 + [(0, 5)] + [(-1, 0)] * 20
    assert confidence("knn", train, [(3, 0), (0, 1), (0, 0)]) == pytest.approx([-(2**0.5), -(2**0.5), -(2**0.5)])
    assert confidence("knn", [(1, 0)] * 50, [(7, 0)]) == [0]
    assert confidence("knn", [(1, 0), (-1, 0)], [(7, 0)]) == [-2]  # the farther of two


def test_knn_takes_many_images_in_blocks(monkeypatch):
    draws = np.random.default_rng(0)
    train, test = draws.normal(size=(60, 2)), draws.normal(size=(9, 2))
    whole = confidence("knn", train, test)
    monkeypatch.setattr(scoring.load("knn"), "_BLOCK", 120)
    assert confidence("knn", train, test) == whole


def test_vim_by_hand():
    # Second moments 4 and .25, so the second feature is outside of the one principal dimension; its mean length is .5,
    # the mean largest logit (2 + .5) / 2, and the scale of the virtual logit 2.5.
    train, test = [(2, 0.5), (-2, 0.5)], [(0, 2), (3, 0)]
    assert confidence("vim", train, test) == pytest.approx([np.log(1 + np.e**2) - 5, np.log(1 + np.e**3)])
    # Features are centred where the logits are 0: of the same images one to the left and with a bias, all is the same.
    moved = Head(np.eye(2), np.array([1.0, 0]))
    assert confidence("vim", [(1, 0.5), (-3, 0.5)], [(-1, 2), (2, 0)], moved) == pytest.approx(
        confidence("vim", train, test)
    )


def test_the_dimensions_of_vim_are_those_of_its_authors_where_they_have_any():
    assert [vim.n_principal(n) for n in (64, 1024, 1280, 2048, 4096)] == [32, 512, 512, 1000, 1000]


def test_react_by_hand():
    train = np.arange(22).reshape(11, 2) / 2  # 0, .5 to 10.5: nine tenths of the way is 9.45
    assert confidence("react", train, [(20, 3.45), (9, 3)]) == pytest.approx([9.45 + np.log1p(np.exp(-6)), 9.00247569])


def test_sirc_by_hand():
    train = [(1, -1), (3, -1)]  # L1 norms 2 and 4: mean 3, deviation 1, so a = 0 and b = 1
    expected = -np.log(0.5) - np.log1p(np.exp(-2))
    assert confidence("sirc", train, [(1, 1)]) == pytest.approx([expected])
    assert confidence("sirc", train, [(800, 0)])[0] == pytest.approx(800)  # where 1 - p rounds to 0
    more, less = confidence("sirc", train, [(5, 4), (2, 1)])  # equal msp, more and fewer features
    assert more > less


def test_features_come_back_from_their_file_and_belong_to_the_rows_of_a_table(tmp_path):
    path, draws = tmp_path / "features.safetensors", np.random.default_rng(0)
    kept = {name: draws.normal(size=(n, 2)).astype(np.float16) for name, n in (("train", 60), ("val", 3), ("test", 4))}
    features.write(path, kept, np.eye(2, dtype=np.float32), np.ones(2, np.float32), {})
    samples = features.read(path)
    assert samples["val"].logits == pytest.approx(np.float64(kept["val"]) + 1, abs=1e-6)
    found = features.confidences(["react", "knn"], samples, {"test": 4, "val": 3})
    assert list(found) == ["react", "knn"]
    assert found["knn"].tolist() == confidence("knn", kept["train"], np.concatenate([kept["test"], kept["val"]]))
    for counts in ({"test": 5}, {"ood-digits": 1}):
        with pytest.raises(UserError, match="not those of"):
            features.confidences(["knn"], samples, counts)
