"""Kernels: compiled loops that take arrays and fill arrays.

There is one policy of compilation (`policy`): without the interpreter lock, cached safely on disk, in the
arithmetic as written, so that the same numbers give the same bytes for any number of rows, threads and
chunks. No object of the package, no validation and no allocation inside a hot loop enters here; every
argument is marked IN, OUT or INOUT. A kernel has a naive twin in the tests, and a bound has a proof in
`mixture`.
"""
