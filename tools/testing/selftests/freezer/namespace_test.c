// SPDX-License-Identifier: GPL-2.0
/*
 * A cgroup for each container by itself: which tasks come into it, and when.
 *
 * Clauses: C1, C13, C19.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "namespace_util.h"

/* PROC_PID_INIT_INO of the kernel */
#define INITIAL_PID_NS	0xeffffffcUL

#define NEW_MOST (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)

static const struct {
	const char *name;
	unsigned long flag;
} kinds[] = {
	{ "user", CLONE_NEWUSER },
	{ "mnt", CLONE_NEWNS },
	{ "net", CLONE_NEWNET },
	{ "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS },
	{ "cgroup", CLONE_NEWCGROUP },
};

/*
 * C19: nothing happens where nobody has switched it on, and again after it is
 * switched off.
 */
FREEZER_TEST(off_by_default)
{
	struct ns_container *c[3];
	int i;

	EXPECT_FILE(self->cg, NS_KINDS, "none");
	for (i = 0; i < 3; i++) {
		c[i] = ns_new(BY_CLONE, CLONE_NEWPID | NEW_MOST);
		ASSERT_NE(NULL, c[i]);
		ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, i == 1 ? "pid" : "none"));
		ASSERT_CONTAINER(self->cg, c[i]);
		if (i == 1) {
			EXPECT_TRUE(ns_is_below(c[i]->path, self->cg)) {
				TH_LOG("switched on: %s", c[i]->path);
			}
		} else {
			EXPECT_STREQ(self->cg, c[i]->path);
		}
		EXPECT_EQ(!!i, ns_below(self->cg));
	}
}

/*
 * C19: the root can have the setting, for each container of the machine; the limit is
 * there, too, and both are as before when they are put back.
 */
FREEZER_TEST(root)
{
	struct ns_container *c = ns_new(BY_CLONE, CLONE_NEWPID);
	const char *root = frz_root();
	pid_t host;

	ASSERT_NE(NULL, c);
	ASSERT_STREQ("none", frz_content(root, NS_KINDS));
	EXPECT_FILE(root, NS_MAX, "1000");
	ASSERT_EQ(0, frz_write(root, NS_KINDS, "pid"));
	host = ns_start(NULL, c);
	EXPECT_EQ(0, frz_write(root, NS_KINDS, "none"));
	ASSERT_LT(0, host);
	ASSERT_TRUE(ns_is_below(c->path, root)) {
		TH_LOG("it is in \"%s\"", c->path);
	}
	EXPECT_STREQ(c->path + strlen(root), strrchr(c->path, '/'));
	EXPECT_EQ(0, frz_freeze(c->path));
	EXPECT_STANDS(&c->count);
	EXPECT_EQ(0, frz_thaw(c->path));
	EXPECT_RUNS(&c->count);
	kill(host, SIGKILL);
	EXPECT_LE(0, frz_wait_exit(host, FRZ_LIMIT));
	EXPECT_TRUE(frz_until(ns_is_gone(c->path), FRZ_LIMIT));
}

