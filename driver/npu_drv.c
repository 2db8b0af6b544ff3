// SPDX-License-Identifier: GPL-2.0
/* Linux driver of the ATOM-class NPU card: module, probe and remove. */

#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>

#include <driver/uapi/npu_accel.h>

#include "npu_boot.h"
#include "npu_context.h"
#include "npu_drv.h"
#include "npu_error.h"
#include "npu_hwmon.h"
#include "npu_import.h"
#include "npu_ioctl.h"
#include "npu_peer.h"
#include "npu_recovery.h"
#include "npu_regs.h"
#include "npu_sriov.h"

#define NPU_PCI_VENDOR 0x1eff
#define NPU_PCI_DEVICE_CA22 0x1220
#define NPU_PCI_DEVICE_CA25 0x1250    /* each of the four devices of an ATOM-Max */
#define NPU_PCI_DEVICE_CA22_VF 0x1221 /* (u): the vendor's is not public, this one is ours */

enum npu_function_kind {
	NPU_FUNCTION_PF,
	NPU_FUNCTION_VF,
};

bool npu_trace_regs;
module_param_named(trace_regs, npu_trace_regs, bool, 0644);
MODULE_PARM_DESC(trace_regs, "Log each register access by name (default: off)");

static char *npu_platform = "simulator";
module_param_named(platform, npu_platform, charp, 0444);
MODULE_PARM_DESC(platform, "Table of time-outs: silicon, simulator (default), debugger");

static const struct npu_timeouts npu_timeouts[] = {
	{ "silicon", .reset_ms = 5000, .boot_ms = 5000, .message_ms = 1000, .clear_ms = 5000,
	  .drain_ms = 5000, .watch_ms = 500 },
	{ "simulator", .reset_ms = 20000, .boot_ms = 60000, .message_ms = 20000, .clear_ms = 120000,
	  .drain_ms = 60000, .watch_ms = 1000 },
	/* Someone may be stepping through the firmware. */
	{ "debugger", .reset_ms = 1800000, .boot_ms = 1800000, .message_ms = 1800000,
	  .clear_ms = 1800000, .drain_ms = 1800000, .watch_ms = 10000 },
};

static const struct npu_timeouts *npu_find_timeouts(struct device *dev)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(npu_timeouts); i++) {
		if (!strcmp(npu_timeouts[i].platform, npu_platform))
			return &npu_timeouts[i];
	}
	dev_err(dev, "platform=%s is unknown; use silicon, simulator or debugger\n", npu_platform);
	return NULL;
}

static const struct file_operations npu_fops = {
	.owner = THIS_MODULE,
	DRM_ACCEL_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

static const struct drm_ioctl_desc npu_ioctls[] = {
	DRM_IOCTL_DEF_DRV(NPU_GET_INFO, npu_ioctl_get_info, 0),
	DRM_IOCTL_DEF_DRV(NPU_BO_CREATE, npu_ioctl_bo_create, 0),
	DRM_IOCTL_DEF_DRV(NPU_CONTEXT_CREATE, npu_ioctl_context_create, 0),
	DRM_IOCTL_DEF_DRV(NPU_CONTEXT_DESTROY, npu_ioctl_context_destroy, 0),
	DRM_IOCTL_DEF_DRV(NPU_SUBMIT, npu_ioctl_submit, 0),
	DRM_IOCTL_DEF_DRV(NPU_WAIT, npu_ioctl_wait, 0),
	DRM_IOCTL_DEF_DRV(NPU_FAULT_READ, npu_ioctl_fault_read, 0),
	DRM_IOCTL_DEF_DRV(NPU_SYNC_CREATE, npu_ioctl_sync_create, 0),
};

static const struct drm_driver npu_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM,
	.open = npu_file_open,
	.postclose = npu_file_close,
	.show_fdinfo = npu_file_show_fdinfo,
	.gem_create_object = npu_gem_create_object,
	.gem_prime_import = npu_gem_prime_import,
	.ioctls = npu_ioctls,
	.num_ioctls = ARRAY_SIZE(npu_ioctls),
	.fops = &npu_fops,
	.name = NPU_DRIVER_NAME,
	.desc = "ATOM-class NPU",
	.date = "20250101",
	.major = NPU_ABI_MAJOR,
	.minor = NPU_ABI_MINOR,
};

