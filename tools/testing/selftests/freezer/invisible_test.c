// SPDX-License-Identifier: GPL-2.0
/*
 * A freeze and a thaw do not touch a sleeping task, in the world v2 either
 * (U25).
 *
 * Clauses: C13, C16, U25.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "freezer_test.h"
#include "uring_util.h"

static int in_pause(void *arg)
{
	frz_inc(arg);
	pause();
	return 0;
}

static int in_nanosleep(void *arg)
{
	struct timespec ts = { .tv_sec = 3600 };

	frz_inc(arg);
	nanosleep(&ts, NULL);
	return 0;
}

static int in_read(void *arg)
{
	int fd[2];
	char c;

	if (pipe(fd))
		return 1;
	frz_inc(arg);
	return read(fd[0], &c, 1);
}

static int in_epoll(void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	int fd = eventfd(0, 0);

	if (ep < 0 || fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		return 1;
	frz_inc(arg);
	return epoll_wait(ep, &ev, 1, -1);
}

static int in_poll(void *arg)
{
	frz_inc(arg);
	return poll(NULL, 0, 3600 * 1000);
}

static int in_waitpid(void *arg)
{
	if (!fork())
		return frz_sleep(arg);
	return waitpid(-1, NULL, 0);
}

FIXTURE(quiet) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(quiet) {
	int (*fn)(void *arg);
};

FIXTURE_VARIANT_ADD(quiet, pause) {
	.fn = in_pause,
};

FIXTURE_VARIANT_ADD(quiet, nanosleep) {
	.fn = in_nanosleep,
};

FIXTURE_VARIANT_ADD(quiet, pipe_read) {
	.fn = in_read,
};

FIXTURE_VARIANT_ADD(quiet, epoll_wait) {
	.fn = in_epoll,
};

FIXTURE_VARIANT_ADD(quiet, poll) {
	.fn = in_poll,
};

FIXTURE_VARIANT_ADD(quiet, waitpid) {
	.fn = in_waitpid,
};

FIXTURE_SETUP(quiet)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(quiet)
{
	FRZ_GROUP_END(self->cg);
}

/*
 * A hundred freezes and thaws of a cgroup with one sleeper do not run it once
 * (C13): its context switches, voluntary or not, are as many as before. A
 * figure that grows is a wake-up, with its cost and its risk, that nobody asked
 * for.
 */
TEST_F_TIMEOUT(quiet, no_wakeups, 90)
{
	unsigned long *word = ASSERT_WORDS(1);
	long long own, forced;
	pid_t pid;
	int i;

	pid = ASSERT_PID(frz_spawn(self->cg, variant->fn, word));
	ASSERT_EQ(0, frz_wait_word(word, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	/* In its last sleep, not in one before: unchanged for a while. */
	do {
		own = frz_proc_status(pid, "voluntary_ctxt_switches");
		frz_settle();
	} while (own != frz_proc_status(pid, "voluntary_ctxt_switches"));
	ASSERT_LT(0, own);
	forced = frz_proc_status(pid, "nonvoluntary_ctxt_switches");

	for (i = 0; i < 100; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
	}
	EXPECT_EQ(own, frz_proc_status(pid, "voluntary_ctxt_switches"));
	EXPECT_EQ(forced, frz_proc_status(pid, "nonvoluntary_ctxt_switches"));
	EXPECT_EQ('S', frz_task_state(pid));
}

/*
 * A frozen cgroup elsewhere costs others nothing (C16): a sleeper in a thawed
 * sibling is not run by the freezes of its neighbour either.
 *
 *	cg
 *	 |- frozen	frozen and thawed
 *	 `- quiet	the sleeper
 */
FREEZER_TEST(siblings_are_left_alone)
{
	char frozen[FRZ_PATH_MAX], quiet[FRZ_PATH_MAX];
	unsigned long *word = ASSERT_WORDS(2);
	long long own;
	pid_t pid;
	int i;

	ASSERT_EQ(0, frz_create(frozen, self->cg, "frozen"));
	ASSERT_EQ(0, frz_create(quiet, self->cg, "quiet"));
	ASSERT_SPINNER(frozen, &word[0]);
	pid = ASSERT_SLEEPER(quiet, &word[1]);
	frz_settle();
	own = frz_proc_status(pid, "voluntary_ctxt_switches");
	for (i = 0; i < 50; i++) {
		ASSERT_FREEZES(frozen);
		ASSERT_THAWS(frozen);
	}
	EXPECT_EQ(own, frz_proc_status(pid, "voluntary_ctxt_switches"));
	EXPECT_RUNS(&word[0]);
}

struct uring_wait {
	unsigned long ready;
	int pipe[2];
};

/* Wait with io_uring for a byte that does not come. */
static int in_uring_read(void *arg)
{
	struct uring_wait *w = arg;
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ,
		.fd = w->pipe[0],
		.addr = (unsigned long)&w->ready,
		.len = 1,
	};
	struct ring r;

	if (make_ring(&r, 0))
		return 1;
	queue_sqe(&r, &sqe);
	if (enter(&r, 1, 0, 0) != 1)
		return 2;
	frz_inc(&w->ready);
	for (;;)
		enter(&r, 0, 1, IORING_ENTER_GETEVENTS);
}

/* How many tasks wait for I/O now, or -1. */
static int waiting_for_io(void)
{
	static const char key[] = "procs_blocked ";
	static char text[65536];
	const char *at;

	if (frz_read("/proc", "stat", text, sizeof(text)))
		return -1;
	at = strstr(text, key);
	return at ? atoi(at + strlen(key)) : -1;
}

/*
 * A task that waits for I/O when it is frozen waits for its thaw then: the I/O wait of
 * the machine, and io.pressure, do not count it (C13, U25).
 *
 * A failure means that a frozen job makes a monitor say that the disks are too slow.
 */
FREEZER_TEST(waits_for_no_io)
{
	struct uring_wait *w = frz_shared(sizeof(*w));

	ASSERT_NE(NULL, w);
	ASSERT_EQ(0, pipe(w->pipe));
	ASSERT_PID(frz_spawn(self->cg, in_uring_read, w));
	ASSERT_EQ(0, frz_wait_word(&w->ready, 1, FRZ_LIMIT));
	ASSERT_TRUE(frz_until(waiting_for_io() > 0, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	EXPECT_TRUE(frz_until(!waiting_for_io(), FRZ_LIMIT)) {
		TH_LOG("%d wait for I/O", waiting_for_io());
	}
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	close(w->pipe[0]);
	close(w->pipe[1]);
}

TEST_HARNESS_MAIN
