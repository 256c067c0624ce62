"""Opening ZIP containers safely: how much they may unpack to is checked before a byte is unpacked.

Both a ZIP of exports and a workbook are such containers. What the members mean is not known here.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from validator.sources.source import MIB, Place

MEMBERS = 10_000
UNPACKED = 16 << 30
#: Ratio beyond which a large member is a bomb; real exports stay below 60.
RATIO = 200
_SMALL = 16 * MIB
_ENCRYPTED = 0x1

#: What reading a damaged member may raise.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


@contextmanager
def opened(place: Place) -> Iterator[zipfile.ZipFile]:
    """The container, its directory checked. Raises SourceError for one that is damaged, encrypted
    or would unpack beyond the limits; `zipfile` itself never unpacks more than the directory says.
    """
    try:
        box = zipfile.ZipFile(place.path)
    except DAMAGE as fault:
        raise place.refuse(
            "不是完整的压缩包，文件可能被截断；请重新导出或重新传输",
            "this is no complete ZIP container, it may be cut off; export or transfer it again",
        ) from fault
    with box:
        _check(box.infolist(), place)
        yield box


def damaged(place: Place, name: str) -> Exception:
    """The SourceError of a member that cannot be unpacked."""
    return place.refuse(
        f"其中的 {name} 已损坏或压缩方式不受支持；请重新打包",
        f"the member {name} is damaged or packed by an unknown method; pack it again",
    )


def _check(members: list[zipfile.ZipInfo], place: Place) -> None:
    if len(members) > MEMBERS:
        raise place.refuse(
            f"压缩包内文件超过 {MEMBERS} 个；请分开打包",
            f"the container holds more than {MEMBERS} members; split it",
        )
    if any(m.flag_bits & _ENCRYPTED for m in members):
        raise place.refuse(
            "压缩包已加密；请去掉密码后重试",
            "the container is encrypted; remove the password and try again",
        )
    if sum(m.file_size for m in members) > UNPACKED:
        raise place.refuse(
            f"解压后超过 {UNPACKED >> 30} GB，可能是压缩炸弹；请分开打包",
            f"it would unpack to more than {UNPACKED >> 30} GB and may be a bomb; split it",
        )
    for member in members:
        if member.file_size > max(_SMALL, member.compress_size * RATIO):
            raise place.refuse(
                f"其中的 {member.filename} 压缩比超过 {RATIO}，可能是压缩炸弹，未解压",
                f"the member {member.filename} is packed tighter than 1:{RATIO} and may be a bomb;"
                " it was not unpacked",
            )
