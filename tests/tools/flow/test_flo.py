"""Flow files: read and written byte for byte as the benchmark's own, and damaged ones refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

import napari_framewise as fw
from napari_framewise.framework.model import Space
from napari_framewise.tools.flow.flo import read_flo, write_flo
from napari_framewise.tools.flow.model import FlowModel


def flow() -> np.ndarray:
    values = np.random.default_rng(0).normal(0, 5, (2, 4, 7)).astype(np.float32)
    values[:, 1, 2] = np.nan
    return values


def test_a_file_is_laid_out_as_the_benchmark_says(tmp_path: Path) -> None:
    path = tmp_path / "small.flo"
    write_flo(np.array([[[1.0, 2.0]], [[-3.0, 0.5]]]), path)
    # "PIEH", width, height, then x and y of each pixel.
    assert path.read_bytes() == b"PIEH" + struct.pack("<ii4f", 2, 1, -3.0, 1.0, 0.5, 2.0)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "flow.flo"
    write_flo(flow(), path)
    np.testing.assert_array_equal(read_flo(path), flow())
    assert [each.name for each in tmp_path.iterdir()] == ["flow.flo"]


def test_a_flow_opens_as_a_stack_of_its_components(tmp_path: Path) -> None:
    path = tmp_path / "flow.flo"
    write_flo(flow(), path)
    stack = fw.open_stack(path)
    assert stack.shape == (2, 4, 7)
    np.testing.assert_array_equal(stack.frame(1), flow()[1])
    np.testing.assert_array_equal(stack.read(0, 1, rows=(1, 3))[0], flow()[0, 1:3])


def test_a_flow_is_a_model(tmp_path: Path) -> None:
    path = tmp_path / "flow.flo"
    write_flo(flow(), path)
    model = fw.read_model(path)
    assert isinstance(model, FlowModel)
    np.testing.assert_array_equal(model.displacement, flow()[None])
    fw.write_model(model, tmp_path / "again.flo")
    assert (tmp_path / "again.flo").read_bytes() == path.read_bytes()


def test_several_pairs_do_not_fit_in_one_file(tmp_path: Path) -> None:
    space = Space("a", (4, 7), (1.0, 1.0), ("pixel", "pixel"))
    model = FlowModel(space, space, np.zeros((3, 2, 4, 7), np.float32), "next")
    with pytest.raises(ValueError, match=r"save it as \.npz"):
        fw.write_model(model, tmp_path / "all.flo")
    fw.write_model(model, tmp_path / "all.npz")
    again = fw.read_model(tmp_path / "all.npz")
    assert isinstance(again, FlowModel)
    assert again.pairs == "next"
    assert again.displacement.shape == (3, 2, 4, 7)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not begin"),
        (b"\x89PNG but not a flow", "does not begin"),
        (b"PIEH\x02\x00", "ends before"),
        (b"PIEH" + struct.pack("<ii", 2, 2) + b"\x00" * 8, "damaged"),
        (b"PIEH" + struct.pack("<ii", -2, 2), "damaged"),
        (b"PIEH" + struct.pack("<ii", 0, 0), "damaged"),
        (b"PIEH" + struct.pack("<ii", 2**30, 2**30), "damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.flo"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_flo(path)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 4), (2, 0, 5)])
def test_what_is_no_flow_of_a_plane_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="one plane"):
        write_flo(np.zeros(shape), tmp_path / "no.flo")
    assert not list(tmp_path.iterdir())
