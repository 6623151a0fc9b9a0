"""What a job computes with: its threads, its numerics, its device and its precision."""

import os
from types import SimpleNamespace

import pytest
import torch
from small_training import train

from selfdoubt.runtime import devices
from selfdoubt.runtime.errors import UserError

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


# ---- which device ----


def no_cuda(monkeypatch, leased: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("SELFDOUBT_LEASED", leased)


@pytest.mark.parametrize("device", ["auto", "cuda"])
@pytest.mark.parametrize(("version", "torchs"), [("12.8", "torch for CUDA 12.8"), (None, "a torch without CUDA")])
def test_a_leased_gpu_that_cannot_be_used_is_reported(monkeypatch, device, version, torchs):
    no_cuda(monkeypatch, "GPU-a")
    monkeypatch.setattr(torch.version, "cuda", version)
    with pytest.raises(UserError) as caught:
        devices.prepare(device, 1)
    line = str(caught.value)
    assert line.startswith(f"device: {device}: GPU GPU-a") and "\n" not in line
    assert all(part in line for part in (torchs, "update the driver", "device: cpu", "CUDA_VISIBLE_DEVICES="))
    assert devices.prepare("cpu", 1) == torch.device("cpu")


def test_without_a_lease_auto_is_the_processor_where_there_is_no_gpu(monkeypatch):
    no_cuda(monkeypatch, "")
    assert devices.prepare("auto", 1) == torch.device("cpu")
    with pytest.raises(UserError, match=r"device: cuda.* use auto or cpu"):
        devices.prepare("cuda", 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [devices.prepare(device, 1).type for device in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]


def test_a_gpu_is_described_by_its_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"A100 of {device}")
    text = devices.describe(torch.device("cuda", 1), "bfloat16", 8)
    assert {"device=cuda:1", "(A100", "precision=bfloat16", "threads=8"} <= {*text.split()}
    assert "(" not in devices.describe(torch.device("cpu"), "float32", 2)


def test_a_log_of_training_begins_with_where_it_was_computed(tmp_path, capsys):
    train(tmp_path)
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first == "device=cpu precision=float32 threads=1" and second.startswith("epoch=0 ")
