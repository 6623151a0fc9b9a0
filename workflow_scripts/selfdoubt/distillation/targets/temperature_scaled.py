"""Targets without the teacher's miscalibration: at the temperature of lowest NLL on val (Guo et al. 2017)."""

from selfdoubt.evaluation import softmax


def fit(teacher_logits, labels) -> float:
    """Return the temperature of lowest NLL; teacher_logits: float32 (n, K) and labels (n,) of val, as arrays."""
    temperature = softmax.fit_temperature(teacher_logits, labels)
    print(f"temperature of the teacher, fitted on val: {temperature:.4g}", flush=True)
    return temperature


def transform(teacher_logits, batch, settings, seed: int, fitted: float):
    """Divide the logits (b, K) by the fitted temperature."""
    return 1 / fitted * teacher_logits