static int npu_init_state(struct npu_device *ndev, struct pci_dev *pdev,
			  enum npu_function_kind kind)
{
	int err;

	ndev->pdev = pdev;
	/* Not pdev->is_virtfn: a virtual machine sees an ordinary function. */
	ndev->is_vf = kind == NPU_FUNCTION_VF;
	ndev->timeouts = npu_find_timeouts(&pdev->dev);
	if (!ndev->timeouts)
		return -EINVAL;
	INIT_LIST_HEAD(&ndev->host_bos);
	INIT_LIST_HEAD(&ndev->peer_bos);
	INIT_LIST_HEAD(&ndev->imports);
	init_waitqueue_head(&ndev->peer_wait);
	init_waitqueue_head(&ndev->io_wait);
	INIT_WORK(&ndev->reset_work, npu_reset_work);
	npu_mailbox_init(&ndev->mailbox);
	err = drmm_mutex_init(&ndev->drm, &ndev->bo_lock);
	if (err)
		return err;
	err = drmm_mutex_init(&ndev->drm, &ndev->space_lock);
	return err ?: drmm_mutex_init(&ndev->drm, &ndev->control_lock);
}

static int npu_map_registers(struct npu_device *ndev)
{
	struct pci_dev *pdev = ndev->pdev;
	int err;

	if (pci_resource_len(pdev, 0) < NPU_BAR0_BYTES) {
		dev_err(&pdev->dev, "BAR0 has %llu bytes instead of %u\n",
			(u64)pci_resource_len(pdev, 0), NPU_BAR0_BYTES);
		return -ENODEV;
	}
	err = pci_request_region(pdev, 0, NPU_DRIVER_NAME);
	if (err)
		return err;
	ndev->regs = pci_iomap(pdev, 0, NPU_BAR0_BYTES);
	if (!ndev->regs) {
		pci_release_region(pdev, 0);
		return -ENOMEM;
	}
	return 0;
}

static void npu_unmap_registers(struct npu_device *ndev)
{
	pci_iounmap(ndev->pdev, ndev->regs);
	pci_release_region(ndev->pdev, 0);
}

static int npu_init_dma(struct npu_device *ndev)
{
	int err = dma_set_mask_and_coherent(npu_dev(ndev), DMA_BIT_MASK(64));

	if (err)
		return err;
	dma_set_max_seg_size(npu_dev(ndev), UINT_MAX);
	pci_set_master(ndev->pdev);
	return 0;
}

static int npu_init_interrupts(struct npu_device *ndev)
{
	struct pci_dev *pdev = ndev->pdev;
	unsigned int queues = ndev->is_vf ? NPU_VF_QUEUES : NPU_QUEUES;
	int vectors = pci_alloc_irq_vectors(pdev, 2, 1 + queues, PCI_IRQ_MSIX);
	int err;

	if (vectors < 0) {
		dev_err(&pdev->dev, "no MSI-X vectors for the mailbox and one queue (%d)\n",
			vectors);
		return vectors;
	}
	ndev->queue_limit = vectors - 1;
	snprintf(ndev->irq_name, sizeof(ndev->irq_name), "npu-%s-mailbox", pci_name(pdev));
	err = request_irq(pci_irq_vector(pdev, NPU_VECTOR_MAILBOX), npu_mailbox_interrupt, 0,
			  ndev->irq_name, ndev);
	if (err)
		pci_free_irq_vectors(pdev);
	return err;
}

static void npu_fini_interrupts(struct npu_device *ndev)
{
	free_irq(pci_irq_vector(ndev->pdev, NPU_VECTOR_MAILBOX), ndev);
	pci_free_irq_vectors(ndev->pdev);
}

/* A virtual function neither resets nor boots the card, which is the physical function's. */
static int npu_start_firmware(struct npu_device *ndev)
{
	u32 state;
	int err;

	if (!ndev->is_vf) {
		err = npu_boot_enter_rom(ndev);
		return err ?: npu_boot_firmware(ndev, &ndev->card);
	}
	state = npu_card_state(npu_read(ndev, CARD_STATE));
	if (state != MAILBOX_HOST_CARD_STATE_STATE_READY) {
		dev_err(npu_dev(ndev),
			"the card's firmware does not run (card state %u); bind the driver to the physical function first\n",
			state);
		return -EIO;
	}
	return npu_vf_hello(ndev, &ndev->card);
}

