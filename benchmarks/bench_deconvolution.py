"""Deconvolution beside its peers: decibels, border, processor seconds, in one run.

``python benchmarks/bench_deconvolution.py``. The set-up of Beck and Teboulle (2009): a Gaussian of
9 x 9 pixels, sigma 4, reflected borders, noise of 0.001 of the range; then the same blur with the
frame cut out of a scene of twice the size. Peers pad by 32 pixels where they have no such border,
and take the best of a few weights or numbers of iterations beside the truth, which here is not
known: weight and noise are found from the frame. The camera was looked at while constants were
chosen; the other scenes were not. Peers that are not installed are named.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
from common.measuring import print_table
from scipy import ndimage
from skimage import color, data, restoration, transform

from napari_framewise.numerics.deconvolution import Method, Settings, prepare, restore
from napari_framewise.numerics.psf import gaussian_psf

Image = np.ndarray[Any, Any]
Restore = Callable[[Image], Image]
PAD, BORDER, NOISE, SEEDS = 32, 10, 1e-3, (11, 12, 13)
WEIGHTS = (1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
CHOSEN, HELD = ("camera", "astronaut"), ("moon", "brick", "coffee")


def optional(name: str) -> Any:
    """A peer, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def kernel() -> Image:
    y, x = np.mgrid[-4:5, -4:5]
    weights = np.exp(-(x * x + y * y) / 32.0)
    return np.asarray(weights / weights.sum())


def scene(name: str, size: int) -> Image:
    image = getattr(data, name)()
    grey = color.rgb2gray(image) if image.ndim == 3 else image / 255.0
    side = min(grey.shape)
    return np.asarray(transform.resize(grey[:side, :side], (size, size), order=3))


def reflected(name: str, seed: int) -> tuple[Image, Image]:
    truth = scene(name, 512)
    seen = ndimage.convolve(truth, kernel(), mode="reflect")
    return truth, seen + np.random.default_rng(seed).normal(0, NOISE, seen.shape)


def cropped(name: str, seed: int) -> tuple[Image, Image]:
    whole, part = scene(name, 1024), np.s_[256:768, 256:768]
    seen = ndimage.convolve(whole, kernel(), mode="reflect")[part]
    return whole[part], seen + np.random.default_rng(seed).normal(0, NOISE, seen.shape)


def scores(found: Image, truth: Image) -> tuple[float, float, float]:
    """Decibels of all, of the inside, of the border."""
    squares, inner = np.square(found - truth), np.zeros(truth.shape, bool)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    means = (squares.mean(), squares[inner].mean(), squares[~inner].mean())
    return tuple(float(-10 * np.log10(each)) for each in means)  # type: ignore[return-value]


def ours(border: str, method: Method = "tv") -> Restore:
    def run(seen: Image) -> Image:
        settings = Settings(method=method, boundary=border)  # type: ignore[arg-type]
        return restore(seen, prepare(kernel(), seen.shape, settings)).image

    return run


def padded(method: Restore) -> Restore:
    inner = np.s_[PAD:-PAD, PAD:-PAD]
    return lambda seen: method(np.pad(seen, PAD, mode="symmetric"))[inner]


def peers() -> Iterator[tuple[str, list[Restore]]]:
    """Each peer with a few settings, of which the best counts."""
    point = kernel()
    yield (
        "scikit-image Wiener",
        [
            padded(lambda seen, w=w: restoration.wiener(seen, point, w, clip=False))  # type: ignore[misc]
            for w in WEIGHTS
        ],
    )
    yield (
        "scikit-image Richardson-Lucy",
        [
            padded(lambda seen, n=n: restoration.richardson_lucy(seen, point, n, clip=False))  # type: ignore[misc]
            for n in (50, 100)
        ],
    )
    simple = optional("SimpleITK")
    if simple is not None:
        yield "SimpleITK Tikhonov", [padded(itk(simple, "Tikhonov", w)) for w in WEIGHTS]
        yield "SimpleITK projected Landweber", [padded(itk(simple, "ProjectedLandweber", 300))]
    diplib = optional("diplib")
    if diplib is not None:
        yield (
            "DIPlib Wiener",
            [
                lambda seen, w=w: np.asarray(  # type: ignore[misc]
                    diplib.WienerDeconvolution(diplib.Image(seen), diplib.Image(point), w, {"pad"})
                )
                for w in WEIGHTS
            ],
        )
        yield (
            "DIPlib Richardson-Lucy, TV",
            [
                lambda seen: np.asarray(
                    diplib.RichardsonLucy(
                        diplib.Image(seen), diplib.Image(point), 1e-4, 30, {"pad"}
                    )
                )
            ],
        )
    if optional("pyproximal") is not None:
        yield "pyproximal FISTA, TV", [padded(proximal(w)) for w in (2e-5,)]


def itk(simple: Any, name: str, amount: float) -> Restore:
    def run(seen: Image) -> Image:
        image, point = simple.GetImageFromArray(seen), simple.GetImageFromArray(kernel())
        if name == "Tikhonov":
            found = simple.TikhonovDeconvolution(image, point, amount, True)
        else:
            found = simple.ProjectedLandweberDeconvolution(image, point, 1.0, int(amount), True)
        return np.asarray(simple.GetArrayFromImage(found))

    return run


