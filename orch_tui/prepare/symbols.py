"""Code symbols: classes, functions, methods and constants, by the grammars of tree-sitter.

The grammars come as wheels and need no network. They never refuse a text: what cannot be parsed is
passed over, and what is around it is found. Everything is answered as spans of whole lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from orch_tui.frozen import frozen
from orch_tui.prepare.more_languages import EXTRA_LANGUAGES
from orch_tui.prepare.sections import Span

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query

_SUFFIXES = {
    "python": "py pyi pyw",
    "javascript": "js jsx mjs cjs",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "go": "go",
    "rust": "rs",
    "java": "java",
    "c": "c",
    "cpp": "h cc cpp cxx c++ hh hpp hxx h++ inl ipp cu cuh",
}
_LANGUAGE_OF = {
    suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes.split()
}

_EXTRA = {extra.name: extra for extra in EXTRA_LANGUAGES}
_EXTRA_OF = {suffix: extra for extra in EXTRA_LANGUAGES for suffix in extra.suffixes}

# What each language calls a definition: @function where bodies say how, @type where they say what.
_JAVASCRIPT = """
(class_declaration name: (_) @name body: (_) @body) @type
(function_declaration name: (_) @name body: (_) @body) @function
(generator_function_declaration name: (_) @name body: (_) @body) @function
(method_definition name: (_) @name body: (_) @body) @function
(variable_declarator name: (identifier) @name
  value: [(function_expression body: (_) @body) (arrow_function body: (_) @body)]) @function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @type
