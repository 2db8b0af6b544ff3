// SPDX-License-Identifier: Apache-2.0
// The mixed benchmark of `npuvp bench hart`: list chase, integer matrix, state machine and CRC, about equal shares of
// the instructions, with a timer interrupt now and then where the board has one. Ends by the riscv-tests convention:
// 1 in tohost for the right check sum. The same ELF runs on the hart, on Spike and on QEMU (-M spike). Built for the
// development machine it prints the sum.
#include <stdint.h>
#ifndef __riscv
#include <stdio.h>
#endif

enum { kRounds = HART_MIX_ROUNDS, kNodes = 4096, kMatrix = 24, kText = 2048 };

volatile uint64_t tohost __attribute__((section(".tohost"), aligned(64)));
volatile uint64_t fromhost __attribute__((section(".tohost"), aligned(64)));
volatile uint64_t interrupts;

static struct node {
  struct node* next;
  uint64_t value;
} nodes[kNodes];
static int32_t left[kMatrix][kMatrix], right[kMatrix][kMatrix], product[kMatrix][kMatrix];
static uint8_t text[kText];
static uint32_t crc_table[256];

static uint32_t random_state = 12345;
static uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static void prepare(void) {
  // One cycle through all nodes: 1663 is prime to the power of two.
  for (uint32_t i = 0; i < kNodes; ++i) {
    nodes[i].next = &nodes[(i + 1663) % kNodes];
    nodes[i].value = next_random();
  }
  for (int i = 0; i < kMatrix; ++i) {
    for (int j = 0; j < kMatrix; ++j) {
      left[i][j] = (int32_t)(next_random() & 0xff) - 128;
      right[i][j] = (int32_t)(next_random() & 0xff) - 128;
    }
  }
  static const char kLetters[] = "0123456789+-.eE ,;xy";
  for (int i = 0; i < kText; ++i) text[i] = (uint8_t)kLetters[next_random() % (sizeof kLetters - 1)];
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    crc_table[i] = crc;
  }
}

static uint64_t chase(const struct node* node, uint32_t steps) {
  uint64_t sum = 0;
  while (steps-- != 0) {
    sum += node->value ^ steps;
    node = node->next;
  }
  return sum;
}

static uint64_t multiply(void) {
  uint64_t sum = 0;
  for (int i = 0; i < kMatrix; ++i) {
    for (int j = 0; j < kMatrix; ++j) {
      int32_t cell = 0;
      for (int k = 0; k < kMatrix; ++k) cell += left[i][k] * right[k][j];
      product[i][j] = cell;
      sum += (uint32_t)cell;
    }
  }
  left[sum % kMatrix][1] ^= 1;
  return sum;
}

/// Recognises numbers in the text, as CoreMark's state machine does.
static uint64_t scan(void) {
  enum state { kStart, kSign, kInteger, kFraction, kExponent, kDigits, kBad } state = kStart;
  uint64_t counts[7] = {0};
  for (int i = 0; i < kText; ++i) {
    const uint8_t letter = text[i];
    const int digit = letter >= '0' && letter <= '9';
    if (letter == ',' || letter == ' ' || letter == ';') {
      counts[state]++;
      state = kStart;
      continue;
    }
    switch (state) {
      case kStart:
        state = digit ? kInteger : letter == '+' || letter == '-' ? kSign : letter == '.' ? kFraction : kBad;
        break;
      case kSign:
        state = digit ? kInteger : letter == '.' ? kFraction : kBad;
        break;
      case kInteger:
        state = digit ? kInteger : letter == '.' ? kFraction : letter == 'e' || letter == 'E' ? kExponent : kBad;
        break;
      case kFraction:
        state = digit ? kFraction : letter == 'e' || letter == 'E' ? kExponent : kBad;
        break;
      case kExponent:
        state = digit || letter == '-' || letter == '+' ? kDigits : kBad;
        break;
      case kDigits:
        state = digit ? kDigits : kBad;
        break;
      case kBad:
        break;
    }
  }
  uint64_t sum = 0;
  for (int i = 0; i < 7; ++i) sum = sum * 31 + counts[i];
  return sum;
}

static uint64_t checksum(const uint8_t* data, uint32_t length) {
  uint32_t crc = ~0u;
  for (uint32_t i = 0; i < length; ++i) crc = crc_table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
  return ~crc;
}

int main(void) {
  prepare();
  uint64_t sum = 0;
  for (uint32_t round = 0; round < kRounds; ++round) {
    sum = sum * 33 + chase(&nodes[round % kNodes], 20000);
    sum = sum * 33 + multiply();
    for (int i = 0; i < 5; ++i) sum = sum * 33 + scan();
    for (int i = 0; i < 10; ++i) sum = sum * 33 + checksum((const uint8_t*)right, sizeof right);
    text[round % kText] = (uint8_t)('0' + sum % 10);
  }
#ifdef __riscv
  tohost = sum == HART_MIX_SUM ? 1 : 2 * 1 + 1;
  for (;;) {
  }
#else
  printf("0x%llx\n", (unsigned long long)sum);
  return 0;
#endif
}