/* What the two files take, and what they do not take changes nothing. */
FREEZER_TEST(files)
{
	static const struct { const char *text, *reads; } good[] = {
		{ "pid", "pid" }, { " uts \tpid\n", "pid uts" },
		{ "cgroup uts ipc net mnt user pid",
		  "pid user mnt net ipc uts cgroup" },
		{ "none", "none" }, { "net net\n", "net" },
	};
	static const char * const bad[] = {
		"\n", " ", "bogus", "pid bogus", "none pid", "time", "pi", "1",
	};
	static const char * const bad_max[] = {
		"\n", "-1", "x", "2147483648", "1 2",
	};
	char sub[FRZ_PATH_MAX], name[FRZ_PATH_MAX + 32];
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, frz_write(self->cg, NS_KINDS, good[i].text));
		EXPECT_FILE(self->cg, NS_KINDS, good[i].reads);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, frz_write(self->cg, NS_KINDS, bad[i])) {
			TH_LOG("\"%s\"", bad[i]);
		}
	}
	EXPECT_FILE(self->cg, NS_KINDS, "net");
	EXPECT_FILE(self->cg, NS_MAX, "1000");
	EXPECT_EQ(0, frz_write(self->cg, NS_MAX, "7\n"));
	for (i = 0; i < ARRAY_SIZE(bad_max); i++)
		EXPECT_EQ(-EINVAL, frz_write(self->cg, NS_MAX, bad_max[i]));
	EXPECT_FILE(self->cg, NS_MAX, "7");
	snprintf(name, sizeof(name), "%s/" NS_KINDS, self->cg);
	EXPECT_EQ(0, stat(name, &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	/* a cgroup has what the next one above has, until it is told itself */
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	EXPECT_FILE(sub, NS_KINDS, "net");
	EXPECT_FILE(sub, NS_MAX, "7");
	EXPECT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	EXPECT_FILE(sub, NS_KINDS, "pid");
	EXPECT_EQ(0, frz_write(sub, NS_KINDS, "none"));
	EXPECT_EQ(0, frz_write(self->cg, NS_KINDS, "uts"));
	EXPECT_FILE(sub, NS_KINDS, "none");
}

FIXTURE(ways) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(ways) {
	enum ns_way way;
};

FIXTURE_VARIANT_ADD(ways, clone) {
	.way = BY_CLONE,
};

FIXTURE_VARIANT_ADD(ways, clone3) {
	.way = BY_CLONE3,
};

FIXTURE_VARIANT_ADD(ways, unshare) {
	.way = BY_UNSHARE,
};

FIXTURE_SETUP(ways)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(ways)
{
	FRZ_GROUP_END(self->cg);
}

/*
 * C19: the first task is in a cgroup of its own at its first instruction, and has the
 * name of its namespace; so is a second child of a parent that has unshared. One of
 * two containers is frozen, the other and the hosts go on. Each cgroup goes when its
 * last task does.
 */
TEST_F_TIMEOUT(ways, born_inside, 90)
{
	struct ns_container *c[2];
	unsigned int inum, i;
	pid_t host[2], pid;
	char rest[64];

	/* the guest's init does not reap while a test runs */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	for (i = 0; i < 2; i++) {
		c[i] = ns_new(variant->way, CLONE_NEWPID | NEW_MOST);
		ASSERT_NE(NULL, c[i]);
		host[i] = ASSERT_CONTAINER(self->cg, c[i]);
		ASSERT_EQ(0, frz_wait_word(&c[i]->pid, 1, FRZ_LIMIT));
		ASSERT_TRUE(ns_is_below(c[i]->path, self->cg)) {
			TH_LOG("it is in \"%s\"", c[i]->path);
		}
		ASSERT_EQ(2, sscanf(c[i]->path + strlen(self->cg),
				    "/pid-%u-%d%60s", &inum, &pid, rest));
		EXPECT_EQ(c[i]->inum, inum);
		if (ns_inum("pid") == INITIAL_PID_NS)
			EXPECT_EQ(c[i]->pid, pid);
		if (variant->way == BY_UNSHARE) {
			ASSERT_EQ(0, frz_wait_word(&c[i]->second, 1, FRZ_LIMIT));
			EXPECT_STREQ(c[i]->path, c[i]->second_path);
		}
		EXPECT_EQ(i + 1, ns_below(self->cg));
	}
	ASSERT_FREEZES(c[0]->path);
	EXPECT_STANDS(&c[0]->count);
	EXPECT_RUNS(&c[1]->count);
	EXPECT_STATE(self->cg, "THAWED");
	ASSERT_THAWS(c[0]->path);
	EXPECT_RUNS(&c[0]->count);
	for (i = 0; i < 2; i++) {
		kill(host[i], SIGKILL);
		EXPECT_LE(0, frz_wait_exit(host[i], FRZ_LIMIT));
		/*
		 * The first task of the namespace dies when all others of it have been
		 * reaped, and from Linux 7 on it is in its cgroup until then.
		 */
		EXPECT_TRUE(frz_until((waitpid(-1, NULL, WNOHANG),
				       ns_is_gone(c[i]->path)), FRZ_LIMIT)) {
			TH_LOG("%s stays, tasks: %s", c[i]->path,
			       frz_content(c[i]->path, "tasks"));
		}
	}
	EXPECT_EQ(0, ns_below(self->cg));
}

/* What a host does with one kind, in shared memory. */
struct one_kind {
	const char *name;
	unsigned long flag;
	bool by_clone;
	unsigned long done;
	unsigned long inum;
	unsigned long error;
	char path[FRZ_PATH_MAX];	/* as the task in the namespace sees its cgroup */
};

static int use_one_kind(void *arg)
{
	struct one_kind *k = arg;
	pid_t pid = 0;

	if (k->by_clone)
		pid = ns_clone(k->flag);
	else if (unshare(k->flag))
		pid = -1;
	if (pid < 0)
		k->error = errno;
	if (!pid) {
		k->inum = ns_inum(k->name);
		ns_cgroup(0, k->path);
	}
	if (!pid || pid < 0)
		frz_store(&k->done, k->by_clone ? getpid() : 1);
	return frz_sleep(NULL);
}

/* Without the pid at the end, which is ours only in the initial pid namespace. */
static char *without_pid(char *path)
{
	char *last = strrchr(path, '-');

	if (ns_inum("pid") != INITIAL_PID_NS && last && last > strrchr(path, '/'))
		*last = 0;
	return path;
}

/*
 * C19: each kind by itself, by unshare(), which moves the caller, and by clone(). The
 * others do not count.
 */
FREEZER_TEST(kinds)
{
	char path[FRZ_PATH_MAX], want[FRZ_PATH_MAX + 64];
	struct one_kind *k;
	size_t i, round;
	pid_t host, pid;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (round = 0; round < 4; round++) {
			bool counts = round < 2;

			k = frz_shared(sizeof(*k));
			ASSERT_NE(NULL, k);
			k->name = kinds[i].name;
			k->flag = kinds[i].flag;
			k->by_clone = round & 1;
			ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, counts ?
					       k->name : i ? "user" : "uts"));
			host = ASSERT_PID(frz_spawn(self->cg, use_one_kind, k));
			ASSERT_EQ(0, frz_wait_word(&k->done, 1, FRZ_LIMIT));
			ASSERT_EQ(0, k->error) {
				TH_LOG("%s: %s", k->name, strerror(k->error));
			}
			pid = k->by_clone ? k->done : host;
			snprintf(want, sizeof(want), "%s/%s-%lu-%d", self->cg,
				 k->name, k->inum, pid);
			without_pid(want);
			ns_cgroup(pid, path);
			EXPECT_STREQ(counts ? want : self->cg, without_pid(path));
			ns_cgroup(host, path);
			EXPECT_STREQ(counts && !k->by_clone ? want : self->cg,
				     without_pid(path));
			/* which is the root of its own cgroup namespace */
			EXPECT_STREQ(k->flag == CLONE_NEWCGROUP ? frz_root() :
				     k->path, k->path);
			if (k->by_clone)
				kill(pid, SIGKILL);
			kill(host, SIGKILL);
			EXPECT_LE(0, frz_wait_exit(host, FRZ_LIMIT));
			ASSERT_TRUE(frz_until(!ns_below(self->cg), FRZ_LIMIT));
		}
	}
}

