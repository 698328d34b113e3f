"""The five phases of a session; a module of its own because every search needs the names."""

from __future__ import annotations

PHASES = {1: "analyze", 2: "plan", 3: "execute", 4: "validate", 5: "confirm"}
