// SPDX-License-Identifier: GPL-2.0
/*
 * A cgroup for each container by itself: the limits, the names, whose the cgroup is,
 * and when it goes.
 *
 * Clauses: C15, C19.
 */
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "namespace_util.h"

#define PARAMETERS	"/sys/module/cgroup_freezer/parameters"
#define NOBODY		65534

/* Whether the log of the kernel has @text, after what it had when it was opened. */
static bool log_says(int fd, const char *text)
{
	char line[8192];
	bool found = false;
	ssize_t len;

	while ((len = read(fd, line, sizeof(line) - 1)) > 0) {
		line[len] = 0;
		found |= !!strstr(line, text);
	}
	return found;
}

static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/*
 * C19: the depth is bounded by a parameter of the kernel. The clone beyond it is
 * ENOSPC, with a line in the log, and makes nothing.
 */
FREEZER_TEST(depth)
{
	struct ns_nest *n = frz_shared(sizeof(*n));
	char before[32];
	int log;

	ASSERT_NE(NULL, n);
	ASSERT_EQ(0, frz_read(PARAMETERS, "per_namespace_depth", before, sizeof(before)));
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	n->want = 6;
	log = open_log();
	ASSERT_LE(0, log);
	ASSERT_EQ(0, frz_write(PARAMETERS, "per_namespace_depth", "3"));
	frz_sleep_ms(1100);	/* the log has a line each second at most */
	ASSERT_PID(frz_spawn(self->cg, ns_nest, n));
	EXPECT_EQ(0, frz_wait_word(&n->level, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_write(PARAMETERS, "per_namespace_depth", before));
	EXPECT_EQ(3, n->level);
	EXPECT_EQ(ENOSPC, n->error);
	EXPECT_EQ(3, ns_below(self->cg));
	EXPECT_TRUE(log_says(log, "cgroup_freezer.per_namespace_depth is 3"));
	close(log);
}

/* In shared memory: a host whose calls fail. */
struct refused {
	unsigned long clone;		/* errno */
	unsigned long unshare_pid;
	unsigned long unshare_uts;
	unsigned long before;		/* inode numbers */
	unsigned long after;
	unsigned long done;
};

static int be_refused(void *arg)
{
	struct refused *r = arg;
	pid_t pid = ns_clone(CLONE_NEWPID);

	if (!pid)
		_exit(0);
	r->clone = pid < 0 ? errno : 0;
	r->unshare_pid = unshare(CLONE_NEWPID) ? errno : 0;
	r->before = ns_inum("uts");
	r->unshare_uts = unshare(CLONE_NEWUTS) ? errno : 0;
	r->after = ns_inum("uts");
	frz_store(&r->done, 1);
	return frz_sleep(NULL);
}

/*
 * C19: the number is bounded by each cgroup above, and so is that of containers in
 * containers. A container that can have no cgroup is none: clone() and unshare() are
 * ENOSPC, the caller has the namespaces that it had, and the log says so. It works
 * again when one has gone.
 */
FREEZER_TEST(number)
{
	struct refused *r = frz_shared(sizeof(*r));
	struct ns_nest *n = frz_shared(sizeof(*n));
	struct ns_container *c;
	char sub[FRZ_PATH_MAX];
	pid_t host;
	int log;

	ASSERT_TRUE(r && n);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid uts"));
	ASSERT_EQ(0, frz_write(self->cg, NS_MAX, "3"));
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_EQ(0, frz_write(sub, NS_MAX, "100"));
	n->want = 3;
	host = ASSERT_PID(frz_spawn(sub, ns_nest, n));
	ASSERT_EQ(0, frz_wait_word(&n->level, 1, FRZ_LIMIT));
	ASSERT_EQ(3, n->level);
	ASSERT_EQ(4, ns_below(self->cg));

	log = open_log();
	ASSERT_LE(0, log);
	frz_sleep_ms(1100);
	ASSERT_PID(frz_spawn(self->cg, be_refused, r));
	ASSERT_EQ(0, frz_wait_word(&r->done, 1, FRZ_LIMIT));
	EXPECT_EQ(ENOSPC, r->clone);
	EXPECT_EQ(ENOSPC, r->unshare_pid);
	EXPECT_EQ(ENOSPC, r->unshare_uts);
	EXPECT_NE(0, r->before);
	EXPECT_EQ(r->before, r->after);
	EXPECT_EQ(4, ns_below(self->cg));
	EXPECT_TRUE(log_says(log, "freezer.per_namespace_max is 3"));
	close(log);

	kill(host, SIGKILL);
	EXPECT_LE(0, frz_wait_exit(host, FRZ_LIMIT));
	EXPECT_TRUE(frz_until(ns_below(self->cg) == 1, FRZ_LIMIT));
	c = ns_new(BY_CLONE, CLONE_NEWPID);
	ASSERT_NE(NULL, c);
	ASSERT_CONTAINER(self->cg, c);
	EXPECT_TRUE(ns_is_below(c->path, self->cg));
}

/* In shared memory: what became of the calls of a host. */
struct tries {
	unsigned long rounds;
	unsigned long errors;
	unsigned long last_errno;
	unsigned long unshare;		/* errno + 1 of an unshare() ... */
	unsigned long fork;		/* ... and of the fork() behind it */
	unsigned long go;
	unsigned long done;
};

#define ONE_BY_ONE	300

static int one_by_one(void *arg)
{
	struct tries *t = arg;
	pid_t pid;

	for (t->rounds = 0; t->rounds < ONE_BY_ONE; t->rounds++) {
		pid = ns_clone(CLONE_NEWUTS);
		if (!pid)
			_exit(0);
		if (pid < 0) {
			t->last_errno = errno;
			t->errors++;
		} else {
			waitpid(pid, NULL, 0);
		}
	}
	frz_store(&t->done, 1);
	return frz_sleep(NULL);
}

/*
 * C19: a container whose last task was reaped does not count for the limit any more, also
 * where its cgroup is still to be removed.
 */
FREEZER_LONG_TEST(empty_does_not_count)
{
	struct tries *t = frz_shared(sizeof(*t));
	int i;

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "uts"));
	ASSERT_EQ(0, frz_write(self->cg, NS_MAX, "1"));
	ASSERT_PID(frz_spawn(self->cg, one_by_one, t));
	/* the cgroups of all rounds together take more than one limit with KASAN */
	for (i = 1; i <= ONE_BY_ONE; i++)
		ASSERT_EQ(0, frz_wait_word(&t->rounds, i, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_word(&t->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, t->errors) {
		TH_LOG("%lu of %lu: %s", t->errors, t->rounds, strerror(t->last_errno));
	}
	EXPECT_TRUE(frz_until(!ns_below(self->cg), FRZ_LIMIT));
}

static int unshares_as_first(void *arg)
{
	struct tries *t = arg;
	pid_t pid = ns_clone(CLONE_NEWPID);

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		t->unshare = (unshare(CLONE_NEWPID) ? errno : 0) + 1;
		pid = fork();
		if (!pid)
			_exit(0);
		t->fork = (pid < 0 ? errno : 0) + 1;
		frz_store(&t->done, 1);
	}
	return frz_sleep(NULL);
}

