// SPDX-License-Identifier: GPL-2.0
/*
 * Containers that end: the init of a pid namespace waits in its
 * exit until the whole namespace is gone, threads of a process that dumps core
 * wait for the dump, and a tracer may stop a process that exits. A task that has
 * been let go to die passes no door any more, so that no freeze may hold it in
 * one of these sleeps, and no thaw need be waited for.
 *
 * Clauses: C5, C8, C9, C13.
 */
#include <dirent.h>
#include <linux/limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "fuse_util.h"
#include "memcg_util.h"
#include "syscalls.h"

#define KILLABLE	"freezer.killable"

#define MB		(1024UL * 1024)
#define LIMIT		(64 * MB)
#define HOG_SIZE	(40 * MB)

#define NR_CHILDREN	4
#define NR_THREADS	3

#define NEW_ALL		(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUSER | \
			 CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUTS | \
			 CLONE_NEWNET)

/* A container; in shared memory. */
struct container {
	int flags;			/* of clone() for its pid 1 */
	int nr_children;
	int nr_threads;			/* more threads of pid 1 */
	int (*then)(struct container *c);	/* what pid 1 does once ready */

	unsigned long moved;		/* pid 1 is in its cgroup */
	unsigned long ready;		/* tasks that have begun */
	unsigned long spins;		/* by user mode of the container */
	unsigned long go;
	unsigned long gone;
};

static int container_child(struct container *c, int i)
{
	struct timespec ts = { .tv_sec = 100000 };

	frz_inc(&c->ready);
	switch (i % NR_CHILDREN) {
	case 0:
		frz_spin(&c->spins);
		break;
	case 1:
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
		break;
	default:
		frz_sleep(NULL);
	}
	return 0;
}

static void *container_thread(void *arg)
{
	struct container *c = arg;

	frz_inc(&c->ready);
	frz_sleep(NULL);
	return NULL;
}

static int container_init(struct container *c)
{
	pthread_t thread;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (frz_wait_word(&c->moved, 1, FRZ_LIMIT))
		return 1;
	for (i = 0; i < c->nr_children; i++)
		if (!fork())
			_exit(container_child(c, i));
	for (i = 0; i < c->nr_threads; i++)
		if (pthread_create(&thread, NULL, container_thread, c))
			return 2;
	frz_inc(&c->ready);
	return c->then ? c->then(c) : frz_sleep(NULL);
}

/* How many tasks of @c count themselves ready. */
static unsigned long container_size(const struct container *c)
{
	return 1 + c->nr_children + c->nr_threads;
}

/* Begin a container in @cg: the pid of its pid 1, or -errno. */
static pid_t container_begin(const char *cg, struct container *c)
{
	pid_t pid;
	int err;

	frz_store(&c->moved, 0);
	frz_store(&c->ready, 0);
	frz_store(&c->go, 0);
	frz_store(&c->gone, 0);
	fflush(NULL);
	pid = frz_clone(c->flags | SIGCHLD);
	if (!pid)
		_exit(container_init(c));
	if (pid < 0)
		return -errno;
	err = frz_move_process(cg, pid);
	if (err) {
		kill(pid, SIGKILL);
		frz_wait_exit(pid, FRZ_LIMIT);
		return err;
	}
	frz_store(&c->moved, 1);
	return pid;
}

/* The same, seen complete. */
static pid_t container_new(const char *cg, struct container *c)
{
	pid_t pid = container_begin(cg, c);
	int err = pid < 0 ? pid : 0;

	if (!err)
		err = frz_wait_word(&c->ready, container_size(c), FRZ_LIMIT);
	if (!err && c->nr_children)
		err = frz_wait_move(&c->spins, FRZ_LIMIT);
	return err ? err : pid;
}

static int set_killable(const char *cg, int value)
{
	return frz_write(cg, KILLABLE, value ? "1" : "0");
}

/* State, and the place in the kernel, of a process that is still there. */
static const char *where(pid_t pid)
{
	static char buf[256];
	char dir[64], wchan[128];

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	if (frz_read(dir, "wchan", wchan, sizeof(wchan)))
		snprintf(wchan, sizeof(wchan), "no place");
	snprintf(buf, sizeof(buf), "pid %d: state %c in %s", pid,
		 frz_task_state(pid), wchan);
	return buf;
}

