"""The command line, called in a folder of its own, and files to call it on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.cli.calling import CallCli
from tests.helpers.recipes import add_tools

from napari_framewise import cli
from napari_framewise.stacks.source import Array


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    add_tools(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CallCli:
    """Call the command line; the exit code, the standard output and the standard error."""

    def called(*arguments: object) -> tuple[int, str, str]:
        try:
            code = cli.main([str(each) for each in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture
def mixture() -> tuple[Array, Array]:
    """Files s.npy, a.tif and b.tif: frames mixed of two images, and the shares of the first."""
    rng = np.random.default_rng(4)
    images = rng.integers(200, 3000, (2, 12, 10)).astype(np.uint16)
    shares = rng.uniform(0.4, 0.7, 30)
    frames = shares[:, None, None] * images[0] + (1 - shares)[:, None, None] * images[1]
    frames = np.rint(frames + rng.normal(0, 5, frames.shape)).astype(np.uint16)
    np.save("s.npy", frames)
    for name, image in zip(("a.tif", "b.tif"), images, strict=True):
        tifffile.imwrite(name, image)
    return frames, shares
