"""Draw the worked example of docs/metrics.md, docs/images/risk-coverage-example.png."""

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parent.parent

CORRECT = [True, True, True, False, True, True, True, False, True, False]  # the most confident first
CONFIDENCE = list(range(len(CORRECT), 0, -1))


def main(path: Path = ROOT / "docs" / "images" / "risk-coverage-example.png") -> None:
    sys.path.insert(0, str(ROOT / "workflow_scripts"))
    from selfdoubt.evaluation import rankings

    coverage, risk = rankings.risk_coverage_curve(CONFIDENCE, CORRECT)
    _, best = rankings.risk_coverage_curve(CONFIDENCE, sorted(CORRECT, reverse=True))
    figure, axes = plt.subplots(figsize=(5.6, 2.6), dpi=150, layout="constrained")
    axes.bar(100 * coverage, 100 * risk, width=9, color="#9ecae1", label=f"this order: mean {risk.mean():.3f} = AURC")
    axes.plot(100 * coverage, 100 * best, "o-", color="#222222", label=f"errors last: mean {best.mean():.3f}")
    axes.axhline(100 * risk[-1], color="#888888", linestyle="--", label=f"no order: {risk[-1]:.3f}")
    axes.set(
        xlabel="coverage: fraction accepted (%)", ylabel="risk: errors among\nthe accepted (%)", xticks=100 * coverage
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    figure.savefig(path, metadata={"Software": None})


if __name__ == "__main__":
    main()
