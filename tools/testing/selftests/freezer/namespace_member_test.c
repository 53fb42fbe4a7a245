// SPDX-License-Identifier: GPL-2.0
/*
 * A cgroup for each container by itself: what its tasks, and the task that has made it,
 * do later.
 *
 * Clauses: C1, C11, C19.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "checkpoint_util.h"
#include "freezer_test.h"
#include "namespace_util.h"

/* A host that has a second child each time that it is told to; in shared memory. */
struct later {
	char path[FRZ_PATH_MAX];	/* of the first child */
	unsigned long first;		/* counted by the user mode of the first child */
	unsigned long second;		/* ... and of the second one */
	unsigned long go;
	unsigned long done;
	unsigned long error;		/* errno of the last fork */
};

static int later_children(void *arg)
{
	struct later *l = arg;
	unsigned long round;
	pid_t pid;

	pid = ns_begin(BY_UNSHARE, CLONE_NEWPID);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ns_cgroup(0, l->path);
		_exit(frz_spin(&l->first));
	}
	for (round = 1; pid > 0 && round <= 2; round++) {
		frz_wait_word(&l->go, round, FRZ_LIMIT);
		pid = ns_clone(0);
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(frz_spin(&l->second));
		}
		frz_store(&l->error, pid < 0 ? errno : 0);
		frz_store(&l->done, round);
		pid = 1;
	}
	return frz_sleep(NULL);
}

/*
 * C1, C11, C19: a host has unshared a pid namespace, and has its children in a container
 * below its own cgroup. While the container is FROZEN a further child is frozen from its
 * birth, and the container stays FROZEN. While somebody has the checkpoint guard of the
 * container the fork is EAGAIN, and the holder reads that nothing has changed.
 */
FREEZER_TEST(born_into_frozen)
{
	struct later *l = frz_shared(sizeof(*l));
	int fd;

	ASSERT_NE(NULL, l);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));
	ASSERT_PID(frz_spawn(self->cg, later_children, l));
	ASSERT_EQ(0, frz_wait_move(&l->first, FRZ_LIMIT));
	ASSERT_TRUE(ns_is_below(l->path, self->cg));

	ASSERT_FREEZES(l->path);
	fd = ASSERT_GUARD(l->path);
	frz_store(&l->go, 1);
	ASSERT_EQ(0, frz_wait_word(&l->done, 1, FRZ_LIMIT));
	EXPECT_EQ(EAGAIN, l->error);
	EXPECT_STREQ("consistent", guard_verdict(fd));
	EXPECT_STATE(l->path, "CHECKPOINTING");
	close(fd);

	frz_store(&l->go, 2);
	ASSERT_EQ(0, frz_wait_word(&l->done, 2, FRZ_LIMIT));
	EXPECT_EQ(0, l->error);
	EXPECT_STATE(l->path, "FROZEN");
	EXPECT_EQ(0, frz_load(&l->second));
	EXPECT_STANDS(&l->second);
	fd = ASSERT_GUARD(l->path);
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	EXPECT_EQ(1, ns_below(self->cg));
	ASSERT_THAWS(l->path);
	EXPECT_RUNS(&l->first);
	EXPECT_RUNS(&l->second);
}

/* A task that enters the pid namespace of a container elsewhere, in shared memory. */
struct enters {
	pid_t first;			/* of that container */
	unsigned long error;
	unsigned long step;
	char path[2][FRZ_PATH_MAX];	/* of its two children */
};

static void enters_child(struct enters *e, int i, unsigned long flags)
{
	pid_t pid = ns_clone(flags);

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ns_cgroup(0, e->path[i]);
		frz_store(&e->step, i + 1);
		_exit(frz_sleep(NULL));
	}
	if (pid < 0)
		frz_store(&e->error, errno);
	else
		frz_wait_word(&e->step, i + 1, FRZ_LIMIT);
}

static int enters(void *arg)
{
	struct enters *e = arg;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/ns/pid", e->first);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWPID)) {
		frz_store(&e->error, errno);
		return 1;
	}
	enters_child(e, 0, CLONE_NEWUTS);
	enters_child(e, 1, 0);
	return frz_sleep(NULL);
}

