"""The three fire items: design review and acceptance of special works, filing of all others."""

from __future__ import annotations

from datetime import datetime, timedelta

from spgl.city.case import Case
from spgl.city.names import CONTRACTORS, DESIGNERS, OFFICES, SUPERVISORS
from spgl.city.project import Project
from spgl.city.stages import Granted, areas, number_of, part_name
from spgl.city.table import Rows, day


def put_fire(rows: Rows, case: Case, granted: Granted) -> None:
    """The fire row of a passed case; nothing for other items."""
    put = {"YC3003": _review, "YC4001": _acceptance, "YC4002": _filing}.get(case.item.code)
    if put:
        put(rows, case, granted)


def _head(case: Case, granted: Granted) -> dict[str, object]:
    p = case.project
    first = granted.get("YC1003") or granted.get("YC1001") or granted["YC1002"]
    land = granted.get("YC1001") or granted["YC1002"]
    return {
        "XMDM": p.code,
        "GCDM": case.gcdm,
        "SPSXSLBM": case.code,
        **p.builder_fields,
        **p.lead_fields,
        "GCMC": part_name(p, case.gcdm),
        "SQRQ": day(case.started),
        "GCDZ": p.place,
        "JSXZ": 1,
        "GCTZE": round(p.invest / len(p.parts), 2),
        "ZJZMJ": areas(p, case.gcdm)["ZJZMJ"],
        "LXPFWJ": f"样发改〔{p.started:%Y}〕{p.number}号",
        "LXPFRQ": day(first.started),
        "YDGHXKWJ": land.number,
        "YDGHXKRQ": day(land.ended),
    }


def _condition(p: Project) -> dict[str, object]:
    """Decoration, change of use and insulation: each yes brings its own fields."""
    made: dict[str, object] = {"SFBHZXZSGC": 0, "SFGBYT": 0, "SFSYBWCL": 0}
    if p.number % 2:
        made |= {
            "SFBHZXZSGC": 1,
            "ZXBW": "顶棚、墙面、地面",
            "ZXMJ": round(p.above * 0.2, 2),
            "ZXSZCS": "1-3层",
        }
    if p.number % 7 == 0:
        made |= {"SFGBYT": 1, "YYYT": "闲置厂房"}
    if p.number % 3:
        made |= {
            "SFSYBWCL": 1,
            "BWCLLB": "A",
            "BWSZCS": "地上各层",
            "BWBW": "外墙",
            "BWCL": "岩棉板",
        }
    return made


def _special(p: Project) -> dict[str, object]:
    return {"TSXFSJ": 0, "TSJSGCQX": p.situation}


def _tail(case: Case) -> dict[str, object]:
    p = case.project
    return {
        "SCDW": OFFICES["build"].name,
        "SCRQ": day(case.ended),
        "SCYJ": "合格",
        "CZWT": "无",
        "LXR": p.contact.name,
        "LXRSJH": p.contact.phone,
    }


def _built(case: Case) -> dict[str, object]:
    """What the parties state after construction, each with the date its form was filled."""
    p, filled = case.project, day(case.started - timedelta(days=10))
    return {
        "SGGCXFGLQK": "施工现场消防管理制度齐全",
        "XFSYJSFWDWTBRQ": filled,
        "XFCYQK": "查验合格",
        "XMFZR": p.contact.name,
        "JSDWTBRQ": filled,
        "XFSJWJSSQK": f"{DESIGNERS[p.number % 8].name}：已按设计文件实施",
        "SJDWTBRQ": filled,
        "GCJLQK": f"{SUPERVISORS[p.number % 8].name}：监理资料齐全",
        "JLDWTBRQ": filled,
        "GCSGQK": f"{CONTRACTORS[p.number % 10].name}：施工完成",
        "SGZCBDWTBRQ": filled,
        "XFZYFBDWTBRQ": filled,
        "XFLTLSQK": "联调联试合格",
        "XFLTLSJSFWDWTBRQ": filled,
        "BZ": "无",
    }


def _permit(granted: Granted) -> dict[str, object]:
    permit = granted.get("YC3004") or granted["YC3005"]
    return {"ZMWH": permit.number, "FZHPZKGRQ": day(permit.ended)}


def _plan(granted: Granted) -> tuple[str, datetime]:
    plan = granted.get("YC2001") or granted["YC2002"]
    return plan.number, plan.ended


def _review(rows: Rows, case: Case, granted: Granted) -> None:
    p, (plan, planned) = case.project, _plan(granted)
    rows.put(
        "SPGL_JSGCXFSJSCXXB",
        case.ended,
        case.code,
        **_head(case, granted),
        GCGHXKZBH=plan,
        GCGHXKRQ=day(planned),
        **_special(p),
        SFJQXXF=0,
        **_condition(p),
        XFCSJQT="消火栓、喷淋、火灾自动报警",
        GCJYSM=p.scale,
        **_tail(case),
    )


def _acceptance(rows: Rows, case: Case, granted: Granted) -> None:
    p, (plan, planned), review = case.project, _plan(granted), granted["YC3003"]
    rows.put(
        "SPGL_JSGCXFYSXXB",
        case.ended,
        case.code,
        **_head(case, granted),
        GCGHXKZBH=plan,
        GGFZRQ=day(planned),
        TSGCXFSJSCWH=number_of(granted, "YC3003"),
        SCHGRQ=day(review.ended),
        **_permit(granted),
        **_special(p),
        **_condition(p),
        **_built(case),
        **_tail(case),
    )


def _filing(rows: Rows, case: Case, granted: Granted) -> None:
    p, (plan, planned) = case.project, _plan(granted)
    rows.put(
        "SPGL_JSGCXFYSBAXXB",
        case.ended,
        case.code,
        BABBH=f"BA{case.code[-9:]}",
        **_head(case, granted),
        GCGHXKZWJ=plan,
        JSGCGHXKRQ=day(planned),
        **_permit(granted),
        SFFC=0,
        **_condition(p),
        **_built(case),
        CCJGTZSWH=f"样消查〔{case.ended:%Y}〕{p.number}号" if p.number % 4 == 0 else "",
        **_tail(case),
    )
