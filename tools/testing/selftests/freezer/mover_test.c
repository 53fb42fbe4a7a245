// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks of a freezer cgroup that somebody moves in another hierarchy meanwhile
 * (C1, C5, C9, C10, C11), as systemd, a container runtime or a batch system does:
 *
 *	freezer				cgroup2, or another v1 hierarchy
 *	 `- cg	all tasks		 `- mover
 *					     |- a	a few of them at first
 *					     `- b	the others
 *
 * No cgroup of the freezer changes by that, but the tasks go from one list of
 * tasks to another while a freeze or a thaw walks over these lists. a is made
 * first, so that its list comes before that of b.
 *
 *	mover_test [-n ROUNDS] [harness options]
 */
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "freezer_test.h"

#define TASKS_MAX	400
#define MOVERS		2
#define NAP_MS		10
#define DIR_LEN		128

static int rounds = 40;

enum mover_kind {
	MOVE_TASKS,	/* single tasks, between a and b */
	MOVE_ALL,	/* all at once: a controller comes and goes in a and b */
};

FIXTURE(mover) {
	char cg[FRZ_PATH_MAX];
	char mnt[DIR_LEN];
	char a[2 * DIR_LEN];
	char b[2 * DIR_LEN];
	char top[2 * DIR_LEN];
	pid_t task[TASKS_MAX];
	pid_t who[MOVERS];
	unsigned long *count;
	unsigned long *moves;
};

FIXTURE_VARIANT(mover) {
	const char *type;
	const char *options;
	enum mover_kind kind;
	int tasks;
};

FIXTURE_VARIANT_ADD(mover, cgroup2) {
	.type = "cgroup2", .kind = MOVE_TASKS, .tasks = 400,
};
FIXTURE_VARIANT_ADD(mover, cgroup2_few) {
	.type = "cgroup2", .kind = MOVE_TASKS, .tasks = 40,
};
FIXTURE_VARIANT_ADD(mover, subtree_control) {
	.type = "cgroup2", .kind = MOVE_ALL, .tasks = 200,
};
FIXTURE_VARIANT_ADD(mover, named_v1) {
	.type = "cgroup", .options = "none,name=freezer_selftest",
	.kind = MOVE_TASKS, .tasks = 400,
};

/* A round of its own for each nap: a task that runs shows it soon. */
static int nap(void *count)
{
	struct timespec ts = { .tv_nsec = NAP_MS * 1000000L };

	for (;;) {
		frz_inc(count);
		nanosleep(&ts, NULL);
	}
	return 0;
}

static int write_pid(const char *dir, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return frz_write(dir, "cgroup.procs", text);
}

struct mover {
	const char *a;
	const char *b;
	const char *top;
	const pid_t *task;
	int tasks;
	enum mover_kind kind;
	unsigned int seed;
	unsigned long *moves;
};

/* Outside of the group. A task that is dying may be gone, or not be moved. */
static int move_for_ever(void *arg)
{
	const struct mover *m = arg;
	unsigned int seed = m->seed;

	for (;;) {
		bool odd = rand_r(&seed) & 0x100;
		int err;

		if (m->kind == MOVE_ALL)
			err = frz_write(m->top, "cgroup.subtree_control",
					odd ? "+pids" : "-pids");
		else
			err = write_pid(odd ? m->a : m->b,
					m->task[rand_r(&seed) % m->tasks]);
		if (!err)
			frz_inc(m->moves);
	}
	return 0;
}

static void remove_dirs(FIXTURE_DATA(mover) *self)
{
	rmdir(self->a);
	rmdir(self->b);
	rmdir(self->top);
	umount(self->mnt);
	rmdir(self->mnt);
}

FIXTURE_SETUP(mover)
{
	int i;

	freezer_setup(_metadata, (void *)self, NULL);

	snprintf(self->mnt, sizeof(self->mnt), "/tmp/freezer_selftest.mover");
	snprintf(self->top, sizeof(self->top), "%s/mover", self->mnt);
	snprintf(self->a, sizeof(self->a), "%s/a", self->top);
	snprintf(self->b, sizeof(self->b), "%s/b", self->top);
	remove_dirs(self);
	ASSERT_EQ(0, mkdir(self->mnt, 0755));
	ASSERT_EQ(0, mount("none", self->mnt, variant->type, 0,
			   variant->options)) {
		TH_LOG("%s %s: %s", variant->type, variant->options ?: "",
		       strerror(errno));
	}
	if (variant->kind == MOVE_ALL)
		ASSERT_EQ(0, frz_write(self->mnt, "cgroup.subtree_control",
				       "+pids"));
	ASSERT_EQ(0, mkdir(self->top, 0755));
	ASSERT_EQ(0, mkdir(self->a, 0755));
	ASSERT_EQ(0, mkdir(self->b, 0755));

	self->count = ASSERT_WORDS(variant->tasks);
	self->moves = ASSERT_WORDS(1);
	for (i = 0; i < variant->tasks; i++) {
		self->task[i] = ASSERT_PID(frz_spawn(self->cg, nap,
						     &self->count[i]));
		ASSERT_EQ(0, write_pid(i < variant->tasks / 40 ? self->a :
							       self->b,
				       self->task[i]));
	}
	for (i = 0; i < variant->tasks; i++)
		ASSERT_EQ(0, frz_wait_word(&self->count[i], 1, FRZ_LIMIT));
}

static void stop_movers(FIXTURE_DATA(mover) *self)
{
	int i;

	for (i = 0; i < MOVERS; i++) {
		if (self->who[i] > 0) {
			kill(self->who[i], SIGKILL);
			waitpid(self->who[i], NULL, 0);
		}
		self->who[i] = 0;
	}
}

FIXTURE_TEARDOWN(mover)
{
	stop_movers(self);
	freezer_teardown(_metadata, (void *)self, NULL);
	remove_dirs(self);
}

static int start_movers(FIXTURE_DATA(mover) *self,
			const FIXTURE_VARIANT(mover) *variant)
{
	struct mover m = {
		.a = self->a, .b = self->b, .top = self->top,
		.task = self->task, .tasks = variant->tasks,
		.kind = variant->kind, .moves = self->moves,
	};
	int i;

	for (i = 0; i < MOVERS; i++) {
		m.seed = i + 1;
		self->who[i] = frz_spawn(NULL, move_for_ever, &m);
		if (self->who[i] < 0)
			return self->who[i];
	}
	return frz_wait_move(self->moves, FRZ_LIMIT);
}

/* How many tasks have gone on since @was was noted, in @ms. */
static int gone_on(const unsigned long *count, const unsigned long *was,
		   int tasks, int ms)
{
	int i, n = 0;

	frz_sleep_ms(ms);
	for (i = 0; i < tasks; i++)
		n += frz_load(&count[i]) != was[i];
	return n;
}

static void note_all(const unsigned long *count, unsigned long *was, int tasks)
{
	int i;

	for (i = 0; i < tasks; i++)
		was[i] = frz_load(&count[i]);
}

/* How many tasks stand still at the limit. */
static int left_behind(const unsigned long *count, const unsigned long *was,
		       int tasks, int limit_ms)
{
	int64_t deadline = frz_now_ns() + limit_ms * 1000000LL;
	int left;

	do {
		left = tasks - gone_on(count, was, tasks, 1);
	} while (left && frz_now_ns() < deadline);
	return left;
}

/* How many of freezer.stat's tasks are on none of its lines, or are busy. */
static int64_t not_at_rest(const char *path)
{
	return frz_stat(path, "nr_tasks") - frz_stat(path, "nr_parked") -
	       frz_stat(path, "nr_in_place") - frz_stat(path, "nr_asleep");
}

/*
 * Freeze and thaw while the movers move: no task goes on when the write of
 * FROZEN has returned, each one goes on after THAWED, and freezer.stat, whose
 * counters are read under the movers, too, comes to the number of tasks when
 * the movers have stopped. A failure means that a pass over the tasks has missed
 * one, which then runs while FROZEN or stays frozen when the group is THAWED. On a
 * kernel without the hook in each move that happens several times in 40 rounds.
 */
TEST_F_TIMEOUT(mover, freezes, 3000)
{
	unsigned long was[TASKS_MAX];
	int i, ran = 0, stood = 0;

	ASSERT_EQ(0, start_movers(self, variant));
	for (i = 0; i < rounds; i++) {
		ASSERT_FREEZES(self->cg);
		note_all(self->count, was, variant->tasks);
		ran += gone_on(self->count, was, variant->tasks, 3 * NAP_MS);
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		stood += left_behind(self->count, was, variant->tasks,
				     FRZ_AT_ONCE);
	}
	EXPECT_EQ(0, ran) {
		TH_LOG("%d times a task ran while FROZEN, in %d freezes", ran,
		       rounds);
	}
	EXPECT_EQ(0, stood) {
		TH_LOG("%d times a task stood still after THAWED", stood);
	}
	EXPECT_LT(rounds, frz_load(self->moves));

	stop_movers(self);
	ASSERT_FREEZES(self->cg);
	EXPECT_EQ(variant->tasks, frz_stat(self->cg, "nr_tasks"));
	EXPECT_EQ(0, not_at_rest(self->cg));
	EXPECT_FILE(self->cg, "freezer.blockers", "");
	ASSERT_THAWS(self->cg);
}

/*
 * The checkpoint guard is granted while the movers move, and when it is, each
 * task waits at the door or is frozen in place, and stays so. A failure means
 * that the guard was granted without a look at one of them, or that the movers
 * keep it from being granted.
 */
TEST_F_TIMEOUT(mover, guarded, 3000)
{
	char path[FRZ_PATH_MAX + 32], verdict[32] = "";
	unsigned long was[TASKS_MAX];
	int i, fd, ran = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/freezer.checkpoint", self->cg);
	ASSERT_EQ(0, start_movers(self, variant));
	for (i = 0; i < rounds / 2 + 1; i++) {
		ASSERT_FREEZES(self->cg);
		fd = open(path, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd) {
			TH_LOG("%s, %s", strerror(errno),
			       frz_describe(self->cg));
		}
		EXPECT_STATE(self->cg, "CHECKPOINTING");
		EXPECT_EQ(0, frz_stat(self->cg, "nr_asleep"));
		note_all(self->count, was, variant->tasks);
		ran += gone_on(self->count, was, variant->tasks, 2 * NAP_MS);
		n = pread(fd, verdict, sizeof(verdict) - 1, 0);
		EXPECT_LT(0, n);
		EXPECT_STREQ("consistent\n", verdict);
		close(fd);
		ASSERT_THAWS(self->cg);
		EXPECT_EQ(0, left_behind(self->count, was, variant->tasks,
					 FRZ_AT_ONCE));
	}
	EXPECT_EQ(0, ran);
}

/*
 * All tasks are killed while FROZEN with freezer.killable 0, and wait. 1 lets
 * all of them go, also those that are moved while the write walks over them. A
 * failure means that one was missed and waits on.
 */
TEST_F_TIMEOUT(mover, killable, 90)
{
	int i, left = 0;

	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "0"));
	ASSERT_EQ(0, start_movers(self, variant));
	ASSERT_FREEZES(self->cg);
	for (i = 0; i < variant->tasks; i++)
		ASSERT_EQ(0, kill(self->task[i], SIGKILL));
	EXPECT_EQ(variant->tasks, frz_stat(self->cg, "nr_tasks"));
	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	for (i = 0; i < variant->tasks; i++)
		left += frz_wait_exit(self->task[i], left ? 0 : FRZ_LIMIT) < 0;
	EXPECT_EQ(0, left) {
		TH_LOG("of %d killed tasks", variant->tasks);
	}
	EXPECT_STATE(self->cg, "FROZEN");
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "-n")) {
		rounds = atoi(argv[2]);
		argv[2] = argv[0];
		argv += 2;
		argc -= 2;
	}
	return test_harness_run(argc, argv);
}
