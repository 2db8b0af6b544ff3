// SPDX-License-Identifier: GPL-2.0
/*
 * Update of the firmware in the card's flash: the file that the driver would load is written to the
 * slot that the card did not boot from, and boots after the next reset of the card. Jobs go on
 * meanwhile. Started by writing 1 to the sysfs attribute firmware_update.
 */

#include <linux/dma-mapping.h>
#include <linux/firmware.h>
#include <linux/kstrtox.h>
#include <linux/sysfs.h>

#include "firmware/abi/boot_text.h"
#include "npu_boot.h"
#include "npu_drv.h"
#include "npu_update.h"

/* Sends one message of the update. Return: 0, -EINVAL for a wrong image, or another error. */
static int npu_update_call(struct npu_device *ndev, u32 opcode, u32 words[NPU_MAILBOX_WORDS])
{
	u32 status, code;
	int err;

	err = npu_mailbox_exchange(ndev, opcode, words, ndev->timeouts->message_ms);
	if (err)
		return err;
	status = NPU_MAILBOX_STATUS(words[0]);
	code = words[1];
	if (status == NPU_MAILBOX_OK)
		return 0;
	if (code == NPU_BOOT_NONE)
		dev_err(npu_dev(ndev),
			"the card refused a message of the firmware update with status %u\n",
			status);
	else
		dev_err(npu_dev(ndev), "the card refused firmware %s: %s (boot code %u); %s\n",
			NPU_FIRMWARE_FILE, npu_boot_refusal_what(code), code,
			npu_boot_refusal_remedy(code));
	return status == NPU_MAILBOX_BUSY ? -EBUSY : -EINVAL;
}

/* @piece is NPU_UPDATE_MOST_BYTES of coherent memory at @address. */
static int npu_update_write(struct npu_device *ndev, const struct firmware *firmware, void *piece,
			    dma_addr_t address)
{
	u32 words[NPU_MAILBOX_WORDS] = { 0, firmware->size };
	size_t offset;
	int err;

	err = npu_update_call(ndev, NPU_MESSAGE_UPDATE_BEGIN, words);
	for (offset = 0; !err && offset < firmware->size; offset += NPU_UPDATE_MOST_BYTES) {
		size_t bytes = min_t(size_t, firmware->size - offset, NPU_UPDATE_MOST_BYTES);

		memcpy(piece, firmware->data + offset, bytes);
		words[1] = lower_32_bits(address);
		words[2] = upper_32_bits(address);
		words[3] = bytes;
		words[4] = offset;
		err = npu_update_call(ndev, NPU_MESSAGE_UPDATE_WRITE, words);
	}
	if (!err)
		err = npu_update_call(ndev, NPU_MESSAGE_UPDATE_FINISH, words);
	if (!err)
		dev_info(npu_dev(ndev),
			 "firmware %u.%u.%u is in slot %c and boots after the next reset\n",
			 words[3] >> 16, words[3] >> 8 & 0xff, words[3] & 0xff, 'A' + words[2]);
	return err;
}

static int npu_update_firmware(struct npu_device *ndev)
{
	struct device *dev = npu_dev(ndev);
	const struct firmware *firmware;
	dma_addr_t address;
	void *piece;
	int err;

	err = firmware_request_nowarn(&firmware, NPU_FIRMWARE_FILE, dev);
	if (err) {
		dev_err(dev, "firmware %s cannot be read (%d); install it as /lib/firmware/%s\n",
			NPU_FIRMWARE_FILE, err, NPU_FIRMWARE_FILE);
		return err;
	}
	piece = dma_alloc_coherent(dev, NPU_UPDATE_MOST_BYTES, &address, GFP_KERNEL);
	err = piece ? npu_update_write(ndev, firmware, piece, address) : -ENOMEM;
	/* A message that was not answered may still be acted on: the card may read the piece. */
	if (err == -ETIMEDOUT)
		dev_err(dev, "a firmware update hangs; bind the driver again\n");
	else if (piece)
		dma_free_coherent(dev, NPU_UPDATE_MOST_BYTES, piece, address);
	release_firmware(firmware);
	return err;
}

static ssize_t firmware_update_store(struct device *dev, struct device_attribute *attr,
				     const char *buf, size_t count)
{
	struct npu_device *ndev = dev_get_drvdata(dev);
	bool start;
	int err;

	err = kstrtobool(buf, &start);
	if (err)
		return err;
	if (ndev->is_vf)
		return -EPERM;
	if (start)
		err = npu_update_firmware(ndev);
	return err ?: count;
}
DEVICE_ATTR_WO(firmware_update);
