"""Languages whose grammars come with ``orch-tui[languages]``: how their symbols are found.

What a query captures is told in ``prepare.symbols``. A language is known once the wheel of its
grammar is installed; until then a file in it has lines alone, and that is said.
"""

from __future__ import annotations

from typing import NamedTuple


class ExtraLanguage(NamedTuple):
    """A language, the wheel of its grammar and what it calls a definition."""

    name: str
    """As people write it."""
    suffixes: tuple[str, ...]
    module: str
    function: str
    query: str


EXTRA_LANGUAGES = (
    ExtraLanguage(
        "C#",
        ("cs", "csx"),
        "tree_sitter_c_sharp",
        "language",
        """
        (class_declaration name: (_) @name body: (_)? @body) @type
        (interface_declaration name: (_) @name body: (_) @body) @type
        (struct_declaration name: (_) @name body: (_)? @body) @type
        (record_declaration name: (_) @name body: (_)? @body) @type
        (enum_declaration name: (_) @name body: (_)? @body) @type
        (delegate_declaration name: (_) @name) @type
        (method_declaration name: (_) @name body: (_)? @body) @function
        (constructor_declaration name: (_) @name body: (_)? @body) @function
        (property_declaration name: (_) @name) @constant
        """,
    ),
    ExtraLanguage(
        "PHP",
        ("php", "phtml"),
        "tree_sitter_php",
        "language_php",
        """
        (class_declaration name: (_) @name body: (_) @body) @type
        (interface_declaration name: (_) @name body: (_) @body) @type
        (trait_declaration name: (_) @name body: (_) @body) @type
        (enum_declaration name: (_) @name body: (_) @body) @type
        (function_definition name: (_) @name body: (_) @body) @function
        (method_declaration name: (_) @name body: (_)? @body) @function
        (const_declaration (const_element . (name) @name) @constant)
        """,
    ),
    ExtraLanguage(
        "Ruby",
        ("rb", "rake", "gemspec"),
        "tree_sitter_ruby",
        "language",
        """
        (module name: (_) @name body: (_)? @body) @type
        (class name: (_) @name body: (_)? @body) @type
        (method name: (_) @name body: (_)? @body) @function
        (singleton_method name: (_) @name body: (_)? @body) @function
        (assignment left: (constant) @name) @constant
        """,
    ),
    ExtraLanguage(
        "Kotlin",
        ("kt", "kts"),
        "tree_sitter_kotlin",
        "language",
        """
        (class_declaration name: (_) @name [(class_body) (enum_class_body)]? @body) @type
        (object_declaration name: (_) @name (class_body)? @body) @type
        (type_alias type: (_) @name) @type
        (function_declaration name: (_) @name (function_body)? @body) @function
        (source_file
          (property_declaration (variable_declaration (identifier) @name)) @constant)
        """,
    ),
    ExtraLanguage(
        "Swift",
        ("swift",),
        "tree_sitter_swift",
        "language",
        """
        (class_declaration name: (_) @name body: (_) @body) @type
        (protocol_declaration name: (_) @name body: (_) @body) @type
        (typealias_declaration name: (type_identifier) @name) @type
        (function_declaration name: (simple_identifier) @name body: (_)? @body) @function
        (init_declaration name: "init" @name body: (_)? @body) @function
        (protocol_function_declaration name: (simple_identifier) @name) @function
        (source_file
          (property_declaration name: (pattern bound_identifier: (_) @name)) @constant)
        """,
    ),
    ExtraLanguage(
        "Bash",
        ("sh", "bash"),
        "tree_sitter_bash",
        "language",
        """
        (function_definition name: (_) @name body: (_) @body) @function
        (program (variable_assignment name: (_) @name) @constant)
        (program (declaration_command (variable_assignment name: (_) @name)) @constant)
        """,
    ),
)