/*
 * C19: setns() makes no container, and takes none over. A task in b enters the pid
 * namespace of a container in a. A child that it clones into a uts namespace has a
 * cgroup of its own, which is not that of the pid namespace: the next child, in no
 * namespace of its own, is in b.
 */
FREEZER_TEST(setns_takes_nothing_over)
{
	struct ns_container *c = ns_new(BY_CLONE, CLONE_NEWPID);
	struct enters *e = frz_shared(sizeof(*e));
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];

	ASSERT_TRUE(c && e);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid uts"));
	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, self->cg, "b"));
	ASSERT_CONTAINER(a, c);
	ASSERT_EQ(0, frz_wait_word(&c->pid, 1, FRZ_LIMIT));
	e->first = c->pid;
	ASSERT_PID(frz_spawn(b, enters, e));
	ASSERT_TRUE(frz_until(frz_load(&e->error) || frz_load(&e->step) == 2,
			      FRZ_LIMIT));
	ASSERT_EQ(0, e->error) {
		TH_LOG("%s", strerror(e->error));
	}
	EXPECT_TRUE(ns_is_below(e->path[0], b)) {
		TH_LOG("it is in \"%s\"", e->path[0]);
	}
	EXPECT_STREQ(b, e->path[1]);
	EXPECT_EQ(1, ns_below(a));
	EXPECT_EQ(1, ns_below(b));
}

/* In shared memory: where a host and its children in a pid namespace are. */
struct order {
	bool first;			/* has its first child before it unshares again */
	bool as_first;			/* ... and that child unshares, not the host */
	unsigned long step;
	unsigned long error;
	char host[FRZ_PATH_MAX];
	char child[2][FRZ_PATH_MAX];
};

static void order_child(struct order *o, int i)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (o->as_first && !i && unshare(CLONE_NEWUTS))
			frz_store(&o->error, errno);
		ns_cgroup(0, o->child[i]);
		frz_inc(&o->step);
		_exit(frz_sleep(NULL));
	}
	if (pid < 0)
		frz_store(&o->error, errno);
	else
		frz_wait_word(&o->step, i + 1, FRZ_LIMIT);
}

static int in_order(void *arg)
{
	struct order *o = arg;

	if (unshare(CLONE_NEWPID | (o->as_first ? CLONE_NEWIPC : 0)))
		frz_store(&o->error, errno);
	if (o->first)
		order_child(o, 0);
	if (!o->as_first && unshare(CLONE_NEWUTS))
		frz_store(&o->error, errno);
	if (!o->first)
		order_child(o, 0);
	order_child(o, 1);
	ns_cgroup(0, o->host);
	frz_store(&o->step, 3);
	return frz_sleep(NULL);
}

/*
 * C19: all processes of a pid namespace are in one cgroup, in whatever order the host
 * unshares the pid namespace and another one, which is its own, and has children.
 */
FREEZER_TEST(one_cgroup_in_any_order)
{
	struct order *o;
	pid_t host;
	int i;

	/* the first process of a pid namespace is there until all others are reaped */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid uts ipc"));
	for (i = 0; i < 3; i++) {
		o = frz_shared(sizeof(*o));
		ASSERT_NE(NULL, o);
		o->first = i;
		o->as_first = i == 2;
		host = ASSERT_PID(frz_spawn(self->cg, in_order, o));
		EXPECT_TRUE(frz_until(frz_load(&o->step) == 3, FRZ_LIMIT));
		EXPECT_EQ(0, o->error);
		EXPECT_TRUE(ns_is_below(o->child[0], self->cg));
		EXPECT_STREQ(o->child[0], o->child[1]);
		/* with a child before, the host is a container of its own */
		EXPECT_EQ(i == 1, !!strcmp(o->host, o->child[0]));
		EXPECT_EQ(i == 1 ? 2 : 1, ns_below(self->cg)) {
			TH_LOG("order %d: host %s, children %s, %s", i, o->host,
			       o->child[0], o->child[1]);
		}
		kill(host, SIGKILL);
		EXPECT_LE(0, frz_wait_exit(host, FRZ_LIMIT));
		ASSERT_TRUE(frz_until((waitpid(-1, NULL, WNOHANG), !ns_below(self->cg)),
				      FRZ_LIMIT));
	}
}

