"""The course of a project through its stages: which cases come when, as if no night cut them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from spgl.city.case import (
    FAILED,
    NOT_TAKEN,
    PASSED,
    PASSED_LACKING,
    REFUSED,
    REVOKED,
    TAKEN_BACK,
    WITHDRAWN,
    Case,
    make_case,
)
from spgl.city.catalogue import ITEMS
from spgl.city.project import Project
from spgl.city.stages import Granted
from spgl.city.table import later

_STUMBLES = (WITHDRAWN, NOT_TAKEN, REFUSED, TAKEN_BACK, REVOKED)


@dataclass(frozen=True, slots=True)
class Step:
    """One case, the parallel handling it belongs to (or ""), and what was granted before it."""

    case: Case
    together: str
    granted: Granted


@dataclass(slots=True)
class Course:
    """The steps of one project, in the order they are applied for."""

    project: Project
    rng: Random
    steps: list[Step] = field(default_factory=list)

    @property
    def finished(self) -> datetime:
        """The moment the last case ended."""
        return max(s.case.ended for s in self.steps)

    def handle(
        self, gcdm: str, item: str, moment: datetime, granted: Granted, together: str = ""
    ) -> datetime:
        """One item until it passes, perhaps after a stumble; returns when the next may start."""
        rng = self.rng
        if rng.random() < 0.07:
            free = ITEMS[item].national == "9990000" and rng.random() < 0.5
            outcome = FAILED if free else rng.choice(_STUMBLES)
            stumbled = self._case(gcdm, item, moment, outcome)
            self.steps.append(Step(stumbled, together, dict(granted)))
            moment = later(stumbled.ended, 3 + rng.randrange(8), rng)
        outcome = PASSED_LACKING if rng.random() < 0.08 else PASSED
        case = self._case(gcdm, item, moment, outcome)
        self.steps.append(Step(case, together, dict(granted)))
        granted[item] = case
        return later(case.ended, 2 + rng.randrange(10), rng)

    def jointly(
        self, gcdm: str, items: Sequence[str], moment: datetime, granted: Granted, code: str
    ) -> datetime:
        """Items applied for at once; they share `code` where they are several."""
        together = code if len(items) > 1 else ""
        ends = [self.handle(gcdm, item, moment, granted, together) for item in items]
        return max(ends, default=moment)

    def _case(self, gcdm: str, item: str, start: datetime, outcome: int) -> Case:
        code = f"YC{start:%Y%m%d}{self.project.number:04d}{len(self.steps) + 1:05d}"
        return make_case(self.project, gcdm, item, code, start=start, outcome=outcome, rng=self.rng)


def make_course(seed: int, p: Project) -> Course:
    """All cases of the project from first to last."""
    rng = Random(f"{seed}/course/{p.number}")
    course = Course(p, rng)
    early: Granted = {}
    moment = later(p.started, 3, rng)
    for item in _planned(p, (1, 2)):
        moment = course.handle(p.code, item, moment, early)
    for gcdm in p.parts:
        _build(course, gcdm, moment, dict(early))
    return course


def _build(course: Course, gcdm: str, moment: datetime, granted: Granted) -> None:
    """Permit, construction and acceptance of one part of the project."""
    p, rng = course.project, course.rng
    joint = f"BL{p.number:04d}{gcdm[-3:]}"
    together = ("YC3001", "YC3003") if p.situation else ()
    moment = course.jointly(gcdm, together, moment, granted, f"{joint}S3")
    for item in _planned(p, (3,)):
        if item not in together:
            moment = course.handle(gcdm, item, moment, granted)
    if p.purpose == "住宅小区":
        course.handle(gcdm, "YC5002", later(moment, 60, rng), granted)
    course.handle(gcdm, "YC5001", later(moment, 30, rng), granted)
    moment = later(moment + timedelta(days=rng.randrange(240, 420)), 1, rng)
    accepted = [item for item in _planned(p, (4,)) if item != "YC4004"]
    moment = course.jointly(gcdm, accepted, moment, granted, f"{joint}S4")
    for item in _planned(p, (4,)):
        if item not in accepted:
            moment = course.handle(gcdm, item, moment, granted)
    if p.purpose == "住宅小区":
        course.handle(gcdm, "YC5003", moment, granted)


def _planned(p: Project, stages: tuple[int, ...]) -> list[str]:
    """The items a project goes through: one land permit, and fire items by kind of works."""
    left_out = {"YC1001" if p.public else "YC1002"}
    left_out |= {"YC4002"} if p.situation else {"YC3003", "YC4001"}
    return [c for c in p.process.items if ITEMS[c].stage in stages and c not in left_out]
