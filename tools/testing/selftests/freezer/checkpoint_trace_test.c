// SPDX-License-Identifier: GPL-2.0
/*
 * The checkpoint guard and stops: a tracer reads a task under the guard, does
 * not change it, and stops it where that changes nothing.
 *
 * Clauses: C9, C11.
 */
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "checkpoint_util.h"
#include "freezer_test.h"
#include "regs.h"

static int stop_and_spin(void *word)
{
	raise(SIGSTOP);
	return frz_spin(word);
}

/*
 * A task in a job control stop is quiescent (C11). A SIGCONT that comes under
 * the guard is for later.
 */
FREEZER_TEST(stopped)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t pid;
	int fd;

	pid = ASSERT_PID(frz_spawn(self->cg, stop_and_spin, word));
	ASSERT_EQ(0, wait_task_state(pid, 'T'));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_EQ(0, not_quiescent(self->cg));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_STANDS(word);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	EXPECT_STANDS(word);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(word);
}

static int traced_spin(void *word)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		return 1;
	raise(SIGSTOP);
	return frz_spin(word);
}

/*
 * The tracer of a stopped task reads it under the guard, memory and registers,
 * but everything that changes it is EBUSY, and possible again afterwards.
 */
FREEZER_TEST(traced)
{
	union frz_regs regs;
	unsigned long *word = ASSERT_WORDS(2);
	sigset_t set = {};
	int fd, status;
	pid_t pid;

	pid = ASSERT_PID(frz_spawn(self->cg, traced_spin, word));
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_EQ(0, not_quiescent(self->cg));
	errno = 0;
	EXPECT_EQ(0, ptrace(PTRACE_PEEKDATA, pid, &word[1], 0));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, frz_get_regs(pid, &regs));
	EXPECT_EQ(0, ptrace(PTRACE_GETSIGMASK, pid, _NSIG / 8, &set));

	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, &word[1], 7));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, word[1]);
	EXPECT_EQ(-EBUSY, frz_set_regs(pid, &regs));
	EXPECT_EQ(-1, ptrace(PTRACE_SETSIGMASK, pid, _NSIG / 8, &set));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_CONT, pid, 0, 0));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_STREQ("consistent", guard_verdict(fd));

	close(fd);
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, &word[1], 7));
	EXPECT_EQ(7, word[1]);
	EXPECT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[0]);
}

/*
 * A task that had stopped for its tracer before the freeze, and has been detached in
 * the freeze, is one without a tracer: the guard is granted (C11), and a kill with
 * freezer.killable ends the task (C9).
 */
FREEZER_TEST(detached)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t pid;

	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_LE(0, frz_wait_stop(pid, __WALL, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	close(ASSERT_GUARD(self->cg));
	EXPECT_STANDS(word);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FROZEN");
}

struct read_end {
	int fd[2];
	char buf[16];
	unsigned long reads;
};

/* Reads a pipe, in a sleep that can be frozen in place. */
static int read_pipe(void *arg)
{
	struct read_end *b = arg;

	if (read(b->fd[0], b->buf, sizeof(b->buf)) != 1)
		return 1;
	frz_inc(&b->reads);
	return frz_sleep(NULL);
}

/*
 * A tracer asks for stops under the guard. A task at its door stops, and one in
 * a job control stop, too. One that is frozen in a read() does not, whether the
 * data are there before the tracer or come after it: they stay in the pipe, and
 * its memory as it is. It stops when the guard is given back, and the data are
 * read after the thaw, at the latest.
 */
FREEZER_TEST(trapped)
{
	unsigned long *word = ASSERT_WORDS(2);
	struct read_end *b[2];
	pid_t spinner, stopped, reader[2];
	union frz_regs regs;
	int i, n, fd;

	spinner = ASSERT_SPINNER(self->cg, &word[0]);
	stopped = ASSERT_PID(frz_spawn(self->cg, stop_and_spin, &word[1]));
	ASSERT_EQ(0, wait_task_state(stopped, 'T'));
	for (i = 0; i < 2; i++) {
		b[i] = frz_shared(sizeof(*b[i]));
		ASSERT_NE(NULL, b[i]);
		ASSERT_EQ(0, pipe(b[i]->fd));
		reader[i] = ASSERT_PID(frz_spawn(self->cg, read_pipe, b[i]));
		ASSERT_EQ(0, frz_wait_asleep(reader[i], FRZ_LIMIT));
	}
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	ASSERT_EQ(1, write(b[0]->fd[1], "x", 1));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ptrace(PTRACE_SEIZE, reader[i], 0, 0));
		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, reader[i], 0, 0));
	}
	ASSERT_EQ(1, write(b[1]->fd[1], "x", 1));

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, spinner, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, spinner, 0, 0));
	ASSERT_LE(0, frz_wait_stop(spinner, 0, FRZ_LIMIT));
	EXPECT_EQ(0, frz_get_regs(spinner, &regs));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, spinner, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, stopped, 0, 0));
	ASSERT_LE(0, frz_wait_stop(stopped, 0, FRZ_LIMIT));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, stopped, 0, 0));

	EXPECT_STANDS(&word[0]);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, waitpid(reader[i], NULL, WNOHANG | __WALL));
		EXPECT_EQ(0, b[i]->buf[0]);
		ASSERT_EQ(0, ioctl(b[i]->fd[0], FIONREAD, &n));
		EXPECT_EQ(1, n);
	}
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);

	for (i = 0; i < 2; i++) {
		ASSERT_LE(0, frz_wait_stop(reader[i], 0, FRZ_LIMIT)) {
			TH_LOG("reader %d", i);
		}
		EXPECT_EQ(0, frz_load(&b[i]->reads));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, reader[i], 0, 0));
	}
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, frz_wait_word(&b[i]->reads, 1, FRZ_LIMIT));
	EXPECT_RUNS(&word[0]);
}

