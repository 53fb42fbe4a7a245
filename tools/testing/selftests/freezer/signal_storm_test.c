// SPDX-License-Identifier: GPL-2.0
/*
 * The signal controller while tasks come and go: a write of 9 leaves
 * nothing alive, and any signal comes exactly once to whoever was there.
 *
 *	self->cg	the storm, and signal.kill
 *	 `- a		the storm
 *	     `- b	the storm
 *	<root>/out	what must not be hit
 *
 * Clauses: C17.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/mman.h>

#include "signal_fixture.h"

#define LEVELS		3

/*
 * How many rounds: the environment's STORM_ROUNDS, or this. A machine too slow
 * for that makes as many as it can in STORM_SECONDS for each test, and in any
 * case a few.
 */
#define ROUNDS		100
#define ROUNDS_SECONDS	10
#define ROUNDS_LEAST	10

static int setting(const char *name, int value)
{
	const char *text = getenv(name);

	return text && atoi(text) > 0 ? atoi(text) : value;
}

static int64_t rounds_end(void)
{
	return frz_now_ns() +
	       setting("STORM_SECONDS", ROUNDS_SECONDS) * 1000000000LL;
}

static bool one_more(int round, int rounds, int64_t end)
{
	return round < rounds &&
	       (round < ROUNDS_LEAST || frz_now_ns() < end);
}

/* Shared with all tasks of the storm, also over exec: a file without a name. */
struct storm {
	unsigned long births;
	unsigned long stop;
	unsigned long next;
	unsigned long errors;
	unsigned long slot[4096];
};

static struct storm *storm;
static char storm_fd[16];

static struct storm *map_storm(int fd)
{
	void *p = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static struct storm *new_storm(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*storm)))
		return NULL;
	snprintf(storm_fd, sizeof(storm_fd), "%d", fd);
	return map_storm(fd);
}

static int exec_self(const char *kind)
{
	return execl("/proc/self/exe", "signal_storm_test", "--storm", kind,
		     storm_fd, NULL);
}

/*
 * Chains: each task makes the next one and goes, so that what is listed now is
 * not there any more when a signal is sent to it.
 */
static int chain_fork(void *arg)
{
	while (fork() <= 0)
		frz_inc(&storm->births);
	return 0;
}

/* A fork of a C library that blocks all signals meanwhile. */
static pid_t fork_blocked(void)
{
	sigset_t all, was;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &was);
	pid = fork();
	sigprocmask(SIG_SETMASK, &was, NULL);
	return pid;
}

static int chain_blocked(void *arg)
{
	while (fork_blocked() <= 0)
		frz_inc(&storm->births);
	return 0;
}

static int chain_vfork(void *arg)
{
	pid_t pid;

	frz_inc(&storm->births);
	do {
		pid = vfork();
		if (!pid) {
			exec_self("vfork");
			_exit(1);
		}
	} while (pid < 0);
	return 0;
}

/* Thread after thread; every eighth one moves on into a new process. */
static void *chain_thread_fn(void *arg)
{
	unsigned long num = (unsigned long)arg;
	pthread_t thread;

	frz_inc(&storm->births);
	if (num % 8 == 7 && fork() > 0)
		_exit(0);
	while (pthread_create(&thread, NULL, chain_thread_fn,
			      (void *)(num + 1)))
		;
	pthread_detach(pthread_self());
	return NULL;
}

static int chain_thread(void *arg)
{
	chain_thread_fn(NULL);
	return pause();
}

static void *exec_fn(void *arg)
{
	exec_self("exec");
	return NULL;
}

/* Process after process, each replaced by a thread of its own; more and more. */
static int chain_exec(void *arg)
{
	pthread_t thread;

	frz_inc(&storm->births);
	if (fork() > 0 && frz_load(&storm->births) % 8)
		_exit(0);
	if (!pthread_create(&thread, NULL, exec_fn, NULL))
		pthread_join(thread, NULL);
	exec_self("exec");
	return 1;
}

static int chain_loop(void *arg)
{
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
		frz_inc(arg);
		usleep(200);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(void *arg);
} chains[] = {
	{ "fork", chain_fork },
	{ "vfork", chain_vfork },
	{ "thread", chain_thread },
	{ "exec", chain_exec },
	{ "blocked", chain_blocked },
};

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* self->cg, a and b; and the one outside. */
static int make_tree(char cg[LEVELS][FRZ_PATH_MAX], const char *top,
		     char out[FRZ_PATH_MAX])
{
	int err;

	snprintf(cg[0], sizeof(cg[0]), "%s", top);
	err = frz_create(cg[1], top, "a");
	if (!err)
		err = frz_create(cg[2], cg[1], "b");
	if (!err && frz_create(out, NULL, "selftest_signal_out")) {
		frz_destroy(out, FRZ_LIMIT);
		err = frz_create(out, NULL, "selftest_signal_out");
	}
	return err;
}

FIXTURE(storms) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(storms) {
	int kind;
	const char *text;
};

FIXTURE_VARIANT_ADD(storms, fork) {
	.kind = 0, .text = "9",
};

