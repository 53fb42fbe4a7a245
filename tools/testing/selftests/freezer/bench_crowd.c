// SPDX-License-Identifier: GPL-2.0
/*
 * Freezing and thawing crowds: N processes that sleep in the same way, in four
 * ways, or that spin.
 *
 *   freeze       from the request until the caller knows that all is frozen:
 *                the return of the blocking write where a write waits, else
 *                reads of freezer.state; v2: poll of cgroup.events until
 *                "frozen 1"; SIGSTOP: kill() of the process group, and waitid()
 *                of each
 *   after        work that the kernel and the crowd do after that moment
 *   thaw, write  the write (or kill()), until it returns
 *   thaw, all    the same and all work of kernel and crowd after it, until
 *   work         everybody is asleep again; not for spinners, who never are
 *
 * Work after a call is what is stolen from a SCHED_IDLE task that does nothing
 * but read the clock: gaps between its readings, until nothing but the usual
 * ticks has been seen for a while, less what these take. So deferred work,
 * interrupts and kernel threads count as well.
 *
 * "walk" is the floor: a read-only walk over the crowd, as little as there is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

/* Nothing has happened for so long: several ticks. */
#define QUIET_NS	12000000LL
/* The end of all patience, and of the time at rest that is the comparison. */
#define QUIET_LIMIT_NS	2000000000LL

/* A gap above this is more than a tick, @tick_ns. */
static int64_t tick_ns;
/* What is stolen from each nanosecond at rest. */
static double at_rest;

/*
 * The time that others took from a SCHED_IDLE task, until they have taken no
 * more than ticks do for QUIET_NS, or for just @window if that is not 0.
 */
static double stolen(int64_t window)
{
	int64_t start = frz_now_ns(), last = start, busy = start, sum = 0;
	int64_t shortest = INT64_MAX, longest = 0;

	bench_policy(SCHED_IDLE);
	while (last - (window ? start : busy) < (window ?: QUIET_NS) &&
	       last - start < QUIET_LIMIT_NS) {
		int64_t now = frz_now_ns(), gap = now - last;

		if (gap < shortest)
			shortest = gap;
		if (gap > 2 * shortest) {
			sum += gap - shortest;
			if (gap > longest)
				longest = gap;
			if (gap > 2 * tick_ns)
				busy = now;
		}
		last = now;
	}
	bench_policy(SCHED_OTHER);
	if (window) {
		tick_ns = longest;
		at_rest = (double)sum / (last - start);
		return 0;
	}
	sum -= at_rest * (last - start);
	return sum > 0 ? sum : 0;
}

static void measure(struct bench_group *group, enum bench_method how,
		    int rounds, enum bench_kind kind)
{
	static struct bench_series frozen, after, write, work;
	const char *name = bench_method_name[how];
	bool spins = kind == BENCH_SPIN;
	char what[64];
	int i;

	frozen.nr = 0;
	after.nr = 0;
	write.nr = 0;
	work.nr = 0;
	/* The first round only warms up. */
	for (i = 0; i <= rounds && !bench_failed; i++) {
		int64_t start = frz_now_ns();
		double us[4] = { 0 };

		bench_freeze(group, how);
		us[0] = (frz_now_ns() - start) / 1e3;
		if (!spins)
			us[1] = stolen(0) / 1e3;
		start = frz_now_ns();
		bench_thaw(group, how);
		us[2] = (frz_now_ns() - start) / 1e3;
		if (spins)
			frz_sleep_ms(5);
		else
			us[3] = us[2] + stolen(0) / 1e3;
		if (!i)
			continue;
		bench_add(&frozen, us[0]);
		bench_add(&after, us[1]);
		bench_add(&write, us[2]);
		bench_add(&work, us[3]);
	}
	snprintf(what, sizeof(what), "%s: freeze", bench_kind_name[kind]);
	bench_report("crowd", what, name, group->size, "us", &frozen);
	if (!spins) {
		snprintf(what, sizeof(what), "%s: after", bench_kind_name[kind]);
		bench_report("crowd", what, name, group->size, "us", &after);
	}
	snprintf(what, sizeof(what), "%s: thaw, write", bench_kind_name[kind]);
	bench_report("crowd", what, name, group->size, "us", &write);
	if (!spins) {
		snprintf(what, sizeof(what), "%s: thaw, all work",
			 bench_kind_name[kind]);
		bench_report("crowd", what, name, group->size, "us", &work);
	}
}

