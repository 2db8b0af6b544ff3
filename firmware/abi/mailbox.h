/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Mailbox messages. The host writes H2C_DATA[0..7] and rings H2C_DOORBELL; the card answers in C2H_DATA[0..7], sets
 * C2H_PENDING and raises MSI-X vector NPU_VECTOR_MAILBOX. One message is in flight at a time.
 * Each PCIe function has a mailbox of its own, and HELLO answers with the function's own share of the card. A virtual
 * function is served HELLO, PING, and the messages of queues, contexts, their memory and faults; everything else is
 * NPU_MAILBOX_NOT_PERMITTED there.
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
	 * [4,5] of the completion ring [6] context id; rings are contiguous and 4096-byte aligned. The queue belongs to
	 * the function's context of that id. If there is none it gets one with default rights that ends with it. */
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
	/* Since ABI 1.2: [1] context id, any that the function does not use [2] NPU_CONTEXT_WORD(enum npu_priority,
	 * number of ranges 0..NPU_CONTEXT_RANGES, NPU_CONTEXT_*) [3] a job may run, us; 0: as long as the function's may
	 * [4] a job may go without retiring a command, us; 0: for ever [5,6] bus address of struct npu_range[], 16-byte
	 * aligned, contiguous; without ranges the context may use all DRAM of the function -> [1] ASID.
	 * NPU_MAILBOX_BUSY: the id is in use; NPU_MAILBOX_FULL: as many contexts as the function has queues. */
	NPU_MESSAGE_CONTEXT_CREATE = 16,
	/* [1] context id. Its running job is aborted, those that wait complete as NPU_JOB_ABORTED, its queues end as by
	 * QUEUE_DESTROY -> [1] jobs completed as aborted meanwhile */
	NPU_MESSAGE_CONTEXT_DESTROY = 17,
	/* [1] context id -> [1] jobs taken [2] ended OK [3] failed [4] aborted [5,6] card time used by them, ns
	 * [7] NPU_CONTEXT_STATE_* in 15:0, ASID in 31:16 */
	NPU_MESSAGE_CONTEXT_STATUS = 18,
	/* [1] sequence of the last record known, 0: none [2,3] bus address of struct npu_fault_record[n], 64-byte
	 * aligned, contiguous [4] n, 1..NPU_FAULT_RECORDS [5] whose: 0 the caller's own, n virtual function n (physical
	 * function only) -> [1] records written, in order [2] sequence of the last one written, or as asked [3] sequence
	 * of the newest there is [4] records after [1] that are lost: newer ones took their place */
	NPU_MESSAGE_FAULT_READ = 19,
	/* Since ABI 1.3. [1] context id -> [1,2] time of the card that its jobs had: of each the time it ran times its share
	 * of the card, ns [3,4] time that the firmware spent on its jobs, doorbells and messages, ns */
	NPU_MESSAGE_CONTEXT_TIME = 48,
	/*
	 * Firmware update, physical function only. The image goes to the flash slot that the card did not boot from; that
	 * slot is selected by UPDATE_FINISH and boots after the next card reset, on trial: if it does not confirm that it
	 * works, which it does by itself when it is ready, within NPU_BOOT_TRIAL_ATTEMPTS boots, the card goes back to what
	 * it booted before and says so in the boot record. Power may fail at any time: the card boots what it booted before,
	 * or the new image once it is selected. An update that is begun anew starts over.
	 * A reply other than NPU_MAILBOX_OK has in [1] an enum npu_boot_code that says why, if there is one.
	 */
	/* [1] bytes of the image -> [2] slot that is written. NPU_MAILBOX_BUSY while what runs is on trial. */
	NPU_MESSAGE_UPDATE_BEGIN = 24,
	/* [1,2] bus address, 8-byte aligned [3] bytes, at most NPU_UPDATE_MOST_BYTES [4] offset in the image: where the
	 * last piece ended. Answered when it is in flash. */
	NPU_MESSAGE_UPDATE_WRITE = 25,
	/* Checks the image in flash as the boot ROM would, then selects its slot. -> [2] slot [3] image version */
	NPU_MESSAGE_UPDATE_FINISH = 26,
	/* Confirms what runs if it is still on trial, then raises the rollback counter to its security version: nothing older
	 * boots any more, for good.
	 * -> [2] rollback counter */
	NPU_MESSAGE_UPDATE_COMMIT = 27,
	/* Physical function only, all since ABI 1.2. Buffers are contiguous.
	 * [1,2] bus address of struct npu_telemetry, aligned to NPU_TELEMETRY_ALIGNMENT, 0: no more [3] period, us, 0: only
	 * now. Written before the reply; see firmware/abi/telemetry.h for when again. */
	NPU_MESSAGE_TELEMETRY = 32,
	/* [1,2] bus address of struct npu_event[n] [3] n [4] sequence of the first event wanted -> [1] events written, may be
	 * less than there are [2] sequence of the first one, later than [4] if that is lost [3] sequence of the next event
	 * that the card will record */
	NPU_MESSAGE_EVENT_LOG = 33,
	/* [1,2] bus address of struct npu_crash_dump [3] bytes there [4] 1: forget it afterwards -> [1] bytes written, 0:
	 * there is none */
	NPU_MESSAGE_CRASH_DUMP = 34,
	/* [1] P-state while jobs run: 2, 4 or 6; 0: automatic -> [1] P-state now. Temperature may ask for less. */
	NPU_MESSAGE_PSTATE = 35,
	/* [1,2] bus address of struct npu_crash_entry and the dump behind it, 8-byte aligned [3] bytes there [4] which one,
	 * 0: the newest in flash -> [1] bytes written, 0: there are no so many [2] its sequence [3] dumps in flash.
	 * NPU_MAILBOX_BUSY while an update writes to the flash. */
	NPU_MESSAGE_CRASH_ARCHIVE = 58,
	/* [1] enum npu_test. There is no reply: for tests of watchdog and crash dump. */
	NPU_MESSAGE_TEST = 47,
	/* Memory of contexts, all since ABI 1.3, every function for its own share.
	 * [1] id of a context with NPU_CONTEXT_ADDRESS_SPACE [2,3] card physical address [4] pages of
	 * NPU_CONTEXT_PAGE_BYTES, 1..NPU_CONTEXT_MAP_PAGES [5] NPU_CONTEXT_MAP_*. All of it or nothing.
	 * NPU_MAILBOX_BUSY: part of it is mapped already; NPU_MAILBOX_FULL: no room for its page tables. */
	NPU_MESSAGE_CONTEXT_MAP = 52,
	/* [1] to [4] as in CONTEXT_MAP; [2,3] and [4] as they were mapped, or several such ranges one behind the other.
	 * What is running and still uses it ends with NPU_FAULT_TRANSLATION; after the reply nothing reaches it. */
	NPU_MESSAGE_CONTEXT_UNMAP = 53,
	/* [1] 0 [2,3] card physical address [4] pages of NPU_CONTEXT_PAGE_BYTES: writes zeros, answered when they are
	 * there. NPU_MAILBOX_UNREADABLE: the memory cannot be written. */
	NPU_MESSAGE_DRAM_CLEAR = 54,
};

enum npu_test {
	NPU_TEST_HANG =
		1, /* the main loop hangs: the watchdog writes a crash dump and resets the card */
	NPU_TEST_TRAP = 2, /* an illegal instruction: a crash dump, the card waits for its reset */
};

#define NPU_UPDATE_MOST_BYTES 4096u

enum npu_stage {
	NPU_STAGE_ROM = 1,
	NPU_STAGE_FIRMWARE = 2,
};

#endif
