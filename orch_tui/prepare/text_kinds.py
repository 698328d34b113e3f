"""What kind of content a text is: code by language, prose, data, by the script it is written in."""

from __future__ import annotations

import re

from orch_tui.source_name import path_of


def kind_of(source: str, text: str) -> str:
    """The kind of content, by the script it is written in, then by the
    suffix of its source, then by how it begins. ``other`` when nothing tells."""
    return _script(text) or _kind_by_name(source, text) or _kind_by_look(text)


_SUFFIXES = {
    "c": ["c", "h", "cc", "cpp", "cxx", "hpp", "hh", "m", "mm", "cu"],
    "css": ["css", "scss", "less", "tcss", "sass"],
    "csv": ["csv", "tsv"],
    "go": ["go"],
    "html": ["html", "htm", "xml", "vue", "svelte", "xhtml", "jinja", "j2", "djt"],
    "java": ["java", "kt", "kts", "cs", "scala", "swift", "groovy"],
    "javascript": ["js", "mjs", "cjs", "jsx"],
    "json": ["json", "jsonl", "ndjson", "geojson"],
    "markdown": ["md", "markdown", "mdx", "mdc"],
    "python": ["py", "pyi", "pyx", "pyw", "ipynb"],
    "rst": ["rst"],
    "rust": ["rs"],
    "shell": ["sh", "bash", "zsh", "fish", "ksh"],
    "sql": ["sql"],
    "svg": ["svg"],
    "toml": ["toml", "ini", "cfg", "conf", "properties"],
    "typescript": ["ts", "tsx", "mts", "cts"],
    "yaml": ["yaml", "yml"],
}
_KIND_OF_SUFFIX = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes}


def _kind_by_name(source: str, text: str) -> str:
    name = path_of(source).rpartition("/")[2]
    kind = _KIND_OF_SUFFIX.get(name.rpartition(".")[2].lower(), "")
    if kind == "json" and "\n " not in text[:4000]:
        return "json-compact"
    return kind


def _kind_by_look(text: str) -> str:
    head = text[:4000].lstrip("\ufeff \t\r\n")
    if head.startswith("#!"):
        program = head.partition("\n")[0]
        return "python" if "python" in program else "shell" if "sh" in program else "other"
    if head.startswith(("{", "[")) and '"' in head[:100]:
        return "json" if "\n " in head else "json-compact"
    if head.startswith("<") and "</" in head:
        return "html"
    if re.search(_MARKDOWN, head, re.MULTILINE):
        return "markdown"
    return "english" if 15 * len(re.findall(_SYMBOL, head, re.MULTILINE)) < len(head) else "other"


_MARKDOWN = r"^(#{1,6} \S|```|[-*] \S.*\n[-*] \S)"
_SYMBOL = r"[^A-Za-z\s.,;:'!?-]|;$"


def _script(text: str) -> str:
    """The kind of a text that is largely not plain English letters, judged by its middle."""
    middle = len(text) // 2
    sample = text[max(0, middle - 2000) : middle + 2000]
    if sample.isascii():
        return ""
    ascii_only = sample.encode("ascii", "ignore")
    others = len(sample) - len(ascii_only)
    if others <= _LEAST * len(ascii_only.translate(None, _NO_LETTERS)):
        return ""  # too few, whatever they are: signs in a text of English words
    letters = sum(map(str.isalpha, sample))
    for kind, alphabet, share in _SCRIPTS:
        if len(re.findall(alphabet, sample)) > share * letters:
            return kind
    return ""


_SCRIPTS = (
    ("cjk", "[\u2e80-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff]", 0.2),
    ("nonlatin", "[\u0370-\u1dff]", 0.2),
    ("european", "[\u00c0-\u024f\u1e00-\u1eff]", 0.02),
)
_LEAST = min(share for _, _, share in _SCRIPTS)
_NO_LETTERS = bytes(sign for sign in range(128) if not chr(sign).isalpha())
