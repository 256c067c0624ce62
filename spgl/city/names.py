"""Places, companies and people that do not exist, with numbers whose check digits are right.

No list of real names is used anywhere: a name is two signs of the sixty-year cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

CITY = "样川市"
DIVISION = "990100"
COUNTIES = {"990102": "东样区", "990103": "西样区", "990121": "样北县"}

_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SUBJECT_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Person:
    """A person who does not exist; the citizen number starts with an unassigned division."""

    name: str
    number: str
    phone: str


@dataclass(frozen=True, slots=True)
class Company:
    """A company or office that does not exist, with its legal representative and a project lead."""

    name: str
    code: str
    legal: Person
    lead: Person


def cycle(n: int) -> str:
    """The n-th pair of the sixty-year cycle, a neutral two-sign name."""
    return _STEMS[n % 10] + _BRANCHES[n % 12]


def credit_code(kind: str, serial: int) -> str:
    """GB 32100 code of an artificial serial: kind(2), division(6), subject(8+check), check."""
    subject = f"{serial:08d}"
    rest = 11 - sum(int(c) * w for c, w in zip(subject, _SUBJECT_WEIGHTS, strict=True)) % 11
    body = f"{kind}{DIVISION}{subject}{'X' if rest == 10 else rest % 11}"
    total = sum(_CREDIT.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _CREDIT[-total % 31]


def citizen_number(serial: int) -> str:
    """GB 11643 number in an unassigned division, born on some day of 1970 to 1994."""
    birth = f"{1970 + serial % 25}{1 + serial % 12:02d}{1 + serial % 28:02d}"
    body = f"990102{birth}{serial % 1000:03d}"
    total = sum(int(c) * w for c, w in zip(body, _CITIZEN_WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def person(serial: int) -> Person:
    """The person of this serial; the phone starts with 100, which no operator assigns."""
    return Person(f"样{cycle(serial)}", citizen_number(serial), f"100{serial:08d}")


def company(trade: str, serial: int) -> Company:
    """The company of this trade (`置业`, `建设工程` …) and serial."""
    return Company(
        f"样川{cycle(serial)}{trade}有限公司",
        credit_code("91", serial),
        person(3 * serial + 1),
        person(3 * serial + 2),
    )


def office(name: str, serial: int) -> Company:
    """A public office of the city."""
    return Company(
        f"{CITY}{name}", credit_code("11", serial), person(3 * serial + 1), person(3 * serial + 2)
    )


OFFICES = {
    "plan": office("自然资源和规划局", 9001),
    "build": office("住房和城乡建设局", 9002),
    "service": office("行政审批服务局", 9003),
    "archive": office("城建档案馆", 9004),
    "shelter": office("人民防空办公室", 9005),
    "environment": office("生态环境局", 9006),
    "water": office("水务局", 9007),
}
BUILDERS = tuple(company("置业", n) for n in range(101, 125))
PUBLIC_BUILDERS = tuple(company("城市建设投资", n) for n in range(201, 207))
MAKERS = tuple(company("制造", n) for n in range(251, 263))
SURVEYORS = tuple(company("岩土勘察", n) for n in range(301, 307))
DESIGNERS = tuple(company("建筑设计", n) for n in range(401, 409))
CONTRACTORS = tuple(company("建设工程", n) for n in range(501, 511))
SUPERVISORS = tuple(company("工程监理", n) for n in range(601, 609))
REVIEWERS = tuple(company("施工图审查", n) for n in range(701, 704))
TESTERS = tuple(company("工程质量检测", n) for n in range(801, 804))
AGENCIES = tuple(company("工程咨询", n) for n in range(901, 906))
