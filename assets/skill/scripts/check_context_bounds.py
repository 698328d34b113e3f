"""Check that files fit the context of a phase; needs no record and makes none."""

from _orch import run

if __name__ == "__main__":
    run(__file__)