/* In shared memory: many unshare() of one process, and what comes of its children. */
struct chain {
	unsigned long step;
	unsigned long error;
	char path[2][FRZ_PATH_MAX];	/* before it has a cgroup namespace, and after */
};

static int make_chain(void *arg)
{
	struct chain *c = arg;
	int i;

	for (i = 0; i < 20; i++)
		if (unshare(kinds[1 + i % 4].flag))
			frz_store(&c->error, errno);
	ns_cgroup(0, c->path[0]);
	if (unshare(CLONE_NEWPID | CLONE_NEWCGROUP))
		frz_store(&c->error, errno);
	ns_cgroup(0, c->path[1]);
	if (!fork()) {
		frz_store(&c->step, 1);
		frz_wait_word(&c->step, 2, FRZ_LIMIT);
		if (!ns_clone(CLONE_NEWPID | CLONE_NEWUTS))
			frz_store(&c->step, 3);
		frz_sleep(NULL);
	}
	return frz_sleep(NULL);
}

/*
 * C19: a process that unshares twenty times, and a pid namespace for its children, has
 * one cgroup and no chain. A container in the container has one below.
 */
FREEZER_TEST(no_chain)
{
	struct chain *c = frz_shared(sizeof(*c));

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid mnt net ipc uts"));
	ASSERT_PID(frz_spawn(self->cg, make_chain, c));
	ASSERT_EQ(0, frz_wait_word(&c->step, 1, FRZ_LIMIT));
	EXPECT_EQ(0, c->error);
	EXPECT_EQ(1, ns_below(self->cg));
	EXPECT_TRUE(ns_is_below(c->path[0], self->cg)) {
		TH_LOG("%s", c->path[0]);
	}
	/* the root of a cgroup namespace is where the task was */
	EXPECT_STREQ(frz_root(), c->path[1]);
	frz_store(&c->step, 2);
	ASSERT_EQ(0, frz_wait_word(&c->step, 3, FRZ_LIMIT));
	EXPECT_EQ(2, ns_below(self->cg));
	EXPECT_EQ(1, ns_below(c->path[0]));
}

#define NR_LOOPS	4

/* In shared memory: a host that makes containers in a loop. */
struct loop {
	enum ns_way way;
	const char *top;
	unsigned long rounds;
	unsigned long outside;		/* first tasks that were not in a cgroup of their own */
	unsigned long errors;
	unsigned long last_errno;
};