/*
 * C19: the first process of a container unshares a pid namespace, for a container in its
 * own. Where the limit does not allow that, unshare() says so, and not the fork() after
 * it.
 */
FREEZER_TEST(number_for_the_owner)
{
	struct tries *t = frz_shared(sizeof(*t));

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	ASSERT_EQ(0, frz_write(self->cg, NS_MAX, "1"));
	ASSERT_PID(frz_spawn(self->cg, unshares_as_first, t));
	ASSERT_EQ(0, frz_wait_word(&t->done, 1, FRZ_LIMIT));
	EXPECT_EQ(ENOSPC + 1, t->unshare);
	EXPECT_EQ(1, t->fork);
}

/* A fork fails late, when the cgroup of the container has been made. */
static int forks_at_the_limit(void *arg)
{
	struct tries *t = arg;
	pid_t pid;
	int i;

	frz_wait_word(&t->go, 1, FRZ_LIMIT);
	for (i = 0; i < 50; i++) {
		pid = ns_clone(CLONE_NEWPID);
		if (!pid)
			_exit(0);
		t->errors += pid < 0 && errno == EAGAIN;
		frz_inc(&t->rounds);
	}
	frz_store(&t->done, 1);
	frz_wait_word(&t->done, 2, FRZ_LIMIT);
	pid = ns_clone(CLONE_NEWPID);
	if (!pid)
		_exit(0);
	t->fork = (pid < 0 ? errno : 0) + 1;
	frz_store(&t->done, 3);
	return frz_sleep(NULL);
}

