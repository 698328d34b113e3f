"""Write a report from names alone; needs no record and makes none."""

from _orch import run

if __name__ == "__main__":
    run(__file__)
