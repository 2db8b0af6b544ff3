/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NPU_BOOT_H_
#define _NPU_BOOT_H_

#define NPU_FIRMWARE_FILE "npu/atom-ca22.bin" /* below /lib/firmware */

struct npu_card;
struct npu_device;

int npu_boot_identify(struct npu_device *ndev);
int npu_boot_reset(struct npu_device *ndev);
int npu_boot_enter_rom(struct npu_device *ndev);
int npu_boot_hello(struct npu_device *ndev, struct npu_card *card);
int npu_boot_firmware(struct npu_device *ndev, struct npu_card *card);

#endif
