"""The inspector: local pages that show what is wrong and what became of every record.

Pages are functions from data to a frozen value (`pages/`), rendered by a template or, at the same
address with `.json`, as JSON. Data come from three places: stored runs (`runs`, `index`), the files
of a run (`snapshot`), the ledger read-only (`ledger`). It judges and sends nothing itself.
"""
