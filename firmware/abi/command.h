/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Command stream: an array of 128-byte commands that the Task Manager fetches, orders by tokens and dispatches.
 * The kinds are the profiler's tracks. Arithmetic is defined in models/arithmetic/README.md.
 *
 * Order: commands of one queue (kind, engine) start and finish in stream order. Between queues only tokens order:
 * a token is a counter, 0 at the start of a job; a command starts when each token it waits for has at least the given
 * count, and adds 1 to its signal token when it has finished and its writes are visible.
 */
#ifndef NPU_ABI_COMMAND_H
#define NPU_ABI_COMMAND_H

#include "abi.h"

#define NPU_TOKENS 256u
#define NPU_TOKEN_NONE 0xffffu
#define NPU_TOKEN_WAITS 4u

enum npu_command_kind {
	NPU_COMMAND_NEURAL_ENGINE = 1, /* engine: Neural Engine */
	NPU_COMMAND_NEURAL_DMA =
		2, /* DRAM or shared memory <-> scratchpad; engine: whose scratchpad */
	NPU_COMMAND_TASK_DMA = 3,      /* DRAM <-> shared memory; engine 0 */
	NPU_COMMAND_EXTERNAL_HDMA = 4, /* host <-> DRAM; engine 0 host to card, 1 card to host */
	NPU_COMMAND_DEVICE_HDMA =
		5, /* peer card <-> DRAM over PCIe; engine 0 peer to card, 1 card to peer */
	NPU_COMMAND_DEVICE_SYNC = 6, /* flags between cards; engine 0..NPU_SYNC_CHANNELS-1 */
	NPU_COMMAND_CONTROL = 7,     /* the Task Manager's own: loops, barriers, tokens; engine 0 */
};

/*
 * Address in a command: space in bits 63:56, offset in 55:0. Spaces 0..15 are the job's segments.
 * Scratchpad: the engine's own (Neural DMA and Neural Engine name the engine in the command).
 */
#define NPU_SPACE_SCRATCHPAD 0x80u
#define NPU_SPACE_SHARED 0x81u
#define NPU_ADDRESS(space, offset) (((uint64_t)(space) << 56) | (uint64_t)(offset))
#define NPU_ADDRESS_SPACE(address) ((uint32_t)((address) >> 56))
#define NPU_ADDRESS_OFFSET(address) ((address)&0x00ffffffffffffffull)

enum npu_type {
	NPU_TYPE_INT8 = 1,
	NPU_TYPE_INT32 = 2,
	NPU_TYPE_FP16 = 3,
	NPU_TYPE_FP32 = 4,
};

enum npu_ne_opcode {
	NPU_NE_GEMM = 1,
	NPU_NE_VECTOR = 2,
};

enum npu_dma_opcode {
	NPU_DMA_COPY = 1,   /* struct npu_dma */
	NPU_DMA_TENSOR = 2, /* struct npu_dma_tensor */
	NPU_DMA_CHAIN = 3,  /* struct npu_dma_chain: linked descriptors in memory */
};

/* C[m,n] = (accumulate ? C : 0) + sum over k of A[m,k] * B[k,n]. INT8 -> INT32 or FP16 -> FP32. */
struct npu_gemm {
	uint32_t a, b, c; /* byte offsets in the scratchpad; a, b 16-byte, c 64-byte aligned */
	uint32_t m, n, k; /* elements, 1..65535 */
	uint32_t a_stride, b_stride, c_stride; /* bytes from row to row; multiples of 16, 16, 64 */
	uint8_t type;			       /* enum npu_type of A and B: INT8 or FP16 */
	uint8_t accumulate;		       /* 0 or 1 */
	uint16_t reserved0;
	uint32_t reserved[14];
};
static_assert(sizeof(struct npu_gemm) == 96, "gemm layout");

#define NPU_VECTOR_BIAS 1u /* add bias[n]: INT32 for INT32 input, else FP32 */
#define NPU_VECTOR_RELU 2u
#define NPU_VECTOR_SCALE 4u /* multiply by scale[n], FP32 */

/* OUT[m,n] = convert(scale[n] * relu(IN[m,n] + bias[n])), each stage only if its flag is set. */
struct npu_vector {
	uint32_t in, out, bias,
		scale; /* byte offsets in the scratchpad, aligned to their element */
	uint32_t m, n; /* elements, 1..65535 */
	uint32_t in_stride, out_stride; /* bytes from row to row */
	uint8_t in_type, out_type;	/* enum npu_type */
	uint8_t flags;			/* NPU_VECTOR_* */
	uint8_t reserved0;
	uint32_t reserved[15];
};
static_assert(sizeof(struct npu_vector) == 96, "vector layout");

