"""What every tool must keep, whatever it computes: inherit `ToolContract` and say what is its own.

A tool's tests hold a subclass with a scene, the other inputs and what carries a unit::

    class TestContract(ToolContract):
        name = "means"
        value_columns = ("mean", "std")
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from distributed import LocalCluster
from scipy import ndimage
from tests.helpers.scaling import assert_scaled, everything

from napari_framewise.engine import Engine
from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.framework.valued import valued
from napari_framewise.framework.values import values_of
from napari_framewise.io.formats.models import write_model
from napari_framewise.io.runs.batch import run_recipe
from napari_framewise.stacks.source import Array
from napari_framewise.tools.calls import run
from napari_framewise.tools.registry import get_tool

DTYPES = (
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "float32",
    "float64",
    ">u2",
    ">f4",
)
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "Fortran order": np.asfortranarray,
    "every second column": lambda frames: np.repeat(frames, 2, axis=-1)[..., ::2],
    "turned around": lambda frames: frames[::-1].copy()[::-1],
    "read-only": lambda frames: _read_only(frames.copy()),
    "transposed": lambda frames: frames.transpose(2, 1, 0).copy().transpose(2, 1, 0),
}
DEGENERATE: dict[str, Callable[[Array], Array]] = {
    "all NaN": lambda frames: np.full_like(frames, np.nan),
    "all zero": np.zeros_like,
    "flat": lambda frames: np.full_like(frames, 7.0),
    "one frame": lambda frames: frames[:1],
    "one pixel": lambda frames: frames[:, :1, :1],
    "one row": lambda frames: frames[:, :1],
    "a frame of NaN": lambda frames: _with(frames, 2, np.nan),
    "infinite pixels": lambda frames: _with(frames, (slice(None), 3, 4), np.inf),
    "one axis": lambda frames: frames.ravel(),
    "no frames": lambda frames: frames[:0],
    "huge": lambda frames: frames * 1e30,
    "tiny": lambda frames: frames * 1e-30,
}
REFUSED: dict[str, Callable[[Array], Array]] = {
    "complex": lambda frames: frames.astype(complex),
    "text": lambda frames: frames.astype(int).astype(str),
}


def _read_only(frames: Array) -> Array:
    frames.setflags(write=False)
    return frames


def _with(frames: Array, where: Any, value: float) -> Array:
    changed = frames.copy()
    changed[where] = value
    return changed


def blobs(n: int = 6, shape: tuple[int, int] = (20, 24), seed: int = 0) -> Array:
    """Frames of smooth blobs and noise, whole numbers from 1 to 119: every type holds them."""
    random = np.random.default_rng(seed)
    base = ndimage.gaussian_filter(random.normal(size=shape), 1.5) / 0.19
    shares = np.linspace(0.6, 1.0, n)[:, None, None]
    frames = 60 + 22 * shares * base + random.normal(0, 1.5, (n, *shape))
    return np.rint(frames).clip(1, 119)


class ToolContract:
    """What every tool must keep.

    Attributes
    ----------
    name : str
        Of the tool.
    stack : str
        Role of its stack.
    parameters : dict
        What a run needs besides its defaults.
    value_columns : tuple of str
        Columns of the first table that are in the unit of the pixels' values: they scale with it.
    squared_columns : tuple of str
        Columns in its square.
    skipped_columns : tuple of str
        Columns whose numbers follow from the values in another way (one over the unit, say).
    scaled_parameters : tuple of str
        Parameters in that unit.
    numbered : bool
        Each frame of its stack comes with a number: here 0, 1, 2 ...
    compares : {"table", "pixels"}
        Which numbers: the columns of the first table, where there is one, or the images' pixels.
    float_rtol, float_atol : float
        How far pixels of up to 32 bits may change numbers that float64 gives: what is iterated in
        single precision for them ends elsewhere within its tolerance.
    rounded_columns : tuple of str
        Columns that rounding decides: of counts and choices at a tie, of distances that are none.
    unit_rtol : float
        How far another unit may change its numbers: 1e-12 for what is closed, 1e-6 for what is
        iterated.
    whole_images : bool
        Its images hold what lies under a mask as well, moved or scaled: the mask is for what is
        estimated.
    cluster_atol : float
        How far a cluster may: where a matrix product enters, whose sums depend on where its arrays
        lie in memory.
    """

    name: ClassVar[str]
    stack: ClassVar[str] = "stack"
    parameters: ClassVar[dict[str, Any]] = {}
    value_columns: ClassVar[tuple[str, ...]] = ()
    squared_columns: ClassVar[tuple[str, ...]] = ()
    skipped_columns: ClassVar[tuple[str, ...]] = ()
    scaled_parameters: ClassVar[tuple[str, ...]] = ()
    rounded_columns: ClassVar[tuple[str, ...]] = ()
    whole_images: ClassVar[bool] = False
    numbered: ClassVar[bool] = False
    compares: ClassVar[str] = "table"
    float_rtol: ClassVar[float] = 1e-6
    float_atol: ClassVar[float] = 0.0
    cluster_atol: ClassVar[float] = 0.0
    unit_rtol: ClassVar[float] = 1e-12

    def numbers(self, outcome: Outcome) -> dict[str, Array]:
        """What must not change, by column or layer."""
        return numbers(replace(outcome, tables=()) if self.compares == "pixels" else outcome)

    def frames(self) -> Array:
        """A scene that the tool can answer: (n, y, x) float64, whole numbers from 1 to 119."""
        return blobs()

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        """The other inputs as arrays, those with the pixels' unit multiplied by it."""
        return {}

    def given(self, frames: Array) -> Any:
        """Frames as the tool takes them."""
        return valued(frames, *range(len(frames))) if self.numbered else frames

    def outcome(self, frames: Array, unit: float = 1.0, **options: Any) -> Outcome:
        """The tool on these frames, warnings being errors."""
        scaled = {name: unit * self.parameters[name] for name in self.scaled_parameters}
        given = {
            self.stack: self.given(frames),
            **self.others(unit),
            **self.parameters,
            **scaled,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return run(self.name, **given, **options)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_the_type_of_pixels_changes_nothing(self, dtype: str) -> None:
        expected = self.numbers(self.outcome(self.frames()))
        got = self.numbers(self.outcome(self.frames().astype(dtype)))
        # How many steps it took is no answer.
        expected.pop("iterations", None)
        # A type with a range of its own may have columns that others have not.
        got = {name: each for name, each in got.items() if name in expected}
        assert_alike(got, expected, rtol=self.float_rtol, atol=self.float_atol)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_the_layout_in_memory_changes_no_bit(self, layout: str) -> None:
        expected = self.numbers(self.outcome(self.frames()))
        got = self.numbers(self.outcome(LAYOUTS[layout](self.frames())))
        assert_alike(got, expected, rtol=0)

    @pytest.mark.parametrize("case", DEGENERATE)
    def test_what_holds_little_is_answered_or_refused_in_a_sentence(self, case: str) -> None:
        frames = DEGENERATE[case](self.frames())
        try:
            outcome = self.outcome(frames)
        except ValueError as error:
            assert_a_sentence(str(error))
            return
        assert outcome.summary
        if case == "all NaN":
            assert outcome.diagnostics or "no" in outcome.summary.lower()

    @pytest.mark.parametrize("case", REFUSED)
    def test_what_is_no_stack_is_refused_in_a_sentence(self, case: str) -> None:
        with pytest.raises(ValueError, match=r"\w") as caught:
            self.outcome(REFUSED[case](self.frames()))
        assert_a_sentence(str(caught.value))

    @pytest.mark.parametrize("exponent", [-90, 90])
    def test_a_power_of_two_as_unit_scales_the_same_bits(self, exponent: int) -> None:
        unit = 2.0**exponent
        plain = self.outcome(self.frames())
        scaled = self.outcome(self.frames() * unit, unit)
        for column, expected in self._in_units(self.numbers(plain), unit).items():
            np.testing.assert_array_equal(self.numbers(scaled)[column], expected, err_msg=column)
        assert_scaled(everything(scaled), everything(plain), unit, 0.0)

    def test_any_unit_gives_the_same_answer(self) -> None:
        outcome = self.outcome(self.frames())
        plain = self.numbers(outcome)
        for unit in (1e-30, 1e30):
            found = self.outcome(self.frames() * unit, unit)
            scaled = self.numbers(found)
            expected = self._in_units(plain, unit)
            left_out = {*self.skipped_columns, *self.rounded_columns}
            assert_alike(
                {name: each for name, each in scaled.items() if name not in left_out},
                {name: each for name, each in expected.items() if name not in left_out},
                rtol=self.unit_rtol,
            )
            assert_scaled(
                everything(found), everything(outcome), unit, self.unit_rtol, self.rounded_columns
            )

    def test_what_lies_under_a_mask_never_matters(self) -> None:
        if not any(role.name == "mask" for role in get_tool(self.name).inputs):
            return
        frames = self.frames()
        use = np.ones(frames.shape[1:], np.uint8)
        use[5:9, 7:12] = use[1, 1] = use[-2, :3] = 0
        others = {**self.others(), "mask": use}
        found = []
        for junk in (0.0, 1e6, np.nan, np.inf):
            dirty = np.where(use, frames, junk)
            outcome = run(self.name, **{self.stack: self.given(dirty), **others, **self.parameters})
            found.append(every_number(outcome, images=not self.whole_images))
        for each in found[1:]:
            assert_alike(each, found[0], rtol=0)

    def test_a_mask_that_leaves_nothing_is_refused(self) -> None:
        if not any(role.name == "mask" for role in get_tool(self.name).inputs):
            return
        frames = self.frames()
        mask = np.zeros(frames.shape[1:], np.uint8)
        given = {**self.others(), **self.parameters, "mask": mask}
        with pytest.raises(ValueError, match="leaves no pixel; mark at least one"):
            run(self.name, **{self.stack: self.given(frames), **given})

    def _in_units(self, plain: dict[str, Array], unit: float) -> dict[str, Array]:
        """What numbers become when pixels are given in another unit."""
        factors = dict.fromkeys(self.value_columns, unit)
        factors |= dict.fromkeys(self.squared_columns, unit**2)
        names = set(plain) - set(self.skipped_columns)
        return {name: plain[name] * factors.get(name, 1.0) for name in names}

    def test_cancelling_stops_between_two_reports(self) -> None:
        tool = get_tool(self.name)
        roles = {role.name: role for role in tool.inputs}
        given = {self.stack: self.given(self.frames()), **self.others()}
        inputs = tool.check_inputs(
            {name: values_of(roles[name], each) for name, each in given.items()}
        )
        generator = tool.run(inputs, tool.check_parameters(self.parameters), Engine.local())
        next(generator)
        generator.close()
        with pytest.raises(StopIteration):
            next(generator)

    def test_a_recipe_gives_the_same_numbers(self, tmp_path: Path) -> None:
        refs = {}
        for role, value in {self.stack: self.frames(), **self.others()}.items():
            several = isinstance(value, (list, tuple))
            refs[role] = tuple(
                self._saved(tmp_path / f"{role}-{number}.npy", each)
                for number, each in enumerate(value if several else [value])
            )
        if self.numbered:
            (ref,) = refs[self.stack]
            values = tuple(map(float, range(len(self.frames()))))
            refs[self.stack] = (ref.model_copy(update={"values": values}),)
        step = Step(tool=self.name, inputs=refs, parameters=dict(self.parameters))
        direct = self.outcome(self.frames())
        # Of what is written to a folder only tables stay in memory.
        tables = self.compares == "table" and direct.tables
        output = tmp_path / "out" if tables else None
        (batch_run,) = run_recipe(Recipe(steps=(step,)), output=output).runs
        assert batch_run.failure is None, batch_run.error
        (from_recipe,) = batch_run.outcomes
        expected = self.numbers(direct)
        assert_alike(self.numbers(from_recipe), expected, rtol=0)
        if not tables:
            return
        table = from_recipe.tables[0]
        (path,) = (each for each in batch_run.written if str(each).endswith(f"{table.name}.csv"))
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(table)

    def test_a_cluster_gives_the_same_bits(self, cluster: LocalCluster) -> None:
        expected = self.numbers(self.outcome(self.frames()))
        got = self.numbers(self.outcome(self.frames(), cluster=cluster.scheduler_address))
        assert_alike(got, expected, rtol=0, atol=self.cluster_atol)

    @staticmethod
    def _saved(path: Path, value: Array | Model) -> InputRef:
        if isinstance(value, Model):
            path = path.with_suffix(".npz")
            write_model(value, path)
        else:
            np.save(path, value)
        return InputRef(path=str(path), name=path.stem)


def numbers(outcome: Outcome) -> dict[str, Array]:
    """The columns of the first table that hold numbers, or the pixels of images, by layer."""
    if not outcome.tables:
        images = (layer for layer in outcome.layers if isinstance(layer, ImageResult))
        return {image.name.partition(" ")[2]: np.asarray(image.data) for image in images}
    columns = outcome.tables[0].columns
    return {name: each for name, each in columns.items() if each.dtype.kind in "biuf"}


def every_number(outcome: Outcome, *, images: bool) -> dict[str, Array]:
    """The numbers of all tables, and of images where they are asked for."""
    found = {}
    for table in outcome.tables:
        columns = {name: each for name, each in table.columns.items() if each.dtype.kind in "biuf"}
        found |= {f"{table.name}: {name}": each for name, each in columns.items()}
    if images:
        found |= numbers(replace(outcome, tables=()))
    return found


def assert_alike(
    got: dict[str, Array], expected: dict[str, Array], rtol: float, atol: float = 0.0
) -> None:
    assert got.keys() == expected.keys()
    for name, values in expected.items():
        size = float(np.nanmax(np.abs(values), initial=0.0)) if values.size else 0.0
        np.testing.assert_allclose(
            got[name], values, rtol=rtol, atol=rtol * size + atol, err_msg=name, equal_nan=True
        )


def assert_a_sentence(text: str) -> None:
    assert "\n" not in text
    assert len(text) > 20
    assert text[0].isupper() or text.partition(":")[0]
    assert text.endswith((".", "?", ")"))
    assert "Traceback" not in text
