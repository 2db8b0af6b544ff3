# SPDX-License-Identifier: Apache-2.0
"""Markdown page of a block's registers."""


def _cell(text):
    return " ".join(str(text).split()).replace("|", "\\|")


def _access(described):
    return f"{described.access} sticky" if described.sticky else described.access


def _array_note(register):
    if not register.is_array:
        return ""
    return f" Array of {register.count}, stride {register.stride:#x}."


def _fields(register):
    yield f"\n### {register.name} ({register.offset:#x})\n"
    yield "| bits | field | access | reset | description |"
    yield "|---|---|---|---|---|"
    for field in sorted(register.fields, key=lambda each: -each.msb):
        values = ", ".join(f"{value} {key}" for key, value in field.enum.items())
        text = _cell(field.description) + (f" ({values})" if values else "")
        yield f"| {field.bits} | {field.name} | {_access(field)} | {field.reset:#x} | {text} |"


def emit(block):
    lines = [f"# {block.title}: registers", "", block.description, "",
             f"Generated from the registers of `models/{block.name}`. Access: rw read/write, ro read only, wo write only, "
             "w1c write 1 to clear, w1s write 1 to set, rc cleared by reading; sticky: only a full reset changes it. "
             "Bits without a field are undefined: they read 0 and must be written 0."]
    for register_map in block.maps:
        lines += ["", f"## Map `{register_map.name}` ({register_map.size:#x} bytes)", ""]
        if register_map.description:
            lines += [register_map.description, ""]
        lines += ["| offset | register | width | access | reset | description |", "|---|---|---|---|---|---|"]
        for register in register_map.registers:
            text = _cell(register.description) + _array_note(register)
            lines.append(f"| {register.offset:#x} | {register.name} | {register.width} | {_access(register)} | "
                         f"{register.reset:#x} | {text} |")
        for register in register_map.registers:
            if register.fields:
                lines.extend(_fields(register))
    return "\n".join(lines) + "\n"
