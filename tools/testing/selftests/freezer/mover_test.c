// SPDX-License-Identifier: GPL-2.0
/*
 * Moves in another hierarchy: a task that changes its cgroup there keeps its
 * freezer cgroup, but stands elsewhere in the list of its tasks, which a pass
 * of the freezer walks over in pieces.
 *
 *	freezer			other hierarchy
 *
 *	cg			base
 *	  400 tasks		 |- first	10, and the task that is moved
 *				 `- second	the rest
 *
 * "first" is earlier in the list, since its tasks came before. So a pass that is
 * in the midst of "second" does not come back to a task that is moved to
 * "first". A process outside of cg moves tasks to and fro, for the whole time.
 *
 *	mover_test -n N ...	N freezes instead of some tens, to the end
 *
 * Clauses: C1, C5, C9, C10, C11.
 */
#include <pthread.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "checkpoint_util.h"
#include "freezer_test.h"

#define NR_MANY		400
#define NR_FEW		40
#define NR_FIRST	10
#define NR_SPINNERS	2

/* How many freezes, if nobody says. */
#define FREEZES		20
#define GUARDS		5
#define KILLS		3

/* A freeze is looked at for as long as the slowest of the tasks naps. */
#define NAP_MS		100
#define WATCH_MS	(2 * NAP_MS)

/* A task with its door closed after THAWED does not go on: no long wait. */
#define LEFT_MS		4000

/* Rounds with a fault, then there is nothing to learn. */
#define ENOUGH		3

#define MOVER_MNT	"/tmp/freezer_selftest.mover"
#define MOVER_BASE	MOVER_MNT "/freezer_mover"

static int nr_rounds;

struct member {
	unsigned long count;
	unsigned long tid;
};

/* What the test, the tasks and the mover share. */
struct crowd {
	unsigned long stop;
	unsigned long moves;
	unsigned long failed;		/* moves that were refused ... */
	unsigned long error;		/* ... with this, the last one */
	int nr;
	int nr_first;
	int threads;			/* of each process */
	char first[FRZ_PATH_MAX];
	char second[FRZ_PATH_MAX];
	const char *file;		/* what a tid is written to */
	bool toggle;			/* not moved one by one: +pids, -pids */
	struct member member[NR_MANY];
};

static struct crowd *crowd;

FIXTURE(mover) {
	char cg[FRZ_PATH_MAX];
	pid_t mover;
	const char *mounted;
	bool pids_was_off;
	bool cpuset_was_on;
};

FIXTURE_VARIANT(mover) {
	const char *type;
	const char *options[4];		/* the first that can be mounted */
	const char *file;
	int nr;
	int threads;
	bool threaded;
	bool toggle;
};

FIXTURE_VARIANT_ADD(mover, v2_processes) {
	.type = "cgroup2", .options = { "" }, .file = "cgroup.procs",
	.nr = NR_MANY, .threads = 1,
};

FIXTURE_VARIANT_ADD(mover, v2_threads) {
	.type = "cgroup2", .options = { "" }, .file = "cgroup.threads",
	.nr = NR_MANY, .threads = 40, .threaded = true,
};

FIXTURE_VARIANT_ADD(mover, v2_few) {
	.type = "cgroup2", .options = { "" }, .file = "cgroup.procs",
	.nr = NR_FEW, .threads = 1,
};

FIXTURE_VARIANT_ADD(mover, v2_subtree_control) {
	.type = "cgroup2", .options = { "" }, .file = "cgroup.procs",
	.nr = NR_MANY, .threads = 1, .toggle = true,
};

FIXTURE_VARIANT_ADD(mover, v1_named) {
	.type = "cgroup", .options = { "none,name=freezer_mover" },
	.file = "tasks", .nr = NR_MANY, .threads = 1,
};

FIXTURE_VARIANT_ADD(mover, v1_controller) {
	.type = "cgroup", .options = { "cpuset", "cpuacct", "pids" },
	.file = "tasks", .nr = NR_MANY, .threads = 1,
};

/*
 * The tasks
 */

static void nap(int i, int timer)
{
	int ms = NAP_MS / 2 + i % (NAP_MS / 2);
	struct itimerspec its = { .it_value.tv_nsec = ms * 1000000L };
	uint64_t expired;

	/* a sleep that can be frozen in place, and one that cannot */
	if (timer < 0)
		frz_sleep_ms(ms);
	else if (timerfd_settime(timer, 0, &its, NULL) ||
		 read(timer, &expired, sizeof(expired)) != sizeof(expired))
		_exit(3);
}

