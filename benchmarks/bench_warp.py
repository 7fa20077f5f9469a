"""Warps that shrink: what aliases, what is lost, and the time beside the peers, in one run.

A zone plate of 1,024 x 1,024; processor times of one thread, the least of five.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_framewise.numerics.transforms import inverse, jacobian, mapped
from napari_framewise.numerics.warp import BandLimited, footprints, fourier_warped, prepared, warped

SIDE = 1024
CENTRE = (SIDE - 1) / 2
SWAP = np.eye(3)[[1, 0, 2]]
REPEATS = 5


def plate(places: np.ndarray) -> np.ndarray:
    return 128 + 100 * np.cos(np.pi * ((places - CENTRE) ** 2).sum(-1) / SIDE)


def turned(scale: tuple[float, float], degrees: float) -> tuple[np.ndarray, tuple[int, int]]:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = (round(SIDE / scale[0]), round(SIDE / scale[1]))
    matrix = np.eye(3)
    matrix[:2, :2] = turn @ np.diag(scale)
    matrix[:2, 2] = CENTRE - matrix[:2, :2] @ ((np.array(shape) - 1) / 2)
    return matrix, shape


GEOMETRIES = {
    "1/4, no turn": turned((4, 4), 0),
    "1/4, 17 degrees": turned((4, 4), 17),
    "1/1.7, 30 degrees": turned((1.7, 1.7), 30),
    "1/6 by 1/1.5, 40 degrees": turned((6, 1.5), 40),
    "perspective": (
        np.array([[2.55, 0.0, 100.0], [0.55, 1.8, 150.0], [7e-4, 0.0, 1.0]]),
        (300, 400),
    ),
}


def least(call: Callable[[], Any]) -> tuple[Any, float]:
    found, best = call(), np.inf
    for _ in range(REPEATS):
        began = time.process_time()
        found = call()
        best = min(best, time.process_time() - began)
    return found, 1e3 * best


def scores(found: np.ndarray, places: np.ndarray, slopes: np.ndarray) -> tuple[float, float]:
    there = np.einsum("...ji,...j->...i", slopes, (places - CENTRE) / SIDE)
    size = np.linalg.norm(there, axis=-1)
    inside = ((places >= 16) & (places <= SIDE - 17)).all(-1)
    stop, passed = inside & (size > 0.6), inside & (size < 0.175)
    error = (found - plate(places))[passed]
    return (
        float(np.sqrt(np.mean((found[stop] - 128) ** 2))),
        float(np.sqrt(np.mean(error**2))),
    )


def peers(image: np.ndarray, matrix: np.ndarray, shape: tuple[int, int]) -> dict[str, Any]:
    """Calls of what is installed."""
    found: dict[str, Any] = {}
    resize = np.allclose(matrix[:2, :2], np.diag(np.diag(matrix[:2, :2]))) and matrix[2, 0] == 0
    size = shape[::-1]
    try:
        import cv2

        cv2.setNumThreads(1)
        forward = SWAP @ inverse(matrix) @ SWAP
        for name, flag in (("LINEAR", 1), ("AREA", 3), ("CUBIC", 2), ("LANCZOS4", 4)):
            found[f"OpenCV warpPerspective {name}"] = lambda flag=flag: cv2.warpPerspective(
                image, forward, size, flags=flag
            )
        if resize:
            found["OpenCV resize AREA"] = lambda: cv2.resize(image, size, interpolation=3)
    except ImportError:
        print("OpenCV is not installed", file=sys.stderr)
    from skimage import transform

    xy = transform.ProjectiveTransform(SWAP @ matrix @ SWAP)
    found["scikit-image warp, order 3"] = lambda: transform.warp(
        image, xy, output_shape=shape, order=3, preserve_range=True
    )
    if resize:
        found["scikit-image resize, anti-aliasing"] = lambda: transform.resize(
            image, shape, anti_aliasing=True, preserve_range=True
        )
    try:
        from PIL import Image

        picture = Image.fromarray(image)
        if resize:
            for name in ("LANCZOS", "BICUBIC", "BOX"):
                way = getattr(Image.Resampling, name)
                found[f"Pillow resize {name}"] = lambda way=way: np.asarray(
                    picture.resize(size, way)
                )
    except ImportError:
        print("Pillow is not installed", file=sys.stderr)
    if matrix[2, 0] == matrix[2, 1] == 0:
        found |= sitk(image, SWAP @ matrix @ SWAP, size)
    if shutil.which("convert") and "ImageMagick 6" in version():
        for name in ("Robidoux", "Lanczos"):
            found[f"ImageMagick {name} (wall)"] = lambda name=name: magick(
                image, matrix, shape, name
            )
    else:
        print("ImageMagick is not installed", file=sys.stderr)
    return found


def sitk(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> dict[str, Any]:
    try:
        import SimpleITK
    except ImportError:
        print("SimpleITK is not installed", file=sys.stderr)
        return {}
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    given = SimpleITK.GetImageFromArray(image)
    move = SimpleITK.AffineTransform(2)
    move.SetMatrix(matrix[:2, :2].ravel().tolist())
    move.SetTranslation(matrix[:2, 2].tolist())

    def call() -> np.ndarray:
        found = SimpleITK.Resample(
            given, size, move, SimpleITK.sitkBSpline, (0.0, 0.0), (1.0, 1.0), (1, 0, 0, 1), 0.0
        )
        return np.asarray(SimpleITK.GetArrayFromImage(found))

    return {"SimpleITK B-spline": call}


def version() -> str:
    return subprocess.run(["convert", "-version"], capture_output=True, text=True).stdout


def magick(image: np.ndarray, matrix: np.ndarray, shape: tuple[int, int], name: str) -> np.ndarray:
    """ImageMagick's distortion, through files; it counts from pixel edges."""
    from skimage import io

    edge = np.eye(3)
    edge[:2, 2] = 0.5
    h = edge @ SWAP @ inverse(matrix) @ SWAP @ np.linalg.inv(edge)
    h = h / h[2, 2]
    values = ",".join(f"{value:.12g}" for value in h.ravel()[:8])
    rows, columns = shape
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.png"), Path(folder, "out.png")
        io.imsave(source, np.rint(image * 257).astype(np.uint16), check_contrast=False)
        subprocess.run(
            ["convert", source, "-virtual-pixel", "mirror", "-filter", name, "-define",
             f"distort:viewport={columns}x{rows}+0+0", "-distort", "PerspectiveProjection",
             values, "-depth", "16", target],
            check=True,
        )  # fmt: skip
        return np.asarray(io.imread(target), float) / 257