FIXTURE_VARIANT_ADD(storms, vfork) {
	.kind = 1, .text = "9",
};

FIXTURE_VARIANT_ADD(storms, thread) {
	.kind = 2, .text = "9",
};

FIXTURE_VARIANT_ADD(storms, exec) {
	.kind = 3, .text = "9",
};

FIXTURE_VARIANT_ADD(storms, all) {
	.kind = -1, .text = "KILL",
};

FIXTURE_VARIANT_ADD(storms, term_fork) {
	.kind = 0, .text = "TERM",
};

FIXTURE_VARIANT_ADD(storms, term_vfork) {
	.kind = 1, .text = "TERM",
};

FIXTURE_VARIANT_ADD(storms, term_thread) {
	.kind = 2, .text = "TERM",
};

FIXTURE_VARIANT_ADD(storms, term_blocked) {
	.kind = 4, .text = "TERM",
};

FIXTURE_SETUP(storms)
{
	if (!sgn_present())
		SKIP(return, "the kernel has no signal controller");
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(storms)
{
	FRZ_GROUP_END(self->cg);
}

/*
 * Chains of tasks in three nested cgroups; in each round, while they are seen to
 * go on, one write. All three cgroups are empty then, for good. The tasks
 * outside go on. A failure means that a task escaped: it was made by a parent
 * that had the signal already, and was not met by the walk.
 */
TEST_F_TIMEOUT(storms, none_survives, 3600)
{
	char cg[LEVELS][FRZ_PATH_MAX], out[FRZ_PATH_MAX];
	unsigned long *outside = ASSERT_WORDS(2);
	int i, k, round, first, last, rounds = setting("STORM_ROUNDS", ROUNDS);
	int64_t longest = 0, begin, end;
	pid_t watch[2];

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	storm = new_storm();
	ASSERT_NE(NULL, storm);
	ASSERT_EQ(0, make_tree(cg, self->cg, out));
	watch[0] = ASSERT_PID(frz_spawn(out, chain_loop, &outside[0]));
	watch[1] = ASSERT_PID(frz_spawn(NULL, chain_loop, &outside[1]));
	first = variant->kind < 0 ? 0 : variant->kind;
	last = variant->kind < 0 ? 3 : variant->kind;
	end = rounds_end();
	for (round = 0; one_more(round, rounds, end); round++) {
		unsigned long before = frz_load(&storm->births);

		for (k = first; k <= last; k++)
			for (i = 0; i < LEVELS; i++)
				ASSERT_PID(frz_spawn(cg[i], chains[k].fn,
						     NULL));
		ASSERT_EQ(0, frz_wait_word(&storm->births,
					   before + 8 + round % 32, FRZ_LIMIT));
		begin = frz_now_ns();
		ASSERT_EQ(0, sgn_send(self->cg, variant->text));
		if (frz_now_ns() - begin > longest)
			longest = frz_now_ns() - begin;
		for (i = 0; i < LEVELS; i++) {
			ASSERT_EQ(0, sgn_wait_empty(cg[i], 4000)) {
				TH_LOG("round %d: tasks in %s: %s", round, cg[i],
				       frz_content(cg[i], "tasks"));
			}
		}
		reap();
	}
	EXPECT_LE(ROUNDS_LEAST, round);
	for (i = 0; i < LEVELS; i++)
		EXPECT_EQ(0, sgn_tasks(cg[i]));
	for (i = 0; i < 2; i++) {
		EXPECT_RUNS(&outside[i]);
		EXPECT_EQ(0, kill(watch[i], 0));
	}
	TH_LOG("%d rounds, %lu tasks made, longest write %lld us", round,
	       frz_load(&storm->births), (long long)longest / 1000);
	kill(watch[1], SIGKILL);
	EXPECT_EQ(0, frz_destroy(out, FRZ_LIMIT));
}

/* Private to each process, and inherited by fork: that is the point. */
static unsigned long handled;

static void handler(int sig)
{
	frz_inc(&handled);
}

/*
 * A family that grows to a limit. Each member notes what its own counter says
 * when it is told to stop; the system call before that lets it handle what is
 * pending.
 */
static int family(void *arg)
{
	unsigned long limit = (unsigned long)arg, mine;

	signal(SIGRTMIN + 1, handler);
again:
	mine = __atomic_fetch_add(&storm->next, 1, __ATOMIC_SEQ_CST);
	while (!frz_load(&storm->stop)) {
		if (frz_load(&storm->next) < limit) {
			pid_t pid = mine % 2 ? fork_blocked() : fork();

			if (!pid)
				goto again;
			if (pid < 0)
				frz_inc(&storm->errors);
		} else {
			sched_yield();
		}
	}
	getppid();
	frz_store(&storm->slot[mine], 1 + frz_load(&handled));
	return pause();
}

/*
 * A counter that is inherited by fork says of each process whether it, or a
 * parent before the fork, has handled the signal. After one write all of them
 * read 1: 0 is a process that was there and got nothing; 2 is one that got it
 * twice, or was born after its parent had handled it and yet got it.
 */
SIGNAL_TEST(once_while_forking)
{
	unsigned long k, num, wrong = 0, total = 0, growing = 0;
	char cg[LEVELS][FRZ_PATH_MAX], out[FRZ_PATH_MAX];
	int i, round, rounds = setting("STORM_ROUNDS", ROUNDS);
	char text[16];
	int64_t end;

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	storm = new_storm();
	ASSERT_NE(NULL, storm);
	ASSERT_EQ(0, make_tree(cg, self->cg, out));
	snprintf(text, sizeof(text), "%d", SIGRTMIN + 1);
	end = rounds_end();
	for (round = 0; one_more(round, rounds, end); round++) {
		memset(storm, 0, sizeof(*storm));
		for (i = 0; i < LEVELS; i++)
			ASSERT_PID(frz_spawn(cg[i], family, (void *)100));
		ASSERT_EQ(0, frz_wait_word(&storm->next, 6 + round % 40,
					   FRZ_LIMIT));
		ASSERT_EQ(0, sgn_send(self->cg, text));
		growing += frz_load(&storm->next) < 100;
		frz_store(&storm->stop, 1);
		num = frz_load(&storm->next);
		for (k = 0; k < num; k++) {
			ASSERT_EQ(0, frz_wait_word(&storm->slot[k], 1,
						   FRZ_LIMIT));
			num = frz_load(&storm->next);
			total++;
			if (storm->slot[k] != 2) {
				wrong++;
				TH_LOG("round %d: a process has %ld signals",
				       round, (long)storm->slot[k] - 1);
			}
		}
		ASSERT_EQ(0, wrong);
		ASSERT_EQ(0, sgn_send(self->cg, "9"));
		for (i = 0; i < LEVELS; i++)
			ASSERT_EQ(0, sgn_wait_empty(cg[i], FRZ_LIMIT));
		reap();
	}
	/* It was a storm while the signal was sent. */
	EXPECT_LE(ROUNDS_LEAST, round);
	EXPECT_LT(round / 6, growing);
	TH_LOG("%d rounds, %lu processes, %lu rounds with forks after the write",
	       round, total, growing);
	EXPECT_EQ(0, frz_destroy(out, FRZ_LIMIT));
}

struct mover {
	char (*cg)[FRZ_PATH_MAX];
	unsigned long moves;
};

/* Move whatever is in one cgroup of the subtree into the next one. */
static int move_all(void *arg)
{
	struct mover *m = arg;
	pid_t list[256];
	int i, k, num;

	for (k = 0;; k = (k + 1) % LEVELS) {
		num = frz_list(m->cg[k], "cgroup.procs", list, 256);
		for (i = 0; i < num; i++)
			if (!frz_move_process(m->cg[(k + 1) % LEVELS], list[i]))
				frz_inc(&m->moves);
	}
	return 0;
}

/*
 * Chains again, while another process moves their tasks round and round in the
 * subtree: a task that is moved from where the walk has not been to where it has
 * been must not escape.
 */
SIGNAL_TEST(none_survives_moving)
{
	char cg[LEVELS][FRZ_PATH_MAX], out[FRZ_PATH_MAX];
	int i, round, rounds = setting("STORM_ROUNDS", ROUNDS);
	struct mover *m = frz_shared(sizeof(*m));
	int64_t end;
	pid_t mover;

	ASSERT_NE(NULL, m);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	storm = new_storm();
	ASSERT_NE(NULL, storm);
	ASSERT_EQ(0, make_tree(cg, self->cg, out));
	m->cg = cg;
	mover = ASSERT_PID(frz_spawn(NULL, move_all, m));
	end = rounds_end();
	for (round = 0; one_more(round, rounds, end); round++) {
		unsigned long before = frz_load(&storm->births);
		unsigned long moves = frz_load(&m->moves);

		for (i = 0; i < 2 * LEVELS; i++)
			ASSERT_PID(frz_spawn(cg[i / 2], i % 2 ? chain_fork :
					     chain_thread, NULL));
		ASSERT_EQ(0, frz_wait_word(&storm->births, before + 20,
					   FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_word(&m->moves, moves + 3, FRZ_LIMIT));
		ASSERT_EQ(0, sgn_send(self->cg, "9"));
		for (i = 0; i < 2 * LEVELS; i++) {
			ASSERT_EQ(0, sgn_wait_empty(cg[i % LEVELS], 4000)) {
				TH_LOG("round %d: tasks in %s: %s", round, cg[i],
				       frz_content(cg[i % LEVELS], "tasks"));
			}
		}
		reap();
	}
	EXPECT_LE(ROUNDS_LEAST, round);
	kill(mover, SIGKILL);
	EXPECT_EQ(0, frz_destroy(out, FRZ_LIMIT));
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc == 4 && !strcmp(argv[1], "--storm")) {
		snprintf(storm_fd, sizeof(storm_fd), "%s", argv[3]);
		storm = map_storm(atoi(storm_fd));
		for (i = 0; storm && i < ARRAY_SIZE(chains); i++)
			if (!strcmp(argv[2], chains[i].name))
				_exit(chains[i].fn(NULL));
		_exit(2);
	}
	sgn_begin();
	return test_harness_run(argc, argv);
}
