// SPDX-License-Identifier: GPL-2.0
/*
 * The ways back to user mode, one after the other, on whatever architecture this
 * is: after FROZEN is reported no task goes on by an instruction.
 *
 * Clauses: C1.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "regs.h"
#include "syscalls.h"

#define ROUNDS		10
#define MOST_TASKS	64

/* For the way to the door in the kernel; for how long nothing may move. */
#define WATCH_MS	10

/* What a loop adds to @word after each return of its kind. */
struct door {
	unsigned long word;
	unsigned long bad;
};

static struct door *door;

static int spin(void *arg)
{
	return frz_spin(&door->word);
}

static int call(void *arg)
{
	for (;;) {
		syscall(SYS_getppid);
		frz_inc(&door->word);
	}
	return 0;
}

/* A call that sleeps for a while, so the freeze meets it asleep, too. */
static int nap(void *arg)
{
	for (;;) {
		struct timespec ts = { .tv_nsec = 500000 };

		if (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL))
			frz_inc(&door->bad);
		frz_inc(&door->word);
	}
	return 0;
}

/* The time of day without a system call, where the vDSO has it. */
static int clock_loop(void *arg)
{
	struct timespec ts;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		frz_inc(&door->word);
	}
	return 0;
}

/* Each touch of the page is a fault. */
static int fault(void *arg)
{
	size_t size = getpagesize();
	volatile char *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 1;
	for (;;) {
		if (madvise((void *)page, size, MADV_DONTNEED))
			return 2;
		*page = 1;
		frz_inc(&door->word);
	}
	return 0;
}

static void on_signal(int sig)
{
	frz_inc(&door->word);
}

/* Into a handler, and back by rt_sigreturn(). */
static int handler(void *arg)
{
	signal(SIGUSR1, on_signal);
	for (;;) {
		raise(SIGUSR1);
		frz_inc(&door->word);
	}
	return 0;
}

/* A read that a signal of its own timer interrupts, and that is restarted. */
static int restart(void *arg)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct itimerval often = {
		.it_interval.tv_usec = 2000,
		.it_value.tv_usec = 2000,
	};
	int fd[2];
	char c;

	sigaction(SIGALRM, &sa, NULL);
	if (pipe(fd) || setitimer(ITIMER_REAL, &often, NULL))
		return 1;
	/* nothing ever comes */
	if (read(fd[0], &c, 1) != 1)
		frz_inc(&door->bad);
	return 2;
}

/* The child returns from fork() and counts, and so does its parent. */
static int forks(void *arg)
{
	pid_t pid;

	for (;;) {
		pid = fork();
		frz_inc(&door->word);
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			frz_inc(&door->bad);
	}
	return 0;
}

static int vforks(void *arg)
{
	pid_t pid;

	for (;;) {
		pid = vfork();
		if (!pid) {
			frz_inc(&door->word);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			frz_inc(&door->bad);
		frz_inc(&door->word);
	}
	return 0;
}

static void *thread(void *arg)
{
	frz_inc(&door->word);
	return NULL;
}

static int threads(void *arg)
{
	pthread_t t;

	for (;;) {
		if (pthread_create(&t, NULL, thread, NULL) ||
		    pthread_join(t, NULL))
			frz_inc(&door->bad);
		frz_inc(&door->word);
	}
	return 0;
}

/* The new program ends at once. */
static int execs(void *arg)
{
	static char * const argv[] = { "true", NULL };
	int status;
	pid_t pid;

	for (;;) {
		pid = vfork();
		if (!pid) {
			execv("/bin/true", argv);
			_exit(1);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			frz_inc(&door->bad);
		frz_inc(&door->word);
	}
	return 0;
}

static int traced(void *arg)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		return 1;
	raise(SIGSTOP);
	return call(arg);
}

/* A tracer in the group, which steps, or stops at system calls. */
static int trace(long request)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(traced(NULL));
	for (;;) {
		if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
		    ptrace(request, pid, 0, 0))
			frz_inc(&door->bad);
		frz_inc(&door->word);
	}
	return 0;
}

#ifdef FRZ_HAVE_STEP
static int steps(void *arg)
{
	return trace(PTRACE_SINGLESTEP);
}
#endif

static int stops(void *arg)
{
	return trace(PTRACE_SYSCALL);
}

