# SPDX-License-Identifier: Apache-2.0
"""Includes go downwards only (docs/architecture.md, section 1). usage: check_layers.py SOURCE_DIR"""

import re
import sys
from pathlib import Path

from source_tree import sources

# Folder -> folders of ours that its files may include beside their own; generated registers are allowed to all.
BASE = ("models/base", "firmware/abi")
ALLOWED = {
    "models/base": ("firmware/abi",),
    "models/arithmetic": ("firmware/abi",),
    "models/ne": BASE + ("models/arithmetic",),
    "models/dma": BASE + ("models/arithmetic",),
    "models/tensor_core": BASE + ("models/arithmetic",),
    "models": BASE,
    "rtl": BASE,
    "firmware": ("firmware",),
    "driver": ("firmware/abi",),
    "sw": ("sw", "firmware/abi", "driver/uapi"),
    "platform/config": ("firmware/abi", "models/dram"),  # the description of DRAM parts and maps
    "platform/assembly": ("models", "rtl", "firmware/abi", "platform/config"),
    "platform/debug": ("models", "firmware/abi", "platform/base", "platform/config", "platform/assembly"),
    "platform/host": ("models", "sw/runtime", "firmware/abi", "platform/base", "platform/config", "platform/host"),
    "platform/main": ("models", "sw", "firmware/abi", "platform"),
}
OURS = re.compile(r'^\s*#\s*include\s*"((?:models|platform|firmware|driver|sw|rtl|tests)/[^"]+)"', re.MULTILINE)


def rule_for(path):
    return max((folder for folder in ALLOWED if path.startswith(folder + "/")), key=len, default=None)


def inside(path, folder):
    return path.startswith(folder + "/")


def main():
    top = Path(sys.argv[1])
    wrong = checked = 0
    for file in sources(top, ".c", ".h", ".cpp"):
        path = str(file.relative_to(top))
        rule = rule_for(path)
        if rule is None:
            continue  # tests may include anything
        own = str(Path(path).parent)
        own = "/".join(own.split("/")[:2])
        for included in OURS.findall(file.read_text(encoding="utf-8")):
            checked += 1
            if not inside(included, own) and not any(inside(included, folder) for folder in ALLOWED[rule]):
                wrong += 1
                print(f"{path}: includes {included}; {rule} may include {', '.join(ALLOWED[rule])}")
    assert checked > 100, "the check found hardly any include: is the folder right?"
    print(f"{checked} includes, {wrong} upwards or sideways")
    return 1 if wrong else 0


sys.exit(main())
