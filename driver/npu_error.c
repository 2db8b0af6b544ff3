// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's PCI code calls around errors (AER, DPC) and resets (function-level and bus, also
 * through sysfs), and counters of them. Each handler runs in a process of the kernel or of the
 * administrator with the lock of the struct device held, so none meets probe, remove,
 * sriov_configure or another handler of the same function.
 */

#include <linux/pci.h>
#include <linux/sysfs.h>

#include "npu_crash.h"
#include "npu_drv.h"
#include "npu_error.h"
#include "npu_recovery.h"
#include "npu_update.h"

static pci_ers_result_t npu_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct npu_device *ndev = pci_get_drvdata(pdev);

	switch (state) {
	case pci_channel_io_normal:
		/* One transaction failed, the job it belonged to reports it. Queues go on. */
		dev_warn(&pdev->dev, "non-fatal PCIe error\n");
		return PCI_ERS_RESULT_CAN_RECOVER;
	case pci_channel_io_frozen:
		dev_err(&pdev->dev, "fatal PCIe error: jobs are aborted\n");
		npu_stop_io(ndev);
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		dev_err(&pdev->dev, "the PCIe link is lost for good: jobs are aborted\n");
		npu_stop_io(ndev);
		mutex_lock(&ndev->control_lock);
		npu_give_up(ndev, -ENODEV);
		mutex_unlock(&ndev->control_lock);
		return PCI_ERS_RESULT_DISCONNECT;
	}
}

static pci_ers_result_t npu_mmio_enabled(struct pci_dev *pdev)
{
	struct npu_device *ndev = pci_get_drvdata(pdev);
	u32 words[NPU_MAILBOX_WORDS] = { 0 };
	bool works;

	mutex_lock(&ndev->control_lock);
	/*
	 * Nothing runs on a dead card. A reset for each error that the last reset itself has caused
	 * would never end.
	 */
	works = ndev->dead ||
		(npu_card_works(ndev) && !npu_mailbox_call(ndev, NPU_MESSAGE_PING, words));
	mutex_unlock(&ndev->control_lock);
	return works ? PCI_ERS_RESULT_RECOVERED : PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t npu_slot_reset(struct pci_dev *pdev)
{
	struct npu_device *ndev = pci_get_drvdata(pdev);

	npu_stop_io(ndev); /* after a non-fatal error the queues still run */
	return npu_restart_io(ndev) ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_RECOVERED;
}

static void npu_resume(struct pci_dev *pdev)
{
	npu_resume_io(pci_get_drvdata(pdev));
}

static void npu_reset_prepare(struct pci_dev *pdev)
{
	dev_info(&pdev->dev, "reset by the kernel: jobs are aborted\n");
	npu_stop_io(pci_get_drvdata(pdev));
}

static void npu_reset_done(struct pci_dev *pdev)
{
	struct npu_device *ndev = pci_get_drvdata(pdev);

	if (!npu_restart_io(ndev))
		npu_resume_io(ndev);
}

static void npu_cor_error_detected(struct pci_dev *pdev)
{
	struct npu_device *ndev = pci_get_drvdata(pdev);

	atomic_inc(&ndev->correctable_errors);
}

const struct pci_error_handlers npu_error_handlers = {
	.error_detected = npu_error_detected,
	.mmio_enabled = npu_mmio_enabled,
	.slot_reset = npu_slot_reset,
	.resume = npu_resume,
	.reset_prepare = npu_reset_prepare,
	.reset_done = npu_reset_done,
	.cor_error_detected = npu_cor_error_detected,
};

static ssize_t correctable_errors_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct npu_device *ndev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", atomic_read(&ndev->correctable_errors));
}
static DEVICE_ATTR_RO(correctable_errors);

static ssize_t recoveries_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct npu_device *ndev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(ndev->recoveries));
}
static DEVICE_ATTR_RO(recoveries);

static struct attribute *npu_error_attributes[] = {
	&dev_attr_correctable_errors.attr,
	&dev_attr_recoveries.attr,
	&dev_attr_firmware_update.attr,
	&dev_attr_firmware_commit.attr,
	NULL,
};

static struct bin_attribute *npu_error_bin_attributes[] = {
	&bin_attr_crash_dumps,
	NULL,
};

static const struct attribute_group npu_error_group = {
	.name = "npu",
	.attrs = npu_error_attributes,
	.bin_attrs = npu_error_bin_attributes,
};

const struct attribute_group *npu_error_groups[] = { &npu_error_group, NULL };
