"""The projects: who builds what where, in which process, and when it began."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from spgl.city.catalogue import AREAS, ITEMS, PROCESSES, RENEWED, Process
from spgl.city.names import (
    BUILDERS,
    CITY,
    COUNTIES,
    MAKERS,
    OFFICES,
    PUBLIC_BUILDERS,
    Company,
    Person,
    cycle,
    person,
)
from spgl.city.table import Rows, day, later

PROJECTS = 66
FIRST = datetime(2023, 1, 9, 9, 0)
_KINDS = ("YCSH", "YCSH", "YCSH", "YCZF", "YCZF", "YCLX", "YCXX", "YCGY", "YCGY", "YCSH", "YCXX")
_NAMES = {
    "YCSH": ("住宅小区", "商业综合体", "酒店"),
    "YCZF": ("中学迁建", "档案楼", "社区医院"),
    "YCLX": ("市政道路", "排水管网"),
    "YCXX": ("临街商铺", "小型仓储"),
    "YCGY": ("标准厂房", "研发车间"),
}
#: Purpose → (fire situation code or "", industry code). A situation makes the works "special".
_PURPOSES = {
    "住宅小区": ("7", "K7010"),
    "商业综合体": ("3", "H6110"),
    "酒店": ("3", "H6110"),
    "中学迁建": ("5", "P8331"),
    "档案楼": ("10", "S9121"),
    "社区医院": ("4", "Q8411"),
    "市政道路": ("", "E4813"),
    "排水管网": ("", "E4852"),
    "临街商铺": ("", "F5211"),
    "小型仓储": ("", "G5990"),
    "标准厂房": ("", "C3311"),
    "研发车间": ("4", "C3479"),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One building (单体)."""

    code: str
    name: str
    area: float
    above: float
    floors: int
    height: float


@dataclass(frozen=True, slots=True)
class Project:
    """One project as all else sees it. `parts` are the codes of what stages 3 and 4 handle."""

    number: int
    code: str
    name: str
    purpose: str
    county: str
    builder: Company
    owner: Person | None
    process: Process
    situation: str
    started: datetime
    invest: float
    land: float
    units: tuple[Unit, ...]
    parts: tuple[str, ...]
    area: str
    place: str
    coordinates: str

    @property
    def public(self) -> bool:
        """Government investment, on allotted land."""
        return self.process.kind in ("1", "2")

    @property
    def linear(self) -> bool:
        return self.process.code == "YCLX"

    @property
    def floor_area(self) -> float:
        return round(sum(u.area for u in self.units), 2)

    @property
    def above(self) -> float:
        return round(sum(u.above for u in self.units), 2)

    @property
    def builder_fields(self) -> dict[str, str]:
        """JSDW, JSDWDM, JSDWLX: a company, or the natural person who builds."""
        if self.owner:
            return {"JSDW": self.owner.name, "JSDWDM": self.owner.number, "JSDWLX": "2"}
        return {"JSDW": self.builder.name, "JSDWDM": self.builder.code, "JSDWLX": "1"}

    @property
    def lead_fields(self) -> dict[str, str]:
        """The builder's project lead with document and phone."""
        lead = self.owner or self.builder.lead
        return {
            "JSDWXMFZR": lead.name,
            "JSFZRZJHM": lead.number,
            "JSFZRZJLX": "1",
            "JSFZRLXDH": lead.phone,
        }

    @property
    def client(self) -> tuple[str, str]:
        """Name and credit code of who holds the land; a natural person has no credit code."""
        return (self.owner.name, "") if self.owner else (self.builder.name, self.builder.code)

    @property
    def contact(self) -> Person:
        return self.owner or self.builder.lead

    @property
    def scale(self) -> str:
        if self.linear:
            return f"线性工程，长度{self.land / 20:.2f}米，宽20米"
        return f"{len(self.units)}栋，总建筑面积{self.floor_area:.2f}平方米"


def make_projects(seed: int) -> tuple[Project, ...]:
    """All projects, oldest first; every draw comes from the project's own stream."""
    return tuple(_make(n, Random(f"{seed}/project/{n}")) for n in range(1, PROJECTS + 1))


def _make(n: int, rng: Random) -> Project:
    kind = _KINDS[n % len(_KINDS)]
    started = later(FIRST + timedelta(days=int((n - 1) * 15.2)), 1 + rng.randrange(5), rng)
    version = "1.1" if started >= RENEWED and kind != "YCLX" else "1.0"
    process = next(p for p in PROCESSES if p.code == kind and p.version == version)
    county = list(COUNTIES)[n % 3]
    code = (
        f"{started:%y%m}-{county}-04-{'01' if kind == 'YCZF' else '02'}-{rng.randrange(10**6):06d}"
    )
    purpose = _NAMES[kind][n % len(_NAMES[kind])]
    builders = {"YCZF": PUBLIC_BUILDERS, "YCLX": PUBLIC_BUILDERS, "YCGY": MAKERS}.get(
        kind, BUILDERS
    )
    units = () if kind == "YCLX" else _units(n, purpose, rng)
    split = purpose in ("住宅小区", "中学迁建") and len(units) > 3
    lon, lat = 123.6 + rng.randrange(900) / 1e4, 33.8 + rng.randrange(500) / 1e4
    place = f"{CITY}{COUNTIES[county]}{cycle(n)}路{n}号"
    return Project(
        n,
        code,
        f"{CITY}{COUNTIES[county]}{cycle(n)}{purpose}项目",
        purpose,
        county,
        builders[n % len(builders)],
        person(2000 + n) if kind == "YCXX" and n % 2 else None,
        process,
        _PURPOSES[purpose][0],
        started,
        float(rng.randrange(800, 90000)),
        float(rng.randrange(3000, 90000)),
        units,
        (f"{code}-001", f"{code}-002") if split else (code,),
        AREAS[n % 4] if n % 3 == 0 else "",
        place,
        f"{lon:.4f},{lat:.4f}",
    )


