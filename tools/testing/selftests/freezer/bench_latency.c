// SPDX-License-Identifier: GPL-2.0
/*
 * For how long interrupts are off while a crowd is frozen, thawed and looked at.
 *
 * On one CPU a task of the highest priority sleeps again and again for 25 us.
 * When its timer is due in the middle of a section with interrupts, or
 * preemption, disabled, it is late by what is left of the section, and the
 * longest delay over many of them is the length of the longest, but for that of
 * the sleep. "nothing" is the same with nobody at work: what a wake-up takes
 * alone.
 *
 * The crowd are threads, which wait for a word or spin, and get no CPU while one
 * of the operations is measured:
 *
 *   freeze of sleepers     the write of FROZEN with all of them asleep
 *   thaw of sleepers       their thaw
 *   freeze of runnable     the write of FROZEN with all of them on the run queue
 *   blockers of another    freezer.blockers of another cgroup, while all of them
 *                          are busy: on their way to the door
 *   blockers of the crowd  freezer.blockers of their own
 *   stat of the crowd      freezer.stat
 *   killable of the crowd  a write of 1 to freezer.killable
 *   thaw of parked         their thaw when they wait at the door
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define PERIOD_NS	25000
#define THREADS		1000

/* What is read of a file at once */
#define READ_SIZE	(1024 * 1024)

static struct {
	uint32_t go;		/* the crowd spins */
	unsigned long ready;
	unsigned long longest_ns;
} *shared;

static void futex_all(uint32_t *word, int op, uint32_t value)
{
	syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void *crowd_thread(void *unused)
{
	frz_inc(&shared->ready);
	for (;;) {
		while (!__atomic_load_n(&shared->go, __ATOMIC_SEQ_CST))
			futex_all(&shared->go, FUTEX_WAIT, 0);
	}
	return unused;
}

static int crowd_process(void *arg)
{
	int i, n = *(int *)arg;
	pthread_attr_t attr;
	pthread_t thread;

	bench_policy(SCHED_OTHER);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN);
	for (i = 1; i < n; i++)
		if (pthread_create(&thread, &attr, crowd_thread, NULL))
			return 1;
	crowd_thread(NULL);
	return 0;
}

/* The task that is late. */
static void *sampler(void *unused)
{
	struct sched_param param = { .sched_priority = 99 };
	int64_t next = 0;

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		bench_fail("sched_setscheduler", -errno);
	for (;;) {
		int64_t late, now = frz_now_ns();
		struct timespec ts;

		if (next < now)
			next = now + PERIOD_NS;
		ts.tv_sec = next / 1000000000;
		ts.tv_nsec = next % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		late = frz_now_ns() - next;
		next += PERIOD_NS;
		if (late > (int64_t)frz_load(&shared->longest_ns))
			frz_store(&shared->longest_ns, late);
	}
	return unused;
}

static int64_t measure_start;

/* Does not sleep, or the crowd would run. */
static void measure_begins(void)
{
	frz_store(&shared->longest_ns, 0);
	measure_start = frz_now_ns();
}

static void measure_ends(struct bench_series *late, struct bench_series *took)
{
	/* The sampler goes first, so it has seen to all up to now. */
	bench_add(took, (frz_now_ns() - measure_start) / 1e3);
	bench_add(late, frz_load(&shared->longest_ns) / 1e3);
}

enum latency_op {
	NOTHING,
	FREEZE_ASLEEP,
	THAW_ASLEEP,
	FREEZE_RUNNABLE,
	BLOCKERS_OTHER,
	BLOCKERS_OWN,
	STAT_OWN,
	KILLABLE_OWN,
	THAW_PARKED,
	NR_OPS
};

static const char * const op_name[] = {
	[NOTHING]		= "nothing",
	[FREEZE_ASLEEP]		= "freeze of sleepers",
	[THAW_ASLEEP]		= "thaw of sleepers",
	[FREEZE_RUNNABLE]	= "freeze of runnable",
	[BLOCKERS_OTHER]	= "blockers of another",
	[BLOCKERS_OWN]		= "blockers of the crowd",
	[STAT_OWN]		= "stat of the crowd",
	[KILLABLE_OWN]		= "killable of the crowd",
	[THAW_PARKED]		= "thaw of parked",
};

static struct bench_series late_of[NR_OPS], took_of[NR_OPS];

static void write_file(const char *path, const char *file, const char *text,
		       enum latency_op op)
{
	int err;

	measure_begins();
	err = frz_write_nonblock(path, file, text);
	measure_ends(&late_of[op], &took_of[op]);
	if (err)
		bench_fail(text, err);
}

