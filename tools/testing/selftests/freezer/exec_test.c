// SPDX-License-Identifier: GPL-2.0
/*
 * exec, exit and core dump across a freeze: places where one thread waits for
 * others.
 *
 * Clauses: C8, C9.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "freezer_test.h"

#define NR_THREADS	4

/*
 * The counters of a process that executes itself: in a file, since nothing else
 * survives an exec.
 */
struct words {
	unsigned long execs;
	unsigned long spins;
	unsigned long errors;
};

static struct words *words;

static const char words_file[] = "/tmp/freezer_selftest.exec";

static struct words *map_words(void)
{
	int fd = open(words_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p;

	if (fd < 0 || ftruncate(fd, sizeof(struct words)))
		return NULL;
	p = mmap(NULL, sizeof(struct words), PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static void *spin_thread(void *arg)
{
	frz_spin(&words->spins);
	return NULL;
}

static void *sleep_thread(void *arg)
{
	frz_sleep(NULL);
	return NULL;
}

static void *exec_thread(void *mode)
{
	execl("/proc/self/exe", "exec_test", mode, NULL);
	frz_inc(&words->errors);
	return NULL;
}

/* Threads that spin and sleep, and one of them executes us again. */
static int exec_again(char *mode)
{
	pthread_t thread;
	int i;

	words = map_words();
	if (!words)
		return 1;
	frz_inc(&words->execs);
	if (!strcmp(mode, "--exec-leader-last")) {
		for (i = 0; i < NR_THREADS; i++)
			pthread_create(&thread, NULL,
				       i & 1 ? spin_thread : sleep_thread,
				       NULL);
		exec_thread(mode);
		return 2;
	}
	for (i = 0; i < NR_THREADS; i++)
		pthread_create(&thread, NULL,
			       i & 1 ? spin_thread : sleep_thread, NULL);
	pthread_create(&thread, NULL, exec_thread, mode);
	spin_thread(NULL);
	return 0;
}

static int vfork_exec(void)
{
	pid_t pid;

	words = map_words();
	for (;;) {
		pid = vfork();
		if (!pid) {
			execl("/proc/self/exe", "exec_test", "--exit", NULL);
			_exit(1);
		}
		if (pid < 0)
			frz_inc(&words->errors);
		else
			waitpid(pid, NULL, 0);
		frz_inc(&words->execs);
	}
	return 0;
}

static int run_helper(char *mode)
{
	if (!strcmp(mode, "--exit"))
		return 0;
	if (!strcmp(mode, "--vfork-exec"))
		return vfork_exec();
	if (!strcmp(mode, "--mark")) {
		words = map_words();
		return words ? frz_sleep(&words->execs) : 1;
	}
	return exec_again(mode);
}

FIXTURE(execs) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(execs) {
	char *mode;
};

FIXTURE_VARIANT_ADD(execs, from_thread) {
	.mode = "--exec-thread",
};

FIXTURE_VARIANT_ADD(execs, from_leader) {
	.mode = "--exec-leader-last",
};

FIXTURE_VARIANT_ADD(execs, after_vfork) {
	.mode = "--vfork-exec",
};

FIXTURE_SETUP(execs)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(execs)
{
	FRZ_GROUP_END(self->cg);
	unlink(words_file);
}

static int exec_helper(void *arg)
{
	execl("/proc/self/exe", "exec_test", arg, NULL);
	return 1;
}

/*
 * Two processes with threads execute themselves for ever. The thread that does
 * waits in the kernel until its siblings are gone, which may be at the door when
 * the freeze comes. Thirty freezes: FROZEN in time, no program starts and no
 * thread spins while it is, and it goes on after the thaw. Time limits here are
 * the known fault of the former freezer of cgroup v1 (C8).
 */
TEST_F_TIMEOUT(execs, freezes, 90)
{
	struct words *w, seen;
	int i;

	unlink(words_file);
	w = map_words();
	ASSERT_NE(NULL, w);
	for (i = 0; i < 2; i++)
		ASSERT_PID(frz_spawn(self->cg, exec_helper, variant->mode));
	ASSERT_EQ(0, frz_wait_word(&w->execs, 6, FRZ_LIMIT));
	for (i = 0; i < 30; i++) {
		ASSERT_FREEZES(self->cg);
		seen.execs = frz_load(&w->execs);
		seen.spins = frz_load(&w->spins);
		frz_sleep_ms(3);
		ASSERT_EQ(seen.execs, frz_load(&w->execs)) {
			TH_LOG("round %d", i);
		}
		ASSERT_EQ(seen.spins, frz_load(&w->spins)) {
			TH_LOG("round %d", i);
		}
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_word(&w->execs, seen.execs + 2,
					   FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_load(&w->errors));
}

struct group {
	unsigned long ready;
	unsigned long go;
	unsigned long spins;
	bool dump;
};

static struct group *group;

static void *group_thread(void *arg)
{
	frz_inc(&group->ready);
	frz_spin(&group->spins);
	return NULL;
}

/* Threads that spin; the leader ends them all, by exit or by a crash. */
static int end_group(void *arg)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };
	pthread_t thread;
	int i;

	group = arg;
	for (i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, group_thread, NULL))
			return 1;
	if (chdir("/tmp") || (group->dump && setrlimit(RLIMIT_CORE, &lim)))
		return 1;
	while (!frz_load(&group->go))
		sched_yield();
	if (group->dump) {
		signal(SIGQUIT, SIG_DFL);
		raise(SIGQUIT);
	}
	_exit(9);
}

/*
 * A process with threads that spin is ended by one of them while the freeze
 * arrives, thirty times. FROZEN in time; after the thaw it has ended the way it
 * should, and nobody hangs.
 */
static void end_while_freezing(struct __test_metadata *_metadata,
			       const char *cg, bool dump)
{
	struct group *g = frz_shared(sizeof(*g));
	int i, status;
	pid_t pid;

	ASSERT_NE(NULL, g);
	for (i = 0; i < 30; i++) {
		memset(g, 0, sizeof(*g));
		g->dump = dump;
		pid = ASSERT_PID(frz_spawn(cg, end_group, g));
		ASSERT_EQ(0, frz_wait_word(&g->ready, NR_THREADS, FRZ_LIMIT));
		frz_store(&g->go, 1);
		/* At another moment of the end each time. */
		usleep(i * 50);
		ASSERT_FREEZES(cg);
		EXPECT_EQ(0, frz_moved(&g->spins, 2));
		ASSERT_THAWS(cg);
		status = frz_wait_exit(pid, FRZ_LIMIT);
		ASSERT_LE(0, status) {
			TH_LOG("round %d hangs", i);
		}
		EXPECT_EQ(dump ? SIGQUIT : 9, dump ? WTERMSIG(status) :
						     WEXITSTATUS(status));
	}
}

FREEZER_TEST(exit_group)
{
	end_while_freezing(_metadata, self->cg, false);
}

static int set_core_pattern(char *buf, size_t size, const char *new)
{
	static const char name[] = "/proc/sys/kernel/core_pattern";
	ssize_t n;
	int fd;

	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n >= 0) {
		buf[n] = 0;
		n = pwrite(fd, new, strlen(new), 0);
	}
	close(fd);
	return n < 0 ? -errno : 0;
}

