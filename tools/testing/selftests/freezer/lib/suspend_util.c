// SPDX-License-Identifier: GPL-2.0
/*
 * How to suspend the machine.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "freezer_util.h"
#include "suspend_util.h"

#define FRZ_RTC		"/sys/class/rtc/rtc0"

const struct frz_suspend frz_tasks_only = { "freeze", "freezer" };

long frz_suspends(const char *which)
{
	char buf[64];

	return frz_read(FRZ_POWER "/suspend_stats", which, buf, sizeof(buf)) ?
	       -1 : atol(buf);
}

/* A wake-up from now on, also one that comes before we sleep, ends a suspend. */
static int frz_expect_wakeup(void)
{
	char count[64];
	int err = frz_read(FRZ_POWER, "wakeup_count", count, sizeof(count));

	return err ? err : frz_write(FRZ_POWER, "wakeup_count", count);
}

int frz_alarm(int seconds)
{
	char text[16];
	int err = frz_write(FRZ_RTC, "wakealarm", "0");

	snprintf(text, sizeof(text), "+%d", seconds);
	return err ? err : frz_write(FRZ_RTC, "wakealarm", text);
}

/*
 * Really sleep. An alarm that comes too early, on a slow machine, makes the
 * suspend fail and not last for ever; then once more, with more time.
 */
static int frz_sleep_system(const char *state)
{
	int seconds, err;

	for (seconds = 6; seconds < 60; seconds *= 3) {
		err = frz_expect_wakeup();
		if (!err)
			err = frz_alarm(seconds);
		if (!err)
			err = frz_write(FRZ_POWER, "state", state);
		if (err != -EBUSY)
			break;
	}
	/* If it was not what has woken us, it is in nobody's way. */
	frz_write(FRZ_RTC, "wakealarm", "0");
	return err;
}

int frz_suspend(const struct frz_suspend *how)
{
	int err;

	if (!strcmp(how->level, "off")) {
		err = frz_write(FRZ_POWER, "disk", "shutdown");
		return err ? err : frz_write(FRZ_POWER, "state", how->state);
	}
	if (!strcmp(how->level, "none"))
		return frz_sleep_system(how->state);
	/* Tests of suspend last 5 s unless told otherwise. */
	frz_write("/sys/module/suspend/parameters", "pm_test_delay", "0");
	err = frz_write(FRZ_POWER, "pm_test", how->level);
	if (!err)
		err = frz_write(FRZ_POWER, "state", how->state);
	frz_write(FRZ_POWER, "pm_test", "none");
	return err;
}
