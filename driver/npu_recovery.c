// SPDX-License-Identifier: GPL-2.0
/*
 * A card or a function that stopped working, and how it comes back. Noticed here for those who wait
 * (npu_check_health()), or by the kernel (npu_error.c). The states are in README.md.
 */

#include <linux/pci.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "npu_boot.h"
#include "npu_context.h"
#include "npu_drv.h"
#include "npu_recovery.h"
#include "npu_regs.h"
#include "npu_sriov.h"

/* A virtual function can meet a reset of its card while it recovers from the one before. */
#define NPU_VF_ATTEMPTS 3

/**
 * npu_recovery_init - keep the function's configuration as it is now for later
 * @ndev: enabled, and not yet a bus master: a restored function must not be one before its card was
 *   reset
 *
 * Return: 0 or -ENOMEM.
 */
int npu_recovery_init(struct npu_device *ndev)
{
	int err = pci_save_state(ndev->pdev);

	if (err)
		return err;
	ndev->saved_state = pci_store_saved_state(ndev->pdev);
	return ndev->saved_state ? 0 : -ENOMEM;
}

void npu_recovery_fini(struct npu_device *ndev)
{
	kfree(ndev->saved_state);
	ndev->saved_state = NULL;
}

static void npu_restore_function(struct npu_device *ndev)
{
	if (!pci_load_saved_state(ndev->pdev, ndev->saved_state))
		pci_restore_state(ndev->pdev);
}

/* Is there nothing at the function's address, for now or for good? Reads the configuration space. */
bool npu_card_absent(struct npu_device *ndev)
{
	return npu_disconnected(ndev) || !pci_device_is_present(ndev->pdev);
}

/*
 * Does the firmware run, and is it the one that knows our queues? A reset clears the mailbox, so
 * the last message that we wrote there is a mark of the latter.
 */
bool npu_card_works(struct npu_device *ndev)
{
	return npu_card_state(npu_read(ndev, CARD_STATE)) == MAILBOX_HOST_CARD_STATE_STATE_READY &&
	       npu_mailbox_intact(ndev);
}

static void npu_set_io(struct npu_device *ndev, enum npu_io io)
{
	lockdep_assert_held(&ndev->control_lock);
	ndev->io_since = jiffies;
	WRITE_ONCE(ndev->io, io);
	wake_up_all(&ndev->io_wait);
}

/* Takes the memory of all jobs from the card without its help, and aborts them. */
static void npu_halt(struct npu_device *ndev)
{
	lockdep_assert_held(&ndev->control_lock);
	npu_queues_set_state(ndev, NPU_QUEUE_DETACHED);
	/* Its completion pushes writes of the card that are still on their way. */
	pci_clear_master(ndev->pdev);
	npu_queues_abort(ndev);
}

void npu_give_up(struct npu_device *ndev, int err)
{
	dev_err(npu_dev(ndev), "the %s does not recover (%d); bind the driver again\n",
		npu_card_name(ndev), err);
	WRITE_ONCE(ndev->dead, true);
	pci_clear_master(ndev->pdev);
	npu_queues_set_state(ndev, NPU_QUEUE_DEAD);
	npu_queues_abort(ndev);
	npu_set_io(ndev, NPU_IO_RUNNING);
}

static int npu_restart_card(struct npu_device *ndev, struct npu_card *card)
{
	int err = npu_boot_reset(ndev);

	if (err)
		return err;
	npu_queues_abort(ndev);
	pci_set_master(ndev->pdev);
	err = npu_boot_firmware(ndev, card);
	if (err || !ndev->vfs)
		return err;
	dev_warn(
		npu_dev(ndev),
		"the queues of %u virtual functions were lost with the reset; their drivers attach them again\n",
		ndev->vfs);
	return npu_sriov_partition(ndev, ndev->vfs, card);
}

