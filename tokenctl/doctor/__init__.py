"""Doctor: why does it not work here? Small checks in a table, by the same code paths as the real command.

A check reads, and changes nothing: no file, no keyring entry, no lock, no request that presents a secret. `case_of` sees
to that for everything below the checks, by `Runtime.look_only`; the probe entry of `--write-test` is the one exception.
"""
