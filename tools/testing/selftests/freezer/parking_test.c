// SPDX-License-Identifier: GPL-2.0
/*
 * Thaws, kills and tracers that meet a task on its way into the freeze: after
 * its last look at the door it is not asleep yet, and whoever lets it go must
 * not take it for one that runs.
 *
 * On PREEMPT_RT that way is long. The spinlocks on it sleep, and while a task
 * waits for one its state is that of the lock, and the real one is put aside.
 *
 * How many rounds: the environment's STORM_ROUNDS, or ROUNDS for as long as
 * STORM_SECONDS.
 *
 * Clauses: C5, C8, C9, C13.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "freezer_test.h"

#define ROUNDS		400
#define STORM_SECONDS	8

/* More than CPUs, so that tasks stand in line for the locks. */
#define SPINNERS	64
#define THREADS		16
#define TRACEES		8
#define NAPPERS		8

/* A round is over before the tasks of the last one have all parked, at times. */
#define PAUSE_US	300

static int setting(const char *name, int value)
{
	const char *text = getenv(name);

	return text ? atoi(text) : value;
}

struct storm {
	int64_t end;
	int rounds;
	int round;
	unsigned int seed;
};

static void storm_begins(struct storm *s)
{
	memset(s, 0, sizeof(*s));
	s->rounds = setting("STORM_ROUNDS", ROUNDS);
	s->end = frz_now_ns() + 1000000000LL *
		 setting("STORM_SECONDS",
			 getenv("STORM_ROUNDS") ? 86400 : STORM_SECONDS);
}

static bool storm_goes_on(struct storm *s)
{
	return s->round++ < s->rounds && frz_now_ns() < s->end;
}

/*
 * Ahead of the tasks of the group: a thaw is not to wait until the last of them
 * has parked.
 */
static void hurry(void)
{
	struct sched_param param = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

static int on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* Ask for the freeze, wait for nothing but some microseconds. */
static int begin_freeze(const char *cg, struct storm *s)
{
	int err = frz_write_nonblock(cg, "freezer.state", "FROZEN");

	usleep(rand_r(&s->seed) % PAUSE_US);
	return err;
}

/* The first of @num words that does not move on in time, or @num. */
static int stuck(const unsigned long *word, int num)
{
	unsigned long *seen = calloc(num, sizeof(*seen));
	int i;

	if (!seen)
		return 0;
	for (i = 0; i < num; i++)
		seen[i] = frz_load(&word[i]);
	i = 0;
	frz_until_busy(({
		while (i < num && frz_load(&word[i]) != seen[i])
			i++;
		i == num || usleep(100);
	}), FRZ_LIMIT);
	free(seen);
	return i;
}

/*
 * What stands although nobody asks for it is freed by another freeze and thaw, so
 * that a failed test can be cleaned up.
 */
static void free_the_stuck(const char *cg)
{
	frz_write_nonblock(cg, "freezer.state", "FROZEN");
	frz_sleep_ms(100);
	frz_write_nonblock(cg, "freezer.state", "THAWED");
}

/* Spin, and let the next one. */
static int yield_for_ever(void *word)
{
	for (;;) {
		frz_inc(word);
		sched_yield();
	}
	return 0;
}

/*
 *	CPU 0 (the thaw)			CPU 1 (a task that parks)
 *
 *						state = TASK_FROZEN
 *						closed? yes
 *						waits for css_set_lock: its
 *						state is TASK_RTLOCK_WAIT
 *	closed = 0
 *	TASK_FROZEN? no, not to be woken
 *						state = TASK_FROZEN, sleeps
 *
 * Sixty-four tasks spin. Each round asks for FROZEN, thaws after up to 300 us,
 * while they stand in line to park, and waits until each counter moves on. A
 * failure is a task that sleeps, and cannot be killed, in a group that is THAWED
 * (C5).
 */
FREEZER_LONG_TEST(thaw_meets_parking)
{
	unsigned long *word = ASSERT_WORDS(SPINNERS);
	struct storm storm;
	int i;

	for (i = 0; i < SPINNERS; i++)
		ASSERT_PID(frz_spawn(self->cg, yield_for_ever, &word[i]));
	ASSERT_EQ(SPINNERS, stuck(word, SPINNERS));
	hurry();
	storm_begins(&storm);
	while (storm_goes_on(&storm)) {
		ASSERT_EQ(0, begin_freeze(self->cg, &storm));
		ASSERT_THAWS(self->cg);
		i = stuck(word, SPINNERS);
		if (i < SPINNERS)
			free_the_stuck(self->cg);
		ASSERT_EQ(SPINNERS, i) {
			TH_LOG("round %d: a task stands, and the group is THAWED",
			       storm.round);
		}
	}
	TH_LOG("%d rounds", storm.round - 1);
}

struct process {
	unsigned long word[THREADS];
};

static void *yield_thread(void *word)
{
	yield_for_ever(word);
	return NULL;
}

static int yield_threads(void *arg)
{
	struct process *p = arg;
	pthread_t thread;
	int i;

	for (i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, yield_thread, &p->word[i]))
			return 1;
	return yield_for_ever(&p->word[0]);
}

