# SPDX-License-Identifier: Apache-2.0
"""The register generator: refuses malformed descriptions with a message, and its views agree with a description."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
REGGEN = ROOT / "models/base/reggen/reggen.py"

HEAD = "block: thing\ntitle: A thing\ndescription: For tests.\n"
MAP = HEAD + "maps:\n  - name: thing\n    size: 0x100\n    registers:\n"


def register(line):
    return MAP + f"      - {line}\n"


def run(tmp_path, text):
    source = tmp_path / "registers.yaml"
    if isinstance(text, bytes):
        source.write_bytes(text)
    else:
        source.write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, REGGEN, "--c", tmp_path, "--cpp", tmp_path, "--sv", tmp_path, "--md",
                           tmp_path, source], capture_output=True, text=True, check=False, timeout=60)


MALFORMED = {
    "empty file": ("", "expected a mapping"),
    "not yaml": ("block: [", "registers.yaml"),
    "not text": (b"\xff\xfe\x00", "registers.yaml"),
    "a list": ("- 1\n", "expected a mapping"),
    "unknown key": (HEAD + "colour: red\nmaps: []\n", "unknown key 'colour'"),
    "no title": ("block: thing\ndescription: x\nmaps: []\n", "'title' is missing"),
    "block in capitals": ("block: Thing\ntitle: t\ndescription: d\nmaps: []\n", "not lower case"),
    "maps is no list": (HEAD + "maps: 3\n", "'maps' must be list"),
    "map without size": (HEAD + "maps:\n  - {name: thing, registers: []}\n", "'size' is missing"),
    "lower-case register": (register("{name: reg, offset: 0, access: rw, description: d}"), "not upper case"),
    "no access": (register("{name: REG, offset: 0, description: d}"), "'access' is missing"),
    "unknown access": (register("{name: REG, offset: 0, access: rx, description: d}"), "access 'rx'"),
    "odd width": (register("{name: REG, offset: 0, width: 24, access: rw, description: d}"), "width 24"),
    "offset is text": (register("{name: REG, offset: zero, access: rw, description: d}"), "'offset' must be int"),
    "offset is a truth value": (register("{name: REG, offset: true, access: rw, description: d}"), "'offset' must be"),
    "negative offset": (register("{name: REG, offset: -4, access: rw, description: d}"), "REG"),
    "unaligned": (register("{name: REG, offset: 2, access: rw, description: d}"), "alignment"),
    "stride too small": (register("{name: REG, offset: 0, count: 2, stride: 2, access: rw, description: d}"),
                         "stride"),
    "count zero": (register("{name: REG, offset: 0, count: 0, access: rw, description: d}"), "count"),
    "reset too wide": (register("{name: REG, offset: 0, width: 8, reset: 256, access: rw, description: d}"),
                       "does not fit 8 bits"),
    "negative reset": (register("{name: REG, offset: 0, reset: -1, access: rw, description: d}"), "does not fit"),
    "beyond the map": (register("{name: REG, offset: 0x100, access: rw, description: d}"), "size is 0x100"),
    "twice": (register("{name: REG, offset: 0, access: rw, description: d}") +
              "      - {name: REG, offset: 4, access: rw, description: d}\n", "appears twice"),
    "overlap": (register("{name: A, offset: 0, width: 64, access: rw, description: d}") +
                "      - {name: B, offset: 4, access: rw, description: d}\n", "B at 0x4 overlaps A"),
    "array overlaps": (register("{name: A, offset: 0, count: 4, access: rw, description: d}") +
                       "      - {name: B, offset: 8, access: rw, description: d}\n", "overlaps"),
    "field bits": (register('{name: A, offset: 0, access: rw, description: d, fields: [{name: F, bits: "3:x", '
                            "description: d}]}"), "bits '3:x'"),
    "field turned round": (register('{name: A, offset: 0, access: rw, description: d, fields: [{name: F, bits: "0:3",'
                                    " description: d}]}"), "do not fit"),
    "field too high": (register('{name: A, offset: 0, access: rw, description: d, fields: [{name: F, bits: "32",'
                                " description: d}]}"), "do not fit a register of 32 bits"),
    "fields overlap": (register('{name: A, offset: 0, access: rw, description: d, fields: [{name: F, bits: "3:0",'
                                ' description: d}, {name: G, bits: "3", description: d}]}'), "overlaps"),
    "field appears twice": (register('{name: A, offset: 0, access: rw, description: d, fields: [{name: F, bits: "0",'
                                     ' description: d}, {name: F, bits: "1", description: d}]}'), "F"),
    "enum too wide": (register('{name: A, offset: 0, access: rw, description: d, fields: [{name: F, bits: "0", '
                               "enum: {TWO: 2}, description: d}]}"), "enum TWO"),
    "enum in small letters": (register('{name: A, offset: 0, access: rw, description: d, fields: [{name: F, bits: "0",'
                                       " enum: {two: 1}, description: d}]}"), "enum two"),
    "registers are text": (HEAD + "maps:\n  - {name: thing, size: 4, registers: [REG]}\n", "expected a mapping"),
    "no maps": (HEAD, "'maps' is missing"),
    "map twice": (MAP + "      - {name: A, offset: 0, access: rw, description: d}\n"
                  "  - {name: thing, size: 4, registers: []}\n", "thing"),
    "sticky is no truth value": (register("{name: REG, offset: 0, access: rw, sticky: 1, description: d}"),
                                 "'sticky' must be bool"),
    "huge count": (register("{name: REG, offset: 0, count: 1000000000, access: rw, description: d}"), "REG"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_refuses_with_file_and_place(tmp_path, name):
    text, expected = MALFORMED[name]
    result = run(tmp_path, text)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("reggen: ")
    assert "registers.yaml" in result.stderr
    assert expected in result.stderr


def test_missing_file_is_an_error_with_its_name(tmp_path):
    result = subprocess.run([sys.executable, REGGEN, "--c", tmp_path, tmp_path / "none.yaml"], capture_output=True,
                            text=True, check=False, timeout=60)
    assert result.returncode == 2
    assert "none.yaml" in result.stderr and "Traceback" not in result.stderr


GOOD = HEAD + """maps:
  - name: front
    size: 0x100
    registers:
      - name: CONTROL
        offset: 0x8
        access: rw
        description: c
        fields:
          - {name: MODE, bits: "7:4", reset: 2, enum: {IDLE: 0, RUN: 2}, description: m}
          - {name: GO, bits: "0", access: w1s, description: g}
      - {name: DATA, offset: 0x40, count: 4, stride: 8, access: ro, description: d}
      - {name: BIG, offset: 0x10, width: 64, reset: 0x123456789a, access: rw, description: b}
