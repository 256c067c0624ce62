"""Named formats of identifiers: a pattern, and a check digit where a national standard has one.

Each is known by name in packs. The Python checks here are the reference; their columnar twins are
in `validator.kernels`. Where no algorithm was found (the project code's check character) none is
invented.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from validator.lexical import PATTERNS
from validator.pack import Kind
from validator.text import Text

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_CLASS = "[0-9A-HJ-NPQRTUWXY]"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECK = "10X98765432"


@dataclass(frozen=True, slots=True)
class Format:
    """A named form. `pattern` is an unanchored body; `check` judges a text that matches it."""

    name: str
    title: Text
    pattern: str
    source: str
    check: Callable[[str], bool] | None = None

    def matches(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text) is not None


def credit_code_check(code: str) -> bool:
    """GB 32100-2015: the 18th character is (31 - Σ value·weight mod 31) mod 31."""
    total = sum(_USCC.index(c) * w for c, w in zip(code, _USCC_WEIGHTS, strict=False))
    return code[17] == _USCC[(31 - total % 31) % 31]


def citizen_number_check(number: str) -> bool:
    """GB 11643-1999: ISO 7064 MOD 11-2 over 17 digits, and a birth date of the calendar."""
    total = sum(int(c) * w for c, w in zip(number, _CITIZEN_WEIGHTS, strict=False))
    birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    date = re.fullmatch(PATTERNS[Kind.DATE], birth) is not None
    return date and number[17] == _CITIZEN_CHECK[total % 11]


_COORDINATE = r"-?[0-9]+(?:\.[0-9]+)?"

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format(
            "division-code",
            Text("行政区划代码（6位数字）", "division code (6 digits)"),
            "[0-9]{6}",
            "GB/T 2260",
        ),
        Format(
            "credit-code",
            Text("统一社会信用代码（18位）", "unified social credit code (18 characters)"),
            f"{_USCC_CLASS}{{2}}[0-9]{{6}}{_USCC_CLASS}{{10}}",
            "GB 32100-2015",
            credit_code_check,
        ),
        Format(
            "citizen-number",
            Text("公民身份号码（18位）", "citizen number (18 characters)"),
            "[0-9]{17}[0-9X]",
            "GB 11643-1999",
            citizen_number_check,
        ),
        Format(
            "project-code",
            Text(
                "项目代码（24位，五段，以短横线分隔）",
                "project code (24 characters in five segments)",
            ),
            "[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{5}[0-9A-Z]",
            "GB/T 40058-2021",
        ),
        Format(
            "mobile-number",
            Text("手机号（11位）", "mobile number (11 digits)"),
            "1[0-9]{10}",
            "fire dossier XF-C06",
        ),
        Format(
            "item-code",
            Text("标准审批事项编码（7位数字）", "national item code (7 digits)"),
            "[0-9]{7}",
            "share dossier",
        ),
        Format(
            "industry-code",
            Text(
                "国标行业代码（门类字母加2至4位数字）",
                "industry code (section letter and 2 to 4 digits)",
            ),
            "[A-T][0-9]{2,4}",
            "GB/T 4754-2017",
        ),
        Format(
            "coordinates",
            Text(
                "坐标（经度,纬度，多点以分号分隔）",
                "coordinates (longitude,latitude; pairs separated by semicolons)",
            ),
            f"{_COORDINATE},{_COORDINATE}(?:;{_COORDINATE},{_COORDINATE})*",
            "PRJ-14",
        ),
        Format(
            "file-name",
            Text("带后缀的文件名", "file name with an extension"),
            r"[^\n]*[^\n.][.][0-9A-Za-z_]+",
            "fire dossier XF-M05",
        ),
        Format(
            "web-address",
            Text("网址（如 https://…）", "web address (as https://…)"),
            r"[A-Za-z][A-Za-z0-9+.-]*://[^ \t\r\n]+",
            "fire dossier XF-M05",
        ),
    )
}
