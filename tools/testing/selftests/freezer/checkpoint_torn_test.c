// SPDX-License-Identifier: GPL-2.0
/*
 * The checkpoint guard and memory that goes away under it: the holder reads
 * "torn".
 *
 * Clauses: C11.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "checkpoint_util.h"
#include "freezer_test.h"
#include "memcg_util.h"

/* With a memory cgroup whose limit is less than two hogs take. */
FIXTURE(memory) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_SETUP(memory)
{
	const char *what;
	int err;

	FRZ_GROUP_MAKE(self->cg);
	err = memcg_setup(32 << 20, &what);
	ASSERT_EQ(0, err) {
		TH_LOG("%s: %s", what, strerror(-err));
	}
}

FIXTURE_TEARDOWN(memory)
{
	int err;

	FRZ_GROUP_END(self->cg);
	err = memcg_teardown();
	EXPECT_EQ(0, err);
}

static int hog(void *arg)
{
	unsigned long *word = arg;
	size_t size = 24 << 20;
	char *p;

	if (frz_write("/proc/self", "oom_score_adj", "1000"))
		return 1;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 2;
	memset(p, 1, size);
	frz_inc(word);
	return frz_sleep(NULL);
}

/*
 * Needs more than there is, outside of the frozen group. It is no victim: the
 * OOM killer takes the next process when the first one is done with, which may
 * be before all of the memory is back (exit_mmap()).
 */
static int eater(void *arg)
{
	unsigned long *word = arg;
	size_t size = 24 << 20;
	char *p;

	if (frz_write("/proc/self", "oom_score_adj", "-1000"))
		return 1;
	frz_wait_word(&word[1], 1, FRZ_LIMIT);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 2;
	memset(p, 1, size);
	frz_inc(&word[2]);
	return 0;
}

/*
 * An OOM victim has to leave: the holder reads "torn", and the state stays what
 * it is. The next checkpoint is consistent again.
 */
TEST_F_TIMEOUT(memory, torn_by_oom, 90)
{
	unsigned long *word = ASSERT_WORDS(4);
	pid_t victim, other, list[4];
	int fd;

	victim = ASSERT_PID(frz_spawn(MEMCG_DIR, hog, word));
	other = ASSERT_PID(frz_spawn(MEMCG_DIR, eater, word));
	ASSERT_SPINNER(self->cg, &word[3]);
	ASSERT_EQ(0, frz_move_process(self->cg, victim));
	ASSERT_EQ(0, frz_wait_word(&word[0], 1, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_STREQ("consistent", guard_verdict(fd));
	frz_store(&word[1], 1);
	EXPECT_EQ(0, frz_wait_word(&word[2], 1, FRZ_LIMIT));
	EXPECT_EQ(SIGKILL, frz_wait_exit(victim, FRZ_LIMIT));
	EXPECT_STREQ("torn", guard_verdict(fd));
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_STANDS(&word[3]);
	EXPECT_EQ(1, frz_list(self->cg, "tasks", list, 4));
	close(fd);
	EXPECT_STATE(self->cg, "FROZEN");
	fd = ASSERT_GUARD(self->cg);
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	EXPECT_EQ(0, frz_wait_exit(other, FRZ_LIMIT));
}

#define REAPED_SIZE	(8UL << 20)

static int touch_and_sleep(void *word)
{
	char *p = mmap(NULL, REAPED_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	memset(p, 1, REAPED_SIZE);
	frz_inc(word);
	return frz_sleep(NULL);
}

static int reap(pid_t pid)
{
	int pidfd = syscall(__NR_pidfd_open, pid, 0), err;

	if (pidfd < 0)
		return -errno;
	err = syscall(__NR_process_mrelease, pidfd, 0) ? -errno : 0;
	close(pidfd);
	return err;
}

/* Resident pages; what is shared with nobody is taken. */
static long resident(pid_t pid)
{
	char proc[64], buf[256];
	long pages = -1;

	snprintf(proc, sizeof(proc), "/proc/%d", pid);
	if (!frz_read(proc, "statm", buf, sizeof(buf)))
		sscanf(buf, "%*d %ld", &pages);
	return pages;
}

/*
 * A process is killed under the guard, and stays; then somebody takes its memory
 * with process_mrelease(). The memory is gone, so the holder reads "torn". The
 * same call for a process that was not killed changes nothing. A group with such a
 * process has no consistent checkpoint before the process is gone.
 */
FREEZER_TEST(torn_by_mrelease)
{
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid;
	long pages;
	int fd;

	pid = ASSERT_PID(frz_spawn(self->cg, touch_and_sleep, &word[0]));
	ASSERT_SPINNER(self->cg, &word[1]);
	ASSERT_EQ(0, frz_wait_word(&word[0], 1, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	pages = resident(pid);
	EXPECT_EQ(-EINVAL, reap(pid));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(pages, resident(pid));
	EXPECT_STREQ("consistent", guard_verdict(fd));
	ASSERT_EQ(0, reap(pid));
	EXPECT_GT(pages - (long)(REAPED_SIZE / getpagesize()) / 2,
		  resident(pid));
	EXPECT_STREQ("torn", guard_verdict(fd));
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_STANDS(&word[1]);
	close(fd);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_STREQ("torn", guard_verdict(fd));
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_RUNS(&word[1]);
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	ASSERT_THAWS(self->cg);
}

struct reaper {
	pid_t pid;
	unsigned long go;
	unsigned long done;
};

static int reap_at_once(void *arg)
{
	struct reaper *r = arg;
	unsigned long n;

	for (n = 1;; n++) {
		if (frz_wait_word(&r->go, n, FRZ_LIMIT * 3))
			return 1;
		if (reap(r->pid))
			return 2;
		frz_store(&r->done, n);
	}
}

/*
 * The memory is taken at the moment at which the guard is. Thirty times: whether
 * it is gone when the guard is granted or goes after that, the holder reads "torn".
 */
FREEZER_TEST(reaped_while_opened)
{
	struct reaper *r = frz_shared(sizeof(*r));
	unsigned long *word = ASSERT_WORDS(1);
	int i, j, fd, torn = 0, before = 0;

	ASSERT_NE(NULL, r);
	/* a killed process is to wait, whatever the host's default is */
	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "0"));
	ASSERT_PID(frz_spawn(NULL, reap_at_once, r));
	for (i = 1; i <= 30; i++) {
		long first, last;
		pid_t pid;

		frz_store(word, 0);
		pid = ASSERT_PID(frz_spawn(self->cg, touch_and_sleep, word));
		ASSERT_EQ(0, frz_wait_word(word, 1, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		first = resident(pid);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		r->pid = pid;
		frz_store(&r->go, i);
		for (j = 0; j < i * 300; j++)
			frz_load(word);
		fd = ASSERT_GUARD(self->cg);
		before += resident(pid) != first;
		first = resident(pid);
		ASSERT_EQ(0, frz_wait_word(&r->done, i, FRZ_LIMIT));
		last = resident(pid);
		torn += first != last;
		EXPECT_STREQ("torn", guard_verdict(fd)) {
			TH_LOG("round %d: %ld pages, then %ld", i, first, last);
		}
		close(fd);
		ASSERT_THAWS(self->cg);
		EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
	}
	TH_LOG("%d under the guard, %d before it", torn, before);
}

TEST_HARNESS_MAIN