/* "" when @pid is reaped in time, killed by SIGKILL, or what is the matter. */
static const char *reaped(pid_t pid)
{
	static char buf[64];
	int status = frz_wait_exit(pid, FRZ_LIMIT);

	if (status == -ETIMEDOUT)
		return where(pid);
	if (status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return "";
	snprintf(buf, sizeof(buf), "pid %d: wait status %#x", pid, status);
	return buf;
}

#define EXPECT_REAPED(pid) EXPECT_STREQ("", reaped(pid))
#define ASSERT_REAPED(pid) ASSERT_STREQ("", reaped(pid))

/* Wait until @file of @cg lists @nr tasks: how many it lists at the end. */
static int wait_tasks(const char *cg, const char *file, int nr)
{
	pid_t list[256];
	int seen;

	frz_until((seen = frz_list(cg, file, list, 256)) == nr, FRZ_LIMIT);
	return seen;
}

/* SIGKILL is pending for @pid, from a pid 1 that exits, say; or it is gone. */
static bool is_killed(pid_t pid)
{
	char name[64], line[256];
	unsigned long long set;
	bool killed = false;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	f = fopen(name, "re");
	if (!f)
		return true;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "SigPnd: %llx", &set) == 1 ||
		    sscanf(line, "ShdPnd: %llx", &set) == 1)
			killed |= set & (1ULL << (SIGKILL - 1));
	fclose(f);
	return killed;
}

/* Some process of @cg other than @pid, or -errno. */
static pid_t another(const char *cg, pid_t pid)
{
	pid_t list[64];
	int i, nr = frz_list(cg, "cgroup.procs", list, 64);

	for (i = 0; i < nr; i++)
		if (list[i] != pid)
			return list[i];
	return nr < 0 ? nr : -ENOENT;
}

static struct container *container_alloc(int flags)
{
	struct container *c = frz_shared(sizeof(*c));

	if (c) {
		c->flags = flags;
		c->nr_children = NR_CHILDREN;
	}
	return c;
}

#define ASSERT_CONTAINER(flags) ({ \
	struct container *__c = container_alloc(flags); \
	\
	ASSERT_NE(NULL, __c); \
	__c; \
})

FIXTURE(container) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(container) {
	int flags;
	int nr_threads;
};

FIXTURE_VARIANT_ADD(container, pid) { .flags = CLONE_NEWPID };
FIXTURE_VARIANT_ADD(container, all) { .flags = NEW_ALL };

FIXTURE_VARIANT_ADD(container, threads) {
	.flags = CLONE_NEWPID,
	.nr_threads = NR_THREADS,
};

FIXTURE_SETUP(container)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(container)
{
	FRZ_GROUP_END(self->cg);
}

/*
 *	cg	a container: pid 1 and four children; a spinner beside it
 *
 * killable 1, FROZEN, SIGKILL to pid 1. It is reaped in time and its children
 * are gone, though nobody thaws; the group is FROZEN and the spinner stands
 * until the thaw (C9). A failure is a container that can never be removed: pid
 * 1 waits for its children in a sleep in which it was frozen after it had left
 * its cgroup.
 */
TEST_F_TIMEOUT(container, kill_of_pid_1, 90)
{
	struct container *c = ASSERT_CONTAINER(variant->flags);
	unsigned long *word = ASSERT_WORDS(1);
	int round;
	pid_t pid;

	c->nr_threads = variant->nr_threads;
	ASSERT_EQ(0, set_killable(self->cg, 1));
	ASSERT_SPINNER(self->cg, word);
	for (round = 0; round < 3; round++) {
		pid = ASSERT_PID(container_new(self->cg, c));
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_REAPED(pid);
		EXPECT_EQ(1, wait_tasks(self->cg, "tasks", 1));
		EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
		EXPECT_STANDS(word);
		ASSERT_THAWS(self->cg);
		EXPECT_RUNS(word);
	}
}

/*
 * The same with killable 0: the kill waits for the thaw, and is not lost.
 */
TEST_F_TIMEOUT(container, kill_waits_for_the_thaw, 90)
{
	struct container *c = ASSERT_CONTAINER(variant->flags);
	pid_t pid;

	c->nr_threads = variant->nr_threads;
	ASSERT_EQ(0, set_killable(self->cg, 0));
	pid = ASSERT_PID(container_new(self->cg, c));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	ASSERT_REAPED(pid);
	EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
}

/*
 *	cg
 *	 |- a		pid 1, killable 1
 *	 `- b		its children, killable 0; all FROZEN
 *
 * SIGKILL to pid 1. It is on its way out, and waits for its children, which stay
 * where they are until b is thawed. Then it is reaped, though a is FROZEN all the
 * time. A failure is a container whose end waits for the thaw of a group in which
 * nothing is left to thaw.
 */
