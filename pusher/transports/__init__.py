"""Ways to a target: `http` and `exchange_db`, each behind the protocol of `pusher.transport`.

A transport translates the failures of its own world; it keeps no state that must survive a crash.
"""
