"""The command line: each command parses its options, calls one verb of `jobs`, and prints the result.

Options that several commands share are worded once, in `options`; the click parameters of a command are
the fields of its settings. Progress and notes go to standard error, and only the result to standard
output. A command is imported when it is called, so that `audiogmm --help` answers at once.
"""
