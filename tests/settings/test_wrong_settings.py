"""A wrong value of the config is reported in one line, with its key and a remedy."""

import re
from copy import deepcopy

from wrong_configs import ACE, LOGISTIC, ONE_WAY, SIZES, STYLE, fault, put

TTA = {"method": "tta", "models": ["ce"], "n_views": 4, "shift_px": [0, 1], "flip": True}
SEEN = {"method": "views", "models": ["ce"], "family": "geometry", "n_views": 4}
STEPS = {"method": "transform-attack", "models": ["ce"], "space": "affine", "direction": "random", "eta": [1]}
STEPS |= {"shift_px": 1, "rotation_degrees": 5, "scale_percent": 5, "shear_percent": 5, "l2_penalty": [1], "n_folds": 2}
DEEP = {"method": "deep", "models": ["ce"], "epsilon_255": [8], "confidence_weight": [1], "width": 8, "epochs": 2}
DEEP |= {"batch_size": 64, "learning_rate": 0.003, "n_folds": 2}
UNET = {"architecture": "Unet", "encoder": "resnet18", "encoder_depth": 2, "decoder_channels": [8, 4]}
UNET = {"width": None, "network": UNET}
ODIN = {"method": "odin", "models": ["ce"], "epsilon_255": [1], "temperature": [1000]}
DIALOGUE = {"method": "dialogue", "message": "gradient", "epsilon_255": 8, "n_rounds": 2}
STACKING = {"method": "stacking", "penalty": [1], "n_folds": 5}
SPATIAL = {"method": "persuasion", "message": "spatial", "shift_px": 2, "flip": True, "n_candidates": 2}
SPATIAL |= {"contested_below": 0.7}
VIEWS = {"method": "member-views", "n_views": 4, "shift_px": 1, "flip": True}
OF_TRANSFER = {"message": "transfer", "momentum": 1, "n_views": 4, "shift_px": 2}
TRANSFER = OF_TRANSFER | {"method": "persuasion", "epsilon_255": 8, "n_steps": 5, "n_candidates": 2}
TRANSFER |= {"contested_below": 0.7}
MENTOR = TRANSFER | {"method": "mentor", "penalty": [1], "n_folds": 5}
TRAINED = {"method": "trained-messages", "sender": "kd", "listener": "ce", "reads": "features", "epsilon_255": 8}
TRAINED |= {"width": 8, "epochs": 2, "batch_size": 64, "learning_rate": 0.003, "n_folds": 2, "contested_below": 0.7}
MOVED = {"method": "adversarial", "epsilon_255": 8, "n_steps": 1, "step_255": 10}
ROBUST = {"network": "convnet-small", "recipe": "short", "fine_tuned_from": "ce", "techniques": [MOVED]}
RESNET = {"family": "timm", "name": "resnet18"}
RESIZEMIX = {"method": "resizemix", "probability": 0.5, "min_scale": 0.1, "max_scale": 0.8}
OA_CUTMIX = {"method": "oa-cutmix", "probability": 0.5, "beta": 1.0, "labels": "object-area"}
LABELS = {"kind": "mixed-labels", "study": "mask-cutmix", "models": ["ce"], "style": STYLE}
EXAMPLES = {"kind": "mixed-examples", "n_images": 2}
SHEET = {"kind": "mask-sheet", "segmenter": "unet", "n_images": 9, "n_columns": 3, "style": STYLE}
DECILES = {"kind": "entropy-deciles", "arms": ["kd"], "reference": "ce", "split": "test", "style": STYLE}
LABEL_ERROR = {"kind": "label-error", "split": "test", "score": "msp", "style": STYLE}
QUALITY = {"kind": "teacher-quality", "arms": ["kd"], "split": "test", "style": STYLE}
QUALITY |= {"teacher_metrics": ["ece"], "student_metrics": ["auroc"]}
TWICE = {"better": ["kd", "ce"], "than": ["ce", "cutmix"], "units": "networks"}
ALONG = {"kind": "metric-along", "along": "epsilon_255", "series": {"a": ["ce/odin"]}, "metric": "aurc"}
ALONG |= {"score": "msp", "split": "test", "style": STYLE}
MESSAGES = {"kind": "message-examples", "group": "trio", "protocol": "mean-probability", "n_images": 2, "style": STYLE}
TUNING = {"kind": "tuning-curves", "arms": ["ce/odin"], "along": "temperature", "reference": "ce", "style": STYLE}
HISTORIES = {"kind": "training-curves", "arms": ["kd"], "column": "tckd", "style": STYLE}
VIRTUAL = {"probability": 0.9, "temperature": 20, "alpha": 0.5}
SOFT = {"network": "convnet-small", "recipe": "short", "labels": "soft"}
CLAIM = {"study": "distillation", "statement": "So.", "better": "kd", "than": "ce", "split": "test"}
AURC = {"metric": "aurc", "score": "msp", "split": "test"}
CLAIM |= AURC
REMEDY = r"; |did you mean|Choices|Keys|should be|such as|called|needs|from a|circular|not (one )?of|percentage|cannot"

