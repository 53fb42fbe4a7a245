/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of suspend share: how to suspend the machine, as far as the
 * kernel's own test of suspend goes or for real, woken by its clock.
 */
#ifndef SUSPEND_TEST_H
#define SUSPEND_TEST_H

#include "freezer_test.h"

#define FRZ_POWER	"/sys/power"
#define FRZ_RTC		"/sys/class/rtc/rtc0"

/*
 * What is written to /sys/power/state, and how far down that goes: a level of
 * /sys/power/pm_test, "none" for a machine that really sleeps, or "off" for one
 * that is hibernated, switched off, and started again by somebody.
 */
struct frz_suspend {
	const char *state;
	const char *level;
};

/* How often the machine was suspended, and how often that failed. */
static inline long frz_suspends(const char *which)
{
	char buf[64];

	return frz_read(FRZ_POWER "/suspend_stats", which, buf, sizeof(buf)) ?
	       -1 : atol(buf);
}

/* A wake-up from now on, also one that comes before we sleep, ends a suspend. */
static inline int frz_expect_wakeup(void)
{
	char count[64];
	int err = frz_read(FRZ_POWER, "wakeup_count", count, sizeof(count));

	return err ? err : frz_write(FRZ_POWER, "wakeup_count", count);
}

static inline int frz_alarm(int seconds)
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
static inline int frz_sleep_system(const char *state)
{
	int seconds, err;

	for (seconds = 3; seconds < 60; seconds *= 3) {
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

static inline int frz_suspend(const struct frz_suspend *how)
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

/* Only the tasks are frozen and thawed again. */
static const struct frz_suspend frz_tasks_only = { "freeze", "freezer" };

#endif /* SUSPEND_TEST_H */
