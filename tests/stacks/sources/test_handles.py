"""Handles: few, found again, made anew where the file has changed, alive while in use."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from napari_framewise.io import open_stack
from napari_framewise.stacks.sources.handles import HandleCache


def test_a_handle_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    cache: HandleCache[object] = HandleCache(2)
    with ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda _: cache.get(str(path), "x", object), range(50)))
    assert len(set(map(id, handles))) == 1
    assert cache.get(str(path), "y", object) is not handles[0]


def test_a_changed_file_gets_a_new_handle(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    cache: HandleCache[object] = HandleCache(2)
    first = cache.get(str(path), "x", object)
    os.utime(path, ns=(1, 1))
    assert cache.get(str(path), "x", object) is not first


def test_the_oldest_are_let_go(tmp_path: Path) -> None:
    cache: HandleCache[str] = HandleCache(2)
    for name in "abcab":
        (tmp_path / name).touch()
        made = []
        cache.get(str(tmp_path / name), "x", lambda name=name, made=made: made.append(name) or name)
        assert made == [name]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone is not there any more"):
        HandleCache(2).get(str(tmp_path / "gone"), "x", object)


def test_a_rewritten_array_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((3, 4, 5)))
    source = open_stack(path).source
    region = (slice(0, 3, 1), slice(0, 4, 1), slice(0, 5, 1))
    assert source.read(region).max() == 0
    np.save(tmp_path / "b.npy", np.ones((3, 4, 5)))
    os.replace(tmp_path / "b.npy", path)
    os.utime(path, ns=(5, 5))
    assert source.read(region).min() == 1


def test_an_array_that_shrank_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((30, 40, 5)))
    source = open_stack(path).source
    np.save(tmp_path / "b.npy", np.ones((3, 4, 5)))
    os.replace(tmp_path / "b.npy", path)
    with pytest.raises(ValueError, match=r"a\.npy is cut off"):
        source.read((slice(0, 3, 1), slice(0, 4, 1), slice(0, 5, 1)))


def test_elements_off_their_boundaries_are_copied_to_them(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    frames = np.arange(60.0).reshape(3, 4, 5)
    for name in ("x", "xy", "xyz", "wxyz"):
        np.savez(path, **{name: frames})
        block = open_stack(path).source.read((slice(0, 3, 1), slice(0, 4, 1), slice(0, 5, 1)))
        assert block.flags.aligned
        np.testing.assert_array_equal(block, frames)
