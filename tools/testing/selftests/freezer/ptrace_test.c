// SPDX-License-Identifier: GPL-2.0
/*
 * Tracers and job control: stops of all kinds are at rest, and a tracer or a
 * SIGCONT does not get a task out of a freeze.
 */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "freezer_test.h"

/* Let the parent trace us, stop, then count. */
static int traced_spin(void *word)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		return 1;
	raise(SIGSTOP);
	return frz_spin(word);
}

static int traced_calls(void *word)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		return 1;
	raise(SIGSTOP);
	for (;;) {
		syscall(SYS_getppid);
		frz_inc(word);
	}
	return 0;
}

/*
 * A task in a ptrace stop is at rest. While FROZEN its tracer (outside) may look
 * at it and let it go, but it runs only after the thaw.
 */
FREEZER_TEST(traced_stop)
{
	unsigned long *word = ASSERT_WORDS(1);
	int status, i;
	pid_t pid;

	pid = ASSERT_PID(frz_spawn(self->cg, traced_spin, word));
	status = frz_wait_stop(pid, 0, FRZ_LIMIT);
	ASSERT_LE(0, status);
	ASSERT_TRUE(WIFSTOPPED(status));
	for (i = 0; i < 10; i++) {
		ASSERT_FREEZES(self->cg);
		errno = 0;
		EXPECT_EQ((long)frz_load(word),
			  ptrace(PTRACE_PEEKDATA, pid, word, 0));
		EXPECT_EQ(0, errno);
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
		ASSERT_BECOMES(self->cg, "FROZEN");
		EXPECT_EQ(0, frz_moved(word, 5));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
		ASSERT_EQ(0, kill(pid, SIGUSR1));
		status = frz_wait_stop(pid, 0, FRZ_LIMIT);
		ASSERT_LE(0, status);
		ASSERT_TRUE(WIFSTOPPED(status));
		EXPECT_EQ(SIGUSR1, WSTOPSIG(status));
	}
}

FIXTURE(tracer) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(tracer) {
	int request;
	bool inside;
	int (*fn)(void *arg);
};

FIXTURE_VARIANT_ADD(tracer, step_outside) {
	.request = PTRACE_SINGLESTEP,
	.fn = traced_spin,
};

FIXTURE_VARIANT_ADD(tracer, step_inside) {
	.request = PTRACE_SINGLESTEP,
	.inside = true,
	.fn = traced_spin,
};

FIXTURE_VARIANT_ADD(tracer, syscall_outside) {
	.request = PTRACE_SYSCALL,
	.fn = traced_calls,
};

FIXTURE_VARIANT_ADD(tracer, syscall_inside) {
	.request = PTRACE_SYSCALL,
	.inside = true,
	.fn = traced_calls,
};

FIXTURE_SETUP(tracer)
{
	freezer_setup(_metadata, (void *)self, NULL);
}

FIXTURE_TEARDOWN(tracer)
{
	freezer_teardown(_metadata, (void *)self, NULL);
}

struct tracer {
	const char *path;
	int request;
	int (*fn)(void *arg);
	unsigned long word;
	unsigned long stops;
	unsigned long bad;
};

/* Let a child go from stop to stop. */
static int trace_loop(void *arg)
{
	struct tracer *t = arg;
	int status;
	pid_t pid;

	pid = frz_spawn(t->path, t->fn, &t->word);
	if (pid < 0)
		return 1;
	for (;;) {
		if (waitpid(pid, &status, __WALL) != pid ||
		    !WIFSTOPPED(status)) {
			frz_inc(&t->bad);
			return 2;
		}
		if (frz_load(&t->stops) && WSTOPSIG(status) != SIGTRAP)
			frz_inc(&t->bad);
		frz_inc(&t->stops);
		if (ptrace(t->request, pid, 0, 0)) {
			frz_inc(&t->bad);
			return 3;
		}
	}
}

/*
 * A tracer drives a child from stop to stop, as fast as it can, from outside of
 * the cgroup or inside of it. Thirty freezes: FROZEN in time, the counter of the
 * child stands, and after the thaw the tracer goes on; it has seen no stop that
 * it did not ask for.
 */
