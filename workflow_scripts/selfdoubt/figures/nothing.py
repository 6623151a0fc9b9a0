"""The figure in the place of one that its data give nothing to show: the reason as text, so that a study ends."""

import textwrap

import matplotlib as mpl
from matplotlib.figure import Figure

from selfdoubt.figures.style import GREY, STYLE, header, new_figure

_MM_A_LETTER = 1.6  # of text of 7.5 points


@mpl.rc_context(STYLE)
def notice(reason: str, settings) -> Figure:
    """Draw the reason, in a figure of the size that the settings give."""
    figure = new_figure(settings)
    wrapped = textwrap.fill(f"Nothing to show: {reason}", max(20, int(settings.style.width_mm / _MM_A_LETTER)))
    figure.text(0.5, 0.5, wrapped, ha="center", va="center", fontsize=7.5, color=GREY)
    header(figure, settings.dataset)
    figure.set_layout_engine(None)  # it lays out axes, and there are none
    return figure
