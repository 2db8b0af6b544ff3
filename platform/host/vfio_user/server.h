// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "platform/host/vfio_user/dma_map.h"
#include "platform/host/vfio_user/irq_eventfds.h"
#include "platform/host/vfio_user/transport.h"
#include "platform/host/vfio_user/vfio_user_device.h"

namespace npuvp::host::vfio_user {

/// Serves the vfio-user protocol on one connected socket: checks each message, acts on the device, answers. A message
/// that is wrong in any way gets an error reply and changes nothing; its file descriptors are closed. Sends no message
/// of its own: DMA goes straight to the memory that the client shares.
class Server {
 public:
  Server(UniqueFd socket, VfioUserDevice& device, DmaMap& dma, IrqEventfds& irqs, std::shared_ptr<spdlog::logger> log);
  /// As the protocol wants of a disconnection: the client's memory and eventfds are released, the device stays.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Readable when there may be a message.
  [[nodiscard]] int fd() const { return transport_.fd(); }

  enum class Status : uint8_t { kHandled, kNothing, kClosed };
  /// Handles the next message, if there is one; does not wait for one.
  Status handle_next();

 private:
  /// What a command gives back: an errno, or 0 and the reply's payload in reply_.
  int dispatch(Message& message);
  int version(std::span<const uint8_t> payload);
  int dma_map(std::span<const uint8_t> payload, std::vector<UniqueFd>& fds);
  int dma_unmap(std::span<const uint8_t> payload);
  int get_info(std::span<const uint8_t> payload);
  int get_region_info(std::span<const uint8_t> payload);
  int get_region_io_fds(std::span<const uint8_t> payload);
  int get_irq_info(std::span<const uint8_t> payload);
  int set_irqs(std::span<const uint8_t> payload, std::vector<UniqueFd>& fds);
  int trigger_irqs(const IrqSet& set, std::span<const uint8_t> selected);
  int region_read(std::span<const uint8_t> payload);
  int region_write(std::span<const uint8_t> payload);
  int region_write_multi(std::span<const uint8_t> payload);

  void report_refusal(const Message& message, int error);
  [[nodiscard]] int check_access(const RegionAccess& access) const;
  template <typename Payload>
  void reply_with(const Payload& payload);

  Transport transport_;
  VfioUserDevice& device_;
  DmaMap& dma_;
  IrqEventfds& irqs_;
  std::shared_ptr<spdlog::logger> log_;
  std::vector<uint8_t> reply_;
  std::set<std::pair<uint16_t, int>> refusals_;  // reported ones: command and errno
  bool is_negotiated_ = false;
  bool is_memory_explained_ = false;
};

}  // namespace npuvp::host::vfio_user