def proximal(weight: float) -> Restore:
    import pylops
    import pyproximal

    def run(seen: Image) -> Image:
        point = kernel()
        blur = pylops.signalprocessing.Convolve2D(seen.shape, h=point, offset=(4, 4))
        residual = pyproximal.L2(Op=blur, b=seen.ravel())
        variation = pyproximal.TV(dims=seen.shape, sigma=weight, niter=10)
        found = pyproximal.optimization.primal.ProximalGradient(
            residual, variation, x0=seen.ravel(), tau=1.0, niter=50, acceleration="fista"
        )
        return np.asarray(found).reshape(seen.shape)

    return run


def timed(method: Restore, seen: Image) -> tuple[Image, float]:
    began = time.process_time()
    found = method(seen)
    return found, time.process_time() - began


def beside(make: Callable[[str, int], tuple[Image, Image]], border: str) -> list[list[object]]:
    """Here and the peers on the camera."""
    truth, seen = make("camera", SEEDS[0])
    ours(border)(seen[:64, :64])
    methods: list[tuple[str, list[Restore]]] = [
        ("tv (the default)", [ours(border)]),
        ("tv_fista", [ours(border, "tv_fista")]),
        ("richardson_lucy", [ours(border, "richardson_lucy")]),
        ("tikhonov", [ours(border, "tikhonov")]),
        ("wiener", [ours(border, "wiener")]),
        *peers(),
    ]
    rows: list[list[object]] = [["blurred", *(f"{each:.2f}" for each in scores(seen, truth)), ""]]
    for title, tries in methods:
        found = [timed(each, seen) for each in tries]
        image, taken = max(found, key=lambda pair: scores(pair[0], truth)[0])
        rows.append([title, *(f"{each:.2f}" for each in scores(image, truth)), taken])
    return rows


def over_scenes() -> list[list[object]]:
    """Means over the seeds, the scenes of choice first."""
    rows: list[list[object]] = []
    for name in (*CHOSEN, *HELD):
        row: list[object] = [name if name in CHOSEN else f"{name}, held out"]
        for make, border in ((reflected, "reflect"), (cropped, "unknown")):
            before, after, seconds = [], [], []
            for seed in SEEDS:
                truth, seen = make(name, seed)
                image, taken = timed(ours(border), seen)
                before.append(scores(seen, truth)[0])
                after.append(scores(image, truth))
                seconds.append(taken)
            whole, inside, edge = np.mean(after, axis=0)
            gap = f"{inside - edge:+.2f}"
            row += [f"{np.mean(before):.2f}", f"{whole:.2f}", gap, float(np.mean(seconds))]
        rows.append(row)
    return rows


def volumes() -> list[list[object]]:
    """Twenty iterations of Richardson-Lucy on 64 x 256 x 256."""
    point = gaussian_psf((1.5, 1.5, 1.5))[1:-1, 1:-1, 1:-1]
    random = np.random.default_rng(0)
    truth = np.zeros((64, 256, 256), np.float32)
    truth[tuple(random.integers(4, n - 4, 300) for n in truth.shape)] = 3e4
    truth = ndimage.gaussian_filter(truth, 1.0) + 100
    seen = ndimage.gaussian_filter(truth, 1.5, mode="nearest")
    seen = random.poisson(seen).astype(np.float32)
    settings = Settings(method="richardson_lucy", iterations=20, noise=1e-3, tolerance=0.0)
    whole = {
        "here": lambda: restore(seen, prepare(point, seen.shape, settings)).image,
        "scikit-image": lambda: restoration.richardson_lucy(
            seen, point.astype(np.float32), 20, clip=False
        ),
    }
    edge = np.ones(truth.shape, bool)
    edge[5:-5, 5:-5, 5:-5] = False
    rows: list[list[object]] = []
    for title, method in whole.items():
        began = time.process_time()
        found = method()
        taken = time.process_time() - began
        dark = np.median(found[edge & (truth < 101)])
        rows.append([title, taken, f"{dark:.1f}"])
    return rows


def main() -> None:
    missing = [name for name in ("SimpleITK", "diplib", "pyproximal") if optional(name) is None]
    if missing:
        print(f"Not installed, and so not measured: {', '.join(missing)}.")
    heads = ["Method", "dB", "inside", "10-pixel border", "CPU s"]
    print_table("Reflected borders, camera 512 x 512", heads, beside(reflected, "reflect"))
    print_table("Part of a larger scene, camera 512 x 512", heads, beside(cropped, "unknown"))
    print_table(
        f"The default, means of {len(SEEDS)} seeds: reflected borders; part of a larger scene",
        ["Scene", *("blurred dB", "dB", "inside - border", "CPU s") * 2],
        over_scenes(),
    )
    print_table(
        "Richardson-Lucy, 20 iterations, 64 x 256 x 256",
        ["", "CPU s", "median at the border, 100 is right"],
        volumes(),
    )


if __name__ == "__main__":
    main()
