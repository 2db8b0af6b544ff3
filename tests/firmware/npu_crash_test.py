# SPDX-License-Identifier: Apache-2.0
"""npu-crash: dumps from each kind of file, and files that hold none. The layout is written out here once more, by hand from
firmware/abi/crash.h."""

import pathlib
import struct
import subprocess
import sys
import zlib

TOOL = pathlib.Path(__file__).resolve().parents[2] / "sw" / "tools" / "npu-crash" / "npu-crash"


def dump(pc, cause=2, memory=(0, 0, 0)):
    registers = [0x1000 + n for n in range(31)]
    head = struct.pack("<4IQ", 0x48535243, 1, 2768, 0x010203, 1_500_000_000)
    head += struct.pack("<31Q", *registers) + struct.pack("<4Q", pc, cause, 0x18, 0x1800) + struct.pack("<2I", 1, 1)
    queues = struct.pack("<2HI", 3, 1, 7) + bytes(8 * 47)
    stack = struct.pack("<2I", 16, 0) + struct.pack("<2Q", 0xabcd, 0xef01).ljust(2048, b"\0")
    data = head + queues + stack + struct.pack("<2IQ", *memory)
    assert len(data) == 2768
    return data


def entry(sequence, data):
    head = struct.pack("<5I", 0x4b43504e, 1, sequence, len(data), zlib.crc32(data)) + bytes(40)
    return head + struct.pack("<I", zlib.crc32(head)) + data


def run(tmp_path, data, status=0):
    file = tmp_path / "file"
    file.write_bytes(data)
    result = subprocess.run([sys.executable, TOOL, file], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == status, result.stderr
    return result.stdout


def test_a_dump_by_itself(tmp_path):
    text = run(tmp_path, dump(0x101234))
    assert "firmware 1.2.3, 1.500000 s after" in text
    assert "illegal instruction: pc 0x101234 value 0x18 mstatus 0x1800" in text
    assert " ra 0000000000001000" in text and " t6 000000000000101e" in text
    assert "function 3 queue 1: 7 submissions wait" in text
    assert "0x1001: 000000000000abcd 000000000000ef01" in text


def test_all_dumps_of_the_drivers_file_in_order(tmp_path):
    text = run(tmp_path, entry(9, dump(0x109)) + entry(8, dump(0x108, 1 << 63 | 3)))
    assert text.index("crash 9") < text.index("crash 8")
    assert "watchdog, the main loop hangs: pc 0x108" in text


def test_those_in_a_flash_newest_first(tmp_path):
    flash = bytearray(b"\xff" * 0x400000)
    for place, sequence in ((0, 9), (1, 10), (7, 8)):
        data = entry(sequence, dump(0x100 + sequence))
        flash[0x300000 + place * 4096:0x300000 + place * 4096 + len(data)] = data
    flash[0x301000 + 40] ^= 1  # the header of 10
    flash[0x307000 + 100] ^= 1  # the dump of 8
    text = run(tmp_path, flash)
    assert "crash 10" not in text and "pc 0x109" in text
    assert "crash 8, DAMAGED: its checksum is wrong" in text


def test_what_holds_none(tmp_path):
    for data in (b"", b"\0" * 100, entry(1, dump(1))[:-1], b"\xff" * 0x400000):
        assert run(tmp_path, data).endswith("no crash dump\n")


def test_a_file_that_is_not_there(tmp_path):
    result = subprocess.run([sys.executable, TOOL, tmp_path / "none"], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 2 and result.stderr.count("\n") == 1


def test_an_error_of_memory_is_told_and_an_older_dump_without_that_field_is_read(tmp_path):
    assert "uncorrectable error in TCM at 0x123450, 2 in all" in run(tmp_path, dump(1, memory=(2, 2, 0x123450)))
    assert "uncorrectable" not in run(tmp_path, dump(1, memory=(2, 2, 0x123450))[:2752])