static void *member_fn(void *arg)
{
	struct member *me = arg;
	int i = me - crowd->member;
	bool spins = i >= crowd->nr - NR_SPINNERS;
	int timer = -1;

	if (i % 2)
		timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	frz_store(&me->tid, syscall(SYS_gettid));
	for (;;) {
		frz_inc(&me->count);
		if (!spins)
			nap(i, timer);
	}
	return NULL;
}

static void run_process(int i)
{
	pthread_attr_t attr;
	pthread_t thread;
	int t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (t = 1; t < crowd->threads; t++)
		if (pthread_create(&thread, &attr, member_fn,
				   &crowd->member[i + t]))
			_exit(1);
	member_fn(&crowd->member[i]);
}

/* The tasks are born where they belong: a move for each would take long. */
struct nursery {
	const char *dir;
	int from;
	int to;
};

static int nursery_fn(void *arg)
{
	static pid_t forked[NR_MANY];
	struct nursery *n = arg;
	pid_t pid;
	int i;

	if (frz_write(n->dir, "cgroup.procs", "0"))
		return 1;
	/* those that are killed are gone, though we are frozen */
	signal(SIGCHLD, SIG_IGN);
	setpriority(PRIO_PROCESS, 0, 0);
	for (;;) {
		for (i = n->from; i < n->to; i += crowd->threads) {
			/* it is there, or about to say so */
			if (frz_load(&crowd->member[i].tid) ||
			    (forked[i] && !kill(forked[i], 0)))
				continue;
			pid = fork();
			if (!pid) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				run_process(i);
			}
			if (pid < 0)
				return 2;
			forked[i] = pid;
		}
		frz_sleep_ms(NAP_MS);
	}
	return 0;
}

static int exit_there(void *dir)
{
	return frz_write(dir, "cgroup.procs", "0") ? 1 : 0;
}

/*
 * The mover
 */

static void note_failure(int err)
{
	frz_store(&crowd->error, -err);
	frz_inc(&crowd->failed);
}

static void move(int i, const char *dir)
{
	unsigned long tid = frz_load(&crowd->member[i].tid);
	char text[32];
	int err;

	if (!tid)
		return;
	snprintf(text, sizeof(text), "%lu", tid);
	err = frz_write(dir, crowd->file, text);
	if (!err)
		frz_inc(&crowd->moves);
	else if (err != -ESRCH)
		note_failure(err);
}

/* All change their css_set at once, and not one by one. */
static void toggle(bool on)
{
	int err = frz_write(MOVER_BASE, "cgroup.subtree_control",
			    on ? "+pids" : "-pids");

	if (err)
		note_failure(err);
	else
		frz_inc(&crowd->moves);
}

static int mover_fn(void *arg)
{
	unsigned int seed = 1;
	int i, last = -1;

	while (!frz_load(&crowd->stop)) {
		if (crowd->toggle) {
			toggle(frz_load(&crowd->moves) % 2 == 0);
			continue;
		}
		i = crowd->nr_first +
		    rand_r(&seed) % (crowd->nr - crowd->nr_first);
		move(i, crowd->first);
		if (last >= 0)
			move(last, crowd->second);
		last = i;
	}
	return 0;
}

/*
 * Set-up
 */