/* Copies `rows` rows of `row_bytes`; both sides strided. */
struct npu_dma {
	uint64_t source, destination;
	uint32_t rows, row_bytes;
	uint64_t source_stride, destination_stride; /* bytes from row to row, any when rows is 1 */
	uint64_t reserved[7];
};
static_assert(sizeof(struct npu_dma) == 96, "dma layout");

#define NPU_DMA_DIMENSIONS 5u
#define NPU_DMA_FILL 1u	   /* nothing is read: `source` holds the element's bits */
#define NPU_DMA_GATHER 2u  /* the source's coordinate along index_dimension comes from the list */
#define NPU_DMA_SCATTER 4u /* the same for the destination */

/*
 * Moves a tensor of up to 5 dimensions: element (i0..i4), dimension 0 fastest, goes from source + sum of
 * i * source_stride to destination + sum of i * destination_stride. Strides are signed bytes, multiples of the side's
 * element like its address; 0 repeats the source. Elements of equal types are copied bit by bit, others converted as
 * models/arithmetic/README.md defines. With GATHER or SCATTER (not both) the coordinate along index_dimension is
 * list[i], a u32 below index_limit, in place of i. Unused dimensions have size 1.
 */
struct npu_dma_tensor {
	uint64_t source, destination;
	uint32_t size[NPU_DMA_DIMENSIONS]; /* elements, > 0; less than 2^48 together */
	int32_t source_stride[NPU_DMA_DIMENSIONS];
	int32_t destination_stride[NPU_DMA_DIMENSIONS];
	uint8_t source_type, destination_type; /* enum npu_type; equal with FILL */
	uint8_t flags;			       /* NPU_DMA_* */
	uint8_t index_dimension;	       /* 0 without a list, as the next two */
	uint64_t indices; /* u32[size[index_dimension]] on the card, 4-byte aligned */
	uint32_t index_limit;
	uint32_t reserved;
};
static_assert(sizeof(struct npu_dma_tensor) == 96, "dma tensor layout");

#define NPU_DMA_CHAIN_END 0xffffffffffffffffull
#define NPU_DMA_CHAIN_LIMIT 65535u

/* Runs descriptors one after the other. Each is read when the one before it starts. */
struct npu_dma_chain {
	uint64_t
		descriptor; /* address of the first struct npu_dma_descriptor, on the card, 128-byte aligned */
	uint32_t
		limit; /* 1..NPU_DMA_CHAIN_LIMIT; a longer chain is NPU_FAULT_ILLEGAL_COMMAND at its end */
	uint32_t reserved0;
	uint64_t reserved[10];
};
static_assert(sizeof(struct npu_dma_chain) == 96, "dma chain layout");

struct npu_dma_descriptor {
	uint64_t next;	/* address, or NPU_DMA_CHAIN_END */
	uint8_t opcode; /* NPU_DMA_COPY or NPU_DMA_TENSOR */
	uint8_t reserved0[7];
	uint64_t reserved[2];
	union {
		struct npu_dma dma;
		struct npu_dma_tensor tensor;
	} u;
};
static_assert(sizeof(struct npu_dma_descriptor) == 128, "dma descriptor layout");

/*
 * FAULT_POSITION of a DMA command: elements (bytes of a COPY) that were moved before the fault, in the order above; all of
 * them and no other. Of a chain: of this descriptor, whose number in the chain is in bits 63:48.
 */
#define NPU_DMA_POSITION(descriptor, elements) \
	(((uint64_t)(descriptor) << 48) | (uint64_t)(elements))

enum npu_sync_opcode {
	NPU_SYNC_WAIT = 1,   /* until this card's flag compares true */
	NPU_SYNC_SIGNAL = 2, /* posted write to another card's flag */
	NPU_SYNC_UPDATE = 3, /* of this card's own flag */
};

enum npu_sync_compare {
	NPU_SYNC_GREATER_EQUAL = 1, /* (int32_t)(flag - value) >= 0: counters may wrap around */
	NPU_SYNC_EQUAL = 2,
};

enum npu_sync_update {
	NPU_SYNC_SET = 1,
	NPU_SYNC_ADD = 2,
};

#define NPU_SYNC_CHANNELS 4u
#define NPU_SYNC_FLAGS 256u /* of each PCIe function */
/* The function's window in BAR0 (and its registers FLAG and ADD): u32 at +4*flag sets, at +0x400+4*flag adds. */
#define NPU_SYNC_WINDOW_ADD 0x400u

