// SPDX-License-Identifier: GPL-2.0
/*
 * Temperature, power, energy and voltage of the card as a hwmon device, and all of its telemetry in
 * debugfs. The card is asked when somebody reads; a card that nobody looks at sends nothing.
 */

#include <linux/dma-mapping.h>
#include <linux/hwmon.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>

#include <firmware/abi/telemetry.h>

#include "npu_drv.h"
#include "npu_hwmon.h"

#define NPU_MILLIDEGREES 1000
#define NPU_THROTTLE_MC (75 * NPU_MILLIDEGREES)
#define NPU_ABORT_MC (85 * NPU_MILLIDEGREES)
#define NPU_SHUTDOWN_MC (115 * NPU_MILLIDEGREES)

/* Readers of one value after the other get them of one page. */
#define NPU_TELEMETRY_AGE_MS 20

struct npu_hwmon {
	struct npu_device *ndev;
	struct mutex lock; /* protects the fields below */
	struct npu_telemetry
		*page; /* written by the card; freed when it is no bus master any more */
	dma_addr_t page_address;
	struct npu_telemetry last;
	unsigned long read_at; /* jiffies; valid if last.magic is */
};

static const char *const npu_rails[NPU_TELEMETRY_RAILS] = { "neural", "system", "dram", "pcie" };

static int npu_hwmon_update(struct npu_hwmon *hwmon)
{
	struct npu_device *ndev = hwmon->ndev;
	u32 words[NPU_MAILBOX_WORDS] = {
		[1] = lower_32_bits(hwmon->page_address),
		[2] = upper_32_bits(hwmon->page_address),
	};
	int index, err;

	lockdep_assert_held(&hwmon->lock);
	if (hwmon->last.magic == NPU_TELEMETRY_MAGIC &&
	    time_before(jiffies, hwmon->read_at + msecs_to_jiffies(NPU_TELEMETRY_AGE_MS)))
		return 0;
	if (!drm_dev_enter(&ndev->drm, &index))
		return -ENODEV;
	err = npu_io_stopped(ndev) ? -EAGAIN : npu_mailbox_call(ndev, NPU_MESSAGE_TELEMETRY, words);
	drm_dev_exit(index);
	if (err)
		return err;
	hwmon->last = *hwmon->page;
	hwmon->read_at = jiffies;
	if (hwmon->last.magic != NPU_TELEMETRY_MAGIC ||
	    hwmon->last.version != NPU_TELEMETRY_VERSION) {
		hwmon->last.magic = 0;
		return -EPROTO;
	}
	return 0;
}

