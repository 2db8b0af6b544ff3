// SPDX-License-Identifier: GPL-2.0
/*
 * Crash dumps of the firmware in the card's flash: sysfs attribute crash_dumps holds them one behind
 * the other, the newest first, each a struct npu_crash_entry with its struct npu_crash_dump.
 * sw/tools/npu-crash prints them.
 */

#include <linux/dma-mapping.h>

#include "firmware/abi/crash.h"
#include "firmware/abi/flash_layout.h"
#include "npu_crash.h"
#include "npu_drv.h"

struct npu_crash_record {
	struct npu_crash_entry entry;
	struct npu_crash_dump dump;
};

/* Fetches the dump @index. Return: its bytes, 0 behind the last one, or an error. */
static int npu_crash_fetch(struct npu_device *ndev, u32 index, struct npu_crash_record *record)
{
	u32 words[NPU_MAILBOX_WORDS] = { 0 };
	dma_addr_t address;
	void *buffer;
	int err;

	buffer = dma_alloc_coherent(npu_dev(ndev), sizeof(*record), &address, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	words[1] = lower_32_bits(address);
	words[2] = upper_32_bits(address);
	words[3] = sizeof(*record);
	words[4] = index;
	err = npu_mailbox_call(ndev, NPU_MESSAGE_CRASH_ARCHIVE, words);
	if (!err && words[1] > sizeof(*record))
		err = -EIO;
	if (!err) {
		memcpy(record, buffer, words[1]);
		err = words[1];
	}
	/* A message that was not answered may still be acted on: the card may write the buffer. */
	if (err != -ETIMEDOUT)
		dma_free_coherent(npu_dev(ndev), sizeof(*record), buffer, address);
	return err;
}

static ssize_t crash_dumps_read(struct file *file, struct kobject *kobject,
				struct bin_attribute *attribute, char *buf, loff_t offset,
				size_t count)
{
	struct npu_device *ndev = dev_get_drvdata(kobj_to_dev(kobject));
	struct npu_crash_record *record;
	size_t skip = offset % sizeof(*record);
	ssize_t bytes;

	if (ndev->is_vf)
		return -EPERM;
	if (offset / sizeof(*record) >= NPU_FLASH_CRASH_PLACES)
		return 0;
	record = kzalloc(sizeof(*record), GFP_KERNEL);
	if (!record)
		return -ENOMEM;
	bytes = npu_crash_fetch(ndev, offset / sizeof(*record), record);
	if (bytes > 0) {
		bytes = min_t(size_t, count, bytes > skip ? bytes - skip : 0);
		memcpy(buf, (u8 *)record + skip, bytes);
	}
	kfree(record);
	return bytes;
}
BIN_ATTR_ADMIN_RO(crash_dumps, 0);
