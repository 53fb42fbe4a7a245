// SPDX-License-Identifier: GPL-2.0
/*
 * What a freezer costs those that do not use it: system calls, signals, pipes,
 * futexes, sockets, fork, exec and exit, stops for a tracer and of job control, by
 * processes whose cgroup nobody freezes.
 *
 *   nothing     no cgroup of the system is frozen, or ever was
 *   elsewhere   another cgroup with N processes is FROZEN
 *
 * The N processes sleep there in both cases, so that they differ in nothing
 * but the freeze. A kernel without a v1 freezer is measured twice, too: the
 * second time differs a little from the first, by the memory and the pids that
 * were used before, and is what "elsewhere" has to be compared with.
 *
 * A sample is the time of so many operations between two readings of the clock,
 * divided by their number, so few that most samples see no tick. The shortest
 * is without one: a plain count of instructions where the clock counts those.
 * The median of fork and exec is more telling, since memory allocation takes
 * different ways.
 *
 * The two sides of a round trip are SCHED_FIFO: then the next task to run does
 * not depend on earlier ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* The other side of a round trip, and what the two talk through. */
static pid_t other;
static int to_other[2], from_other[2];
static int stream[2], datagram[2];
static uint32_t *words;

static void op_getppid(void)
{
	syscall(SYS_getppid);
}

static void handler(int sig)
{
}

static void op_signal(void)
{
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
}

static void op_pipe(void)
{
	char c = 0;

	if (write(to_other[1], &c, 1) != 1 || read(from_other[0], &c, 1) != 1)
		bench_fail("pipe", -errno);
}

static void op_stream(void)
{
	char c = 0;

	if (send(stream[0], &c, 1, 0) != 1 || recv(stream[0], &c, 1, 0) != 1)
		bench_fail("stream socket", -errno);
}

/* Nobody sleeps: the least that two system calls on a socket take. */
static void op_datagram(void)
{
	char c = 0;

	if (send(datagram[0], &c, 1, 0) != 1 || recv(datagram[1], &c, 1, 0) != 1)
		bench_fail("datagram socket", -errno);
}

static void futex_wake(uint32_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_wait(uint32_t *word, uint32_t old)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == old)
		syscall(SYS_futex, word, FUTEX_WAIT, old, NULL, NULL, 0);
}

static void op_futex(void)
{
	uint32_t old = words[1];

	futex_wake(&words[0]);
	futex_wait(&words[1], old);
}

static void op_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		bench_fail("fork", -errno);
}

/* This program, which does nothing with --exit. */
static void op_exec(void)
{
	static char * const argv[] = { "freezer_bench", "--exit", NULL };
	static char * const envp[] = { NULL };
	pid_t pid = vfork();

	if (!pid) {
		execve("/proc/self/exe", argv, envp);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		bench_fail("vfork", -errno);
}

static int thread(void *arg)
{
	return 0;
}

static void op_thread(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	static int tid;
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		    CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID |
		    CLONE_PARENT_SETTID;
	int seen;

	tid = -1;
	if (clone(thread, stack + sizeof(stack), flags, NULL, &tid, NULL,
		  &tid) < 0) {
		bench_fail("clone", -errno);
		return;
	}
	while ((seen = __atomic_load_n(&tid, __ATOMIC_SEQ_CST)))
		syscall(SYS_futex, &tid, FUTEX_WAIT, seen, NULL, NULL, 0);
}

/* The other side goes from one end of a system call to the next. */
static void op_ptrace(void)
{
	int status;

	if (ptrace(PTRACE_SYSCALL, other, NULL, NULL) ||
	    waitpid(other, &status, 0) != other || !WIFSTOPPED(status))
		bench_fail("ptrace stop", -errno);
}

static void op_stop(void)
{
	int status;

	if (kill(other, SIGSTOP) ||
	    waitpid(other, &status, WUNTRACED) != other || !WIFSTOPPED(status) ||
	    kill(other, SIGCONT) ||
	    waitpid(other, &status, WCONTINUED) != other || !WIFCONTINUED(status))
		bench_fail("SIGSTOP, SIGCONT", -errno);
}

/* Its first stop is that of its SIGSTOP. */
static void ptrace_begin(void)
{
	int status;

	if (waitpid(other, &status, 0) != other || !WIFSTOPPED(status))
		bench_fail("tracee", -errno);
}

static void ptrace_side(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	raise(SIGSTOP);
	for (;;)
		syscall(SYS_getppid);
}

static void stop_side(void)
{
	for (;;)
		pause();
}

static void pipe_side(void)
{
	char c;

	while (read(to_other[0], &c, 1) == 1)
		if (write(from_other[1], &c, 1) != 1)
			break;
}

static void stream_side(void)
{
	char c;

	while (recv(stream[1], &c, 1, 0) == 1)
		if (send(stream[1], &c, 1, 0) != 1)
			break;
}

static void futex_side(void)
{
	uint32_t seen = 0;

	for (;;) {
		futex_wait(&words[0], seen);
		seen++;
		futex_wake(&words[1]);
	}
}

static void side_start(void (*side)(void), void (*begin)(void))
{
	other = fork();
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bench_policy(SCHED_FIFO);
		side();
		_exit(0);
	}
	frz_sleep_ms(5);
	if (begin)
		begin();
	bench_policy(SCHED_FIFO);
}