def main() -> None:
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), -1).astype(float)
    image = plate(grid).astype(np.float32)
    own = prepared(image[None])
    for title, (matrix, shape) in GEOMETRIES.items():
        at, placing = least(
            lambda m=matrix, s=shape: footprints(
                lambda p: mapped(m, p), lambda p: jacobian(m, p), s, corners=False
            )
        )
        full = footprints(
            lambda p, m=matrix: mapped(m, p), lambda p, m=matrix: jacobian(m, p), shape
        )
        print(f"\n{title}: stop, pass, ms")
        for kernel in ("jinc", "robidoux", "mitchell", "area"):
            found, ms = least(lambda k=kernel, w=full: warped(own, w, kernel=k))
            stop, passed = scores(found[0], at.places, at.slopes)
            print(f"  napari-framewise {kernel:34s} {stop:6.2f} {passed:6.2f} {ms + placing:8.1f}")
        if matrix[2, 0] == matrix[2, 1] == 0:
            found, ms = least(
                lambda m=matrix, w=at: fourier_warped(own, w, BandLimited(own.planes, m[:2, :2]))
            )
            stop, passed = scores(found[0], at.places, at.slopes)
            print(
                f"  napari-framewise {'fourier':34s} {stop:6.2f} {passed:6.2f} {ms + placing:8.1f}"
            )
        for name, call in peers(image, matrix, shape).items():
            found, ms = least(call)
            stop, passed = scores(np.asarray(found, float), at.places, at.slopes)
            print(f"  {name:51s} {stop:6.2f} {passed:6.2f} {ms:8.1f}")


if __name__ == "__main__":
    main()
