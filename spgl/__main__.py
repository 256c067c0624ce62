"""`python -m spgl` is the console script."""

from spgl.cli import main

raise SystemExit(main())
