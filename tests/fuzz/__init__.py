"""Every reader on damaged and hostile files: `scripts/check_fuzz.py` runs more of the same."""