/*
 * C19: where a fork fails after the cgroup was made for it, here by the limit of another
 * controller, the cgroup is gone, and does not count.
 */
FREEZER_TEST(fork_that_fails)
{
	struct tries *t = frz_shared(sizeof(*t));
	char group[FRZ_PATH_MAX];
	bool was_off;
	pid_t pid;

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, frz2_setup());
	was_off = !strstr(frz_content(frz2_root(), "cgroup.subtree_control"), "pids");
	ASSERT_EQ(0, frz_write(frz2_root(), "cgroup.subtree_control", "+pids"));
	ASSERT_EQ(0, frz_group_below(group, frz2_root()));
	ASSERT_EQ(0, frz_write(group, "pids.max", "1"));
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	ASSERT_EQ(0, frz_write(self->cg, NS_MAX, "1"));
	pid = ASSERT_PID(frz_spawn(self->cg, forks_at_the_limit, t));
	EXPECT_EQ(0, frz_move_process(group, pid));
	frz_store(&t->go, 1);
	EXPECT_EQ(0, frz_wait_word(&t->done, 1, FRZ_LIMIT));
	EXPECT_EQ(50, t->errors);
	EXPECT_EQ(0, ns_below(self->cg));
	EXPECT_EQ(0, frz_write(group, "pids.max", "max"));
	frz_store(&t->done, 2);
	EXPECT_EQ(0, frz_wait_word(&t->done, 3, FRZ_LIMIT));
	EXPECT_EQ(1, t->fork);
	kill(pid, SIGKILL);
	EXPECT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_EQ(0, frz_destroy(group, FRZ_LIMIT));
	if (was_off)
		frz_write(frz2_root(), "cgroup.subtree_control", "-pids");
}

/* In shared memory: a task that unshares when it is told to. */
struct renamed {
	unsigned long go;
	unsigned long done;
	unsigned long inum;
};

static int unshare_uts(void *arg)
{
	struct renamed *r = arg;

	frz_wait_word(&r->go, 1, FRZ_LIMIT);
	if (!unshare(CLONE_NEWUTS))
		r->inum = ns_inum("uts");
	frz_store(&r->done, 1);
	return frz_sleep(NULL);
}

/* A host of this very pid, below self->cg, or 0. */
static pid_t spawn_as(const char *path, pid_t want, struct renamed *r)
{
	char text[16];
	pid_t pid;
	int i;

	for (i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "%d", want - 1);
		if (frz_write("/proc/sys/kernel", "ns_last_pid", text))
			return 0;
		pid = frz_spawn(path, unshare_uts, r);
		if (pid == want)
			return pid;
		if (pid < 0)
			return 0;
		kill(pid, SIGKILL);
		frz_wait_exit(pid, FRZ_LIMIT);
	}
	return 0;
}

/*
 * C19: the pid and the inode number of a container come again, and its name is there,
 * since somebody has made a directory of that name: the container has a cgroup all the
 * same, and the directory of somebody else is not taken for it.
 */
