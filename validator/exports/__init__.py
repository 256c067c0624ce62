"""Packs in the formats other tools take, one module per format.

Nothing here judges data; JSON Schema and XSD, which the tests also use as oracles, are beside the
engine in `validator.json_schema` and `validator.xsd`.
"""
