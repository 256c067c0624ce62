"""One module per command: `add(parser, lang)` declares options, `run(call)` does it."""
