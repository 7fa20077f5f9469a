from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import ValidationError, model_validator

from napari_framewise.framework.parameters import GIVEN, Parameters, parameter, sentence_of


class Some(Parameters):
    noise: float = parameter(0.0, "Read noise", "Standard deviation.", ge=0)
    kind: Literal["a", "b"] = parameter("a", "Kind", "Which.")
    values: tuple[float, ...] = parameter((), "Values", "Several.")
    size: int = parameter(1, "Size", "How large.")

    @model_validator(mode="after")
    def _fits(self) -> Some:
        if self.kind == "b" and not self.values:
            raise ValueError("Kind b was chosen without values; give some.")
        return self


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"noise": -1}, "Read noise was given -1; it should be greater than or equal to 0."),
        ({"noise": float("nan")}, "Read noise was given nan; it should be a finite number."),
        ({"noise": float("inf")}, "Read noise was given inf; it should be a finite number."),
        ({"noise": "much"}, "Read noise was given 'much'; it should be a valid number,"),
        ({"size": 1.5}, "Size was given 1.5; it should be a valid integer,"),
        ({"kind": "c"}, "Kind was given 'c'; it should be 'a' or 'b'."),
        ({"values": (1.0, "x")}, "Values was given 'x'; it should be a valid number,"),
        ({"kind": "b"}, "Kind b was chosen without values; give some."),
        (
            {"loudness": 3},
            "There is no parameter loudness; the parameters are: noise, kind, values, size.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Some(**given)
    said = sentence_of(caught.value, Some)
    assert said.startswith(sentence)
    assert said.endswith(".")
    assert ".." not in said


def test_each_wrong_value_has_its_sentence() -> None:
    with pytest.raises(ValidationError) as caught:
        Some(noise=-1, size="x")
    assert sentence_of(caught.value, Some).count(" was given ") == 2


def test_numbers_of_numpy_become_plain_ones() -> None:
    some = Some(noise=np.float32(2), values=np.array([1.0, 2.0]), size=np.int64(3))
    assert some == Some(noise=2.0, values=(1.0, 2.0), size=3)
    assert type(some.noise) is float
    assert Some.model_validate_json(some.model_dump_json()) == some


def test_parameters_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Some().noise = 3.0


class Chosen(Parameters):
    way: Literal["plain", "robust"] = parameter("plain", "Way", "Which.")
    weights: bool = parameter(False, "Weights", "Whether.", shown_when={"way": "robust"})
    power: float = parameter(
        2.0, "Power", "Of them.", gt=0, shown_when={"way": ("robust",), "weights": True}
    )
    gain: float | None = parameter(None, "Gain", "If known.")
    noise: float = parameter(0.0, "Noise", "Of it.", ge=0, shown_when={"gain": GIVEN})


@pytest.mark.parametrize(
    ("values", "hidden"),
    [
        ({}, {"weights", "power", "noise"}),
        ({"way": "robust"}, {"power", "noise"}),
        ({"way": "robust", "weights": True}, {"noise"}),
        ({"weights": True}, {"weights", "power", "noise"}),
        ({"gain": 0.5}, {"weights", "power"}),
    ],
)
def test_what_does_not_matter_is_hidden_with_what_hangs_on_it(
    values: dict[str, object], hidden: set[str]
) -> None:
    assert Chosen.hidden(values) == hidden


def test_what_is_given_although_it_is_hidden_is_checked() -> None:
    assert Chosen(noise=3.0).noise == 3.0
    with pytest.raises(ValidationError):
        Chosen(noise=-1)


@dataclass(frozen=True)
class Blur:
    """Settings that numerics might take."""

    sigma: float = 2.5
    order: int = 1


class BlurParameters(Parameters):
    order: int = parameter(Blur.order, "Order", "Derivative.")
    shown: bool = parameter(True, "Shown", "Add a layer.")
    sigma: float = parameter(Blur.sigma, "Sigma", "Of the Gaussian.")


def test_settings_take_the_parameters_of_their_names() -> None:
    assert BlurParameters().as_settings(Blur) == Blur()
    assert BlurParameters(sigma=4, shown=False).as_settings(Blur) == Blur(sigma=4.0)
