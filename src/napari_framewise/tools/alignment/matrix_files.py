"""Transforms as other programs write them: MultiStackReg's text, pystackreg's array, CSV.

Inside, matrices act on (row, column, 1). TurboReg and all that is built on it count (x, y), with
pixel centres on whole numbers as well; their matrices lead from the reference to the image, too.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from napari_framewise.framework.model import Space
from napari_framewise.numerics.transforms import (
    MOTIONS,
    Motion,
    composed,
    fitted_to_points,
    inverse,
    mapped,
    nearest,
)
from napari_framewise.stacks.source import Array
from napari_framewise.tools.alignment.model import Transforms

_TITLE = "MultiStackReg Transformation File"
_VERSION = "File Version 1.0"
_WORDS: dict[Motion, str] = {
    "translation": "TRANSLATION",
    "euclidean": "RIGID_BODY",
    "similarity": "SCALED_ROTATION",
    "affine": "AFFINE",
}
_MOTIONS = {word: motion for motion, word in _WORDS.items()}
# Landmarks of each family that count: the others are zeros.
_POINTS = {"translation": 1, "euclidean": 3, "similarity": 2, "affine": 3}
_SWAP = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
_MOST_BYTES = 2**30
_CLOSE = 1e-9
# A first frame that moves by less, in pixels, stays where it is.
_STILL = 1e-6


def read_model(path: str | os.PathLike[str]) -> Transforms:
    """The transforms of a file, by its ending: .npy, .csv or .txt.

    Parameters
    ----------
    path : path
        .npy: pystackreg's matrices, (n, 3, 3) or (3, 3), in (x, y) order. .csv: a row per frame
        with the columns m00 to m22, in (row, column) order; the table of Align is one. .txt: a
        transformation file of MultiStackReg; where its steps lead from slice to slice they are
        composed.

    Raises
    ------
    ValueError
        In one sentence, where the file holds something else.
    """
    place = Path(path)
    if place.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} is larger than any file of transforms; give another file.")
    readers = {".npy": _read_array, ".csv": _read_csv, ".txt": _read_text}
    matrices, motion = readers[place.suffix.lower()](place)
    d = matrices.shape[1] - 1
    space = Space(place.stem, (), (1.0,) * d, ("pixel",) * d)
    return Transforms(space, space, matrices, motion or _family(matrices))


def write_model(model: Transforms, path: str | os.PathLike[str]) -> None:
    """Write transforms in the format of a file's ending; see `read_model`.

    Raises
    ------
    ValueError
        Where the format can't hold them: homographies and frames without a transform in .txt.
    """
    place = Path(path)
    writers = {".npy": _write_array, ".csv": _write_csv, ".txt": _write_text}
    part = place.with_name(f".{place.name}.part")
    try:
        writers[place.suffix.lower()](model, part, place)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def _read_array(path: Path) -> tuple[Array, None]:
    try:
        given = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is no array of numbers ({str(error).rstrip('.')}).") from None
    if given.shape == (3, 3):
        given = given[None]
    if given.ndim != 3 or given.shape[1:] != (3, 3) or given.dtype.kind not in "iuf":
        raise ValueError(
            f"{path} holds {given.dtype} of shape {given.shape}; matrices (n, 3, 3), as pystackreg "
            "gives them, are needed."
        )
    return _SWAP @ np.asarray(given, float) @ _SWAP, None


def _write_array(model: Transforms, part: Path, path: Path) -> None:
    _in_a_plane(model, path)
    with part.open("wb") as file:
        np.save(file, _SWAP @ np.asarray(model.matrices, float) @ _SWAP)


def _read_csv(path: Path) -> tuple[Array, None]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        mark = max(",;\t", key=first.count)
        rows = list(csv.DictReader(file, delimiter=mark))
    size = 4 if rows and "m33" in rows[0] else 3
    names = [f"m{row}{column}" for row in range(size) for column in range(size)]
    if not rows or not set(names) <= rows[0].keys():
        raise ValueError(
            f"{path} has no columns m00 to m22; give a row per frame with the entries of its "
            "matrix, from (row, column, 1) of the result to the frame."
        )
    try:
        values = np.array([[float(row[name] or "nan") for name in names] for row in rows])
    except (TypeError, ValueError):
        raise ValueError(
            f"{path} has entries in m00 to m22 that are no numbers; give numbers, or nan."
        ) from None
    return values.reshape(-1, size, size), None


def _write_csv(model: Transforms, part: Path, path: Path) -> None:
    matrices = np.asarray(model.matrices, float)
    size = matrices.shape[1]
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [f"m{row}{column}" for row in range(size) for column in range(size)]
        writer.writerow(["frame", *names])
        for number, matrix in enumerate(matrices):
            writer.writerow([number, *(repr(float(each)) for each in matrix.ravel())])


def _read_text(path: Path) -> tuple[Array, Motion | None]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        lines = []
    kept = [line.strip() for line in lines if line.strip()]
    if not kept or kept[0] != _TITLE or len(kept) < 3:
        raise ValueError(
            f"{path} is no transformation file of MultiStackReg: its first line is not '{_TITLE}'."
        )
    alone = kept[2] == "1"
    steps: dict[int, Array] = {}
    anchor, last = 1, 1
    words = set()
    rows = iter(kept[3:])
    for word in rows:
        if word not in _MOTIONS:
            raise ValueError(
                f"{path} has the transformation {word!r}; {', '.join(_MOTIONS)} are known."
            )
        words.add(word)
        motion = _MOTIONS[word]
        found = re.fullmatch(r"Source img: (\d+) Target img: (\d+)", next(rows, ""))
        if found is None:
            raise ValueError(f"{path} has a {word} without its source and target image.")
        source, target = (int(each) for each in found.groups())
        if not steps:
            anchor = target
        last = max(last, source, target)
        points = np.array([_pair(next(rows, ""), path) for _ in range(6)])[:, ::-1]
        count = _POINTS[motion]
        steps[source] = fitted_to_points(points[3 : 3 + count], points[:count], motion)
    if last > 10_000_000:
        raise ValueError(f"{path} speaks of slice {last:,}; that is no stack.")
    matrices = np.tile(np.eye(3), (last, 1, 1))
    if alone:
        for number, step in steps.items():
            matrices[number - 1] = step
    else:
        # From the slice that stays on, in both directions.
        for numbers in (range(anchor + 1, last + 1), range(anchor - 1, 0, -1)):
            total = np.eye(3)
            for number in numbers:
                total = composed(steps.get(number, np.eye(3)), total)
                matrices[number - 1] = total
    motions = [_MOTIONS[word] for word in words]
    widest: Motion = max(motions, key=MOTIONS.index, default="translation")
    return matrices, widest


def _write_text(model: Transforms, part: Path, path: Path) -> None:
    _in_a_plane(model, path)
    matrices = np.asarray(model.matrices, float)
    if model.motion not in _WORDS:
        raise ValueError(
            f"The transforms are of the motion {model.motion}, which {path} can't hold; save them "
            "as .npz, .npy or .csv."
        )
    missing = np.flatnonzero(~np.isfinite(matrices).all(axis=(1, 2)))
    if len(missing):
        raise ValueError(
            f"{len(missing):,} frames (the first is {missing[0]}) have no transform, which {path} "
            "can't say; save them as .npz or .csv."
        )
    rows, columns = model.target.shape if len(model.target.shape) == 2 else (512, 512)
    middle, left, right = (rows / 2, columns / 2), columns / 4, 3 * columns / 4
    top, bottom = rows / 4, 3 * rows / 4
    landmarks = {
        "translation": [middle],
        "euclidean": [middle, (top, columns / 2), (bottom, columns / 2)],
        "similarity": [(rows / 2, left), (rows / 2, right)],
        "affine": [(top, columns / 2), (bottom, left), (bottom, right)],
    }[model.motion]
    # A first frame that stays where it is: steps from slice to slice, as StackReg makes them.
    chained = bool(np.abs(matrices[0] - np.eye(3)).max() < _STILL)
    lines = [_TITLE, _VERSION, "0" if chained else "1"]
    for number, matrix in enumerate(matrices, 1):
        if chained and number == 1:
            continue
        step = composed(matrix, inverse(matrices[number - 2])) if chained else matrix
        target = 1 if chained else number
        lines += [_WORDS[model.motion], f"Source img: {number} Target img: {target}"]
        for points in (mapped(step, landmarks), np.array(landmarks)):
            lines += [f"{column!r}\t{row!r}" for row, column in points.tolist()]
            lines += ["0.0\t0.0"] * (3 - len(points))
            lines.append("")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _pair(line: str, path: Path) -> tuple[float, float]:
    try:
        x, y = (float(each) for each in line.split())
    except ValueError:
        raise ValueError(
            f"{path} has {line!r} where the x and y of a landmark are needed."
        ) from None
    return x, y


def _in_a_plane(model: Transforms, path: Path) -> None:
    if model.matrices.shape[1:] != (3, 3):
        raise ValueError(
            f"The transforms are those of volumes, but {path} holds those of planes; save them as "
            ".npz or .csv."
        )


def _family(matrices: Array) -> Motion:
    """The narrowest family that holds all matrices."""
    known = matrices[np.isfinite(matrices).all(axis=(1, 2))]
    if matrices.shape[1] != 3:
        still = np.abs(known[:, :3, :3] - np.eye(3)).max(initial=0.0) < _CLOSE
        return "translation" if still else "euclidean"
    return next(
        (each for each in MOTIONS if _within(known, each)),
        "homography",
    )


def _within(matrices: Iterable[Array], motion: Motion) -> bool:
    return all(
        bool(np.abs(nearest(each, motion) - each / each[2, 2]).max() < _CLOSE) for each in matrices
    )
