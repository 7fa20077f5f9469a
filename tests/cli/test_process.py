from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

COMMAND = [sys.executable, "-m", "napari_framewise.cli"]


def test_listing_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom napari_framewise.cli import main\nassert main(['list']) == 0\n"
        "print(*{'numba', 'scipy', 'zarr', 'dask', 'tifffile', 'napari'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == ""


def test_a_reader_that_has_enough_is_no_error() -> None:
    with subprocess.Popen(
        [*COMMAND, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""


def test_what_is_done_ends_without_taking_libraries_down() -> None:
    # As long as that takes a kill would find all results there, and the command would be refused.
    script = (
        "import atexit\nfrom napari_framewise.cli import main\n"
        "atexit.register(print, 'taken down')\nmain()"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, "list"], capture_output=True, text=True, check=True
    )
    assert "statistics" in run.stdout
    assert "taken down" not in run.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_leaves_at_once_and_leaves_nothing() -> None:
    np.save("r.npy", np.random.default_rng(0).normal(size=(50_000, 16, 16)).astype(np.float32))
    script = (
        # A shell that starts tests in the background has them ignore Ctrl-C.
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from tests.helpers.toolbox import ENTRY\n"
        "from napari_framewise.tools import registry\n"
        "from napari_framewise.cli import main\nregistry.TOOLS['shifts'] = ENTRY\n"
        "sys.stderr.isatty = lambda: True\nsys.exit(main())"
    )
    command = [sys.executable, "-c", script, "shifts", "r.npy", "--reference", "r.npy", "-o", "out"]
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    ) as run:
        assert run.stderr is not None
        said = b""
        while b"%" not in said and (more := run.stderr.read(1)):
            said += more
        assert b"%" in said
        began = time.perf_counter()
        run.send_signal(signal.SIGINT)
        said = run.stderr.read()
        run.wait(10)
        took = time.perf_counter() - began
    assert run.returncode == 130
    assert said.endswith(b"napari-framewise: cancelled; what was not finished was not kept\n")
    assert b"Traceback" not in said
    assert not Path("out").exists()
    # Far above the 0.1 s that it takes on an idle machine, far below the half minute of the run.
    assert took < 5
