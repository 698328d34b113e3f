"""The sizes and themes in which pictures of a screen are taken."""

from __future__ import annotations

import pytest

THEMES = ("orch-dark", "orch-light")


def in_looks(*sizes: tuple[int, int]) -> pytest.MarkDecorator:
    """Take each size in each theme; each size and each theme once always, the rest when wide."""
    return pytest.mark.parametrize(
        ("size", "theme"),
        [
            pytest.param(
                *(size, theme),
                id=f"size{number}-{theme}",
                marks=() if number % len(THEMES) == place else pytest.mark.wide,
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
