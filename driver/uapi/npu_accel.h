/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * User-space interface of the npu accel driver (/dev/accel/accelN).
 *
 * A context owns one hardware queue. A job names its buffers in the order of the segments its command stream uses
 * (firmware/abi/command.h); the driver builds the segment table. Buffers stay referenced until the job has completed.
 * What goes wrong in a context ends no job of another one.
 * Since 1.3 the card lets a context reach, of its DRAM, the device buffers of the context's jobs and nothing else.
 * All structures have no padding and unused fields must be 0 (-EINVAL).
 */
#ifndef _UAPI_NPU_ACCEL_H_
#define _UAPI_NPU_ACCEL_H_

#include <drm/drm.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_NPU_GET_INFO 0x00
#define DRM_NPU_BO_CREATE 0x01
#define DRM_NPU_CONTEXT_CREATE 0x02
#define DRM_NPU_CONTEXT_DESTROY 0x03
#define DRM_NPU_SUBMIT 0x04
#define DRM_NPU_WAIT 0x05
#define DRM_NPU_FAULT_READ 0x06	 /* since 1.2 */
#define DRM_NPU_SYNC_CREATE 0x07 /* since 1.3 */

struct drm_npu_get_info {
	__u32 abi_version;	/* NPU_ABI_VERSION of the card */
	__u32 firmware_version; /* major << 16 | minor << 8 | patch */
	__u32 neural_engines;
	__u32 max_segments;
	__u64 dram_bytes; /* for buffers of placement DEVICE */
	__u64 dram_free_bytes;
};

enum drm_npu_placement {
	DRM_NPU_PLACEMENT_HOST = 0, /* pages of the host, can be mapped with mmap */
	/* Card DRAM, reached by commands only. Zeros at first; in units of 64 KiB since 1.3. */
	DRM_NPU_PLACEMENT_DEVICE = 1,
};

/*
 * DEVICE only: inside the card's window on the PCIe bus. Such a buffer can be exported with
 * DRM_IOCTL_PRIME_HANDLE_TO_FD and imported on another card's file with DRM_IOCTL_PRIME_FD_TO_HANDLE,
 * whose commands then reach it like a buffer of placement HOST.
 */
#define DRM_NPU_BO_PEER 1u

struct drm_npu_bo_create {
	__u64 size;	   /* in: bytes; out: rounded up to the page size */
	__u32 placement;   /* in: enum drm_npu_placement */
	__u32 handle;	   /* out: GEM handle, closed with DRM_IOCTL_GEM_CLOSE */
	__u64 mmap_offset; /* out: for mmap on the device file; 0 for DEVICE */
	__u32 flags;	   /* in: DRM_NPU_BO_* */
	__u32 pad;
};

/*
 * Flags of Device Sync: 32-bit counters of the card that commands WAIT for and UPDATE by their number, `first` and
 * following, and that other cards SIGNAL (firmware/abi/command.h). For that the handle is exported with
 * DRM_IOCTL_PRIME_HANDLE_TO_FD and imported on the other card's file: there it is a buffer in which flag n is the word at
 * 4 * n, and the one that adds at NPU_SYNC_WINDOW_ADD + 4 * n. It cannot be a segment on its own card. The flags keep
 * what was last in them, so UPDATE them before a peer learns of them; a reset of the card makes them 0. They are given
 * back with the handle and its imports. The card does not protect them from other programs on the same function.
 */
struct drm_npu_sync_create {
	__u32 count;  /* in: 1..NPU_SYNC_FLAGS; -ENOSPC when no so many are free in a row */
	__u32 first;  /* out */
	__u32 handle; /* out */
	__u32 pad;
};

/*
 * The card serves the jobs of a context before those of lower priority on the same function; one that waits rises in
 * time, so that none starves. Above NORMAL: needs CAP_SYS_NICE.
 */
#define DRM_NPU_PRIORITY_LOW (-1)
#define DRM_NPU_PRIORITY_NORMAL 0
#define DRM_NPU_PRIORITY_HIGH 1
#define DRM_NPU_PRIORITY_URGENT 2