TEST_F_TIMEOUT(container, children_in_another_group, 90)
{
	struct container *c = ASSERT_CONTAINER(variant->flags);
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];
	pid_t pid, child;
	int i;

	c->nr_threads = variant->nr_threads;
	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, self->cg, "b"));
	ASSERT_EQ(0, set_killable(a, 1));
	ASSERT_EQ(0, set_killable(b, 0));
	pid = ASSERT_PID(container_new(a, c));
	for (i = 0; i < NR_CHILDREN; i++) {
		child = ASSERT_PID(another(a, pid));
		ASSERT_EQ(0, frz_move_process(b, child));
	}
	ASSERT_FREEZES(a);
	ASSERT_FREEZES(b);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_TRUE(frz_until(is_killed(child), FRZ_LIMIT));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
	EXPECT_EQ(NR_CHILDREN, wait_tasks(b, "tasks", NR_CHILDREN));
	EXPECT_STREQ("", frz_becomes(a, "FROZEN", FRZ_AT_ONCE));
	EXPECT_STATE(b, "FROZEN");
	ASSERT_THAWS(b);
	ASSERT_REAPED(pid);
	EXPECT_STREQ("", frz_becomes(a, "FROZEN", FRZ_AT_ONCE));
	EXPECT_EQ(0, wait_tasks(b, "tasks", 0));
}

#define ROUNDS		200

struct toggler {
	const char *cg;
	unsigned long turns;
	unsigned long stop;
};

/* FROZEN and THAWED in turn, sometimes without waiting. */
static int toggle(void *arg)
{
	unsigned int seed = 1;
	struct toggler *t = arg;

	while (!frz_load(&t->stop)) {
		if (rand_r(&seed) % 2)
			frz_freeze(t->cg);
		else
			frz_write_nonblock(t->cg, "freezer.state", "FROZEN");
		usleep(rand_r(&seed) % 3000);
		frz_thaw(t->cg);
		usleep(rand_r(&seed) % 2000);
		frz_inc(&t->turns);
	}
	return 0;
}

/*
 * Two hundred containers begin, and are killed at a random time, while somebody
 * freezes and thaws their group in turn; killable is 0 and 1 in turn, too. Each
 * pid 1 is reaped in time, and at the end the group is empty: none of its tasks
 * is left in any state. A failure is a pid 1 that hangs in its exit, or a task
 * that a thaw did not find (C5).
 */
TEST_F_TIMEOUT(container, random_kills, 300)
{
	struct container *c = ASSERT_CONTAINER(variant->flags);
	struct toggler *t = frz_shared(sizeof(*t));
	unsigned int seed = 3;
	pid_t pid, other;
	int i;

	ASSERT_NE(NULL, t);
	c->nr_threads = variant->nr_threads;
	t->cg = self->cg;
	other = ASSERT_PID(frz_spawn(NULL, toggle, t));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, set_killable(self->cg, i % 2));
		pid = ASSERT_PID(container_begin(self->cg, c));
		usleep(rand_r(&seed) % 8000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_REAPED(pid) {
			TH_LOG("round %d, %lu freezes", i, frz_load(&t->turns));
		}
	}
	frz_store(&t->stop, 1);
	EXPECT_EQ(0, frz_wait_exit(other, FRZ_LIMIT));
	EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
	EXPECT_STATE(self->cg, "THAWED");
}

/* A namespace inside of the namespace: its pid 1 is a child of ours. */
static int nest(struct container *c)
{
	pid_t pid = frz_clone(CLONE_NEWPID | SIGCHLD);

	if (!pid) {
		int i;

		for (i = 0; i < NR_CHILDREN; i++)
			if (!fork())
				_exit(container_child(c, i));
		frz_inc(&c->ready);
		frz_sleep(NULL);
	}
	return frz_sleep(NULL);
}

/* The child of @pid that has children itself, or -errno. */
static pid_t inner_init(pid_t pid)
{
	char dir[64], text[256];
	char *p;

	snprintf(dir, sizeof(dir), "/proc/%d/task/%d", pid, pid);
	if (frz_read(dir, "children", text, sizeof(text)))
		return -ENOENT;
	for (p = strtok(text, " "); p; p = strtok(NULL, " ")) {
		char more[256];

		snprintf(dir, sizeof(dir), "/proc/%s/task/%s", p, p);
		if (!frz_read(dir, "children", more, sizeof(more)) && *more)
			return atoi(p);
	}
	return -ESRCH;
}

/*
 *	cg	a container, in it another container
 *
 * killable 1, FROZEN, SIGKILL to the inner pid 1: it becomes a zombie, since its
 * parent does not run, and its children are gone. SIGKILL to the outer one: it is
 * reaped, nothing is left. Then the same with the outer one alone.
 */
