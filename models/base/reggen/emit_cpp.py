# SPDX-License-Identifier: Apache-2.0
"""C++ header: one class derived from base::RegisterBank a map, one member a register, one member a field."""


def _camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def _masks(register):
    used = [f".{kind} = {mask:#x}" for kind, mask in register.access_masks().items() if mask]
    return "{" + ", ".join(used) + "}"


def _field_table(register):
    if not register.fields:
        return []
    rows = ", ".join(f'{{"{field.name}", {field.lsb}, {field.mask:#x}}}' for field in register.fields)
    return [f"  static constexpr npuvp::base::FieldInfo k{_camel(register.name)}Fields[] = {{{rows}}};"]


def _type(register):
    return f"{_camel(register.name)}Register" if register.fields else "npuvp::base::Register"


def _class(register):
    if not register.fields:
        return []
    lines = [f"  /// {register.description.strip()}",
             f"  class {_type(register)} final : public npuvp::base::Register {{",
             "   public:",
             "    using npuvp::base::Register::Register;"]
    for field in register.fields:
        for key, value in field.enum.items():
            lines.append(f"    static constexpr uint64_t k{_camel(field.name)}{_camel(key)} = {value};")
        lines.append(f"    npuvp::base::Field {field.name}{{*this, {field.lsb}, {field.mask:#x}}};"
                     f"  ///< {field.description.strip()}")
    return lines + ["  };"]


def _info(register, index):
    name = f"{register.name}[{index}]" if register.is_array else register.name
    fields = f"k{_camel(register.name)}Fields" if register.fields else "{}"
    volatile = "true" if register.volatile else "false"
    sticky = f", {register.sticky_mask():#x}" if register.sticky_mask() else ""
    return (f'{{"{name}", {register.offset_of(index):#x}, {register.width // 8}, {register.reset:#x}ULL, '
            f"{_masks(register)}, {fields}, {index}, {volatile}{sticky}}}")


def _member(register):
    if not register.is_array:
        return [f"  {_type(register)} {register.name}{{*this, {_info(register, 0)}}};"]
    rows = ",\n".join(f"      {_type(register)}{{*this, {_info(register, index)}}}" for index in range(register.count))
    return [f"  std::array<{_type(register)}, {register.count}> {register.name}{{{{", rows + "}};"]


def _bank(register_map):
    name = f"{_camel(register_map.name)}Registers"
    lines = [f"class {name} final : public npuvp::base::RegisterBank {{", " public:",
             f"  explicit {name}(npuvp::base::Environment& environment, std::string instance,",
             "      Rules rules = Rules::kStrict)",
             f"      : RegisterBank(environment, std::move(instance), {register_map.size:#x}, rules) {{}}", ""]
    for register in register_map.registers:
        lines += _field_table(register) + _class(register)
    lines.append("")
    for register in register_map.registers:
        lines += _member(register)
    return lines + ["};", ""]


def emit(block):
    lines = ["// SPDX-License-Identifier: Apache-2.0",
             f"// {block.title}: generated from the registers of models/{block.name}.", "#pragma once", "",
             "#include <array>", "#include <string>", "#include <utility>", "",
             '#include "models/base/register_bank.h"', "", f"namespace npuvp::{block.name} {{", ""]
    for register_map in block.maps:
        lines += _bank(register_map)
    lines.append(f"}}  // namespace npuvp::{block.name}")
    return "\n".join(lines) + "\n"
