// SPDX-License-Identifier: GPL-2.0
/*
 * The checkpoint guard and a task that does not come to rest: what its opener
 * gets, who is named, and what happens meanwhile.
 *
 * Clauses: C11.
 */
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "checkpoint_util.h"
#include "freezer_test.h"
#include "fuse_util.h"
#include "uring_util.h"

/*
 * A system call that does not come back: a FUSE server that does not answer.
 */

FIXTURE(stuck) {
	char cg[FRZ_PATH_MAX];
	int fd;
	struct request req;
};

FIXTURE_SETUP(stuck)
{
	FRZ_GROUP_MAKE(self->cg);
	self->fd = mount_fuse();
	ASSERT_LE(0, self->fd) {
		TH_LOG("FUSE: %s", strerror(-self->fd));
	}
	ASSERT_EQ(FUSE_INIT, next_request(self->fd, &self->req, FRZ_LIMIT));
	ASSERT_EQ(0, serve(self->fd, &self->req));
}

FIXTURE_TEARDOWN(stuck)
{
	/*
	 * MNT_FORCE ends the connection and all that waits for it: a task that
	 * does has a copy of the descriptor as well.
	 */
	if (self->fd >= 0)
		close(self->fd);
	umount2(fuse_dir, MNT_FORCE);
	umount2(fuse_dir, MNT_DETACH);
	FRZ_GROUP_END(self->cg);
	rmdir(fuse_dir);
}

struct call {
	unsigned long begun;
	unsigned long done;
	long result;
	int error;
};

static int stat_once(void *arg)
{
	struct call *c = arg;
	struct stat st;

	frz_inc(&c->begun);
	c->result = stat(fuse_dir, &st);
	c->error = c->result ? errno : 0;
	frz_inc(&c->done);
	return frz_sleep(NULL);
}

/* The request that the stuck one waits for; an interrupt is not it. */
static int stuck_request(int fd, struct request *req)
{
	int op;

	do {
		op = next_request(fd, req, FRZ_LIMIT);
		if (op > 0 && op != FUSE_GETATTR)
			serve(fd, req);
	} while (op > 0 && op != FUSE_GETATTR);
	return op;
}

#define ASSERT_STUCK(c) ({ \
	pid_t __p; \
	\
	__p = ASSERT_PID(frz_spawn(self->cg, stat_once, c)); \
	ASSERT_EQ(FUSE_GETATTR, stuck_request(self->fd, &self->req)); \
	ASSERT_EQ(0, frz_wait_asleep(__p, FRZ_LIMIT)); \
	__p; \
})

static const char *blocker(pid_t pid, const char *why)
{
	static char line[128];

	snprintf(line, sizeof(line), "%d %.15s %s", pid,
		 program_invocation_short_name, why);
	return line;
}

/*
 * What does not become quiescent in time: EBUSY after timeout_ms, not earlier;
 * the state is FROZEN as before, and freezer.blockers goes on to name the task
 * until it has come to its door. Then the guard is granted.
 */
TEST_F_TIMEOUT(stuck, named, 90)
{
	struct call *c = frz_shared(sizeof(*c));
	unsigned long *word = ASSERT_WORDS(1);
	int64_t begin;
	pid_t pid;
	int fd;

	ASSERT_NE(NULL, c);
	pid = ASSERT_STUCK(c);
	ASSERT_SPINNER(self->cg, word);
	ASSERT_FREEZES(self->cg);
	EXPECT_FILE(self->cg, "freezer.blockers", "");
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "300"));
	begin = frz_now_ns();
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	EXPECT_LE(300, (frz_now_ns() - begin) / 1000000);
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_FILE(self->cg, "freezer.checkpoint", "free");
	EXPECT_BECOMES_FILE(self->cg, "freezer.blockers", blocker(pid, "blocked"));
	EXPECT_EQ(1, not_quiescent(self->cg));

	ASSERT_EQ(0, serve(self->fd, &self->req));
	EXPECT_BECOMES_FILE(self->cg, "freezer.blockers", "");
	fd = ASSERT_GUARD(self->cg);
	EXPECT_EQ(0, not_quiescent(self->cg));
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&c->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, c->error);
	EXPECT_RUNS(word);
}

