# SPDX-License-Identifier: Apache-2.0
"""sw/tools/npu-sign: signatures against published vectors and python3-cryptography, contents of flash and fuses."""

import hashlib
import pathlib
import re
import struct
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

TOP = pathlib.Path(__file__).resolve().parents[2]
TOOL = TOP / "sw" / "tools" / "npu-sign" / "npu-sign"
KEYS = [TOOL.parent / "test-keys" / f"test-key-{number}.pem" for number in range(3)]
HEADER_BYTES = 352
TCM = 0x100000

sys.path.insert(0, str(TOOL.parent))
import ecdsa  # noqa: E402  pylint: disable=wrong-import-position


def run(*arguments):
    return subprocess.run([sys.executable, str(TOOL), *map(str, arguments)], capture_output=True, text=True,
                          check=False)


def done(*arguments):
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def expect_error(result, text):
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1, result.stderr
    assert text in result.stderr


@pytest.fixture
def unsigned(tmp_path):
    payload = bytes(range(256)) * 4
    path = tmp_path / "unsigned.bin"
    path.write_bytes(struct.pack("<6IQQ312x", 0x4657504E, 2, 0x10002, 0x010203, len(payload), 0, TCM, TCM) + payload)
    return path


@pytest.fixture
def signed(unsigned, tmp_path):
    path = tmp_path / "signed.bin"
    done("sign", unsigned, "--key", KEYS[0], "-o", path)
    return path


# RFC 6979, A.2.5 and A.2.6: message "sample" with SHA-256 and SHA-384.
@pytest.mark.parametrize("curve, private, r, s", [
    (ecdsa.P256, 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721,
     0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
     0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8),
    (ecdsa.P384,
     0x6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5,
     0x94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46,
     0x99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8),
])
def test_signatures_are_those_of_rfc_6979(curve, private, r, s):
    size = curve.scalar_bytes
    assert ecdsa.sign(curve, private, b"sample") == r.to_bytes(size, "big") + s.to_bytes(size, "big")


@pytest.mark.parametrize("number, kind, size", [(0, 1, 32), (1, 2, 48)])
def test_a_signed_image_has_the_documented_layout(unsigned, tmp_path, number, kind, size):
    out = tmp_path / "out.bin"
    done("sign", unsigned, "--key", KEYS[number], "--slot", number, "--security-version", 7, "-o", out)
    image = out.read_bytes()
    digest = {1: hashlib.sha256, 2: hashlib.sha384}[kind](image[HEADER_BYTES:]).digest()
    assert struct.unpack_from("<2I", image, 40) == (7, number)
    assert image[48:96] == digest.ljust(48, b"\0")
    public = serialization.load_pem_private_key(KEYS[number].read_bytes(), None).public_key()
    point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:]
    assert image[152:256] == struct.pack("<2I96s", kind, 0, point)
    r, s = (int.from_bytes(image[256 + at:256 + at + size], "big") for at in (0, size))
    algorithm = ec.ECDSA(hashes.SHA256() if kind == 1 else hashes.SHA384())
    public.verify(utils.encode_dss_signature(r, s), image[:256], algorithm)  # raises if it is wrong
    assert not any(image[256 + 2 * size:HEADER_BYTES])


