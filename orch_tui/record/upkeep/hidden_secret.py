"""A secret that is to be taken out: in which forms it stands, and what is left without it."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from typing import Any

from orch_tui.errors import UsageError
from orch_tui.frozen import frozen
from orch_tui.models.creation import schema_script
from orch_tui.models.stored_bytes import inflate
from orch_tui.record.ledger import contents
from orch_tui.record.ledger.contents import GONE
from orch_tui.record.ledger.statement import KINDS

SHORTEST = 4
"""Characters; anything shorter would be found everywhere by chance."""

_IN_PAYLOADS = ("now", "before", *(name for kind in KINDS.values() for name in kind.shape))
_DIGEST = re.compile(r"[0-9a-f]{64}|sql:[0-9a-f]{32}")


@frozen
class HiddenSecret:
    """What is to be found nowhere any more."""

    text: str
    given: bytes
    """As it was given."""
    sha256: str
    in_text: tuple[str, ...]
    """Its forms in text, the longest first."""
    in_bytes: tuple[tuple[bytes, bytes], ...]
    """Its forms in bytes, each with what replaces it."""

    @classmethod
    def of(cls, secret: str | bytes) -> HiddenSecret:
        """Work out its forms.

        Raises:
            UsageError: it is too short, or part of a word that orch itself writes.
        """
        data = contents.encode_given(secret)
        text = data.decode("utf-8", "replace")
        if len(text.strip().replace("\ufffd", "")) < SHORTEST:
            raise UsageError(
                f"a secret shorter than {SHORTEST} characters would be found everywhere",
                hint="give all of it",
            )
        for word in sorted({*re.findall(r"[a-z_]{4,}", schema_script()), *_IN_PAYLOADS}):
            if text in word:
                raise UsageError(
                    f"the record itself writes {word!r}", hint="give all of the secret"
                )
        escaped = {json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (True, False)}
        forms = tuple(sorted({text, *escaped}, key=len, reverse=True))
        encoded = {form.encode(): GONE.encode() for form in forms}
        for encoding in ("utf-16-le", "utf-16-be"):
            encoded[text.encode(encoding)] = GONE.encode(encoding)
        encoded[data] = GONE.encode()
        return cls(text, data, hashlib.sha256(data).hexdigest(), forms, tuple(encoded.items()))

    def out_of_text(self, text: str) -> str:
        """Take it out of a text."""
        for form in self.in_text:
            text = text.replace(form, GONE)
        return text

    def out_of_bytes(self, data: bytes) -> bytes:
        """Take it out of bytes."""
        for form, replacement in self.in_bytes:
            data = data.replace(form, replacement)
        return data

    def out_of(self, value: Any) -> Any:
        """Take it out of a column's value; JSON is decoded, however it was escaped."""
        if isinstance(value, bytes):
            data = unpack_value(value)
            if data is value:
                return self.out_of_bytes(value)
            cleaned = self._out_of_unpacked(data)
            return value if cleaned == data else zlib.compress(cleaned, 6)
        if not isinstance(value, str) or self._is_not_in(value):
            return value
        if value[:1] in ("{", "["):
            try:
                decoded = json.loads(value)
            except ValueError:
                return self.out_of_text(value)
            cleaned = self._out_of_json(decoded)
            return value if cleaned == decoded else _as_json(cleaned)
        return self.out_of_text(value)

    def _is_not_in(self, text: str) -> bool:
        """Tell at once that a text, JSON or not, does not hold it, as nearly all do not. Only JSON
        that escapes what it need not hides it from its forms."""
        return not any(sign in text for sign in ("\\u", "\\/", *self.in_text))

    def _out_of_unpacked(self, data: bytes) -> bytes:
        """Take it out of what was compressed: a text as orch packs it, or any bytes."""
        try:
            text = data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return self.out_of_bytes(data)
        return str(self.out_of(text)).encode("utf-8", "surrogatepass")

    def _out_of_json(self, value: Any) -> Any:
        if isinstance(value, str):
            return value if _is_digest(value, self.text) else self.out_of_text(value)
        if isinstance(value, list):
            return [self._out_of_json(item) for item in value]
        if isinstance(value, dict):
            return {self.out_of_text(k): self._out_of_json(v) for k, v in value.items()}
        return value


def _as_json(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:  # what stands for bytes that are not UTF-8 must stay escaped
        text = json.dumps(value)
    return text


def _is_digest(value: str, secret: str) -> bool:
    """A few letters of a secret may stand in a hash by chance."""
    return value != secret and _DIGEST.fullmatch(value) is not None


def _begins_compressed(data: bytes) -> bool:
    """Tell whether bytes begin as what zlib compressed does (RFC 1950, 2.2)."""
    return len(data) > 1 and data[0] & 15 == 8 and not (data[0] << 8 | data[1]) % 31


def unpack_value(value: Any) -> Any:
    """Inflate what was compressed, and give anything else as it is."""
    if not isinstance(value, bytes) or not _begins_compressed(value):
        return value
    try:
        return inflate(value)
    except (ValueError, TypeError):
        return value
