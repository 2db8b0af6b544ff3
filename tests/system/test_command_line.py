# SPDX-License-Identifier: Apache-2.0
"""The command line's contract: help for everything, one line and status 2 for anything wrong."""

import pytest

from conftest import DATA, IMAGES, MODEL, SOURCE, assert_usage_error, npuvp

COMMANDS = ("demo", "run", "boot", "qemu", "serve", "monitor", "test", "bench", "fuzz", "help")


def test_help_names_every_command():
    result = npuvp("help")
    assert result.status == 0
    for command in COMMANDS:
        assert f"  {command} ".encode() in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_fits_a_terminal(command):
    result = npuvp("help", command)
    assert result.status == 0
    lines = result.stdout.decode().splitlines()
    assert lines and max(map(len, lines)) <= 100


@pytest.mark.parametrize("arguments, fragments", [
    ((), ("command", "demo")),
    (("bogus",), ("bogus",)),
    (("help", "bogus"), ("no command 'bogus'",)),
    (("run",), ("model",)),
    (("run", MODEL), ("--input",)),
    (("run", MODEL, "--input", IMAGES, "--precision", "int9"), ("int9",)),
    (("run", MODEL, "--input", IMAGES, "--seed", "x"), ("--seed",)),
    (("run", MODEL, "--input", IMAGES, "--log", "ne"), ("BLOCK=LEVEL",)),
    (("run", MODEL, "--input", IMAGES, "--log", "ne=loud"), ("BLOCK=LEVEL",)),
    (("boot", "--board", "server-99"), ("server-99", "server-1")),
    (("boot", "--board", "./none.yaml"), ("none.yaml",)),
    (("boot", "--rtl", "ne9.tensor_core"), ("ne9.tensor_core", "ne0.tensor_core")),
    (("boot", "--rtl", "ne0.vector_unit"), ("ne0.vector_unit",)),
    (("boot", "--firmware", "/none.bin"), ("/none.bin",)),
    (("boot", "--trace", "/none/trace.pftrace"), ("/none/trace.pftrace",)),
    (("bench", "nothing"), ("nothing",)),
    (("fuzz", "nothing"), ("nothing",)),
    (("fuzz", "npy", "--seconds", "0"), ("--seconds",)),
    (("qemu",), ("terminal",)),
    (("qemu", "--attach", "bogus", "--", "true"), ("--attach", "endpoints")),
    (("serve",), ("--sockets",)),
    (("qemu", "--file", "/none", "--", "true"), ("/none",)),
    (("qemu", "--file", f"{MODEL}:", "--", "true"), ("no path behind the colon",)),
    (("qemu", "--", "echo one\necho two"), ("one line",)),
    (("qemu", "--", "x" * 5000), ("4096 bytes",)),
    (("demo", "--precision", "fp16", "--rtl", "ne0.tensor_core"), ("INT8 only",)),
])
def test_a_wrong_command_line_is_one_line_and_status_2(arguments, fragments):
    assert_usage_error(npuvp(*arguments), *fragments)


@pytest.mark.parametrize("old, new, fragments", [
    ("count: 8", "count: 9", ("neural_engines.count", "'9'", "1 to 8")),
    ("count: 8", "cuont: 8", ("count", "missing")),
    ("lanes: 16", "lanes: 12", ("pcie.lanes",)),
    ("efficiency: 0.914", "efficiency: nan", ("dram.efficiency", "nan")),
    ("channels: 8", "channels: 8\n  colour: red", ("colour", "unknown key")),
    ("command_processor:", "command_processor: [", ("not YAML",)),
])
def test_a_wrong_board_file_is_named_with_its_line(tmp_path, old, new, fragments):
    card = (SOURCE / "platform/boards/cards/atom-ca22.yaml").read_text()
    assert old in card
    (tmp_path / "card.yaml").write_text(card.replace(old, new, 1))
    (tmp_path / "server.yaml").write_text("server: test\nroot_ports:\n  - card: ./card.yaml\n")
    result = npuvp("boot", "--board", tmp_path / "server.yaml")
    assert_usage_error(result, "card.yaml:", *fragments)


@pytest.mark.parametrize("model, images, fragments", [
    ("none.onnx", IMAGES, ("none.onnx",)),
    (MODEL, "none.npy", ("none.npy",)),
    (IMAGES, IMAGES, ("images.npy", "ONNX")),
    (MODEL, DATA / "labels.npy", ("labels.npy", "shape")),
    (MODEL, DATA / "README.md", ("README.md",)),
])
def test_a_wrong_input_file_is_named(model, images, fragments):
    assert_usage_error(npuvp("run", model, "--input", images), *fragments)
