# SPDX-License-Identifier: Apache-2.0
"""A stock guest in stock QEMU: driver, firmware, main job, pass-through of commands."""

import re

import pexpect
import pytest

from conftest import BUILD, IMAGES, MODEL, PROGRAM, WRONG_FIRMWARE, npuvp, run_json, wrong_firmware


@pytest.mark.parametrize("precision, rtl", [("int8", ()), ("fp16", ()), ("int8", ("--rtl", "ne0.tensor_core"))],
                         ids=["int8", "fp16", "int8-rtl"])
def test_demo_gives_the_bits_of_the_in_process_run(tmp_path, figures_keys, precision, rtl):
    run_json(tmp_path, "run", "run", MODEL, "--input", IMAGES, "--precision", precision, "--output",
             tmp_path / "inproc.npy")
    result, figures = run_json(tmp_path, "demo", "demo", "--precision", precision, "--output", tmp_path / "logits.npy",
                               *rtl)
    assert figures_keys <= set(figures)
    assert (tmp_path / "logits.npy").read_bytes() == (tmp_path / "inproc.npy").read_bytes()
    assert round(figures["top1_agreement"] * 256) >= 253
    assert figures["wrong_outputs"] == 0
    assert (tmp_path / "npuvp-demo.pftrace").stat().st_size > 1000
    assert b"images/s" in result.stdout


def test_a_command_passes_its_output_and_status_through():
    result = npuvp("qemu", "--", "sh", "-c", "printf 'out\\0put'; printf 'err' >&2; exit 7")
    assert (result.status, result.stdout) == (7, b"out\0put")
    assert b"err" in result.stderr


@pytest.mark.parametrize("leave, status", [("\x01x", 0), ("exit\r", 0)], ids=["ctrl-a-x", "exit"])
def test_an_interactive_shell_has_the_card_and_can_be_left(leave, status):
    guest = pexpect.spawn(PROGRAM, ["qemu"], timeout=60, encoding="utf-8", dimensions=(40, 200))
    guest.expect("driver npu, /dev/accel/accel0")
    guest.expect("# ")
    guest.send("echo $((6 * 7)); sleep 100\r")
    guest.expect(r"\s42\s")
    guest.send("\x03")  # Ctrl-C belongs to the guest
    guest.expect("# ")
    guest.send(leave)
    guest.expect(pexpect.EOF)
    guest.close()
    assert guest.exitstatus == status


def test_the_guest_sees_card_and_driver():
    result = npuvp("qemu", "--", "lspci -nn -d 1eff:1220 -k; ls /dev/accel; lspci -vv -d 1eff:1220 | grep LnkSta:;"
                   "lspci -v -d 1eff:1220 | grep Memory;"
                   "rmmod npu && insmod /lib/modules/*/npu.ko && ls /dev/accel; dmesg | grep -ciE 'oops|bug:|warning:'")
    text = result.stdout.decode()
    assert text.count("accel0") == 2, text  # before and after a reload of the driver
    assert "[1200]" in text and "Kernel driver in use: npu" in text
    assert "32GT/s" in text and "x16" in text
    assert re.search(r"Memory at [0-9a-f]+ \(64-bit, non-prefetchable\) \[size=64K\]", text), text
    assert re.search(r"Memory at [0-9a-f]+ \(64-bit, prefetchable\) \[size=256M\]", text), text
    assert text.strip().endswith("\n0")


def test_the_drivers_error_paths(tmp_path):
    result = npuvp("qemu", "--", "npu_ioctl_test")
    assert result.status == 0, result.stdout.decode() + result.stderr.decode()
    assert b", 0 failed" in result.stdout


@pytest.mark.parametrize("kind, words", WRONG_FIRMWARE)
def test_wrong_firmware_is_refused_and_the_rom_goes_on(tmp_path, kind, words):
    image = wrong_firmware(kind, tmp_path)
    good = BUILD / "firmware" / "atom-ca22.bin"
    # After the refusal the good image is put in place: the ROM must still answer.
    result = npuvp("qemu", "--firmware", image, "--file", f"{good}:/root/good.bin", "--",
                   "ls /dev/accel; dmesg | grep npu; rmmod npu; cp /root/good.bin /lib/firmware/npu/atom-ca22.bin;"
                   "insmod /lib/modules/*/npu.ko; ls /dev/accel")
    text = result.stdout.decode() + result.stderr.decode()
    assert words in text, text
    assert "atom-ca22.bin" in text
    assert result.stdout.decode().strip().endswith("accel0"), text
