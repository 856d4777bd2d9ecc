"""``python -m neuralframe`` is the program ``neuralframe``."""

from __future__ import annotations

from neuralframe.cli import main

if __name__ == "__main__":
    main()
