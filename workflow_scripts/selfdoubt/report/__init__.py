"""The report: one self-contained HTML page from the tables, the figures and the settings.

No number and no verdict is typed by hand. The page needs no script and no network, so that it can be sent by
mail and still opens in ten years. Not a notebook and not a site generator: one template, one style sheet.
"""

from selfdoubt.report.data import ReportData
from selfdoubt.report.page import render

__all__ = ["ReportData", "render"]