/* getpriority() of a process group looks at each of its tasks once. */
static void measure_walk(struct bench_group *group, enum bench_kind kind)
{
	static struct bench_series s;
	char what[64];
	int i;

	s.nr = 0;
	for (i = 0; i < 11; i++) {
		int64_t start = frz_now_ns();

		getpriority(PRIO_PGRP, group->pids[0]);
		bench_add(&s, (frz_now_ns() - start) / 1e3);
	}
	snprintf(what, sizeof(what), "%s: walk", bench_kind_name[kind]);
	bench_report("crowd", what, "-", group->size, "us", &s);
}

static void one_crowd(int n, enum bench_kind kind, int rounds)
{
	struct bench_group group;
	enum bench_method how;

	bench_progress("%d x %s", n, bench_kind_name[kind]);
	/* Or the spinners would not let us in. */
	if (kind == BENCH_SPIN)
		bench_policy(SCHED_FIFO);
	if (!bench_group_create(&group, "freezer_bench")) {
		bench_crowd_start(&group, n, kind);
		if (kind != BENCH_SPIN) {
			bench_wait_quiet();
			stolen(100000000);
		}
		if (!bench_failed)
			measure_walk(&group, kind);
		for (how = 0; how < BENCH_NR_METHODS && !bench_failed; how++)
			if (bench_wanted(how))
				measure(&group, how, rounds, kind);
		bench_group_destroy(&group);
	}
	if (kind == BENCH_SPIN)
		bench_policy(SCHED_OTHER);
}

/* Crowds of @min, 10 * @min, ..., @max of each kind. */
void bench_crowds(int min, int max, int rounds)
{
	enum bench_kind kind;
	int n, more;

	for (n = min; n <= max && !bench_failed; n *= 10) {
		more = n < 10000 ? 2 * rounds + 1 : rounds;
		for (kind = 0; kind < BENCH_NR_KINDS && !bench_failed; kind++)
			if (bench_kind_wanted(kind) &&
			    (kind != BENCH_MIX || n >= 4))
				one_crowd(n, kind, more);
	}
}

static void read_state(struct bench_group *group, const char *state, int rounds)
{
	static struct bench_series kept, opened;
	char what[64], path[FRZ_PATH_MAX + 32], text[32];
	int i;

	if (frz_state_is(group->v1, state) != 1) {
		bench_progress("state %s was not to be had", state);
		return;
	}
	snprintf(path, sizeof(path), "%s/freezer.state", group->v1);
	kept.nr = 0;
	opened.nr = 0;
	for (i = 0; i < rounds; i++) {
		int64_t start = frz_now_ns();
		int fd;

		if (pread(group->v1_fd, text, sizeof(text), 0) <= 0)
			bench_fail("read of the state", -errno);
		bench_add(&kept, (frz_now_ns() - start) / 1e3);
		start = frz_now_ns();
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
			bench_fail("read of the state", -errno);
		close(fd);
		bench_add(&opened, (frz_now_ns() - start) / 1e3);
	}
	if (frz_state_is(group->v1, state) != 1)
		bench_fail("the state has changed while it was read", 0);
	snprintf(what, sizeof(what), "%s: pread", state);
	bench_report("read", what, "v1", group->size, "us", &kept);
	snprintf(what, sizeof(what), "%s: open, read, close", state);
	bench_report("read", what, "v1", group->size, "us", &opened);
}

/*
 * Beside the crowd a task that spins; on one CPU it cannot come to rest as
 * long as a realtime task, the caller, does not sleep.
 */
static void read_freezing(struct bench_group *group, int rounds)
{
	char path[FRZ_PATH_MAX + 32];
	pid_t pid;
	int fd;

	snprintf(path, sizeof(path), "%s/freezer.state", group->v1);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			;
	}
	frz_move_process(group->v1, pid);
	frz_sleep_ms(10);
	bench_policy(SCHED_FIFO);
	if (fd < 0 || write(fd, "FROZEN", 6) != 6)
		bench_fail("O_NONBLOCK write of FROZEN", -errno);
	read_state(group, "FREEZING", rounds);
	bench_policy(SCHED_OTHER);
	close(fd);
	bench_thaw(group, BENCH_V1);
	kill(pid, SIGKILL);
	if (frz_wait_exit(pid, BENCH_LIMIT_MS) < 0)
		bench_fail("the spinning process does not die", pid);
}

/* Reading the state of a crowd of @n in each state. */
void bench_reading(int n, int rounds)
{
	struct bench_group group;

	bench_progress("reading the state of %d", n);
	if (bench_group_create(&group, "freezer_bench"))
		return;
	bench_crowd_start(&group, n, BENCH_MIX);
	bench_wait_quiet();
	read_state(&group, "THAWED", rounds);
	bench_freeze(&group, BENCH_V1);
	read_state(&group, "FROZEN", rounds);
	bench_thaw(&group, BENCH_V1);
	bench_wait_quiet();
	read_freezing(&group, rounds);
	bench_group_destroy(&group);
}
