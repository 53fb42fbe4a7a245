/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of suspend share: how to suspend the machine, as far as the
 * kernel's own test of suspend goes or for real, woken by its clock.
 */
#ifndef SUSPEND_UTIL_H
#define SUSPEND_UTIL_H

#define FRZ_POWER	"/sys/power"

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
long frz_suspends(const char *which);

/* The clock is to wake the machine then: 0 or -errno. */
int frz_alarm(int seconds);

/* Suspend and resume: 0 or -errno. */
int frz_suspend(const struct frz_suspend *how);

/* Only the tasks are frozen and thawed again. */
extern const struct frz_suspend frz_tasks_only;

#endif /* SUSPEND_UTIL_H */
