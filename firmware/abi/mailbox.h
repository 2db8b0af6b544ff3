/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Mailbox messages. The host writes H2C_DATA[0..7] and rings H2C_DOORBELL; the card answers in C2H_DATA[0..7], sets
 * C2H_PENDING and raises MSI-X vector NPU_VECTOR_MAILBOX. One message is in flight at a time.
 * Each PCIe function has a mailbox of its own, and HELLO answers with the function's own share of the card. A virtual
 * function is served HELLO, QUEUE_CREATE, QUEUE_DESTROY and PING; everything else is NPU_MAILBOX_NOT_PERMITTED there.
 */
#ifndef NPU_ABI_MAILBOX_H
#define NPU_ABI_MAILBOX_H

#include "abi.h"
#include "status.h"

#define NPU_MAILBOX_WORDS 8u
#define NPU_VECTOR_MAILBOX 0u

/* Word 0: opcode [7:0], sequence [15:8] (echoed in the reply), status [31:16] (reply only). */
#define NPU_MAILBOX_WORD0(opcode, sequence, status)                         \
	(((uint32_t)(opcode)&0xffu) | (((uint32_t)(sequence)&0xffu) << 8) | \
	 ((uint32_t)(status) << 16))
#define NPU_MAILBOX_OPCODE(word0) ((word0)&0xffu)
#define NPU_MAILBOX_SEQUENCE(word0) (((word0) >> 8) & 0xffu)
#define NPU_MAILBOX_STATUS(word0) ((word0) >> 16)

enum npu_mailbox_opcode {
	/* [1] host ABI version -> [1] card ABI version [2] enum npu_stage [3] image version (0 in ROM)
	 * [4] Neural Engines [5] DRAM for jobs, MiB [6] queues [7] card physical address of that DRAM, MiB */
	NPU_MESSAGE_HELLO = 1,
	/* [1,2] bus address of the image (lo, hi), contiguous, 8-byte aligned [3] bytes [4] host ABI version
	 * -> status is an enum npu_boot_code */
	NPU_MESSAGE_BOOT_LOAD = 2,
	/* [1] queue [7:0], log2 of entries [15:8] (2..10), MSI-X vector [31:16] [2,3] bus address of the submission ring
	 * [4,5] of the completion ring [6] context id; rings are contiguous and 4096-byte aligned */
	NPU_MESSAGE_QUEUE_CREATE = 3,
	/* [1] queue. Jobs of the queue that have not started complete with NPU_JOB_ABORTED first. */
	NPU_MESSAGE_QUEUE_DESTROY = 4,
	/* [1..7] echoed. */
	NPU_MESSAGE_PING = 5,
	/* Physical function only. [1] virtual functions, 0 to NPU_MAX_VFS: divides the DRAM for jobs into that many equal
	 * parts and one for the physical function; the memory is cleared. NPU_MAILBOX_BUSY while a function has a queue.
	 * -> [1] DRAM for jobs of the physical function, MiB [2] its card physical address, MiB [3] DRAM of each virtual
	 * function, MiB */
	NPU_MESSAGE_PARTITION = 6,
	/* Physical function only, ROM and firmware. [1] offset into struct npu_boot_record, a multiple of 4
	 * -> [1..7] its next 28 bytes, zeros behind its end. */
	NPU_MESSAGE_BOOT_RECORD = 7,
	/*
	 * Firmware update, physical function only. The image goes to the flash slot that the card did not boot from; that
	 * slot is selected by UPDATE_FINISH and boots after the next card reset. Power may fail at any time: the card
	 * boots what it booted before, or the new image once it is selected. An update that is begun anew starts over.
	 * A reply other than NPU_MAILBOX_OK has in [1] an enum npu_boot_code that says why, if there is one.
	 */
	/* [1] bytes of the image -> [2] slot that is written */
	NPU_MESSAGE_UPDATE_BEGIN = 32,
	/* [1,2] bus address, 8-byte aligned [3] bytes, at most NPU_UPDATE_MOST_BYTES [4] offset in the image: where the
	 * last piece ended. Answered when it is in flash. */
	NPU_MESSAGE_UPDATE_WRITE = 33,
	/* Checks the image in flash as the boot ROM would, then selects its slot. -> [2] slot [3] image version */
	NPU_MESSAGE_UPDATE_FINISH = 34,
	/* Raises the rollback counter to the security version of what runs: nothing older boots any more, for good.
	 * -> [2] rollback counter */
	NPU_MESSAGE_UPDATE_COMMIT = 35,
};

#define NPU_UPDATE_MOST_BYTES 4096u

enum npu_stage {
	NPU_STAGE_ROM = 1,
	NPU_STAGE_FIRMWARE = 2,
};

#endif
