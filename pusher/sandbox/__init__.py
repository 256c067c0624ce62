"""A stand-in national system: over HTTP, and as the collector of an exchange database.

Demo, tests and benchmarks share it. What it accepts is accepted by the sandbox and by nobody else:
no official system was seen from inside, so its strictness is scripted, not known.
"""