/* The same on a file opened with O_NONBLOCK, and with a limit of 0: at once. */
TEST_F_TIMEOUT(stuck, nonblock, 90)
{
	struct call *c = frz_shared(sizeof(*c));
	int64_t begin = frz_now_ns();
	pid_t pid;

	ASSERT_NE(NULL, c);
	pid = ASSERT_STUCK(c);
	ASSERT_FREEZES(self->cg);
	begin = frz_now_ns();
	EXPECT_EQ(-EBUSY, guard_open_flags(self->cg, O_NONBLOCK));
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "0"));
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	EXPECT_GT(FRZ_AT_ONCE, (frz_now_ns() - begin) / 1000000);
	EXPECT_BECOMES_FILE(self->cg, "freezer.blockers", blocker(pid, "blocked"));
	/* The names go with the thaw. */
	ASSERT_THAWS(self->cg);
	EXPECT_FILE(self->cg, "freezer.blockers", "");
	ASSERT_EQ(0, serve(self->fd, &self->req));
	EXPECT_EQ(0, frz_wait_word(&c->done, 1, FRZ_LIMIT));
}

static int open_guard(void *arg)
{
	struct holder *h = arg;

	signal(SIGUSR1, SIG_IGN);
	frz_store(&h->word, 1);
	h->result = guard_open(h->path);
	frz_store(&h->word, 2);
	return frz_sleep(NULL);
}

static void on_signal(int sig)
{
}

static int open_guard_with_handler(void *arg)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGUSR2, &sa, NULL);
	return open_guard(arg);
}

/* An opener that waits, known by the guard's being held. */
#define ASSERT_WAITING(fn, h) ({ \
	struct holder *__h = (h); \
	pid_t __p; \
	\
	snprintf(__h->path, sizeof(__h->path), "%s", self->cg); \
	frz_store(&__h->word, 0); \
	__p = ASSERT_PID(frz_spawn(NULL, fn, __h)); \
	ASSERT_EQ(0, frz_wait_word(&__h->word, 1, FRZ_LIMIT)); \
	ASSERT_STREQ("", becomes_content(self->cg, "freezer.checkpoint", \
					 "held")); \
	__p; \
})

/*
 * Who waits keeps others from taking the guard and from moving tasks, but not
 * from thawing: then the opener gets ECANCELED. A signal with a handler gives
 * EINTR, one that is ignored nothing; a SIGKILL ends the attempt.
 */
TEST_F_TIMEOUT(stuck, while_it_waits, 90)
{
	struct holder *h = frz_shared(sizeof(*h));
	struct call *c = frz_shared(sizeof(*c));
	char other[FRZ_PATH_MAX];
	pid_t pid, opener;

	ASSERT_NE(NULL, h);
	ASSERT_NE(NULL, c);
	pid = ASSERT_STUCK(c);
	ASSERT_EQ(0, frz_create(other, self->cg, "other"));
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "60000"));
	ASSERT_FREEZES(self->cg);

	opener = ASSERT_WAITING(open_guard_with_handler, h);
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	EXPECT_EQ(-EBUSY, guard_open(other));
	EXPECT_EQ(-EBUSY, frz_move_process(frz_root(), pid));
	EXPECT_EQ(-EBUSY, frz_move_process(other, pid));
	EXPECT_BECOMES_FILE(self->cg, "freezer.blockers", blocker(pid, "blocked"));
	EXPECT_FILE(other, "freezer.blockers", "");
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_EQ(0, kill(opener, SIGUSR1));
	frz_sleep_ms(5);
	EXPECT_EQ(1, frz_load(&h->word));
	ASSERT_EQ(0, kill(opener, SIGUSR2));
	ASSERT_EQ(0, frz_wait_word(&h->word, 2, FRZ_LIMIT));
	EXPECT_EQ(-EINTR, h->result);
	EXPECT_FILE(self->cg, "freezer.checkpoint", "free");

	opener = ASSERT_WAITING(open_guard, h);
	ASSERT_EQ(0, kill(opener, SIGKILL));
	ASSERT_EQ(SIGKILL, frz_wait_exit(opener, FRZ_LIMIT));
	EXPECT_FILE(self->cg, "freezer.checkpoint", "free");

	ASSERT_WAITING(open_guard, h);
	ASSERT_THAWS(self->cg);
	ASSERT_EQ(0, frz_wait_word(&h->word, 2, FRZ_LIMIT));
	EXPECT_EQ(-ECANCELED, h->result);
	EXPECT_STATE(self->cg, "THAWED");

	/* and a freeze that follows does not bring it back */
	ASSERT_FREEZES(self->cg);
	opener = ASSERT_WAITING(open_guard, h);
	ASSERT_EQ(0, serve(self->fd, &self->req));
	ASSERT_EQ(0, frz_wait_word(&h->word, 2, FRZ_LIMIT));
	EXPECT_LE(0, h->result);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	ASSERT_EQ(0, kill(opener, SIGKILL));
	ASSERT_EQ(SIGKILL, frz_wait_exit(opener, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FROZEN");
}

/*
 * Exec by a thread whose sibling cannot die yet.
 */

static void *stat_thread(void *arg)
{
	stat_once(arg);
	return NULL;
}

static int exec_with_sibling(void *arg)
{
	pthread_t thread;
	struct call *c = arg;

	if (pthread_create(&thread, NULL, stat_thread, c))
		return 1;
	frz_wait_word(&c->done, 100, FRZ_LIMIT);
	execl("/bin/sleep", "sleep", "1000", NULL);
	return 1;
}

/*
 * A thread executes a program and waits, in de_thread(), for a sibling that was
 * killed and cannot die: two tasks that are not quiescent. When the sibling is
 * through, although the group is FROZEN, so is the exec, and the guard is
 * granted to the one task that is left.
 */
TEST_F_TIMEOUT(stuck, exec_in_de_thread, 90)
{
	struct call *c = frz_shared(sizeof(*c));
	pid_t pid, list[4];
	int fd;

	ASSERT_NE(NULL, c);
	pid = ASSERT_PID(frz_spawn(self->cg, exec_with_sibling, c));
	ASSERT_EQ(FUSE_GETATTR, stuck_request(self->fd, &self->req));
	/* both threads are there: let the first one exec */
	frz_store(&c->done, 100);
	ASSERT_EQ(0, wait_task_state(pid, 'D'));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "200"));
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	EXPECT_EQ(2, frz_blockers(self->cg)) {
		TH_LOG("%s", frz_describe(self->cg));
	}
	EXPECT_EQ(2, frz_list(self->cg, "tasks", list, 4));
	ASSERT_EQ(0, serve(self->fd, &self->req));
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "20000"));
	fd = ASSERT_GUARD(self->cg);
	EXPECT_EQ(1, frz_list(self->cg, "tasks", list, 4));
	EXPECT_EQ(0, not_quiescent(self->cg));
	close(fd);
	ASSERT_THAWS(self->cg);
}

