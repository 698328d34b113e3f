"""The permission to run ``orch`` commands without asking, in a settings file of Claude Code.

https://code.claude.com/docs/en/permissions
"""

from __future__ import annotations

import json
from pathlib import Path

from orch_tui.errors import FormatError
from orch_tui.install import json_text
from orch_tui.install.settings_file import (
    Change,
    Document,
    checked_text,
    decode_settings,
    encoding_of,
    parse_settings,
    read_settings,
)

RULE = "Bash(orch:*)"


def allowance(path: Path) -> Change:
    """Allow Claude Code to run any `orch` command without asking; nothing where it may already.

    Raises:
        FormatError: the file is not what Claude Code reads.
        SourceError: a link leads it out of the project, or it cannot be read.
    """
    before = read_settings(path)
    text = decode_settings(path, before or b"")
    if is_allowed(parse_settings(path, text)):
        return Change(path, before, before)
    return Change(path, before, with_rule(path, text).encode(encoding_of(before)), allows=True)


def with_rule(path: Path, text: str) -> str:
    """Put the rule into the text of a settings file that does not have it.

    Raises:
        FormatError: the file holds permissions of another form.
    """
    text = text if text.strip() else "{}\n"
    wanted = parse_settings(path, text)
    permissions = wanted.get("permissions", {})
    if not (isinstance(permissions, dict) and isinstance(permissions.get("allow", []), list)):
        raise FormatError(f'{path}: "permissions"."allow" is no list', hint="mend the file")
    wanted.setdefault("permissions", {}).setdefault("allow", []).append(RULE)
    root = json_text.beginning(text)
    held = json_text.member(text, root, "permissions")
    if held is None:
        text = json_text.insert(text, root, {"allow": [RULE]}, key="permissions")
    elif (rules := json_text.member(text, held.value, "allow")) is None:
        text = json_text.insert(text, held.value, [RULE], key="allow")
    else:
        text = json_text.insert(text, rules.value, RULE)
    return checked_text(text, wanted)


def without_rule(text: str) -> str:
    """Take the rule out of the text of a settings file, and what is empty then."""
    document = json.loads(text) if text.strip() else {}
    if not is_allowed(document):
        return text
    permissions = document["permissions"]
    permissions["allow"].remove(RULE)
    if not permissions["allow"]:
        del permissions["allow"]
    if not permissions:
        del document["permissions"]
    return checked_text(_cut_rule(text), document)


def _cut_rule(text: str) -> str:
    root = json_text.beginning(text)
    held = json_text.member(text, root, "permissions")
    rules = held and json_text.member(text, held.value, "allow")
    if not held or not rules:
        return text
    elements = json_text.items(text, rules.value)
    values = [json.loads(text[each.value : each.end]) for each in elements]
    way = [
        (root, json_text.items(text, root).index(held)),
        (held.value, json_text.items(text, held.value).index(rules)),
        (rules.value, values.index(RULE)),
    ]
    while len(way) > 1 and len(json_text.items(text, way[-1][0])) == 1:
        way.pop()
    return json_text.remove(text, *way[-1])


def is_allowed(document: Document) -> bool:
    """Tell whether the settings allow it, by this rule."""
    permissions = document.get("permissions")
    rules = permissions.get("allow") if isinstance(permissions, dict) else None
    return isinstance(rules, list) and RULE in rules
