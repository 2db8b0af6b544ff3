# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: the program under test and its data."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = os.environ["NPUVP"]
SOURCE = Path(os.environ["NPUVP_SOURCE_DIR"])
BUILD = Path(os.environ["NPUVP_BUILD_DIR"])
DATA = SOURCE / "data" / "fashion"
MODEL = DATA / "fashion_mlp_b16.onnx"
IMAGES = DATA / "images.npy"


# AddressSanitizer's remark on an exception in a coroutine of SystemC, in builds with it: three lines, no error.
SANITIZER_NOTICE = re.compile(r"==\d+==WARNING: ASan is ignoring requested __asan_handle_no_return.*\n.*\n.*\n")


@dataclasses.dataclass
class Result:
    status: int
    stdout: bytes
    stderr: bytes

    @property
    def error_lines(self):
        return SANITIZER_NOTICE.sub("", self.stderr.decode()).splitlines()


def npuvp(*arguments, timeout=120, cwd=None):
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout, cwd=cwd, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def run_json(tmp_path, name, *arguments):
    """Runs a command with --json and gives (result, figures)."""
    file = tmp_path / f"{name}.json"
    result = npuvp(*arguments, "--json", file, cwd=tmp_path)
    assert result.status == 0, result.stderr.decode()
    return result, json.loads(file.read_text())


def assert_usage_error(result, *fragments):
    """Exit status 2 and exactly one line, which contains each fragment."""
    assert result.status == 2, (result.status, result.stderr)
    assert len(result.error_lines) == 1, result.error_lines
    for fragment in fragments:
        assert fragment in result.error_lines[0], result.error_lines[0]


def wrong_firmware(kind, folder):
    """An image that the boot ROM must refuse: truncated, corrupt, or of another ABI version."""
    image = BUILD / "firmware" / "atom-ca22.bin"
    file = folder / f"{kind}.bin"
    if kind == "truncated":
        file.write_bytes(image.read_bytes()[:-4096])
    elif kind == "corrupt":
        contents = bytearray(image.read_bytes())
        contents[-100] ^= 1
        file.write_bytes(contents)
    else:
        subprocess.run([sys.executable, SOURCE / "sw/tools/npu-image/npu-image", BUILD / "firmware/cp.elf", "-o", file,
                        "--abi-version", "2.0"], check=True)
    return file


# What the boot ROM's refusal says, on every host.
WRONG_FIRMWARE = [("truncated", "shorter than its header says"), ("corrupt", "not the one that was signed"),
                  ("version", "another ABI version")]


@pytest.fixture
def figures_keys():
    return {"accuracy", "top1_agreement", "images", "simulated_seconds", "host_seconds", "time_by_kind"}
