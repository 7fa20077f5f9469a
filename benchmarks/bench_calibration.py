"""Grid nodes and calibration on lenses in Brown's model, beside OpenCV and discorpy, in one run.

Nothing of the tools was chosen on these lenses. Nodes are compared with where the lens shows them;
the field with the lens at values between those calibrated; and what one image alone gives, on a
dense grid that each method straightens, up to the homography that fits best.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import cv2
import numpy as np
from common.lens_scenes import (
    COUNT,
    FOCAL,
    LENSES,
    PITCH,
    SHAPE,
    VALUES,
    Lens,
    drawn,
    straight_nodes,
)
from common.measuring import print_table
from scipy.spatial import cKDTree

from napari_framewise.numerics.bsplines import Lattice
from napari_framewise.numerics.calibration import at_value, fit_field, regular_grid, straight_from
from napari_framewise.numerics.grid_nodes import find_nodes

NOISE = 3.0
PATTERNS = ("chessboard", "dots", "lines")
BETWEEN = np.array(VALUES[:-1]) + 0.5


def main(*numbers: int) -> None:
    for number in numbers or range(len(LENSES)):
        lens = LENSES[number]
        rows, single = [], []
        for pattern in PATTERNS:
            images = [
                np.clip(np.rint(drawn(lens, pattern, value, NOISE, 40 + k)), 0, 255).astype("u1")
                for k, value in enumerate(VALUES)
            ]
            began = time.process_time()
            found = [find_nodes(image, pattern) for image in images]
            spent = (time.process_time() - began) / len(images)
            rows.append((pattern, *nodes_row(lens, found), f"{spent:.2f}"))
            rows.append((f"{pattern}, OpenCV", *opencv_row(lens, pattern, images)))
            rows.append((f"{pattern}, field", *field_row(lens, found)))
            single += [(pattern, *row) for row in single_rows(lens, found[-1])]
        head = ("", "found", "RMS px", "largest px", "CPU s an image")
        print_table(f"{lens.name}: nodes at {VALUES}, field between", head, rows)
        print_table(
            f"{lens.name}: one image at {VALUES[-1]:g}, straightened",
            ("", "method", "RMS px", "largest px"),
            single,
        )


def summed(off: Any) -> tuple[str, str]:
    return f"{np.sqrt((off**2).mean()):.4f}", f"{off.max():.3f}"


def nodes_row(lens: Lens, found: Any) -> tuple[str, ...]:
    off = [
        cKDTree(lens.seen(straight_nodes(), value)).query(each.places)[0]
        for value, each in zip(VALUES, found, strict=True)
    ]
    count = sum(map(len, off))
    return f"{count} of {len(VALUES) * np.prod(COUNT)}", *summed(np.concatenate(off))


def field_row(lens: Lens, found: Any) -> tuple[str, ...]:
    ideal, given = straight_nodes(), []
    for value, each in zip(VALUES, found, strict=True):
        _, which = cKDTree(lens.seen(ideal, value)).query(each.places)
        given.append((np.full(len(which), value), ideal[which], each.places))
    began = time.process_time()
    field = fit_field(*map(np.concatenate, zip(*given, strict=True)), SHAPE, PITCH)
    spent = time.process_time() - began
    at = np.random.default_rng(0).uniform(ideal.min(axis=0), ideal.max(axis=0), (3000, 2))
    off = []
    for value in BETWEEN:
        true = lens.seen(at, value)
        inside = ((true > 0) & (true < np.array(SHAPE) - 1)).all(axis=1)
        got = at + field.fit.values(np.column_stack([np.full(len(at), value), at])).T
        off.append(np.hypot(*(got - true)[inside].T))
    return "", *summed(np.concatenate(off)), f"{spent:.2f} (fit)"


def opencv_row(lens: Lens, pattern: str, images: Any) -> tuple[str, ...]:
    size = COUNT[::-1]
    off, spent, count = [], 0.0, 0
    for value, image in zip(VALUES, images, strict=True):
        began = time.process_time()
        if pattern == "chessboard":
            good, found = cv2.findChessboardCornersSB(image, size)
        elif pattern == "dots":
            good, found = cv2.findCirclesGrid(image, size)
        else:
            return "has none", "", "", ""
        spent += time.process_time() - began
        if good:
            places = found.reshape(-1, 2)[:, ::-1]
            off.append(cKDTree(lens.seen(straight_nodes(), value)).query(places)[0])
            count += len(places)
    if not off:
        return "0", "", "", f"{spent / len(images):.2f}"
    said = summed(np.concatenate(off))
    return f"{count} of {len(VALUES) * np.prod(COUNT)}", *said, f"{spent / len(images):.2f}"


def single_rows(lens: Lens, found: Any) -> list[tuple[str, ...]]:
    """What one image gives: the same nodes to every method."""
    ideal, value = straight_nodes(), VALUES[-1]
    _, which = cKDTree(lens.seen(ideal, value)).query(found.places)
    index = np.argwhere(np.ones(COUNT))[which]
    inner = np.random.default_rng(1).uniform(ideal.min(axis=0), ideal.max(axis=0), (2000, 2))
    dense = lens.seen(inner, value)
    methods = {
        "Calibration": by_spline(found.places, index, dense),
        "OpenCV calibrateCamera": by_opencv(found.places, index, dense),
        "discorpy, 5 coefficients": by_discorpy(found.places, index, dense),
    }
    return [(name, *summed(misfit(inner, places))) for name, places in methods.items()]


def misfit(ideal: Any, places: Any) -> Any:
    matrix, _ = cv2.findHomography(places, ideal)
    moved = np.column_stack([places, np.ones(len(places))]) @ matrix.T
    return np.hypot(*(moved[:, :2] / moved[:, 2:] - ideal).T)


def by_spline(places: Any, index: Any, dense: Any) -> Any:
    origin, (down, right) = regular_grid(places, index)
    rows, columns = index.T.astype(float)
    straight = origin + np.stack(
        [columns * down + rows * right, columns * right - rows * down], axis=1
    )
    field = fit_field(np.zeros(len(places)), straight, places, SHAPE, float(np.hypot(down, right)))
    axes = field.fit.lattice.axes
    (plane,) = at_value(axes[0], field.fit.coefficients, 0.0)
    return straight_from(Lattice(axes[1:]), plane, dense)


def by_opencv(places: Any, index: Any, dense: Any) -> Any:
    board = np.column_stack([index[:, ::-1], np.zeros(len(index))]).astype(np.float32)
    camera = np.array([[FOCAL, 0, SHAPE[1] / 2], [0, FOCAL, SHAPE[0] / 2], [0, 0, 1]])
    flags = cv2.CALIB_USE_INTRINSIC_GUESS | cv2.CALIB_FIX_FOCAL_LENGTH
    seen = places[:, ::-1].astype(np.float32)
    _, camera, lens, _, _ = cv2.calibrateCamera(
        [board], [seen], SHAPE[::-1], camera, np.zeros(5), flags=flags
    )
    straight = cv2.undistortPoints(dense[:, None, ::-1].copy(), camera, lens, P=camera)
    return straight[:, 0, ::-1]


def by_discorpy(places: Any, index: Any, dense: Any) -> Any:
    from discorpy.post import postprocessing
    from discorpy.proc import processing

    rows = [places[index[:, 0] == k] for k in range(COUNT[0])]
    columns = [places[index[:, 1] == k] for k in range(COUNT[1])]
    lines = [[line[np.argsort(line[:, 1])] for line in rows]]
    lines += [[line[np.argsort(line[:, 0])] for line in columns]]
    x, y = processing.find_cod_coarse(*lines)
    x, y = processing.find_cod_fine(*lines, x, y, 5)
    factors = processing.calc_coef_backward(*lines, x, y, 5)
    (straight,) = postprocessing.unwarp_line_backward([dense], x, y, factors)
    return np.asarray(straight)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
