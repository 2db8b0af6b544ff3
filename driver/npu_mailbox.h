/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_MAILBOX_H_
#define _NPU_MAILBOX_H_

#include <linux/completion.h>
#include <linux/irqreturn.h>
#include <linux/mutex.h>

#include <firmware/abi/mailbox.h>

struct npu_device;

struct npu_mailbox {
	struct mutex lock; /* one message in flight */
	struct completion replied;
	u8 sequence;
	u32 sent; /* word 0 of the last message; stays in the mailbox until the card is reset */
};

void npu_mailbox_init(struct npu_mailbox *mailbox);
void npu_mailbox_wake(struct npu_mailbox *mailbox);
bool npu_mailbox_intact(struct npu_device *ndev);
irqreturn_t npu_mailbox_interrupt(int irq, void *data);
int npu_mailbox_exchange(struct npu_device *ndev, u32 opcode, u32 words[NPU_MAILBOX_WORDS],
			 unsigned int timeout_ms);
int npu_mailbox_call(struct npu_device *ndev, u32 opcode, u32 words[NPU_MAILBOX_WORDS]);

#endif
