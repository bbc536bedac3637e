"""Whether files are what was written: every checksum of every kind of file; nothing is written."""
