// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual functions, from both sides: the physical function divides the card's DRAM and switches
 * them on and off; a virtual function waits for its share and resets nothing but itself.
 */

#include <linux/delay.h>
#include <linux/pci.h>

#include "npu_boot.h"
#include "npu_context.h"
#include "npu_drv.h"
#include "npu_regs.h"
#include "npu_sriov.h"

#define NPU_VF_POLL_MS 20

/* The physical function */

/**
 * npu_sriov_partition - divide the card's DRAM
 * @ndev: physical function; control_lock is held and no function has a queue
 * @vfs: number of virtual functions
 * @card: dram_base and dram_bytes become those of the physical function
 *
 * Return: 0, -EBUSY when a function has a queue, -EIO, -ETIMEDOUT, ...
 */
int npu_sriov_partition(struct npu_device *ndev, unsigned int vfs, struct npu_card *card)
{
	u32 words[NPU_MAILBOX_WORDS] = { 0, vfs };
	int err;

	lockdep_assert_held(&ndev->control_lock);
	err = npu_mailbox_call(ndev, NPU_MESSAGE_PARTITION, words);
	if (err)
		return err;
	if (!words[1] || (vfs && !words[3])) {
		dev_err(npu_dev(ndev),
			"the firmware leaves %u MiB DRAM to the physical and %u MiB to each of %u virtual functions\n",
			words[1], words[3], vfs);
		return -EIO;
	}
	card->dram_bytes = (u64)words[1] << 20;
	card->dram_base = (u64)words[2] << 20;
	if (vfs)
		dev_info(npu_dev(ndev),
			 "%u MiB DRAM for jobs here, %u MiB in each of %u virtual functions\n",
			 words[1], words[3], vfs);
	return 0;
}

/* Keeps contexts and device buffers from coming into being until npu_sriov_release(). */
static int npu_sriov_reserve(struct npu_device *ndev)
{
	int err = 0;

	mutex_lock(&ndev->control_lock);
	if (ndev->dead || ndev->io != NPU_IO_RUNNING)
		err = -EIO;
	else if (npu_contexts_exist(ndev))
		err = -EBUSY;
	else
		err = npu_dram_freeze(ndev);
	if (!err)
		ndev->partitioning = true;
	mutex_unlock(&ndev->control_lock);
	if (err == -EBUSY)
		dev_err(npu_dev(ndev),
			"the number of virtual functions cannot change while programs have contexts or device buffers on the physical function; end them first\n");
	else if (err)
		dev_err(npu_dev(ndev),
			"the number of virtual functions cannot change while the card does not work\n");
	return err;
}

static void npu_sriov_release(struct npu_device *ndev)
{
	mutex_lock(&ndev->control_lock);
	ndev->partitioning = false;
	npu_dram_thaw(ndev);
	mutex_unlock(&ndev->control_lock);
}

/* The card, its driver's allocator and `vfs` agree when this returns, also after an error. */
static int npu_sriov_divide(struct npu_device *ndev, unsigned int vfs)
{
	struct npu_card card;
	int err = -EIO;

	mutex_lock(&ndev->control_lock);
	card = ndev->card;
	if (!ndev->dead && ndev->io == NPU_IO_RUNNING)
		err = npu_sriov_partition(ndev, vfs, &card);
	if (!err) {
		ndev->card = card;
		ndev->vfs = vfs;
		npu_dram_resize(ndev);
	}
	mutex_unlock(&ndev->control_lock);
	return err;
}

static int npu_sriov_enable(struct npu_device *ndev, unsigned int vfs)
{
	int err;

	if (vfs > NPU_MAX_VFS) {
		dev_err(npu_dev(ndev), "%u virtual functions are more than the %u possible\n", vfs,
			NPU_MAX_VFS);
		return -EINVAL;
	}
	err = npu_sriov_reserve(ndev);
	if (err)
		return err;
	err = npu_sriov_divide(ndev, vfs);
	if (!err) {
		/* Without control_lock: it probes the virtual functions. */
		err = pci_enable_sriov(ndev->pdev, vfs);
		if (err) {
			dev_err(npu_dev(ndev), "%u virtual functions cannot be enabled (%d)\n", vfs,
				err);
			npu_sriov_divide(ndev, 0);
		}
	}
	npu_sriov_release(ndev);
	return err;
}

static int npu_sriov_disable(struct npu_device *ndev)
{
	int err;

	if (pci_vfs_assigned(ndev->pdev)) {
		dev_err(npu_dev(ndev),
			"a virtual function is assigned to a virtual machine; end that first\n");
		return -EBUSY;
	}
	err = npu_sriov_reserve(ndev);
	if (err)
		return err;
	pci_disable_sriov(ndev->pdev);
	err = npu_sriov_divide(ndev, 0);
	if (err)
		dev_err(npu_dev(ndev),
			"the DRAM of the virtual functions stays unused (%d); bind the driver again\n",
			err);
	npu_sriov_release(ndev);
	return err;
}

/* Number of virtual functions, written to sriov_numvfs. Return: that number or an error. */
int npu_sriov_configure(struct pci_dev *pdev, int num_vfs)
{
	struct npu_device *ndev = pci_get_drvdata(pdev);
	int err = num_vfs ? npu_sriov_enable(ndev, num_vfs) : npu_sriov_disable(ndev);

	return err ?: num_vfs;
}

/* A virtual function */

static bool npu_vf_wait_pointless(struct npu_device *ndev)
{
	return npu_io_stopped(ndev) || READ_ONCE(ndev->leaving);
}

/*
 * Waits until the physical function has the firmware running. Registers that read as ones are
 * normal: a reset of the physical function takes the virtual ones off the bus for a while.
 */
int npu_vf_await_card(struct npu_device *ndev)
{
	unsigned long deadline = jiffies + npu_restart_limit(ndev);

	while (npu_card_state(npu_read(ndev, CARD_STATE)) != MAILBOX_HOST_CARD_STATE_STATE_READY) {
		if (npu_vf_wait_pointless(ndev))
			return -EBUSY;
		if (time_after(jiffies, deadline)) {
			dev_err(npu_dev(ndev),
				"the card's firmware does not run (card state %u); see the physical function's messages\n",
				npu_card_state(npu_read(ndev, CARD_STATE)));
			return -ETIMEDOUT;
		}
		msleep(NPU_VF_POLL_MS);
	}
	return 0;
}

/*
 * Shakes hands with running firmware, and waits for the share of the card that the physical
 * function gives: after a reset of the card there is none at first. A queue that is created before
 * would be in the way of that.
 */
int npu_vf_hello(struct npu_device *ndev, struct npu_card *card)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(ndev->timeouts->boot_ms);
	int err;

	for (;;) {
		err = npu_boot_hello(ndev, card);
		if (err != -EAGAIN)
			return err;
		if (npu_vf_wait_pointless(ndev))
			return -EBUSY;
		if (time_after(jiffies, deadline)) {
			dev_err(npu_dev(ndev),
				"the physical function gives this one no DRAM; set sriov_numvfs there again\n");
			return -ETIMEDOUT;
		}
		msleep(NPU_VF_POLL_MS);
	}
}

/*
 * Resets this function alone: the card forgets its queues and jobs, not those of others. It has when
 * it answers the next HELLO.
 */
void npu_vf_reset(struct npu_device *ndev)
{
	npu_write(ndev, CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
}
