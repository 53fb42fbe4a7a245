// SPDX-License-Identifier: GPL-2.0
/*
 * Debuggers and frozen tasks: a tracer attaches to a task that is frozen, looks
 * at it, changes it and lets it go, all without a thaw and without a user
 * instruction of the task. On a kernel whose freezer comes before the
 * ptrace stop the attach hangs until the thaw, and so does gdb.
 *
 * Clauses: C9, U12.
 */
#include <dirent.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "freezer_test.h"
#include "regs.h"
#include "syscalls.h"

/* For how long nothing may come: a stop, a step. */
#define NOTHING_MS	20

#define NUM_THREADS	4

/* A tracee. @word counts up; @poked is what the tracer writes. */
struct tracee {
	unsigned long word;
	unsigned long bad;
	unsigned long handled;
	unsigned long poked;
	int event;
};

static struct tracee *me;

static void count_signal(int sig)
{
	frz_inc(&me->handled);
}

static int spin(void *arg)
{
	me = arg;
	signal(SIGUSR1, count_signal);
	return frz_spin(&me->word);
}

/* In a sleep that is frozen in place; only a signal ends it. */
static int sleep_long(void *arg)
{
	struct timespec ts = { .tv_sec = 100000 };
	struct tracee *t = arg;

	frz_inc(&t->word);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	frz_inc(&t->bad);
	return 0;
}

/* In the read of an eventfd, a sleep that cannot be frozen in place. */
static int read_event(void *arg)
{
	struct tracee *t = arg;
	eventfd_t value;

	for (;;) {
		frz_inc(&t->word);
		if (eventfd_read(t->event, &value))
			frz_inc(&t->bad);
	}
	return 0;
}

static int call(void *arg)
{
	struct tracee *t = arg;

	for (;;) {
		syscall(SYS_getppid);
		frz_inc(&t->word);
	}
	return 0;
}

FIXTURE(debugger) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(debugger) {
	int (*fn)(void *arg);
	bool seize;
	bool asleep;
	bool stopped;
	bool queued;
};

FIXTURE_VARIANT_ADD(debugger, attach_parked) {
	.fn = spin,
};

FIXTURE_VARIANT_ADD(debugger, seize_parked) {
	.fn = spin,
	.seize = true,
};

FIXTURE_VARIANT_ADD(debugger, attach_in_place) {
	.fn = sleep_long,
	.asleep = true,
};

FIXTURE_VARIANT_ADD(debugger, seize_in_place) {
	.fn = sleep_long,
	.asleep = true,
	.seize = true,
};

FIXTURE_VARIANT_ADD(debugger, attach_asleep) {
	.fn = read_event,
	.asleep = true,
};

FIXTURE_VARIANT_ADD(debugger, seize_asleep) {
	.fn = read_event,
	.asleep = true,
	.seize = true,
};

FIXTURE_VARIANT_ADD(debugger, attach_stopped) {
	.fn = spin,
	.stopped = true,
};

FIXTURE_VARIANT_ADD(debugger, seize_stopped) {
	.fn = spin,
	.stopped = true,
	.seize = true,
};

FIXTURE_VARIANT_ADD(debugger, attach_queued) {
	.fn = spin,
	.queued = true,
};

FIXTURE_VARIANT_ADD(debugger, seize_queued) {
	.fn = spin,
	.queued = true,
	.seize = true,
};

FIXTURE_SETUP(debugger)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(debugger)
{
	FRZ_GROUP_END(self->cg);
}

/* Attach and wait for the stop: 0, or what went wrong. */
static int attach(pid_t tid, bool seize)
{
	int status;

	if (ptrace(seize ? PTRACE_SEIZE : PTRACE_ATTACH, tid, 0, 0))
		return -errno;
	if (seize && ptrace(PTRACE_INTERRUPT, tid, 0, 0))
		return -errno;
	status = frz_wait_stop(tid, 0, FRZ_AT_ONCE);
	if (status < 0)
		return status;
	return WIFSTOPPED(status) ? 0 : -ECHILD;
}

/* Read and write registers: 0 or -errno. */
static int use_regs(pid_t tid)
{
	union frz_regs regs;
	int err = frz_get_regs(tid, &regs);

	return err ? err : frz_set_regs(tid, &regs);
}

/*
 * From each kind of rest, with both ways to attach.
 *
 *	cg	one process: parked, in place, asleep, stopped, or parked with
 *		a signal that has a handler queued
 *
 * Three times in one freeze: attach, wait for the stop, read and write registers
 * and memory, detach. The state reads FROZEN and no user instruction runs at
 * each step, no signal is handled. After the thaw the process does what it
 * would have done: counts, sleeps on, reads what is written, handles its signal,
 * or is still stopped. A stop that does not come is what hangs gdb.
 */
