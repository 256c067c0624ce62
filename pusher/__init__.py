"""Turns conforming records into receipts: ledger, retry, transports, sandbox.

From `validator` it sees only plain types (pack, record batch, verdict). It judges no record.
"""