/* A cpuset of cgroup v1 takes no task before these are written. */
static void fill_cpuset(const char *dir, const char *parent)
{
	static const char * const files[] = { "cpuset.cpus", "cpuset.mems" };
	char text[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (!frz_read(parent, files[i], text, sizeof(text)))
			frz_write(dir, files[i], text);
}

static int make_dir(const char *dir, const char *parent)
{
	/* left by a test that was killed */
	rmdir(dir);
	if (mkdir(dir, 0755))
		return -errno;
	fill_cpuset(dir, parent);
	return 0;
}

/* Turn a controller of cgroup v2 on or off for the cgroups below its root. */
static int control_root(const char *controller, bool on, bool *was)
{
	const char *file = "cgroup.subtree_control";
	char list[256], text[32];
	int err;

	err = frz_read(MOVER_MNT, file, list, sizeof(list));
	if (err)
		return err;
	*was = strstr(list, controller);
	snprintf(text, sizeof(text), "%c%s", on ? '+' : '-', controller);
	return *was == on ? 0 : frz_write(MOVER_MNT, file, text);
}

/* Is cpuset on in cgroup v2? A mount of it as v1 turns it off there. */
static bool cpuset_is_on(void)
{
	char list[256] = "";

	if (mount("none", MOVER_MNT, "cgroup2", 0, NULL))
		return false;
	frz_read(MOVER_MNT, "cgroup.subtree_control", list, sizeof(list));
	umount(MOVER_MNT);
	return strstr(list, "cpuset");
}

static void turn_cpuset_on(void)
{
	bool was;

	if (mount("none", MOVER_MNT, "cgroup2", 0, NULL))
		return;
	control_root("cpuset", true, &was);
	umount(MOVER_MNT);
}

/* Is a controller where cgroup v2 can have it, or is there no such one? */
static bool is_free(const char *controller)
{
	char line[256], name[64];
	bool found = true;
	int id;
	FILE *f;

	f = fopen("/proc/cgroups", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %d", name, &id) == 2 &&
		    !strcmp(name, controller))
			found = !id;
	if (f)
		fclose(f);
	return found;
}

/*
 * The end of a hierarchy is the unmount that finds no cgroup in it, and a cgroup
 * that was removed is there for some time yet.
 */
static void unmount_other(const char *type, const char *mounted)
{
	int i, j;

	for (i = 0; i < 50; i++) {
		umount(MOVER_MNT);
		for (j = 0; j < 20 && !is_free(mounted); j++)
			frz_sleep_ms(5);
		if (is_free(mounted) ||
		    mount("none", MOVER_MNT, type, 0, mounted))
			break;
		frz_sleep_ms(20);
	}
}

/* 0 or -errno, and what was mounted. */
static int mount_other(const char *type, const char * const *options,
		       const char **mounted)
{
	int i, err = -EINVAL;

	for (i = 0; options[i] && err; i++) {
		err = mount("none", MOVER_MNT, type, 0, options[i]) ?
		      -errno : 0;
		*mounted = options[i];
	}
	return err;
}

static int nr_still(const unsigned long *since)
{
	int i, still = 0;

	for (i = 0; i < crowd->nr; i++)
		still += frz_load(&crowd->member[i].count) == since[i];
	return still;
}

/* Wait until the counters of all have moved on from @since: how many have not */
static int wait_all(const unsigned long *since, int timeout_ms)
{
	int still;

	frz_until(!(still = nr_still(since)), timeout_ms);
	return still;
}

/* One of those that have not, and where it is. */
static const char *who_stands(const unsigned long *since)
{
	static char buf[256];
	char dir[32], wchan[64] = "";
	unsigned long tid;
	int i;

	for (i = 0; i < crowd->nr - 1; i++)
		if (frz_load(&crowd->member[i].count) == since[i])
			break;
	tid = frz_load(&crowd->member[i].tid);
	snprintf(dir, sizeof(dir), "/proc/%lu", tid);
	frz_read(dir, "wchan", wchan, sizeof(wchan));
	snprintf(buf, sizeof(buf), "number %d, task %lu, state %c, in %s", i,
		 tid, frz_task_state(tid), wchan);
	return buf;
}

static void count_all(unsigned long *count)
{
	int i;

	for (i = 0; i < crowd->nr; i++)
		count[i] = frz_load(&crowd->member[i].count);
}

static int nr_moved_on(const unsigned long *since)
{
	int i, num = 0;

	for (i = 0; i < crowd->nr; i++)
		num += frz_load(&crowd->member[i].count) != since[i];
	return num;
}

FIXTURE_SETUP(mover)
{
	static const unsigned long zero[NR_MANY];
	static struct nursery nursery[2];
	bool was;
	int i;

	FRZ_GROUP_MAKE(self->cg);
	crowd = frz_shared(sizeof(*crowd));
	ASSERT_NE(NULL, crowd);
	crowd->nr = variant->nr;
	crowd->threads = variant->threads;
	crowd->file = variant->file;
	crowd->toggle = variant->toggle;

	umount2(MOVER_MNT, MNT_DETACH);
	mkdir(MOVER_MNT, 0755);
	self->cpuset_was_on = !strcmp(variant->type, "cgroup") &&
			      cpuset_is_on();
	ASSERT_EQ(0, mount_other(variant->type, variant->options,
				 &self->mounted));
	if (variant->options[1])
		TH_LOG("mounted: %s", self->mounted);
	if (variant->toggle) {
		ASSERT_EQ(0, control_root("pids", true, &was));
		self->pids_was_off = !was;
	}
	rmdir(MOVER_BASE "/first");
	rmdir(MOVER_BASE "/second");
	ASSERT_EQ(0, make_dir(MOVER_BASE, MOVER_MNT));
	snprintf(crowd->first, FRZ_PATH_MAX, "%s/first", MOVER_BASE);
	snprintf(crowd->second, FRZ_PATH_MAX, "%s/second", MOVER_BASE);
	ASSERT_EQ(0, make_dir(crowd->first, MOVER_BASE));
	ASSERT_EQ(0, make_dir(crowd->second, MOVER_BASE));
	if (variant->threaded) {
		ASSERT_EQ(0, frz_write(crowd->first, "cgroup.type",
				       "threaded"));
		ASSERT_EQ(0, frz_write(crowd->second, "cgroup.type",
				       "threaded"));
	}

	/*
	 * In a css_set that only a zombie keeps, nothing is walked over, but
	 * tasks may come to it: its place in the list stays. With few tasks this
	 * is all that there is in "first", with subtree_control it is what all
	 * tasks come back to.
	 */
	if (variant->nr == NR_FEW)
		ASSERT_PID(frz_spawn(self->cg, exit_there, crowd->first));
	else if (!variant->toggle)
		crowd->nr_first = NR_FIRST;
	if (variant->toggle)
		ASSERT_PID(frz_spawn(self->cg, exit_there, crowd->second));

	setpriority(PRIO_PROCESS, 0, -10);
	if (crowd->nr_first) {
		i = crowd->threads > NR_FIRST ? crowd->threads : NR_FIRST;
		nursery[0] = (struct nursery){ crowd->first, 0, i };
		ASSERT_PID(frz_spawn(self->cg, nursery_fn, &nursery[0]));
		for (; i > 0; i--)
			ASSERT_EQ(0, frz_wait_word(&crowd->member[i - 1].count,
						   1, FRZ_LIMIT));
	}
	nursery[1] = (struct nursery){ crowd->second, nursery[0].to,
				       crowd->nr };
	ASSERT_PID(frz_spawn(self->cg, nursery_fn, &nursery[1]));
	ASSERT_EQ(0, wait_all(zero, 15 * FRZ_LIMIT)) {
		TH_LOG("%s", who_stands(zero));
	}
	for (i = crowd->nr_first; i < nursery[0].to; i++)
		move(i, crowd->second);

	crowd->moves = 0;
	self->mover = ASSERT_PID(frz_spawn(NULL, mover_fn, NULL));
	ASSERT_EQ(0, frz_wait_word(&crowd->moves, 4, FRZ_LIMIT));
}

static void remove_dirs(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		rmdir(MOVER_BASE "/first");
		rmdir(MOVER_BASE "/second");
		if (!rmdir(MOVER_BASE) || errno == ENOENT)
			return;
		frz_sleep_ms(1);
	}
}

