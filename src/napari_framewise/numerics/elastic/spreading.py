"""A field from the shifts of blocks: each is the mean of the motion over the block's texture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from napari_framewise.numerics.bsplines import Lattice
from napari_framewise.numerics.derivatives import gaussian_taps
from napari_framewise.numerics.elastic.field import FloatArray
from napari_framewise.numerics.elastic.images import BoolArray
from napari_framewise.numerics.noise import sigma_of_image
from napari_framewise.numerics.separable import correlated

_SMOOTHING = 1.0
# Share of the mean texture that every pixel has, so that plain blocks have a middle too.
_PLAIN = 1e-3


def texture_of(values: FloatArray, use: BoolArray) -> FloatArray:
    """Squared slopes of an image beyond those of its noise: what a pixel's motion counts for.

    Least squares between an image f and itself moved by s(p) find the shift
    ``sum |grad f|^2 s / sum |grad f|^2``.

    Examples
    --------
    >>> edge = np.repeat([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0], 8).reshape(8, 8)
    >>> texture_of(edge, np.ones((8, 8), bool))[:, 4].argmax() in (3, 4)
    True
    """
    smooth, slope = gaussian_taps(_SMOOTHING), gaussian_taps(_SMOOTHING, 1)
    planes = values[None] if values.ndim == 2 else values
    known = use[None] if use.ndim == 2 else use
    sigma = float(np.nanmedian([sigma_of_image(p, k) if k.any() else np.nan
                                for p, k in zip(planes, known, strict=True)]))  # fmt: skip
    left = float((slope**2).sum()) * float((smooth**2).sum()) ** (values.ndim - 1)
    total = np.zeros(values.shape)
    for axis in range(values.ndim):
        along = values
        for other in range(values.ndim):
            along = correlated(along, slope if other == axis else smooth, other)
        total += along**2
    found = np.where(use, np.maximum(total - values.ndim * left * np.nan_to_num(sigma) ** 2, 0), 0)
    return np.asarray(np.where(use, found + _PLAIN * (float(found.mean()) or 1.0), 0.0))


def spread(
    lattice: Lattice,
    texture: FloatArray,
    blocks: Sequence[tuple[slice, ...]],
    shifts: FloatArray,
    weights: FloatArray,
    strength: float,
) -> FloatArray:
    """Coefficients of the spline whose means over the blocks' textures are the shifts.

    Minimises ``sum_b w_b |s_b - sum_b t u / sum_b t|^2 + strength E(u)``, E the bending energy in
    units of the nodes' spacing, its trace scaled to that of the first term.

    Parameters
    ----------
    lattice : Lattice
        Over the frame.
    texture : (*frame)
        What each pixel counts for, see `texture_of`.
    blocks : n tuples of slices
    shifts : (n, d) float64
    weights : (n,) float64
        Inverse variances.
    strength : float

    Returns
    -------
    (d, *lattice.shape)

    Examples
    --------
    >>> lattice = Lattice((Axis(0.0, 15.0, 2), Axis(0.0, 15.0, 2)))
    >>> blocks = [(slice(a, a + 8), slice(b, b + 8)) for a in (0, 8) for b in (0, 8)]
    >>> found = spread(lattice, np.ones((16, 16)), blocks, np.ones((4, 2)), np.ones(4), 1e-3)
    >>> bool(np.allclose(found, 1))
    True
    """
    rows = _means(lattice, texture, blocks)
    weight = weights / weights.mean()
    normal = rows.T @ rows.multiply(weight[:, None]).tocsr()
    rough = _roughness(lattice)
    matrix = normal + strength * (normal.diagonal().sum() / rough.diagonal().sum()) * rough
    matrix = matrix + 1e-13 * float(matrix.diagonal().mean()) * sparse.eye_array(lattice.size)
    right = rows.T @ (weight[:, None] * shifts)
    found = linalg.splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A").solve(np.asarray(right))
    return np.ascontiguousarray(found.T).reshape(-1, *lattice.shape)


@lru_cache(maxsize=8)
def _roughness(lattice: Lattice) -> sparse.csr_array:
    return lattice.roughness(2, [axis.spacing for axis in lattice.axes])


def _means(
    lattice: Lattice, texture: FloatArray, blocks: Sequence[tuple[slice, ...]]
) -> sparse.csr_array:
    """Rows that take coefficients to means over blocks, (n, size)."""
    ends, columns, entries = [0], [], []
    designs = [
        axis.design(np.arange(n, dtype=float)).toarray()
        for axis, n in zip(lattice.axes, texture.shape, strict=True)
    ]
    for block in blocks:
        found, nodes = texture[block], []
        for axis, design in enumerate(designs):
            rows = design[block[axis]]
            within = np.flatnonzero(rows.any(axis=0))
            nodes.append(within)
            # The axis that was first comes to lie last, so that all take their turn.
            found = np.tensordot(found, rows[:, within], (0, 0))
        total = float(found.sum())
        columns.append(np.ravel_multi_index(np.ix_(*nodes), lattice.shape).ravel())
        entries.append(found.ravel() / total)
        ends.append(ends[-1] + found.size)
    shape = (len(blocks), lattice.size)
    return sparse.csr_array((np.concatenate(entries), np.concatenate(columns), ends), shape=shape)
