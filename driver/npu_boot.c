// SPDX-License-Identifier: GPL-2.0
/*
 * From a card in any state to running firmware: identify, reset into the boot ROM, load the image,
 * shake hands.
 */

#include <linux/dma-mapping.h>
#include <linux/firmware.h>
#include <linux/iopoll.h>
#include <linux/sizes.h>

#include "firmware/abi/boot_text.h"
#include "npu_boot.h"
#include "npu_drv.h"
#include "npu_regs.h"
#include "npu_update.h"

#define NPU_FIRMWARE_MAX_BYTES \
	SZ_4M /* one contiguous DMA allocation; the ROM's own limit is lower */
#define NPU_BOOT_POLL_US 1000

MODULE_FIRMWARE(NPU_FIRMWARE_FILE);

/* Is this a card that we can talk to? Needs no interrupt and changes nothing. */
int npu_boot_identify(struct npu_device *ndev)
{
	struct device *dev = npu_dev(ndev);
	u32 id = npu_read(ndev, ID);
	u32 version;

	if (id == NPU_REG_GONE) {
		dev_err(dev, "the card does not answer (registers read as ones)\n");
		return -ENODEV;
	}
	if (id != NPU_REG_ID_VALUE) {
		dev_err(dev,
			"ID register is 0x%08x instead of 0x%08x: not a card that this driver knows\n",
			id, NPU_REG_ID_VALUE);
		return -ENODEV;
	}
	version = npu_read(ndev, ABI_VERSION);
	if (NPU_ABI_VERSION_MAJOR(version) != NPU_ABI_MAJOR) {
		dev_err(dev,
			"the card has ABI version %u.%u, the driver %u.%u: install the driver of the card's release\n",
			NPU_ABI_VERSION_MAJOR(version), version & 0xffff, NPU_ABI_MAJOR,
			NPU_ABI_MINOR);
		return -EINVAL;
	}
	return 0;
}

/* Waits for the state @wanted, or for @other, which is as good. */
static int npu_boot_wait_states(struct npu_device *ndev, u32 wanted, u32 other,
				unsigned int timeout_ms)
{
	u32 value;
	int err;

	err = read_poll_timeout(
		npu_reg_read, value,
		value == NPU_REG_GONE || npu_io_stopped(ndev) || npu_card_state(value) == wanted ||
			npu_card_state(value) == other ||
			npu_card_state(value) == MAILBOX_HOST_CARD_STATE_STATE_FAULT,
		NPU_BOOT_POLL_US, timeout_ms * USEC_PER_MSEC, false, ndev, MAILBOX_HOST_CARD_STATE,
		"CARD_STATE");
	if (npu_io_stopped(ndev))
		return -EBUSY;
	if (value == NPU_REG_GONE)
		return -ENODEV;
	if (npu_card_state(value) == wanted || npu_card_state(value) == other)
		return 0;
	return err ?: -EIO;
}

static int npu_boot_wait_state(struct npu_device *ndev, u32 wanted, unsigned int timeout_ms)
{
	return npu_boot_wait_states(ndev, wanted, wanted, timeout_ms);
}

/* Waits until a reset card is in its boot ROM or, with firmware in its flash, already runs that. */
static int npu_boot_wait_started(struct npu_device *ndev)
{
	return npu_boot_wait_states(ndev, MAILBOX_HOST_CARD_STATE_STATE_ROM,
				    MAILBOX_HOST_CARD_STATE_STATE_READY, ndev->timeouts->reset_ms);
}

/*
 * Resets the card and waits for the boot ROM, or for the firmware that it starts from flash. On
 * success the card no longer touches host memory.
 */