/* After the exec: what comes of the next unshare() is our name from then on. */
static int exec_done(void)
{
	prctl(PR_SET_NAME, unshare(CLONE_NEWIPC) ? "failed" : "unshared");
	return frz_sleep(NULL);
}

/* In shared memory: a process that unshares and then executes us again. */
struct executes {
	bool leader;			/* the leader unshares, and another thread executes */
	char path[FRZ_PATH_MAX];	/* where the thread is before the exec */
};

static void *exec_thread(void *arg)
{
	struct executes *e = arg;

	if (e->leader || !unshare(CLONE_NEWUTS)) {
		ns_cgroup(gettid(), e->path);
		execl("/proc/self/exe", "namespace_member_test", "--unshare", NULL);
	}
	prctl(PR_SET_NAME, "failed");
	return NULL;
}

static int exec_from_thread(void *arg)
{
	struct executes *e = arg;
	pthread_t thread;

	if (e->leader && unshare(CLONE_NEWUTS))
		return 1;
	if (pthread_create(&thread, NULL, exec_thread, e))
		return 1;
	return frz_sleep(NULL);
}

/*
 * C19: a process has unshared, and a thread other than its leader executes a program:
 * the thread that has unshared, or one that the leader has made since. The thread has
 * the pid of the leader from then on, and the container is still that of its process:
 * it unshares once more, and stays there.
 */
FREEZER_TEST(owner_execs)
{
	char proc[64], now[FRZ_PATH_MAX];
	struct executes *e;
	pid_t pid;
	int i;

	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "uts ipc"));
	for (i = 0; i < 2; i++) {
		e = frz_shared(sizeof(*e));
		ASSERT_NE(NULL, e);
		e->leader = i;
		pid = ASSERT_PID(frz_spawn(self->cg, exec_from_thread, e));
		snprintf(proc, sizeof(proc), "/proc/%d", pid);
		EXPECT_TRUE(frz_until(!strcmp(frz_content(proc, "comm"), "unshared"),
				      FRZ_LIMIT)) {
			TH_LOG("its name is %s", frz_content(proc, "comm"));
		}
		ns_cgroup(pid, now);
		EXPECT_TRUE(ns_is_below(e->path, self->cg)) {
			TH_LOG("it was in \"%s\"", e->path);
		}
		EXPECT_STREQ(e->path, now);
		EXPECT_EQ(i + 1, ns_below(self->cg));
	}
}

/* In shared memory: a host whose container is born in a cgroup of v2, too. */
struct into {
	int dir;
	char path[FRZ_PATH_MAX];	/* the cgroup of the freezer ... */
	char text[4096];		/* ... and all of /proc/self/cgroup */
	unsigned long error;
	unsigned long done;
};

static int clones_into(void *arg)
{
	struct into *into = arg;
	pid_t pid = ns_clone_into(into->dir, CLONE_NEWPID);

	if (pid < 0) {
		into->error = errno;
		frz_store(&into->done, 1);
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ns_cgroup(0, into->path);
		frz_read("/proc/self", "cgroup", into->text, sizeof(into->text));
		frz_store(&into->done, 1);
	}
	return frz_sleep(NULL);
}

/*
 * C19: clone3() with CLONE_INTO_CGROUP puts the first task into a cgroup of v2; in the
 * hierarchy of the freezer it is in the cgroup of its container. A call whose cgroup of
 * v2 is none fails, and leaves no cgroup.
 */
