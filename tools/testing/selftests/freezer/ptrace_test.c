// SPDX-License-Identifier: GPL-2.0
/*
 * Tracers and job control: stops of all kinds are at rest, and a tracer or a
 * SIGCONT does not get a task out of a freeze.
 *
 * Clauses: C8, C9, C13.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "fuse_util.h"
#include "regs.h"

/*
 * Let the parent trace us, stop, then count. By a load and a store: where an
 * atomic addition is a load and a conditional store, the stop after a single step
 * between the two lets the store fail, and the addition would never be done.
 */
static int traced_spin(void *word)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		return 1;
	raise(SIGSTOP);
	for (;;)
		frz_store(word, frz_load(word) + 1);
	return 0;
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
 * at it and let it go, but it runs only after the thaw (C9).
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

#ifdef FRZ_HAVE_STEP
FIXTURE_VARIANT_ADD(tracer, step_outside) {
	.request = PTRACE_SINGLESTEP,
	.fn = traced_spin,
};

FIXTURE_VARIANT_ADD(tracer, step_inside) {
	.request = PTRACE_SINGLESTEP,
	.inside = true,
	.fn = traced_spin,
};
#endif

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
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(tracer)
{
	FRZ_GROUP_END(self->cg);
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
 * the cgroup or inside of it. Thirty freezes: FROZEN in time (C8), the counter
 * of the child stands, and after the thaw the tracer goes on; it has seen no
 * stop that it did not ask for.
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
 * parent is told nothing by either (C13). SIGCONT then lets it run, as always.
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
	EXPECT_EQ(0, wait_task_state(pid, 'T'));
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

/*
 * A spinner that has a CPU only while the caller sleeps, which is on the same one and a
 * realtime task from here on. The pid, or -errno.
 */
static pid_t spinner_behind(const char *cg, unsigned long *word)
{
	struct sched_param fifo = { .sched_priority = 1 };
	pid_t pid = frz_spinner(cg, word);
	int err;

	if (pid < 0)
		return pid;
	err = frz_share_cpu(pid);
	if (!err && sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &fifo))
		err = -errno;
	return err ?: frz_wait_move(word, FRZ_LIMIT) ?: pid;
}

/*
 * A SIGSTOP that a task has not taken yet when the freeze comes stops the task first:
 * its parent is told, and it is stopped from the thaw on, at the first look (C9). The
 * task has no CPU between the signal and the freeze, nor between the thaw and the look.
 */
FREEZER_TEST(jobctl_stop_before_freeze)
{
	unsigned long *word = ASSERT_WORDS(1), seen;
	pid_t pid = ASSERT_PID(spinner_behind(self->cg, word));
	int i, state;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
		seen = frz_load(word);
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_FREEZES(self->cg);
		EXPECT_LE(0, frz_wait_stop(pid, WUNTRACED, 0)) {
			TH_LOG("round %d: not stopped when FROZEN", i);
		}
		ASSERT_THAWS(self->cg);
		state = frz_task_state(pid);
		EXPECT_EQ('T', state) {
			TH_LOG("round %d: behind the thaw it is '%c'", i, state);
		}
		EXPECT_EQ(0, frz_moved(word, 2));
		EXPECT_EQ(seen, frz_load(word));
		ASSERT_EQ(0, kill(pid, SIGCONT));
	}
	EXPECT_RUNS(word);
}

/* SIGCHLD is blocked: the si_code of the one that has come first, or -errno. */
static int first_sigchld(int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return sigtimedwait(&set, &info, &ts) < 0 ? -errno : info.si_code;
}

/*
 * A SIGSTOP that a task has not taken yet when the freeze comes is not the only signal
 * for it. A SIGCONT came first: the parent is told of that. A SIGTERM came, too: it ends
 * the process at the thaw, as it would have without a freeze, by its lower number (C13).
 * The task has no CPU between a signal and the freeze.
 */
