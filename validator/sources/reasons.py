"""Why a record cannot be read, where several formats share the reason. Nothing is decided here."""

from __future__ import annotations

from validator.text import Text

UNDECODABLE = Text(
    "含有无法解码的字节；请检查文件编码或修复损坏处",
    "holds bytes that cannot be decoded; check the encoding of the file or repair the damage",
)
TOO_LONG = Text(
    "记录超过 max_record 上限；请检查换行符或引号是否丢失",
    "the record is larger than max_record; look for a lost line end or quote",
)
NUL = Text(
    "含有 NUL 字节，文件可能已损坏；请重新导出",
    "holds a NUL byte, the file may be damaged; export it again",
)
TWICE = Text(
    "同一字段出现两次（“{first}”和“{second}”）；请只保留一个",
    "names one field twice ({first} and {second}); keep one of them",
)
