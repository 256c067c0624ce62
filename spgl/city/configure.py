"""The configuration tables: all versions of processes and items, assessed areas, the system."""

from __future__ import annotations

import base64

from spgl.city.catalogue import (
    AREAS,
    ITEMS,
    MATERIALS,
    OPENED,
    PROCESSES,
    RENEWED,
    SITE,
    Item,
    Process,
    material_code,
)
from spgl.city.names import AGENCIES, CITY, COUNTIES, DIVISION, OFFICES
from spgl.city.table import Rows


def put_catalogue(rows: Rows) -> None:
    """Configuration tables, the assessed areas, control lines and the system itself."""
    for process in PROCESSES:
        _put_process(rows, process)
    for item in ITEMS.values():
        for version in item.versions:
            _put_item(rows, item, version)
            _put_extension(rows, item, version)
            _put_materials(rows, item, version)
    _put_areas(rows)
    _put_system(rows)


def _put_process(rows: Rows, p: Process) -> None:
    renewed = any(o.code == p.code and o.version != p.version for o in PROCESSES)
    old = renewed and p.version == "1.0"
    starts = RENEWED if renewed and not old else OPENED
    head = {"SPLCBM": p.code, "SPLCBBH": p.version}
    rows.put(
        "SPGL_SPLCXXB",
        OPENED,
        p.code + p.version,
        **head,
        SPLCMC=p.name,
        SPLCSM=f"{p.name}，{len(p.stages)}个阶段，版本{p.version}",
        DYBZSPLCLX=p.kind,
        SYFW=1,
        SPLCTDZ=f"{SITE}/process/{p.code}.png",
        SXRQ=starts.date(),
        TYRQ=RENEWED.date() if old else "",
    )
    for order, name, national, limit in p.stages:
        rows.put(
            "SPGL_SPJDXXB",
            OPENED,
            f"{p.code}{p.version}{order}",
            **head,
            SPJDBM=f"{p.code}JD{order}",
            SPJDMC=name,
            SPJDXH=order,
            DYBZSPJDXH=national,
            SPJDSX=limit,
            JDBSZNDZ=f"{SITE}/guide/{p.code}/{order}",
            JDBLSBDZ=f"{SITE}/apply/{p.code}/{order}",
        )
    for code in p.items:
        version = p.item_version(code)
        rows.put(
            "SPGL_SPLCJBLSXXXB",
            OPENED,
            f"{p.code}{p.version}{code}",
            **head,
            SPJDXH=p.stage_of(code),
            SPSXBM=code,
            SPSXBBH=version,
        )


def _put_item(rows: Rows, item: Item, version: str) -> None:
    office = OFFICES[item.office]
    serial = 1 + list(ITEMS).index(item.code)
    base = f"000199{serial:06d}"
    old = version != item.versions[-1]
    rows.put(
        "SPGL_SPSXJBXXB",
        OPENED,
        item.code + version,
        SPSXBM=item.code,
        SPSXBBH=version,
        SPSXMC=item.name,
        DYBZSPSXBM=item.national,
        SXBSZNDZ=f"{SITE}/item/{item.code}",
        SXZXSBDZ=f"{SITE}/apply/{item.code}",
        JBBM=base,
        SSBM=f"{office.code}1{base}",
        YWBLXBM=f"{office.code}1{base}",
        SXLX="01" if item.result == "10" else "10",
        SDYJ="依据样例，不对应任何真实法规条文",
        QLLY=1,
        XSCJ=3,
        SXZT=3 if old else 1,
        SSZT=office.name,
        SSZTXZ=1,
        SSZTBM=office.code,
        SSBMSSDQXZQHDM=DIVISION,
        FDBJSX=item.limit * 2,
        FDBJSXDW=1,
        FDBJSXSM=f"自受理之日起{item.limit * 2}个工作日",
        CNBJSX=item.limit,
        CNBJSXDW=1,
        CNBJSXSM=f"自受理之日起{item.limit}个工作日",
        SLTJ="申请材料齐全，符合法定形式",
        BLLC="受理—审查—决定—送达",
        SFSF=0,
        FWDX="1,2,3",
        BJLX=2,
        BLXS="1,2",
        DBSXCCS=0 if item.stage < 4 else 1,
        TBCX="现场勘察、专家评审不计入时限",
        BLDD=f"{CITY}政务服务中心二楼工程建设综合窗口",
        BLSJ="工作日 8:30-12:00，13:30-17:30",
        ZXFS="窗口咨询、网上咨询",
        JDTSFS="监督窗口",
        SXRQ=OPENED.date(),
        TYRQ=RENEWED.date() if old else "",
    )


