// SPDX-License-Identifier: GPL-2.0
/*
 * Update of the firmware in the card's flash: the file that the driver would load is written to the
 * slot that the card did not boot from, and boots after the next reset of the card. Jobs go on
 * meanwhile. Started by writing 1 to the sysfs attribute firmware_update.
 *
 * It boots on trial: if it does not come up in three attempts the card goes back to the firmware
 * before, which npu_update_report() tells the administrator of. Writing 1 to firmware_commit makes
 * the firmware that runs the oldest one that the card accepts.
 */

#include <linux/dma-mapping.h>
#include <linux/firmware.h>
#include <linux/kstrtox.h>
#include <linux/sysfs.h>

#include "firmware/abi/boot_record.h"
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

/*
 * UPDATE_COMMIT cannot be taken back: the card's fuses are programmed. Nothing is sent for 0.
 */
static ssize_t firmware_commit_store(struct device *dev, struct device_attribute *attr,
				     const char *buf, size_t count)
{
	struct npu_device *ndev = dev_get_drvdata(dev);
	u32 words[NPU_MAILBOX_WORDS] = { 0 };
	bool start;
	int err;

	err = kstrtobool(buf, &start);
	if (err)
		return err;
	if (ndev->is_vf)
		return -EPERM;
	if (!start)
		return count;
	err = npu_update_call(ndev, NPU_MESSAGE_UPDATE_COMMIT, words);
	if (err)
		return err;
	dev_info(dev,
		 "firmware of a security version below %u does not boot on this card any more\n",
		 words[2]);
	return count;
}
DEVICE_ATTR_WO(firmware_commit);

/* Words 0 to 6 of the boot record from word @word on. */
static int npu_update_read_record(struct npu_device *ndev, size_t word, u32 *to)
{
	u32 words[NPU_MAILBOX_WORDS] = { 0, word * sizeof(u32) };
	int err;

	err = npu_mailbox_call(ndev, NPU_MESSAGE_BOOT_RECORD, words);
	if (!err)
		memcpy(to, words + 1, (NPU_MAILBOX_WORDS - 1) * sizeof(u32));
	return err;
}

/**
 * npu_update_report - tell of an update that the card has given up
 * @ndev: a physical function whose firmware has answered HELLO
 *
 * A card that does not tell its boot record is none to complain about.
 */
void npu_update_report(struct npu_device *ndev)
{
	/* The fields in front of the measurements, in whole messages. */
	u32 words[21] = { 0 };
	struct npu_boot_record record = { 0 };
	size_t word;

	static_assert(offsetof(struct npu_boot_record, measurement) <= sizeof(words));
	for (word = 0; word < ARRAY_SIZE(words); word += NPU_MAILBOX_WORDS - 1)
		if (npu_update_read_record(ndev, word, words + word))
			return;
	memcpy(&record, words, offsetof(struct npu_boot_record, measurement));
	if (record.magic != NPU_BOOT_RECORD_MAGIC || (record.trial & 0xff) != NPU_TRIAL_FAILED)
		return;
	dev_warn(
		npu_dev(ndev),
		"firmware in slot %c: %s (boot code %u, %u attempts, the last ended by reset cause %u); "
		"the card went back to the one before; %s\n",
		record.slot_code[0] == NPU_BOOT_TRIAL_FAILED ? 'A' : 'B',
		npu_boot_refusal_what(NPU_BOOT_TRIAL_FAILED), NPU_BOOT_TRIAL_FAILED,
		record.trial >> 8 & 0xff, NPU_BOOT_END_CAUSE(record.trial_end),
		npu_boot_refusal_remedy(NPU_BOOT_TRIAL_FAILED));
}
