"""Lengths: what users write, in pixels of any grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from napari_framewise.framework.fields import fields_of
from napari_framewise.framework.lengths import Length, length_of
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.stacks.axes import Axis

MICRONS = (Axis("z", 2.0, 0.0, "µm"), Axis("y", 0.5, 0.0, "um"), Axis("x", 250, 0.0, "nanometer"))
PLAIN = (Axis("y"), Axis("x"))


@pytest.mark.parametrize(
    ("written", "values", "unit"),
    [
        ("2px", (2,), "pixel"),
        ("2", (2,), "pixel"),
        (3, (3,), "pixel"),
        ((1, 2.5), (1, 2.5), "pixel"),
        (np.array([1.0, 2.0]), (1, 2), "pixel"),
        ("0.5um", (0.5,), "micrometer"),
        ("0.5 \N{MICRO SIGN}m", (0.5,), "micrometer"),
        ("1e-3 mm", (0.001,), "millimeter"),
        ("2,1,1px", (2, 1, 1), "pixel"),
        ("2; 1; 1 micron", (2, 1, 1), "micrometer"),
        ("2px, 1px", (2, 1), "pixel"),
        ("(2, .5) pixels", (2, 0.5), "pixel"),
        ("30 in", (30,), "inch"),
    ],
)
def test_what_users_write_is_understood(
    written: object, values: tuple[float, ...], unit: str
) -> None:
    assert length_of(written) == Length(values, unit)


@pytest.mark.parametrize(
    "written",
    ["", "px", "two px", "2 parsec", "2 s", "1um, 2px", "1,,2", "nan", None, True, "inf"],
)
def test_what_is_no_length_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="it should be one number, or one for each axis"):
        length_of(written)


def test_pixels_are_pixels_on_any_grid() -> None:
    assert length_of("2").in_pixels(MICRONS) == (2, 2, 2)
    assert length_of("3,2,1").in_pixels(MICRONS) == (3, 2, 1)


def test_a_length_is_divided_by_the_size_of_a_pixel_along_each_axis() -> None:
    assert length_of("1um").in_pixels(MICRONS) == pytest.approx((0.5, 2, 4), rel=1e-14)
    assert length_of("4,1,0.5um").in_pixels(MICRONS) == pytest.approx((2, 2, 2), rel=1e-14)
    mirrored = (Axis("x", -0.5, 0.0, "um"),)
    assert length_of("0.001mm").in_pixels(mirrored) == pytest.approx((2,), rel=1e-14)


def test_a_length_needs_pixels_that_have_a_size() -> None:
    with pytest.raises(ValueError, match=r"Sigma was given as 1 µm, but the pixels have no size"):
        length_of("1um").in_pixels(PLAIN, "Sigma")


def test_numbers_are_one_or_as_many_as_axes() -> None:
    with pytest.raises(ValueError, match=r"2 numbers \(2,1 px\), but the pixels have 3 axes"):
        length_of("2,1").in_pixels(MICRONS)


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=3),
    st.sampled_from(["pixel", "micrometer", "angstrom", "inch"]),
)
def test_a_recipe_holds_a_text_that_is_the_same_length(values: list[float], unit: str) -> None:
    length = Length(tuple(values), unit)
    adapter = TypeAdapter(Length)
    assert adapter.validate_json(adapter.dump_json(length)) == length


class Smooth(Parameters):
    sigma: Length = parameter("2px", "Sigma", "Width.", ge=0)
    radius: Length | None = parameter(None, "Radius", "Reach.", gt=0)


def test_a_bound_of_zero_holds_for_every_number() -> None:
    assert Smooth(sigma="0,1").sigma == Length((0, 1))
    with pytest.raises(ValidationError):
        Smooth(sigma="1,-1")
    with pytest.raises(ValidationError):
        Smooth(radius=0)


def test_a_field_knows_that_it_is_a_length() -> None:
    sigma, radius = fields_of(Smooth)
    assert (sigma.is_length, sigma.optional) == (True, False)
    assert sigma.default == Length((2.0,))
    assert (radius.is_length, radius.optional) == (True, True)
    assert sigma.parse("0.5um") == Length((0.5,), "micrometer")
    assert sigma.parse("much") == "much"
    assert radius.parse("") is None
    assert sigma.format(Length((2, 1), "micrometer")) == "2,1 µm"


def test_no_other_bound_than_zero_can_hold_on_every_grid() -> None:
    class Odd(Parameters):
        sigma: Length = parameter("2px", "Sigma", "Width.", ge=1)

    with pytest.raises(TypeError, match="its only bound can be 0"):
        fields_of(Odd)