/*
 * io_uring.
 */

struct uring {
	unsigned long begun;
	unsigned long done;
	int result;
	unsigned int flags;
	int fd[2];
};

/* A read from a pipe, by a worker or by the submission thread. */
static int read_by_ring(void *arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_READ };
	struct uring *u = arg;
	struct ring r;
	char buf[16];

	if (make_ring(&r, u->flags))
		return 1;
	sqe.flags = u->flags & IORING_SETUP_SQPOLL ? 0 : IOSQE_ASYNC;
	sqe.fd = u->fd[0];
	sqe.addr = (unsigned long)buf;
	sqe.len = sizeof(buf);
	queue_sqe(&r, &sqe);
	if (enter(&r, 1, 0, u->flags & IORING_SETUP_SQPOLL ?
		  IORING_ENTER_SQ_WAKEUP : 0) != 1)
		return 2;
	frz_inc(&u->begun);
	while (!take_cqe(&r, &u->result))
		usleep(1000);
	frz_inc(&u->done);
	return frz_sleep(NULL);
}

FIXTURE(rings) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(rings) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(rings, worker) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(rings, submission_thread) {
	.flags = IORING_SETUP_SQPOLL,
};

FIXTURE_SETUP(rings)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(rings)
{
	FRZ_GROUP_END(self->cg);
}

/*
 * Work in flight: a read that a worker, or nobody, waits for. The guard is
 * granted, or else refused with the worker's name, but no completion comes
 * because of it, and the one that comes later has no error. When the work is
 * done the guard is granted: threads that are idle are quiescent.
 */
TEST_F_TIMEOUT(rings, in_flight, 90)
{
	struct uring *u = frz_shared(sizeof(*u));
	int i, fd;

	ASSERT_NE(NULL, u);
	u->flags = variant->flags;
	ASSERT_EQ(0, pipe(u->fd));
	ASSERT_PID(frz_spawn(self->cg, read_by_ring, u));
	ASSERT_EQ(0, frz_wait_word(&u->begun, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "3000"));
	frz_sleep_ms(FRZ_WATCH);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "20000"));
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "3000"));
		fd = guard_open(self->cg);
		if (fd < 0) {
			EXPECT_EQ(-EBUSY, fd);
			EXPECT_NE(NULL, strstr(frz_describe(self->cg),
					       "iou-wrk"));
		} else {
			EXPECT_EQ(0, not_quiescent(self->cg));
			close(fd);
		}
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_load(&u->done)) {
			TH_LOG("round %d: %s", i, strerror(-u->result));
		}
	}
	ASSERT_EQ(1, write(u->fd[1], "x", 1));
	ASSERT_EQ(0, frz_wait_word(&u->done, 1, FRZ_LIMIT));
	EXPECT_EQ(1, u->result);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "20000"));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_EQ(0, not_quiescent(self->cg));
	close(fd);
	ASSERT_THAWS(self->cg);
}

TEST_HARNESS_MAIN