FREEZER_TEST(nested)
{
	struct container *c = ASSERT_CONTAINER(CLONE_NEWPID);
	pid_t pid, inner;
	int round;

	c->then = nest;
	c->nr_children = 2;
	ASSERT_EQ(0, set_killable(self->cg, 1));
	for (round = 0; round < 2; round++) {
		pid = ASSERT_PID(container_begin(self->cg, c));
		ASSERT_EQ(0, frz_wait_word(&c->ready,
					   1 + 2 + 1 + NR_CHILDREN, FRZ_LIMIT));
		inner = ASSERT_PID(inner_init(pid));
		ASSERT_FREEZES(self->cg);
		if (!round) {
			ASSERT_EQ(0, kill(inner, SIGKILL));
			EXPECT_EQ(0, wait_task_state(inner, 'Z')) {
				TH_LOG("%s", where(inner));
			}
			EXPECT_EQ(3, wait_tasks(self->cg, "tasks", 3));
			EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN",
						     FRZ_AT_ONCE));
		}
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_REAPED(pid);
		EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
		EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
		ASSERT_THAWS(self->cg);
	}
}

struct entry {
	const char *cg;
	pid_t init;
	unsigned long child;
	unsigned long reap;
};

/* As "docker exec" does: a child in the namespace, whose parent is outside. */
static int enter_namespace(void *arg)
{
	struct entry *e = arg;
	int fd = syscall(SYS_pidfd_open, e->init, 0);
	pid_t pid;

	if (fd < 0 || setns(fd, CLONE_NEWPID))
		return 1;
	pid = fork();
	if (!pid)
		return frz_sleep(NULL);
	if (pid < 0 || frz_move_process(e->cg, pid))
		return 2;
	frz_store(&e->child, pid);
	if (frz_wait_word(&e->reap, 1, FRZ_LIMIT))
		return 3;
	return waitpid(pid, NULL, 0) == pid ? 0 : 4;
}

/*
 *	cg	a container, and a process that came into its namespace by
 *		setns() and whose parent is outside of cg
 *
 * killable 1, FROZEN, SIGKILL to pid 1. The process that came in is killed, but
 * only its parent can reap it, and does so later: until then pid 1 waits, in
 * another sleep than that for its own children. Then it is reaped in time, though
 * nobody thaws.
 */
FREEZER_TEST(entered_from_outside)
{
	struct container *c = ASSERT_CONTAINER(CLONE_NEWPID);
	struct entry *e = frz_shared(sizeof(*e));
	pid_t pid, other, child;

	ASSERT_NE(NULL, e);
	ASSERT_EQ(0, set_killable(self->cg, 1));
	pid = ASSERT_PID(container_new(self->cg, c));
	e->cg = self->cg;
	e->init = pid;
	other = ASSERT_PID(frz_spawn(NULL, enter_namespace, e));
	ASSERT_EQ(0, frz_wait_word(&e->child, 1, FRZ_LIMIT));
	child = frz_load(&e->child);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(0, wait_task_state(child, 'Z'));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
	frz_store(&e->reap, 1);
	EXPECT_EQ(0, frz_wait_exit(other, FRZ_LIMIT));
	EXPECT_REAPED(pid);
	EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
}

/* Its parent waits in vfork(). */
static int vfork_container(void *arg)
{
	struct container *c = arg;
	pid_t pid;

	pid = frz_clone(CLONE_NEWPID | CLONE_VFORK | SIGCHLD);
	if (!pid) {
		frz_store(&c->go, 1);
		_exit(container_init(c));
	}
	frz_inc(&c->gone);
	return frz_sleep(NULL);
}

/*
 *	cg	a process that waits in vfork() for the pid 1 of a namespace
 *
 * killable 1, FROZEN, SIGKILL to pid 1, or to its parent first. Both are gone
 * without a thaw, and the parent has run nothing.
 */
FREEZER_TEST(vfork_of_pid_1)
{
	struct container *c = ASSERT_CONTAINER(CLONE_NEWPID);
	char dir[64], text[64];
	pid_t parent, pid;
	int round;

	ASSERT_EQ(0, set_killable(self->cg, 1));
	for (round = 0; round < 2; round++) {
		frz_store(&c->ready, 0);
		frz_store(&c->gone, 0);
		frz_store(&c->moved, 1);
		parent = ASSERT_PID(frz_spawn(self->cg, vfork_container, c));
		ASSERT_EQ(0, frz_wait_word(&c->ready, container_size(c),
					   FRZ_LIMIT));
		snprintf(dir, sizeof(dir), "/proc/%d/task/%d", parent, parent);
		ASSERT_EQ(0, frz_read(dir, "children", text, sizeof(text)));
		pid = atoi(text);
		ASSERT_LT(0, pid);
		ASSERT_FREEZES(self->cg);
		if (round) {
			ASSERT_EQ(0, kill(parent, SIGKILL));
			EXPECT_REAPED(parent);
		}
		/* the parent's death may have killed it already */
		kill(pid, SIGKILL);
		EXPECT_NE(-ETIMEDOUT, wait_task_state(pid, 'Z')) {
			TH_LOG("%s", where(pid));
		}
		if (!round) {
			EXPECT_EQ(0, frz_load(&c->gone));
			ASSERT_EQ(0, kill(parent, SIGKILL));
			EXPECT_REAPED(parent);
		}
		EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
		EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
		EXPECT_EQ(0, frz_load(&c->gone));
		ASSERT_THAWS(self->cg);
	}
}