FREEZER_TEST(names)
{
	struct renamed *r[2] = { frz_shared(sizeof(**r)), frz_shared(sizeof(**r)) };
	char first[FRZ_PATH_MAX], second[FRZ_PATH_MAX];
	pid_t pid, again;

	ASSERT_TRUE(r[0] && r[1]);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "uts"));
	frz_store(&r[0]->go, 1);
	pid = ASSERT_PID(frz_spawn(self->cg, unshare_uts, r[0]));
	ASSERT_EQ(0, frz_wait_word(&r[0]->done, 1, FRZ_LIMIT));
	ns_cgroup(pid, first);
	ASSERT_TRUE(ns_is_below(first, self->cg));
	kill(pid, SIGKILL);
	ASSERT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
	ASSERT_TRUE(frz_until(ns_is_gone(first), FRZ_LIMIT));

	ASSERT_EQ(0, mkdir(first, 0755));
	again = spawn_as(self->cg, pid, r[1]);
	ASSERT_EQ(pid, again);
	frz_store(&r[1]->go, 1);
	ASSERT_EQ(0, frz_wait_word(&r[1]->done, 1, FRZ_LIMIT));
	/* the lowest number that is free is taken again */
	ASSERT_EQ(r[0]->inum, r[1]->inum);
	ns_cgroup(pid, second);
	EXPECT_TRUE(ns_is_below(second, self->cg));
	EXPECT_STRNE(first, second);
	EXPECT_FILE(first, "tasks", "");
	kill(pid, SIGKILL);
	EXPECT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_TRUE(frz_until(ns_is_gone(second), FRZ_LIMIT));
	EXPECT_FALSE(ns_is_gone(first));
}

/*
 * C19: somebody else uses the cgroup: it stays if somebody has put a task in, or has
 * renamed it, and for as long as there is a cgroup below.
 */
FREEZER_TEST(stays_if_used)
{
	char sub[FRZ_PATH_MAX], other[FRZ_PATH_MAX + 16];
	unsigned long *word = ASSERT_WORDS(1);
	struct ns_container *c[3];
	pid_t host[3], guest;
	int i;

	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	for (i = 0; i < 3; i++) {
		c[i] = ns_new(BY_CLONE, CLONE_NEWPID);
		ASSERT_NE(NULL, c[i]);
		host[i] = ASSERT_CONTAINER(self->cg, c[i]);
	}
	guest = ASSERT_SLEEPER(c[0]->path, word);
	snprintf(other, sizeof(other), "%s/mine", self->cg);
	ASSERT_EQ(0, rename(c[1]->path, other));
	ASSERT_EQ(0, frz_create(sub, c[2]->path, "sub"));
	for (i = 0; i < 3; i++) {
		kill(host[i], SIGKILL);
		ASSERT_LE(0, frz_wait_exit(host[i], FRZ_LIMIT));
	}
	kill(guest, SIGKILL);
	ASSERT_LE(0, frz_wait_exit(guest, FRZ_LIMIT));
	ASSERT_TRUE(frz_until(!*frz_content(c[2]->path, "tasks"), FRZ_LIMIT));
	frz_sleep_ms(300);
	EXPECT_FALSE(ns_is_gone(c[0]->path));
	EXPECT_FALSE(ns_is_gone(other));
	EXPECT_FALSE(ns_is_gone(c[2]->path));
	EXPECT_EQ(0, rmdir(c[0]->path));
	EXPECT_EQ(0, rmdir(other));
	EXPECT_EQ(0, rmdir(sub));
	EXPECT_TRUE(frz_until(ns_is_gone(c[2]->path), FRZ_LIMIT));
}

/* A container that somebody without rights makes, with root in it; in shared memory. */
struct rootless {
	int in_userns;
	char path[FRZ_PATH_MAX];
	unsigned long uid;
	unsigned long result[5];	/* errno */
	unsigned long done;
};

static unsigned long error_of(long ret)
{
	return ret < 0 ? (ret == -1 ? errno : -ret) : 0;
}

