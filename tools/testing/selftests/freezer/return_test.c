// SPDX-License-Identifier: GPL-2.0
/*
 * The way back to user mode at the thaw: what a restarted call has left of its
 * time, no signal that is none, and no restartable sequence in its middle.
 *
 * Clauses: C13.
 */
#include <sys/epoll.h>

#include "freezer_test.h"

struct sleep {
	struct timespec ts;
	unsigned long begun;
	unsigned long done;
	long ret;
	long long begin_ns;
	long long end_ns;
};

static int sleep_once(void *arg)
{
	struct sleep *s = arg;

	s->begin_ns = frz_now_ns();
	frz_inc(&s->begun);
	s->ret = nanosleep(&s->ts, NULL) ? -errno : 0;
	s->end_ns = frz_now_ns();
	frz_inc(&s->done);
	return frz_sleep(NULL);
}

/*
 * A nanosleep() that was interrupted by a stop goes on with what is left of it
 * (the restart block), also when it was frozen in between and when the SIGCONT
 * came while it was frozen (C13).
 */
FREEZER_TEST(restart_block)
{
	struct sleep *s = frz_shared(sizeof(*s));
	int status;
	pid_t pid;

	ASSERT_NE(NULL, s);
	s->ts.tv_sec = 2;
	pid = ASSERT_PID(frz_spawn(self->cg, sleep_once, s));
	ASSERT_EQ(0, frz_wait_word(&s->begun, 1, FRZ_LIMIT));
	/* Not in a sleep on the way to it. */
	frz_sleep_ms(5);
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, frz_load(&s->done));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&s->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, s->ret);
	EXPECT_LE(2000000000LL, s->end_ns - s->begin_ns);
}

struct turns {
	unsigned long spin;
	unsigned long go;
	unsigned long entered;
	unsigned long done;
	unsigned long eintr;
	int fd[2];
};

/* Spin until told, then wait in a call that any stray signal would end. */
static int spin_then_wait(void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	struct turns *t = arg;
	unsigned long turn;
	char c;

	if (epoll_ctl(ep, EPOLL_CTL_ADD, t->fd[0], &ev))
		return 1;
	for (turn = 1;; turn++) {
		while (frz_load(&t->go) < turn)
			frz_inc(&t->spin);
		frz_inc(&t->entered);
		if (epoll_wait(ep, &ev, 1, -1) != 1)
			frz_inc(&t->eintr);
		if (read(t->fd[0], &c, 1) != 1)
			frz_inc(&t->eintr);
		frz_inc(&t->done);
	}
	return 0;
}

/*
 * After a thaw nothing is left that looks like a signal: a task that was frozen
 * in user mode goes into epoll_wait(), which a stale TIF_SIGPENDING would end
 * with EINTR. Thirty times.
 */
FREEZER_TEST(no_stale_sigpending)
{
	struct turns *t = frz_shared(sizeof(*t));
	int i;

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, pipe(t->fd));
	ASSERT_PID(frz_spawn(self->cg, spin_then_wait, t));
	for (i = 1; i <= 30; i++) {
		ASSERT_EQ(0, frz_wait_move(&t->spin, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		frz_store(&t->go, i);
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_word(&t->entered, i, FRZ_LIMIT));
		frz_sleep_ms(2);
		ASSERT_EQ(1, write(t->fd[1], "x", 1));
		ASSERT_EQ(0, frz_wait_word(&t->done, i, FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_load(&t->eintr));
}

#if defined(__x86_64__) && defined(__GLIBC__) && \
	(__GLIBC__ > 2 || __GLIBC_MINOR__ >= 35)
#include <sys/rseq.h>

struct cs_words {
	unsigned long spin;
	unsigned long aborts;
};

/*
 * A restartable sequence that never ends by itself: only its abort leaves it,
 * counts, and begins again.
 */
static int endless_rseq(void *arg)
{
	struct rseq *rs = (void *)((char *)__builtin_thread_pointer() +
				   __rseq_offset);
	struct cs_words *w = arg;

	if (!__rseq_size)
		return 1;
	for (;;) {
		asm volatile(".pushsection __rseq_cs, \"aw\"\n\t"
			     ".balign 32\n"
			     "3:\n\t"
			     ".long 0, 0\n\t"
			     ".quad 1f, 2f - 1f, 4f\n\t"
			     ".popsection\n\t"
			     "leaq 3b(%%rip), %%rax\n\t"
			     "movq %%rax, %[cs]\n"
			     "1:\n\t"
			     "incq %[spin]\n\t"
			     "jmp 1b\n"
			     "2:\n\t"
			     ".byte 0x0f, 0xb9, 0x3d\n\t"
			     ".long 0x53053053\n"
			     "4:\n\t"
			     : [cs] "=m" (rs->rseq_cs), [spin] "+m" (w->spin)
			     : : "rax", "memory", "cc");
		frz_inc(&w->aborts);
	}
	return 0;
}

/*
 * A task frozen inside of a restartable sequence (rseq) leaves it by its abort
 * when it thaws, as after any preemption: while it was away others have used
 * its CPU. The few instructions outside of the sequence are allowed for.
 */
FREEZER_TEST(rseq_is_aborted)
{
	struct cs_words *w = frz_shared(sizeof(*w));
	unsigned long aborts;
	int i, hits = 0;

	ASSERT_NE(NULL, w);
	ASSERT_PID(frz_spawn(self->cg, endless_rseq, w));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, frz_wait_move(&w->spin, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		EXPECT_EQ(0, frz_moved(&w->spin, 2));
		aborts = frz_load(&w->aborts);
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&w->spin, FRZ_LIMIT));
		hits += frz_load(&w->aborts) > aborts;
	}
	EXPECT_LE(15, hits);
}
#endif

TEST_HARNESS_MAIN