(program (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(program (export_statement (lexical_declaration
  (variable_declarator name: (identifier) @name) @constant)))
(assignment_expression left: (member_expression property: (_) @name)
  right: [(function_expression body: (_) @body) (arrow_function body: (_) @body)]) @function
"""
_TYPESCRIPT = f"""{_JAVASCRIPT}
(abstract_class_declaration name: (_) @name body: (_) @body) @type
(public_field_definition name: (_) @name value: (arrow_function body: (_) @body)) @function
(function_signature name: (_) @name) @function
(method_signature name: (_) @name) @function
(abstract_method_signature name: (_) @name) @function
(interface_declaration name: (_) @name body: (_) @body) @type
(enum_declaration name: (_) @name body: (_) @body) @type
(type_alias_declaration name: (_) @name) @type
(internal_module name: (_) @name body: (_) @body) @type
(module name: (_) @name body: (_) @body) @type
"""
_C = """
(function_definition declarator: (_) @name body: (_)? @body) @function
(declaration declarator: (function_declarator) @name) @function
(declaration declarator: (pointer_declarator (function_declarator)) @name) @function
(struct_specifier name: (_) @name body: (_) @body) @type
(union_specifier name: (_) @name body: (_) @body) @type
(enum_specifier name: (_) @name body: (_) @body) @type
(type_definition declarator: (type_identifier) @name) @type
(preproc_def name: (_) @name) @constant
(preproc_function_def name: (_) @name) @constant
"""
_QUERIES = {
    "python": """
        (class_definition name: (_) @name body: (_) @body) @type
        (function_definition name: (_) @name body: (_) @body) @function
        (module (expression_statement (assignment left: (identifier) @name)) @constant)
    """,
    "javascript": f"""{_JAVASCRIPT}
        (field_definition property: (_) @name value: (arrow_function body: (_) @body)) @function
    """,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "go": """
        (function_declaration name: (_) @name body: (_)? @body) @function
        (method_declaration receiver: (_) @owner name: (_) @name body: (_)? @body) @function
        (type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @type
        (type_spec name: (_) @name type: (interface_type) @body) @type
        (type_spec name: (_) @name) @type
        (type_alias name: (_) @name) @type
        (source_file (const_declaration (const_spec name: (_) @name) @constant))
        (source_file (var_declaration (var_spec name: (_) @name) @constant))
        (source_file (var_declaration (var_spec_list (var_spec name: (_) @name) @constant)))
    """,
    "rust": """
        (function_item name: (_) @name body: (_) @body) @function
        (function_signature_item name: (_) @name) @function
        (macro_definition name: (_) @name) @function
        (struct_item name: (_) @name body: (_)? @body) @type
        (enum_item name: (_) @name body: (_) @body) @type
        (union_item name: (_) @name body: (_) @body) @type
        (trait_item name: (_) @name body: (_) @body) @type
        (impl_item type: (_) @name body: (_) @body) @type
        (mod_item name: (_) @name body: (_) @body) @type
        (type_item name: (_) @name) @type
        (const_item name: (_) @name) @constant
        (static_item name: (_) @name) @constant
    """,
    "java": """
        (class_declaration name: (_) @name body: (_) @body) @type
        (interface_declaration name: (_) @name body: (_) @body) @type
        (enum_declaration name: (_) @name body: (_) @body) @type
        (record_declaration name: (_) @name body: (_) @body) @type
        (annotation_type_declaration name: (_) @name body: (_) @body) @type
        (method_declaration name: (_) @name body: (_)? @body) @function
        (constructor_declaration name: (_) @name body: (_) @body) @function
    """,
    "c": _C,
    "cpp": f"""{_C}
        (field_declaration declarator: (function_declarator) @name) @function
        (class_specifier name: (_) @name body: (_) @body) @type
        (namespace_definition name: (_) @name body: (_) @body) @type
        (concept_definition name: (_) @name) @type
        (alias_declaration name: (_) @name) @type
    """,
}

# What is around a definition and belongs to it, and what stands before it and does.
_WRAPPERS = {
    *("decorated_definition", "export_statement", "template_declaration", "ambient_declaration"),
    *("lexical_declaration", "variable_declaration", "expression_statement", "type_declaration"),
    *("const_declaration", "var_declaration", "var_spec_list", "assignment_expression"),
    *("variable_declarator", "field_declaration", "type_definition"),
}
_GROUPS = {"type_declaration", "const_declaration", "var_declaration", "var_spec_list"}
_BEFORE = {"comment", "line_comment", "block_comment", "attribute_item", "decorator"}
_COMMENTS = {"comment", "line_comment", "block_comment"}

# For a skeleton: what is kept whole, and what is looked into though it defines nothing.
_IMPORTS = {
    *("import_statement", "import_from_statement", "future_import_statement"),
    *("import_declaration", "use_declaration", "extern_crate_declaration", "mod_item"),
    *("preproc_include", "using_declaration", "package_clause", "package_declaration"),
    *("using_directive", "file_scoped_namespace_declaration", "namespace_use_declaration"),
    *("namespace_definition", "import", "package_header"),
}
_LOOKED_INTO = {
    *("if_statement", "try_statement", "block", "preproc_ifdef", "preproc_if", "preproc_else"),
    *("linkage_specification", "declaration_list", "enum_body_declarations"),
    *("type_declaration", "const_declaration", "var_declaration", "var_spec_list"),
    *("namespace_declaration", "companion_object", "class_body", "singleton_class"),
    *("body_statement", "declaration_command"),
}


_DEEPEST = 100
"""Nodes above a definition; each class or function that it is in adds two or three."""


@frozen
class Symbol:
    """A definition and the whole lines it takes, decorators and comments directly above included.

    ``name`` is qualified by what it is in, with dots in every language: ``Parser.parse``.
    """

    name: str
    level: int
    """1 at the top of the file."""
    span: Span


class _Definition(NamedTuple):
    name: str
    level: int
    kind: str
    outer: Node
    """With what is wrapped around it."""
    body: Node | None


def may_have_symbols(name: str) -> bool:
    """Whether a file of that name is in a language whose symbols can be named."""
    return _language_of(name) is not None


def find_missing_grammar(name: str) -> str:
    """Name the language of a file whose grammar is not installed; empty: nothing is missing."""
    extra = _EXTRA_OF.get(_suffix(name))
    return extra.name if extra and not _is_installed(extra.module) else ""


def find_symbols(text: str, name: str) -> tuple[Symbol, ...]:
    """The symbols of a file of that name, in order; none where its language is not known."""
    code = _parsed(text, name)
    return () if code is None else code.symbols()


def find_code_skeleton(text: str, name: str) -> list[Span]:
    """The lines that say what is in a file: imports, heads of classes and functions with the
    first line of what documents them, fields and constants; empty where nothing is known."""
    code = _parsed(text, name)
    if code is None:
        return []
    return [code.lines.span(row, row) for row in code.skeleton()]


def _language_of(name: str) -> str | None:
    suffix = _suffix(name)
    if language := _LANGUAGE_OF.get(suffix):
        return language
    extra = _EXTRA_OF.get(suffix)
    return extra.name if extra and _is_installed(extra.module) else None


def _suffix(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2].lower()


@cache
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None


@lru_cache(maxsize=4)  # the same file is asked for part after part
def _parsed(text: str, name: str) -> _Code | None:
    language = _language_of(name)
    return None if language is None else _Code(text, language)


@cache
def _grammar(language: str) -> tuple[Language, Query]:
    from tree_sitter import Language, Query

    if extra := _EXTRA.get(language):
        grammar = Language(getattr(import_module(extra.module), extra.function)())
        return grammar, Query(grammar, extra.query)
    module = import_module(f"tree_sitter_{'typescript' if language == 'tsx' else language}")
    function = f"language_{language}" if module.__name__.endswith("typescript") else "language"
    grammar = Language(getattr(module, function)())
    return grammar, Query(grammar, _QUERIES[language])


class _Lines:
    """Lines as the grammars count them (rows end at a newline), as spans of characters."""

    def __init__(self, text: str) -> None:
        self.texts = text.split("\n")
        starts = [0]
        for line in self.texts:
            starts.append(starts[-1] + len(line) + 1)
        self._starts, self._end = starts, len(text)

    def span(self, first: int, last: int) -> Span:
        """Rows ``first`` to ``last``, both included, from 0."""
        return Span(self._starts[first], min(self._starts[last + 1], self._end))


class _Code:
    """One parsed text."""

    def __init__(self, text: str, language: str) -> None:
        from tree_sitter import Parser, QueryCursor

        grammar, query = _grammar(language)
        self.lines = _Lines(text)
        self.root = Parser(grammar).parse(text.encode("utf-8", "surrogatepass")).root_node
        cursor = QueryCursor(query)
        cursor.set_max_start_depth(
            _DEEPEST
        )  # looking into what is nested without end takes as long
        matches = [] if _is_rubble(self.root) else cursor.matches(self.root)
        self._definitions = list(_definitions(matches))
        self._by_outer: dict[int, _Definition] = {}
        for definition in self._definitions:
            self._by_outer.setdefault(definition.outer.id, definition)

    def symbols(self) -> tuple[Symbol, ...]:
        return tuple(
            Symbol(d.name, d.level, self.lines.span(self._first_row(d.outer), _last_row(d.outer)))
            for d in self._definitions
        )

    def skeleton(self) -> list[int]:
        """The rows of a skeleton, each once, in order."""
        top = self.kept(self.root.children, inside=False)
        return sorted({*self._documented(self.root), *top})

    def kept(self, nodes: Sequence[Node], *, inside: bool) -> Iterator[int]:
        """The rows of a skeleton among ``nodes``, which stand ``inside`` a type or at the top."""
        for node in nodes:
            definition = self._by_outer.get(node.id)
            if definition is not None:
                yield from self._head(definition)
            elif node.type in _IMPORTS:
                yield from range(node.start_point.row, _last_row(node) + 1)
            elif node.type in _LOOKED_INTO:
                within = list(self.kept(node.children, inside=inside))
                yield from [node.start_point.row, *within, *self._closing(node)] if within else []
            elif (
                inside
                and node.is_named
                and node.type not in _COMMENTS
                or node.type.endswith("_declaration")
            ):
                yield node.start_point.row

    def _head(self, definition: _Definition) -> Iterator[int]:
        outer, body = definition.outer, definition.body
        first = outer.start_point.row
        comments = range(self._first_row(outer), first)
        yield from [row for row in comments if _says_something(self.lines.texts[row])][:1]
        if body is None:
            yield from range(
                first, (_last_row(outer) if definition.kind == "function" else first) + 1
            )
            return
        opening = body.start_point.row
        yield from range(first, opening + (opening == first or not self._begins(body)))
        yield from self._documented(body)
        if definition.kind == "type":
            yield from self.kept(body.children, inside=True)
            yield from self._closing(outer)

    def _closing(self, node: Node) -> Iterator[int]:
        """The last row, where it does nothing but close."""
        if self.lines.texts[_last_row(node)].strip(" \t\r;,)}") in ("", "end"):
            yield _last_row(node)

    def _documented(self, body: Node) -> Iterator[int]:
        """The first row of what a Python body or module begins with to say what it is."""
        first = next((child for child in body.children if child.type != "comment"), None)
        if first is None or first.type != "expression_statement":
            return
        if [child.type for child in first.children] == ["string"]:
            yield first.start_point.row

    def _begins(self, node: Node) -> bool:
        """Whether a node is the first thing on its line."""
        return (
            not self.lines.texts[node.start_point.row].encode()[: node.start_point.column].strip()
        )

    def _first_row(self, node: Node) -> int:
        """The row where what belongs to a definition begins: comments and such directly above."""
        first = node.start_point.row
        before = node.prev_sibling
        while before is not None and before.type in _BEFORE and _last_row(before) >= first - 1:
            if not self._begins(before):  # it speaks of what it stands behind
                break
            first = before.start_point.row
            before = before.prev_sibling
        return first


def _is_rubble(root: Node) -> bool:
    """Whether so much could not be parsed in one place that looking through it takes for ever:
    a query takes quadratic time over tokens that are nothing but side by side."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_error and node.child_count > 5_000:
            return True
        waiting += [child for child in node.children if child.has_error]
    return False


def _definitions(
    matches: Sequence[tuple[int, dict[str, list[Node]]]],
) -> Iterator[_Definition]:
    """The definitions in order, each once, with the names of what they are in."""
    found: dict[int, tuple[str, Node, dict[str, list[Node]]]] = {}
    for _, captures in matches:
        kind = next(name for name in captures if name in ("function", "type", "constant"))
        (node,) = captures[kind]
        if node.id not in found or "body" in captures:
            found[node.id] = kind, node, captures
    around: list[tuple[int, str, str]] = []
    for kind, node, captures in sorted(
        found.values(), key=lambda each: (each[1].start_byte, -each[1].end_byte)
    ):
        while around and around[-1][0] <= node.start_byte:
            around.pop()
        body = captures["body"][0] if "body" in captures else None
        if around and around[-1][2] == "function" and (kind == "constant" or body is None):
            continue  # what only looks like a declaration among statements
        name = ".".join(
            part
            for part in (
                around[-1][1] if around else "",
                _owner(captures["owner"][0]) if "owner" in captures else "",
                _name(captures["name"][0]),
            )
            if part
        )
        yield _Definition(name, len(around) + 1, kind, _outer(node), body)
        around.append((node.end_byte, name, kind))


def _outer(node: Node) -> Node:
    """The definition with what is wrapped around it alone."""
    while node.parent is not None and node.parent.type in _WRAPPERS:
        siblings = [c for c in node.parent.named_children if c.type not in _BEFORE]
        if sum(child.type == node.type for child in siblings) > 1:
            break
        if node.parent.type in _GROUPS and node.parent.start_point.row < node.start_point.row:
            break
        node = node.parent
    return node


def _name(node: Node) -> str:
    while inner := node.child_by_field_name("declarator") or (
        node.named_children[-1] if node.type == "reference_declarator" else None
    ):
        node = inner
    return _plain(_text(node))


def _owner(receiver: Node) -> str:
    """The type of a Go receiver such as ``(p *Parser[T])``."""
    words = re.findall(r"[\w.]+", _plain(_text(receiver)))
    return words[-1] if words else ""


def _plain(name: str) -> str:
    """A name without type arguments and quotes, its parts joined by dots."""
    while (shorter := re.sub(r"<[^<>]*>|\[[^\[\]]*\]", "", name)) != name:
        name = shorter
    return re.sub(r"\s*::\s*", ".", name).strip("\"'` \t\r\n") or name


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _last_row(node: Node) -> int:
    """The last row of a node; one that ends with a newline ends on the row before."""
    end = node.end_point
    return max(node.start_point.row, end.row - (end.column == 0))


def _says_something(line: str) -> bool:
    return any(map(str.isalnum, line))
