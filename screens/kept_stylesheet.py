"""A stylesheet that is taken apart once."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class KeptStylesheet(Stylesheet):
    """Keep what was read of the styles until a variable changes, as another theme changes them.

    Textual 8 reads all of them anew, twice, whenever a screen is opened for the first time.
    """

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._known = variables

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._known:
            super().set_variables(variables)
            self._known = variables

    def reparse(self) -> None:
        """Read what is new, or all where a variable changed."""
        self.parse()
