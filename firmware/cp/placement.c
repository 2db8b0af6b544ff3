// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/placement.h"

#include "firmware/lib/bits.h"

static uint32_t engines_of(uint32_t count) {
  return count >= 32 ? UINT32_MAX : (1u << count) - 1;
}

static uint32_t lowest_bits(uint32_t mask, uint32_t count) {
  uint32_t lowest = 0;
  for (; count > 0 && mask != 0; --count, mask &= mask - 1) lowest |= mask & -mask;
  return lowest;
}

/* The engines it counts: those that it names and what lies between them. */
static uint32_t span_of(uint32_t named, uint32_t* first) {
  *first = 0;
  if (named == 0) return 0;
  while (!(named >> *first & 1u)) ++*first;
  uint32_t end = *first;
  for (uint32_t engine = *first; engine < 32; ++engine) {
    if (named >> engine & 1u) end = engine + 1;
  }
  return engines_of(end) & ~engines_of(*first);
}

static uint32_t shared_need(const struct placement_card* card, const struct demand* demand) {
  uint32_t all = card->shared_bytes & ~(PLACEMENT_SHARED_BLOCK - 1);
  if (demand->shared_bytes >= all) return all;
  return ((uint32_t)demand->shared_bytes + PLACEMENT_SHARED_BLOCK - 1) & ~(PLACEMENT_SHARED_BLOCK - 1);
}

static bool shared_free(uint32_t base, uint32_t bytes, const struct part* taken, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const struct part* other = &taken[i];
    if (other->shared_bytes != 0 && base < other->shared_base + other->shared_bytes &&
        other->shared_base < base + bytes) {
      return false;
    }
  }
  return true;
}

/* The lowest place: the begin of the memory or the end of another part. */
static bool find_shared(const struct placement_card* card, const struct part* taken, uint32_t count,
                        struct part* part) {
  if (part->shared_bytes == 0) {
    part->shared_base = card->shared_bytes & ~(PLACEMENT_SHARED_BLOCK - 1);
    return true;
  }
  part->shared_base = 0;
  bool found = shared_free(0, part->shared_bytes, taken, count);
  if (found) return true;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t base = taken[i].shared_base + taken[i].shared_bytes;
    bool fits = base <= card->shared_bytes && part->shared_bytes <= card->shared_bytes - base;
    if (!fits || (found && base > part->shared_base) || !shared_free(base, part->shared_bytes, taken, count)) continue;
    part->shared_base = base;
    found = true;
  }
  return found;
}

static uint32_t free_engines(const struct placement_card* card, const struct part* taken, uint32_t count) {
  uint32_t free = engines_of(card->neural_engines);
  for (uint32_t i = 0; i < count; ++i) free &= ~taken[i].engines;
  return free;
}

bool placement_find(const struct placement_card* card, const struct demand* demand, const struct part* taken,
                    uint32_t count, struct part* part) {
  *part = (struct part){.shared_bytes = shared_need(card, demand)};
  uint32_t wanted = span_of(demand->engines & engines_of(card->neural_engines), &part->first_engine),
           number = count_bits(wanted);
  uint32_t free = free_engines(card, taken, count);
  part->engines = (wanted & ~free) == 0 ? wanted : lowest_bits(free, number);
  return count_bits(part->engines) == number && find_shared(card, taken, count, part);
}

struct part placement_reserve(const struct placement_card* card, const struct demand* demand, const struct part* taken,
                              uint32_t count) {
  struct part part = {.shared_bytes = shared_need(card, demand)};
  uint32_t number = count_bits(span_of(demand->engines & engines_of(card->neural_engines), &part.first_engine));
  uint32_t free = free_engines(card, taken, count);
  part.engines = lowest_bits(engines_of(card->neural_engines) & ~free, number);
  part.engines |= lowest_bits(free, number - count_bits(part.engines));
  if (!find_shared(card, taken, count, &part)) part.shared_base = 0;
  return part;
}

uint32_t part_engine(const struct part* part, uint32_t engine) {
  uint32_t engines = part->engines;
  for (uint32_t number = part->first_engine; engines != 0; ++number, engines &= engines - 1) {
    if (number != engine) continue;
    uint32_t of_card = 0;
    while (!(engines >> of_card & 1u)) ++of_card;
    return of_card;
  }
  return engine; /* it is none of the job's */
}

uint32_t part_weight(const struct placement_card* card, const struct part* part) {
  uint32_t engines = count_bits(part->engines), all = card->neural_engines > 0 ? card->neural_engines : 1;
  if (engines == 0) engines = 1;
  uint32_t weight = engines * PLACEMENT_WHOLE_CARD / all;
  uint64_t shared =
      card->shared_bytes == 0 ? 0 : (uint64_t)part->shared_bytes * PLACEMENT_WHOLE_CARD / card->shared_bytes;
  if (shared > weight) weight = (uint32_t)shared;
  if (weight > PLACEMENT_WHOLE_CARD) weight = PLACEMENT_WHOLE_CARD;
  return weight == 0 ? 1 : weight;
}
