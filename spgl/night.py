"""`--until HH:MM`: the end of the night window, and the word to stop when it has come.

The window is a condition of the run: no version changes its state because of it (decisions 8).
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from spgl.config import ConfigError
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.world import World

#: Seconds between looks at the clock: one that is set forward or back meanwhile is noticed.
LOOK = 20.0
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_WRONG = Text("--until {word}：请写作 时:分，如 06:00", "--until {word}: write HH:MM, as in 06:00")


def ends(word: str, now: datetime, lang: Lang) -> datetime:
    """The next time the local clock shows `word`; `now` and the answer are local, without zone.

    Raises ConfigError.
    """
    found = _TIME.fullmatch(word)
    if found is None:
        raise ConfigError(_WRONG.fill({"word": word})[lang])
    hour, minute = int(found[1]), int(found[2])
    end = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return end if end > now else end + timedelta(days=1)


async def stop_at(end: datetime, world: World, stop: asyncio.Event) -> None:
    """Set `stop` once the clock has reached `end` (with zone)."""
    while (left := (end - world.clock()).total_seconds()) > 0:
        await world.sleep(min(left, LOOK))
    world.log.info("window_ended", end=end.isoformat(timespec="minutes"))
    stop.set()