/*
 * The same with a kill in place of the thaw, and freezer.killable 1: a process
 * of sixteen threads is killed while they stand in line to park. All of them
 * leave (C9), nobody thaws, and the group is FROZEN without them (C8). A
 * failure is a thread that parks in spite of its SIGKILL, and keeps the process
 * from its end.
 */
FREEZER_LONG_TEST(kill_meets_parking)
{
	struct process *p = frz_shared(sizeof(*p));
	struct storm storm;
	int status;
	pid_t pid;

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	hurry();
	storm_begins(&storm);
	while (storm_goes_on(&storm)) {
		memset(p, 0, sizeof(*p));
		pid = ASSERT_PID(frz_spawn(self->cg, yield_threads, p));
		ASSERT_EQ(THREADS, stuck(p->word, THREADS));
		ASSERT_EQ(0, begin_freeze(self->cg, &storm));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		status = frz_wait_exit(pid, FRZ_LIMIT);
		if (status < 0)
			free_the_stuck(self->cg);
		ASSERT_LE(0, status) {
			TH_LOG("round %d: a killed thread stays",
			       storm.round);
		}
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
		ASSERT_BECOMES(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
	}
	TH_LOG("%d rounds", storm.round - 1);
}

/*
 * The same with a tracer: eight tasks are told to stop while they park
 * (PTRACE_INTERRUPT). Each does, though nobody thaws; the tracer lets them go, the
 * group is FROZEN, and they run after the thaw. A failure is a debugger that waits
 * for a stop that does not come.
 */
FREEZER_LONG_TEST(trap_meets_parking)
{
	unsigned long *word = ASSERT_WORDS(TRACEES);
	pid_t pid[TRACEES];
	struct storm storm;
	int i, status;

	for (i = 0; i < TRACEES; i++) {
		pid[i] = ASSERT_PID(frz_spawn(self->cg, yield_for_ever,
					      &word[i]));
		ASSERT_EQ(0, frz_wait_move(&word[i], FRZ_LIMIT));
		ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid[i], 0, 0));
	}
	hurry();
	storm_begins(&storm);
	while (storm_goes_on(&storm)) {
		ASSERT_EQ(0, begin_freeze(self->cg, &storm));
		for (i = 0; i < TRACEES; i++)
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid[i], 0, 0));
		for (i = 0; i < TRACEES; i++) {
			status = frz_wait_stop(pid[i], __WALL, FRZ_LIMIT);
			if (status < 0)
				free_the_stuck(self->cg);
			ASSERT_LE(0, status) {
				TH_LOG("round %d: a tracee does not stop",
				       storm.round);
			}
			ASSERT_EQ(0, ptrace(PTRACE_CONT, pid[i], 0, 0));
		}
		ASSERT_BECOMES(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(TRACEES, stuck(word, TRACEES));
	}
	TH_LOG("%d rounds", storm.round - 1);
}

/* Sleep for so short a time that the timer is due before the sleep has begun. */
static int nap_for_ever(void *word)
{
	struct timespec nap = { .tv_nsec = 20000 };

	if (on_cpu(1))
		return 1;
	for (;;) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
		frz_inc(word);
	}
	return 0;
}

/*
 *	CPU 0 (the thaw)			CPU 1 (a task that falls asleep)
 *
 *						frozen in place: TASK_FROZEN,
 *						and its sleep in saved_state
 *						timer interrupt: is it the
 *						sleep in saved_state?
 *	restores the sleep
 *						then keep the wake-up there
 *						goes to sleep, for ever
 *
 * Eight tasks sleep for 20 us again and again, on CPU 1, where their timers
 * are. From CPU 0 the group is frozen and thawed. Every fifty times each
 * counter has to move on. A failure is a wake-up that was lost: a sleep that
 * does not end (C13).
 */
FREEZER_LONG_TEST(thaw_meets_own_timer)
{
	unsigned long *word = ASSERT_WORDS(NAPPERS);
	struct storm storm;
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "takes two CPUs");
	for (i = 0; i < NAPPERS; i++)
		ASSERT_PID(frz_spawn(self->cg, nap_for_ever, &word[i]));
	ASSERT_EQ(NAPPERS, stuck(word, NAPPERS));
	ASSERT_EQ(0, on_cpu(0));
	hurry();
	storm_begins(&storm);
	while (storm_goes_on(&storm)) {
		int k;

		for (k = 0; k < 50; k++) {
			ASSERT_EQ(0, frz_write_nonblock(self->cg,
							"freezer.state",
							"FROZEN"));
			ASSERT_EQ(0, frz_thaw(self->cg));
		}
		ASSERT_EQ(NAPPERS, stuck(word, NAPPERS)) {
			TH_LOG("round %d: a sleep does not end, and the group is THAWED",
			       storm.round);
		}
	}
	TH_LOG("%d rounds of 50", storm.round - 1);
}

TEST_HARNESS_MAIN
