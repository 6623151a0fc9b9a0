"""What a job that runs trained models computes on."""

import pytest

from selfdoubt.runtime import computing, devices
from selfdoubt.runtime.cli import Settings, parse_settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"n_steps": 2}', ("auto", 1)),
        ('{"n_steps": 2, "computing": {"device": "cpu", "threads": 3}}', ("cpu", 3)),
        ('{"n_steps": 2, "computing": {"device": "cuda", "threads": 1}}', ("cuda", 1)),
    ],
)
def test_a_job_has_the_device_and_the_threads_of_its_settings(monkeypatch, text, expected):
    """Which methods do not see: of an enhancer's settings every other key is a candidate's."""
    monkeypatch.setattr(devices, "prepare", lambda device, threads: (device, threads))
    settings = parse_settings(text)
    assert computing.prepare(settings) == expected
    assert settings == Settings(n_steps=2)
