# SPDX-License-Identifier: Apache-2.0
"""Boot from flash, update, life cycle and recovery as a user meets them."""

import os
import pathlib
import struct
import subprocess
import sys

import pytest
from conftest import assert_usage_error, npuvp

SOURCE = pathlib.Path(os.environ["NPUVP_SOURCE_DIR"])
IMAGE = pathlib.Path(os.environ["NPUVP_BUILD_DIR"]) / "firmware" / "atom-ca22.bin"
KEYS = SOURCE / "sw" / "tools" / "npu-sign" / "test-keys"


def sign_tool(*arguments):
    tool = SOURCE / "sw" / "tools" / "npu-sign" / "npu-sign"
    subprocess.run([sys.executable, tool, *arguments], check=True, timeout=60)


@pytest.fixture
def flash(tmp_path):
    path = tmp_path / "flash.bin"
    sign_tool("flash", "--a", IMAGE, "-o", path)
    return path


def boot(*arguments):
    return npuvp("boot", *map(str, arguments))


def test_firmware_in_flash_boots_without_the_host(flash):
    result = boot("--flash", flash)
    assert result.status == 0, result.stderr
    assert b"from slot A" in result.stdout and b"cp: ready" in result.stdout
    assert b"waiting for a firmware image" not in result.stdout


def test_an_update_boots_next_time_and_the_file_keeps_it(flash, tmp_path):
    newer = tmp_path / "newer.bin"
    sign_tool("sign", IMAGE, "--key", KEYS / "test-key-1.pem", "--slot", "1", "--image-version", "9.8.7", "-o", newer)
    result = boot("--flash", flash, "--update", newer)
    assert result.status == 0, result.stderr
    assert b"update: 9.8.7 in slot B boots after the next reset" in result.stdout
    assert b"image 9.8.7 from slot B" in boot("--flash", flash).stdout


def test_a_card_with_an_empty_flash_is_provisioned_by_an_update(tmp_path):
    flash = tmp_path / "new.bin"
    assert boot("--flash", flash, "--update", IMAGE).status == 0
    assert b"from slot B" in boot("--flash", flash).stdout


def test_production_cards_refuse_the_test_keys(flash, tmp_path):
    key, otp = tmp_path / "product.pem", tmp_path / "otp.bin"
    sign_tool("keygen", "-o", key)
    sign_tool("otp", "--lifecycle", "production", "--key", f"0={key}", "-o", otp)
    result = boot("--flash", flash, "--otp", otp)
    assert result.status == 2
    assert b"image refused (code 9): from slot A" in result.stdout
    assert b"a key that this card does not know (boot code 9)" in result.stderr
    product = tmp_path / "product.bin"
    sign_tool("sign", IMAGE, "--key", key, "-o", product)
    result = boot("--flash", flash, "--otp", otp, "--firmware", product)
    assert result.status == 0, result.stderr
    assert b"from the host" in result.stdout and b"debug access closed" in result.stdout


def test_a_wrong_update_is_one_line(flash, tmp_path):
    image = bytearray(IMAGE.read_bytes())
    image[-1] ^= 1
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(image)
    result = boot("--flash", flash, "--update", wrong)
    assert result.status == 2 and b"not the one that was signed" in result.stderr
    assert b"from slot A" in boot("--flash", flash).stdout


@pytest.fixture
def hanging(tmp_path):
    """Firmware 9.9.9 that sleeps for ever at its entry."""
    image = bytearray(IMAGE.read_bytes())
    load, entry = struct.unpack_from("<QQ", image, 24)
    struct.pack_into("<2I", image, 352 + entry - load, 0x10500073, 0xffdff06f)  # wfi; j .-4
    unsigned, signed = tmp_path / "hanging.unsigned", tmp_path / "hanging.bin"
    unsigned.write_bytes(image)
    sign_tool("sign", unsigned, "--key", KEYS / "test-key-0.pem", "--slot", "0", "--image-version", "9.9.9", "-o", signed)
    return signed


def test_an_update_that_hangs_is_given_up_and_the_driver_says_so(flash, hanging):
    assert boot("--flash", flash, "--update", hanging).status == 0
    result = boot("--flash", flash)
    assert result.status == 0, result.stderr
    for attempt in (1, 2, 3):
        assert f"on trial, attempt {attempt} of 3".encode() in result.stdout
    assert b"slot B did not confirm in 3 attempts on trial (code 17), the last ended by a watchdog reset" in result.stdout
    assert b"from slot A" in result.stdout and b"cp: ready" in result.stdout
    script = ("dmesg | grep -a 'did not come up on trial'; npu_load_test --jobs 20; echo load $?;"
              "echo 1 > /sys/bus/pci/devices/10000:01:00.0/npu/firmware_commit; echo commit $?;"
              "wc -c < /sys/bus/pci/devices/10000:01:00.0/npu/crash_dumps")
    result = npuvp("qemu", "--flash", str(flash), "--", script)
    text = result.stdout.decode()
    assert "firmware in slot B: it did not come up on trial after the update (boot code 17, 3 attempts" in text, text
    assert "load 0" in text and "commit 0" in text and text.rstrip().endswith("0"), text + result.stderr.decode()


@pytest.mark.parametrize("option", ["--flash", "--otp"])
def test_files_of_the_wrong_size_are_usage_errors(option, tmp_path):
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(b"x")
    result = boot(option, wrong)
    assert result.status == 2
    assert result.stderr.count(b"\n") == 1 and b"wrong.bin" in result.stderr


def test_the_driver_takes_a_card_that_booted_from_flash_and_updates_it(flash):
    script = ("dmesg | grep -a 'npu .*firmware'; npu_load_test --jobs 20; echo load $?;"
              "echo 1 > /sys/bus/pci/devices/10000:01:00.0/npu/firmware_update; echo update $?;"
              "dmesg | grep -a 'boots after the next reset'; npu_load_test --jobs 20; echo again $?")
    result = npuvp("qemu", "--flash", str(flash), "--", script)
    text = result.stdout.decode()
    assert "load 0" in text and "update 0" in text and "again 0" in text, text + result.stderr.decode()
    assert "firmware 1.3.0 is in slot B and boots after the next reset" in text
    assert b"from slot B" in boot("--flash", flash).stdout


@pytest.mark.parametrize("fuses", [("--lifecycle", "production"), ("--lifecycle", "development", "--debug-disable")])
def test_a_card_whose_fuses_close_debug_access_lets_no_debugger_in(fuses, tmp_path):
    otp = tmp_path / "otp.bin"
    sign_tool("otp", *fuses, "--key", f"0={KEYS / 'test-key-0.pem'}", "-o", otp)
    result = boot("--otp", otp, "--gdb", tmp_path / "gdb", "--break-at-reset")
    assert_usage_error(result, "card0", "its fuses close debug access", "life cycle")
    assert not (tmp_path / "gdb").exists()
