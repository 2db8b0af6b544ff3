// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to the boot ROM and the firmware: one at a time, matched by sequence number, always with
 * a time-out.
 */

#include <linux/iopoll.h>
#include <linux/jiffies.h>

#include "npu_drv.h"
#include "npu_mailbox.h"
#include "npu_regs.h"

#define NPU_MAILBOX_POLL_US 200
/* How often who waits for a reply looks whether the card is still there. */
#define NPU_MAILBOX_LOOK_MS 250

void npu_mailbox_init(struct npu_mailbox *mailbox)
{
	mutex_init(&mailbox->lock);
	init_completion(&mailbox->replied);
}

/* Makes who waits for a reply look at npu_device.io. */
void npu_mailbox_wake(struct npu_mailbox *mailbox)
{
	complete(&mailbox->replied);
}

/* Is our last message still in the mailbox? If not, the card or the function was reset since. */
bool npu_mailbox_intact(struct npu_device *ndev)
{
	return npu_read(ndev, H2C_DATA(0)) == READ_ONCE(ndev->mailbox.sent);
}

irqreturn_t npu_mailbox_interrupt(int irq, void *data)
{
	struct npu_device *ndev = data;

	complete(&ndev->mailbox.replied);
	return IRQ_HANDLED;
}

static const char *npu_mailbox_opcode_name(u32 opcode)
{
	switch (opcode) {
	case NPU_MESSAGE_HELLO:
		return "HELLO";
	case NPU_MESSAGE_BOOT_LOAD:
		return "BOOT_LOAD";
	case NPU_MESSAGE_QUEUE_CREATE:
		return "QUEUE_CREATE";
	case NPU_MESSAGE_QUEUE_DESTROY:
		return "QUEUE_DESTROY";
	case NPU_MESSAGE_PING:
		return "PING";
	case NPU_MESSAGE_PARTITION:
		return "PARTITION";
	case NPU_MESSAGE_CONTEXT_CREATE:
		return "CONTEXT_CREATE";
	case NPU_MESSAGE_CONTEXT_DESTROY:
		return "CONTEXT_DESTROY";
	case NPU_MESSAGE_CONTEXT_MAP:
		return "CONTEXT_MAP";
	case NPU_MESSAGE_CONTEXT_UNMAP:
		return "CONTEXT_UNMAP";
	case NPU_MESSAGE_DRAM_CLEAR:
		return "DRAM_CLEAR";
	case NPU_MESSAGE_FAULT_READ:
		return "FAULT_READ";
	case NPU_MESSAGE_TELEMETRY:
		return "TELEMETRY";
	case NPU_MESSAGE_BOOT_RECORD:
		return "BOOT_RECORD";
	case NPU_MESSAGE_UPDATE_BEGIN:
	case NPU_MESSAGE_UPDATE_WRITE:
	case NPU_MESSAGE_UPDATE_FINISH:
	case NPU_MESSAGE_UPDATE_COMMIT:
		return "a firmware update";
	case NPU_MESSAGE_CRASH_ARCHIVE:
		return "CRASH_ARCHIVE";
	default:
		return "unknown message";
	}
}

static void npu_mailbox_take(struct npu_device *ndev, u32 words[NPU_MAILBOX_WORDS])
{
	unsigned int i;

	for (i = 0; i < NPU_MAILBOX_WORDS; i++)
		words[i] = npu_read(ndev, C2H_DATA(i));
	npu_write(ndev, STATUS, MAILBOX_HOST_STATUS_C2H_PENDING_MASK);
}

/* Makes the mailbox ours: the card took the last message, and no late reply to it waits. */
static int npu_mailbox_claim(struct npu_device *ndev, unsigned int timeout_ms)
{
	u32 stale[NPU_MAILBOX_WORDS];
	u32 status;
	int err;

	err = read_poll_timeout(npu_reg_read, status,
				status == NPU_REG_GONE || npu_io_stopped(ndev) ||
					!(status & MAILBOX_HOST_STATUS_H2C_PENDING_MASK),
				NPU_MAILBOX_POLL_US, timeout_ms * USEC_PER_MSEC, false, ndev,
				MAILBOX_HOST_STATUS, "STATUS");
	if (npu_io_stopped(ndev))
		return -EBUSY;
	if (err)
		return err;
	if (status == NPU_REG_GONE)
		return -ENODEV;
	if (status & MAILBOX_HOST_STATUS_C2H_PENDING_MASK)
		npu_mailbox_take(ndev, stale);
	reinit_completion(&ndev->mailbox.replied);
	return 0;
}

