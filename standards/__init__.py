"""Standard packs: data only (TOML, CSV, generated schemas). `validator.load` reads them."""