static int rootless(void *arg)
{
	char sub[FRZ_PATH_MAX + 16];
	struct rootless *r = arg;
	pid_t pid;

	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		return 1;
	pid = ns_clone(CLONE_NEWUSER | CLONE_NEWPID);
	if (pid)
		return pid < 0 ? 2 : frz_sleep(NULL);

	prctl(PR_SET_DUMPABLE, 1);
	frz_write("/proc/self", "setgroups", "deny");
	if (frz_write("/proc/self", "uid_map", "0 65534 1") ||
	    frz_write("/proc/self", "gid_map", "0 65534 1"))
		_exit(3);
	ns_cgroup(0, r->path);
	r->uid = getuid();
	r->result[0] = error_of(frz_write(r->path, "freezer.timeout_ms", "1"));
	r->result[1] = error_of(frz_write(r->path, NS_KINDS, "none"));
	r->result[2] = error_of(frz_write(r->path, "cgroup.procs", "0"));
	snprintf(sub, sizeof(sub), "%s/sub", r->path);
	r->result[3] = mkdir(sub, 0755) ? errno : 0;
	snprintf(sub, sizeof(sub), "%s/../sub", r->path);
	r->result[4] = mkdir(sub, 0755) ? errno : 0;
	frz_store(&r->done, 1);
	return frz_sleep(NULL);
}

/*
 * C15, C19: a user without rights who makes a container, and root in there, can do
 * nothing with its cgroup: it belongs to the owner of the one above, and is counted.
 */
FREEZER_TEST(rootless_gets_nothing)
{
	struct rootless *r = frz_shared(sizeof(*r));
	struct stat st;
	size_t i;

	ASSERT_NE(NULL, r);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid user"));
	ASSERT_PID(frz_spawn(self->cg, rootless, r));
	ASSERT_EQ(0, frz_wait_word(&r->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, r->uid);
	EXPECT_TRUE(ns_is_below(r->path, self->cg));
	for (i = 0; i < ARRAY_SIZE(r->result); i++) {
		EXPECT_EQ(EACCES, r->result[i]) {
			TH_LOG("attempt %zu: %s", i, strerror(r->result[i]));
		}
	}
	EXPECT_EQ(0, stat(r->path, &st));
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
	EXPECT_EQ(0755, st.st_mode & 07777);
}

/*
 * C15, C19: the owner of the cgroup above, by chown, owns the cgroups of containers
 * below, whoever makes them, and freezes each.
 */
FREEZER_TEST(delegated_by_chown)
{
	struct ns_container *c = ns_new(BY_CLONE, CLONE_NEWPID);
	struct rootless *r = frz_shared(sizeof(*r));
	char name[FRZ_PATH_MAX + 32];
	struct stat st;
	size_t i;

	ASSERT_TRUE(c && r);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	ASSERT_EQ(0, chown(self->cg, NOBODY, NOBODY));
	ASSERT_CONTAINER(self->cg, c);
	ASSERT_EQ(0, stat(c->path, &st));
	EXPECT_EQ(NOBODY, st.st_uid);
	EXPECT_EQ(NOBODY, st.st_gid);
	snprintf(name, sizeof(name), "%s/freezer.state", c->path);
	ASSERT_EQ(0, stat(name, &st));
	EXPECT_EQ(NOBODY, st.st_uid);
	/* not the file of the cgroup above, which was not given away */
	snprintf(name, sizeof(name), "%s/freezer.state", self->cg);
	ASSERT_EQ(0, stat(name, &st));
	EXPECT_EQ(0, st.st_uid);

	ASSERT_PID(frz_spawn(self->cg, rootless, r));
	ASSERT_EQ(0, frz_wait_word(&r->done, 1, FRZ_LIMIT));
	EXPECT_TRUE(ns_is_below(r->path, self->cg));
	for (i = 0; i < ARRAY_SIZE(r->result); i++) {
		EXPECT_EQ(0, r->result[i]) {
			TH_LOG("attempt %zu: %s", i, strerror(r->result[i]));
		}
	}
}

TEST_HARNESS_MAIN