static int npu_mailbox_await(struct npu_device *ndev, u32 expected, u32 words[NPU_MAILBOX_WORDS],
			     unsigned int timeout_ms)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(timeout_ms);
	long look = msecs_to_jiffies(NPU_MAILBOX_LOOK_MS);
	bool expired;
	u32 status;

	do {
		long left = (long)(deadline - jiffies);

		expired = left <= 0;
		if (!expired)
			wait_for_completion_timeout(&ndev->mailbox.replied, min(left, look));
		if (npu_io_stopped(ndev))
			return -EBUSY;
		status = npu_read(ndev, STATUS);
		if (status == NPU_REG_GONE)
			return -ENODEV;
		if (!(status & MAILBOX_HOST_STATUS_C2H_PENDING_MASK)) {
			if (!npu_mailbox_intact(ndev))
				return -ECONNRESET;
			continue;
		}
		npu_mailbox_take(ndev, words);
		if (NPU_MAILBOX_WORD0(NPU_MAILBOX_OPCODE(words[0]), NPU_MAILBOX_SEQUENCE(words[0]),
				      0) == expected)
			return 0;
		dev_warn(npu_dev(ndev), "mailbox: dropped a reply 0x%08x to an earlier message\n",
			 words[0]);
	} while (!expired);
	return -ETIMEDOUT;
}

/**
 * npu_mailbox_exchange - send a message and wait for its reply
 * @ndev: the card
 * @opcode: enum npu_mailbox_opcode
 * @words: words 1 to 7 of the message; replaced by all eight words of the reply
 * @timeout_ms: for the card to take the message, and again to answer it
 *
 * Return: 0 when the card replied, whatever the status in word 0 says; -ENODEV when it does not
 * answer; -EBUSY when the kernel resets it; -ECONNRESET when it was reset behind our back;
 * -ETIMEDOUT, in which case the card may still act on the message.
 */
int npu_mailbox_exchange(struct npu_device *ndev, u32 opcode, u32 words[NPU_MAILBOX_WORDS],
			 unsigned int timeout_ms)
{
	struct npu_mailbox *mailbox = &ndev->mailbox;
	unsigned int i;
	int err;

	mutex_lock(&mailbox->lock);
	err = npu_mailbox_claim(ndev, timeout_ms);
	if (!err) {
		words[0] = NPU_MAILBOX_WORD0(opcode, ++mailbox->sequence, 0);
		WRITE_ONCE(mailbox->sent, words[0]);
		for (i = 0; i < NPU_MAILBOX_WORDS; i++)
			npu_write(ndev, H2C_DATA(i), words[i]);
		npu_write(ndev, H2C_DOORBELL, MAILBOX_HOST_H2C_DOORBELL_RING_MASK);
		err = npu_mailbox_await(ndev, words[0], words, timeout_ms);
	}
	mutex_unlock(&mailbox->lock);

	if (err == -ENODEV)
		dev_err(npu_dev(ndev),
			"mailbox: the card does not answer (registers read as ones)\n");
	else if (err == -ECONNRESET)
		dev_err(npu_dev(ndev), "mailbox: the card was reset while it had a message\n");
	else if (err == -ETIMEDOUT)
		dev_err(npu_dev(ndev), "mailbox: no reply to %s within %u ms (card state %u)\n",
			npu_mailbox_opcode_name(opcode), timeout_ms,
			npu_card_state(npu_read(ndev, CARD_STATE)));
	return err;
}

static int npu_mailbox_errno(u32 status)
{
	switch (status) {
	case NPU_MAILBOX_OK:
		return 0;
	case NPU_MAILBOX_BUSY:
		return -EBUSY;
	case NPU_MAILBOX_BAD_ARGUMENT:
	case NPU_MAILBOX_BAD_VERSION:
		return -EINVAL;
	case NPU_MAILBOX_NOT_PERMITTED:
		return -EPERM;
	case NPU_MAILBOX_FULL:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

/**
 * npu_mailbox_call - like npu_mailbox_exchange(), with the status of the reply (enum
 * npu_mailbox_status) as an errno
 * @ndev: the card
 * @opcode: enum npu_mailbox_opcode, not BOOT_LOAD
 * @words: as in npu_mailbox_exchange()
 */
int npu_mailbox_call(struct npu_device *ndev, u32 opcode, u32 words[NPU_MAILBOX_WORDS])
{
	unsigned int timeout_ms = opcode == NPU_MESSAGE_PARTITION ? ndev->timeouts->clear_ms
								  : ndev->timeouts->message_ms;
	int err = npu_mailbox_exchange(ndev, opcode, words, timeout_ms);

	if (err)
		return err;
	err = npu_mailbox_errno(NPU_MAILBOX_STATUS(words[0]));
	if (err)
		dev_err(npu_dev(ndev), "mailbox: the card refused %s with status %u\n",
			npu_mailbox_opcode_name(opcode), NPU_MAILBOX_STATUS(words[0]));
	return err;
}
