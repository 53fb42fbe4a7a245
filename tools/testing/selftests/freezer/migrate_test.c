// SPDX-License-Identifier: GPL-2.0
/*
 * Migration: a task takes the state of the cgroup it comes to
 * before it runs a user instruction there, and neither cgroup gets stuck.
 *
 *	cg
 *	 |- frozen
 *	 |- other	frozen as well, where a test says so
 *	 `- thawed
 *
 * Clauses: C1, C10, U3.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "freezer_test.h"

struct dirs {
	char frozen[FRZ_PATH_MAX];
	char other[FRZ_PATH_MAX];
	char thawed[FRZ_PATH_MAX];
};

static int make_dirs(const char *cg, struct dirs *d)
{
	return frz_create(d->frozen, cg, "frozen") ?:
	       frz_create(d->other, cg, "other") ?:
	       frz_create(d->thawed, cg, "thawed");
}

#define ASSERT_DIRS(d) ASSERT_EQ(0, make_dirs(self->cg, d))

/*
 * Look at the state and at the counter of a task in @path for @ms: a counter
 * that moved between two looks that both said FROZEN is an escape. Returns how
 * many of them there were, or -1 when FROZEN was not seen at all.
 */
static int escapes(const char *path, const unsigned long *word, int ms)
{
	long long end = frz_now_ns() + ms * 1000000LL;
	int num = 0, looks = 0;
	unsigned long seen;

	do {
		if (frz_state_is(path, "FROZEN") != 1)
			continue;
		seen = frz_load(word);
		usleep(200);
		if (frz_load(word) == seen) {
			looks++;
			continue;
		}
		if (frz_state_is(path, "FROZEN") == 1)
			num++;
	} while (frz_now_ns() < end);
	return looks || num ? num : -1;
}

struct reader {
	char path[FRZ_PATH_MAX];
	unsigned long inside;
	unsigned long looks;
	unsigned long bad;
};

/* What a task reads of the state of its own cgroup, as soon as it is there. */
static int read_own_state(void *arg)
{
	const char *name;
	struct reader *r = arg;
	char text[4096];

	name = strrchr(r->path, '/');
	for (;;) {
		bool inside = !frz_read("/proc/self", "cgroup",
					text, sizeof(text)) && strstr(text, name);

		if (inside) {
			frz_inc(&r->looks);
			if (frz_state_is(r->path, "FROZEN") == 1)
				frz_inc(&r->bad);
		}
		frz_store(&r->inside, inside);
	}
	return 0;
}

static int thaw_it(void *arg)
{
	struct reader *r = arg;

	return frz_thaw(r->path) ? 1 : 0;
}

/*
 * A task that runs in a cgroup does not read there that it is FROZEN: not when it comes
 * in the moment of a thaw either, and finds its door open (C1, U3). INJECT=late-thaw
 * makes that moment long.
 */
FREEZER_TEST(runs_and_reads_frozen)
{
	struct reader *r = frz_shared(sizeof(*r));
	struct dirs d;
	pid_t pid, thaw;
	int i;

	ASSERT_NE(NULL, r);
	ASSERT_DIRS(&d);
	memcpy(r->path, d.frozen, sizeof(r->path));
	pid = ASSERT_PID(frz_spawn(d.thawed, read_own_state, r));
	for (i = 0; i < 100; i++) {
		ASSERT_FREEZES(d.frozen);
		thaw = ASSERT_PID(frz_spawn(NULL, thaw_it, r));
		usleep(i * 30);
		ASSERT_EQ(0, frz_move_process(d.frozen, pid));
		ASSERT_EQ(0, frz_wait_exit(thaw, FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_word(&r->inside, 1, FRZ_LIMIT));
		ASSERT_EQ(0, frz_load(&r->bad)) {
			TH_LOG("round %d, %lu looks", i, frz_load(&r->looks));
		}
		ASSERT_EQ(0, frz_move_process(d.thawed, pid));
		ASSERT_TRUE(frz_until(!frz_load(&r->inside), FRZ_LIMIT));
	}
}

/*
 * A spinning task is moved from THAWED into FROZEN, thirty times: while the
 * state says FROZEN its counter stands, from the first look on; the state comes
 * back to FROZEN in time; moved out again it runs (C10).
 */
FREEZER_TEST(spinner_into_frozen)
{
	unsigned long *word = ASSERT_WORDS(1);
	struct dirs d;
	pid_t pid;
	int i;

	ASSERT_DIRS(&d);
	ASSERT_FREEZES(d.frozen);
	pid = ASSERT_SPINNER(d.thawed, word);
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, frz_move_process(d.frozen, pid));
		ASSERT_LE(escapes(d.frozen, word, 2), 0) {
			TH_LOG("round %d: ran while FROZEN", i);
		}
		ASSERT_BECOMES(d.frozen, "FROZEN");
		ASSERT_EQ(0, escapes(d.frozen, word, 3));
		ASSERT_EQ(0, frz_move_process(d.thawed, pid));
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
	}
	EXPECT_STATE(d.thawed, "THAWED");
	EXPECT_STATE(d.frozen, "FROZEN");
}