static int npu_hwmon_value(const struct npu_telemetry *page, enum hwmon_sensor_types type,
			   u32 attribute, int channel, long *value)
{
	switch (type) {
	case hwmon_temp:
		*value = attribute == hwmon_temp_highest ? page->peak_mc : page->temperature_mc;
		return 0;
	case hwmon_power:
		*value = (long)page->power_mw[channel] * 1000;
		return 0;
	case hwmon_energy:
		*value = page->energy_uj[channel];
		return 0;
	case hwmon_in:
		*value = page->voltage_mv[channel];
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int npu_hwmon_read(struct device *dev, enum hwmon_sensor_types type, u32 attribute,
			  int channel, long *value)
{
	struct npu_hwmon *hwmon = dev_get_drvdata(dev);
	int err;

	if (type == hwmon_temp && attribute == hwmon_temp_max) {
		*value = NPU_THROTTLE_MC;
		return 0;
	}
	if (type == hwmon_temp && attribute == hwmon_temp_crit) {
		*value = NPU_ABORT_MC;
		return 0;
	}
	if (type == hwmon_temp && attribute == hwmon_temp_emergency) {
		*value = NPU_SHUTDOWN_MC;
		return 0;
	}
	mutex_lock(&hwmon->lock);
	err = npu_hwmon_update(hwmon);
	if (!err)
		err = npu_hwmon_value(&hwmon->last, type, attribute, channel, value);
	mutex_unlock(&hwmon->lock);
	return err;
}

static int npu_hwmon_read_string(struct device *dev, enum hwmon_sensor_types type, u32 attribute,
				 int channel, const char **text)
{
	*text = type == hwmon_temp ? "die" : npu_rails[channel];
	return 0;
}

static umode_t npu_hwmon_is_visible(const void *data, enum hwmon_sensor_types type, u32 attribute,
				    int channel)
{
	return 0444;
}

static const struct hwmon_channel_info *const npu_hwmon_channels[] = {
	HWMON_CHANNEL_INFO(temp, HWMON_T_INPUT | HWMON_T_LABEL | HWMON_T_HIGHEST | HWMON_T_MAX |
					 HWMON_T_CRIT | HWMON_T_EMERGENCY),
	HWMON_CHANNEL_INFO(power, HWMON_P_INPUT | HWMON_P_LABEL, HWMON_P_INPUT | HWMON_P_LABEL,
			   HWMON_P_INPUT | HWMON_P_LABEL, HWMON_P_INPUT | HWMON_P_LABEL),
	HWMON_CHANNEL_INFO(energy, HWMON_E_INPUT | HWMON_E_LABEL, HWMON_E_INPUT | HWMON_E_LABEL,
			   HWMON_E_INPUT | HWMON_E_LABEL, HWMON_E_INPUT | HWMON_E_LABEL),
	HWMON_CHANNEL_INFO(in, HWMON_I_INPUT | HWMON_I_LABEL, HWMON_I_INPUT | HWMON_I_LABEL,
			   HWMON_I_INPUT | HWMON_I_LABEL, HWMON_I_INPUT | HWMON_I_LABEL),
	NULL
};

static const struct hwmon_ops npu_hwmon_ops = {
	.is_visible = npu_hwmon_is_visible,
	.read = npu_hwmon_read,
	.read_string = npu_hwmon_read_string,
};

static const struct hwmon_chip_info npu_hwmon_chip = {
	.ops = &npu_hwmon_ops,
	.info = npu_hwmon_channels,
};

static void npu_hwmon_print(struct seq_file *m, const struct npu_telemetry *page)
{
	static const char *const clocks[NPU_TELEMETRY_CLOCKS] = { "cp", "dc1", "dc2", "bus",
								  "shm" };
	static const char *const states[] = { "normal", "throttle", "abort", "shutdown" };
	unsigned int i;

	seq_printf(m, "card_time_ns %llu\ntemperature_mc %d\npeak_mc %d\nambient_mc %d\n",
		   page->time_ns, page->temperature_mc, page->peak_mc, page->ambient_mc);
	seq_printf(m, "thermal %s\nthrottles %u\npstate P%u\nhost_pstate %u\n",
		   page->thermal_state < ARRAY_SIZE(states) ? states[page->thermal_state] : "?",
		   page->throttles, page->pstate, page->host_pstate);
	for (i = 0; i < NPU_TELEMETRY_RAILS; i++)
		seq_printf(m, "rail %s %u mW %u mV %llu uJ\n", npu_rails[i], page->power_mw[i],
			   page->voltage_mv[i], page->energy_uj[i]);
	for (i = 0; i < NPU_TELEMETRY_CLOCKS; i++)
		seq_printf(m, "clock %s %u kHz\n", clocks[i], page->clock_khz[i]);
	seq_printf(m, "jobs running %u ok %llu failed %llu aborted %llu waiting %u\n",
		   page->jobs_running, page->jobs_ok, page->jobs_failed, page->jobs_aborted,
		   page->queue_depth);
	seq_printf(m, "reset_cause %u\nwatchdog_resets %u\nself_test 0x%x\nevents %u\n",
		   page->reset_cause, page->watchdog_resets, page->self_test, page->events);
}

static int npu_hwmon_show(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct npu_device *ndev = to_npu_device(entry->dev);
	struct npu_hwmon *hwmon = ndev->hwmon;
	int err;

	mutex_lock(&hwmon->lock);
	err = npu_hwmon_update(hwmon);
	if (!err)
		npu_hwmon_print(m, &hwmon->last);
	mutex_unlock(&hwmon->lock);
	return err;
}

/* Of the physical function, whose firmware runs. A card without it works all the same. */
void npu_hwmon_init(struct npu_device *ndev)
{
	struct device *dev = npu_dev(ndev);
	struct npu_hwmon *hwmon;
	struct device *registered;

	if (ndev->is_vf)
		return;
	hwmon = devm_kzalloc(dev, sizeof(*hwmon), GFP_KERNEL);
	if (!hwmon)
		return;
	hwmon->page =
		dmam_alloc_coherent(dev, sizeof(*hwmon->page), &hwmon->page_address, GFP_KERNEL);
	if (!hwmon->page)
		return;
	hwmon->ndev = ndev;
	if (devm_mutex_init(dev, &hwmon->lock))
		return;
	ndev->hwmon = hwmon;
	registered = devm_hwmon_device_register_with_info(dev, NPU_DRIVER_NAME, hwmon,
							  &npu_hwmon_chip, NULL);
	if (IS_ERR(registered))
		dev_warn(dev, "no hwmon device: %pe\n", registered);
	drm_debugfs_add_file(&ndev->drm, "telemetry", npu_hwmon_show, NULL);
}