/* The body of a child; the parent is in @top. */
static int loop_child(struct loop *l)
{
	char path[FRZ_PATH_MAX], *last;

	frz_inc(&l->rounds);
	ns_cgroup(0, path);
	last = strrchr(path, '/');
	if (!last || strncmp(last, "/pid-", 5) || !ns_is_below(path, l->top))
		frz_inc(&l->outside);
	frz_inc(&l->rounds);
	return 0;
}

static int loop_once(struct loop *l)
{
	pid_t pid = ns_begin(l->way, CLONE_NEWPID);

	if (!pid)
		_exit(loop_child(l));
	if (pid < 0 || waitpid(pid, NULL, 0) != pid) {
		l->last_errno = errno;
		frz_inc(&l->errors);
	}
	return 0;
}

static int loop_for_ever(void *arg)
{
	struct loop *l = arg;
	pid_t pid;

	for (;;) {
		/* a process can unshare the pid namespace of its children once */
		pid = l->way == BY_UNSHARE ? fork() : 0;
		if (!pid)
			loop_once(l);
		if (l->way != BY_UNSHARE)
			continue;
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			frz_inc(&l->errors);
	}
	return 0;
}

static unsigned long all_rounds(struct loop *l)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < NR_LOOPS; i++)
		sum += frz_load(&l[i].rounds);
	return sum;
}

/*
 * C1, C13, C19: containers come and go while the cgroup above is frozen and thawed. No
 * user mode of them runs while it is FROZEN, none is ever born outside of a cgroup of
 * its own, the cgroups stand while FROZEN, and no call fails: not the first fork after
 * an unshare() either, which cannot start over.
 */
TEST_F_TIMEOUT(ways, parent_is_frozen, 120)
{
	struct loop *l = frz_shared(NR_LOOPS * sizeof(*l));
	unsigned long rounds;
	int i, below;

	ASSERT_NE(NULL, l);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	for (i = 0; i < NR_LOOPS; i++) {
		l[i].way = variant->way;
		l[i].top = self->cg;
		ASSERT_PID(frz_spawn(self->cg, loop_for_ever, &l[i]));
		ASSERT_EQ(0, frz_wait_move(&l[i].rounds, FRZ_LIMIT));
	}
	for (i = 0; i < 60; i++) {
		ASSERT_FREEZES(self->cg);
		rounds = all_rounds(l);
		/* those that were empty before may still go */
		frz_sleep_ms(2);
		below = ns_below(self->cg);
		frz_sleep_ms(2);
		ASSERT_LE(ns_below(self->cg), below);
		ASSERT_EQ(rounds, all_rounds(l));
		ASSERT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		ASSERT_TRUE(frz_until(all_rounds(l) > rounds, FRZ_LIMIT));
	}
	for (i = 0; i < NR_LOOPS; i++) {
		EXPECT_EQ(0, frz_load(&l[i].outside));
		EXPECT_EQ(0, frz_load(&l[i].errors)) {
			TH_LOG("last error: %s", strerror(l[i].last_errno));
		}
	}
}

/*
 * C19: the parent is moved to another cgroup, and the one that it leaves is removed as
 * soon as it is empty. A container is in a cgroup of its own below one of the two.
 */
TEST_F_TIMEOUT(ways, parent_is_removed, 120)
{
	struct loop *l = frz_shared(sizeof(*l));
	char sub[2][FRZ_PATH_MAX];
	int i, removed = 0;
	pid_t host;

	ASSERT_NE(NULL, l);
	l->way = variant->way == BY_UNSHARE ? BY_CLONE : variant->way;
	l->top = self->cg;
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	ASSERT_EQ(0, frz_create(sub[0], self->cg, "0"));
	host = ASSERT_PID(frz_spawn(sub[0], loop_for_ever, l));
	ASSERT_EQ(0, frz_wait_move(&l->rounds, FRZ_LIMIT));
	for (i = 1; i < 100; i++) {
		ASSERT_EQ(0, frz_create(sub[i & 1], self->cg, i & 1 ? "1" : "0"));
		ASSERT_EQ(0, frz_move_process(sub[i & 1], host));
		removed += frz_until_busy(!rmdir(sub[!(i & 1)]), FRZ_LIMIT);
		ASSERT_EQ(i, removed) {
			TH_LOG("%s: %s", sub[!(i & 1)], strerror(errno));
		}
	}
	EXPECT_EQ(0, frz_load(&l->outside));
	EXPECT_EQ(0, frz_load(&l->errors)) {
		TH_LOG("last error: %s", strerror(l->last_errno));
	}
}

TEST_HARNESS_MAIN