FIXTURE(way) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(way) {
	int (*fn)(void *arg);
	bool no_stop;	/* traced already, or in a sleep that only a kill ends */
};

#define WAY(name, ...) \
	FIXTURE_VARIANT_ADD(way, name) { .fn = name, __VA_ARGS__ }

WAY(spin);
WAY(call);
WAY(nap);
WAY(clock_loop);
WAY(fault);
WAY(handler);
WAY(restart);
WAY(forks);
WAY(vforks, .no_stop = true);
WAY(threads);
WAY(execs, .no_stop = true);
#ifdef FRZ_HAVE_STEP
WAY(steps, .no_stop = true);
#endif
WAY(stops, .no_stop = true);

FIXTURE_SETUP(way)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(way)
{
	FRZ_GROUP_END(self->cg);
}

/* How long a task has been on a CPU, in nanoseconds; 0: it is gone. */
static long long on_cpu(pid_t tid)
{
	long long ns = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%lld", &ns) != 1)
		ns = -1;
	fclose(file);
	return ns;
}

struct look {
	int num;
	pid_t tid[MOST_TASKS];
	long long ns[MOST_TASKS];
};

static void look_at(const char *cg, struct look *look)
{
	int i;

	memset(look, 0, sizeof(*look));
	look->num = frz_list(cg, "tasks", look->tid, MOST_TASKS);
	for (i = 0; i < look->num; i++)
		look->ns[i] = on_cpu(look->tid[i]);
}

/* The registers of the first task, twice: "", or what is different. */
static const char *same_registers(pid_t tid)
{
	static char text[80];
	union frz_regs regs[2];
	int i, err;

	if (ptrace(PTRACE_SEIZE, tid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, tid, 0, 0))
		return strerror(errno);
	err = frz_wait_stop(tid, 0, FRZ_AT_ONCE);
	for (i = 0; i < 2 && err >= 0; i++) {
		memset(&regs[i], 0, sizeof(regs[i]));
		err = frz_get_regs(tid, &regs[i]);
		frz_sleep_ms(2);
	}
	ptrace(PTRACE_DETACH, tid, 0, 0);
	if (err < 0)
		return strerror(-err);
	if (!memcmp(&regs[0], &regs[1], sizeof(regs[0])))
		return "";
#ifdef FRZ_HAVE_REGS
	snprintf(text, sizeof(text), "at %lx, then at %lx",
		 regs[0].word[FRZ_REG_PC], regs[1].word[FRZ_REG_PC]);
	return text;
#else
	return "other registers";
#endif
}

/*
 * C1. Ten times, in the middle of a loop of this kind of return: when the write
 * of FROZEN has come back the word does not move, no task comes or goes, and a
 * debugger finds the same registers twice. A task whose sleep has ended meanwhile
 * may still be on its way to the door in the kernel; then none gets any time of a
 * CPU.
 */
TEST_F_TIMEOUT(way, is_closed, 120)
{
	struct look before, after;
	unsigned long seen;
	int i, j;

	door = frz_shared(sizeof(*door));
	ASSERT_NE(NULL, door);
	ASSERT_PID(frz_spawn(self->cg, variant->fn, NULL));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, frz_wait_move(&door->word, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		seen = frz_load(&door->word);
		frz_settle();
		look_at(self->cg, &before);
		ASSERT_LT(0, before.num);
		frz_sleep_ms(WATCH_MS);
		look_at(self->cg, &after);
		EXPECT_EQ(seen, frz_load(&door->word));
		EXPECT_EQ(before.num, after.num);
		for (j = 0; j < before.num; j++) {
			EXPECT_EQ(before.tid[j], after.tid[j]);
			EXPECT_EQ(before.ns[j], after.ns[j]) {
				TH_LOG("task %d of %d, round %d, %s", j,
				       before.num, i, frz_describe(self->cg));
			}
			EXPECT_LT(0, before.ns[j]);
		}
		if (!variant->no_stop)
			EXPECT_STREQ("", same_registers(before.tid[0]));
		EXPECT_EQ(seen, frz_load(&door->word));
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
	}
	ASSERT_EQ(0, frz_wait_move(&door->word, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&door->bad));
}

TEST_HARNESS_MAIN
