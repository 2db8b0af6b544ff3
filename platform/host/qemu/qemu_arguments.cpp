// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/qemu_arguments.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "platform/config/config_error.h"

namespace npuvp::host {
namespace {

/// First device number for root ports on bus 0, eight functions each: behind what QEMU places by itself, and before
/// the chipset's own at 0x1f.
constexpr unsigned kFirstDevice = 0x10;
constexpr unsigned kFunctions = 8;

std::string vfio_user_device(const std::string& socket, const std::string& bus) {
  const nlohmann::ordered_json device = {
      {"driver", "vfio-user-pci"}, {"rombar", 0}, {"bus", bus}, {"socket", {{"type", "unix"}, {"path", socket}}}};
  try {
    return device.dump();
  } catch (const nlohmann::json::type_error&) {
    throw config::ConfigError(socket + ": not UTF-8, as QEMU's options must be; give another folder");
  }
}

}  // namespace

std::vector<std::string> machine_arguments(unsigned memory_mib) {
  return {"-machine", "q35,memory-backend=ram",
          "-m",       fmt::format("{}M", memory_mib),
          "-object",  fmt::format("memory-backend-memfd,id=ram,size={}M,share=on", memory_mib)};
}

std::vector<std::string> domain_arguments(const std::string& socket) {
  // As a server's firmware does: hot-plug by ACPI is off, so the kernel handles the slots itself. The domain below the
  // VMD inherits that. The VMD's own port has no slot.
  return {"-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
          "-device", "pcie-root-port,id=npu-root,chassis=1,hotplug=off",
          "-device", vfio_user_device(socket, "npu-root")};
}

std::vector<std::string> endpoint_arguments(const std::vector<std::string>& sockets) {
  std::vector<std::string> words;
  for (unsigned index = 0; index < sockets.size(); ++index) {
    const auto port = fmt::format("npu-root{}", index);
    words.insert(words.end(),
                 {"-device",
                  fmt::format("pcie-root-port,id={},chassis={},multifunction=on,addr={:#x}.{},hotplug=off,x-speed=32,"
                              "x-width=16",
                              port, index + 1, kFirstDevice + index / kFunctions, index % kFunctions),
                  "-device", vfio_user_device(sockets[index], port)});
  }
  return words;
}

}  // namespace npuvp::host