def _put_extension(rows: Rows, item: Item, version: str) -> None:
    licence = item.result == "10"
    agency = item.code == "YC3001"
    rows.put(
        "SPGL_SPSXKZXXB",
        OPENED,
        item.code + version,
        SPSXBM=item.code,
        SPSXBBH=version,
        SFJZZHCK=1,
        FWQD=1,
        TBFW=3,
        LBJG=OFFICES["shelter"].name if item.stage == 3 else "",
        XZXKSXLX=1 if licence else "",
        ZYXZXKDTJ="申请材料齐全且经审查符合要求" if licence else "",
        GDXZXKTJDYJ="依据样例" if licence else "",
        YWZJFWSX=int(agency),
        ZJFWSXMC="施工图设计文件技术审查" if agency else "",
        SDZJFWSXDYJ="依据样例" if agency else "",
        SPJGLX=item.result,
        SPJGMC=item.document,
        SPJGYB=f"{SITE}/sample/{item.code}.pdf",
        SFZCYYBL=1,
        SFZCWSZF=0,
        SFZCWLKD=1,
        SFZCZZZDBL=0,
        SFWB=1,
        WSBLSD="3^4^5",
        SFSXGZCNBL=int(item.code in ("YC3004", "YC4002")),
        SFXYXCKY=int(item.stage == 4),
        SFXYZZTZ=0,
        SFXYZBPMGPJY=0,
        SFXYJYJCJY=0,
        SFXYJD=0,
        SFXYZJPS=int(item.code == "YC3003"),
        SFXYXSHGS=int(item.stage == 2),
        XZXKZJMC=item.document if licence else "",
        XZXKZJDYXQX="2" if licence else "",
        XZXKZJDYXQXDW=1 if licence else "",
        GDXZXKZJYXQXDYJ="依据样例" if licence else "",
        BLXZXKZJYXSXDYQ="有效期届满30日前提出" if licence else "",
    )


def _put_materials(rows: Rows, item: Item, version: str) -> None:
    for n, (name, kind, form, channel) in enumerate(MATERIALS, 1):
        rows.put(
            "SPGL_SPSXCLMLXXB",
            OPENED,
            f"{item.code}{version}{n}",
            SPSXBM=item.code,
            SPSXBBH=version,
            PX=n,
            CLMLBH=material_code(item.code, n),
            CLMC=name,
            CLLX=kind,
            CLXS=form,
            CLBYX=1 if n < 5 else 3,
            KBBG=f"{SITE}/blank/{n}.docx",
            SLYB=f"{SITE}/example/{n}.pdf",
            LYQD=channel,
            LYQDSM="申请人准备或共享获取",
            ZZCLFS=0 if form == 2 else 1,
            ZZCLGG="A4",
            TBXZ="字迹清晰\n加盖公章",
            SLBZ="内容完整",
            YQTGCLDYJ="依据样例",
        )


def _put_areas(rows: Rows) -> None:
    for n, area in enumerate(AREAS):
        lon, lat = 123.6 + n * 0.02, 33.8 + n * 0.01
        corners = ((0, 0), (0.01, 0), (0.01, 0.008), (0, 0.008))
        rows.put(
            "SPGL_QYPGXXB",
            OPENED,
            area,
            QYPGDYBM=area,
            QYPGQYMC=f"样川第{n + 1}评估片区",
            QYPGFWMS=f"{list(COUNTIES.values())[n % 3]}内的一片示意区域",
            QYPGMJ=80.5 + 10 * n,
            QYPGFWZBXX=";".join(f"{lon + x:.4f},{lat + y:.4f}" for x, y in corners),
        )
        for code, name, national in (
            ("PG01", "地质灾害危险性评估", "9990000"),
            ("PG02", "水土保持方案", "9990000"),
        ):
            rows.put(
                "SPGL_QYPGSXXXB",
                OPENED,
                area + code,
                QYPGDYBM=area,
                QYPGSXBM=code,
                QYPGSXMC=name,
                DYBZSPSXBM=national,
                QYPGCGSXRQ="2022-10-01",
                QYPGCGJZRQ="2027-09-30",
                JHSPDFS=1,
                QYPGCGCLLX="报告",
                QYPGCGCLMC=f"{name}报告",
                QYPGCGFJID=f"{area}-{code}-FJ",
            )


def _put_system(rows: Rows) -> None:
    owner, keeper = OFFICES["service"], AGENCIES[0]
    rows.put(
        "SPGL_GCSPXTJBXXB",
        OPENED,
        DIVISION,
        XTJSFS="1",
        JSDWMC=owner.name,
        JSDWLXR=owner.lead.name,
        JSDWLXRDH="0990-0000001",
        JSDWLXRSJH=owner.lead.phone,
        YWDWMC=keeper.name,
        YWGZLXR=keeper.lead.name,
        YWGZLXRDH="0990-0000002",
        YWGZLXRSJH=keeper.lead.phone,
        DFGCSPXTDZ=SITE,
    )
    for n, name in enumerate(("生态保护控制线", "城镇开发边界", "历史文化保护线"), 1):
        rows.put(
            "SPGL_DFGHKZXXXB",
            OPENED,
            str(n),
            KZXWJXH=n,
            KZXWJMC=f"{name}（示意）.csv",
            KZXSYKSSJ="2023-01-01",
            KZXWJSM="仅为示意，坐标位于开阔海域",
            KZXWJFJ=_attachment(name),
        )


def _attachment(name: str) -> str:

    return base64.b64encode(f"{name}\r\n123.6000,33.8000\r\n123.6800,33.8400\r\n".encode()).decode()