/* WAIT and UPDATE use `flag`, SIGNAL `address`: in a host segment that holds the other card's window. */
struct npu_device_sync {
	uint64_t address; /* SIGNAL: of the flag's word, 4-byte aligned; else 0 */
	uint32_t flag;	  /* WAIT, UPDATE: below NPU_SYNC_FLAGS; SIGNAL: 0 */
	uint32_t value;
	uint8_t compare; /* WAIT: enum npu_sync_compare; else 0 */
	uint8_t update; /* UPDATE: enum npu_sync_update; WAIT: 0, or NPU_SYNC_ADD: adds `addend` when it is true */
	uint16_t reserved0;
	uint32_t addend;     /* WAIT with NPU_SYNC_ADD, for example -value to consume; else 0 */
	uint32_t timeout_us; /* WAIT: NPU_FAULT_SYNC_TIMEOUT after this; 0: none */
	uint32_t reserved[17];
};
static_assert(sizeof(struct npu_device_sync) == 96, "device sync layout");

enum npu_control_opcode {
	NPU_CONTROL_LOOP =
		1, /* struct npu_loop: the commands up to the matching LOOP_END run `count` times */
	NPU_CONTROL_LOOP_END = 2,
	NPU_CONTROL_STEP = 3,	 /* struct npu_step: of the next command */
	NPU_CONTROL_BARRIER = 4, /* what follows starts when all that precedes has ended */
	NPU_CONTROL_TOKENS = 5,	 /* struct npu_fan: waits and signals, nothing else */
};

#define NPU_LOOP_DEPTH 4u
#define NPU_LOOPS 1024u /* of one stream */
/* Commands that a stream may execute with its loops unrolled. */
#define NPU_MAX_EXECUTED_COMMANDS 0xffffffffull

/*
 * A loop means its body written `count` times, with two rules that make the copies differ. Steps: see below. Tokens: a wait
 * inside a loop counts from the beginning of its iteration: to the command's count are added the signals to that token that
 * the earlier iterations of all enclosing loops make. The count is signed there (int16_t): -1 waits for one signal less than
 * the earlier iterations make, which lets an iteration overlap with the one before. Below 0 it is 0.
 * LOOP, LOOP_END, STEP and BARRIER carry no waits and no signal.
 */
struct npu_loop {
	uint32_t count; /* 1..2^32-1; times the body within NPU_MAX_EXECUTED_COMMANDS */
	uint32_t reserved[23];
};
static_assert(sizeof(struct npu_loop) == 96, "loop layout");

#define NPU_STEPS 6u

/* Adds `step` times the iteration (0, 1, ..) to a field of the next command's operands, modulo the field's size. */
struct npu_field_step {
	int64_t step;
	uint8_t offset; /* of the field in the 96 bytes of operands, a multiple of `bytes` */
	uint8_t bytes;	/* 4 or 8; 0: entry not used, all of it 0 */
	uint8_t level;	/* of the loop: 0 the innermost that encloses the command */
	uint8_t reserved[5];
};

struct npu_step {
	struct npu_field_step field[NPU_STEPS];
};
static_assert(sizeof(struct npu_step) == 96, "step layout");

#define NPU_FAN 16u

struct npu_token_wait {
	uint16_t token; /* NPU_TOKEN_NONE: no wait */
	uint16_t count;
};

/* Fan-in and fan-out beyond the command's own tokens; NPU_TOKEN_NONE for entries not used. */
struct npu_fan {
	struct npu_token_wait wait[NPU_FAN];
	uint16_t signal[NPU_FAN];
};
static_assert(sizeof(struct npu_fan) == 96, "fan layout");

struct npu_command {
	uint8_t kind;	/* enum npu_command_kind */
	uint8_t opcode; /* of the kind */
	uint8_t engine;
	uint8_t flags; /* 0 */
	uint32_t tag;  /* the compiler's operator number, for profilers */
	struct npu_token_wait wait[NPU_TOKEN_WAITS];
	uint16_t signal; /* token, or NPU_TOKEN_NONE */
	uint16_t reserved[3];
	union {
		struct npu_gemm gemm;
		struct npu_vector vector;
		struct npu_dma dma;
		struct npu_dma_tensor tensor;
		struct npu_dma_chain chain;
		struct npu_device_sync sync;
		struct npu_loop loop;
		struct npu_step step;
		struct npu_fan fan;
		uint8_t bytes[96];
	} u;
};
static_assert(sizeof(struct npu_command) == 128, "command layout");

#endif
