"""Files that claim what they don't hold: one sentence, little time, little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.io.hostile import OPENED, OTHERS, READ, REFUSED

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
# Words that are the system's or a library's, and of no use to who reads them.
RAW = ("Errno", "allow_pickle", "pickled (object)", "Traceback", "Unable to allocate")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.io.hostile", str(tmp_path_factory.mktemp("hostile"))],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])},
    )
    answers: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", [*REFUSED, *READ, *OTHERS])
def test_it_is_refused_in_one_sentence(found: dict[str, dict[str, Any]], name: str) -> None:
    answer = found[name]
    assert answer["died"] == 0
    assert answer["said"].startswith(("ValueError: ", "FileFault: "))
    assert name in answer["said"]
    assert "\n" not in answer["said"]
    assert not any(raw in answer["said"] for raw in RAW)


@pytest.mark.parametrize("name", OPENED)
def test_it_opens_at_no_cost(found: dict[str, dict[str, Any]], name: str) -> None:
    assert found[name]["died"] == 0
    assert found[name]["said"] == ""


@pytest.mark.parametrize("name", ["coding.tif", "pipe.tif", "loop.npy", "pipe.h5"])
def test_only_what_is_damaged_is_called_so(found: dict[str, dict[str, Any]], name: str) -> None:
    assert "damaged" not in found[name]["said"]
