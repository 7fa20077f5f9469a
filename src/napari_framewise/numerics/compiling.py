"""Compiling kernels: serial, without the interpreter's lock, cached on disk, when first called.

Two sets of flags, by name: sums that keep their order, and sums that may be reordered. NaN tests
survive in both, so neither is numba's whole fastmath. numba takes half a second to import, so that
is done when a kernel is first needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, update_wrapper
from types import FunctionType
from typing import Any, TypeAlias, get_type_hints

import numpy as np

# C never calls a kernel, so numba need not compile a way in from there.
IN_ORDER: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
}
"""Sums as they are written: the same bits on every processor; division by zero gives infinity."""
REORDERED: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "fastmath": {"reassoc", "contract", "nsz"},
    "no_cfunc_wrapper": True,
}
"""Sums that may be reordered and products that may be fused, so that loops become vectors."""

Kind: TypeAlias = "str | type[tuple[Any, ...]]"

_LOCK = threading.RLock()


@dataclass
class Compilation:
    """What is compiled in this process; kernels that the cache on disk holds are not compiled.

    Attributes
    ----------
    active : int
        Compilations under way.
    count : int
        Kernels compiled so far, those that other kernels call not counted.
    spent : float
        Seconds that they took, by the clock.
    began : float
        When the one under way began.
    """

    active: int = 0
    count: int = 0
    spent: float = 0.0
    began: float = 0.0

    @property
    def seconds(self) -> float:
        """Time by the clock, that of a compilation under way included."""
        began = self.began
        return self.spent + (time.monotonic() - began if self.active else 0.0)

    def begin(self) -> None:
        """A kernel is being compiled: one at a time, those that it calls within."""
        if not self.active:
            self.began = time.monotonic()
        self.active += 1

    def end(self) -> None:
        """A kernel is compiled."""
        self.active -= 1
        if not self.active:
            self.count += 1
            self.spent += time.monotonic() - self.began


COMPILATION = Compilation()
"""Of this process."""


class Abandoned(BaseException):
    """What was being compiled is not wanted any more."""


_OF_THREAD = threading.local()


@contextmanager
def compiled_while(wanted: Callable[[], bool]) -> Iterator[None]:
    """Compile in this thread, while in here, only as long as `wanted` is true.

    Raises
    ------
    Abandoned
        Between two passes of the compiler, where it is no longer. What was compiled is kept, and
        the kernel that was under way is compiled anew where it is called next.

    Examples
    --------
    >>> with compiled_while(lambda: True):
    ...     pass
    """
    before = getattr(_OF_THREAD, "wanted", None)
    _OF_THREAD.wanted = wanted
    try:
        yield
    finally:
        _OF_THREAD.wanted = before


@cache
def _numba() -> Any:
    """numba, which tells `COMPILATION` of what it compiles, and stops where that is not wanted."""
    import numba
    from numba.core import event

    class Watch(event.Listener):
        def on_start(self, event: Any) -> None:
            COMPILATION.begin()

        def on_end(self, event: Any) -> None:
            COMPILATION.end()

    class Wanted(event.Listener):
        def on_start(self, event: Any) -> None:
            wanted = getattr(_OF_THREAD, "wanted", None)
            if wanted is not None and not wanted():
                raise Abandoned

        def on_end(self, event: Any) -> None:
            """Passes end as they began."""

    register: Any = event.register
    register("numba:compile", Watch())
    register("numba:run_pass", Wanted())
    return numba


class Kernel:
    """A function that is compiled for the arguments of its first call; kernels may call kernels."""

    def __init__(self, function: Callable[..., Any], flags: dict[str, Any]) -> None:
        self._function = function
        self._flags = flags
        self._dispatcher: Callable[..., Any] | None = None
        self._inside: Callable[..., Any] | None = None
        self.is_part = False
        update_wrapper(self, function)

    @property
    def dispatcher(self) -> Callable[..., Any]:
        """What numba makes of the function."""
        if self._dispatcher is None:
            with _LOCK:
                self._dispatcher = _numba().njit(**self._flags)(_linked(self._function))
        return self._dispatcher

    @property
    def inside(self) -> Callable[..., Any]:
        """What other kernels call; of a part without a way in from Python, and not kept on disk."""
        if not self.is_part:
            return self.dispatcher
        if self._inside is None:
            with _LOCK:
                flags = {**self._flags, "cache": False, "no_cpython_wrapper": True}
                self._inside = _numba().njit(**flags)(_linked(self._function))
        return self._inside

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        return self.dispatcher(*arguments)


def in_order(function: Callable[..., Any]) -> Kernel:
    """A kernel with the flags `IN_ORDER`.

    Examples
    --------
    >>> from napari_framewise.numerics.scaling.kernels import affine_rows
    >>> isinstance(affine_rows, Kernel), affine_rows.__name__
    (True, 'affine_rows')
    """
    return Kernel(function, IN_ORDER)


def reordered(function: Callable[..., Any]) -> Kernel:
    """A kernel with the flags `REORDERED`.

    Examples
    --------
    >>> from napari_framewise.numerics.least_squares import to_unit_length
    >>> isinstance(to_unit_length, Kernel), to_unit_length.__name__
    (True, 'to_unit_length')
    """
    return Kernel(function, REORDERED)


def part(kernel: Kernel) -> Kernel:
    """A kernel that kernels call and Python does not, which saves a part of compiling it.

    Examples
    --------
    >>> from napari_framewise.numerics.copying import copy_line
    >>> copy_line.is_part
    True
    """
    kernel.is_part = True
    return kernel


def compiled(function: Callable[..., Any] | Kernel, *kinds: Kind) -> Callable[..., Any]:
    """Return `function` compiled with the flags `REORDERED` for arguments of these kinds, once.

    Parameters
    ----------
    function : callable
        A function of a module, in the part of Python that numba understands.
    *kinds : str or type
        One per argument: ``"uint16/2"`` for a C-contiguous array of 2 axes that is only read,
        ``"=float64/1"`` for one that is written, ``"int64"`` for a number; a NamedTuple whose
        fields are ``Annotated[type, kind]`` for one of those.

    Examples
    --------
    >>> from napari_framewise.numerics.least_squares.kernels import project
    >>> kinds = "float64/2", "float64/3", "float64/1", "=float64/2", "=bool/2", "=uint8/1"
    >>> compiled(project, *kinds) is compiled(project, *kinds)
    True
    """
    with _LOCK:
        return _compile(function, kinds)


@cache
def _compile(function: Callable[..., Any], kinds: tuple[Kind, ...]) -> Callable[..., Any]:
    plain = function._function if isinstance(function, Kernel) else function
    signature = tuple(_numba_type(kind) for kind in kinds)
    dispatcher: Callable[..., Any] = _numba().njit([signature], **REORDERED)(_linked(plain))
    if all(isinstance(kind, str) for kind in kinds):
        return dispatcher

    def call(*arguments: Any) -> Any:
        return dispatcher(*map(_as_declared, arguments, kinds))

    return call


def _as_declared(argument: Any, kind: Kind) -> Any:
    """A tuple whose arrays are writable only where it says so; anything else as it is."""
    if isinstance(kind, str):
        return argument
    fields = zip(argument, _kinds_of(kind), strict=True)
    # unlike arrays, tuples of writable arrays do not convert to tuples of read-only ones
    return kind(*(_read_only(value) if "/" in k and k[0] != "=" else value for value, k in fields))


def _read_only(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view


@cache
def _kinds_of(named: type[tuple[Any, ...]]) -> tuple[str, ...]:
    hints = get_type_hints(named, include_extras=True)
    return tuple(hint.__metadata__[0] for hint in hints.values())


def _linked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the kernels that it calls as what numba made of them."""
    assert isinstance(function, FunctionType)
    called = {
        name: value.inside
        for name in function.__code__.co_names
        if isinstance(value := function.__globals__.get(name), Kernel)
    }
    if not called:
        return function
    linked = FunctionType(
        function.__code__,
        {**function.__globals__, **called},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    return update_wrapper(linked, function)


def _numba_type(kind: Kind) -> Any:
    from numba import types as numba_types
    from numba.np.numpy_support import from_dtype

    types: Any = numba_types
    if not isinstance(kind, str):
        fields = tuple(map(_numba_type, _kinds_of(kind)))
        if len(set(fields)) == 1:
            return types.NamedUniTuple(fields[0], len(fields), kind)
        return types.NamedTuple(fields, kind)

    name, _, ndim = kind.partition("/")
    scalar = from_dtype(np.dtype(name.lstrip("=")))
    if not ndim:
        return scalar
    # writable arrays convert to read-only ones, so one compilation serves both
    return types.Array(scalar, int(ndim), "C", readonly=not name.startswith("="))
