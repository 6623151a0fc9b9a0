"""What a job computes with: its threads, its numerics, its device and its precision."""

import os
from types import SimpleNamespace

import pytest
import torch

from selfdoubt import devices
from selfdoubt.errors import UserError

TF32 = (torch.backends.cudnn, torch.backends.cuda.matmul)


@pytest.fixture(autouse=True)
def left_alone(monkeypatch):
    """Give the process of the tests its own threads and numerics back."""
    threads, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    allowed = [backend.allow_tf32 for backend in TF32]
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "its own")
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(mode)
    for backend, was in zip(TF32, allowed, strict=True):
        backend.allow_tf32 = was


@pytest.mark.parametrize("threads", [1, 3])
def test_a_job_has_the_threads_of_its_recipe(threads):
    devices.prepare("cpu", threads)
    assert torch.get_num_threads() == threads


def test_what_might_not_be_repeated_is_warned_of():
    torch.set_deterministic_debug_mode("default")
    devices.prepare("cpu", 1)
    assert torch.get_deterministic_debug_mode() == 1  # "warn"


def test_the_workspace_of_cuda_is_set_for_repeatable_sums_where_nobody_has_set_it(monkeypatch):
    devices.prepare("cpu", 1)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == "its own"
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    devices.prepare("cpu", 1)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_no_product_is_rounded_to_tf32():
    for backend in TF32:
        backend.allow_tf32 = True
    devices.prepare("cpu", 1)
    assert [backend.allow_tf32 for backend in TF32] == [False, False]


@pytest.mark.parametrize(
    ("asked", "there", "found"),
    [("auto", True, "cuda"), ("auto", False, "cpu"), ("cuda", True, "cuda"), ("cpu", True, "cpu")],
)
def test_auto_is_cuda_where_there_is_one(monkeypatch, asked, there, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert devices.prepare(asked, 1) == torch.device(found)


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="device: 'cuda' is asked for and this machine has none; use 'auto' or 'cpu'"):
        devices.prepare("cuda", 1)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(("native", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_auto_is_bfloat16_where_hardware_has_it_and_not_where_it_is_emulated(monkeypatch, device, native, precision):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or native)
    processor = SimpleNamespace(_is_mkldnn_bf16_supported=lambda: native)
    monkeypatch.setattr(torch.ops, "mkldnn", processor, raising=False)
    assert devices.precision_on(torch.device(device), "auto") == precision


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_precision_that_is_named_is_taken(precision):
    assert devices.precision_on(torch.device("cpu"), precision) == precision