FIXTURE_TEARDOWN(mover)
{
	bool was;
	int i;

	if (crowd)
		frz_store(&crowd->stop, 1);
	if (self->mover > 0)
		EXPECT_LE(0, frz_wait_exit(self->mover, FRZ_LIMIT));
	/* what a thaw has left behind is found by the next one */
	for (i = 0; i < 2; i++) {
		frz_freeze(self->cg);
		frz_thaw(self->cg);
	}
	FRZ_GROUP_END(self->cg);
	remove_dirs();
	if (self->pids_was_off)
		control_root("pids", false, &was);
	if (self->mounted)
		unmount_other(variant->type, self->mounted);
	if (self->cpuset_was_on)
		turn_cpuset_on();
	rmdir(MOVER_MNT);
	setpriority(PRIO_PROCESS, 0, 0);
}

/*
 * freezer.stat in one read. With a mover beside it a task may be met twice, or
 * not at all, but never without being somewhere.
 */
struct counts {
	long tasks;
	long parked;
	long in_place;
	long asleep;
	long busy;
};

static int read_counts(const char *cg, struct counts *c)
{
	const struct { const char *key; long *value; } keys[] = {
		{ "nr_tasks ", &c->tasks }, { "nr_parked ", &c->parked },
		{ "nr_in_place ", &c->in_place }, { "nr_asleep ", &c->asleep },
		{ "nr_busy ", &c->busy },
	};
	unsigned int i;
	char buf[4096];
	char *at;
	int err;

	err = frz_read(cg, "freezer.stat", buf, sizeof(buf));
	for (i = 0; !err && i < ARRAY_SIZE(keys); i++) {
		at = strstr(buf, keys[i].key);
		if (!at)
			return -ENOENT;
		*keys[i].value = atol(at + strlen(keys[i].key));
	}
	return err;
}