struct event {
	int fd;
	unsigned long ready;
	unsigned long done;
	uint64_t value;
	long ret;
};

static int read_event(void *arg)
{
	struct event *e = arg;

	frz_inc(&e->ready);
	e->ret = read(e->fd, &e->value, sizeof(e->value));
	if (e->ret < 0)
		e->ret = -errno;
	frz_inc(&e->done);
	return frz_sleep(NULL);
}

/*
 * The guard brings a task out of a sleep that cannot be frozen, by a restart of its
 * system call. A tracer sees the end of the call, and lets the task go on; sends it a
 * SIGSTOP while it is at the door, and takes the SIGSTOP back. The call is restarted
 * after the thaw all the same, and the program sees no errno of the kernel's own
 * (512 and above).
 */
FREEZER_TEST(stopped_at_the_end_of_a_call)
{
	struct event *e = frz_shared(sizeof(*e));
	pid_t pid;
	int fd;

	ASSERT_NE(NULL, e);
	e->fd = eventfd(0, 0);
	ASSERT_LE(0, e->fd);
	pid = ASSERT_PID(frz_spawn(self->cg, read_event, e));
	ASSERT_EQ(0, frz_wait_word(&e->ready, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_LE(0, frz_wait_stop(pid, 0, FRZ_LIMIT));
	ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, pid, 0, 0));
	ASSERT_EQ(SIGTRAP | 0x80, frz_wait_stop(pid, 0, FRZ_LIMIT) >> 8);
	ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, pid, 0, 0));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));

	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	ASSERT_EQ(SIGTRAP | 0x80, frz_wait_stop(pid, 0, FRZ_LIMIT) >> 8);
	close(fd);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	ASSERT_EQ(0, syscall(SYS_tgkill, pid, pid, SIGSTOP));
	ASSERT_EQ(SIGSTOP, frz_wait_stop(pid, 0, FRZ_LIMIT) >> 8);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	ASSERT_THAWS(self->cg);

	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_EQ(0, eventfd_write(e->fd, 3));
	ASSERT_EQ(0, frz_wait_word(&e->done, 1, FRZ_LIMIT));
	EXPECT_EQ(8, e->ret);
	EXPECT_EQ(3, e->value);
}

/*
 * The last task to park lets the writer of FROZEN go before it waits. Here it
 * does not get to wait, since it shares its CPU with the writer, which goes on
 * at once and asks for the guard. It is parked for that, too, and stops for a
 * tracer under the guard.
 */