TEST_F_TIMEOUT(debugger, looks_and_lets_go, 90)
{
	struct tracee *t = frz_shared(sizeof(*t));
	unsigned long seen;
	int i;
	pid_t pid;

	ASSERT_NE(NULL, t);
	t->event = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, t->event);
	pid = ASSERT_PID(frz_spawn(self->cg, variant->fn, t));
	ASSERT_EQ(0, frz_wait_word(&t->word, 1, FRZ_LIMIT));
	if (variant->asleep)
		ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	if (variant->stopped) {
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_LE(0, frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT));
	}
	ASSERT_FREEZES(self->cg);
	seen = frz_load(&t->word);
	if (variant->queued)
		ASSERT_EQ(0, kill(pid, SIGUSR1));

	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, attach(pid, variant->seize)) {
			TH_LOG("round %d, %s", i, frz_describe(self->cg));
		}
		EXPECT_STATE(self->cg, "FROZEN");
		EXPECT_EQ(0, use_regs(pid));
		errno = 0;
		EXPECT_EQ((long)seen, ptrace(PTRACE_PEEKDATA, pid, &t->word, 0));
		EXPECT_EQ(0, errno);
		EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, &t->poked, i));
		EXPECT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
		EXPECT_EQ(0, frz_moved(&t->word, NOTHING_MS));
		EXPECT_STATE(self->cg, "FROZEN");
		EXPECT_EQ(i, frz_load(&t->poked));
	}
	EXPECT_EQ(seen, frz_load(&t->word));
	EXPECT_EQ(0, frz_load(&t->handled));
	EXPECT_STAT(1, self->cg, "generation");

	ASSERT_THAWS(self->cg);
	if (variant->stopped) {
		EXPECT_EQ(0, wait_task_state(pid, 'T'));
		EXPECT_EQ(seen, frz_load(&t->word));
		ASSERT_EQ(0, kill(pid, SIGCONT));
	}
	if (variant->fn == read_event) {
		/* It counts once, maybe before the write returns. */
		ASSERT_EQ(0, eventfd_write(t->event, 1));
		EXPECT_EQ(0, frz_wait_word(&t->word, seen + 1, FRZ_LIMIT));
	} else if (variant->fn == sleep_long) {
		EXPECT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	} else {
		EXPECT_RUNS(&t->word);
	}
	if (variant->queued)
		EXPECT_EQ(0, frz_wait_word(&t->handled, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&t->bad));
}

struct threads {
	struct tracee tracee[NUM_THREADS];
};

static void *sleep_thread(void *arg)
{
	sleep_long(arg);
	return NULL;
}

static void *read_thread(void *arg)
{
	read_event(arg);
	return NULL;
}

static void *futex_thread(void *arg)
{
	struct tracee *t = arg;

	frz_inc(&t->word);
	syscall(SYS_futex, &t->handled, FUTEX_WAIT, 0, NULL, NULL, 0);
	frz_inc(&t->bad);
	return NULL;
}

static int run_threads(void *arg)
{
	struct threads *p = arg;
	pthread_t thread;

	p->tracee[2].event = eventfd(0, EFD_CLOEXEC);
	if (p->tracee[2].event < 0 ||
	    pthread_create(&thread, NULL, sleep_thread, &p->tracee[1]) ||
	    pthread_create(&thread, NULL, read_thread, &p->tracee[2]) ||
	    pthread_create(&thread, NULL, futex_thread, &p->tracee[3]))
		return 1;
	return frz_spin(&p->tracee[0].word);
}