static void side_end(void)
{
	bench_policy(SCHED_OTHER);
	kill(other, SIGKILL);
	if (frz_wait_exit(other, BENCH_LIMIT_MS) < 0)
		bench_fail("the other side does not die", other);
}

/*
 * @calls in a row make a sample, @rounds samples a series. @begin comes before the
 * first of them, if there is something to do for the other side.
 */
static const struct path {
	const char *name;
	void (*op)(void);
	void (*side)(void);
	int calls;
	int rounds;
	void (*begin)(void);
} paths[] = {
	{ "getppid", op_getppid, NULL, 500, 400 },
	{ "signal to self, handled", op_signal, NULL, 20, 400 },
	{ "pipe round trip", op_pipe, pipe_side, 20, 400 },
	{ "futex round trip", op_futex, futex_side, 20, 400 },
	{ "unix stream round trip", op_stream, stream_side, 20, 400 },
	{ "unix datagram, no sleep", op_datagram, NULL, 50, 400 },
	{ "fork, exit, wait", op_fork, NULL, 1, 400 },
	{ "vfork, exec, exit, wait", op_exec, NULL, 1, 400 },
	{ "thread create, exit, join", op_thread, NULL, 10, 400 },
	{ "ptrace stop and continue", op_ptrace, ptrace_side, 20, 400, ptrace_begin },
	{ "SIGSTOP and SIGCONT", op_stop, stop_side, 20, 400 },
};

static void measure(const struct path *path, const char *when)
{
	static struct bench_series s;
	int i, j;

	s.nr = 0;
	if (path->side)
		side_start(path->side, path->begin);
	for (i = 0; i < path->calls; i++)
		path->op();
	for (i = 0; i < path->rounds && !bench_failed; i++) {
		int64_t start = frz_now_ns();

		for (j = 0; j < path->calls; j++)
			path->op();
		bench_add(&s, (double)(frz_now_ns() - start) / path->calls);
	}
	if (path->side)
		side_end();
	bench_report("hot", path->name, when, 0, "ns", &s);
}

static void measure_all(const char *when)
{
	unsigned int i;

	bench_progress("hot paths, frozen: %s", when);
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		words[0] = 0;
		words[1] = 0;
		measure(&paths[i], when);
	}
}

/* @n processes in the cgroup that is not frozen first, and then is. */
void bench_hot(int n)
{
	struct sigaction act = { .sa_handler = handler };
	struct bench_group group;

	words = frz_shared(4096);
	if (pipe(to_other) || pipe(from_other) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, stream) ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram) ||
	    sigaction(SIGUSR1, &act, NULL)) {
		bench_fail("pipe, socketpair, sigaction", -errno);
		return;
	}
	if (bench_group_create(&group, "elsewhere"))
		return;
	bench_crowd_start(&group, n, BENCH_MIX);
	bench_wait_quiet();
	measure_all("nothing");
	if (bench_has(BENCH_V1))
		bench_freeze(&group, BENCH_V1);
	measure_all("elsewhere");
	bench_group_destroy(&group);
}
