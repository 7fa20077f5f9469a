"""Elastic registration beside ITKElastix: known fields, sections with landmarks, and movies.

Photographs of 512 x 512 bent by random cubic B-spline fields, noise of deviation 3 in both images;
processor times of the whole process. `python benchmarks/bench_elastic.py [FOLDER]`, where FOLDER
holds the rat kidney of the BIRL collection (two .jpg, and .csv with X and Y beside each).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from skimage import color, data, io
from threadpoolctl import threadpool_limits

from napari_framewise.numerics.elastic import Settings, register, register_blocks, warm_up

SIDE, EDGE, NOISE = 512, 16, 3.0
SEED = 2031


def photograph(name: str) -> np.ndarray:
    image = getattr(data, name)()
    grey = 255 * color.rgb2gray(image) if image.ndim == 3 else image.astype(float)
    rows, columns = ((n - SIDE) // 2 if n > SIDE else 0 for n in grey.shape)
    return grey[rows : rows + SIDE, columns : columns + SIDE]


def bent(
    scene: np.ndarray, size: float, nodes: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reference, image, and where the reference's pixels are in the image."""
    rng = np.random.default_rng(seed)
    at = np.stack(np.meshgrid(*(np.linspace(1, nodes - 2, n) for n in scene.shape), indexing="ij"))
    shift = np.stack(
        [
            ndimage.map_coordinates(rng.normal(size=(nodes, nodes)), at, order=3, prefilter=False)
            for _ in range(2)
        ]
    )
    shift *= size / np.sqrt((shift**2).sum(axis=0)).max()
    there = np.indices(scene.shape) + shift
    reference = ndimage.map_coordinates(scene, there, order=5, mode="mirror")
    first, second = (each + rng.normal(0, NOISE, each.shape) for each in (reference, scene))
    return first, second, there


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    found = call()
    return found, time.process_time() - began