FIXTURE(core) {
	char cg[FRZ_PATH_MAX];
	char pattern[256];
};

static const char core_file[] = "/tmp/freezer_selftest.core";

FIXTURE_SETUP(core)
{
	FRZ_GROUP_MAKE(self->cg);
	ASSERT_EQ(0, set_core_pattern(self->pattern, sizeof(self->pattern),
				      core_file));
}

FIXTURE_TEARDOWN(core)
{
	char ours[256];

	FRZ_GROUP_END(self->cg);
	EXPECT_EQ(0, set_core_pattern(ours, sizeof(ours), self->pattern));
	unlink(core_file);
}

TEST_F_TIMEOUT(core, core_dump, 90)
{
	end_while_freezing(_metadata, self->cg, true);
	EXPECT_EQ(0, access(core_file, F_OK)) {
		TH_LOG("there was no core");
	}
}

struct sibling {
	unsigned long tid;
	unsigned long spins;
	unsigned long go;
};

static struct sibling *sibling;

static void *sibling_thread(void *arg)
{
	frz_store(&sibling->tid, syscall(SYS_gettid));
	frz_spin(&sibling->spins);
	return NULL;
}

static int exec_on_go(void *arg)
{
	pthread_t thread;

	sibling = arg;
	if (pthread_create(&thread, NULL, sibling_thread, NULL))
		return 1;
	while (!frz_load(&sibling->go))
		sched_yield();
	execl("/proc/self/exe", "exec_test", "--mark", NULL);
	return 1;
}

/*
 * The threads of one process are in two cgroups:
 *
 *	cg
 *	 |- frozen	a thread, parked
 *	 `- thawed	the leader, executes a program
 *
 * exec kills the thread and waits for it. A thread killed by its own group's
 * exec leaves and dies, frozen or not (C9): the program starts without a thaw,
 * and both states stay what they are. Here the former freezer of cgroup v1
 * hangs.
 */
FREEZER_TEST(exec_kills_frozen_sibling)
{
	char frozen[FRZ_PATH_MAX], thawed[FRZ_PATH_MAX];
	struct sibling *s = frz_shared(sizeof(*s));
	struct words *w;
	pid_t list[4];

	ASSERT_NE(NULL, s);
	unlink(words_file);
	w = map_words();
	ASSERT_NE(NULL, w);
	frz_threads_apart();
	ASSERT_EQ(0, frz_create(frozen, self->cg, "frozen"));
	ASSERT_EQ(0, frz_create(thawed, self->cg, "thawed"));
	ASSERT_PID(frz_spawn(thawed, exec_on_go, s));
	ASSERT_EQ(0, frz_wait_move(&s->spins, FRZ_LIMIT));
	ASSERT_EQ(0, frz_move_thread(frozen, s->tid));
	ASSERT_FREEZES(frozen);
	EXPECT_STANDS(&s->spins);
	frz_store(&s->go, 1);
	EXPECT_EQ(0, frz_wait_word(&w->execs, 1, FRZ_LIMIT)) {
		TH_LOG("the exec waits for its frozen thread");
	}
	EXPECT_STANDS(&s->spins);
	EXPECT_STATE(frozen, "FROZEN");
	EXPECT_STATE(thawed, "THAWED");
	EXPECT_EQ(0, frz_list(frozen, "tasks", list, 4));
	EXPECT_EQ(1, frz_list(thawed, "tasks", list, 4));
	unlink(words_file);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strncmp(argv[1], "--", 2))
		_exit(run_helper(argv[1]));
	return test_harness_run(argc, argv);
}
