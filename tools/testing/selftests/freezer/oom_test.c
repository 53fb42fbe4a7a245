// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of memory. The victim of the OOM killer in a frozen group leaves with
 * all its threads, its memory comes back, and the rest of the group stays
 * FROZEN. A task that memory.high slows down is frozen and thawed.
 *
 * Clauses: C1, C2, C9, U12.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "freezer_lost.h"
#include "freezer_test.h"
#include "freezer_v2.h"
#include "memcg_util.h"

#define MB		(1024UL * 1024)
#define LIMIT		(64 * MB)
#define VICTIM_SIZE	(40 * MB)

/* A cgroup of v2 below that with the limit, which covers it. */
#define MEMCG_FROZEN	MEMCG_DIR "/frozen"

FIXTURE(oom) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(oom) {
	const char *killable;
};

FIXTURE_VARIANT_ADD(oom, killable_0) { .killable = "0" };
FIXTURE_VARIANT_ADD(oom, killable_1) { .killable = "1" };

FIXTURE_SETUP(oom)
{
	const char *what;
	int err;

	FRZ_GROUP_MAKE(self->cg);
	err = memcg_setup(LIMIT, &what);
	ASSERT_EQ(0, err) {
		TH_LOG("%s: %s", what, strerror(-err));
	}
}

FIXTURE_TEARDOWN(oom)
{
	FRZ_GROUP_END(self->cg);
	memcg_teardown();
}

struct hog {
	unsigned long ready;
	unsigned long spins;
	unsigned long go;
	unsigned long size;
	const char *killable;
	bool on_v2;
};

static int write_score(const char *score)
{
	return frz_write("/proc/self", "oom_score_adj", score);
}

static int join_memcg(void)
{
	return frz_write(MEMCG_DIR, "cgroup.procs", "0");
}

static int join_frozen(void)
{
	return frz_write(MEMCG_FROZEN, "cgroup.procs", "0");
}

static void *spin_thread(void *arg)
{
	struct hog *h = arg;

	frz_inc(&h->ready);
	frz_spin(&h->spins);
	return NULL;
}

static void *sleep_thread(void *arg)
{
	struct hog *h = arg;

	frz_inc(&h->ready);
	for (;;)
		pause();
	return NULL;
}

static char *take(unsigned long size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		memset(p, 1, size);
	return p;
}

/* The victim: much memory, a thread that spins and two that sleep. */
static int victim(void *arg)
{
	struct hog *h = arg;
	pthread_t thread;

	if ((h->on_v2 ? join_frozen() : join_memcg()) || write_score("500") ||
	    take(VICTIM_SIZE) == MAP_FAILED ||
	    pthread_create(&thread, NULL, spin_thread, h) ||
	    pthread_create(&thread, NULL, sleep_thread, h))
		return 1;
	sleep_thread(h);
	return 0;
}

/* Outside: takes more than there is beside the victim. */
static int taker(void *arg)
{
	if (join_memcg() || write_score("-1000"))
		return 1;
	return take(VICTIM_SIZE) == MAP_FAILED ? 2 : 0;
}

/*
 * C9.
 *	cg		the victim, a spinner, a sleeper: FROZEN
 *	memory cgroup	the victim, and later a process outside of cg
 *
 * The process outside takes more memory than the limit leaves. The victim is
 * killed, and gone with its three threads though nobody thaws; the process gets
 * its memory and ends; the state has been FROZEN all the time and the spinner
 * stands. On a kernel that lets one thread go the others keep the memory.
 */
