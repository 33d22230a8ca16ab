"""What does not fit is refused before it is tried, and what does is not copied."""

import json
import subprocess
import sys
import textwrap

import pytest
import torch

from make.configs import plain_config
from make.fits import KINDS
from make.sessions import make_binned, planted
from nwbsparse.errors import EnvironmentProblem
from nwbsparse.models import device as devices
from nwbsparse.models.device import available_bytes, check_memory, pick_device
from nwbsparse.training import memory as fitting
from nwbsparse.training import train as training
from nwbsparse.training.fit import fit, fit_many
from nwbsparse.training.memory import needed_bytes

CPU = torch.device("cpu")
START = """
    import json, resource, sys
    import numpy as np
    sys.path.insert(0, {tests!r})
    from make.configs import plain_config
    from nwbsparse.errors import EnvironmentProblem
    from nwbsparse.training.fit import fit
    from make.sessions import make_binned, planted

    def peak():
        # kilobytes; ru_maxrss begins with that of the process that started this one
        with open("/proc/self/status") as status:
            return int(next(line for line in status if line.startswith("VmHWM")).split()[1])

    small = dict(n_latents=8, k=1, batch_size=50, max_epochs=1, device="cpu")
    fit(make_binned(planted(300)), plain_config(**small))

    def said(limit, **options):
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + limit, resource.RLIM_INFINITY))
        before = peak()
        try:
            fit(make_binned(planted(900)), plain_config(**options, device="cpu"))
            text = ""
        except EnvironmentProblem as error:
            text = str(error)
        grown = peak() - before
        print(json.dumps([text, grown * 1024]))
"""


def in_child(lines, request):
    start = textwrap.dedent(START).format(tests=str(request.config.rootpath / "tests"))
    ran = subprocess.run(
        [sys.executable, "-c", start + textwrap.dedent(lines)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.fault(56)
@pytest.mark.skipif(sys.platform != "linux", reason="address space can be limited on Linux only")
def test_a_coder_that_does_not_fit_is_refused_before_it_is_made(request):
    found = in_child(
        """
        said(1_000_000_000, n_latents=30_000_000, k=4)
        said(1_000_000_000, n_latents=300_000, k=4, batch_size=512)
        said(1_000_000_000, n_latents=20_000, k=4, encoder="transformer", window=3)
        said(1_000_000_000, n_latents=64, k=4, batch_size=64, max_epochs=1)
        """,
        request,
    )
    for text, grown in found[:3]:
        assert "training needs about" in text and "GB are free" in text
        assert "smaller --batch-size, --n-latents or --window" in text
        assert grown < 100_000_000
    assert found[3][0] == "", "what fits is trained"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is in other units elsewhere")
def test_a_long_recording_is_not_copied(request):
    (grown,) = in_child(
        """
        counts = np.random.default_rng(0).integers(0, 3, (500_000, 100), dtype=np.uint8)
        counts[:, 0] = 1
        data = make_binned(counts)
        options = dict(n_latents=16, k=1, batch_size=4096, max_epochs=1, target_units="3,4,5")
        before = peak()
        fit(data, plain_config(**options))
        print((peak() - before) * 1024 / counts.nbytes)
        """,
        request,
    )
    assert grown < 3, f"{grown:.1f} times the recording"


@pytest.mark.fault(56)
def test_little_memory_is_said_with_what_to_do(monkeypatch):
    monkeypatch.setattr(devices, "available_bytes", lambda device: 3_000_000_000)
    check_memory(3_000_000_000, CPU, "use less")
    with pytest.raises(EnvironmentProblem) as refused:
        check_memory(172_800_000_000, CPU, "use less")
    said = "training needs about 172.8 GB on cpu, 3.0 GB are free; use less"
    assert str(refused.value) == said
    assert refused.value.exit_code == 3


@pytest.mark.fault(56)
def test_where_nobody_can_tell_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(devices, "available_bytes", lambda device: None)
    check_memory(10**18, CPU, "use less")


@pytest.mark.fault(56)
def test_nothing_is_trained_that_does_not_fit(monkeypatch):
    monkeypatch.setattr(devices, "available_bytes", lambda device: 1000)
    monkeypatch.setattr(training, "Training", lambda *_, **__: pytest.fail("it was begun"))
    data, configs = (
        make_binned(planted(900)),
        [plain_config(**KINDS["topk"], seed=seed) for seed in (0, 1)],
    )
    with pytest.raises(EnvironmentProblem, match="needs about"):
        fit(data, configs[0])
    with pytest.raises(EnvironmentProblem, match="needs about"):
        fit_many(data, configs)


def test_what_is_free_is_a_sensible_number():
    free = available_bytes(CPU)
    assert free is None or 1_000_000 < free < 10**15


def test_the_estimate_grows_with_everything_that_takes_memory(monkeypatch):
    seen = {}

    def note(name):
        def needed(coder, windows, *, models):
            seen.setdefault(name, needed_bytes(coder, windows, models=models))
            return 0

        return needed

    data = make_binned(planted(900))
    base = {"n_latents": 32, "k": 2, "batch_size": 64, "max_epochs": 1}
    changes = {
        "base": {},
        "latents": {"n_latents": 64},
        "batch": {"batch_size": 128},
        "window": {"encoder": "window", "window": 4},
        "precision": {"precision": "float64"},
    }
    for name, change in changes.items():
        monkeypatch.setattr(fitting, "needed_bytes", note(name))
        fit(data, plain_config(**base | change))
    assert all(seen[name] > 1.2 * seen["base"] for name in changes if name != "base"), seen
    monkeypatch.setattr(fitting, "needed_bytes", note("twice"))
    fit(data.isel(time=slice(0, 900)).astype({"counts": "float64"}), plain_config(**base))
    assert seen["twice"] - seen["base"] == 7 * data["counts"].size, "data count as they are stored"


@pytest.mark.parametrize("wanted", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_said(wanted):
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}[wanted]
    if there():
        pytest.skip(f"this machine has {wanted}")
    with pytest.raises(
        ValueError, match=rf"device '{wanted}' is not available here; there is: .*cpu"
    ):
        fit(make_binned(planted(900)), plain_config(**KINDS["topk"], device=wanted))
    assert pick_device("cpu") == CPU
