# SPDX-License-Identifier: Apache-2.0
"""Reads and checks the register descriptions of blocks.

Every error names the file, the line where known, the place and the remedy.
"""

import dataclasses
import re

import yaml

ACCESS = ("rw", "ro", "wo", "w1c", "w1s", "rc")
WIDTHS = (8, 16, 32, 64)


class SchemaError(Exception):
    pass


@dataclasses.dataclass
class Field:
    name: str
    msb: int
    lsb: int
    access: str
    sticky: bool
    reset: int
    description: str
    enum: dict

    @property
    def mask(self):
        return ((1 << (self.msb - self.lsb + 1)) - 1) << self.lsb

    @property
    def bits(self):
        return str(self.lsb) if self.msb == self.lsb else f"{self.msb}:{self.lsb}"


@dataclasses.dataclass
class Register:
    name: str
    offset: int
    width: int
    access: str
    reset: int
    count: int
    stride: int
    volatile: bool
    sticky: bool
    description: str
    fields: list

    @property
    def is_array(self):
        return self.count > 1

    def offset_of(self, index):
        return self.offset + index * self.stride

    def access_masks(self):
        """Mask of bits for each access kind; without fields the whole register has one kind."""
        masks = dict.fromkeys(ACCESS, 0)
        if not self.fields:
            masks[self.access] = (1 << self.width) - 1
        for field in self.fields:
            masks[field.access] |= field.mask
        return masks

    def sticky_mask(self):
        if not self.fields:
            return (1 << self.width) - 1 if self.sticky else 0
        return sum(field.mask for field in self.fields if field.sticky)


@dataclasses.dataclass
class Map:
    name: str
    size: int
    description: str
    registers: list


@dataclasses.dataclass
class Block:
    name: str
    title: str
    description: str
    maps: list

    def prefix(self, register_map):
        """C and SystemVerilog prefix: the block, and the map unless it is named like the block."""
        parts = [self.name] if register_map.name == self.name else [self.name, register_map.name]
        return "_".join(parts).upper()