/* The threads of a process: how many. */
static int list_threads(pid_t pid, pid_t *list, int max)
{
	char path[64];
	struct dirent *d;
	int num = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (num < max && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			list[num++] = atoi(d->d_name);
	closedir(dir);
	return num;
}

/* The stack pointer; where nobody has said which register it is, our own will do. */
static unsigned long stack_of(const union frz_regs *regs)
{
#ifdef FRZ_HAVE_REGS
	return regs->word[FRZ_REG_SP];
#else
	return (unsigned long)regs;
#endif
}

/*
 * What gdb does for "attach, thread apply all bt, detach", with the system calls
 * that it makes:
 *
 *	cg	a process of four threads: one spins, the others are in
 *		nanosleep(), in the read of an eventfd and in a futex
 *
 * Freeze; ATTACH and waitpid() each thread, registers and the memory at the
 * stack pointer of each, DETACH each. Twice. FROZEN all the time; after the thaw
 * the first thread counts and the sleep of none has ended. A failure here is a
 * gdb that hangs, or a job that breaks because somebody has looked at it.
 */
FREEZER_TEST(gdb_backtrace)
{
	struct threads *p = frz_shared(sizeof(*p));
	pid_t tids[NUM_THREADS + 1];
	unsigned long stack[8];
	struct iovec here, there;
	union frz_regs regs;
	char path[64];
	int num, i, round, fd;
	pid_t pid;

	ASSERT_NE(NULL, p);
	pid = ASSERT_PID(frz_spawn(self->cg, run_threads, p));
	for (i = 0; i < NUM_THREADS; i++)
		ASSERT_EQ(0, frz_wait_word(&p->tracee[i].word, 1, FRZ_LIMIT));
	num = list_threads(pid, tids, NUM_THREADS + 1);
	ASSERT_EQ(NUM_THREADS, num);
	ASSERT_FREEZES(self->cg);

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < num; i++) {
			ASSERT_EQ(0, attach(tids[i], false)) {
				TH_LOG("round %d, thread %d, %s", round, i,
				       frz_describe(self->cg));
			}
		}
		EXPECT_STATE(self->cg, "FROZEN");
		fd = open(path, O_RDONLY);
		ASSERT_LE(0, fd);
		for (i = 0; i < num; i++) {
			ASSERT_EQ(0, frz_get_regs(tids[i], &regs));
			here.iov_base = stack;
			here.iov_len = sizeof(stack);
			there.iov_base = (void *)stack_of(&regs);
			there.iov_len = sizeof(stack);
			EXPECT_EQ(sizeof(stack),
				  pread(fd, stack, sizeof(stack), stack_of(&regs)));
			EXPECT_EQ(sizeof(stack),
				  process_vm_readv(pid, &here, 1, &there, 1, 0));
		}
		close(fd);
		for (i = 0; i < num; i++)
			EXPECT_EQ(0, ptrace(PTRACE_DETACH, tids[i], 0, 0));
		EXPECT_EQ(0, frz_moved(&p->tracee[0].word, NOTHING_MS));
		EXPECT_STATE(self->cg, "FROZEN");
	}
	EXPECT_STAT(1, self->cg, "generation");

	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&p->tracee[0].word);
	for (i = 1; i < NUM_THREADS; i++) {
		EXPECT_EQ(1, frz_load(&p->tracee[i].word));
		EXPECT_EQ(0, frz_load(&p->tracee[i].bad));
	}
}

/*
 * PTRACE_CONT, SINGLESTEP and SYSCALL of a task that has been stopped while it
 * is frozen wait for the thaw; PTRACE_INTERRUPT stops it again before that.
 * A failure means that a debugger gets a task out of a freeze.
 */
FREEZER_TEST(going_on_waits_for_thaw)
{
	static const int requests[] = {
		PTRACE_CONT, PTRACE_SYSCALL,
#ifdef FRZ_HAVE_STEP
		PTRACE_SINGLESTEP,
#endif
	};
	struct tracee *t = frz_shared(sizeof(*t));
	unsigned int i;
	int status;
	pid_t pid;

	ASSERT_NE(NULL, t);
	pid = ASSERT_PID(frz_spawn(self->cg, call, t));
	ASSERT_EQ(0, frz_wait_word(&t->word, 1, FRZ_LIMIT));
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, attach(pid, true));
		ASSERT_EQ(0, ptrace(requests[i], pid, 0, 0));
		EXPECT_EQ(-ETIMEDOUT, frz_wait_stop(pid, 0, NOTHING_MS));
		EXPECT_EQ(0, frz_moved(&t->word, NOTHING_MS));
		EXPECT_STATE(self->cg, "FROZEN");

		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
		status = frz_wait_stop(pid, 0, FRZ_AT_ONCE);
		ASSERT_LE(0, status) {
			TH_LOG("request %u", i);
		}
		ASSERT_EQ(0, ptrace(requests[i], pid, 0, 0));
		EXPECT_STATE(self->cg, "FROZEN");
		EXPECT_EQ(0, frz_moved(&t->word, NOTHING_MS));

		ASSERT_THAWS(self->cg);
		if (requests[i] == PTRACE_CONT) {
			EXPECT_RUNS(&t->word);
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
		}
		status = frz_wait_stop(pid, 0, FRZ_LIMIT);
		ASSERT_LE(0, status);
		EXPECT_TRUE(WIFSTOPPED(status));
		EXPECT_EQ(SIGTRAP, WSTOPSIG(status));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
		EXPECT_RUNS(&t->word);
	}
}

