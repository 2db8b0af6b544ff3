#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Generates every view of a block's registers from its registers.yaml, or from the files of its folder registers/.

reggen.py [--c DIR] [--cpp DIR] [--sv DIR] [--md DIR] FILE...

  --c    DIR/npu/registers/<block>.h          constants for firmware and driver
  --cpp  DIR/npuvp/registers/<block>.h        register banks for the models
  --sv   DIR/<block>_registers_pkg.sv         SystemVerilog package
  --md   DIR/<block>.md                       the page for people

Files with the same `block:` describe one block together. The schema is described in models/base/reggen/README.md and
checked by schema.py.
"""

import argparse
import sys
from pathlib import Path

import emit_c
import emit_cpp
import emit_markdown
import emit_systemverilog
import schema


def write_if_changed(path, text):
    """Leaves the time stamp of an unchanged file alone, so that nothing is rebuilt for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="Generates register views from registers.yaml.")
    parser.add_argument("--c", type=Path, metavar="DIR")
    parser.add_argument("--cpp", type=Path, metavar="DIR")
    parser.add_argument("--sv", type=Path, metavar="DIR")
    parser.add_argument("--md", type=Path, metavar="DIR")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    try:
        for block in schema.load_blocks(arguments.files):
            if arguments.c:
                write_if_changed(arguments.c / f"npu/registers/{block.name}.h", emit_c.emit(block))
            if arguments.cpp:
                write_if_changed(arguments.cpp / f"npuvp/registers/{block.name}.h", emit_cpp.emit(block))
            if arguments.sv:
                write_if_changed(arguments.sv / f"{block.name}_registers_pkg.sv", emit_systemverilog.emit(block))
            if arguments.md:
                write_if_changed(arguments.md / f"{block.name}.md", emit_markdown.emit(block))
    except schema.SchemaError as error:
        print(f"reggen: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