/* Returns the number of lines. */
static int read_file(const char *path, const char *file, enum latency_op op)
{
	static char text[READ_SIZE];
	char name[FRZ_PATH_MAX + 64];
	int fd, lines = 0;
	ssize_t i, n;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, O_RDONLY);
	if (fd < 0) {
		bench_fail(file, -errno);
		return 0;
	}
	measure_begins();
	while ((n = read(fd, text, sizeof(text))) > 0)
		for (i = 0; i < n; i++)
			lines += text[i] == '\n';
	measure_ends(&late_of[op], &took_of[op]);
	if (n < 0)
		bench_fail(file, -errno);
	close(fd);
	return lines;
}

/*
 * Or the crowd would get five percent of the CPU beside a realtime task, and
 * would not be busy for long.
 */
static void realtime_takes_all(void)
{
	frz_write("/proc/sys/kernel", "sched_rt_runtime_us", "-1");
	frz_write("/sys/kernel/debug/sched/fair_server/cpu0", "runtime", "0");
}

static void crowd_goes(bool go)
{
	__atomic_store_n(&shared->go, go, __ATOMIC_SEQ_CST);
	if (go)
		futex_all(&shared->go, FUTEX_WAKE, INT_MAX);
	else
		bench_wait_quiet();
}

static void one_round(const char *crowd, const char *other, int n)
{
	int lines;

	measure_begins();
	frz_sleep_ms(10);
	measure_ends(&late_of[NOTHING], &took_of[NOTHING]);

	write_file(crowd, "freezer.state", "FROZEN", FREEZE_ASLEEP);
	if (frz_wait_state(crowd, "FROZEN", BENCH_LIMIT_MS))
		bench_fail("sleepers are not FROZEN", 0);
	write_file(crowd, "freezer.state", "THAWED", THAW_ASLEEP);

	/* From here on they have work to do, and nobody sleeps for long. */
	crowd_goes(true);
	write_file(crowd, "freezer.state", "FROZEN", FREEZE_RUNNABLE);
	lines = read_file(other, "freezer.blockers", BLOCKERS_OTHER);
	if (lines)
		bench_fail("blockers of a cgroup without", lines);
	lines = read_file(crowd, "freezer.blockers", BLOCKERS_OWN);
	if (lines < n / 2)
		bench_fail("not many busy tasks were left", lines);
	read_file(crowd, "freezer.stat", STAT_OWN);
	write_file(crowd, "freezer.killable", "1", KILLABLE_OWN);

	if (frz_wait_state(crowd, "FROZEN", BENCH_LIMIT_MS))
		bench_fail("the crowd does not park", 0);
	write_file(crowd, "freezer.state", "THAWED", THAW_PARKED);
	crowd_goes(false);
}

/* The longest section of each kind, with a crowd of @n. */
void bench_latency(int n, int rounds)
{
	int i, k, made, per_process = n < THREADS ? n : THREADS;
	char crowd[FRZ_PATH_MAX], other[FRZ_PATH_MAX];
	pthread_t thread;

	bench_progress("latency with %d tasks", n);
	shared = frz_shared(sizeof(*shared));
	if (!shared || frz_create(crowd, NULL, "freezer_bench") ||
	    frz_create(other, NULL, "freezer_bench_other")) {
		bench_fail("the cgroups cannot be made", -errno);
		return;
	}
	for (made = 0; made < n && !bench_failed; made += per_process) {
		pid_t pid = frz_spawn(crowd, crowd_process, &per_process);

		if (pid < 0)
			bench_fail("fork", pid);
		else if (frz_wait_word(&shared->ready, made + per_process,
				       BENCH_LIMIT_MS))
			bench_fail("threads", frz_load(&shared->ready));
	}
	frz_spawn(other, frz_sleep, NULL);
	bench_wait_quiet();
	realtime_takes_all();
	bench_policy(SCHED_FIFO);
	if (pthread_create(&thread, NULL, sampler, NULL))
		bench_fail("pthread_create", 0);
	for (i = 0; i < rounds && !bench_failed; i++)
		one_round(crowd, other, made);
	for (k = 0; k < NR_OPS; k++) {
		char what[64];

		snprintf(what, sizeof(what), "%s: late", op_name[k]);
		bench_report("latency", what, "v1", made, "us", &late_of[k]);
		snprintf(what, sizeof(what), "%s: took", op_name[k]);
		bench_report("latency", what, "v1", made, "us", &took_of[k]);
	}
	bench_policy(SCHED_OTHER);
	frz_destroy(other, BENCH_LIMIT_MS);
	frz_destroy(crowd, BENCH_LIMIT_MS);
}