static long nr_at_rest(const struct counts *c)
{
	return c->parked + c->in_place + c->asleep;
}

static int rounds_of(int usual)
{
	return nr_rounds ?: usual;
}

/* Three bad ones will do, unless a number was asked for. */
static bool is_enough(int bad)
{
	return !nr_rounds && bad >= ENOUGH;
}

#define EXPECT_MOVED(moves) do { \
	EXPECT_LT(0, (moves)); \
	EXPECT_EQ(0, frz_load(&crowd->failed)) { \
		TH_LOG("moves were refused: %s", \
		       strerror(frz_load(&crowd->error))); \
	} \
} while (0)

/*
 * The group is frozen and thawed while its tasks are moved elsewhere, which
 * must make no difference (C10). After the write of FROZEN no counter moves for
 * as long as the slowest task naps, and freezer.stat has each task at rest and
 * none busy; after the write of THAWED it has none at rest, and all counters
 * move. A task that was carried from what a pass has not seen to what it has is
 * free in a FROZEN group (it "ran", or is "not held": C1), or frozen in a
 * THAWED one ("left": C5).
 */
TEST_F_TIMEOUT(mover, freezes, 1800)
{
	unsigned long count[NR_MANY], moves = frz_load(&crowd->moves);
	int rounds = rounds_of(FREEZES), i, bad = 0;
	long ran = 0, not_held = 0, busy = 0, left = 0, closed = 0, still;
	struct counts c = {};

	for (i = 0; i < rounds && !is_enough(bad); i++) {
		bool fault = false;

		ASSERT_EQ(0, frz_freeze(self->cg)) {
			TH_LOG("freeze %d: %s", i, frz_describe(self->cg));
		}
		count_all(count);
		ASSERT_STATE(self->cg, "FROZEN");
		ASSERT_EQ(0, read_counts(self->cg, &c));
		not_held += c.tasks - nr_at_rest(&c) - c.busy;
		busy += c.busy;
		fault |= c.tasks != nr_at_rest(&c);
		frz_sleep_ms(WATCH_MS);
		still = nr_moved_on(count);
		ran += still;
		fault |= still;
		ASSERT_STATE(self->cg, "FROZEN");

		count_all(count);
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, read_counts(self->cg, &c));
		closed += nr_at_rest(&c) + c.busy;
		fault |= nr_at_rest(&c) + c.busy;
		still = wait_all(count, nr_at_rest(&c) ? LEFT_MS : FRZ_LIMIT);
		left += still;
		fault |= still;
		bad += fault;
	}
	moves = frz_load(&crowd->moves) - moves;
	TH_LOG("%d freezes, %lu moves", i, moves);
	TH_LOG("while FROZEN: ran %ld, not held %ld, busy %ld", ran, not_held,
	       busy);
	TH_LOG("while THAWED: left %ld, held %ld", left, closed);
	EXPECT_MOVED(moves);
	EXPECT_EQ(0, ran);
	EXPECT_EQ(0, not_held);
	EXPECT_EQ(0, busy);
	EXPECT_EQ(0, left);
	EXPECT_EQ(0, closed);
}

/*
 * The checkpoint guard has to look at each task as well (C11). When it is
 * granted each one is parked or in place, none merely asleep, and no counter
 * moves until it is given back; the verdict is "consistent". A task that the
 * guard has missed is asleep, in a system call that may end at any time.
 */
