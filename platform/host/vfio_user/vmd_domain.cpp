// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/vmd_domain.h"

#include <algorithm>
#include <string>

namespace npuvp::host {
namespace {

using sc_core::sc_time;

// An identity that the kernel's vmd driver knows (since 6.1) and that QEMU does not treat specially.
constexpr uint16_t kVendorId = 0x8086;
constexpr uint16_t kDeviceId = 0xa77f;
constexpr uint8_t kBaseClass = 0x01;  // mass storage, RAID controller
constexpr uint8_t kSubClass = 0x04;

// The driver reads two registers of its own at 0x40 and 0x44, where all zeros mean: all buses, interrupts remapped.
constexpr unsigned kExpressOffset = 0x50;
constexpr unsigned kMsixOffset = 0x90;

constexpr unsigned kVectors = 32;
constexpr uint32_t kPendingOffset = 0x1000;
constexpr uint64_t kOwnPrefetchableBytes = 0x2000;  // of BAR4: MSI-X structures, which QEMU keeps itself

/// The driver puts the vector's number where the destination of an x86 interrupt message is.
constexpr unsigned kVectorShift = 12;
constexpr uint64_t kVectorMask = 0xff;

pcie::ExpressParameters express_parameters() {
  pcie::ExpressParameters express;
  express.type = pcie::ExpressRegisters::ExpressCapabilitiesRegister::kTypeIntegratedEndpoint;
  express.generation = 1;
  express.lanes = 1;
  express.max_payload_bytes = 128;
  return express;
}

}  // namespace

VmdDomain::VmdDomain(sc_core::sc_module_name module_name, base::Environment& environment,
                     pcie::RootComplex& root_complex, const Parameters& parameters)
    : FabricDevice(module_name, environment, root_complex),
      parameters_(parameters),
      header_(environment, name() + std::string(".type0"), base::RegisterBank::Rules::kBytewise),
      bars_(header_),
      express_(environment, name() + std::string(".express"), express_parameters()),
      msix_(environment, name() + std::string(".msix"),
            {.vectors = kVectors,
             .table_bar = vfio_user::kRegionBar4,
             .table_offset = 0,
             .pending_bar = vfio_user::kRegionBar4,
             .pending_offset = kPendingOffset}),
      config_(header_) {
  header_.VENDOR_ID.set_reset(kVendorId);
  header_.DEVICE_ID.set_reset(kDeviceId);
  header_.BASE_CLASS.set_reset(kBaseClass);
  header_.SUB_CLASS.set_reset(kSubClass);
  bars_.add({.index = 0, .bytes = parameters.config_bytes, .is_64bit = true, .prefetchable = true});
  bars_.add({.index = 2, .bytes = parameters.memory_bytes});
  bars_.add({.index = 4, .bytes = parameters.prefetchable_bytes, .is_64bit = true, .prefetchable = true});
  config_.add(express_, kExpressOffset);
  config_.add(msix_, kMsixOffset);
}

uint64_t VmdDomain::region_bytes(uint32_t region) const {
  switch (region) {
    case vfio_user::kRegionBar0:
      return parameters_.config_bytes;
    case vfio_user::kRegionBar2:
      return parameters_.memory_bytes;
    case vfio_user::kRegionBar4:
      return parameters_.prefetchable_bytes;
    case vfio_user::kRegionConfig:
      return pcie::ConfigSpace::kBytes;
    default:
      return 0;
  }
}

void VmdDomain::read(uint32_t region, uint64_t offset, std::span<uint8_t> data) {
  sc_time delay;
  if (region == vfio_user::kRegionConfig) {
    config_.read(static_cast<unsigned>(offset), data, {});
  } else if (region == vfio_user::kRegionBar0) {
    config_port().read(offset, data, delay);
  } else if (region == vfio_user::kRegionBar4 && offset < kOwnPrefetchableBytes) {
    std::fill(data.begin(), data.end(), uint8_t{0});
  } else {
    memory_port().read(bars_.base(region) + offset, data, delay);
  }
  if (delay != sc_core::SC_ZERO_TIME) wait(delay);
}

void VmdDomain::write(uint32_t region, uint64_t offset, std::span<const uint8_t> data) {
  sc_time delay;
  if (region == vfio_user::kRegionConfig) {
    config_.write(static_cast<unsigned>(offset), data, {});
  } else if (region == vfio_user::kRegionBar0) {
    config_port().write(offset, data, delay);
  } else if (region != vfio_user::kRegionBar4 || offset >= kOwnPrefetchableBytes) {
    memory_port().write(bars_.base(region) + offset, data, delay);
  }
}

void VmdDomain::reset() {
  config_.reset(pcie::ResetKind::kFundamental);
  root_complex().fundamental_reset();
}

uint32_t VmdDomain::vectors() const {
  return kVectors;
}

uint64_t VmdDomain::vector_of(uint64_t address, uint32_t /*data*/) const {
  return address >> kVectorShift & kVectorMask;
}

}  // namespace npuvp::host
