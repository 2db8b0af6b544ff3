/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to the registers in BAR0, each access logged by name while the module parameter trace_regs
 * is set.
 */
#ifndef _NPU_REGS_H_
#define _NPU_REGS_H_

#include <linux/bitfield.h>
#include <linux/io.h>

#include <npu/registers/mailbox.h>

#include "npu_drv.h"

/* What a read returns when the function no longer answers. */
#define NPU_REG_GONE 0xffffffffu

#define NPU_REG_ID_VALUE 0x3055504eu /* "NPU0" */

extern bool npu_trace_regs;

static inline u32 npu_reg_read(struct npu_device *ndev, u32 offset, const char *name)
{
	u32 value = readl(ndev->regs + offset);

	if (unlikely(npu_trace_regs))
		dev_info(npu_dev(ndev), "read  %s (0x%04x) = 0x%08x\n", name, offset, value);
	return value;
}

static inline void npu_reg_write(struct npu_device *ndev, u32 offset, u32 value, const char *name)
{
	if (unlikely(npu_trace_regs))
		dev_info(npu_dev(ndev), "write %s (0x%04x) = 0x%08x\n", name, offset, value);
	writel(value, ndev->regs + offset);
}

/*
 * npu_read(ndev, CARD_STATE), npu_write(ndev, SQ_TAIL(queue), tail): names as in registers.yaml,
 * map `host`.
 */
#define npu_read(ndev, reg) npu_reg_read(ndev, MAILBOX_HOST_##reg, #reg)
#define npu_write(ndev, reg, value) npu_reg_write(ndev, MAILBOX_HOST_##reg, value, #reg)

static inline u32 npu_card_state(u32 value)
{
	return FIELD_GET(MAILBOX_HOST_CARD_STATE_STATE_MASK, value);
}

#endif