FREEZER_TEST(into_cgroup_of_v2)
{
	struct into *into[2] = { frz_shared(sizeof(**into)), frz_shared(sizeof(**into)) };
	char group[FRZ_PATH_MAX], *v2;
	pid_t host;

	ASSERT_TRUE(into[0] && into[1]);
	ASSERT_EQ(0, frz2_setup());
	ASSERT_EQ(0, frz_group_below(group, frz2_root()));
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "pid"));

	into[0]->dir = open(self->cg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	into[1]->dir = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, into[0]->dir);
	ASSERT_LE(0, into[1]->dir);
	ASSERT_PID(frz_spawn(self->cg, clones_into, into[0]));
	EXPECT_EQ(0, frz_wait_word(&into[0]->done, 1, FRZ_LIMIT));
	EXPECT_EQ(EBADF, into[0]->error);
	EXPECT_EQ(0, ns_below(self->cg));

	host = ASSERT_PID(frz_spawn(self->cg, clones_into, into[1]));
	EXPECT_EQ(0, frz_wait_word(&into[1]->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, into[1]->error);
	EXPECT_TRUE(ns_is_below(into[1]->path, self->cg)) {
		TH_LOG("it is in \"%s\"", into[1]->path);
	}
	v2 = strstr(into[1]->text, "0::");
	EXPECT_TRUE(v2 && !!strstr(v2, strrchr(group, '/'))) {
		TH_LOG("it is in %s", into[1]->text);
	}
	kill(host, SIGKILL);
	EXPECT_LE(0, frz_wait_exit(host, FRZ_LIMIT));
	EXPECT_TRUE(frz_until(!ns_below(self->cg), FRZ_LIMIT));
	EXPECT_EQ(0, frz_destroy(group, FRZ_LIMIT));
	close(into[0]->dir);
	close(into[1]->dir);
}

#define NR_MOVERS	4

/* In shared memory: a process whose children unshare and are gone. */
struct moves {
	const char *top;
	unsigned long rounds;
	unsigned long outside;		/* those that were not in a cgroup of their own */
	unsigned long errors;
	unsigned long last_errno;
};

static int moves_child(struct moves *m)
{
	char path[FRZ_PATH_MAX];

	frz_inc(&m->rounds);
	if (unshare(CLONE_NEWUTS)) {
		m->last_errno = errno;
		frz_inc(&m->errors);
	}
	ns_cgroup(0, path);
	if (!ns_is_below(path, m->top))
		frz_inc(&m->outside);
	frz_inc(&m->rounds);
	return 0;
}

static int moves_for_ever(void *arg)
{
	struct moves *m = arg;
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid)
			_exit(moves_child(m));
		if (pid < 0 || waitpid(pid, NULL, 0) != pid) {
			m->last_errno = errno;
			frz_inc(&m->errors);
		}
	}
	return 0;
}

static unsigned long all_moves(struct moves *m)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < NR_MOVERS; i++)
		sum += frz_load(&m[i].rounds);
	return sum;
}

/*
 * C1, C19: tasks move into their containers by unshare() while the cgroup above is
 * frozen and thawed. None moves while it is FROZEN, all of them stand still, and no call
 * fails.
 */
TEST_F_TIMEOUT(freezer, moves_while_parent_is_frozen, 120)
{
	struct moves *m = frz_shared(NR_MOVERS * sizeof(*m));
	unsigned long rounds;
	int i, below;

	ASSERT_NE(NULL, m);
	ASSERT_EQ(0, frz_write(self->cg, NS_KINDS, "uts"));
	for (i = 0; i < NR_MOVERS; i++) {
		m[i].top = self->cg;
		ASSERT_PID(frz_spawn(self->cg, moves_for_ever, &m[i]));
		ASSERT_EQ(0, frz_wait_move(&m[i].rounds, FRZ_LIMIT));
	}
	for (i = 0; i < 60; i++) {
		ASSERT_FREEZES(self->cg);
		rounds = all_moves(m);
		/* those that were empty before may still go */
		frz_sleep_ms(2);
		below = ns_below(self->cg);
		frz_sleep_ms(2);
		ASSERT_LE(ns_below(self->cg), below);
		ASSERT_EQ(rounds, all_moves(m));
		ASSERT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		ASSERT_TRUE(frz_until(all_moves(m) > rounds, FRZ_LIMIT));
	}
	for (i = 0; i < NR_MOVERS; i++) {
		EXPECT_EQ(0, frz_load(&m[i].outside));
		EXPECT_EQ(0, frz_load(&m[i].errors)) {
			TH_LOG("last error: %s", strerror(m[i].last_errno));
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--unshare"))
		_exit(exec_done());
	return test_harness_run(argc, argv);
}