TEST_F_TIMEOUT(oom, victim_leaves, 90)
{
	struct hog *h = frz_shared(sizeof(*h));
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid, out;
	int status;

	ASSERT_NE(NULL, h);
	frz_write(self->cg, "freezer.killable", variant->killable);
	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(self->cg, &word[1]);
	pid = ASSERT_PID(frz_spawn(self->cg, victim, h));
	ASSERT_EQ(0, frz_wait_word(&h->ready, 3, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_move(&h->spins, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);

	out = ASSERT_PID(frz_spawn(NULL, taker, NULL));
	status = frz_wait_exit(pid, FRZ_LIMIT);
	EXPECT_LE(0, status) {
		TH_LOG("the victim is still there");
	}
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_EQ(0, frz_wait_exit(out, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(2, frz_stat(self->cg, "nr_tasks"));
	EXPECT_STANDS(&word[0]);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[0]);
}

FIXTURE(v2_oom) {
	pid_t pid[2];
};

FIXTURE_SETUP(v2_oom)
{
	const char *what;
	int err = memcg_setup(LIMIT, &what);

	ASSERT_EQ(0, err) {
		TH_LOG("%s: %s", what, strerror(-err));
	}
	ASSERT_EQ(0, mkdir(MEMCG_FROZEN, 0755));
}

FIXTURE_TEARDOWN(v2_oom)
{
	int i;

	frz2_request(MEMCG_FROZEN, 0);
	for (i = 0; i < 2; i++) {
		if (self->pid[i] > 0 && !kill(self->pid[i], SIGKILL))
			frz_wait_exit(self->pid[i], FRZ_LIMIT);
	}
	frz_until(!rmdir(MEMCG_FROZEN), FRZ_LIMIT);
	memcg_teardown();
}

static int spin_in_frozen(void *arg)
{
	return join_frozen() || write_score("-1000") ? 1 : frz_spin(arg);
}

/*
 * U12. The same in cgroup v2, where the frozen cgroup is below that with the limit:
 * "frozen" is 1 all the time.
 */
TEST_F_TIMEOUT(v2_oom, victim_leaves, 90)
{
	struct hog *h = frz_shared(sizeof(*h));
	unsigned long *word = ASSERT_WORDS(1);
	int status;
	pid_t out;

	ASSERT_NE(NULL, h);
	h->on_v2 = true;
	self->pid[0] = ASSERT_PID(frz_spawn(NULL, spin_in_frozen, word));
	ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
	self->pid[1] = ASSERT_PID(frz_spawn(NULL, victim, h));
	ASSERT_EQ(0, frz_wait_word(&h->ready, 3, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_move(&h->spins, FRZ_LIMIT));
	ASSERT_EQ(0, frz2_request(MEMCG_FROZEN, 1));
	ASSERT_TRUE(frz_until(frz2_frozen(MEMCG_FROZEN) == 1, FRZ_LIMIT));

	out = ASSERT_PID(frz_spawn(NULL, taker, NULL));
	status = frz_wait_exit(self->pid[1], FRZ_LIMIT);
	EXPECT_EQ(SIGKILL, status) {
		TH_LOG("the victim: status %#x", status);
	}
	EXPECT_EQ(0, frz_wait_exit(out, FRZ_LIMIT));
	EXPECT_EQ(1, frz2_frozen(MEMCG_FROZEN));
	EXPECT_STANDS(word);
	ASSERT_EQ(0, frz2_request(MEMCG_FROZEN, 0));
	EXPECT_RUNS(word);
	if (status >= 0)
		self->pid[1] = 0;
}

#define HIGH		(4 * MB)
#define GLUT		(48 * MB)
/* The kernel lets a task that is above memory.high sleep for 2 s at most. */
#define PENALTY_MS	2000

/* Takes one page after the other, and counts them. */
static int glutton(void *arg)
{
	struct hog *h = arg;
	unsigned long i;
	char *p;

	p = mmap(NULL, GLUT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	if (join_memcg() || p == MAP_FAILED)
		return 1;
	frz_inc(&h->ready);
	for (i = 0; i < GLUT; i += 4096) {
		p[i] = 1;
		frz_inc(&h->spins);
	}
	return 0;
}

static bool is_slowed_down(pid_t pid)
{
	return frz_task_state(pid) == 'D';
}

/*
 * C1, C2. There is no swap, so a task above memory.high gets nothing back and
 * sleeps, unfreezable, each time that it comes from a page fault. It is asleep, so
 * the group is FROZEN at once; when that sleep is over it stands at the door, and
 * does not get to its next page. It goes on behind the thaw, and a kill ends it
 * there, or at once if the group is killable.
 */
TEST_F_TIMEOUT(oom, memory_high, 90)
{
	struct hog *h = frz_shared(sizeof(*h));
	unsigned long pages;
	int64_t begin, ms, lost;
	int i, status;
	char text[32];
	pid_t pid;

	ASSERT_NE(NULL, h);
	ASSERT_EQ(0, frz_lost_start());
	snprintf(text, sizeof(text), "%lu", HIGH);
	ASSERT_EQ(0, frz_write(MEMCG_DIR, "memory.high", text));
	frz_write(self->cg, "freezer.killable", variant->killable);
	pid = ASSERT_PID(frz_spawn(self->cg, glutton, h));
	ASSERT_EQ(0, frz_wait_word(&h->ready, 1, FRZ_LIMIT));

	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(frz_until(is_slowed_down(pid), FRZ_LIMIT));
		lost = frz_lost_ns();
		begin = frz_now_ns();
		ASSERT_FREEZES(self->cg);
		ms = (frz_now_ns() - begin - (frz_lost_ns() - lost)) / 1000000;
		EXPECT_GT(PENALTY_MS / 2, ms);
		pages = frz_load(&h->spins);
		frz_sleep_ms(PENALTY_MS + 500);
		EXPECT_EQ(pages, frz_load(&h->spins));
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		EXPECT_EQ(0, frz_wait_move(&h->spins, FRZ_LIMIT));
	}

	ASSERT_TRUE(frz_until(is_slowed_down(pid), FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	if (frz_killable(self->cg)) {
		status = frz_wait_exit(pid, FRZ_AT_ONCE);
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
	} else {
		EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
		ASSERT_THAWS(self->cg);
		status = frz_wait_exit(pid, FRZ_AT_ONCE);
	}
	ASSERT_LE(0, status);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

TEST_HARNESS_MAIN