/*
 * A freeze that meets pid 1 in the middle of its exit
 */

FIXTURE(held) {
	char cg[FRZ_PATH_MAX];
	int fuse;
};

FIXTURE_VARIANT(held) {
	int (*then)(struct container *c);
	unsigned int opcode;
};

/* close() at exit waits for the answer to FLUSH. */
static int exit_in_close(struct container *c)
{
	if (open_fuse_file() < 0)
		return 3;
	if (frz_wait_word(&c->go, 1, FRZ_LIMIT))
		return 4;
	return 0;
}

/*
 * The list of robust futexes, which exit_mm() walks, begins in a page of the
 * file, which has not been read yet.
 */
static int exit_in_exit_mm(struct container *c)
{
	int fd = open_fuse_file();
	void *head;

	if (fd < 0)
		return 3;
	head = mmap(NULL, getpagesize(), PROT_READ, MAP_PRIVATE, fd, 0);
	if (head == MAP_FAILED ||
	    syscall(SYS_set_robust_list, head, 3 * sizeof(long)))
		return 4;
	if (frz_wait_word(&c->go, 1, FRZ_LIMIT))
		return 5;
	return 0;
}

FIXTURE_VARIANT_ADD(held, exit_files) {
	.then = exit_in_close,
	.opcode = FUSE_FLUSH,
};

FIXTURE_VARIANT_ADD(held, exit_mm) {
	.then = exit_in_exit_mm,
	.opcode = FUSE_READ,
};

FIXTURE_SETUP(held)
{
	FRZ_GROUP_MAKE(self->cg);
	self->fuse = mount_fuse_file();
	ASSERT_LE(0, self->fuse);
}

FIXTURE_TEARDOWN(held)
{
	/* who waits for an answer has got an error from here on */
	unmount_fuse_file(self->fuse);
	FRZ_GROUP_END(self->cg);
}

static int serve_for_a_while(int fd)
{
	struct request req;

	while (next_request(fd, &req, FRZ_WATCH) >= 0)
		serve_file(fd, &req);
	return 0;
}

/* Nobody else serves the file that pid 1 opens and reads. */
static int serve_container(int fd, struct container *c)
{
	if (!frz_until_busy(!serve_for_a_while(fd) &&
			    frz_load(&c->ready) >= container_size(c), FRZ_LIMIT))
		return -ETIMEDOUT;
	return serve_for_a_while(fd);
}

/*
 *	cg	a container whose pid 1 ends by itself, and is held in its exit by
 *		a file server outside
 *
 * FROZEN comes in the meantime (C8), as it does for a task that is asleep on
 * its way out. The server answers; pid 1 goes on to kill its children, which
 * wait for the thaw, and so does it. After the thaw it is reaped, with the
 * status with which it has ended. A failure is a pid 1 that hangs for ever
 * after a thaw: nobody finds it any more, since it has left its cgroup with its
 * door closed.
 */