FREEZER_TEST(jobctl_stop_behind_another)
{
	unsigned long *word = ASSERT_WORDS(1);
	sigset_t chld;
	pid_t pid;
	int i;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &chld, NULL));
	for (i = 0; i < 5; i++) {
		pid = ASSERT_PID(spinner_behind(self->cg, word));
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_EQ(CLD_STOPPED, first_sigchld(FRZ_LIMIT));
		ASSERT_EQ(0, kill(pid, SIGCONT));
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
		EXPECT_EQ(CLD_CONTINUED, first_sigchld(FRZ_LIMIT)) {
			TH_LOG("round %d", i);
		}
		EXPECT_TRUE(frz_until(frz_task_state(pid) == 'T', FRZ_LIMIT));

		ASSERT_EQ(0, kill(pid, SIGCONT));
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_EQ(0, kill(pid, SIGTERM));
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
		EXPECT_EQ(SIGTERM, frz_wait_exit(pid, FRZ_LIMIT)) {
			TH_LOG("round %d: it is '%c'", i, frz_task_state(pid));
		}
		kill(pid, SIGKILL);
		frz_wait_exit(pid, FRZ_LIMIT);
		while (first_sigchld(0) > 0)
			;
	}
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

/*
 * Kills that come while a request of the tracer is under way
 */

/* A tracee, and the tracer that works on it; in shared memory. */
struct request_test {
	pid_t pid;
	unsigned long spins;
	unsigned long page;		/* of the tracee, not read yet */
	unsigned long tid;
	unsigned long ready;
	unsigned long go;
	unsigned long execs;		/* programs that have begun */
	unsigned long done;		/* the request is over */
	long failed;			/* errno of it */
	unsigned long dead;		/* 1 + wait status that the tracer saw */
};

static struct request_test *request_test;

static const char execs_file[] = "/tmp/freezer_selftest.ptrace";

