# SPDX-License-Identifier: Apache-2.0
"""The layout of firmware images, flash and one-time programmable memory, for the tools beside this file.

Constants are read from firmware/abi/*.h, so that tools and card cannot disagree.
"""

import dataclasses
import hashlib
import pathlib
import re
import struct

ABI_DIR = pathlib.Path(__file__).resolve().parents[2] / "firmware" / "abi"

# struct npu_image_header and struct npu_public_key of firmware/abi/image.h.
HEADER = struct.Struct("<6IQQ2I48s56s104s96s")
PUBLIC_KEY = struct.Struct("<2I96s")
SIGNED_BYTES = 256

KEY_TYPE_NAMES = {1: "P-256", 2: "P-384"}
HASHES = {1: hashlib.sha256, 2: hashlib.sha384}
SCALAR_BYTES = {1: 32, 2: 48}


class ImageError(Exception):
    """An input that makes no image; the message names the file, the place and the remedy."""


def read_file(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from error


def write_file(path, data):
    try:
        pathlib.Path(path).write_bytes(data)
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from error


def read_constants(*names):
    """Returns the integer #defines of the ABI headers `names` as a dictionary."""
    constants = {}
    for name in names:
        path = ABI_DIR / name
        for match in re.finditer(r"^#define\s+(\w+)\s+(0x[0-9a-fA-F]+|\d+)[uUlL]*\b", path.read_text(), re.MULTILINE):
            constants[match.group(1)] = int(match.group(2), 0)
    return constants


class Abi:
    """The constants of firmware/abi that the tools depend on."""

    def __init__(self):
        try:
            constants = read_constants("abi.h", "image.h", "memory_map.h", "otp.h", "flash_layout.h")
            self.magic = constants["NPU_IMAGE_MAGIC"]
            self.header_version = constants["NPU_IMAGE_HEADER_VERSION"]
            self.flag_debug = constants["NPU_IMAGE_FLAG_DEBUG"]
            self.flags = constants["NPU_IMAGE_FLAGS"]
            self.major = constants["NPU_ABI_MAJOR"]
            self.area_base = constants["NPU_MAP_TCM"]
            self.area_bytes = constants["NPU_MAP_TCM_BYTES"] - constants["NPU_MAP_TCM_ROM_BYTES"]
            self.constants = constants
        except OSError as error:
            raise ImageError(f"{error.filename}: {error.strerror}; the tool reads its constants there") from error
        except KeyError as error:
            raise ImageError(f"{ABI_DIR}: constant {error.args[0]} not found") from error

    def __getitem__(self, name):
        """Constant NPU_`name`."""
        return self.constants["NPU_" + name]


@dataclasses.dataclass
class Header:
    """struct npu_image_header; byte strings have the length of their field."""

    magic: int
    header_version: int
    abi_version: int
    image_version: int
    payload_bytes: int
    flags: int
    load_address: int
    entry: int
    security_version: int = 0
    key_slot: int = 0
    payload_digest: bytes = bytes(48)
    reserved: bytes = bytes(56)
    key: bytes = bytes(104)
    signature: bytes = bytes(96)

    @classmethod
    def unpack(cls, data):
        return cls(*HEADER.unpack_from(data))

    def pack(self):
        return HEADER.pack(*dataclasses.astuple(self))

    @property
    def key_type(self):
        return PUBLIC_KEY.unpack(self.key)[0]


def version_text(version):
    return f"{version >> 16}.{version >> 8 & 0xff}.{version & 0xff}"


def check_structure(path, data, abi):
    """Checks as firmware/lib/image.c does without keys, in the same order, and returns the header."""
    if len(data) < HEADER.size:
        raise ImageError(f"{path}: {len(data)} bytes are shorter than an image header ({HEADER.size})")
    header = Header.unpack(data)
    load, entry, payload_bytes = header.load_address, header.entry, header.payload_bytes
    area_end = abi.area_base + abi.area_bytes
    problems = [
        (header.magic != abi.magic, f"magic {header.magic:#010x} is not {abi.magic:#010x}: not a firmware image"),
        (header.header_version != abi.header_version,
         f"header version {header.header_version} is not {abi.header_version}"),
        (header.abi_version >> 16 != abi.major, f"ABI major version {header.abi_version >> 16} is not {abi.major}"),
        (any(header.reserved), "reserved bytes are not zero"),
        (header.flags & ~abi.flags, f"unknown flags {header.flags:#x}"),
        (payload_bytes == 0 or payload_bytes % 8, f"payload size {payload_bytes} is zero or not a multiple of 8"),
        (payload_bytes > len(data) - HEADER.size,
         f"truncated: the header says {payload_bytes} bytes of payload, {len(data) - HEADER.size} are there"),
        (load % 8, f"load address {load:#x} is not 8-byte aligned"),
        (load < abi.area_base or load + payload_bytes > area_end,
         f"payload {load:#x}..{load + payload_bytes:#x} is outside the image area {abi.area_base:#x}..{area_end:#x}"),
        (entry % 4 or not load <= entry < load + payload_bytes,
         f"entry {entry:#x} is not a 4-byte aligned address inside the payload"),
    ]
    for wrong, message in problems:
        if wrong:
            raise ImageError(f"{path}: {message}")
    return header


def check_digest(path, header, data):
    """Checks a signed image's payload against its header."""
    if header.key_type not in HASHES:
        raise ImageError(f"{path}: not signed; sign it with npu-sign")
    digest = HASHES[header.key_type](data[HEADER.size:HEADER.size + header.payload_bytes]).digest()
    if header.payload_digest != digest.ljust(48, b"\0"):
        raise ImageError(f"{path}: the payload's digest does not match: it was changed after it was signed")


def describe(path, header):
    kind = KEY_TYPE_NAMES.get(header.key_type)
    signed = f"signed by the {kind} key of slot {header.key_slot}" if kind else "not signed"
    return (f"{path}: firmware {version_text(header.image_version)}, "
            f"ABI {header.abi_version >> 16}.{header.abi_version & 0xffff}, "
            f"security version {header.security_version}, {'debug, ' if header.flags & 1 else ''}"
            f"{header.payload_bytes} bytes at {header.load_address:#x}, entry {header.entry:#x}, {signed}")
