/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_SRIOV_H_
#define _NPU_SRIOV_H_

struct npu_card;
struct npu_device;
struct pci_dev;

int npu_sriov_configure(struct pci_dev *pdev, int num_vfs);
int npu_sriov_partition(struct npu_device *ndev, unsigned int vfs, struct npu_card *card);

int npu_vf_await_card(struct npu_device *ndev);
int npu_vf_hello(struct npu_device *ndev, struct npu_card *card);
void npu_vf_reset(struct npu_device *ndev);

#endif
