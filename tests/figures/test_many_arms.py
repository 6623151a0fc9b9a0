"""Figures of more arms than differ in colour and mark, and of few epochs."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from small_figures import CONTEXT, draw

from selfdoubt.figures.context import N_LOOKS, Context, look_at, looks_at


@pytest.mark.parametrize(("n", "named"), [(N_LOOKS, True), (N_LOOKS + 1, False)])
def test_a_legend_stands_where_its_marks_differ(n, named):
    arms = [f"arm-{i}" for i in range(n)]
    row = {"dataset": "toys", "variant": "clean", "split": "test", "n": 100, "value": 0.5, "reason": None}
    metrics = (("accuracy", "none"), ("auroc", "msp"))
    rows = [
        row | {"name": arm, "replicate": replicate, "metric": metric, "score": score}
        for arm, replicate, (metric, score) in product(arms, (1, 2), metrics)
    ]
    context = Context({arm: arm for arm in arms}, {arm: look_at(i) for i, arm in enumerate(arms)})
    assert len({*context.looks.values()}) == min(n, N_LOOKS)
    figure = draw("auroc-accuracy", pd.DataFrame(rows), context)
    assert (figure.axes[0].get_legend() is not None) == named


def test_two_arms_of_a_figure_never_look_alike_if_that_can_be():
    kept = looks_at({"a": 3, "b": N_LOOKS + 1})
    assert kept == {"a": look_at(3), "b": look_at(N_LOOKS + 1)}  # as in every figure
    alike = looks_at({"b": N_LOOKS + 3, "a": 3})
    assert alike == {"a": look_at(0), "b": look_at(1)}


@pytest.mark.parametrize("kind", ["confidence-histograms", "reliability"])
def test_a_name_reaches_into_no_other_panel(kind):
    names = {"ce": "Cross-entropy of one network that learns from mixed images", "kd": "KD"}
    figure = draw(kind, context=Context(names, CONTEXT.looks))
    first, second = figure.axes[:2]
    title = first.title if first.title.get_text() else first._left_title
    assert title.get_window_extent().x1 < second.get_window_extent().x0


def test_epochs_are_whole_numbers():
    figure = draw("training-curves", {"ce": [np.linspace(1, 0, 6)] * 2}, CONTEXT, arms=["ce"])
    assert all(float(tick).is_integer() for tick in figure.axes[0].get_xticks())
