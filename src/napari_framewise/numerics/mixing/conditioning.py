"""How well the references of a mixing design can be told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def conditioning(
    columns: FloatArray, to_b: FloatArray, offset: bool, largest: float
) -> tuple[int, float, float]:
    """Rank and condition at unit norm, and the least change of a frame per unit of mixing."""
    changes = columns[1:] if offset else columns
    map_b = to_b[:, 1:] if offset else to_b
    if offset:
        unit = columns[0] / np.linalg.norm(columns[0])
        changes = changes - np.outer(changes @ unit, unit)
    tolerance = 1e-13 * np.sqrt(columns.shape[1])
    lengths = np.linalg.norm(changes, axis=1)
    if not lengths.min() > tolerance * largest:
        small = np.count_nonzero(lengths <= tolerance * largest)
        return len(columns) - int(small), np.inf, 0.0
    triangle = np.linalg.qr((changes / lengths[:, None]).T, mode="r")
    values = np.linalg.svd(triangle, compute_uv=False)
    rank = int(np.count_nonzero(values > tolerance * values[0])) + offset
    condition = float(values[0] / values[-1]) if values[-1] > 0 else np.inf
    metric = np.linalg.cholesky(map_b.T @ map_b)
    moves = np.linalg.solve(metric, (triangle * lengths).T)
    tied = map_b.shape[1] < map_b.shape[0]
    difference = np.linalg.svd(moves, compute_uv=False)[-1] * (np.sqrt(2.0) if tied else 1.0)
    return rank, condition, float(difference)


def rank_sentence(rank: int, unknowns: int, n_pixels: int, tied: bool, offset: bool) -> str:
    """Say why the coefficients cannot be told apart."""
    if n_pixels < unknowns:
        return (
            f"Only {n_pixels} pixels can be used for {unknowns} unknowns; use a larger mask or "
            "fewer references."
        )
    what = "differences of the references" if tied else "references"
    return (
        f"The {what}{' and the offset' if offset else ''} span only {rank} of {unknowns} "
        "directions over the used pixels, so the coefficients cannot be told apart; leave out a "
        f"reference that is a mixture of the others{' (or the offset)' if offset else ''}."
    )
