"""``python -m orch_tui``."""

import sys

from orch_tui.cli import main

sys.exit(main())
