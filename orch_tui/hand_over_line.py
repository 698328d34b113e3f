"""The line that stands for a briefing in a prompt, and how its id is found there.

It names the deployment, the SHA-256 of the bytes to hand over and a file that holds them, so that
it is enough by itself where no hook puts the briefing in its place. The hand-over hook reads it
within a tool call, so this module imports nothing.
"""

from __future__ import annotations

_OPENING = "[orch"
OPENING = _OPENING.encode()
"""What a payload holds in which a briefing may have to be put in."""

_LONGEST = 200
"""Characters of what stands between the brackets, with whatever wrapped it."""


class SeveralLinesError(ValueError):
    """A prompt that names several deployments: none of them is handed over."""


def render_hand_over(uid: str, sha256: str, path: str) -> str:
    """Render the line to pass as the prompt, without a line end.

    ``uid`` is that of the deployment, ``path`` a file with the briefing.
    """
    return (
        f"Your briefing is the file {path} - if this line is all you see, read that file in "
        f"parts, to its end, and do what it says. {_OPENING} hand-over {uid} sha256 {sha256}]"
    )


def find_hand_over(prompt: str) -> tuple[str, str] | None:
    """Find the uid and SHA-256 that a prompt names; None where it names none.

    Raises:
        SeveralLinesError: it names several.
    """
    found = {named for part in prompt.split(_OPENING)[1:] if (named := _named(part))}
    if len(found) > 1:
        raise SeveralLinesError(f"it names {len(found)} briefings")
    return next(iter(found), None)


def _named(text: str) -> tuple[str, str] | None:
    inside, closing, _ = text[:_LONGEST].partition("]")
    words = inside.split()
    if closing and len(words) == 4 and (words[0], words[2]) == ("hand-over", "sha256"):
        uid, sha256 = words[1], words[3]
        if _is_hex(uid, 32) and _is_hex(sha256, 64):
            return uid, sha256
    return None


def _is_hex(word: str, length: int) -> bool:
    return len(word) == length and not word.strip("0123456789abcdef")