TEST_F_TIMEOUT(mover, guard, 1800)
{
	unsigned long count[NR_MANY], moves = frz_load(&crowd->moves);
	int rounds = rounds_of(GUARDS), i, fd, bad = 0;
	long ran = 0, not_quiet = 0, moved, left = 0;
	struct counts c = {};

	for (i = 0; i < rounds && !is_enough(bad); i++) {
		ASSERT_FREEZES(self->cg);
		fd = ASSERT_GUARD(self->cg);
		count_all(count);
		ASSERT_STATE(self->cg, "CHECKPOINTING");
		ASSERT_EQ(0, read_counts(self->cg, &c));
		frz_sleep_ms(WATCH_MS);
		moved = nr_moved_on(count);
		EXPECT_STREQ("consistent", guard_verdict(fd));
		ASSERT_EQ(0, close(fd));
		ASSERT_BECOMES(self->cg, "FROZEN");
		moved += nr_moved_on(count);
		ran += moved;
		not_quiet += c.tasks - c.parked - c.in_place;
		bad += moved || c.tasks != c.parked + c.in_place;
		count_all(count);
		ASSERT_THAWS(self->cg);
		left += wait_all(count, bad ? LEFT_MS : FRZ_LIMIT);
	}
	moves = frz_load(&crowd->moves) - moves;
	TH_LOG("%d guards, %lu moves: ran %ld, not quiescent %ld, left %ld",
	       i, moves, ran, not_quiet, left);
	EXPECT_MOVED(moves);
	EXPECT_EQ(0, ran);
	EXPECT_EQ(0, not_quiet);
	EXPECT_EQ(0, left);
}

/* To the process of a member; 0, or -1 if there is none. */
static int signal_member(int i, int sig)
{
	pid_t pid = frz_load(&crowd->member[i].tid);

	return pid > 0 ? kill(pid, sig) : -1;
}

/* How many of the processes that were killed are there yet. */
static int nr_alive(int from)
{
	int i, num = 0;

	for (i = from; i < crowd->nr; i += crowd->threads)
		num += !signal_member(i, 0);
	return num;
}

static int wait_gone(int from, int timeout_ms)
{
	int num;

	frz_until(!(num = nr_alive(from)), timeout_ms);
	return num;
}

/* The same, and on for as long as some of them go in that time. */
static int wait_going(int from, int timeout_ms)
{
	int before, left = nr_alive(from);

	do {
		before = left;
		left = wait_gone(from, timeout_ms);
	} while (left && left < before);
	return left;
}

/*
 * Let the nursery fork them again, one after the other. A fork waits while somebody is
 * moved, so on a slow kernel that takes long; it goes on as long as there are more.
 */
static int revive(int from, unsigned long *count)
{
	int i, left = crowd->nr, before;

	count_all(count);
	for (i = from; i < crowd->nr; i++)
		frz_store(&crowd->member[i].tid, 0);
	do {
		before = left;
		left = wait_all(count, FRZ_LIMIT);
	} while (left && left < before);
	return left;
}

/*
 * freezer.killable is turned on when processes of the FROZEN group have been
 * killed already: each of them dies (C9), though they are moved meanwhile, and
 * the group comes back to FROZEN without a write, with the others at rest. One
 * that the pass has missed stays, dead but for the thaw.
 */
TEST_F_TIMEOUT(mover, killable, 1800)
{
	int from = crowd->threads > NR_FIRST ? crowd->threads : NR_FIRST;
	unsigned long count[NR_MANY], moves = frz_load(&crowd->moves);
	int rounds = rounds_of(KILLS), i, j, alive, bad = 0;
	long stayed = 0, ran = 0;

	for (i = 0; i < rounds && !is_enough(bad); i++) {
		ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "0"));
		ASSERT_FREEZES(self->cg);
		count_all(count);
		for (j = from; j < crowd->nr; j += crowd->threads)
			ASSERT_EQ(0, signal_member(j, SIGKILL));
		ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
		alive = wait_going(from, bad ? LEFT_MS : FRZ_AT_ONCE);
		stayed += alive;
		bad += !!alive;
		ASSERT_BECOMES(self->cg, "FROZEN");
		ran += nr_moved_on(count);
		ASSERT_THAWS(self->cg);
		if (alive) {
			/* by a pass of a freeze, and then by the thaw */
			ASSERT_FREEZES(self->cg);
			ASSERT_THAWS(self->cg);
		}
		ASSERT_EQ(0, wait_going(from, FRZ_LIMIT));
		ASSERT_EQ(0, revive(from, count)) {
			TH_LOG("%s", who_stands(count));
		}
	}
	moves = frz_load(&crowd->moves) - moves;
	TH_LOG("%d times, %lu moves: stayed %ld, ran %ld", i, moves, stayed,
	       ran);
	EXPECT_MOVED(moves);
	EXPECT_EQ(0, stayed);
	EXPECT_EQ(0, ran);
}

