# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over every C++ file of the product (not the tests). A file that was clean is looked at again only when it
or something it includes has changed. usage: check_tidy.py SOURCE_DIR BUILD_DIR"""

import concurrent.futures
import json
import subprocess
import sys
from pathlib import Path

PRODUCT = ("models", "platform", "sw", "rtl")


def product_files(top, build):
    commands = json.loads((build / "compile_commands.json").read_text())
    objects = {}
    for command in commands:
        file = Path(command["file"])
        if file.suffix == ".cpp" and any(file.is_relative_to(top / folder) for folder in PRODUCT):
            objects.setdefault(file, command["output"] if "output" in command else "")
    return objects


def dependencies(build):
    """Object -> files it was made from, from ninja's log."""
    found, current = {}, None
    for line in subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        if line and not line.startswith(" "):
            current = found.setdefault(line.split(":")[0], [])
        elif line.strip():
            current.append(line.strip())
    return found


def is_fresh(stamp, files):
    if not stamp.exists():
        return False
    clean = stamp.stat().st_mtime_ns
    return all(file.exists() and file.stat().st_mtime_ns < clean for file in files)


def check(file, build):
    done = subprocess.run(["clang-tidy", "-p", build, "--quiet", file], capture_output=True, text=True, check=False)
    return file, done.returncode, done.stdout


def main():
    top, build = Path(sys.argv[1]), Path(sys.argv[2])
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    made_from = dependencies(build)
    config = [top / ".clang-tidy"]
    objects = product_files(top, build)
    assert len(objects) > 50, "compile_commands.json has hardly any file of the product"
    stamp_of = {file: stamps / str(file.relative_to(top)).replace("/", "__") for file in objects}
    todo = []
    for file, output in objects.items():
        inputs = [build / each for each in made_from.get(output, [])]
        if not inputs or not is_fresh(stamp_of[file], config + inputs):
            todo.append(file)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for file, status, output in pool.map(lambda each: check(each, build), todo):
            if status == 0:
                stamp_of[file].touch()
            else:
                failed += 1
                print(output)
    print(f"{len(objects)} files, {len(todo)} looked at, {failed} with findings")
    return 1 if failed else 0


sys.exit(main())
