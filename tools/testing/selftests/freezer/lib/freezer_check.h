/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cgroup of a test, the limits of its waits, and what most tests look at,
 * for programs with and without kselftest_harness.h.
 */
#ifndef FREEZER_CHECK_H
#define FREEZER_CHECK_H

#include "freezer_util.h"

/*
 * Limits, not expectations: how long a test waits for what must come. Large,
 * for an emulated machine with lockdep and KASAN; the freezer's own time limit
 * (10 s unless changed) ends most waits earlier.
 */
#define FRZ_LIMIT	20000
#define FRZ_FREEZE	12000

/* Limits for what comes at once or never: a state after a write, a notice. */
#define FRZ_AT_ONCE	4000

/* For how long a test looks at what must not move. */
#define FRZ_WATCH	30

/*
 * C9: a task on its way out that has been in one sleep for 100 ms is at rest, and may
 * leave the list of tasks after FROZEN. These are 100 ms of real time, also where the
 * task that it waits for had no CPU. Could that be in a freeze that took a while?
 * Then a list from which a task has gone says nothing of the kernel, and the test
 * freezes once more; more than FRZ_LISTS_UNJUDGED such lists are a failure, and so is
 * each task that has come. A list behind a freeze in which the machine has lost
 * FRZ_LISTS_LOST_MS or more (freezer_lost.h) has a bound of its own. Never where the
 * groups are in cgroup v2, which waits for longer.
 */
#define FRZ_LISTS_UNJUDGED	3
#define FRZ_LISTS_LOST		20
#define FRZ_LISTS_LOST_MS	40

/**
 * struct frz_lists - the lists of a test that are not judged
 * @nr: all of them
 * @nr_lost: those where the machine had lost time
 */
struct frz_lists {
	int nr;
	int nr_lost;
};

/*
 * Tasks have gone from a list, behind a freeze that took @freeze_ns, of which the
 * machine has lost @lost_ns. True: it is not judged, which @lists counts.
 */
bool frz_list_is_unjudged(struct frz_lists *lists, int64_t freeze_ns, int64_t lost_ns);

/*
 * A cgroup for a test in @cg, selftest_<program>: 0, -ENODEV when the kernel has
 * no freezer, or -errno. The remains of a test that was killed are removed
 * before the next one begins, those of the last one when the program ends.
 */
int frz_group_make(char cg[FRZ_PATH_MAX]);

/* The same below the root of a hierarchy that has been found before. */
int frz_group_below(char cg[FRZ_PATH_MAX], const char *root);

/* Thaw, kill and remove all of it: 0 or -errno. */
int frz_group_end(const char *cg);

/* Is this the program itself, and none of its children? */
bool frz_is_main(void);

/*
 * The functions below return text for EXPECT_STREQ(): a report then shows what
 * was seen. The buffers are good for one check.
 */

/* The content of a file, or why it cannot be read. */
const char *frz_content(const char *path, const char *file);

/* State and blockers in a line. */
const char *frz_describe(const char *path);

/* Reach a state in time: "", or what is in the way. */
const char *frz_becomes(const char *path, const char *state, int timeout_ms);

/* FROZEN by a write, THAWED by a write and at the first look: the same. */
const char *frz_freezes(const char *path);
const char *frz_thaws(const char *path);

/* Wait until a file says @content: "", or what it says instead. */
const char *becomes_content(const char *path, const char *file,
			    const char *content);

/*
 * A number that cgroup v2 has no file for (freezer_v2.h): there it is taken for
 * what it should be.
 */
int64_t frz_or_missing(const char *path, int64_t value, int64_t want);

/* What a kill of a frozen task does: end it now, or at the thaw. */
bool frz_killable(const char *path);

/* Wait until /proc/<tid>/stat shows @state: 0 or -errno. */
int wait_task_state(pid_t tid, int state);

/* A process in @path that counts up @word in user mode, seen doing so. */
pid_t frz_spinner(const char *path, unsigned long *word);

/* A process in @path that sleeps in pause(), seen asleep. */
pid_t frz_sleeper(const char *path, unsigned long *word);

/* A process in @path that is inside of one long call, see struct frz_busy. */
pid_t frz_busy_one(const char *path, struct frz_busy *busy);

#endif /* FREEZER_CHECK_H */