/*
 * A stop that was there before the freeze, frozen in place: let go, interrupted
 * and let go again while FROZEN, from the stop of an interrupt and from that at
 * the entry of a system call, which must not run meanwhile.
 */
FREEZER_TEST(old_stop)
{
	struct tracee *t = frz_shared(sizeof(*t));
	unsigned long seen;
	int i, round;
	pid_t pid;

	ASSERT_NE(NULL, t);
	pid = ASSERT_PID(frz_spawn(self->cg, call, t));
	ASSERT_EQ(0, frz_wait_word(&t->word, 1, FRZ_LIMIT));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, attach(pid, true));
		if (i) {
			ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, pid, 0, 0));
			ASSERT_LE(0, frz_wait_stop(pid, 0, FRZ_LIMIT));
		}
		ASSERT_FREEZES(self->cg);
		seen = frz_load(&t->word);
		for (round = 0; round < 3; round++) {
			ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
			EXPECT_EQ(0, frz_moved(&t->word, NOTHING_MS));
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
			ASSERT_LE(0, frz_wait_stop(pid, 0, FRZ_AT_ONCE)) {
				TH_LOG("stop %d, round %d", i, round);
			}
			EXPECT_EQ(0, use_regs(pid));
			EXPECT_STATE(self->cg, "FROZEN");
		}
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
		ASSERT_EQ(0, attach(pid, false));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
		EXPECT_EQ(0, frz_moved(&t->word, NOTHING_MS));
		EXPECT_EQ(seen, frz_load(&t->word));
		ASSERT_THAWS(self->cg);
		EXPECT_RUNS(&t->word);
	}
}

/*
 * PTRACE_LISTEN: a task in a job control stop whose tracer waits for what comes.
 * While FROZEN a PTRACE_INTERRUPT is reported at once; that the stop is over
 * after a SIGCONT is reported at the thaw, when it is. Neither of them lets the
 * task run before.
 */
FREEZER_TEST(listen)
{
	unsigned long *word = ASSERT_WORDS(1), seen;
	int i, status;
	pid_t pid;

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		status = frz_wait_stop(pid, 0, FRZ_LIMIT);
		ASSERT_LE(0, status);
		ASSERT_EQ(SIGSTOP, WSTOPSIG(status));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, SIGSTOP));
		status = frz_wait_stop(pid, 0, FRZ_LIMIT);
		ASSERT_EQ(PTRACE_EVENT_STOP, status >> 16);
		ASSERT_EQ(0, ptrace(PTRACE_LISTEN, pid, 0, 0));

		ASSERT_FREEZES(self->cg);
		seen = frz_load(word);
		if (i) {
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
			status = frz_wait_stop(pid, 0, FRZ_AT_ONCE);
			EXPECT_EQ(PTRACE_EVENT_STOP, status >> 16);
			ASSERT_EQ(0, ptrace(PTRACE_LISTEN, pid, 0, 0));
		}
		ASSERT_EQ(0, kill(pid, SIGCONT));
		EXPECT_EQ(-ETIMEDOUT, frz_wait_stop(pid, 0, NOTHING_MS));
		EXPECT_STATE(self->cg, "FROZEN");
		EXPECT_EQ(seen, frz_load(word));
		ASSERT_THAWS(self->cg);
		status = frz_wait_stop(pid, 0, FRZ_LIMIT);
		ASSERT_LE(0, status);
		EXPECT_EQ(PTRACE_EVENT_STOP, status >> 16);
		EXPECT_EQ(seen, frz_load(word));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
		/* the SIGCONT itself */
		status = frz_wait_stop(pid, 0, FRZ_LIMIT);
		ASSERT_LE(0, status);
		EXPECT_EQ(SIGCONT, WSTOPSIG(status));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
		EXPECT_RUNS(word);
	}
}

struct quitter {
	pid_t pid;
	bool seize;
	unsigned long stopped;
	unsigned long quit;
};

static int attach_and_quit(void *arg)
{
	struct quitter *q = arg;

	if (attach(q->pid, q->seize))
		return 1;
	frz_store(&q->stopped, 1);
	return frz_wait_word(&q->quit, 1, FRZ_LIMIT) ? 2 : 0;
}

/*
 * A tracer that dies leaves the task that it has stopped at the door: FROZEN,
 * and it runs after the thaw.
 */