FREEZER_TEST(parked_just_now)
{
	struct sched_param other = { 0 }, fifo = { .sched_priority = 1 };
	unsigned long *word = ASSERT_WORDS(1);
	cpu_set_t all;
	pid_t spinner;
	int fd;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	spinner = ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_EQ(0, frz_share_cpu(spinner));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &fifo));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &other));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));

	EXPECT_EQ(1, frz_stat(self->cg, "nr_parked"));
	EXPECT_EQ(0, frz_stat(self->cg, "nr_in_place"));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, spinner, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, spinner, 0, 0));
	ASSERT_LE(0, frz_wait_stop(spinner, 0, FRZ_LIMIT));
	EXPECT_EQ(1, frz_stat(self->cg, "nr_in_place"));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, spinner, 0, 0));
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[0]);
}

/*
 * The same, with a guard that does not wait, and is not granted; then the task
 * is moved. It is parked all the time, and in the end at the door of another
 * cgroup.
 */
FREEZER_TEST(parked_just_now_moved)
{
	struct sched_param other = { 0 }, fifo = { .sched_priority = 1 };
	char from[FRZ_PATH_MAX], to[FRZ_PATH_MAX];
	unsigned long *word = ASSERT_WORDS(1);
	cpu_set_t all;
	pid_t spinner;

	ASSERT_EQ(0, frz_create(from, self->cg, "from"));
	ASSERT_EQ(0, frz_create(to, self->cg, "to"));
	ASSERT_FREEZES(to);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	spinner = ASSERT_SPINNER(from, &word[0]);
	ASSERT_EQ(0, frz_share_cpu(spinner));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &fifo));
	ASSERT_FREEZES(from);
	EXPECT_EQ(-EBUSY, guard_open_flags(from, O_NONBLOCK));
	EXPECT_EQ(1, frz_stat(from, "nr_parked"));
	ASSERT_EQ(0, frz_move_process(to, spinner));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &other));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));

	EXPECT_EQ(0, frz_stat(from, "nr_parked"));
	EXPECT_EQ(1, frz_stat(to, "nr_parked"));
	EXPECT_EQ(0, frz_stat(to, "nr_in_place"));
	EXPECT_STATE(to, "FROZEN");
	ASSERT_THAWS(from);
	EXPECT_STANDS(&word[0]);
	ASSERT_THAWS(to);
	EXPECT_RUNS(&word[0]);
	EXPECT_EQ(0, frz_destroy(from, FRZ_LIMIT));
	EXPECT_EQ(0, frz_destroy(to, FRZ_LIMIT));
}

struct poker {
	pid_t pid;
	unsigned long *word;
	unsigned long pokes;
	unsigned long refused;
	unsigned long bad;
};

static int poke_loop(void *arg)
{
	struct poker *p = arg;
	unsigned long n = 0;
	int status;

	if (ptrace(PTRACE_SEIZE, p->pid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, p->pid, 0, 0) ||
	    waitpid(p->pid, &status, __WALL) != p->pid)
		return 1;
	for (;;) {
		if (!ptrace(PTRACE_POKEDATA, p->pid, p->word, ++n))
			frz_inc(&p->pokes);
		else if (errno == EBUSY)
			frz_inc(&p->refused);
		else
			frz_inc(&p->bad);
	}
	return 0;
}

/*
 * A tracer that writes to a task all the time: while the guard is held the
 * memory does not change, at whichever moment it was taken.
 */
FREEZER_TEST(poked_all_the_time)
{
	struct poker *p = frz_shared(sizeof(*p));
	unsigned long *word = ASSERT_WORDS(2);
	int i, fd;

	ASSERT_NE(NULL, p);
	p->word = &word[1];
	p->pid = ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_PID(frz_spawn(NULL, poke_loop, p));
	ASSERT_EQ(0, frz_wait_word(&p->pokes, 10, FRZ_LIMIT));
	for (i = 0; i < 50; i++) {
		unsigned long before, refused;

		ASSERT_FREEZES(self->cg);
		fd = ASSERT_GUARD(self->cg);
		before = frz_load(&word[1]);
		refused = frz_load(&p->refused);
		ASSERT_EQ(0, frz_wait_word(&p->refused, refused + 2, FRZ_LIMIT));
		EXPECT_EQ(before, frz_load(&word[1])) {
			TH_LOG("round %d", i);
		}
		close(fd);
		ASSERT_EQ(0, frz_wait_move(&p->pokes, FRZ_LIMIT));
		ASSERT_THAWS(self->cg);
	}
	EXPECT_EQ(0, frz_load(&p->bad));
}

TEST_HARNESS_MAIN
