"""Arrays that are unpacked as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_framewise.io import open_stack
from napari_framewise.stacks.sources import loaded


def test_what_finds_no_memory_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((3, 4, 5)))
    stack = open_stack(tmp_path / "a.npz")

    def full(path: str, key: str) -> np.ndarray:
        raise MemoryError("Unable to allocate 256. MiB")

    monkeypatch.setitem(loaded._UNPACKERS, "npz", full)
    with pytest.raises(ValueError, match=r"a\.npz: the array takes 480 bytes, and there is not"):
        stack.frame(0)
