# SPDX-License-Identifier: Apache-2.0
"""The project's own source files, whether or not the tree is a git checkout."""

FOLDERS = ("models", "platform", "firmware", "driver", "sw", "rtl", "tests", "guest")


def sources(top, *suffixes):
    return sorted(file for folder in FOLDERS for file in (top / folder).rglob("*")
                  if file.suffix in suffixes and file.is_file())