TEST_F_TIMEOUT(tracer, freezes, 90)
{
	struct tracer *t = frz_shared(sizeof(*t));
	int i;

	ASSERT_NE(NULL, t);
	t->path = self->cg;
	t->request = variant->request;
	t->fn = variant->fn;
	ASSERT_PID(frz_spawn(variant->inside ? self->cg : NULL, trace_loop, t));
	ASSERT_EQ(0, frz_wait_word(&t->stops, 10, FRZ_LIMIT));
	for (i = 0; i < 30; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, frz_moved(&t->word, 3)) {
			TH_LOG("round %d", i);
		}
		if (variant->inside)
			ASSERT_EQ(0, frz_moved(&t->stops, 1));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&t->stops, FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_move(&t->word, FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_load(&t->bad));
}

/*
 * A task stopped by SIGSTOP before the freeze is stopped after the thaw, and its
 * parent is told nothing by either. SIGCONT then lets it run, as always.
 */
FREEZER_TEST(jobctl_stop_survives)
{
	unsigned long *word = ASSERT_WORDS(1);
	int status, i;
	pid_t pid;

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	status = frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT);
	ASSERT_LE(0, status);
	ASSERT_TRUE(WIFSTOPPED(status));
	for (i = 0; i < 10; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
		EXPECT_EQ(-ETIMEDOUT,
			  frz_wait_stop(pid, WUNTRACED | WCONTINUED, 3));
		EXPECT_EQ(0, frz_moved(word, 1));
	}
	for (i = 0; i < FRZ_LIMIT && frz_task_state(pid) != 'T'; i++)
		frz_sleep_ms(1);
	EXPECT_EQ('T', frz_task_state(pid));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	status = frz_wait_stop(pid, WCONTINUED, FRZ_LIMIT);
	ASSERT_LE(0, status);
	EXPECT_TRUE(WIFCONTINUED(status));
	EXPECT_RUNS(word);
}

/*
 * SIGCONT for a stopped and frozen task waits for the thaw; then it runs.
 */
FREEZER_TEST(jobctl_cont_while_frozen)
{
	unsigned long *word = ASSERT_WORDS(1);
	int status;
	pid_t pid;

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	status = frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT);
	ASSERT_LE(0, status);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_BECOMES(self->cg, "FROZEN");
	EXPECT_STANDS(word);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(word);
}

/*
 * A SIGSTOP that arrives while FROZEN takes effect at the thaw: the parent is
 * told then, the task has not run in between.
 */
FREEZER_TEST(jobctl_stop_while_frozen)
{
	unsigned long *word = ASSERT_WORDS(1), seen;
	int status;
	pid_t pid;

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_FREEZES(self->cg);
	seen = frz_load(word);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	EXPECT_STANDS(word);
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(-ETIMEDOUT, frz_wait_stop(pid, WUNTRACED, 3));
	ASSERT_THAWS(self->cg);
	status = frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT);
	ASSERT_LE(0, status);
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(seen, frz_load(word));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_RUNS(word);
}

struct stopper {
	unsigned long word;
	unsigned long pid;
	unsigned long rounds;
};

/* Stop and continue a process for ever. */
static int stop_loop(void *arg)
{
	struct stopper *s = arg;

	for (;;) {
		kill(s->pid, SIGSTOP);
		usleep(100);
		kill(s->pid, SIGCONT);
		usleep(100);
		frz_inc(&s->rounds);
	}
	return 0;
}

/*
 * Somebody outside stops and continues a task of the group in a loop. Thirty
 * freezes are FROZEN in time and the counter stands in each.
 */
FREEZER_TEST(jobctl_churn)
{
	struct stopper *s = frz_shared(sizeof(*s));
	unsigned long seen;
	pid_t other;
	int i;

	ASSERT_NE(NULL, s);
	s->pid = ASSERT_SPINNER(self->cg, &s->word);
	other = ASSERT_PID(frz_spawn(NULL, stop_loop, s));
	ASSERT_EQ(0, frz_wait_word(&s->rounds, 3, FRZ_LIMIT));
	for (i = 0; i < 30; i++) {
		ASSERT_FREEZES(self->cg);
		seen = frz_load(&s->word);
		frz_sleep_ms(3);
		ASSERT_EQ(seen, frz_load(&s->word)) {
			TH_LOG("round %d", i);
		}
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&s->word, FRZ_LIMIT));
	}
	ASSERT_EQ(0, kill(other, SIGKILL));
}

TEST_HARNESS_MAIN