/*
 * A FROZEN cgroup that gets a busy task is FREEZING until the task is at rest
 * and then FROZEN again, without a write.
 */
FREEZER_TEST(busy_into_frozen)
{
	struct frz_busy *busy = frz_busy_new(3000);
	struct dirs d;
	pid_t pid;

	ASSERT_DIRS(&d);
	ASSERT_FREEZES(d.frozen);
	pid = ASSERT_BUSY(d.thawed, busy);
	ASSERT_EQ(0, frz_move_process(d.frozen, pid));
	EXPECT_STATE(d.frozen, "FREEZING");
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_EQ(0, frz_wait_state(d.frozen, "FROZEN", 60000));
	EXPECT_EQ(0, frz_load(&busy->returns));
	ASSERT_THAWS(d.frozen);
	EXPECT_EQ(0, frz_wait_word(&busy->returns, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&busy->cut));
}

static int wait_byte(void *arg)
{
	unsigned long *word = arg;
	char c;

	frz_store(&word[1], 1);
	if (read(word[2], &c, 1) == 1)
		frz_store(&word[0], 1);
	else
		frz_store(&word[0], 100 + errno);
	return frz_sleep(NULL);
}

/*
 * A sleeping task moved into FROZEN leaves the state FROZEN; woken there, it
 * does not come out before it is moved back, and its call has succeeded.
 */
FREEZER_TEST(sleeper_into_frozen)
{
	unsigned long *word = ASSERT_WORDS(3);
	struct dirs d;
	int fd[2];
	pid_t pid;

	ASSERT_DIRS(&d);
	ASSERT_EQ(0, pipe(fd));
	word[2] = fd[0];
	ASSERT_FREEZES(d.frozen);
	pid = ASSERT_PID(frz_spawn(d.thawed, wait_byte, word));
	ASSERT_EQ(0, frz_wait_word(&word[1], 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_EQ(0, frz_move_process(d.frozen, pid));
	EXPECT_STATE(d.frozen, "FROZEN");
	ASSERT_EQ(1, write(fd[1], "", 1));
	ASSERT_BECOMES(d.frozen, "FROZEN");
	EXPECT_STANDS(&word[0]);
	ASSERT_EQ(0, frz_move_process(d.thawed, pid));
	EXPECT_EQ(0, frz_wait_word(&word[0], 1, FRZ_LIMIT));
	EXPECT_EQ(1, frz_load(&word[0]));
}

/*
 * Between two FROZEN cgroups a task never runs: its counter stands over a
 * hundred moves, and both states stay FROZEN.
 */
FREEZER_TEST(frozen_to_frozen)
{
	unsigned long *word = ASSERT_WORDS(2), seen;
	struct dirs d;
	pid_t pid[2];
	int i;

	ASSERT_DIRS(&d);
	pid[0] = ASSERT_SPINNER(d.frozen, &word[0]);
	pid[1] = ASSERT_SLEEPER(d.frozen, &word[1]);
	ASSERT_FREEZES(d.frozen);
	ASSERT_FREEZES(d.other);
	seen = frz_load(word);
	for (i = 0; i < 100; i++) {
		const char *to = i & 1 ? d.frozen : d.other;

		ASSERT_EQ(0, frz_move_process(to, pid[0]));
		ASSERT_EQ(0, frz_move_process(to, pid[1]));
		ASSERT_EQ(seen, frz_load(word));
		ASSERT_EQ(1, frz_state_is(to, "FROZEN"));
	}
	EXPECT_STANDS(word);
	EXPECT_STATE(d.other, "FROZEN");
	EXPECT_EQ(2, frz_stat(d.frozen, "nr_tasks"));
	EXPECT_EQ(0, frz_stat(d.other, "nr_tasks"));
	ASSERT_THAWS(d.frozen);
	EXPECT_RUNS(word);
}

/*
 * Out of FROZEN into THAWED a task runs, parked or asleep, and what it left
 * stays FROZEN.
 */
FREEZER_TEST(frozen_to_thawed)
{
	unsigned long *word = ASSERT_WORDS(2);
	struct dirs d;
	pid_t pid[2];
	int i;

	ASSERT_DIRS(&d);
	for (i = 0; i < 2; i++)
		pid[i] = ASSERT_SPINNER(d.frozen, &word[i]);
	ASSERT_FREEZES(d.frozen);
	ASSERT_EQ(0, frz_move_process(d.thawed, pid[0]));
	EXPECT_RUNS(&word[0]);
	EXPECT_STANDS(&word[1]);
	EXPECT_STATE(d.frozen, "FROZEN");
	EXPECT_STATE(d.thawed, "THAWED");
}

#define NR_THREADS	3

struct threads {
	unsigned long word[NR_THREADS];
	unsigned long tid[NR_THREADS];
};

static struct threads *threads;

static void *thread_fn(void *arg)
{
	long i = (long)arg;

	frz_store(&threads->tid[i], syscall(SYS_gettid));
	frz_spin(&threads->word[i]);
	return NULL;
}

static int run_threads(void *arg)
{
	pthread_t thread;
	long i;

	threads = arg;
	for (i = 1; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, thread_fn, (void *)i))
			return 1;
	thread_fn(NULL);
	return 0;
}

/*
 * One thread alone is moved into FROZEN: it stops, its siblings run; then the
 * leader; then they are moved back and all run.
 */
FREEZER_TEST(single_threads)
{
	struct threads *t = frz_shared(sizeof(*t));
	struct dirs d;
	int i;

	ASSERT_NE(NULL, t);
	frz_threads_apart();
	ASSERT_DIRS(&d);
	ASSERT_FREEZES(d.frozen);
	ASSERT_PID(frz_spawn(d.thawed, run_threads, t));
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, frz_wait_move(&t->word[i], FRZ_LIMIT));

	ASSERT_EQ(0, frz_move_thread(d.frozen, t->tid[1]));
	ASSERT_BECOMES(d.frozen, "FROZEN");
	EXPECT_STANDS(&t->word[1]);
	EXPECT_RUNS(&t->word[0]);
	EXPECT_RUNS(&t->word[2]);

	ASSERT_EQ(0, frz_move_thread(d.frozen, t->tid[0]));
	ASSERT_BECOMES(d.frozen, "FROZEN");
	EXPECT_STANDS(&t->word[0]);
	EXPECT_STANDS(&t->word[1]);
	EXPECT_RUNS(&t->word[2]);

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, frz_move_thread(d.thawed, t->tid[i]));
	for (i = 0; i < NR_THREADS; i++)
		EXPECT_RUNS(&t->word[i]);
}

