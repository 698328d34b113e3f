"""The sizes and themes in which pictures of a screen are taken."""

from __future__ import annotations

import pytest

THEMES = ("orch-dark", "orch-light")


EVERY_SIZE = ((80, 24), (140, 45), (120, 36), (60, 40), (100, 15), (60, 16))
"""What a screen is looked at in; the first always, the others when wide."""


def in_looks(*sizes: tuple[int, int], always: int = 1) -> pytest.MarkDecorator:
    """Take each size in each theme; the first sizes in one theme each always, the rest when wide.

    ``always``: so many of the sizes.
    """
    return pytest.mark.parametrize(
        ("size", "theme"),
        [
            pytest.param(
                *(size, theme),
                id=f"size{number}-{theme}",
                marks=() if number % len(THEMES) == place and number < always else pytest.mark.wide,
            )
            for number, size in enumerate(sizes)
            for place, theme in enumerate(THEMES)
        ],
    )


def in_sizes(*sizes: tuple[int, int], always: int = 0) -> pytest.MarkDecorator:
    """Take one of the sizes always (by its place), and the others when wide."""
    return pytest.mark.parametrize(
        "size",
        [
            pytest.param(
                size, id=f"size{number}", marks=() if number == always else pytest.mark.wide
            )
            for number, size in enumerate(sizes)
        ],
    )


in_dialogs = pytest.mark.parametrize(
    ("size", "theme"),
    [
        pytest.param((80, 24), THEMES[0], id="dark", marks=pytest.mark.wide),
        pytest.param((120, 36), THEMES[1], id="light", marks=pytest.mark.wide),
    ],
)
"""Take a dialog dark in a small terminal and light in a larger one, when wide."""
