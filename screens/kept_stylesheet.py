"""A stylesheet that is taken apart once, and remembers what it made of nodes that look alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from textual.app import App
from textual.css.model import RuleSet
from textual.css.styles import RulesMap
from textual.css.stylesheet import CssSource, Stylesheet
from textual.dom import DOMNode
from textual.widget import Widget

_Look = tuple[tuple[object, ...], ...]
"""All that rules may ask of a node and of what it stands in, from the node up to the app."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What holds for nodes of a look: their rules, as the styles say them and as a node keeps
    them, whether any is about the mouse over it, and what rules may call it by."""

    rules: RulesMap
    kept: RulesMap
    has_hover: bool
    names: set[str]


class KeptStylesheet(Stylesheet):
    """Keep what was read of the styles until a variable changes, as another theme changes them,
    and which rules hold for a node, until there are others that may.

    Textual 8 reads all of them anew whenever a screen or a kind of widget comes up for the first
    time, and looks for the rules of each node three times until it is painted, those of the parts
    that it has styles for, too: of a row of a list there are some twenty.
    """

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._known = variables
        self._read: dict[tuple[str, str], tuple[CssSource, list[RuleSet]]] = {}
        self._found: dict[_Look, _Found] = {}
        self._applied: WeakKeyDictionary[DOMNode, tuple[RulesMap, RulesMap]] = WeakKeyDictionary()
        """The rules that a node has, and as it keeps them."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._known:
            super().set_variables(variables)
            self._known = variables
            self._read.clear()

    def reparse(self) -> None:
        self.parse()

    def parse(self) -> None:
        """Read what is new, or all where a variable changed."""
        called = set[str]()
        for place, css in self.source.items():
            if place not in self._read or self._read[place][0] != css:
                rules = self._read_source(place, css)
                self._read[place] = css, rules
                called.update(name for rule in rules for name in rule.selector_names)
        self._rules = [rule for place in self.source for rule in self._read[place][1]]
        self._rules_map = None
        self._require_parse = False
        self._found = {
            look: found for look, found in self._found.items() if called.isdisjoint(found.names)
        }

    def _read_source(self, place: tuple[str, str], css: CssSource) -> list[RuleSet]:
        part = Stylesheet(variables=self._variables)
        part.source[place] = css
        part._invalid_css = self._invalid_css  # is said once
        part.parse()
        return part.rules

    def apply(
        self,
        node: DOMNode,
        *,
        animate: bool = False,
        cache: dict[tuple[Any, ...], RulesMap] | None = None,
    ) -> None:
        if self._require_parse:
            self.parse()
        look, base = _look(node), node.styles.base
        found = self._found.get(look)
        if found is None:
            made: dict[tuple[Any, ...], RulesMap] = {}
            super().apply(node, animate=animate, cache=made)
            for rules in made.values():  # none where the order or the children of nodes decide
                self._applied[node] = rules, base.get_rules()
                if look:
                    self._found[look] = _Found(
                        rules, base.get_rules(), node._has_hover_style, node._selector_names
                    )
            return
        node._has_hover_style = found.has_hover
        node._has_focus_within = node._has_order_style = node._has_odd_or_even = False
        if type(node) is DOMNode and not base.get_rules():
            base.merge_rules(found.kept)  # a part of a widget: nothing is laid out or painted
        elif self._applied.get(node) == (found.rules, base.get_rules()):
            node.notify_style_update()  # what is inherited may have changed
        else:
            self.replace_rules(node, found.rules, animate=animate)
            self._applied[node] = found.rules, base.get_rules()
        self._process_component_classes(node)

    def _process_component_classes(self, node: DOMNode) -> None:
        parts = node._get_component_classes()
        if parts and not self._has_parts_as_found(node, parts):
            super()._process_component_classes(node)

    def _has_parts_as_found(self, node: DOMNode, parts: frozenset[str]) -> bool:
        styles, above = node._component_styles, _look(node)
        if parts != styles.keys():
            return False
        for part in parts:
            found = self._found.get((_look_of_part(part), *above))
            if found is None or styles[part].base.get_rules() != found.kept:
                return False
        return True


def _look(node: DOMNode) -> _Look:
    """Return the look of a node, empty where it stands in no app."""
    look: list[tuple[object, ...]] = []
    above: object = node
    while isinstance(above, DOMNode):
        seen: tuple[object, ...] = ()
        if isinstance(above, Widget):
            seen = (*above._pseudo_classes_cache_key, above.allow_focus())
        elif isinstance(above, App):
            seen = (above.pseudo_classes,)
        look.append((type(above), above._id, frozenset(above._classes), *seen))
        if isinstance(above, App):
            return tuple(look)
        above = above._parent
    return ()


def _look_of_part(name: str) -> tuple[object, ...]:
    return (DOMNode, None, frozenset((name,)))
