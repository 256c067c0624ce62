"""Turns records into violations: packs, sources, rules, reports.

Pure and synchronous. It never imports `pusher`, `spgl` or `aiohttp`, and it never sends anything.
"""
