// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace npuvp::host {

// Words of QEMU's command line by which a guest has our cards. Needs QEMU 10.1 or later. Paths of sockets must be
// UTF-8, else config::ConfigError is thrown.

/// Processor that works with emulation. Not the default of 40 address bits: with them the firmware places the 64-bit
/// window for PCI at the very top, and Linux cannot assign the cards' prefetchable BARs there.
inline constexpr const char* kEmulatedProcessor = "qemu64,phys-bits=39";

/// Machine and memory. Memory is a shared file, so that the cards reach it.
[[nodiscard]] std::vector<std::string> machine_arguments(unsigned memory_mib);

/// The device of a whole PCI domain (VmdDomain) that listens at `socket`.
[[nodiscard]] std::vector<std::string> domain_arguments(const std::string& socket);

/// Plain endpoints (EndpointDevice), each below a root port of QEMU's, for which there is room for 120.
[[nodiscard]] std::vector<std::string> endpoint_arguments(const std::vector<std::string>& sockets);

}  // namespace npuvp::host
