"""Every record of the city as it stands at some moment, without a single defect."""

from __future__ import annotations

from datetime import datetime
from random import Random

from spgl.city.case import put_case
from spgl.city.configure import put_catalogue
from spgl.city.course import Course, make_course
from spgl.city.fire import put_fire
from spgl.city.names import AGENCIES, OFFICES
from spgl.city.parties import WITH_PARTIES, put_parties, reported_under
from spgl.city.project import Project, make_projects, put_project
from spgl.city.stages import put_business
from spgl.city.table import Rows, later

#: The evening of the first export.
NIGHT_ONE = datetime(2025, 9, 19, 20, 0)
#: The evening of the second, four working days on.
NIGHT_TWO = datetime(2025, 9, 25, 20, 0)


def make_city(seed: int, until: datetime) -> Rows:
    """Every record that exists at `until`."""
    rows = Rows(until)
    put_catalogue(rows)
    for project in make_projects(seed):
        course = make_course(seed, project)
        put_project(rows, project, course.finished)
        for step in course.steps:
            case = step.case
            put_case(rows, case, step.together, Random(f"{seed}/rows/{case.code}"))
            if case.passed:
                put_business(rows, case, step.granted)
                put_fire(rows, case, step.granted)
                if case.item.code in WITH_PARTIES:
                    put_parties(rows, case, reported_under(case))
        _put_agency(rows, project, course)
        _put_watch(rows, project, course)
    return rows


def _put_agency(rows: Rows, p: Project, course: Course) -> None:
    """The agency service that prepares the drawing review."""
    reviews = [s.case for s in course.steps if s.case.item.code == "YC3001" and s.case.passed]
    for case in reviews:
        agency = AGENCIES[p.number % len(AGENCIES)]
        code, rng = f"ZJ{case.code[-9:]}", Random(f"agency/{case.code}")
        rows.put(
            "SPGL_ZJFWSXBLXXB",
            case.started,
            code,
            XMDM=p.code,
            ZJFWSXMC="施工图设计文件技术审查",
            ZJFWSXBM="YCZJ01",
            DYBZZJFWSXBM="9990000",
            ZJFWSXSLBM=code,
            SPSXSLBM=case.code,
            BLSX=10,
            SXLX=1,
            ZJJGDM=agency.code,
            ZJJGMC=agency.name,
            WTR=p.builder_fields["JSDW"],
            WTRDM=p.builder_fields["JSDWDM"],
        )
        for state, when in ((1, later(case.started, 1, rng)), (2, later(case.started, 6, rng))):
            rows.put(
                "SPGL_ZJFWSXBLGCXXB",
                when,
                f"{code}{state}",
                XMDM=p.code,
                ZJFWSXSLBM=code,
                BLZT=state,
                BLR=agency.lead.name,
                BLYJ="开始服务" if state == 1 else "服务完成",
                BLSJ=when,
                FJMC="技术审查报告.pdf" if state == 2 else "",
                FJID=f"{code}-FJ" if state == 2 else "",
            )


def _put_watch(rows: Rows, p: Project, course: Course) -> None:
    """Supervision notes of a few projects."""
    if p.number % 8:
        return
    office = OFFICES["service"]
    noted = later(course.steps[4].case.started, 5, Random(f"watch/{p.code}"))
    rows.put(
        "SPGL_XMJGXXB",
        noted,
        p.code,
        XMDM=p.code,
        YCQX=1,
        YCJB=1,
        YCXWNR="材料上传不及时，已提醒",
        JLYCSJ=noted,
        JGBMMC=office.name,
        JGBMDM=office.code,
        JGBMCLJG="已整改",
    )