TEST_F_TIMEOUT(held, freeze_meets_exit, 90)
{
	struct container *c = ASSERT_CONTAINER(CLONE_NEWPID);
	struct request req;
	pid_t pid, child;
	int status;

	c->then = variant->then;
	ASSERT_EQ(0, set_killable(self->cg, 0));
	pid = ASSERT_PID(container_begin(self->cg, c));
	ASSERT_EQ(0, serve_container(self->fuse, c));
	child = ASSERT_PID(another(self->cg, pid));
	frz_store(&c->go, 1);
	ASSERT_EQ(0, serve_file_until(self->fuse, variant->opcode, &req));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, 0));

	ASSERT_EQ(0, serve_file(self->fuse, &req));
	ASSERT_TRUE(frz_until_busy(!serve_for_a_while(self->fuse) &&
				   is_killed(child), FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
	EXPECT_EQ(0, kill(child, 0));
	ASSERT_THAWS(self->cg);
	status = frz_wait_exit(pid, FRZ_LIMIT);
	EXPECT_EQ(0, status) {
		TH_LOG("%s", where(pid));
	}
	EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
}

/*
 * The OOM killer
 */

static char *take(unsigned long size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		memset(p, 1, size);
	return p;
}

static int join_memcg(pid_t pid, const char *score)
{
	char text[64];
	int err;

	snprintf(text, sizeof(text), "%d", pid);
	err = frz_write(MEMCG_DIR, "cgroup.procs", text);
	snprintf(text, sizeof(text), "/proc/%d", pid);
	return err ? err : frz_write(text, "oom_score_adj", score);
}

/* Takes more than there is beside the victim. */
static int taker(void *arg)
{
	if (join_memcg(getpid(), "-1000"))
		return 1;
	return take(HOG_SIZE) == MAP_FAILED ? 2 : 0;
}

static int hog(struct container *c)
{
	if (frz_wait_word(&c->go, 1, FRZ_LIMIT) || take(HOG_SIZE) == MAP_FAILED)
		return 3;
	frz_inc(&c->ready);
	return frz_sleep(NULL);
}

FIXTURE(oom) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(oom) {
	int flags;
	int killable;
};

FIXTURE_VARIANT_ADD(oom, killable_0) { .flags = CLONE_NEWPID };
FIXTURE_VARIANT_ADD(oom, all_killable_0) { .flags = NEW_ALL };

FIXTURE_VARIANT_ADD(oom, killable_1) {
	.flags = CLONE_NEWPID,
	.killable = 1,
};

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

/*
 *	cg		a container, FROZEN
 *	memory cgroup	its pid 1, which has much memory, and later a process outside
 *
 * The OOM killer takes pid 1 for the process outside, which gets its memory. With
 * killable 0 the children of pid 1 wait for the thaw and pid 1 for them; after the
 * thaw it is reaped. With killable 1 it is reaped without. A failure is a pid 1
 * that hangs in its exit for ever, thawed or not.
 */
TEST_F_TIMEOUT(oom, pid_1, 90)
{
	struct container *c = ASSERT_CONTAINER(variant->flags);
	pid_t pid, out;

	c->then = hog;
	ASSERT_EQ(0, set_killable(self->cg, variant->killable));
	pid = ASSERT_PID(container_new(self->cg, c));
	ASSERT_EQ(0, join_memcg(pid, "500"));
	frz_store(&c->go, 1);
	ASSERT_EQ(0, frz_wait_word(&c->ready, container_size(c) + 1,
				   FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	out = ASSERT_PID(frz_spawn(NULL, taker, NULL));
	EXPECT_EQ(0, frz_wait_exit(out, FRZ_LIMIT));
	if (variant->killable) {
		EXPECT_REAPED(pid);
		EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
	} else {
		EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
	}
	EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
	ASSERT_THAWS(self->cg);
	if (!variant->killable)
		EXPECT_REAPED(pid);
	EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
}

/*
 * Threads that wait for a core dump
 */

static const char core_begun[] = "/tmp/freezer_selftest.core_begun";
static const char core_gate[] = "/tmp/freezer_selftest.core_gate";

/* The program that gets the core: takes nothing of it before the gate opens. */
static int take_core(void)
{
	char buf[4096];
	int fd;

	close(open(core_begun, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	fd = open(core_gate, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, buf, 1) < 0)
		return 1;
	while (read(0, buf, sizeof(buf)) > 0)
		;
	return 0;
}

static int read_pattern(char *buf, size_t size)
{
	return frz_read("/proc/sys/kernel", "core_pattern", buf, size);
}

FIXTURE(dump) {
	char cg[FRZ_PATH_MAX];
	char pattern[256];
	int gate;
};

FIXTURE_VARIANT(dump) {
	int flags;
	bool oom;
};

FIXTURE_VARIANT_ADD(dump, kill) { .flags = 0 };
FIXTURE_VARIANT_ADD(dump, kill_of_pid_1) { .flags = CLONE_NEWPID };
FIXTURE_VARIANT_ADD(dump, oom) { .flags = 0, .oom = true };
FIXTURE_VARIANT_ADD(dump, oom_of_pid_1) { .flags = CLONE_NEWPID, .oom = true };

FIXTURE_SETUP(dump)
{
	char exe[PATH_MAX], text[PATH_MAX + 16];
	const char *what;
	ssize_t len;
	int err;

	FRZ_GROUP_MAKE(self->cg);
	err = memcg_setup(LIMIT, &what);
	ASSERT_EQ(0, err) {
		TH_LOG("%s: %s", what, strerror(-err));
	}
	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	ASSERT_LT(0, len);
	exe[len] = 0;
	snprintf(text, sizeof(text), "|%s --core", exe);
	ASSERT_GT(128, strlen(text));
	ASSERT_EQ(0, read_pattern(self->pattern, sizeof(self->pattern)));
	ASSERT_EQ(0, frz_write("/proc/sys/kernel", "core_pattern", text));
	unlink(core_begun);
	unlink(core_gate);
	ASSERT_EQ(0, mkfifo(core_gate, 0600));
	/* both ends, so that it opens when this process has gone */
	self->gate = open(core_gate, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->gate);
}

FIXTURE_TEARDOWN(dump)
{
	if (write(self->gate, "\n", 1) != 1)
		TH_LOG("%s", strerror(errno));
	FRZ_GROUP_END(self->cg);
	close(self->gate);
	frz_write("/proc/sys/kernel", "core_pattern", self->pattern);
	unlink(core_begun);
	unlink(core_gate);
	memcg_teardown();
}

static int crash(struct container *c)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_CORE, &lim) || chdir("/tmp") ||
	    frz_wait_word(&c->go, 1, FRZ_LIMIT) ||
	    take(HOG_SIZE) == MAP_FAILED)
		return 3;
	frz_inc(&c->ready);
	/* a signal of which pid 1 dies, too */
	__builtin_trap();
}

/* How many threads of @pid wait in their exit, or -errno. */
static int wait_in_exit(pid_t pid)
{
	char dir[64], name[320], wchan[128];
	struct dirent *ent;
	int seen = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/task", pid);
	d = opendir(dir);
	if (!d)
		return -errno;
	while ((ent = readdir(d))) {
		snprintf(name, sizeof(name), "%s/%s", dir, ent->d_name);
		if (!frz_read(name, "wchan", wchan, sizeof(wchan)))
			seen += !strncmp(wchan, "do_exit", 7) ||
				strstr(wchan, "coredump_task_exit");
	}
	closedir(d);
	return seen;
}

/* All threads but the one that dumps wait for it: how many do at the end. */
static int wait_for_dump(pid_t pid, int nr)
{
	int seen;

	frz_until((seen = wait_in_exit(pid)) < 0 || seen == nr, FRZ_LIMIT);
	return seen;
}

/*
 *	cg		a process with four threads, pid 1 of a namespace or not, that
 *			dumps core; the program that gets it takes its time
 *	memory cgroup	the process, and later a process outside
 *
 * FROZEN, in the middle of the dump. Then the process is killed, killable 1, or
 * by the OOM killer, killable 0. It is reaped in time with the threads that wait
 * for the dump, though nobody thaws and nobody takes the core. A failure is a
 * thread that stays frozen in its exit.
 */
TEST_F_TIMEOUT(dump, killed_in_a_dump, 90)
{
	struct container *c = ASSERT_CONTAINER(variant->flags);
	int status;
	pid_t pid, out;

	c->nr_children = 0;
	c->nr_threads = NR_THREADS;
	c->then = crash;
	ASSERT_EQ(0, set_killable(self->cg, !variant->oom));
	pid = ASSERT_PID(container_new(self->cg, c));
	ASSERT_EQ(0, join_memcg(pid, "500"));
	frz_store(&c->go, 1);
	ASSERT_TRUE(frz_until(!access(core_begun, F_OK), FRZ_LIMIT));
	ASSERT_EQ(NR_THREADS, wait_for_dump(pid, NR_THREADS));
	ASSERT_FREEZES(self->cg);
	EXPECT_EQ(NR_THREADS + 1, wait_tasks(self->cg, "tasks", NR_THREADS + 1));

	if (variant->oom) {
		out = ASSERT_PID(frz_spawn(NULL, taker, NULL));
		EXPECT_EQ(0, frz_wait_exit(out, FRZ_LIMIT));
	} else {
		ASSERT_EQ(0, kill(pid, SIGKILL));
	}
	status = frz_wait_exit(pid, FRZ_LIMIT);
	EXPECT_LE(0, status) {
		TH_LOG("%s", where(pid));
	}
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
	EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
	ASSERT_THAWS(self->cg);
}

/*
 * The stop of a traced process in its exit
 */

/* Wait for a stop of @pid, or of any tracee: its wait status, or -errno. */
static int wait_exit_stop(pid_t pid)
{
	int status = frz_wait_stop(pid, 0, FRZ_LIMIT);

	if (status < 0)
		return status;
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8) ? 0 : -EINVAL;
}