static int npu_restart_vf(struct npu_device *ndev, struct npu_card *card)
{
	int err;

	npu_halt(ndev);
	err = npu_vf_await_card(ndev);
	if (err)
		return err;
	npu_restore_function(ndev); /* a reset of the physical function took it */
	npu_vf_reset(ndev);
	err = npu_vf_await_card(ndev);
	if (err)
		return err;
	pci_set_master(ndev->pdev);
	return npu_vf_hello(ndev, card);
}

/*
 * Brings a card, or the function of one, from any state to running firmware without queues. Its
 * queues are detached, their jobs aborted on success.
 */
static int npu_restart(struct npu_device *ndev)
{
	struct npu_card card = {};
	int err;

	lockdep_assert_held(&ndev->control_lock);
	err = ndev->is_vf ? npu_restart_vf(ndev, &card) : npu_restart_card(ndev, &card);
	if (err)
		return err;
	if (card.dram_base != ndev->card.dram_base || card.dram_bytes != ndev->card.dram_bytes ||
	    card.queues < ndev->queue_limit) {
		dev_err(npu_dev(ndev), "the firmware now divides the card differently\n");
		return -EIO;
	}
	ndev->card = card;
	ndev->recoveries++;
	WRITE_ONCE(ndev->suspect, NULL);
	npu_faults_restart(ndev);
	return 0;
}

/*
 * Must we leave it to the kernel to bring the card back or to remove it? Not while only a virtual
 * function is off the bus: it comes back when the physical one does.
 */
static bool npu_lost(struct npu_device *ndev)
{
	return ndev->is_vf ? npu_disconnected(ndev) : npu_card_absent(ndev);
}

/* The card does not answer: the jobs end, the rest is for removal or for the error handlers. */
static void npu_await_pci(struct npu_device *ndev)
{
	dev_err(npu_dev(ndev), "the card does not answer, its jobs are aborted\n");
	npu_halt(ndev);
	npu_set_io(ndev, NPU_IO_STOPPED);
}

/*
 * Resets a card that no longer works, completes the jobs it had with NPU_JOB_ABORTED, and gives
 * each context but `except`, which is on its way out, its queue back. If that fails the card loses
 * bus mastering and stays dead. When this returns the card does not use the memory of `except`.
 */
void npu_recover(struct npu_device *ndev, const char *reason, const struct npu_context *except)
{
	unsigned int attempts = ndev->is_vf ? NPU_VF_ATTEMPTS : 1;
	int err;

	lockdep_assert_held(&ndev->control_lock);
	if (ndev->dead)
		return;
	npu_queues_set_state(ndev, NPU_QUEUE_DETACHED);
	if (npu_io_stopped(ndev)) { /* the error handlers bring the card back */
		npu_halt(ndev);
		return;
	}
	if (npu_lost(ndev)) {
		npu_await_pci(ndev);
		return;
	}
	dev_err(npu_dev(ndev), "%s: resetting the %s, its jobs are aborted\n", reason,
		npu_card_name(ndev));
	do {
		err = npu_restart(ndev);
		if (!err)
			err = npu_queues_attach(ndev, except);
	} while (err && --attempts && !npu_io_stopped(ndev) && !npu_lost(ndev));
	if (!err) {
		dev_info(npu_dev(ndev), "the %s works again\n", npu_card_name(ndev));
		return;
	}
	if (npu_io_stopped(ndev) || READ_ONCE(ndev->leaving))
		npu_halt(ndev);
	else if (npu_lost(ndev))
		npu_await_pci(ndev);
	else
		npu_give_up(ndev, err);
}

/*
 * For those who need the card now: nobody looked while there was no job. Return: 0 when it works,
 * -EIO when it is dead, -EBUSY when it is being reset.
 */
int npu_make_ready(struct npu_device *ndev)
{
	lockdep_assert_held(&ndev->control_lock);
	if (ndev->io != NPU_IO_RUNNING)
		return -EBUSY;
	if (!ndev->dead && !npu_card_works(ndev))
		npu_recover(ndev, "the card was reset or stopped working", NULL);
	if (ndev->dead)
		return -EIO;
	return ndev->io == NPU_IO_RUNNING ? 0 : -EBUSY;
}

