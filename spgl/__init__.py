"""The application people type: command line, configuration, logging, demo.

It composes `validator` and `pusher`; it holds no domain logic.
"""

__version__ = "0.1.0"
