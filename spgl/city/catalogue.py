"""What the city has configured: processes, stages, items, materials, assessed areas, its system.

National item codes are those whose routing to a business table is known; what has no counterpart
uses the catch-all 9990000.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

OPENED = datetime(2022, 12, 1, 9, 0)
RENEWED = datetime(2024, 7, 1, 9, 0)
SITE = "https://spxt.yangchuan.example"


@dataclass(frozen=True, slots=True)
class Item:
    """One approval item: local code, national code, where it stands and what it yields."""

    code: str
    national: str
    name: str
    stage: int
    office: str
    limit: int
    result: str
    document: str
    versions: tuple[str, ...] = ("1.0",)


ITEMS = {
    i.code: i
    for i in (
        Item(
            "YC1001",
            "0060001",
            "建设用地规划许可证核发（出让）",
            1,
            "plan",
            7,
            "10",
            "建设用地规划许可证",
            ("1.0", "1.1"),
        ),
        Item(
            "YC1002",
            "0060002",
            "建设用地规划许可证核发（划拨）",
            1,
            "plan",
            7,
            "10",
            "建设用地规划许可证",
        ),
        Item(
            "YC1003", "9990000", "项目策划生成部门意见征询", 1, "service", 5, "30", "策划生成意见"
        ),
        Item(
            "YC2001",
            "0070001",
            "建设工程规划许可证核发（建筑类）",
            2,
            "plan",
            10,
            "10",
            "建设工程规划许可证",
            ("1.0", "1.1"),
        ),
        Item(
            "YC2002",
            "0070002",
            "建设工程规划许可证核发（线性类）",
            2,
            "plan",
            10,
            "10",
            "建设工程规划许可证",
        ),
        Item("YC2003", "9990000", "设计方案联合审查", 2, "plan", 8, "20", "设计方案审查意见"),
        Item(
            "YC3001",
            "0090001",
            "施工图设计文件审查（房屋建筑）",
            3,
            "build",
            10,
            "20",
            "施工图审查合格书",
        ),
        Item(
            "YC3002",
            "0090002",
            "施工图设计文件审查（市政基础设施）",
            3,
            "build",
            10,
            "20",
            "施工图审查合格书",
        ),
        Item(
            "YC3003",
            "0100000",
            "建设工程消防设计审查",
            3,
            "build",
            10,
            "20",
            "特殊建设工程消防设计审查意见书",
        ),
        Item(
            "YC3004",
            "0120001",
            "建筑工程施工许可证核发",
            3,
            "build",
            5,
            "10",
            "建筑工程施工许可证",
            ("1.0", "1.1"),
        ),
        Item(
            "YC3005",
            "0120002",
            "建筑工程施工许可证核发（线性类）",
            3,
            "build",
            5,
            "10",
            "建筑工程施工许可证",
        ),
        Item(
            "YC4001",
            "0140000",
            "建设工程消防验收",
            4,
            "build",
            10,
            "20",
            "特殊建设工程消防验收意见书",
        ),
        Item(
            "YC4002",
            "0150000",
            "建设工程消防验收备案",
            4,
            "build",
            5,
            "20",
            "建设工程消防验收备案凭证",
        ),
        Item("YC4003", "0180000", "建设工程竣工验收备案", 4, "build", 5, "20", "竣工验收备案表"),
        Item("YC4004", "9990000", "建设工程城建档案验收", 4, "archive", 5, "20", "档案验收意见书"),
        Item("YC5001", "9990000", "供水排水接入服务", 5, "water", 5, "30", "接入服务回执"),
        Item("YC5002", "9990000", "商品房预售许可", 5, "build", 10, "10", "商品房预售许可证"),
        Item("YC5003", "9990000", "商品房现售备案", 5, "build", 5, "20", "商品房现售备案证明"),
    )
}


@dataclass(frozen=True, slots=True)
class Process:
    """One version of an approval process and the items of its stages (by local stage order)."""

    code: str
    name: str
    kind: str
    version: str
    stages: tuple[tuple[int, str, str, int], ...]
    items: tuple[str, ...]

    def item_version(self, code: str) -> str:
        versions = ITEMS[code].versions
        return versions[0] if self.version == "1.0" else versions[-1]

    def stage_of(self, code: str) -> int:
        """Local order of the stage that holds the item."""
        national = str(ITEMS[code].stage)
        return next(s[0] for s in self.stages if national in s[2].split(","))


_FOUR = (
    (1, "立项用地规划许可", "1", 15),
    (2, "工程建设许可", "2", 20),
    (3, "施工许可", "3", 25),
    (4, "竣工验收", "4", 15),
    (5, "并行推进", "5", 0),
)
_MERGED = (
    (1, "规划许可（合并办理）", "1,2", 25),
    (2, "施工许可", "3", 20),
    (3, "竣工验收", "4", 12),
    (5, "并行推进", "5", 0),
)
_TRIAL = ((1, "一次申请（试点）", "1,2,3", 45), (5, "并行推进", "5", 0))
_HOUSE = (
    "YC1001",
    "YC1002",
    "YC1003",
    "YC2001",
    "YC2003",
    "YC3001",
    "YC3003",
    "YC3004",
    "YC4001",
    "YC4002",
    "YC4003",
    "YC4004",
    "YC5001",
    "YC5002",
    "YC5003",
)
_LINE = ("YC1002", "YC1003", "YC2002", "YC2003", "YC3002", "YC3005", "YC4003", "YC4004", "YC5001")
_SMALL = ("YC1001", "YC2001", "YC3001", "YC3004", "YC4002", "YC4003", "YC5001")

PROCESSES = tuple(
    Process(code, name, kind, version, stages, items)
    for code, name, kind, versions, stages, items in (
        ("YCZF", "政府投资房屋建筑类项目审批流程", "1", ("1.0", "1.1"), _FOUR, _HOUSE),
        ("YCLX", "政府投资线性工程类项目审批流程", "2", ("1.0",), _FOUR, _LINE),
        ("YCSH", "一般社会投资项目审批流程", "3", ("1.0", "1.1"), _FOUR, _HOUSE),
        ("YCXX", "小型社会投资项目审批流程", "4", ("1.0", "1.1"), _MERGED, _SMALL),
        ("YCGY", "工业类投资项目审批流程", "6", ("1.0", "1.1"), _FOUR, _HOUSE),
        ("YCSD", "区域试点项目审批流程（未启用）", "10", ("1.0",), _TRIAL, ("YC5001",)),
    )
    for version in versions
)

MATERIALS = (
    ("申请表", 2, 3, 1),
    ("营业执照或身份证明", 1, 2, 2),
    ("授权委托书", 2, 3, 1),
    ("设计图纸及说明", 3, 2, 1),
    ("现状地形图", 3, 2, 1),
    ("前序审批结果文件", 1, 2, 2),
)
AREAS = tuple(f"QYPG{n:03d}" for n in range(1, 5))


def material_code(item: str, n: int) -> str:
    return f"{item}CL{n:02d}"