/* For those who cannot wait: a card that may do harm is reset soon. `reason` is a constant. */
void npu_request_reset(struct npu_device *ndev, const char *reason)
{
	WRITE_ONCE(ndev->suspect, reason);
	schedule_work(&ndev->reset_work);
}

static bool npu_overdue(struct npu_device *ndev)
{
	return time_after(jiffies, ndev->io_since + npu_restart_limit(ndev));
}

void npu_reset_work(struct work_struct *work)
{
	struct npu_device *ndev = container_of(work, struct npu_device, reset_work);
	const char *reason;
	int index;

	if (!drm_dev_enter(&ndev->drm, &index))
		return;
	mutex_lock(&ndev->control_lock);
	if (ndev->dead)
		goto unlock;
	if (ndev->io == NPU_IO_RUNNING) {
		reason = xchg(&ndev->suspect, NULL);
		if (reason)
			npu_recover(ndev, reason, NULL);
		else if (!npu_card_works(ndev))
			npu_recover(ndev, "the card was reset or stopped working", NULL);
	} else if (npu_overdue(ndev)) {
		npu_give_up(ndev, -ETIMEDOUT);
	}
unlock:
	mutex_unlock(&ndev->control_lock);
	drm_dev_exit(index);
}

/* For those who wait for the card: starts recovery if waiting is pointless. */
void npu_check_health(struct npu_device *ndev)
{
	int index;

	if (!drm_dev_enter(&ndev->drm, &index))
		return;
	if (!READ_ONCE(ndev->dead) &&
	    (READ_ONCE(ndev->io) != NPU_IO_RUNNING || !npu_card_works(ndev)))
		schedule_work(&ndev->reset_work);
	drm_dev_exit(index);
}

/*
 * For a program that needs the card while it is being reset. Call it without locks and outside of
 * drm_dev_enter(). Return: 0, -EBUSY when that takes too long, -ERESTARTSYS.
 */
long npu_wait_running(struct npu_device *ndev)
{
	long left = wait_event_interruptible_timeout(
		ndev->io_wait, READ_ONCE(ndev->io) == NPU_IO_RUNNING || READ_ONCE(ndev->leaving),
		npu_restart_limit(ndev));

	if (left < 0)
		return left;
	return left ? 0 : -EBUSY;
}

/* For the error handlers, which hold the lock of the struct device, as probe and remove do. */

/*
 * After this nobody uses the registers and the card uses no memory. The first write makes those
 * give up who wait for the card with control_lock held.
 */
void npu_stop_io(struct npu_device *ndev)
{
	WRITE_ONCE(ndev->io, NPU_IO_STOPPED);
	npu_mailbox_wake(&ndev->mailbox);
	mutex_lock(&ndev->control_lock);
	npu_halt(ndev);
	npu_set_io(ndev, NPU_IO_STOPPED);
	mutex_unlock(&ndev->control_lock);
}

/* Brings a stopped card to running firmware, jobs still wait. Return: 0, or the card is dead. */
int npu_restart_io(struct npu_device *ndev)
{
	int err;

	npu_restore_function(ndev);
	mutex_lock(&ndev->control_lock);
	npu_set_io(ndev, NPU_IO_RESTARTING);
	err = npu_restart(ndev);
	if (err)
		npu_give_up(ndev, err);
	else
		WRITE_ONCE(ndev->dead, false);
	mutex_unlock(&ndev->control_lock);
	return err;
}

/* Gives the queues to a restarted card. */
void npu_resume_io(struct npu_device *ndev)
{
	int err;

	mutex_lock(&ndev->control_lock);
	if (ndev->io == NPU_IO_RESTARTING) {
		err = npu_queues_attach(ndev, NULL);
		if (err) {
			npu_give_up(ndev, err);
		} else {
			npu_set_io(ndev, NPU_IO_RUNNING);
			dev_info(npu_dev(ndev), "the %s works again\n", npu_card_name(ndev));
		}
	}
	mutex_unlock(&ndev->control_lock);
}