struct exit_tracer {
	pid_t pid;
	unsigned long seized;
	unsigned long stopped;
};

/* A tracer that sees the stop and does nothing about it. */
static int trace_exit(void *arg)
{
	struct exit_tracer *t = arg;
	int status;

	if (ptrace(PTRACE_SEIZE, t->pid, 0, PTRACE_O_TRACEEXIT))
		return 1;
	frz_store(&t->seized, 1);
	if (waitpid(t->pid, &status, __WALL) != t->pid ||
	    status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8))
		return 2;
	frz_store(&t->stopped, 1);
	return frz_sleep(NULL);
}

FIXTURE(exit_stop) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(exit_stop) {
	int flags;
	bool freeze_again;	/* thaw and freeze while it is in its stop */
};

FIXTURE_VARIANT_ADD(exit_stop, process) { .flags = 0 };
FIXTURE_VARIANT_ADD(exit_stop, pid_1) { .flags = CLONE_NEWPID };

FIXTURE_VARIANT_ADD(exit_stop, frozen_again) {
	.flags = 0,
	.freeze_again = true,
};

FIXTURE_VARIANT_ADD(exit_stop, pid_1_frozen_again) {
	.flags = CLONE_NEWPID,
	.freeze_again = true,
};

FIXTURE_SETUP(exit_stop)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(exit_stop)
{
	FRZ_GROUP_END(self->cg);
}