def _units(n: int, purpose: str, rng: Random) -> tuple[Unit, ...]:
    count = rng.randrange(3, 7) if purpose in ("住宅小区", "中学迁建") else rng.randrange(1, 4)
    # Malls and hotels are special works only above ten thousand square metres.
    large = _PURPOSES[purpose][0] == "3"
    made = []
    for i in range(1, count + 1):
        floors = rng.randrange(12, 18) if large else rng.randrange(2, 18)
        above = floors * rng.randrange(400, 900) * (2.0 if large else 1.0)
        below = round(above * rng.randrange(0, 3) / 10, 2)
        made.append(
            Unit(
                f"9901{n:06d}{i:08d}",
                f"{i}号楼",
                above + below,
                above,
                floors,
                round(floors * 3.2, 2),
            )
        )
    return tuple(made)


def put_project(rows: Rows, p: Project, finished: datetime | None) -> None:
    """The project row, its split parts, red line, early opinions, labels and attachments."""
    done = finished is not None and finished <= rows.until
    for gcdm in dict.fromkeys((p.code, *p.parts)):
        part = gcdm != p.code
        rows.put(
            "SPGL_XMJBXXB",
            p.started,
            gcdm,
            XMDM=p.code,
            XMMC=p.name,
            GCDM=gcdm,
            GCFW=f"{p.name}{gcdm[-3:]}标段" if part else p.name,
            QJDGCDM=p.code if part else "",
            **p.builder_fields,
            XMTZLY=1 if p.public else 2,
            TDHQFS=2 if p.public else 1,
            TDSFDSJFA=0,
            SFWCQYPG=int(bool(p.area)),
            SPLCLX=p.process.kind,
            LXLX=1 if p.public else 3,
            GCHYFL=1,
            JSXZ=_nature(p),
            XMZJSX=1 if p.public else 2,
            GBHYDMFBND="2017",
            GBHY=_PURPOSES[p.purpose][1],
            NKGSJ=day(p.started + timedelta(days=210)),
            NJCSJ=day(p.started + timedelta(days=760)),
            XMSFWQBJ=int(done),
            XMWQBJSJ=finished if done else "",
            ZTZE=p.invest,
            JSDDXZQH=p.county,
            JSDD=p.place,
            XMJWDZB=p.coordinates,
            JSGMJNR=p.scale,
            YDMJ=p.land,
            JZMJ=p.floor_area,
            SFXXGC=int(p.linear),
            CD=round(p.land / 20, 2) if p.linear else "",
            SBSJ=p.started,
            SPLCBM=p.process.code,
            SPLCBBH=p.process.version,
        )
    line = f"{p.name}\r\n{p.coordinates}\r\n"
    rows.put(
        "SPGL_XMYDHXJZXXB",
        p.started,
        p.code,
        XMDM=p.code,
        JZWJXH=1,
        JZWJMC=f"{p.name}用地红线.csv",
        JZWJSM="CGCS2000，仅为示意",
        JZWJFJ=base64.b64encode(line.encode()).decode(),
    )
    _put_early(rows, p)


def _nature(p: Project) -> int:
    return 3 if "迁建" in p.purpose else 2 if p.number % 9 == 0 else 1


def _put_early(rows: Rows, p: Project) -> None:
    rng = Random(f"early/{p.code}")
    asked = p.started
    for n, key in enumerate(rng.sample(("environment", "water", "shelter", "build"), 2), 1):
        asked = later(asked, 2 + rng.randrange(4), rng)
        office = OFFICES[key]
        rows.put(
            "SPGL_XMQQYJXXB",
            asked,
            f"{p.code}{n}",
            XMDM=p.code,
            QQYJSLBM=f"QQ{p.number:04d}{n}",
            BLDWDM=office.code,
            BLDWMC=office.name,
            FKSJ=asked,
            BLR=office.lead.name,
            QQYJ=rng.choice(("原则同意。", "同意，后续阶段请落实相关要求。", "无意见。")),
            FJMC="意见函.pdf",
            FJID=f"QQFJ{p.number:04d}{n}",
        )
    if p.number % 5 == 0:
        rows.put(
            "SPGL_XMBQXXB",
            p.started,
            p.code,
            XMDM=p.code,
            BQMC="001",
            BQX=("00101", "00102", "00103")[p.number % 3],
            TJNF=f"{p.started:%Y}",
        )
    for n in range(1, 3):
        rows.put(
            "SPGL_XMFJXXB",
            p.started,
            f"{p.code}{n}",
            XMDM=p.code,
            FJMC=("立项文件.pdf", "总平面图.pdf")[n - 1],
            FJID=f"XMFJ{p.number:04d}{n}",
            FJYLLJ=f"/files/{p.number:04d}/{n}",
        )


def office_of(item: str) -> Company:
    return OFFICES[ITEMS[item].office]
