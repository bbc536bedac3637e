"""`python -m audiogmm` is the command `audiogmm`."""

from __future__ import annotations

from audiogmm.cli.main import main

if __name__ == "__main__":
    main()