#define NR_REFUSED	20
#define REFUSED_S	30

/* In shared memory: threads of one process that spin, and who wants to move it. */
struct refused {
	unsigned long count[NR_REFUSED];
	unsigned long pid;
	unsigned long tries;
	unsigned long other;		/* not EBUSY */
	const char *to;
};

static struct refused *refused;

static void *spin_thread(void *arg)
{
	frz_spin(arg);
	return NULL;
}

static int spin_process(void *arg)
{
	pthread_t thread;
	int i;

	(void)arg;
	for (i = 1; i < NR_REFUSED; i++)
		if (pthread_create(&thread, NULL, spin_thread, &refused->count[i]))
			return 1;
	return frz_spin(&refused->count[0]);
}

static int move_in_vain(void *arg)
{
	char text[32];

	(void)arg;
	snprintf(text, sizeof(text), "%lu", refused->pid);
	for (;;) {
		if (frz_write(refused->to, "cgroup.procs", text) != -EBUSY)
			frz_inc(&refused->other);
		frz_inc(&refused->tries);
	}
	return 0;
}

static int nr_refused_still(const unsigned long *since)
{
	int i, num = 0;

	for (i = 0; i < NR_REFUSED; i++)
		num += frz_load(&refused->count[i]) == since[i];
	return num;
}

/*
 * C1, C5: somebody tries to move a process of cg to a cgroup that takes none, again and
 * again, while cg is frozen and thawed by a writer that often loses the CPU in between.
 * Each of its threads stands while cg is FROZEN, and goes on after the thaw.
 *
 *	self->cg
 *	 |- cg		20 threads that spin
 *	 `- guarded	CHECKPOINTING
 */
FREEZER_LONG_TEST(refused)
{
	char cg[FRZ_PATH_MAX], guarded[FRZ_PATH_MAX];
	unsigned long since[NR_REFUSED];
	int64_t end = frz_now_ns() + REFUSED_S * 1000000000LL;
	int i, fd, still, ran = 0, left = 0;

	refused = frz_shared(sizeof(*refused));
	ASSERT_NE(NULL, refused);
	ASSERT_EQ(0, frz_create(cg, self->cg, "cg"));
	ASSERT_EQ(0, frz_create(guarded, self->cg, "guarded"));
	ASSERT_FREEZES(guarded);
	fd = ASSERT_GUARD(guarded);
	refused->to = guarded;
	refused->pid = ASSERT_PID(frz_spawn(cg, spin_process, NULL));
	memset(since, 0, sizeof(since));
	ASSERT_TRUE(frz_until(!nr_refused_still(since), FRZ_LIMIT));
	ASSERT_PID(frz_spawn(NULL, move_in_vain, NULL));
	ASSERT_EQ(0, frz_wait_move(&refused->tries, FRZ_LIMIT));

	for (i = 0; ran + left < ENOUGH; i++) {
		if (nr_rounds ? i >= nr_rounds : frz_now_ns() >= end)
			break;
		setpriority(PRIO_PROCESS, 0, 5);
		still = frz_freeze(cg);
		setpriority(PRIO_PROCESS, 0, 0);
		ASSERT_EQ(0, still);
		memcpy(since, refused->count, sizeof(since));
		frz_sleep_ms(30);
		still = nr_refused_still(since);
		ran += NR_REFUSED - still;
		ASSERT_THAWS(cg);
		memcpy(since, refused->count, sizeof(since));
		if (!frz_until(!nr_refused_still(since), FRZ_LIMIT))
			left += nr_refused_still(since);
	}
	TH_LOG("%d freezes, %lu refused moves: ran %d, left %d", i, refused->tries,
	       ran, left);
	EXPECT_EQ(0, ran);
	EXPECT_EQ(0, left);
	EXPECT_EQ(0, refused->other);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "-n")) {
		nr_rounds = atoi(argv[2]);
		argv[2] = argv[0];
		argc -= 2;
		argv += 2;
	}
	return test_harness_run(argc, argv);
}
