"""Check the scope, files and dependencies of a plan; needs no record and makes none."""

from _orch import run

if __name__ == "__main__":
    run(__file__)