"""


def test_c_header_gives_the_described_values_to_a_compiler(tmp_path):
    assert run(tmp_path, GOOD).returncode == 0
    check = tmp_path / "check.c"
    check.write_text("""#include "npu/registers/thing.h"
_Static_assert(THING_FRONT_CONTROL == 8, "offset");
_Static_assert(THING_FRONT_CONTROL_MODE_MASK == 0xf0, "mask");
_Static_assert(THING_FRONT_CONTROL_MODE_SHIFT == 4, "shift");
_Static_assert(THING_FRONT_CONTROL_MODE_RUN == 2, "enum");
_Static_assert(THING_FRONT_DATA(3) == 0x58, "array");
_Static_assert(THING_FRONT_DATA_COUNT == 4, "count");
_Static_assert(THING_FRONT_BIG == 0x10, "offset");
_Static_assert(THING_FRONT_MAP_BYTES == 0x100, "size");
""")
    subprocess.run(["gcc", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", tmp_path, check], check=True,
                   timeout=60)


def test_systemverilog_package_and_page_hold_every_register(tmp_path):
    assert run(tmp_path, GOOD).returncode == 0
    package = (tmp_path / "thing_registers_pkg.sv").read_text()
    assert "THING_FRONT_CONTROL_RESET = 32'h20;" in package
    assert "THING_FRONT_BIG_RESET = 64'h123456789a;" in package
    page = (tmp_path / "thing.md").read_text()
    for name in ("CONTROL", "DATA", "BIG", "MODE", "GO"):
        assert name in page


def test_an_unchanged_view_keeps_its_time_stamp(tmp_path):
    run(tmp_path, GOOD)
    header = tmp_path / "npu/registers/thing.h"
    before = header.stat().st_mtime_ns
    run(tmp_path, GOOD)
    assert header.stat().st_mtime_ns == before


def run_files(tmp_path, *texts):
    files = [tmp_path / f"part{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts):
        file.write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, REGGEN, "--c", tmp_path, "--cpp", tmp_path, "--md", tmp_path, *files],
                          capture_output=True, text=True, check=False, timeout=60)


OTHER_MAP = (HEAD + "maps:\n  - name: other\n    size: 8\n    registers:\n"
             "      - {name: B, offset: 4, access: rw, description: d}\n")


def test_files_of_one_block_are_merged(tmp_path):
    result = run_files(tmp_path, register("{name: A, offset: 0x20, access: rw, description: d}"), OTHER_MAP)
    assert result.returncode == 0, result.stderr
    header = (tmp_path / "npu/registers/thing.h").read_text()
    assert "#define THING_A 0x20u" in header and "#define THING_OTHER_B 0x4u" in header


def test_files_of_one_block_must_agree(tmp_path):
    result = run_files(tmp_path, OTHER_MAP, OTHER_MAP)
    assert result.returncode == 2 and "map other appears in" in result.stderr
    assert "part0.yaml" in result.stderr and "part1.yaml" in result.stderr
    result = run_files(tmp_path, OTHER_MAP, OTHER_MAP.replace("A thing", "Another thing"))
    assert result.returncode == 2 and "title 'Another thing'" in result.stderr and "part1.yaml" in result.stderr


STICKY = MAP + """      - name: A
        offset: 0
        access: rw
        sticky: true
        description: d
        fields:
          - {name: F, bits: "7:4", description: f}
          - {name: G, bits: "0", sticky: false, description: g}
      - {name: B, offset: 4, width: 16, access: ro, sticky: true, description: d}
      - {name: C, offset: 8, access: rw, description: d}
"""


def test_sticky_bits_reach_the_model_and_the_page(tmp_path):
    assert run(tmp_path, STICKY).returncode == 0
    banks = (tmp_path / "npuvp/registers/thing.h").read_text()
    infos = {line.split('{*this, {"')[1][0]: line for line in banks.splitlines() if '{*this, {"' in line}
    assert infos["A"].endswith("0, false, 0xf0}};")
    assert infos["B"].endswith("0, false, 0xffff}};")
    assert infos["C"].endswith("0, false}};")
    assert "| 7:4 | F | rw sticky |" in (tmp_path / "thing.md").read_text()


def test_every_description_in_the_tree_is_accepted(tmp_path):
    files = sorted([*(ROOT / "models").glob("*/registers.yaml"), *(ROOT / "models").glob("*/registers/*.yaml")])
    assert files
    subprocess.run([sys.executable, REGGEN, "--c", tmp_path, *files], check=True, timeout=60)
