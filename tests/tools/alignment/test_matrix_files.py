"""Transforms of other programs: the order of x and y, steps that are composed, round trips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

import napari_framewise as fw
from napari_framewise.framework.model import Space
from napari_framewise.numerics import transforms
from napari_framewise.numerics.transforms import Motion
from napari_framewise.tools.alignment.matrix_files import read_model, write_model
from napari_framewise.tools.alignment.model import Transforms

SHAPE = (60, 84)


def series(motion: Motion, count: int = 5, first: bool = True) -> Transforms:
    """Random transforms of a family; the first may stay where it is."""
    rng = np.random.default_rng(6)
    matrices = np.tile(np.eye(3), (count, 1, 1))
    for number in range(int(first), count):
        matrices[number, :2] += rng.normal(0, 0.03, (2, 3))
        matrices[number, :2, 2] = rng.normal(0, 4, 2)
        matrices[number] = transforms.nearest(matrices[number], motion)
    space = Space("film", SHAPE, (1.0, 1.0), ("pixel", "pixel"))
    return Transforms(space, space, matrices, motion)


@pytest.mark.parametrize("ending", [".npy", ".csv", ".txt"])
@pytest.mark.parametrize("motion", ["translation", "euclidean", "similarity", "affine"])
@pytest.mark.parametrize("first", [True, False])
def test_what_is_written_is_read(tmp_path: Path, ending: str, motion: Motion, first: bool) -> None:
    model = series(motion, first=first)
    path = tmp_path / f"transforms{ending}"
    fw.write_model(model, path)
    found = fw.read_model(path)
    assert isinstance(found, Transforms)
    np.testing.assert_allclose(found.matrices, model.matrices, atol=1e-9)
    assert found.motion == motion


def test_pystackreg_s_matrices_move_an_image_as_pystackreg_does(tmp_path: Path) -> None:
    pystackreg = pytest.importorskip("pystackreg")
    rng = np.random.default_rng(1)
    image = ndimage.gaussian_filter(rng.normal(size=SHAPE), 3) * 100
    aligner = pystackreg.StackReg(pystackreg.StackReg.RIGID_BODY)
    angle = np.radians(4)
    matrix = np.array([[np.cos(angle), -np.sin(angle), 7.0], [np.sin(angle), np.cos(angle), -3.0]])
    theirs = aligner.transform(image, tmat=np.vstack([matrix, [0, 0, 1]]))
    np.save(tmp_path / "tmats.npy", np.vstack([matrix, [0, 0, 1]])[None])
    ours = transforms.warp(image, read_model(tmp_path / "tmats.npy").matrices[0])
    inner = np.isfinite(ours[6:-6, 6:-6]) & (theirs[6:-6, 6:-6] != 0)
    assert inner.mean() > 0.7
    away = np.abs(ours - theirs)[6:-6, 6:-6][inner]
    assert np.median(away) < 0.02 * image.std()
    # Rows and columns taken for each other would be far off.
    wrong = transforms.warp(image, np.vstack([matrix, [0, 0, 1]]))
    assert np.nanmedian(np.abs(wrong - theirs)) > 10 * np.median(away)


def test_pystackreg_aligns_with_what_is_written(tmp_path: Path) -> None:
    pystackreg = pytest.importorskip("pystackreg")
    rng = np.random.default_rng(2)
    wide = ndimage.gaussian_filter(rng.normal(size=(90, 110)), 3) * 100
    frames = np.stack([wide[10 + k : 70 + k, 12 - 2 * k : 96 - 2 * k] for k in range(4)])
    outcome = fw.run("alignment", stack=frames, to="frame", motion="translation")
    fw.write_model(outcome.models[0], tmp_path / "tmats.npy")
    aligner = pystackreg.StackReg(pystackreg.StackReg.TRANSLATION)
    moved = aligner.transform_stack(frames, tmats=np.load(tmp_path / "tmats.npy"))
    inner = (slice(None), slice(12, -12), slice(12, -12))
    assert np.abs(moved - frames[0])[inner].max() < 0.05 * frames.std()


def test_steps_from_slice_to_slice_are_composed_from_the_anchor(tmp_path: Path) -> None:
    block = "TRANSLATION\nSource img: {} Target img: {}\n{}\t{}\n0.0\t0.0\n0.0\t0.0\n\n30.0\t20.0\n"
    block += "0.0\t0.0\n0.0\t0.0\n\n"
    head = "MultiStackReg Transformation File\nFile Version 1.0\n{}\n"
    steps = [(3, 2, 31.0, 22.0), (4, 2, 31.5, 20.0), (1, 2, 29.0, 20.0)]
    text = "".join(block.format(*each) for each in steps)
    path = tmp_path / "steps.txt"
    path.write_text(head.format(0) + text)
    # Slice 2 stays; (x, y) becomes (row, column).
    shifts = read_model(path).matrices[:, :2, 2]
    np.testing.assert_allclose(shifts, [[0, -1], [0, 0], [2, 1], [2, 2.5]], atol=1e-12)
    path.write_text(head.format(1) + text)
    shifts = read_model(path).matrices[:, :2, 2]
    np.testing.assert_allclose(shifts, [[0, -1], [0, 0], [2, 1], [0, 1.5]], atol=1e-12)


def test_the_table_of_align_is_a_file_of_matrices(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    wide = ndimage.gaussian_filter(rng.normal(size=(80, 90)), 2) * 100
    frames = np.stack([wide[5 + k : 65 + k, 8 - k : 80 - k] for k in range(3)])
    outcome = fw.run("alignment", stack=frames, to="frame", motion="translation")
    fw.write_table(outcome.table("alignment"), tmp_path / "alignment.csv")
    model = fw.read_model(tmp_path / "alignment.csv")
    assert isinstance(model, Transforms)
    np.testing.assert_array_equal(model.matrices, outcome.models[0].matrices)
    again = fw.run("alignment", stack=frames, transforms=model)
    first, second = (np.asarray(each.layer("stack aligned").data) for each in (outcome, again))
    np.testing.assert_array_equal(first, second)


def test_what_a_format_can_t_hold_is_refused(tmp_path: Path) -> None:
    model = series("homography")
    with pytest.raises(ValueError, match="homography"):
        write_model(model, tmp_path / "a.txt")
    matrices = model.matrices.copy()
    matrices[2] = np.nan
    broken = Transforms(model.source, model.target, matrices, "affine")
    with pytest.raises(ValueError, match="have no transform"):
        write_model(broken, tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())
    write_model(broken, tmp_path / "a.csv")
    assert np.isnan(read_model(tmp_path / "a.csv").matrices[2]).all()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"nothing"),
        ("a.txt", b"\xff\xfe\x00"),
        ("a.txt", b"MultiStackReg Transformation File\nFile Version 1.0\n0\nBILINEAR\n"),
        ("a.txt", b"MultiStackReg Transformation File\nFile Version 1.0\n0\nAFFINE\nSource\n"),
        ("a.csv", b"a,b\n1,2\n"),
        ("a.csv", b""),
        ("a.npy", b"no array"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=name) as caught:
        fw.read_model(tmp_path / name)
    assert str(caught.value).endswith(".")
    np.save(tmp_path / "b.npy", np.zeros((4, 5)))
    with pytest.raises(ValueError, match="pystackreg"):
        fw.read_model(tmp_path / "b.npy")