/* After a job that failed, those behind it complete as aborted; make a new context to go on. */
#define DRM_NPU_CONTEXT_STOP_ON_FAULT 1u

struct drm_npu_context {
	__u32 id; /* CREATE: out; DESTROY: in */
	/* Since 1.2, in, 0 for DESTROY. Older programs pass a structure that ends before `priority`. */
	__u32 flags; /* DRM_NPU_CONTEXT_* */
	__s32 priority;
	__u32 job_limit_us; /* no job runs longer, card time; 0: the module's parameter job_limit_ms */
	__u32 hang_limit_us; /* a job that finishes no command for this long is stopped; 0: no limit */
	__u32 pad;
};

#define DRM_NPU_SEGMENT_WRITABLE 1u

struct drm_npu_segment {
	__u32 handle;
	__u32 flags; /* DRM_NPU_SEGMENT_* */
};

struct drm_npu_submit {
	__u32 context;
	__u32 segment_count;   /* 1..max_segments */
	__u64 segments;	       /* user pointer to struct drm_npu_segment[segment_count] */
	__u32 command_segment; /* index of the segment that holds the command stream */
	__u32 command_bytes;
	__u64 command_offset;
	__u32 timeout_us; /* card time, 0: none */
	__u32 pad;
	__u64 job; /* out: for DRM_NPU_WAIT */
};

struct drm_npu_wait {
	__u32 context;
	__u32 pad;
	__u64 job;
	__s64 timeout_ns; /* relative; <= 0: poll. -ETIME if the job still runs after it */
	/* out: as struct npu_completion */
	__u32 status;
	__u32 fault;
	__u64 fault_address;
	__u32 fault_command;
	__u32 commands;
	__u64 start_ns;
	__u64 end_ns;
};

/* Why a job failed or was stopped by a limit. Codes: firmware/abi/status.h, firmware/abi/fault.h. */
struct drm_npu_fault {
	__u64 number; /* rises from fault to fault of the function; there may be gaps */
	__u64 job;
	__u64 address;	/* as the command gave it; 0: none */
	__u64 start_ns; /* of the job, card time */
	__u64 time_ns;	/* of the fault, card time */
	__u32 context;
	__u32 status;
	__u32 fault;
	__u32 block;   /* enum npu_command_kind of the engine; 0: none */
	__u32 engine;  /* number within the kind */
	__u32 command; /* index in the stream; 0xffffffff: none in particular */
	__u32 retired; /* commands that had finished */
	__u32 flags;   /* NPU_FAULT_RECORD_* */
	__u64 position; /* inside the command, NPU_DMA_POSITION of firmware/abi/command.h; with NPU_FAULT_RECORD_POSITION */
};

/*
 * Faults of the contexts that this file has now, oldest first. The record of a job is there when DRM_NPU_WAIT has given
 * its result. The latest 64 of a function are kept.
 */
struct drm_npu_fault_read {
	__u64 faults; /* user pointer to struct drm_npu_fault[count] */
	__u64 after;  /* only those with a higher number; 0: all */
	__u32 count;  /* in: room; out: how many there are in `faults` */
	__u32 lost; /* in: 0; out: faults of the function since `after` that are not kept any more */
};

#define DRM_IOCTL_NPU_GET_INFO DRM_IOR(DRM_COMMAND_BASE + DRM_NPU_GET_INFO, struct drm_npu_get_info)
#define DRM_IOCTL_NPU_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_BO_CREATE, struct drm_npu_bo_create)
#define DRM_IOCTL_NPU_CONTEXT_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_CREATE, struct drm_npu_context)
#define DRM_IOCTL_NPU_CONTEXT_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_DESTROY, struct drm_npu_context)
#define DRM_IOCTL_NPU_SUBMIT DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_SUBMIT, struct drm_npu_submit)
#define DRM_IOCTL_NPU_WAIT DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_WAIT, struct drm_npu_wait)
#define DRM_IOCTL_NPU_SYNC_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_SYNC_CREATE, struct drm_npu_sync_create)
#define DRM_IOCTL_NPU_FAULT_READ \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_FAULT_READ, struct drm_npu_fault_read)

#if defined(__cplusplus)
}
#endif

#endif
