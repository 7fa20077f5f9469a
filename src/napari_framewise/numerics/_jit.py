"""Compiling kernels on demand: serial, without the GIL, cached on disk, one signature per dtype."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

_LOCK = threading.Lock()
# NaN tests must survive, so not the whole of fastmath
_MATH = {"reassoc", "contract", "nsz"}


@cache
def _compile(function: Callable[..., Any], kinds: tuple[str, ...]) -> Callable[..., Any]:
    import numba

    signature = tuple(_numba_type(kind) for kind in kinds)
    dispatcher = numba.njit([signature], nogil=True, cache=True, fastmath=_MATH)(function)
    compiled: Callable[..., Any] = dispatcher
    return compiled


def _numba_type(kind: str) -> Any:
    from numba import types
    from numba.np.numpy_support import from_dtype

    name, _, ndim = kind.partition("/")
    scalar = from_dtype(np.dtype(name.lstrip("=")))
    if not ndim:
        return scalar
    # writable arrays convert to read-only ones, so one compilation serves both
    return types.Array(scalar, int(ndim), "C", readonly=not name.startswith("="))


def compiled(function: Callable[..., Any], *kinds: str) -> Callable[..., Any]:
    """Return `function` compiled for arguments of these kinds, compiling it at most once.

    Parameters
    ----------
    function : callable
        A function of a module, in the part of Python that numba understands.
    *kinds : str
        One per argument: ``"uint16/2"`` for a C-contiguous array of 2 axes that is only read,
        ``"=float64/1"`` for one that is written, ``"int64"`` for a number.
    """
    with _LOCK:
        return _compile(function, kinds)