static int npu_start(struct npu_device *ndev)
{
	const struct npu_card *card = &ndev->card;
	int err;

	err = npu_start_firmware(ndev);
	if (err)
		return err;
	ndev->queue_limit = min(ndev->queue_limit, card->queues);
	err = npu_dram_init(ndev);
	if (err)
		return err;
	npu_hwmon_init(ndev);
	err = drm_dev_register(&ndev->drm, 0);
	if (err)
		return err;
	dev_info(
		npu_dev(ndev),
		"firmware %u.%u.%u, ABI %u.%u: %u Neural Engines, %llu MiB DRAM for jobs, %u queues\n",
		card->firmware_version >> 16, card->firmware_version >> 8 & 0xff,
		card->firmware_version & 0xff, NPU_ABI_VERSION_MAJOR(card->abi_version),
		card->abi_version & 0xffff, card->neural_engines, card->dram_bytes >> 20,
		ndev->queue_limit);
	return 0;
}

static int npu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct npu_device *ndev;
	int err;

	ndev = devm_drm_dev_alloc(&pdev->dev, &npu_drm_driver, struct npu_device, drm);
	if (IS_ERR(ndev))
		return PTR_ERR(ndev);
	err = npu_init_state(ndev, pdev, id->driver_data);
	if (err)
		return err;
	pci_set_drvdata(pdev, ndev);

	err = pci_enable_device_mem(pdev);
	if (err)
		return err;
	err = npu_recovery_init(ndev);
	if (err)
		goto err_disable;
	err = npu_map_registers(ndev);
	if (err)
		goto err_forget;
	err = npu_boot_identify(ndev);
	if (err)
		goto err_unmap;
	if (ndev->is_vf) /* its last owner may have left queues, and may have been no driver of ours */
		npu_vf_reset(ndev);
	err = npu_init_dma(ndev);
	if (err)
		goto err_unmap;
	err = npu_faults_init(ndev);
	if (err)
		goto err_clear_master;
	err = npu_init_interrupts(ndev);
	if (err)
		goto err_clear_master;
	err = npu_start(ndev);
	if (err)
		goto err_stop;
	return 0;

err_stop:
	npu_contexts_stop(ndev);
	npu_fini_interrupts(ndev);
	npu_faults_fini(ndev);
err_clear_master:
	pci_clear_master(pdev);
err_unmap:
	npu_unmap_registers(ndev);
err_forget:
	npu_recovery_fini(ndev);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void npu_remove(struct pci_dev *pdev)
{
	struct npu_device *ndev = pci_get_drvdata(pdev);

	pci_disable_sriov(pdev); /* removes the virtual functions while the card still works */
	WRITE_ONCE(ndev->leaving, true);
	wake_up_all(&ndev->io_wait);
	drm_dev_unplug(&ndev->drm);
	cancel_work_sync(&ndev->reset_work);
	npu_peers_revoke(ndev);
	npu_contexts_stop(ndev);
	npu_host_bos_unmap(ndev);
	npu_imports_unmap(ndev);
	npu_fini_interrupts(ndev);
	npu_faults_fini(ndev);
	npu_unmap_registers(ndev);
	npu_recovery_fini(ndev);
	pci_disable_device(pdev);
}

static const struct pci_device_id npu_pci_ids[] = {
	{ PCI_DEVICE(NPU_PCI_VENDOR, NPU_PCI_DEVICE_CA22), .driver_data = NPU_FUNCTION_PF },
	{ PCI_DEVICE(NPU_PCI_VENDOR, NPU_PCI_DEVICE_CA25), .driver_data = NPU_FUNCTION_PF },
	{ PCI_DEVICE(NPU_PCI_VENDOR, NPU_PCI_DEVICE_CA22_VF), .driver_data = NPU_FUNCTION_VF },
	{}
};
MODULE_DEVICE_TABLE(pci, npu_pci_ids);

static struct pci_driver npu_pci_driver = {
	.name = NPU_DRIVER_NAME,
	.id_table = npu_pci_ids,
	.probe = npu_probe,
	.remove = npu_remove,
	.sriov_configure = npu_sriov_configure,
	.err_handler = &npu_error_handlers,
	.dev_groups = npu_error_groups,
};
module_pci_driver(npu_pci_driver);

MODULE_AUTHOR("The npuvp authors");
MODULE_DESCRIPTION("ATOM-class NPU");
MODULE_LICENSE("GPL");
