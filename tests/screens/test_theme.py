"""The two themes: read on every ground, told apart by any eyes, and chosen to fit the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import pytest
from textual.app import App

from orch_tui.screens.theme import (
    DARK,
    LIGHT,
    OWN,
    PARTS,
    SIGNS,
    make_themes,
    make_variables,
    name_fitting_theme,
)

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

EYES: Mapping[str, Matrix] = {
    # Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color
    # vision deficiency", severity 1.0, on linear RGB.
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}
TO_LMS: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
TO_LAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def linear(colour: str) -> Triple:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    )
    return red, green, blue


def times(matrix: Matrix, triple: Triple) -> Triple:
    first, second, third = (
        sum(factor * part for factor, part in zip(row, triple, strict=True)) for row in matrix
    )
    return first, second, third


def contrast(one: str, other: str) -> float:
    """Of WCAG 2: from 1 to 21."""
    weights = (0.2126, 0.7152, 0.0722)
    low, high = sorted(
        sum(weight * part for weight, part in zip(weights, linear(colour), strict=True))
        for colour in (one, other)
    )
    return (high + 0.05) / (low + 0.05)


def distance(one: str, other: str, eyes: Matrix) -> float:
    """In OKLab, times 100: two is just seen side by side."""
    places = []
    for colour in (one, other):
        seen = times(eyes, linear(colour))
        red, green, blue = (min(1.0, max(0.0, part)) for part in seen)
        long, medium, short = (part ** (1 / 3) for part in times(TO_LMS, (red, green, blue)))
        places.append(times(TO_LAB, (long, medium, short)))
    return 100 * math.dist(*places)


COLOURED = tuple(sign for sign in SIGNS if sign != "planned")
"""What is planned is grey, as nothing has happened yet: its ring is hollow."""

THEMES = pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])


@THEMES
def test_what_is_written_can_be_read_on_every_ground(colours: Mapping[str, str]) -> None:
    words = ("foreground", "muted", "accent", *SIGNS)
    grounds = ("surface", "background", "panel", "cursor", "cursor-idle")
    pairs = [(word, ground) for word in words for ground in grounds]
    pairs += [(part, "surface") for part in PARTS]
    pairs += [("foreground", ground) for ground in ("match", "added", "removed")]
    poor = {
        pair: round(ratio, 2)
        for pair in pairs
        if (ratio := contrast(colours[pair[0]], colours[pair[1]])) < 4.5
    }
    assert poor == {}


@THEMES
@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("group", [COLOURED, tuple(PARTS)], ids=["states", "parts"])
def test_states_and_parts_are_told_apart(
    colours: Mapping[str, str], eyes: str, group: Sequence[str]
) -> None:
    near = {
        pair: round(apart, 1)
        for pair in combinations(group, 2)
        if (apart := distance(colours[pair[0]], colours[pair[1]], EYES[eyes])) < 5.5
    }
    assert near == {}


def test_every_sign_is_one_cell_and_stands_for_one_thing() -> None:
    from rich.cells import cell_len

    signs = [*SIGNS.values(), *PARTS.values()]
    assert {cell_len(sign) for sign in signs} == {1}
    assert len({*signs}) == len(signs)


@pytest.mark.parametrize(
    ("told", "theme"),
    [
        ({}, "orch-dark"),
        ({"COLORFGBG": "15;0"}, "orch-dark"),
        ({"COLORFGBG": "0;15"}, "orch-light"),
        ({"COLORFGBG": "0;default;7"}, "orch-light"),
        ({"COLORFGBG": "default;default"}, "orch-dark"),
        ({"COLORFGBG": ""}, "orch-dark"),
        ({"COLORFGBG": "\x1b[31m;x"}, "orch-dark"),
    ],
)
def test_the_theme_fits_the_terminal(told: Mapping[str, str], theme: str) -> None:
    assert name_fitting_theme(told) == theme


def test_any_theme_has_the_colours_of_meaning() -> None:
    app: App[None] = App()
    for theme in make_themes():
        app.register_theme(theme)
    assert {*OWN} <= {*app.available_themes}
    for theme in app.available_themes.values():
        made = make_variables(theme.dark)
        assert {f"state-{sign}" for sign in SIGNS} | {f"part-{part}" for part in PARTS} <= {*made}
