"""Record sessions, deployments and completions. `--help` lists the commands."""

from _orch import run

if __name__ == "__main__":
    run(__file__)
