"""Maps with their Jacobians, and a zone plate, for the tests of warps."""

from __future__ import annotations

import numpy as np

from napari_framewise.numerics.transforms import jacobian, mapped
from napari_framewise.numerics.warp import Footprints, footprints


def at(matrix: np.ndarray, shape: tuple[int, int], first_row: int = 0) -> Footprints:
    """Footprints of a result that a matrix pulls back."""
    return footprints(lambda p: mapped(matrix, p), lambda p: jacobian(matrix, p), shape, first_row)


def turned(scale: tuple[float, float], degrees: float, of: int) -> tuple[np.ndarray, tuple]:
    """A matrix that shrinks by these factors and turns a square image about its centre."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = tuple(round(of / each) for each in scale)
    matrix = np.eye(3)
    matrix[:2, :2] = turn @ np.diag(scale)
    matrix[:2, 2] = (of - 1) / 2 - matrix[:2, :2] @ ((np.array(shape) - 1) / 2)
    return matrix, shape


def plate(places: np.ndarray, of: int) -> np.ndarray:
    """A zone plate of amplitude 100 about 128, of half a cycle per pixel at its sides."""
    return 128 + 100 * np.cos(np.pi * ((places - (of - 1) / 2) ** 2).sum(-1) / of)


def bands(found: np.ndarray, where: Footprints, of: int) -> tuple[float, float]:
    """RMS of what should be flat grey, and rms error where the result must show all."""
    waves = (where.places - (of - 1) / 2) / of
    there = np.linalg.norm(np.einsum("...ji,...j->...i", where.slopes, waves), axis=-1)
    inside = ((where.places >= 16) & (where.places <= of - 17)).all(-1)
    stop, passed = inside & (there > 0.6), inside & (there < 0.175)
    error = found - plate(where.places, of)
    return float(np.sqrt(np.mean((found[stop] - 128) ** 2))), float(
        np.sqrt(np.mean(error[passed] ** 2))
    )