/* What survives an exec. */
static unsigned long *map_execs(void)
{
	int fd = open(execs_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p;

	if (fd < 0 || ftruncate(fd, sizeof(unsigned long)))
		return NULL;
	p = mmap(NULL, sizeof(unsigned long), PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static void *exec_on_go(void *unused)
{
	struct request_test *r = request_test;

	frz_store(&r->tid, syscall(SYS_gettid));
	while (!frz_load(&r->go))
		usleep(1000);
	execl("/proc/self/exe", "ptrace_test", "--mark", NULL);
	r->failed = errno;
	return NULL;
}

static int map_page_and_spin(void *arg)
{
	struct request_test *r = arg;
	int fd = open_fuse_file();
	pthread_t thread;
	void *page;

	request_test = r;
	if (fd < 0)
		return 1;
	page = mmap(NULL, getpagesize(), PROT_READ, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED ||
	    pthread_create(&thread, NULL, exec_on_go, NULL))
		return 2;
	while (!frz_load(&r->tid))
		usleep(1000);
	/* its server is not asked about the file any more when we exit */
	close(fd);
	frz_store(&r->page, (unsigned long)page);
	return frz_spin(&r->spins);
}

/* Stop the tracee, wait for the word, look at the page, then see it die. */
static int peek(void *arg)
{
	struct request_test *r = arg;
	int status;

	if (ptrace(PTRACE_SEIZE, r->pid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, r->pid, 0, 0) ||
	    waitpid(r->pid, &status, __WALL) != r->pid)
		return 1;
	frz_inc(&r->ready);
	if (frz_wait_word(&r->ready, 2, FRZ_LIMIT))
		return 2;
	errno = 0;
	ptrace(PTRACE_PEEKDATA, r->pid, r->page, 0);
	r->failed = errno;
	frz_inc(&r->done);
	if (waitpid(r->pid, &status, __WALL) == r->pid)
		frz_store(&r->dead, 1 + status);
	return frz_sleep(NULL);
}

FIXTURE(peek) {
	char cg[FRZ_PATH_MAX];
	int fuse;
};

FIXTURE_VARIANT(peek) {
	bool exec;
};

FIXTURE_VARIANT_ADD(peek, kill) { .exec = false };
FIXTURE_VARIANT_ADD(peek, exec_of_a_sibling) { .exec = true };

FIXTURE_SETUP(peek)
{
	FRZ_GROUP_MAKE(self->cg);
	unlink(execs_file);
	self->fuse = mount_fuse_file();
	ASSERT_LE(0, self->fuse);
}

FIXTURE_TEARDOWN(peek)
{
	unmount_fuse_file(self->fuse);
	FRZ_GROUP_END(self->cg);
	unlink(execs_file);
}

/*
 *	cg
 *	 |- frozen	a process in a stop for its tracer, which is outside
 *	 `- thawed	another thread of it
 *
 * The tracer looks at a page that a file server holds back, so that it is in the
 * middle of its request for as long as we like. Meanwhile the process is killed,
 * killable 1, or its other thread executes a program, which kills the rest of it.
 * The page comes; the tracer has its answer, and the tracee is gone in time,
 * though nobody thaws. A failure is a kill that was put off for the tracer's sake
 * and then forgotten.
 *
 *	tracer			killer
 *
 *	PTRACE_PEEKDATA
 *				SIGKILL: not now, a tracer works on it
 *	done: is it killed?
 *
 * (Not with userfaultfd: a tracer gets an error for such a page at once.)
 */
TEST_F_TIMEOUT(peek, kill_in_a_request, 90)
{
	char frozen[FRZ_PATH_MAX], thawed[FRZ_PATH_MAX];
	struct request_test *r = frz_shared(sizeof(*r));
	unsigned long *execs = map_execs();
	struct request req;
	pid_t tracer;
	int i;

	ASSERT_NE(NULL, r);
	ASSERT_NE(NULL, execs);
	frz_threads_apart();
	ASSERT_EQ(0, frz_create(frozen, self->cg, "frozen"));
	ASSERT_EQ(0, frz_create(thawed, self->cg, "thawed"));
	ASSERT_EQ(0, frz_write(frozen, "freezer.killable",
			       variant->exec ? "0" : "1"));
	r->pid = ASSERT_PID(frz_spawn(frozen, map_page_and_spin, r));
	for (i = 0; i < FRZ_LIMIT && !frz_load(&r->page); i += FRZ_WATCH)
		while (next_request(self->fuse, &req, FRZ_WATCH) >= 0)
			ASSERT_EQ(0, serve_file(self->fuse, &req));
	ASSERT_EQ(0, frz_wait_move(&r->spins, FRZ_LIMIT));
	if (variant->exec)
		ASSERT_EQ(0, frz_move_thread(thawed, r->tid));
	tracer = ASSERT_PID(frz_spawn(NULL, peek, r));
	ASSERT_EQ(0, frz_wait_word(&r->ready, 1, FRZ_LIMIT));
	ASSERT_FREEZES(frozen);
	frz_inc(&r->ready);
	ASSERT_EQ(0, serve_file_until(self->fuse, FUSE_READ, &req));
	ASSERT_EQ(0, frz_wait_asleep(tracer, FRZ_LIMIT));

	if (variant->exec)
		frz_store(&r->go, 1);
	else
		ASSERT_EQ(0, kill(r->pid, SIGKILL));
	/* in an exec the other thread waits for this one, in D state */
	if (variant->exec)
		wait_task_state(r->tid, 'D');
	EXPECT_EQ(0, frz_load(&r->done));
	ASSERT_EQ(0, serve_file(self->fuse, &req));

	EXPECT_EQ(0, frz_wait_word(&r->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, r->failed) {
		TH_LOG("PTRACE_PEEKDATA: %s", strerror(r->failed));
	}
	if (variant->exec) {
		EXPECT_EQ(0, frz_wait_word(execs, 1, FRZ_LIMIT)) {
			TH_LOG("the exec waits, its sibling is %c",
			       frz_task_state(r->pid));
		}
	} else {
		EXPECT_EQ(0, frz_wait_word(&r->dead, 1, FRZ_LIMIT)) {
			TH_LOG("the tracee is %c", frz_task_state(r->pid));
		}
		EXPECT_EQ(1 + SIGKILL, frz_load(&r->dead));
		EXPECT_EQ(SIGKILL, frz_wait_exit(r->pid, FRZ_LIMIT));
	}
	EXPECT_STREQ("", frz_becomes(frozen, "FROZEN", FRZ_AT_ONCE));
	EXPECT_EQ(0, frz_stat(frozen, "nr_tasks"));
	kill(tracer, SIGKILL);
	frz_wait_exit(tracer, FRZ_LIMIT);
}

#define RACES	500

struct killer {
	pid_t pid;
	unsigned long round;
	unsigned long done;
};

/* At another time of the round each time. */
static int kill_in_rounds(void *arg)
{
	unsigned long round, i, delay;
	struct killer *k = arg;
	unsigned int seed = 7;

	for (round = 1; round <= RACES; round++) {
		while (frz_load(&k->round) < round)
			;
		delay = rand_r(&seed) % 4000;
		for (i = 0; i < delay; i++)
			frz_load(&k->round);
		kill(k->pid, SIGKILL);
		frz_store(&k->done, round);
	}
	return 0;
}

FIXTURE(race) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(race) {
	bool cont;
};

FIXTURE_VARIANT_ADD(race, peek) { .cont = false };
FIXTURE_VARIANT_ADD(race, cont) { .cont = true };

FIXTURE_SETUP(race)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(race)
{
	FRZ_GROUP_END(self->cg);
}

/* Without a sleep in between: a wait status, -ETIMEDOUT, or -errno. */
static int wait_busily(pid_t pid)
{
	int status;
	pid_t ret;

	frz_until_busy((ret = waitpid(pid, &status, WNOHANG | __WALL)),
		       FRZ_AT_ONCE);
	return !ret ? -ETIMEDOUT : ret == pid ? status : -errno;
}

/*
 * One request after the other, to look at the tracee, or to let it go and to stop
 * it again, until it is gone: its wait status, or -ETIMEDOUT.
 */
static int make_requests(pid_t pid, bool cont, unsigned long *word)
{
	int status;

	for (;;) {
		errno = 0;
		if (!cont)
			ptrace(PTRACE_PEEKDATA, pid, word, 0);
		else if (!ptrace(PTRACE_CONT, pid, 0, 0))
			ptrace(PTRACE_INTERRUPT, pid, 0, 0);
		if (!cont && !errno)
			continue;
		status = wait_busily(pid);
		if (status < 0 || !WIFSTOPPED(status))
			return status;
	}
}

/*
 *	cg	a process in a stop for its tracer
 *
 * killable 1, FROZEN. The tracer makes one request after the other until the
 * process is gone; it is killed by somebody else meanwhile, five hundred times, at
 * another moment each time. Its death is reported in time, though nobody thaws. A
 * failure is a kill that met a request and was forgotten.
 */
TEST_F_TIMEOUT(race, kill_meets_request, 300)
{
	struct killer *k = frz_shared(sizeof(*k));
	unsigned long *word = ASSERT_WORDS(1);
	pid_t killer;
	int i, status;

	ASSERT_NE(NULL, k);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	killer = ASSERT_PID(frz_spawn(NULL, kill_in_rounds, k));
	for (i = 1; i <= RACES; i++) {
		k->pid = ASSERT_PID(frz_spawn(self->cg, frz_spin, word));
		ASSERT_EQ(0, ptrace(PTRACE_SEIZE, k->pid, 0, 0));
		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, k->pid, 0, 0));
		status = frz_wait_stop(k->pid, 0, FRZ_LIMIT);
		ASSERT_LE(0, status);
		ASSERT_FREEZES(self->cg);
		frz_store(&k->round, i);
		status = make_requests(k->pid, variant->cont, word);
		ASSERT_EQ(0, frz_wait_word(&k->done, i, FRZ_LIMIT));
		ASSERT_EQ(SIGKILL, status) {
			TH_LOG("round %d: the tracee is %c, %s", i,
			       frz_task_state(k->pid), frz_describe(self->cg));
		}
		ASSERT_THAWS(self->cg);
	}
	EXPECT_EQ(0, frz_wait_exit(killer, FRZ_LIMIT));
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--mark")) {
		unsigned long *execs = map_execs();

		_exit(execs ? frz_sleep(execs) : 1);
	}
	return test_harness_run(argc, argv);
}
