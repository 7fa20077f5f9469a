"""Sentences that name a tool's fields, in the words of the place where the tool was called."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_framewise.framework.tool import Tool


def worded(sentence: str, tool: Tool[Any], called: Callable[[str], str | None]) -> str:
    """A sentence with the titles of fields as what they are called elsewhere.

    Parameters
    ----------
    sentence : str
        Of a panel's words: "References: one was given", "... separately (Several frames)".
    tool : Tool
        Whose inputs and parameters it speaks of.
    called : callable
        What an input or a parameter of a name is called, such as an option; None leaves its title.

    Examples
    --------
    >>> from napari_framewise.tools.mixing import TOOL
    >>> worded("References: one was given.", TOOL, "--{}".format)
    '--references: one was given.'
    """
    titles = {info.title or name: name for name, info in tool.parameters.model_fields.items()}
    titles |= {role.title: role.name for role in tool.inputs}
    for title, name in titles.items():
        word = called(name)
        if word is None:
            continue
        named = re.escape(title)
        # where a title stands for itself: before a colon or what was given, and in parentheses
        begins = rf"(?:(?<=^)|(?<=\. )|(?<=; )){named}(?=: | was given )"
        # not as a text, which would be read for groups
        sentence = re.sub(rf"{begins}|(?<=\(){named}(?=\))", partial(_always, word), sentence)
    return sentence


def _always(word: str, _: re.Match[str]) -> str:
    return word