FREEZER_TEST(tracer_dies)
{
	unsigned long *word = ASSERT_WORDS(1);
	struct quitter *q = frz_shared(sizeof(*q));
	pid_t pid, tracer;
	int i;

	ASSERT_NE(NULL, q);
	pid = ASSERT_SPINNER(self->cg, word);
	for (i = 0; i < 2; i++) {
		ASSERT_FREEZES(self->cg);
		memset(q, 0, sizeof(*q));
		q->pid = pid;
		q->seize = i;
		tracer = ASSERT_PID(frz_spawn(NULL, attach_and_quit, q));
		ASSERT_EQ(0, frz_wait_word(&q->stopped, 1, FRZ_LIMIT));
		EXPECT_STATE(self->cg, "FROZEN");
		frz_store(&q->quit, 1);
		EXPECT_EQ(0, frz_wait_exit(tracer, FRZ_LIMIT));
		EXPECT_EQ(0, frz_moved(word, NOTHING_MS));
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		EXPECT_RUNS(word);
	}
}

/*
 * A kill of a task that is in a stop which it took while frozen waits for the
 * thaw, as any kill does, and then ends it. Where freezer.killable is 1 it ends
 * at once.
 */
FREEZER_TEST(kill_in_stop)
{
	unsigned long *word = ASSERT_WORDS(1);
	bool killable = frz_killable(self->cg);
	int status;
	pid_t pid;

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, attach(pid, true));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	status = frz_wait_stop(pid, 0, killable ? FRZ_LIMIT : NOTHING_MS);
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	if (!killable) {
		EXPECT_EQ(-ETIMEDOUT, status);
		status = frz_wait_exit(pid, FRZ_LIMIT);
	}
	ASSERT_LE(0, status);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

/*
 * A signal whose default action is to end a process ends one that a debugger has
 * looked at and let go. With freezer.killable 1, and in cgroup v2, at once; else at
 * the thaw (C9, U12).
 *
 * A failure means that a container which somebody has had a look at does not heed
 * SIGTERM while it is paused.
 */
FREEZER_TEST(fatal_signal_after_detach)
{
	static int (* const fns[])(void *arg) = { spin, sleep_long, read_event };
	struct tracee *t = frz_shared(sizeof(*t));
	bool killable;
	int i, status;
	pid_t pid;

	ASSERT_NE(NULL, t);
	t->event = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, t->event);
	for (i = 0; i < 12; i++) {
		if (frz_write(self->cg, "freezer.killable", i < 6 ? "1" : "0") && i < 6)
			continue;	/* the kernel has no such file */
		killable = frz_killable(self->cg);
		frz_store(&t->word, 0);
		pid = ASSERT_PID(frz_spawn(self->cg, fns[i % 3], t));
		ASSERT_EQ(0, frz_wait_word(&t->word, 1, FRZ_LIMIT));
		if (fns[i % 3] != spin)
			ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, attach(pid, i / 3 % 2));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
		EXPECT_EQ(0, frz_moved(&t->word, NOTHING_MS));
		/* another one ahead of it, which has a handler, makes no difference */
		if (fns[i % 3] == spin)
			ASSERT_EQ(0, kill(pid, SIGUSR1));
		ASSERT_EQ(0, kill(pid, SIGTERM));
		status = frz_wait_exit(pid, killable ? FRZ_LIMIT : NOTHING_MS);
		EXPECT_EQ(killable ? SIGTERM : -ETIMEDOUT, status) {
			TH_LOG("round %d", i);
		}
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		if (status == -ETIMEDOUT)
			EXPECT_EQ(SIGTERM, frz_wait_exit(pid, FRZ_LIMIT));
	}
	close(t->event);
}

/*
 * The tracer asks for the stop at any moment of a freeze, also just when the
 * task parks. A hundred times: FROZEN comes, and so does the stop. One that is
 * lost is a wake-up lost between the tracer and the refrigerator, barriers (C)
 * and (E) in kernel/cgroup/freezer/freezer.h.
 */
FREEZER_TEST(interrupt_while_parking)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t pid;
	int i, j;

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state",
						"FROZEN"));
		for (j = 0; j < i * 20; j++)
			frz_load(word);
		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
		ASSERT_LE(0, frz_wait_stop(pid, 0, FRZ_AT_ONCE)) {
			TH_LOG("round %d, %s", i, frz_describe(self->cg));
		}
		ASSERT_BECOMES(self->cg, "FROZEN");
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
	}
	ASSERT_EQ(0, kill(pid, SIGKILL));
}

TEST_HARNESS_MAIN