class _Node:
    """A mapping of the YAML file that knows its place for messages and refuses unknown keys."""

    def __init__(self, data, file, place, keys):
        self.file, self.place = file, place
        if not isinstance(data, dict):
            self.fail(f"expected a mapping, found {data!r}")
        unknown = sorted(set(data) - set(keys))
        if unknown:
            self.fail(f"unknown key '{unknown[0]}'; known: {', '.join(keys)}")
        self.data = data

    def fail(self, message):
        raise SchemaError(f"{self.file}: {self.place}: {message}")

    def get(self, key, kind, default=None, required=False):
        if key not in self.data:
            if required:
                self.fail(f"'{key}' is missing")
            return default
        value = self.data[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fail(f"'{key}' must be {kind.__name__}, is {value!r}")
        return value


def _identifier(node, pattern, what):
    name = node.get("name", str, required=True)
    if not re.fullmatch(pattern, name):
        node.fail(f"name '{name}' is not {what}")
    return name


def _refuse_repeated(node, what, entries):
    names = [entry.name for entry in entries]
    for repeated in sorted({each for each in names if names.count(each) > 1}):
        node.fail(f"{what} {repeated} appears twice")


def _field(data, file, place, register_access, register_sticky, width):
    node = _Node(data, file, place, ("name", "bits", "access", "sticky", "reset", "description", "enum"))
    name = _identifier(node, r"[A-Z][A-Z0-9_]*", "upper case")
    node.place = f"{place}.{name}"
    bits = str(node.get("bits", (str, int), required=True))
    match = re.fullmatch(r"(\d+)(?::(\d+))?", bits)
    if not match:
        node.fail(f"bits '{bits}' must be \"n\" or \"msb:lsb\"")
    msb = int(match[1])
    lsb = int(match[2]) if match[2] else msb
    if not 0 <= lsb <= msb < width:
        node.fail(f"bits '{bits}' do not fit a register of {width} bits")
    access = node.get("access", str, register_access)
    if access not in ACCESS:
        node.fail(f"access '{access}' is not one of {', '.join(ACCESS)}")
    reset = node.get("reset", int, 0)
    if reset >> (msb - lsb + 1):
        node.fail(f"reset {reset:#x} does not fit bits {bits}")
    enum = node.get("enum", dict, {})
    for key, value in enum.items():
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", str(key)) or not isinstance(value, int) or value >> (msb - lsb + 1):
            node.fail(f"enum {key}: {value} needs an upper-case name and a value that fits bits {bits}")
    return Field(name, msb, lsb, access, node.get("sticky", bool, register_sticky), reset,
                 node.get("description", str, required=True), enum)


def _register(data, file, place):
    node = _Node(data, file, place, ("name", "offset", "width", "access", "reset", "count", "stride", "volatile",
                                     "sticky", "description", "fields"))
    name = _identifier(node, r"[A-Z][A-Z0-9_]*", "upper case")
    place = node.place = f"{place}.{name}"
    width = node.get("width", int, 32)
    if width not in WIDTHS:
        node.fail(f"width {width} is not one of {WIDTHS}")
    access = node.get("access", str, required=True)
    if access not in ACCESS:
        node.fail(f"access '{access}' is not one of {', '.join(ACCESS)}")
    sticky = node.get("sticky", bool, False)
    fields = [_field(entry, file, place, access, sticky, width) for entry in node.get("fields", list, [])]
    used = 0
    for field in fields:
        if used & field.mask:
            node.fail(f"field {field.name} overlaps another")
        used |= field.mask
    _refuse_repeated(node, "field", fields)
    reset = node.get("reset", int, 0)
    if reset >> width:
        node.fail(f"reset {reset:#x} does not fit {width} bits")
    if reset and any(field.reset for field in fields):
        node.fail("give the reset value either for the register or for its fields")
    for field in fields:
        reset |= field.reset << field.lsb
    count = node.get("count", int, 1)
    stride = node.get("stride", int, width // 8)
    offset = node.get("offset", int, required=True)
    if offset < 0 or count < 1 or stride < width // 8 or offset % (width // 8) or stride % (width // 8):
        node.fail("offset, count, stride or alignment is wrong")
    return Register(name, offset, width, access, reset, count, stride, node.get("volatile", bool, False), sticky,
                    node.get("description", str, required=True), fields)


def _map(data, file, block):
    node = _Node(data, file, block, ("name", "size", "description", "registers"))
    name = _identifier(node, r"[a-z][a-z0-9_]*", "lower case")
    place = node.place = f"{block}/{name}"
    size = node.get("size", int, required=True)
    registers = [_register(entry, file, place) for entry in node.get("registers", list, required=True)]
    _refuse_repeated(node, "register", registers)
    for register in registers:  # before arrays are expanded: a count is bounded only by the map
        end = register.offset_of(register.count - 1) + register.width // 8
        if end > size:
            node.fail(f"register {register.name} ends at {end:#x}, size is {size:#x}")
    occupied = sorted(((register.offset_of(index), register) for register in registers
                      for index in range(register.count)), key=lambda entry: entry[0])
    end, previous = 0, None
    for offset, register in occupied:
        if offset < end:
            node.fail(f"{register.name} at {offset:#x} overlaps {previous.name}")
        end, previous = offset + register.width // 8, register
    return Map(name, size, node.get("description", str, ""), registers)


def load(file):
    """The block, or the part of one, that a file describes."""
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SchemaError(f"{file}: {error}") from error
    node = _Node(data, file, "block", ("block", "title", "description", "maps"))
    name = node.get("block", str, required=True)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        node.fail(f"block '{name}' is not lower case")
    maps = [_map(entry, file, name) for entry in node.get("maps", list, required=True)]
    _refuse_repeated(node, "map", maps)
    return Block(name, node.get("title", str, required=True), node.get("description", str, required=True).strip(), maps)


def load_blocks(files):
    """The blocks that the files describe. Files that name the same block are its parts, in the order given."""
    blocks, sources = {}, {}
    for file in files:
        part = load(file)
        block = blocks.setdefault(part.name, part)
        if block is not part:
            if part.title != block.title:
                raise SchemaError(f"{file}: block: title '{part.title}' differs from '{block.title}', the one that "
                                  f"another file gives block {block.name}")
            block.maps.extend(part.maps)
            block.description += "\n\n" + part.description
        for register_map in part.maps:
            other = sources.setdefault((part.name, register_map.name), file)
            if other != file:
                raise SchemaError(f"{file}: block: map {register_map.name} appears in {other} too; rename one")
    return list(blocks.values())
