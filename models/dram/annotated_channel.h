// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "models/dram/channel_controller.h"

namespace npuvp::dram {

/// Answers "when will this burst have passed?" at the call, although the controller decides among everything that
/// waits.
///
/// Bursts enter the controller in order of arrival (ties: of call), a transaction a tick. A call simulates ahead until
/// its burst is done and answers from that; then time goes back. A checkpoint is kept for every burst at the moment
/// when its last transaction entered, because nothing that is called later with a later arrival changes what came
/// before. A call with an earlier arrival than others (annotated further ahead) is inserted before them.
///
/// The approximation: an answer does not know of bursts that are called later. They are in the queues all the same and
/// delay what is asked after them, so the sum of the traffic is right; only a burst that a later one would overtake
/// (row hits, a change between reads and writes) is told too early a time.
class AnnotatedChannel {
 public:
  AnnotatedChannel(const Part& part, const Policy& policy);

  /// `present`: no later call arrives before it. Answers when the last read has its data, or the last write its place
  /// in the write queue.
  Tick access(Tick present, Tick arrival, std::vector<Request>&& requests);

  /// Of everything called so far, played to its end.
  [[nodiscard]] Counters counters();

  /// The commands, in order, as far as no call can change them; the rest at finish(). Before the first access.
  void set_sink(CommandSink* sink);
  void finish();

 private:
  struct Burst {
    Tick arrival;
    uint32_t tag;
    std::vector<Request> requests;
    std::optional<ChannelController> entered;  // checkpoint
  };
  /// What is known of the burst that a call asks about.
  struct Watch {
    uint32_t tag;
    size_t left;
    Tick last;
  };

  void settle(Tick present);
  void restore_checkpoints(size_t count);
  static void enter(ChannelController& controller, const Burst& burst, Watch* watch);
  static void collect(ChannelController& controller, Watch* watch);
  static void drain(ChannelController& controller);

  ChannelController settled_;  // all bursts that no call can precede
  std::deque<Burst> bursts_;   // the others, by arrival
  uint32_t next_tag_ = 0;
  std::unique_ptr<ChannelController> traced_;  // plays settled bursts once more for the sink
};

}  // namespace npuvp::dram
