"""Abundances per pixel from a stack of bands and known spectra.

Every pixel's spectrum is a small mixing problem of its own, on the same design and solver as
`mixing`: ``y = sum_k b_k S_k [+ c] + noise`` over the bands, unbounded, with a sum to one,
non-negative, or both (fully constrained: Heinz & Chang, 2001, IEEE Trans. Geosci. Remote Sens.
39, 529-545; solved exactly here, see `constrained`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import KERNEL_DTYPES, real_array
from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.mixing import (
    Constraint,
    Design,
    Status,
    empty_fit,
    fit_masked,
    prepare,
)
from napari_framewise.numerics.unmixing import kernel

FloatArray = NDArray[np.float64]

# what is said of mixtures of images, in the words of unmixing; longer words first
_WORDS = {
    "weight image": "row of band weights",
    "references": "spectra",
    "reference": "spectrum",
    "pixels": "bands",
    "pixel": "band",
    "Coefficient": "Abundance",
    "coefficient": "abundance",
    "the frames' shape": "one weight per band,",
}


@dataclass(frozen=True)
class Unmixing:
    """Abundance maps of a tile.

    float32 for cubes of up to 16 bits and of float32, else float64.

    Attributes
    ----------
    abundances, errors : (K, *pixels) float32 or float64
        Share of each spectrum and its classical standard error; NaN where a bound holds it.
    residual : (*pixels) float32 or float64
        Root mean square (weighted) of the residual over the bands.
    at_bound : (K, *pixels) bool
        The abundance is held by an active bound.
    status : (*pixels) uint8
        Bits of `mixing.Status`.
    """

    abundances: NDArray[Any]
    errors: NDArray[Any]
    residual: NDArray[Any]
    at_bound: NDArray[np.bool_]
    status: NDArray[np.uint8]


def prepare_spectra(
    spectra: ArrayLike,
    *,
    constraint: Constraint = "fully_constrained",
    bounds: tuple[ArrayLike, ArrayLike] | None = None,
    offset: bool = False,
    weights: ArrayLike | None = None,
) -> Design:
    """Prepare the unmixing of many pixels into a few spectra.

    Parameters
    ----------
    spectra : (K, band)
        2 to 16 spectra. Flat spectra, and with a sum to one a spectrum of zeros (shade), are
        spectra like others. Bands where any spectrum is not finite are left out.
    constraint, bounds, offset, weights
        As in `mixing.prepare`; weights (band,).

    Raises
    ------
    ValueError
        If the spectra cannot be told apart or the bounds cannot be met; says why.

    Examples
    --------
    >>> prepare_spectra([[1.0, 2.0, 3.0], [3.0, 1.0, 1.0]]).n_references
    2
    """
    if np.ndim(spectra) != 2 or len(np.asarray(spectra)) < 2:
        raise ValueError(
            f"The spectra have shape {np.shape(spectra)}; at least two of them, as rows of one "
            "value per band, are needed."
        )
    try:
        return prepare(
            spectra, constraint=constraint, bounds=bounds, offset=offset, weights=weights
        )
    except ValueError as error:
        raise ValueError(_of_spectra(str(error))) from None


def _of_spectra(sentence: str) -> str:
    """A sentence about references and pixels in the words of spectra and bands."""
    return re.sub("|".join(_WORDS), lambda found: _WORDS[found[0]], sentence)


def unmix(cube: ArrayLike, design: Design) -> Unmixing:
    """Unmix a tile of pixels, read as it lies, without transposing it.

    Parameters
    ----------
    cube : (band, *pixels)
        Any real dtype. Bands of a pixel that are NaN or infinite are no data: they are left out
        for that pixel only.
    design : Design
        From `prepare_spectra`.

    Returns
    -------
    Unmixing
        NaN and a status where a pixel has no answer.

    Raises
    ------
    ValueError
        If the cube has another number of bands than the spectra, or is not real numbers.

    Examples
    --------
    >>> design = prepare_spectra([[1.0, 2.0, 3.0], [3.0, 1.0, 1.0]])
    >>> cube = 0.25 * np.array([1.0, 2.0, 3.0]) + 0.75 * np.array([3.0, 1.0, 1.0])
    >>> unmix(cube.reshape(3, 1, 1), design).abundances.ravel().round(9).tolist()
    [0.25, 0.75]
    """
    block = real_array(cube, "cube values")
    bands = design.frame_shape[0]
    if block.ndim < 1 or len(block) != bands:
        raise ValueError(
            f"The cube has shape {block.shape}; its first axis must hold the {bands} bands of the "
            "spectra."
        )
    single = block.dtype.itemsize <= 2 or block.dtype == np.float32
    shape, count = block.shape[1:], design.n_references
    out_type = np.float32 if single else np.float64
    pixels = int(np.prod(shape, dtype=np.int64))
    native = block.dtype.newbyteorder("=")
    kernel_type = native if native in KERNEL_DTYPES else np.dtype(np.float64)
    flat = np.ascontiguousarray(block.reshape(bands, pixels), dtype=kernel_type)
    result = Unmixing(
        np.full((count, pixels), np.nan, out_type),
        np.full((count, pixels), np.nan, out_type),
        np.full(pixels, np.nan, out_type),
        np.zeros((count, pixels), np.bool_),
        np.zeros(pixels, np.uint8),
    )
    state = _solve_columns(flat, design, result)
    result.status[state == 1] = int(Status.AT_BOUND)
    result.status[state == 2] = int(Status.NOT_CONVERGED)
    _solve_broken(flat, np.flatnonzero(state == 3), design, result)
    return Unmixing(
        result.abundances.reshape(count, *shape),
        result.errors.reshape(count, *shape),
        result.residual.reshape(shape),
        result.at_bound.reshape(count, *shape),
        result.status.reshape(shape),
    )


def _solve_columns(flat: NDArray[Any], design: Design, result: Unmixing) -> NDArray[np.uint8]:
    state = np.empty(flat.shape[1], np.uint8)
    out = f"={result.abundances.dtype}"
    solve = compiled(
        kernel.unmix,
        *(f"{flat.dtype}/2", kernel.Spectra),
        *(f"{out}/2", f"{out}/2", f"{out}/1", "=bool/2", "=uint8/1"),
    )
    bounds = design.bounds
    spectra = kernel.Spectra(
        centre=design.centre,
        scale=design.scale,
        basis=design.basis,
        rows=design.bound_rows,
        limits=design.bound_limits,
        middle=design.middle,
        move=np.ascontiguousarray(design.to_coefficients),
        freedom=design.n_pixels - design.n_unknowns,
        weight_sum=design.weight_sum,
        free_shares=design.n_unknowns - design.offset,
        member=bounds.member,
        bound=bounds.values,
        low=bounds.low,
        high=bounds.high,
    )
    solve(
        *(flat, spectra, result.abundances, result.errors, result.residual, result.at_bound, state)
    )
    return state


def _solve_broken(
    flat: NDArray[Any], pixels: NDArray[np.int64], design: Design, result: Unmixing
) -> None:
    """Solve the pixels that lack a band, each over its own bands."""
    if not len(pixels):
        return
    fit = empty_fit(len(pixels), design.n_references)
    spectra = np.ascontiguousarray(flat[:, pixels].T)
    fit_masked(spectra, np.arange(len(pixels)), design, fit)
    result.abundances[:, pixels] = fit.coefficients.T
    result.errors[:, pixels] = fit.errors.T
    result.residual[pixels] = fit.rmse
    result.at_bound[:, pixels] = fit.at_bound.T
    result.status[pixels] = fit.status
