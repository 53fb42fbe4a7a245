/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Churn: what the runner (churn_run.c) and the judge (churn_judge.c) share.
 */
#ifndef CHURN_RUN_H
#define CHURN_RUN_H

#include "churn.h"

/* In cgroup v2 a task that is blocked may be waited for before (U3). */
#define LATE_MS		(1000 + run.patience_ms)
/* A task that may run has this long to show that it does. */
#define ALIVE_MS	10000
/* Of each kind of fault this many are described. */
#define NOTES_MAX	3

/**
 * struct churn_run - the mode that this process runs
 * @mode: what the crowd does
 * @opt: what was asked for
 * @res: what was found
 * @first: the cgroup that is frozen, and ...
 * @last: ... the last one of its subtree
 * @state_fd: freezer.state of @first, to read
 * @waits: a write of FROZEN waits
 * @by_path: by cgroup v2, alone or too: no descriptors are kept
 * @patience_ms: for how long cgroup v2 waits for a blocked task
 * @nr: number of the freeze, from 1
 */
struct churn_run {
	const struct churn_mode *mode;
	const struct churn_options *opt;
	struct churn_result *res;
	int first;
	int last;
	int state_fd;
	bool waits;
	bool by_path;
	int patience_ms;
	int nr;
};

extern struct churn_run run;

/* Only the first few faults of each kind are described. */
#define FAULT(counter, ...)						\
do {									\
	if (((counter)++ < NOTES_MAX && !(run.mode->flags & MODE_JUDGE)) ||	\
	    run.opt->verbose)						\
		churn_note(__VA_ARGS__);				\
} while (0)

/* A line about the freeze that is under way. */
void churn_note(const char *fmt, ...);
/*
 * Sleep between two looks: @us at least, the longer the more time has gone by
 * @since, and not past @deadline by more than that.
 */
void look_again(int64_t since, int64_t deadline, int us);
/* The state as it reads now; whether it is FROZEN. */
bool read_state(char state[32]);
uint64_t slot_count(int i);
/* Wait until all counters have moved on from @since; the number that did not. */
int wait_moving(const uint64_t *since, bool bystanders, int timeout_ms);
/*
 * FROZEN was seen, by a freeze that took @freeze_ns, of which the machine has lost
 * @lost_ns, and no mover is at work: nothing at all may happen.
 */
void check_window(int64_t freeze_ns, int64_t lost_ns);
/* The same with the mover at work, for the tasks that were not moved. */
void check_moving_window(void);
/* churn_run.c: wait for the children that have ended */
void reap_children(bool stopping);

#endif /* CHURN_RUN_H */