/*
 * Two hundred moves to and fro, of a task that spins, while the cgroup it comes
 * to is frozen and thawed by another process: at the end both states are what
 * was asked for, the task runs where it is thawed and stands where it is not.
 */
static int toggle(void *path)
{
	for (;;) {
		frz_write_nonblock(path, "freezer.state", "FROZEN");
		usleep(500);
		frz_write_nonblock(path, "freezer.state", "THAWED");
		usleep(500);
	}
	return 0;
}

FREEZER_TEST(no_wedge)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t pid, other;
	struct dirs d;
	int i;

	ASSERT_DIRS(&d);
	pid = ASSERT_SPINNER(d.thawed, word);
	other = ASSERT_PID(frz_spawn(NULL, toggle, d.frozen));
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, frz_move_process(i & 1 ? d.thawed : d.frozen,
					      pid));
	ASSERT_EQ(0, kill(other, SIGKILL));
	ASSERT_LE(0, frz_wait_exit(other, FRZ_LIMIT));
	EXPECT_RUNS(word);
	EXPECT_STATE(d.thawed, "THAWED");
	ASSERT_FREEZES(d.frozen);
	ASSERT_EQ(0, frz_move_process(d.frozen, pid));
	ASSERT_BECOMES(d.frozen, "FROZEN");
	EXPECT_STANDS(word);
	ASSERT_THAWS(d.frozen);
	EXPECT_STATE(d.frozen, "THAWED");
	EXPECT_RUNS(word);
}

/*
 * A task moved out of a cgroup that is FREEZING because of it, into one that is
 * FREEZING as well: the first is FROZEN, the second waits for it.
 */
FREEZER_TEST(freezing_to_freezing)
{
	struct frz_busy *busy = frz_busy_new(4000);
	struct dirs d;
	pid_t pid;

	ASSERT_DIRS(&d);
	pid = ASSERT_BUSY(d.frozen, busy);
	ASSERT_EQ(0, frz_write_nonblock(d.frozen, "freezer.state", "FROZEN"));
	EXPECT_STATE(d.frozen, "FREEZING");
	ASSERT_FREEZES(d.other);
	ASSERT_EQ(0, frz_move_process(d.other, pid));
	EXPECT_STATE(d.frozen, "FROZEN");
	EXPECT_STATE(d.other, "FREEZING");
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_EQ(0, frz_wait_state(d.other, "FROZEN", 60000));
	EXPECT_EQ(0, frz_load(&busy->returns));
}

TEST_HARNESS_MAIN