# The place that is given a wrong value (None: it is removed), the value, and what the line must hold: the key, where
# that is another, and words.
FAULTS = [
    ("replicats", [1], "'replicates'"),
    ("students.kd.loss.temprature", 4, "'temperature'"),
    ("enhancers.odin.epsilon", [4], "'epsilon_255'"),
    ("figures.reliability.style.width", 9, "'width_mm'"),
    ("figures.reliability.style.for", "papre", "'papre' 'paper'"),
    ("figures.reliability.style.columns", 2, "figures.reliability.style: columns paper width_mm"),
    ("figures.reliability.style.fro", "paper", "'for'"),
    ("recipes.short.epochs", "7a", "'7a'"),
    ("recipes.short.epochs", 6.5, ""),
    ("recipes.short.flip", 1, "1"),
    ("recipes.short.optimizer.momentum", 1, "1"),
    ("students.kd.loss.alpha", 90, "1 90"),
    ("enhancers.odin.epsilon_255", [0.001], "enhancers.odin.epsilon_255.0: 0.01"),
    ("enhancers.random-sign.epsilon_255", [0], "enhancers.random-sign.epsilon_255.0: 0.01"),
    ("enhancers.random-sign.precision", "bfloat16", ""),
    ("enhancers.anti-adversary.epsilon_255", None, "enhancers.anti-adversary: epsilon_255 step_255"),
    ("enhancers.odin.tune_on", "digits", "enhancers.odin.tune_on:"),
    ("enhancers.odin.tune_on", "ood-svhn", "enhancers.odin.tune_on: 'ood-svhn' 'fashion-mnist-12k'"),
    ("enhancers.odin.tune_on", "ood-digits", "comparisons.4.split: 'ood-digits' 'ce/odin'"),
    ("enhancers.anti-adversary.tune_on", "ood-digits", "'anti-adversary'"),
    ("enhancers.odin.attacked_by", "aec", "enhancers.odin.attacked_by: 'aec'"),
    ("enhancers.odin.attacked_by", "random-sign", "enhancers.odin.attacked_by: 'random-sign' ace"),
    ("enhancers.odin.trained_against", "ace", ""),
    ("enhancers.deep", DEEP | {"width": None}, "enhancers.deep: width network"),
    ("enhancers.deep", DEEP | {"trained_against": "odin"}, "enhancers.deep.trained_against: 'odin' ace"),
    ("enhancers.anti-adversary.temperature", [1, 10], ""),
    ("enhancers.random-sign.temperature", [0], "enhancers.random-sign.temperature.0: 0"),
    ("enhancers.odin.method", "odn", "'odn'"),
    ("enhancers.views", TTA | {"n_views": 1}, "enhancers.views.n_views: 2"),
    ("enhancers.views", TTA | {"flip": False}, "shift_px flip"),
    ("enhancers.views", SEEN, "enhancers.views: shift_px flip"),
    ("enhancers.views", SEEN | {"shift_px": [0, 1]}, "enhancers.views: shift_px flip"),
    ("enhancers.views", SEEN | {"crop_percent": [100]}, "enhancers.views: shift_px flip"),
    ("enhancers.views", SEEN | {"flip": True, "noise_255": [8]}, "enhancers.views: noise_255"),
    ("enhancers.views", SEEN | {"family": "noise"}, "enhancers.views: noise_255"),
    ("enhancers.views", SEEN | {"family": "noise", "noise_255": [8], "flip": True}, "enhancers.views: flip"),
    ("enhancers.steps", STEPS | {"space": "flow"}, "enhancers.steps: grid_size"),
    ("enhancers.steps", STEPS | {"grid_size": 4}, "enhancers.steps: grid_size"),
    ("enhancers.steps", {key: STEPS[key] for key in STEPS if key != "shear_percent"}, "enhancers.steps: shear_percent"),
    ("enhancers.steps", STEPS | {"direction": "up"}, "enhancers.steps.direction: 'up'"),
    ("enhancers.bound", ACE | {"epsilon_255": [1, 2]}, "enhancers.bound.epsilon_255:"),
    ("enhancers.odin", ODIN | {"tune_on": "ood-digits"}, "enhancers.odin: tune_on candidates"),
    ("enhancers.net", DEEP | UNET | {"batch_size": 1}, "enhancers.net: batch_size 2"),
    ("enhancers.net", DEEP | {"n_folds": 1}, "enhancers.net.n_folds: 2"),
    ("enhancers.net", DEEP | {"precision": "auto"}, "enhancers.net.precision: 'deep'"),
    ("enhancers.short", LOGISTIC | {"n_steps": 3}, "enhancers.short.n_steps: 'clean-logistic'"),
    ("protocols.persuasion-placebo.precision", "auto", "protocols.persuasion-placebo: precision random-sign"),
    ("protocols.persuasion-placebo.n_steps", 1, "protocols.persuasion-placebo: n_steps random-sign"),
    ("protocols.persuasion.n_steps", None, "protocols.persuasion: n_steps missing"),
    ("recipes.short.device", "gpu", "'gpu' 'cuda'"),
    ("networks.convnet-small.family", "resnet", "'resnet' 'wide-resnet'"),
    (
        "protocols.persuasion-placebo.gains_relative_to",
        "random-sign",
        "protocols.persuasion-placebo: gains_relative_to remove",
    ),
    ("protocols.mean-logit.n_folds", 5, ""),
    ("protocols.mean-logit.method", "vote", "'vote'"),
    ("protocols.s", STACKING | {"penalty": [0]}, "protocols.s.penalty.0:"),
    ("protocols.s", STACKING | {"penalty": []}, "protocols.s.penalty: 0"),
    ("protocols.s", SPATIAL | {"epsilon_255": 8}, "protocols.s: epsilon_255 spatial remove"),
    ("protocols.s", SPATIAL | {"shift_px": None}, "protocols.s"),
    ("protocols.s", SPATIAL | {"gains_relative_to": "random-sign"}, "protocols.s: gains_relative_to"),
    ("protocols.s", DIALOGUE | {"message": "spatial", "shift_px": 1, "flip": True}, "protocols.s: dialogue"),
    ("protocols.s", DIALOGUE | {"epsilon_255": None}, "protocols.s: epsilon_255 missing"),
    ("protocols.s", VIEWS | {"flip": None}, "protocols.s: flip missing"),
    ("protocols.s", VIEWS | {"noise_255": 8}, "protocols.s: noise_255 noise remove"),
    ("protocols.s", VIEWS | {"views": "noise"}, "protocols.s: shift_px shifts remove"),
    ("protocols.s", VIEWS | {"shift_px": 0, "flip": False}, "protocols.s: shift_px clean"),
    ("protocols.s", VIEWS | STACKING | {"method": "contested-views"}, "protocols.s.contested_below:"),
    ("protocols.s", TRANSFER | {"n_steps": None}, "protocols.s: n_steps missing"),
    ("protocols.s", TRANSFER | {"shift_px": 0}, "protocols.s: shift_px n_views"),
    ("protocols.s", DIALOGUE | OF_TRANSFER, "protocols.s: transfer dialogue gradient"),
    ("protocols.s", MENTOR | {"n_folds": 1}, "protocols.s.n_folds: 2"),
    ("protocols.s", TRAINED | {"epsilon_255": None}, "protocols.s: epsilon_255 missing"),
    ("protocols.s", TRAINED | {"channel": "fusion"}, "protocols.s: epsilon_255 fusion remove"),
    ("protocols.s", TRAINED | {"channel": "fusion", "epsilon_255": None, "shuffled": True}, "protocols.s: shuffled"),
    ("protocols.persuasion", TRAINED | {"sender": "teacher"}, "'teacher' 'trio'"),
    ("protocols.persuasion.senders", ["teacher"], "protocols.persuasion.senders: 'teacher' 'trio'"),
    ("protocols.persuasion.senders", ["ce", "kd", "cutmix"], "protocols.persuasion.senders: "),
    ("robust", {"r": ROBUST | {"fine_tuned_from": "cee"}}, "robust.r.fine_tuned_from: 'cee' 'ce'"),
    ("robust", {"r": ROBUST | {"fine_tuned_from": "teacher"}}, "robust.r.network: 'convnet-small' 'convnet-medium'"),
    ("robust", {"r": ROBUST | {"techniques": []}}, "robust.r: techniques adversarial add"),
    ("robust", {"ce": ROBUST}, "robust.ce: baselines.ce"),
    ("protocols.persuasion", ONE_WAY | {"listener": "teacher"}, "'teacher' 'trio'"),
    (
        "protocols.persuasion",
        ONE_WAY | {"listener": "ce", "gains_relative_to": "sender"},
        "sender listener",
    ),
    ("protocols.persuasion", DIALOGUE | {"n_rounds": 0}, "protocols.persuasion.n_rounds:"),
    ("protocols.persuasion", DIALOGUE, "figures.persuasion-matrix.protocol:"),
    ("networks.r", {"family": "resnet-cifar", "depth": 18}, "networks.r.depth: 6 2"),
    ("networks.r", {"family": "wide-resnet", "depth": 28}, "networks.r.widen_factor:"),
    ("networks.r", {"family": "wide-resnet", "depth": 27, "widen_factor": 2}, "networks.r.depth: 6 4 28 27"),
    ("networks.r", RESNET | {"weights": "w.bin"}, "networks.r.weights: 'w.bin'"),
    ("networks.r", RESNET | {"weights": "w.pth", "pretrained": True}, "networks.r.pretrained:"),
    ("pretrained.r", {"name": "resnet18", "network": "x"}, "pretrained.r.network:"),
    ("pretrained.ce", {"name": "resnet18"}, "baselines.ce"),
    ("students.kd.network", "convnet-xl", "'convnet-xl'"),
    ("students.kd.teacher", "techer", "'techer'"),
    ("students.kd.teacher", "kd", "circular kd"),
    ("segmenters.unet.teacher", "mask-cutmix", "'mask-cutmix'"),
    ("segmenters.unet.teacher_replicate", 9, "9 1 2 3"),
    ("replicates", [1, 2, 1], "1"),
    ("replicates", [], "0 1"),
    ("groups.trio.members", ["ce"], "1 2"),
    ("groups.trio.members", ["ce", "ce"], "twice"),
    ("groups.trio.protocols", ["vote"], "'vote'"),
    ("enhancers.odin.models", ["c"], "'c'"),
    ("evaluation.scores", ["mps"], "evaluation.scores.0: 'mps' 'msp'"),
    ("evaluation.scores", ["msp", "mc-dropout"], "evaluation.mc_dropout_passes: 0"),
    ("evaluation.scores", ["msp", "knn"], "evaluation.scores: knn needs features, and no model keeps any"),
    ("evaluation.resampled_splits", ["tst"], "'tst' 'test'"),
    ("evaluation.ece_bins", None, "missing"),
    ("hypotheses.kd-ranks-better.metric", "arc", "'arc' 'aurc'"),
    ("hypotheses.kd-ranks-better.split", "tst", "'tst' 'test'"),
    ("hypotheses.kd-ranks-better.better", "ce/odn", "'ce/odn'"),
    ("studies.communication.reference", "trio", "'trio'"),
    ("figures.auroc-accuracy.arms", ["ce", "cee"], "'cee'"),
    ("labels", {"ce/odn": "ODIN"}, "'ce/odn'"),
    ("labels", {"ce": "kd"}, "labels.ce: 'kd'"),
    ("labels", {"ce": "A", "kd": "A/odin"}, "labels.kd: 'A/odin' 'ce/odin'"),
    ("labels", {"ce": " "}, "labels.ce:"),
    ("figures.persuasion-matrix.protocol", "mean-probability", ""),
    ("augmented.mask-cutmix.segmenter", None, ""),
    ("augmented.cutmix.segmenter", "unet", ""),
    ("hypotheses.kd-ranks-better", CLAIM | TWICE, "hypotheses.kd-ranks-better.better: ce twice"),
    ("figures.mask-gallery", ALONG, "figures.mask-gallery.series.a: ce/odin epsilon_255"),
    ("figures.mask-gallery", MESSAGES, "figures.mask-gallery.protocol: 'mean-probability' persuasion"),
    ("figures.mask-gallery", TUNING, "figures.mask-gallery.arms: ce/odin has no candidates of temperature"),
    ("figures.mask-gallery", LABELS, "figures.mask-gallery.models: 'ce'"),
    ("figures.mask-gallery", LABELS | EXAMPLES, "figures.mask-gallery.models: 'ce'"),
    ("figures.sheet", SHEET | {"order": "least-confident"}, "figures.sheet.order: segmenters.unet.min_confidence"),
    ("figures.mask-gallery", SIZES | {"arms": ["ce"]}, "figures.mask-gallery.arms: 1 2"),
    ("figures.mask-gallery", SIZES | {"split": "ood-digits"}, "figures.mask-gallery.split: 'ood-digits'"),
    ("augmented.cutmix.masks", "given", ""),
    ("augmented.mask-cutmix.masks", "given", ""),
    ("augmented.mask-cutmix.masks", "true", "'true'"),
    ("augmented.cutmix.mixing.alpha", 1.0, ""),
    ("augmented.cutmix.mixing.method", "resize-mix", "'resize-mix'"),
    ("augmented.cutmix.mixing.labels", "object-area", ""),
    ("augmented.cutmix.mixing", RESIZEMIX | {"min_scale": 0.9}, "augmented.cutmix.mixing.max_scale: 0.9 0.8"),
    ("augmented.cutmix.mixing", RESIZEMIX | {"min_scale": 0.0}, "augmented.cutmix.mixing.min_scale: 0"),
    (
        "augmented.mask-cutmix.mixing",
        OA_CUTMIX | {"labels": "pixel-area"},
        "augmented.mask-cutmix.mixing.labels: 'pixel-area'",
    ),
    ("augmented.mask-cutmix.mixing.mask_control", "random", "'random'"),
    ("datasets.fashion-mnist-12k.ood", ["digit"], "'digit' 'digits'"),
    ("datasets.fashion-mnist-12k.source", "folder", "'folder'"),
    ("datasets.fashion-mnist-12k.source", "cifar11", "'cifar11' 'cifar10'"),
    ("datasets.fashion-mnist-12k.corruptions.source", "builtin", "'builtin' 'built-in'"),
    ("datasets.fashion-mnist-12k.corruptions.names", ["fog"], "'fog'"),
    ("datasets.fashion-mnist-12k.shifted", {"a": "cifar-c:x"}, "datasets.fashion-mnist-12k.shifted.a: 'cifar-c'"),
    ("datasets", None, "missing"),
    ("datasets", {"fashion-mnist-12k": None}, "0 1"),
    ("datasets", ["cifar10"], "'cifar10'"),
    ("baselines", ["ce"], "'ce'"),
    ("baselines.ce", "convnet-small", ""),
    ("figures.d", DECILES | {"arms": ["kd", "ce"]}, "figures.d.arms: 'ce' kd"),
    ("figures.d", DECILES | {"reference": "label-smoothing"}, "figures.d.reference: label-smoothing kd"),
    ("figures.q", QUALITY | {"arms": ["teacher"]}, "figures.q.arms: 'teacher' kd"),
    ("figures.q", QUALITY | {"teacher_metrics": ["ace"]}, "figures.q.teacher_metrics: 'ace' target-ece"),
    ("figures.e", LABEL_ERROR | {"models": ["cutmix"]}, "figures.e.models: 3"),
    ("figures.e", LABEL_ERROR | {"models": ["cutmix", "mask-cutmix", "ce"]}, "figures.e.models: 'ce' augmented"),
    ("figures.q", QUALITY | {"teacher_metrics": []}, "figures.q.teacher_metrics: 1"),
    ("figures.h", HISTORIES | {"arms": ["ce"]}, "figures.h.arms: ce tckd"),
    ("figures.h", HISTORIES | {"arms": ["ce/odin"]}, "figures.h.arms: 'ce/odin'"),
    ("figures.reliability", 3, "3"),
    ("groups.trio.members", "ce", "'ce'"),
    ("figures.reliability.kind", "pie", "'pie'"),
    ("figures.reliability.kind", ["pie"], "['pie']"),
    ("figures.reliability.split", "tset", "'tset'"),
    ("figures.reliability.split", "ood", "'ood' ood-digits"),
    ("figures.reliability.split", "ood-digits", "figures.reliability.split: 'ood-digits' labels"),
    ("figures.auroc-accuracy.split", "ood-digits", "figures.auroc-accuracy.split: 'ood-digits' labels"),
    ("figures.risk-coverage.split", "mean", "'mean'"),
    ("figures.risk-coverage.split", "corrupted-mean", "figures.risk-coverage.split: 'corrupted-mean' mean"),
    ("protocols.persuasion.method", {"a": 1}, "protocols.persuasion.method:"),
    ("baselines.ce", {"twins_of": "label-smoothing", "n": 10**9}, "baselines.ce.n: 1000"),
    ("figures.reliability.kind", None, "missing"),
    ("recipes.short.optimizer.method", "adam", "'adam' 'adamw'"),
    ("recipes.short.precision", "fp16", "'fp16' 16 32"),
    ("datasets.fashion-mnist-12k.channels", 2, "'2' 1 3"),
    ("networks.r", RESNET | {"name": "ResNet50"}, "networks.r.name: 'ResNet50' 5"),
    ("segmenters.unet.architecture", "UNet", "'UNet' 'Unet'"),
    ("hypotheses.kd-ranks-better.than", "kd", "'kd'"),
    ("studies.distillation.arms", ["kd", "kd"], "twice"),
    ("studies.distillation.arms", ["ce", "kd"], "'ce'"),
    ("hypotheses.kd-ranks-better.statement", " ", ""),
    ("recipes.short.crop", {"min_area": 0.1, "max_aspect": 1.3}, "recipes.short.shift_px: 1 0"),
    ("students.kd.teacher", ["ce", "kd"], "circular"),
    ("students.kd.teacher", ["ce", "ce"], "twice"),
    ("students.kd.teacher", ["ce", "c"], "'c' 'ce'"),
    ("students.kd.teacher", [], "0 1"),
    ("students.kd.teacher", "Big Net", "'Big Net'"),
    ("students.kd.temperature", 4, "students.kd: temperature loss"),
    ("students.kd.loss", None, "missing"),
    ("students.kd.loss.method", "dk", "'dk' 'dkd'"),
    ("students.kd.loss", {"method": "dkd", "temperature": 4, "alpha": 1}, "students.kd.loss.beta:"),
    ("students.kd.loss", {"method": "hard", "alpha": 2}, "students.kd.loss.alpha: 1"),
    (
        "students.kd.target_transform",
        {"method": "permuted", "permutation": "once"},
        "students.kd.target_transform.permutation: 'once'",
    ),
    ("students.kd.target_transform", {"method": "scaled", "factor": 0}, "students.kd.target_transform.factor: 0"),
    ("students.kd.answers", {"method": "corrected"}, "'target_transform'"),
    ("students.kd.teacher_view", "clean", "'clean'"),
    ("baselines.ce.labels", "people", "'people' soft"),
    ("baselines.ce.labels", "soft", "baselines.ce.labels: label_probabilities fashion-mnist-12k"),
    ("datasets.fashion-mnist-12k.soft_labels", "given", "label_probabilities"),
    ("baselines.ce", SOFT | {"virtual_teacher": VIRTUAL}, "baselines.ce: virtual_teacher"),
    ("baselines.ce.confidence_penalty", -1, "0"),
    ("baselines.label-smoothing.virtual_teacher", VIRTUAL, "baselines.label-smoothing:"),
    ("baselines.ce.virtual_teacher", VIRTUAL | {"probability": 1}, "baselines.ce.virtual_teacher.probability:"),
    ("figures.mask-gallery", MESSAGES | {"group": "trioo"}, "figures.mask-gallery.group: 'trioo' 'trio'"),
    ("evaluation.coverages_percent", [99.99999], "evaluation.coverages_percent.0: 99.99999 four"),
    ("evaluation.selective_accuracies_percent", [0.00001], "evaluation.selective_accuracies_percent.0: four"),
    ("comparisons", [AURC, AURC], "comparisons: aurc twice"),
    # claims that could not be tested
    ("manipulation_checks", {"kd-ranks-better": CLAIM}, "manipulation_checks.kd-ranks-better: hypotheses"),
    ("hypotheses.kd-ranks-better.metric", "coverage-at-sac-101", "101"),
    ("hypotheses.kd-ranks-better.metric", "coverage-at-sac-9.9.9", "'coverage-at-sac-9.9.9'"),
    ("hypotheses.kd-ranks-better", CLAIM | {"metric": "accuracy"}, "hypotheses.kd-ranks-better.score: 'msp' none"),
    ("hypotheses.kd-ranks-better", CLAIM | {"score": "none"}, "hypotheses.kd-ranks-better.score: 'none' msp"),
    (
        "hypotheses.kd-ranks-better",
        CLAIM | {"metric": "ece", "score": "energy"},
        "hypotheses.kd-ranks-better.score: 'energy' msp-ts",
    ),
    ("hypotheses.kd-ranks-better", CLAIM | {"metric": "ood-auroc"}, "hypotheses.kd-ranks-better.split: 'test' ood-"),
    ("hypotheses.kd-ranks-better.split", "ood-digits", "'ood-digits' labelled"),
]


def test_a_fault_names_its_key_and_a_remedy(config):
    unlike = {}
    for place, value, expected in FAULTS:
        key, colon, words = expected.partition(":")
        key, words = (key, words) if colon else (place, expected)
        message = fault(put(deepcopy(config), place, deepcopy(value)))
        named = message.startswith(f"config: {key}") and re.search(REMEDY, message)
        if not named or any(word not in message for word in words.split()):
            unlike[place, repr(value)] = message
    assert not unlike