def test_the_same_input_gives_the_same_image(unsigned, signed, tmp_path):
    done("sign", unsigned, "--key", KEYS[0], "-o", tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == signed.read_bytes()


@pytest.mark.parametrize("offset", [12, 40, 48, 160, 256, 351, 352, 1375])
def test_verify_finds_changes(signed, offset):
    image = bytearray(signed.read_bytes())
    image[offset] ^= 1
    signed.write_bytes(image)
    assert run("verify", signed).returncode == 2


def test_verify_asks_for_the_key(signed):
    done("verify", signed, "--key", KEYS[0])
    expect_error(run("verify", signed, "--key", KEYS[2]), "signed by another key")


@pytest.mark.parametrize("options, text", [
    ((), None),
    (("--rollback", 4), None),
    (("--rollback", 5), "below the rollback counter 5"),
    (("--revoke", 0), "revoked"),
])
def test_verify_asks_the_fuses(unsigned, tmp_path, options, text):
    fuses, image = tmp_path / "otp.bin", tmp_path / "image.bin"
    done("otp", "--key", f"0={KEYS[0]}", *options, "-o", fuses)
    done("sign", unsigned, "--key", KEYS[0], "--security-version", 4, "-o", image)
    result = run("verify", image, "--otp", fuses)
    if text is None:
        assert result.returncode == 0, result.stderr
    else:
        expect_error(result, text)


def test_debug_images_and_strangers_are_refused_in_production(unsigned, tmp_path):
    fuses, image = tmp_path / "otp.bin", tmp_path / "image.bin"
    done("otp", "--lifecycle", "production", "--key", f"0={KEYS[0]}", "-o", fuses)
    assert "production, debug access closed" in done("dump", fuses)
    done("sign", unsigned, "--key", KEYS[0], "--debug", "-o", image)
    expect_error(run("verify", image, "--otp", fuses), "debug access is closed")
    done("sign", unsigned, "--key", KEYS[2], "-o", image)
    expect_error(run("verify", image, "--otp", fuses), "do not know its key")


def test_fuses_have_the_documented_layout(tmp_path):
    out = tmp_path / "otp.bin"
    done("otp", "--lifecycle", "production", "--key", f"1={KEYS[1]}", "--revoke", 2, "--rollback", 35,
         "--debug-disable", "-o", out)
    words = struct.unpack("<128I", out.read_bytes())
    assert words[:8] == (0b011, 1, 0b100, 0, 0xFFFFFFFF, 0b111, 0, 0)
    assert any(words[24:32]) and not any(words[8:24]) and not any(words[32:])


def test_default_fuses_of_the_model_know_the_test_keys(tmp_path):
    source = (TOP / "models" / "otp" / "default_fuses.cpp").read_text()
    in_model = [tuple(int(word, 16) for word in re.findall(r"0x[0-9a-f]{8}", line))
                for line in re.findall(r"\{0x[^}]*\}", source)]
    for slot, key in enumerate(KEYS):
        done("otp", "--key", f"{slot}={key}", "-o", tmp_path / "otp.bin")
        words = struct.unpack("<128I", (tmp_path / "otp.bin").read_bytes())
        assert in_model[slot] == words[16 + 8 * slot:24 + 8 * slot]


def test_a_flash_has_the_documented_layout(signed, tmp_path):
    out = tmp_path / "flash.bin"
    done("flash", "--b", signed, "--select", "b", "-o", out)
    flash, image = out.read_bytes(), signed.read_bytes()
    assert len(flash) == 4 << 20
    assert struct.unpack_from("<4I", flash) == (0x5342504E, 1, 1, ~(0x5342504E ^ 1 ^ 1) & 0xFFFFFFFF)
    assert flash[0x200000:0x200000 + len(image)] == image
    assert set(flash[16:0x200000]) == {0xFF}
    listing = done("dump", out)
    assert "selection 0: slot B, sequence 1" in listing
    assert "slot A: empty" in listing


def test_new_keys_sign(unsigned, tmp_path):
    for kind in ("p256", "p384"):
        key, out = tmp_path / f"{kind}.pem", tmp_path / f"{kind}.bin"
        done("keygen", "--type", kind, "-o", key)
        assert key.stat().st_mode & 0o077 == 0
        done("sign", unsigned, "--key", key, "-o", out)
        done("verify", out, "--key", key)


@pytest.mark.parametrize("arguments, text", [
    (("sign", "none.bin", "--key", KEYS[0], "-o", "out"), "No such file"),
    (("sign", __file__, "--key", KEYS[0], "-o", "out"), "not a firmware image"),
    (("sign", __file__, "--key", __file__, "-o", "out"), "not a PEM file"),
    (("verify", __file__), "not a firmware image"),
    (("dump", __file__), "not a firmware image"),
])
def test_wrong_files_are_one_line(arguments, text):
    expect_error(run(*arguments), text)


def test_an_unsigned_image_is_not_verified(unsigned):
    expect_error(run("verify", unsigned), "not signed")