def own(reference: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    found = register(reference, image)
    there = found.field.on_grid([np.arange(n, dtype=float) for n in reference.shape])
    return there, {"det": found.least_determinant, "apart": found.inconsistency}


def elastix(reference: np.ndarray, image: np.ndarray, *, affine: bool = False) -> np.ndarray:
    import itk

    maps = itk.ParameterObject.New()
    for name in ("affine", "bspline") if affine else ("bspline",):
        maps.AddParameterMap(maps.GetDefaultParameterMap(name, 4, 32.0))
    fixed, moving = (itk.image_from_array(each.astype(np.float32)) for each in (reference, image))
    _, found = itk.elastix_registration_method(fixed, moving, parameter_object=maps)
    shift = itk.array_from_image(itk.transformix_deformation_field(moving, found))
    return np.indices(reference.shape) + np.moveaxis(shift, -1, 0)[::-1]


def methods() -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {"napari-framewise": lambda a, b: own(a, b)[0]}
    try:
        import itk

        assert itk.ParameterObject
        found["ITKElastix, bspline, 32 px"] = elastix
    except (ImportError, AttributeError, AssertionError):
        print("ITKElastix is not installed", file=sys.stderr)
    return found


def known_fields() -> None:
    cases = {name: (name, 12.0, 10, 1.0, 0.0) for name in ("camera", "retina", "cell")}
    cases["brick"] = ("brick", 6.0, 12, 1.0, 0.0)
    cases["camera, gain 0.85, offset 15"] = ("camera", 12.0, 10, 0.85, 15.0)
    sums: dict[str, list[tuple[float, float]]] = {}
    for number, (title, (name, size, nodes, gain, offset)) in enumerate(cases.items()):
        seed = SEED if name == "camera" else SEED + number
        reference, image, truth = bent(photograph(name), size, nodes, seed)
        image = gain * image + offset
        inside = ((truth >= EDGE) & (truth <= SIDE - 1 - EDGE)).all(axis=0)
        inside[:EDGE] = inside[-EDGE:] = inside[:, :EDGE] = inside[:, -EDGE:] = False

        def miss(there: np.ndarray, truth: np.ndarray = truth, inside: Any = inside) -> float:
            return float(np.sqrt(((there - truth) ** 2).sum(axis=0))[inside].mean())

        print(f"{title}: none {miss(np.indices(truth.shape[1:])):.3f} px")
        (_, numbers), _ = timed(lambda a=reference, b=image: own(a, b))
        for way, call in methods().items():
            there, seconds = timed(lambda c=call, a=reference, b=image: c(a, b))
            sums.setdefault(way, []).append((miss(there), seconds))
            print(f"  {way:32s} {miss(there):.3f} px {seconds:6.2f} s")
        print(f"  least determinant {numbers['det']:.2f}, there and back {numbers['apart']:.1g} px")
    for way, rows in sums.items():
        mean = np.mean(rows, axis=0)
        print(f"mean: {way:32s} {mean[0]:.3f} px {mean[1]:6.2f} s")


def sections(folder: Path) -> None:
    images, marks = [], []
    for stain in ("HE", "PanCytokeratin"):
        images.append(255 * io.imread(folder / f"Rat-Kidney_{stain}.jpg", as_gray=True) / 1.0)
        rows = np.genfromtxt(folder / f"Rat-Kidney_{stain}.csv", delimiter=",", skip_header=1)
        marks.append(rows[:, -1:-3:-1])
    count = min(map(len, marks))
    marks = [each[:count] for each in marks]
    for here, there in ((0, 1), (1, 0)):
        print(f"rat kidney, {('HE', 'PanCytokeratin')[here]} as the reference, landmarks:")
        start = np.sqrt(((marks[here] - marks[there]) ** 2).sum(axis=1))
        print(f"  none {start.mean():.2f} mean, {np.median(start):.2f} median")
        for way, call in methods().items():
            more = {"affine": True} if "Elastix" in way else {}
            found, seconds = timed(
                lambda c=call, a=here, b=there, m=more: c(images[a], images[b], **m)
            )
            at = np.stack([ndimage.map_coordinates(each, marks[here].T, order=1) for each in found])
            away = np.sqrt(((at.T - marks[there]) ** 2).sum(axis=1))
            print(
                f"  {way:32s} {away.mean():.2f} mean, {np.median(away):.2f} median, {seconds:.1f} s"
            )


def movie() -> None:
    """A frame of a movie, 1,024 x 1,024 spots with noise, by blocks and by splines."""
    rng = np.random.default_rng(SEED)
    spots = np.zeros((1024, 1024))
    spots[tuple(rng.integers(0, 1024, (2, 2600)))] = rng.gamma(2, 1, 2600)
    scene = 300 * ndimage.gaussian_filter(spots, 2.5) + 10
    reference, _, truth = bent(scene, 5.0, 10, SEED)
    first, second = rng.poisson(np.maximum(reference, 0)), rng.poisson(scene)
    inside = ((truth >= EDGE) & (truth <= 1023 - EDGE)).all(axis=0)
    ways: dict[str, Callable[[], Any]] = {
        "blocks, 32 px": lambda: register_blocks(first, second),
        "blocks, 64 px": lambda: register_blocks(first, second, settings=Settings(spacing=64.0)),
        "splines, 32 px": lambda: register(first, second),
    }
    for way, call in ways.items():
        found, seconds = timed(call)
        there = found.field.on_grid([np.arange(1024.0)] * 2)
        away = np.sqrt(((there - truth) ** 2).sum(axis=0))[inside].mean()
        print(f"a frame of 1,024 x 1,024, {way:15s} {away:.3f} px {seconds:6.2f} s")


def main() -> None:
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    # ITKElastix leaves a field where it is started. Threads of BLAS that wait count as work.
    with tempfile.TemporaryDirectory() as aside, threadpool_limits(1):
        os.chdir(aside)
        warm_up()
        if folder:
            sections(folder)
        known_fields()
        movie()
        os.chdir(Path(__file__).parent)


if __name__ == "__main__":
    main()
