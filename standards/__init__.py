"""Standard packs: data only (TOML, CSV, generated schemas). No code lives here; `validator.load` reads it."""
