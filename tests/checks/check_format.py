# SPDX-License-Identifier: Apache-2.0
"""Every C and C++ file is as clang-format leaves it. usage: check_format.py SOURCE_DIR"""

import subprocess
import sys
from pathlib import Path

from source_tree import sources


def main():
    top = Path(sys.argv[1])
    files = sources(top, ".c", ".h", ".cpp")
    assert files, f"no sources under {top}"
    wrong = []
    for first in range(0, len(files), 50):
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files[first:first + 50]],
                              capture_output=True, text=True, check=False)
        wrong += [line for line in done.stderr.splitlines() if "error:" in line]
        assert done.returncode == 0 or wrong, done.stderr
    for line in wrong:
        print(line)
    print(f"{len(files)} files, {len(wrong)} places differ; remedy: clang-format -i FILE")
    return 1 if wrong else 0


sys.exit(main())