int npu_boot_reset(struct npu_device *ndev)
{
	int err;

	npu_write(ndev, CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
	err = npu_boot_wait_started(ndev);
	if (err == -ENODEV)
		dev_err(npu_dev(ndev),
			"the card does not answer to a reset (registers read as ones)\n");
	else if (err && err != -EBUSY)
		dev_err(npu_dev(ndev),
			"the boot ROM did not start within %u ms of a card reset (card state %u): %d\n",
			ndev->timeouts->reset_ms, npu_card_state(npu_read(ndev, CARD_STATE)), err);
	return err;
}

/* Brings a card in any state into the boot ROM, without a reset where it is there or on the way. */
int npu_boot_enter_rom(struct npu_device *ndev)
{
	u32 value = npu_read(ndev, CARD_STATE);

	if (value == NPU_REG_GONE)
		return -ENODEV;
	switch (npu_card_state(value)) {
	case MAILBOX_HOST_CARD_STATE_STATE_ROM:
		return 0;
	case MAILBOX_HOST_CARD_STATE_STATE_RESET:
		if (!npu_boot_wait_started(ndev))
			return 0;
		fallthrough;
	default:
		return npu_boot_reset(ndev);
	}
}

static int npu_boot_check_code(struct npu_device *ndev, u32 code)
{
	struct device *dev = npu_dev(ndev);

	if (code == NPU_BOOT_BOOTED)
		return 0;
	dev_err(dev, "the boot ROM refused firmware %s: %s (boot code %u); %s\n", NPU_FIRMWARE_FILE,
		npu_boot_refusal_what(code), code, npu_boot_refusal_remedy(code));
	return code == NPU_BOOT_DMA_ERROR || code == NPU_BOOT_NONE ? -EIO : -EINVAL;
}

static int npu_boot_load(struct npu_device *ndev, const struct firmware *firmware)
{
	struct device *dev = npu_dev(ndev);
	u32 words[NPU_MAILBOX_WORDS] = { 0 };
	size_t bytes = ALIGN(firmware->size, 8);
	dma_addr_t address;
	void *image;
	int err;

	if (!firmware->size || firmware->size > NPU_FIRMWARE_MAX_BYTES) {
		dev_err(dev,
			"firmware %s has %zu bytes, more than 0 and at most %u are possible; install it again\n",
			NPU_FIRMWARE_FILE, firmware->size, NPU_FIRMWARE_MAX_BYTES);
		return -EINVAL;
	}
	image = dma_alloc_coherent(dev, bytes, &address, GFP_KERNEL);
	if (!image)
		return -ENOMEM;
	memcpy(image, firmware->data, firmware->size);

	words[1] = lower_32_bits(address);
	words[2] = upper_32_bits(address);
	words[3] = firmware->size;
	words[4] = NPU_ABI_VERSION;
	err = npu_mailbox_exchange(ndev, NPU_MESSAGE_BOOT_LOAD, words, ndev->timeouts->boot_ms);
	if (!err)
		err = npu_boot_check_code(ndev, NPU_MAILBOX_STATUS(words[0]));
	else if (npu_io_stopped(ndev) || npu_boot_reset(ndev))
		pci_clear_master(ndev->pdev); /* the ROM may still be reading the image */
	dma_free_coherent(dev, bytes, image, address);
	return err;
}

/*
 * Shakes hands with running firmware. Return: 0 with `card` filled; -EAGAIN when a virtual function
 * has no share of the card yet; -EINVAL, -EIO, or an error of npu_mailbox_exchange().
 */
int npu_boot_hello(struct npu_device *ndev, struct npu_card *card)
{
	u32 words[NPU_MAILBOX_WORDS] = { 0, NPU_ABI_VERSION };
	/* The reply to a virtual function comes when its DRAM is cleared. */
	unsigned int timeout_ms =
		ndev->is_vf ? ndev->timeouts->clear_ms : ndev->timeouts->message_ms;
	struct device *dev = npu_dev(ndev);
	int err;

	err = npu_mailbox_exchange(ndev, NPU_MESSAGE_HELLO, words, timeout_ms);
	if (err)
		return err;
	if (NPU_MAILBOX_STATUS(words[0]) == NPU_MAILBOX_BAD_VERSION ||
	    NPU_ABI_VERSION_MAJOR(words[1]) != NPU_ABI_MAJOR) {
		dev_err(dev,
			"firmware %s speaks ABI version %u.%u, the driver %u.%u; install both of the same release\n",
			NPU_FIRMWARE_FILE, NPU_ABI_VERSION_MAJOR(words[1]), words[1] & 0xffff,
			NPU_ABI_MAJOR, NPU_ABI_MINOR);
		return -EINVAL;
	}
	if (ndev->is_vf && (NPU_MAILBOX_STATUS(words[0]) == NPU_MAILBOX_NOT_READY ||
			    words[2] != NPU_STAGE_FIRMWARE || !words[5]))
		return -EAGAIN;
	if (NPU_MAILBOX_STATUS(words[0]) != NPU_MAILBOX_OK || words[2] != NPU_STAGE_FIRMWARE) {
		dev_err(dev,
			"the firmware's HELLO has status %u and stage %u; reset the card by binding the driver again\n",
			NPU_MAILBOX_STATUS(words[0]), words[2]);
		return -EIO;
	}
	card->abi_version = words[1];
	card->firmware_version = words[3];
	card->neural_engines = words[4];
	card->dram_bytes = (u64)words[5] << 20;
	card->queues = words[6];
	card->dram_base = (u64)words[7] << 20;
	if (!card->neural_engines || !card->dram_bytes || !card->queues ||
	    card->queues > NPU_QUEUES) {
		dev_err(dev,
			"firmware %s reports %u Neural Engines, %u MiB DRAM and %u queues: not a usable card\n",
			NPU_FIRMWARE_FILE, card->neural_engines, words[5], card->queues);
		return -EIO;
	}
	return 0;
}

/**
 * npu_boot_firmware - load and start the firmware of a card that npu_boot_reset() has left
 * @ndev: the card
 * @card: filled from the firmware's HELLO
 *
 * Return: 0, -ENOENT without the file, -EINVAL for a wrong one, -EIO, -ETIMEDOUT, -ENODEV or
 * -ENOMEM. Each is logged with the remedy.
 */
int npu_boot_firmware(struct npu_device *ndev, struct npu_card *card)
{
	struct device *dev = npu_dev(ndev);
	const struct firmware *firmware;
	int err;

	if (npu_card_state(npu_read(ndev, CARD_STATE)) == MAILBOX_HOST_CARD_STATE_STATE_READY) {
		err = npu_boot_hello(ndev, card); /* started from flash */
		if (!err)
			npu_update_report(ndev);
		return err;
	}

	err = firmware_request_nowarn(&firmware, NPU_FIRMWARE_FILE, dev);
	if (err) {
		dev_err(dev, "firmware %s cannot be read (%d); install it as /lib/firmware/%s\n",
			NPU_FIRMWARE_FILE, err, NPU_FIRMWARE_FILE);
		return err;
	}
	err = npu_boot_load(ndev, firmware);
	release_firmware(firmware);
	if (err)
		return err;

	err = npu_boot_wait_state(ndev, MAILBOX_HOST_CARD_STATE_STATE_READY,
				  ndev->timeouts->boot_ms);
	if (err) {
		dev_err(dev,
			"firmware %s was verified but did not become ready (card state %u, error %d); see its console\n",
			NPU_FIRMWARE_FILE, npu_card_state(npu_read(ndev, CARD_STATE)), err);
		return err;
	}
	return npu_boot_hello(ndev, card);
}