enum let_go { BY_CONT, BY_DETACH, BY_DEATH, NR_LET_GO };

/*
 *	cg	a process, in user mode or pid 1 of a namespace, whose tracer is
 *		outside and wants to see its end (PTRACE_O_TRACEEXIT)
 *
 * killable 1, FROZEN, SIGKILL. The process stops for its tracer on its way out;
 * the group may be thawed and frozen again meanwhile, or not. When the tracer lets
 * it go, by PTRACE_CONT, by PTRACE_DETACH, or by its own death, it dies at once,
 * though nobody thaws. A failure is a task that is frozen past its last door.
 */
TEST_F_TIMEOUT(exit_stop, is_let_go, 90)
{
	struct container *c = ASSERT_CONTAINER(variant->flags);
	struct exit_tracer *t = frz_shared(sizeof(*t));
	pid_t pid, other = 0;
	enum let_go how;

	ASSERT_NE(NULL, t);
	c->nr_children = variant->flags ? NR_CHILDREN : 0;
	ASSERT_EQ(0, set_killable(self->cg, 1));
	for (how = BY_CONT; how < NR_LET_GO; how++) {
		pid = ASSERT_PID(container_new(self->cg, c));
		if (how == BY_DEATH) {
			memset(t, 0, sizeof(*t));
			t->pid = pid;
			other = ASSERT_PID(frz_spawn(NULL, trace_exit, t));
			ASSERT_EQ(0, frz_wait_word(&t->seized, 1, FRZ_LIMIT));
		} else {
			ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0,
					    PTRACE_O_TRACEEXIT));
		}
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(0, how == BY_DEATH ?
			  frz_wait_word(&t->stopped, 1, FRZ_LIMIT) :
			  wait_exit_stop(pid));
		EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
		if (variant->freeze_again) {
			ASSERT_THAWS(self->cg);
			ASSERT_FREEZES(self->cg);
		}

		ASSERT_EQ(0, how == BY_CONT ? ptrace(PTRACE_CONT, pid, 0, 0) :
			     how == BY_DETACH ?
			     ptrace(PTRACE_DETACH, pid, 0, 0) :
			     kill(other, SIGKILL));
		EXPECT_REAPED(pid) {
			TH_LOG("let go by %s", how == BY_CONT ? "PTRACE_CONT" :
			       how == BY_DETACH ? "PTRACE_DETACH" :
			       "the tracer's death");
		}
		if (how == BY_DEATH)
			EXPECT_REAPED(other);
		EXPECT_EQ(0, wait_tasks(self->cg, "tasks", 0));
		EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
		ASSERT_THAWS(self->cg);
	}
}

struct maker {
	unsigned long rounds;
	unsigned long failed;
	int err;
};

/* As "unshare --pid --fork true" does it, again and again. */
static int make_pid_namespaces(void *arg)
{
	struct maker *m = arg;
	pid_t pid, first;

	for (;;) {
		pid = fork();
		if (!pid) {
			if (unshare(CLONE_NEWPID))
				_exit(1);
			first = fork();
			if (!first)
				_exit(0);
			if (first < 0) {
				m->err = errno;
				frz_inc(&m->failed);
			} else {
				waitpid(first, NULL, 0);
			}
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 1;
		frz_inc(&m->rounds);
	}
}

/*
 * C13. The first fork into a pid namespace that was made by unshare() meets a freeze.
 * It is refused as late as other forks are, and its namespace must not end with its
 * pid: started over it would be ENOMEM.
 */
FREEZER_TEST(first_fork_meets_freeze)
{
	struct maker *m = frz_shared(sizeof(*m));
	int i;

	ASSERT_NE(NULL, m);
	for (i = 0; i < 2; i++)
		ASSERT_PID(frz_spawn(self->cg, make_pid_namespaces, m));
	for (i = 0; i < 60; i++) {
		ASSERT_EQ(0, frz_wait_move(&m->rounds, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
	}
	EXPECT_EQ(0, m->failed) {
		TH_LOG("%s, after %lu rounds", strerror(m->err), m->rounds);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--core"))
		_exit(take_core());
	return test_harness_run(argc, argv);
}
