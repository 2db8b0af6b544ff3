/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Every code that crosses an interface: boot refusals, mailbox replies, job completions, hardware faults. */
#ifndef NPU_ABI_STATUS_H
#define NPU_ABI_STATUS_H

/* Value of the mailbox register BOOT_CODE, status of a BOOT_LOAD reply, codes of struct npu_boot_record. */
enum npu_boot_code {
	NPU_BOOT_NONE = 0,	  /* nothing tried yet */
	NPU_BOOT_BOOTED = 1,	  /* image verified, jumping to it */
	NPU_BOOT_BAD_MAGIC = 2,	  /* not a firmware image */
	NPU_BOOT_TRUNCATED = 3,	  /* fewer bytes than the header says */
	NPU_BOOT_BAD_HEADER = 4,  /* header version, flags, reserved bytes or sizes are wrong */
	NPU_BOOT_BAD_VERSION = 5, /* ABI major differs from the host's or the ROM's */
	NPU_BOOT_BAD_RANGE = 6,	  /* load address or entry outside the TCM's image area */
	NPU_BOOT_BAD_DIGEST = 7,  /* the payload is not the one that was signed */
	NPU_BOOT_DMA_ERROR = 8,	  /* the image could not be read from the host */
	NPU_BOOT_BAD_KEY = 9,	  /* the card does not know the key that signed it */
	NPU_BOOT_KEY_REVOKED = 10,
	NPU_BOOT_BAD_SIGNATURE = 11,
	NPU_BOOT_ROLLED_BACK = 12,  /* security version below the card's rollback counter */
	NPU_BOOT_DEBUG_LOCKED = 13, /* a debug image where debug access is closed */
	NPU_BOOT_SLOT_EMPTY = 14,   /* nothing but ones: no image was ever written there */
	NPU_BOOT_FLASH_ERROR = 15,  /* the flash does not answer */
	NPU_BOOT_CRYPTO_ERROR = 16, /* the crypto block does not do its work */
	NPU_BOOT_TRIAL_FAILED = 17, /* on trial after an update, it did not confirm that it works */
};

/* Status of a mailbox reply other than BOOT_LOAD. */
enum npu_mailbox_status {
	NPU_MAILBOX_OK = 0,
	NPU_MAILBOX_UNKNOWN_MESSAGE = 1,
	NPU_MAILBOX_BAD_ARGUMENT = 2,
	NPU_MAILBOX_BAD_VERSION = 3,
	NPU_MAILBOX_BUSY = 4,
	NPU_MAILBOX_NOT_READY = 5,     /* message needs the firmware, the ROM answered */
	NPU_MAILBOX_NOT_PERMITTED = 6, /* only the physical function may send it */
	NPU_MAILBOX_FULL = 16,	       /* the function has as many contexts as it may */
	NPU_MAILBOX_UNREADABLE = 17,   /* memory that the message names cannot be read or written */
};

/* Status of a job's completion. */
enum npu_job_status {
	NPU_JOB_OK = 0,
	NPU_JOB_BAD_SUBMISSION =
		1,	   /* malformed entry: opcode, reserved bits, sizes, segment table */
	NPU_JOB_FAULT = 2, /* a command failed: see enum npu_fault and fault_* of the completion */
	NPU_JOB_TIMEOUT = 3,
	NPU_JOB_ABORTED = 4,
};

/* What went wrong in hardware while a job ran (Task Manager register FAULT_CODE). */
enum npu_fault {
	NPU_FAULT_NONE = 0,
	NPU_FAULT_ILLEGAL_COMMAND =
		1, /* kind, opcode, engine, type, shape or alignment not allowed */
	NPU_FAULT_ADDRESS =
		2, /* unknown segment or outside of it, scratchpad or shared memory exceeded */
	NPU_FAULT_PERMISSION = 3, /* write to a read-only segment */
	NPU_FAULT_BUS = 4,	  /* memory or PCIe answered with an error */
	NPU_FAULT_POISON = 5,	  /* data read was poisoned */
	NPU_FAULT_DEADLOCK = 6,	  /* commands left that no running command can release */
	NPU_FAULT_FETCH = 7,	  /* command stream or segment table unreadable */
	NPU_FAULT_TRANSLATION =
		8, /* the device MMU refused an access; its fault FIFO tells the firmware why */
	NPU_FAULT_CANCELLED =
		9, /* the job was aborted, or what the command depends on has failed */
	NPU_FAULT_SYNC_TIMEOUT = 10, /* no other card signalled in time */
	NPU_FAULT_HANG = 16, /* found by firmware: no command retired for the context's limit */
	NPU_FAULT_ENGINE_STUCK = 17, /* found by firmware: an engine did not stop and was reset */
};

#endif
