# SPDX-License-Identifier: Apache-2.0
"""sw/tools/npu-image: images from small ELF files made here, checked against the layout in firmware/abi/image.h."""

import os
import pathlib
import struct
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "sw" / "tools" / "npu-image" / "npu-image"
SIGNER = TOOL.parents[1] / "npu-sign" / "npu-sign"
TEST_KEY = SIGNER.parent / "test-keys" / "test-key-0.pem"
TCM = 0x100000
AREA_END = 0x1F0000


def run(*arguments):
    return subprocess.run([sys.executable, str(TOOL), *map(str, arguments)], capture_output=True, text=True,
                          check=False)


def expect_error(result, text):
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1, result.stderr
    assert text in result.stderr


def make_elf(segments, entry=TCM, machine=243, elf_class=2):
    """An ELF executable with PT_LOAD segments [(physical address, contents)] and no sections."""
    header_bytes = 64 + 56 * len(segments)
    table, contents, offset = b"", b"", header_bytes
    for address, data in segments:
        table += struct.pack("<IIQQQQQQ", 1, 5, offset, 0xdead0000, address, len(data), len(data) + 100, 4096)
        contents += data
        offset += len(data)
    identification = b"\x7fELF" + bytes([elf_class, 1, 1]) + bytes(9)
    header = struct.pack("<16sHHIQQQIHHHHHH", identification, 2, machine, 1, entry, 64, 0, 0, 64, 56, len(segments),
                         64, 0, 0)
    return header + table + contents


@pytest.fixture
def elf(tmp_path):
    def write(*arguments, **options):
        path = tmp_path / "test.elf"
        path.write_bytes(make_elf(*arguments, **options))
        return path
    return write


VERSIONS = ("--abi-version", "1.0", "--image-version", "1.2.3")


def test_image_has_the_documented_layout(elf, tmp_path):
    out = tmp_path / "out.bin"
    result = run(elf([(TCM + 0x20, b"\x22" * 5), (TCM, b"\x11" * 16)], entry=TCM + 4), "-o", out, *VERSIONS)
    assert result.returncode == 0, result.stderr
    image = out.read_bytes()
    payload = b"\x11" * 16 + bytes(16) + b"\x22" * 5 + bytes(3)
    assert image[352:] == payload
    assert struct.unpack_from("<6IQQ", image) == (0x4657504E, 2, 0x10000, 0x010203, len(payload), 0, TCM, TCM + 4)
    assert image[:4] == b"NPWF"
    assert image[40:352] == bytes(312)  # npu-sign fills this in


def test_overrides_change_only_the_versions(elf, tmp_path):
    out = tmp_path / "out.bin"
    run(elf([(TCM, bytes(8))]), "-o", out, "--abi-version", "2.5", "--image-version", "7.8.9")
    assert struct.unpack_from("<2I", out.read_bytes(), 8) == (0x20005, 0x070809)
    expect_error(run("--check", out), "ABI major version 2 is not 1")


@pytest.mark.parametrize("make, text", [
    (lambda: b"", "ELF header at 0x0 is beyond the end"),
    (lambda: b"MZ" + bytes(200), "not an ELF file"),
    (lambda: make_elf([(TCM, bytes(8))], machine=62), "not a 64-bit little-endian RISC-V"),
    (lambda: make_elf([(TCM, bytes(8))], elf_class=1), "not a 64-bit little-endian RISC-V"),
    (lambda: make_elf([]), "nothing to load"),
    (lambda: make_elf([(TCM, bytes(8))])[:-1], "beyond the end of the file"),
    (lambda: make_elf([(TCM, bytes(8))])[:100], "beyond the end of the file"),
    (lambda: make_elf([(0, bytes(8))], entry=0), "outside the TCM's image area"),
    (lambda: make_elf([(AREA_END - 4, bytes(8))], entry=AREA_END - 4), "outside the TCM's image area"),
    (lambda: make_elf([(TCM, bytes(8)), (2**63, bytes(8))]), "outside the TCM's image area"),
    (lambda: make_elf([(TCM + 4, bytes(8))], entry=TCM + 4), "not 8-byte aligned"),
    (lambda: make_elf([(TCM, bytes(16)), (TCM + 8, bytes(16))]), "overlaps"),
    (lambda: make_elf([(TCM, bytes(8))], entry=TCM + 8), "entry"),
    (lambda: make_elf([(TCM, bytes(8))], entry=TCM + 2), "entry"),
])
def test_bad_elf_files_are_refused(tmp_path, make, text):
    path = tmp_path / "bad.elf"
    path.write_bytes(make())
    expect_error(run(path, "-o", tmp_path / "out.bin", *VERSIONS), text)
    assert not (tmp_path / "out.bin").exists()


def test_missing_versions_are_named(elf, tmp_path):
    expect_error(run(elf([(TCM, bytes(8))]), "-o", tmp_path / "out.bin"), "no section .npu_image_info")


def test_missing_files_are_one_line(tmp_path):
    expect_error(run(tmp_path / "none.elf", "-o", tmp_path / "out.bin"), "No such file")
    expect_error(run("--check", tmp_path / "none.bin"), "No such file")


@pytest.mark.parametrize("offset, value, text", [
    (0, b"X", "magic"),
    (4, b"\1", "header version 1"),
    (10, b"\2", "ABI major version 2"),
    (16, b"\0", "zero or not a multiple of 8"),
    (16, b"\x0c", "zero or not a multiple of 8"),
    (17, b"\1", "truncated"),
    (20, b"\2", "unknown flags"),
    (24, b"\4", "not 8-byte aligned"),
    (31, b"\1", "outside the image area"),
    (32, b"\2", "entry"),
    (39, b"\1", "entry"),
    (48, None, "the payload's digest does not match"),
    (151, b"\1", "reserved"),
    (152, b"\0", "not signed"),
    (352, b"\1", "the payload's digest does not match"),
])
def test_check_finds_each_change(elf, tmp_path, offset, value, text):
    unsigned, out = tmp_path / "unsigned.bin", tmp_path / "out.bin"
    assert run(elf([(TCM, bytes(16))]), "-o", unsigned, *VERSIONS).returncode == 0
    subprocess.run([sys.executable, SIGNER, "sign", unsigned, "--key", TEST_KEY, "-o", out], check=True)
    image = bytearray(out.read_bytes())
    image[offset:offset + 1] = bytes([image[offset] ^ 1]) if value is None else value
    out.write_bytes(image)
    expect_error(run("--check", out), text)


def test_check_refuses_less_than_a_header(tmp_path):
    (tmp_path / "short.bin").write_bytes(bytes(351))
    expect_error(run("--check", tmp_path / "short.bin"), "shorter than an image header")


@pytest.mark.skipif("NPU_FIRMWARE_DIR" not in os.environ, reason="needs the firmware's build directory")
def test_the_firmware_image_as_built_passes():
    result = run("--check", pathlib.Path(os.environ["NPU_FIRMWARE_DIR"]) / "atom-ca22.bin")
    assert result.returncode == 0, result.stderr
    assert "firmware 1.3.0, ABI 1.3" in result.stdout
