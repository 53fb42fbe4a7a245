// SPDX-License-Identifier: GPL-2.0
/*
 * Quiescence: the checkpoint guard is granted when every task is
 * parked or frozen in place. How tasks that sleep in a system call get there,
 * who is named when one does not, and what stands still from then on.
 *
 * Clauses: C9, C11, C12.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "checkpoint_util.h"
#include "freezer_test.h"
#include "fuse_util.h"
#include "memcg_util.h"
#include "uring_util.h"

/* How many tasks of @cg are neither parked nor frozen in place. */
static int not_quiescent(const char *cg)
{
	return frz_stat(cg, "nr_tasks") - frz_stat(cg, "nr_parked") -
	       frz_stat(cg, "nr_in_place");
}

/*
 * One system call that sleeps, and what ends it.
 */

struct call {
	unsigned long begun;
	unsigned long done;
	long result;
	int error;
	int fd[2];
	int aux[2];
};

static long call_read(struct call *c)
{
	char buf[16];

	return read(c->fd[0], buf, sizeof(buf));
}

static long call_poll(struct call *c)
{
	struct pollfd pfd = { .fd = c->fd[0], .events = POLLIN };

	return poll(&pfd, 1, 60000);
}

static long call_epoll(struct call *c)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int epfd = epoll_create1(0);

	if (epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd[0], &ev))
		return -1;
	frz_inc(&c->begun);
	return epoll_wait(epfd, &ev, 1, 60000);
}

static long call_readv(struct call *c)
{
	char buf[16];
	struct iovec iov = { buf, sizeof(buf) };

	return readv(c->fd[0], &iov, 1);
}

static long call_recv(struct call *c)
{
	char buf[16];

	return recv(c->fd[0], buf, sizeof(buf), 0);
}

/* The child of a vfork() waits for the byte, its parent for the child. */
static long call_vfork(struct call *c)
{
	pid_t pid = vfork();
	char ch;

	if (!pid)
		_exit(read(c->fd[0], &ch, 1) == 1 ? 0 : 1);
	return waitpid(pid, NULL, 0) == pid ? 1 : -1;
}

static long call_wait(struct call *c)
{
	pid_t pid = fork();
	char ch;

	if (!pid)
		_exit(read(c->fd[0], &ch, 1) == 1 ? 0 : 1);
	return waitpid(pid, NULL, 0) == pid ? 1 : -1;
}

FIXTURE(calls) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(calls) {
	long (*fn)(struct call *c);
	int tasks;
	bool socket;
};

FIXTURE_VARIANT_ADD(calls, pipe_read) {
	.fn = call_read,
	.tasks = 1,
};

FIXTURE_VARIANT_ADD(calls, pipe_readv) {
	.fn = call_readv,
	.tasks = 1,
};

FIXTURE_VARIANT_ADD(calls, socket_recv) {
	.fn = call_recv,
	.tasks = 1,
	.socket = true,
};

FIXTURE_VARIANT_ADD(calls, poll) {
	.fn = call_poll,
	.tasks = 1,
};

FIXTURE_VARIANT_ADD(calls, epoll) {
	.fn = call_epoll,
	.tasks = 1,
};

FIXTURE_VARIANT_ADD(calls, vfork) {
	.fn = call_vfork,
	.tasks = 2,
};

FIXTURE_VARIANT_ADD(calls, waitpid) {
	.fn = call_wait,
	.tasks = 2,
};

FIXTURE_SETUP(calls)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(calls)
{
	FRZ_GROUP_END(self->cg);
}

struct caller {
	struct call c;
	long (*fn)(struct call *c);
};

static int make_call(void *arg)
{
	struct caller *caller = arg;
	struct call *c = &caller->c;

	frz_inc(&c->begun);
	c->result = caller->fn(c);
	c->error = c->result < 0 ? errno : 0;
	frz_inc(&c->done);
	return frz_sleep(NULL);
}

/* All tasks of @cg asleep: 0 or -errno. */
static int all_asleep(const char *cg, int tasks)
{
	long long end = frz_now_ns() + FRZ_LIMIT * 1000000LL;
	pid_t list[16];
	int i, n, err = 0;

	do {
		n = frz_list(cg, "tasks", list, 16);
		if (n >= tasks)
			break;
		usleep(1000);
	} while (frz_now_ns() < end);
	for (i = 0; !err && i < n; i++)
		err = frz_wait_asleep(list[i], FRZ_LIMIT);
	return n == tasks ? err : -ESRCH;
}

/*
 * The guard is granted to a group that sleeps in a system call, five times in a
 * row; every task is parked or in place (C11). The byte that comes meanwhile is
 * not taken, and after the thaw the call has the result that it would have had:
 * no error, no other length.
 */
TEST_F_TIMEOUT(calls, quiesce, 90)
{
	struct caller *caller = frz_shared(sizeof(*caller));
	int i, fd, left = 0;

	ASSERT_NE(NULL, caller);
	caller->fn = variant->fn;
	ASSERT_EQ(0, variant->socket ?
		  socketpair(AF_UNIX, SOCK_STREAM, 0, caller->c.fd) :
		  pipe(caller->c.fd));
	ASSERT_PID(frz_spawn(self->cg, make_call, caller));
	ASSERT_EQ(0, frz_wait_word(&caller->c.begun, 1, FRZ_LIMIT));
	ASSERT_EQ(0, all_asleep(self->cg, variant->tasks));

	ASSERT_FREEZES(self->cg);
	for (i = 0; i < 5; i++) {
		fd = ASSERT_GUARD(self->cg);
		EXPECT_EQ(0, not_quiescent(self->cg));
		EXPECT_STREQ("consistent", guard_verdict(fd));
		EXPECT_FILE(self->cg, "freezer.blockers", "");
		if (i < 4)
			close(fd);
		if (i == 2) {
			ASSERT_THAWS(self->cg);
			ASSERT_EQ(0, all_asleep(self->cg, variant->tasks));
			ASSERT_FREEZES(self->cg);
		}
	}
	ASSERT_EQ(1, write(caller->c.fd[1], "x", 1));
	frz_sleep_ms(FRZ_WATCH);
	ASSERT_EQ(0, ioctl(caller->c.fd[0], FIONREAD, &left));
	EXPECT_EQ(1, left);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_EQ(0, frz_load(&caller->c.done));
	close(fd);
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&caller->c.done, 1, FRZ_LIMIT));
	EXPECT_EQ(1, caller->c.result) {
		TH_LOG("%s", strerror(caller->c.error));
	}
}

/* Reads blocks of a disk, past the cache, for ever. */
static int read_disk(void *arg)
{
	struct call *c = arg;
	unsigned int n = 0;
	void *buf;
	int fd;

	if (posix_memalign(&buf, 4096, 65536))
		return 1;
	fd = open("/dev/vda", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return 2;
	for (;;) {
		n = n * 1103515245 + 12345;
		if (pread(fd, buf, 65536, (n >> 8) % 64 * 65536) < 0) {
			c->error = errno;
			return 3;
		}
		frz_inc(&c->done);
	}
	return 0;
}

/*
 * Whoever is in the middle of a disk read finishes it and stops: the guard is
 * granted each time, and no read has failed in the end.
 */
FREEZER_TEST(disk_io)
{
	struct call *c = frz_shared(sizeof(*c));
	pid_t pid;
	int i, fd;

	ASSERT_NE(NULL, c);
	pid = ASSERT_PID(frz_spawn(self->cg, read_disk, c));
	ASSERT_EQ(0, frz_wait_word(&c->done, 3, FRZ_LIMIT)) {
		TH_LOG("no disk? status %#x", frz_wait_exit(pid, 0));
	}
	for (i = 0; i < 20; i++) {
		ASSERT_FREEZES(self->cg);
		fd = ASSERT_GUARD(self->cg);
		EXPECT_EQ(0, not_quiescent(self->cg));
		EXPECT_EQ(0, frz_moved(&c->done, 2));
		close(fd);
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&c->done, FRZ_LIMIT));
	}
	EXPECT_EQ(0, c->error);
}

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

	snprintf(line, sizeof(line), "%d quiesce_test %s", pid, why);
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
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "500"));
	frz_sleep_ms(FRZ_WATCH);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "20000"));
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "500"));
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

/*
 * Stops.
 */

static int stop_and_spin(void *word)
{
	raise(SIGSTOP);
	return frz_spin(word);
}

/*
 * A task in a job control stop is quiescent. A SIGCONT that comes under the
 * guard is for later.
 */
FREEZER_TEST(stopped)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t pid;
	int fd;

	pid = ASSERT_PID(frz_spawn(self->cg, stop_and_spin, word));
	ASSERT_EQ(0, wait_task_state(pid, 'T'));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_EQ(0, not_quiescent(self->cg));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_STANDS(word);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	EXPECT_STANDS(word);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(word);
}

static int traced_spin(void *word)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		return 1;
	raise(SIGSTOP);
	return frz_spin(word);
}

/*
 * The tracer of a stopped task reads it under the guard, memory and registers,
 * but everything that changes it is EBUSY, and possible again afterwards.
 */
FREEZER_TEST(traced)
{
	struct user_regs_struct regs;
	unsigned long *word = ASSERT_WORDS(2);
	sigset_t set = {};
	int fd, status;
	pid_t pid;

	pid = ASSERT_PID(frz_spawn(self->cg, traced_spin, word));
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_EQ(0, not_quiescent(self->cg));
	errno = 0;
	EXPECT_EQ(0, ptrace(PTRACE_PEEKDATA, pid, &word[1], 0));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, ptrace(PTRACE_GETREGS, pid, 0, &regs));
	EXPECT_EQ(0, ptrace(PTRACE_GETSIGMASK, pid, sizeof(long), &set));

	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, &word[1], 7));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, word[1]);
	EXPECT_EQ(-1, ptrace(PTRACE_SETREGS, pid, 0, &regs));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_SETSIGMASK, pid, sizeof(long), &set));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_CONT, pid, 0, 0));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_STREQ("consistent", guard_verdict(fd));

	close(fd);
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, &word[1], 7));
	EXPECT_EQ(7, word[1]);
	EXPECT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[0]);
}

struct read_end {
	int fd[2];
	char buf[16];
	unsigned long reads;
};

/* Reads a pipe, in a sleep that can be frozen in place. */
static int read_pipe(void *arg)
{
	struct read_end *b = arg;

	if (read(b->fd[0], b->buf, sizeof(b->buf)) != 1)
		return 1;
	frz_inc(&b->reads);
	return frz_sleep(NULL);
}

/*
 * A tracer asks for stops under the guard. A task at its door stops, and one in
 * a job control stop, too. One that is frozen in a read() does not, whether the
 * data are there before the tracer or come after it: they stay in the pipe, and
 * its memory as it is. It stops when the guard is given back, and the data are
 * read after the thaw, at the latest.
 */
FREEZER_TEST(trapped)
{
	unsigned long *word = ASSERT_WORDS(2);
	struct read_end *b[2];
	pid_t spinner, stopped, reader[2];
	struct user_regs_struct regs;
	int i, n, fd;

	spinner = ASSERT_SPINNER(self->cg, &word[0]);
	stopped = ASSERT_PID(frz_spawn(self->cg, stop_and_spin, &word[1]));
	ASSERT_EQ(0, wait_task_state(stopped, 'T'));
	for (i = 0; i < 2; i++) {
		b[i] = frz_shared(sizeof(*b[i]));
		ASSERT_NE(NULL, b[i]);
		ASSERT_EQ(0, pipe(b[i]->fd));
		reader[i] = ASSERT_PID(frz_spawn(self->cg, read_pipe, b[i]));
		ASSERT_EQ(0, frz_wait_asleep(reader[i], FRZ_LIMIT));
	}
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	ASSERT_EQ(1, write(b[0]->fd[1], "x", 1));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ptrace(PTRACE_SEIZE, reader[i], 0, 0));
		ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, reader[i], 0, 0));
	}
	ASSERT_EQ(1, write(b[1]->fd[1], "x", 1));

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, spinner, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, spinner, 0, 0));
	ASSERT_LE(0, frz_wait_stop(spinner, 0, FRZ_LIMIT));
	EXPECT_EQ(0, ptrace(PTRACE_GETREGS, spinner, 0, &regs));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, spinner, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, stopped, 0, 0));
	ASSERT_LE(0, frz_wait_stop(stopped, 0, FRZ_LIMIT));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, stopped, 0, 0));

	EXPECT_STANDS(&word[0]);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, waitpid(reader[i], NULL, WNOHANG | __WALL));
		EXPECT_EQ(0, b[i]->buf[0]);
		ASSERT_EQ(0, ioctl(b[i]->fd[0], FIONREAD, &n));
		EXPECT_EQ(1, n);
	}
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);

	for (i = 0; i < 2; i++) {
		ASSERT_LE(0, frz_wait_stop(reader[i], 0, FRZ_LIMIT)) {
			TH_LOG("reader %d", i);
		}
		EXPECT_EQ(0, frz_load(&b[i]->reads));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, reader[i], 0, 0));
	}
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, frz_wait_word(&b[i]->reads, 1, FRZ_LIMIT));
	EXPECT_RUNS(&word[0]);
}

/*
 * The last task to park lets the writer of FROZEN go before it waits. Here it
 * does not get to wait, since it shares its CPU with the writer, which goes on
 * at once and asks for the guard. It is parked for that, too, and stops for a
 * tracer under the guard.
 */
FREEZER_TEST(parked_just_now)
{
	struct sched_param other = { 0 }, fifo = { .sched_priority = 1 };
	unsigned long *word = ASSERT_WORDS(1);
	cpu_set_t one, all;
	pid_t spinner;
	int fd;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	spinner = ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &fifo));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &other));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));

	EXPECT_EQ(1, frz_stat(self->cg, "nr_parked"));
	EXPECT_EQ(0, frz_stat(self->cg, "nr_in_place"));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, spinner, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, spinner, 0, 0));
	ASSERT_LE(0, frz_wait_stop(spinner, 0, FRZ_LIMIT));
	EXPECT_EQ(1, frz_stat(self->cg, "nr_in_place"));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, spinner, 0, 0));
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[0]);
}

/*
 * The same, with a guard that does not wait, and is not granted; then the task
 * is moved. It is parked all the time, and in the end at the door of another
 * cgroup.
 */
FREEZER_TEST(parked_just_now_moved)
{
	struct sched_param other = { 0 }, fifo = { .sched_priority = 1 };
	char from[FRZ_PATH_MAX], to[FRZ_PATH_MAX];
	unsigned long *word = ASSERT_WORDS(1);
	cpu_set_t one, all;
	pid_t spinner;

	ASSERT_EQ(0, frz_create(from, self->cg, "from"));
	ASSERT_EQ(0, frz_create(to, self->cg, "to"));
	ASSERT_FREEZES(to);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	spinner = ASSERT_SPINNER(from, &word[0]);
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &fifo));
	ASSERT_FREEZES(from);
	EXPECT_EQ(-EBUSY, guard_open_flags(from, O_NONBLOCK));
	EXPECT_EQ(1, frz_stat(from, "nr_parked"));
	ASSERT_EQ(0, frz_move_process(to, spinner));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &other));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));

	EXPECT_EQ(0, frz_stat(from, "nr_parked"));
	EXPECT_EQ(1, frz_stat(to, "nr_parked"));
	EXPECT_EQ(0, frz_stat(to, "nr_in_place"));
	EXPECT_STATE(to, "FROZEN");
	ASSERT_THAWS(from);
	EXPECT_STANDS(&word[0]);
	ASSERT_THAWS(to);
	EXPECT_RUNS(&word[0]);
	EXPECT_EQ(0, frz_destroy(from, FRZ_LIMIT));
	EXPECT_EQ(0, frz_destroy(to, FRZ_LIMIT));
}

struct poker {
	pid_t pid;
	unsigned long *word;
	unsigned long pokes;
	unsigned long refused;
	unsigned long bad;
};

static int poke_loop(void *arg)
{
	struct poker *p = arg;
	unsigned long n = 0;
	int status;

	if (ptrace(PTRACE_SEIZE, p->pid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, p->pid, 0, 0) ||
	    waitpid(p->pid, &status, __WALL) != p->pid)
		return 1;
	for (;;) {
		if (!ptrace(PTRACE_POKEDATA, p->pid, p->word, ++n))
			frz_inc(&p->pokes);
		else if (errno == EBUSY)
			frz_inc(&p->refused);
		else
			frz_inc(&p->bad);
	}
	return 0;
}

/*
 * A tracer that writes to a task all the time: while the guard is held the
 * memory does not change, at whichever moment it was taken.
 */
FREEZER_TEST(poked_all_the_time)
{
	struct poker *p = frz_shared(sizeof(*p));
	unsigned long *word = ASSERT_WORDS(2);
	int i, fd;

	ASSERT_NE(NULL, p);
	p->word = &word[1];
	p->pid = ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_PID(frz_spawn(NULL, poke_loop, p));
	ASSERT_EQ(0, frz_wait_word(&p->pokes, 10, FRZ_LIMIT));
	for (i = 0; i < 50; i++) {
		unsigned long before, refused;

		ASSERT_FREEZES(self->cg);
		fd = ASSERT_GUARD(self->cg);
		before = frz_load(&word[1]);
		refused = frz_load(&p->refused);
		ASSERT_EQ(0, frz_wait_word(&p->refused, refused + 2, FRZ_LIMIT));
		EXPECT_EQ(before, frz_load(&word[1])) {
			TH_LOG("round %d", i);
		}
		close(fd);
		ASSERT_EQ(0, frz_wait_move(&p->pokes, FRZ_LIMIT));
		ASSERT_THAWS(self->cg);
	}
	EXPECT_EQ(0, frz_load(&p->bad));
}

/*
 * Signals and kills.
 */

/*
 * A SIGKILL under the guard is for the thaw (C9): nobody leaves, nothing is
 * torn. A SIGUSR1 stays pending.
 */
FREEZER_TEST(killed)
{
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid, list[4];
	int fd;

	pid = ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(self->cg, &word[1]);
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_STANDS(&word[0]);
	EXPECT_EQ(2, frz_list(self->cg, "tasks", list, 4));
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
}

struct split {
	unsigned long ready;
	unsigned long go;
	pid_t tid;
};

static void *split_thread(void *arg)
{
	struct split *s = arg;

	s->tid = gettid();
	frz_store(&s->ready, 1);
	frz_wait_word(&s->go, 1, FRZ_LIMIT);
	execl("/bin/sleep", "sleep", "1000", NULL);
	return NULL;
}

static int split_process(void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, split_thread, arg))
		return 1;
	return frz_sleep(NULL);
}

/*
 * A thread outside of the group executes a program, which kills the rest of its
 * process inside. Under the guard they do not leave: their exec waits for them.
 * Afterwards they do, although the group is still FROZEN.
 *
 *	cg		thread, executes
 *	 `- job		leader, guarded
 */
FREEZER_TEST(killed_by_exec)
{
	struct split *s = frz_shared(sizeof(*s));
	char job[FRZ_PATH_MAX], proc[64];
	pid_t pid, list[4];
	int fd;

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	pid = ASSERT_PID(frz_spawn(job, split_process, s));
	ASSERT_EQ(0, frz_wait_word(&s->ready, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_move_thread(self->cg, s->tid));
	ASSERT_FREEZES(job);
	fd = ASSERT_GUARD(job);
	frz_store(&s->go, 1);
	ASSERT_EQ(0, wait_task_state(s->tid, 'D'));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ('D', frz_task_state(s->tid));
	EXPECT_EQ(1, frz_list(job, "tasks", list, 4));
	EXPECT_EQ(pid, list[0]);
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_STREQ("consistent", guard_verdict(fd));
	EXPECT_EQ(0, not_quiescent(job));
	close(fd);
	EXPECT_BECOMES_FILE(job, "tasks", "");
	EXPECT_STATE(job, "FROZEN");
	snprintf(proc, sizeof(proc), "/proc/%d", pid);
	EXPECT_BECOMES_FILE(proc, "comm", "sleep");
}

/*
 * What stands still.
 */

struct busy_group {
	unsigned long counter;
	unsigned long alarms;
	unsigned long forks;
	int pipe[2];
	int sock[2];
	int file;
};

static struct busy_group *busy_group;

static void on_alarm(int sig)
{
	frz_inc(&busy_group->alarms);
}

static int writer(void *arg)
{
	struct busy_group *g = arg;
	char buf[97] = {};

	for (;;) {
		if (write(g->pipe[1], buf, sizeof(buf)) < 0 ||
		    send(g->sock[1], buf, sizeof(buf), 0) < 0)
			return 1;
		frz_inc(&g->counter);
	}
	return 0;
}

static int reader(void *arg)
{
	struct busy_group *g = arg;
	char buf[61];

	for (;;) {
		if (read(g->pipe[0], buf, sizeof(buf)) < 0 ||
		    recv(g->sock[0], buf, sizeof(buf), 0) < 0 ||
		    write(g->file, buf, sizeof(buf)) < 0)
			return 1;
		lseek(g->file, lseek(g->file, 0, SEEK_CUR) % 65536, SEEK_SET);
	}
	return 0;
}

static int forker(void *arg)
{
	struct itimerval it = {
		.it_value = { .tv_usec = 2000 },
		.it_interval = { .tv_usec = 2000 },
	};
	pid_t pid;

	busy_group = arg;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &it, NULL);
	for (;;) {
		pid = fork();
		if (!pid)
			_exit(0);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		frz_inc(&busy_group->forks);
	}
	return 0;
}

struct picture {
	unsigned long counter;
	unsigned long alarms;
	unsigned long forks;
	int in_pipe;
	int in_socket;
	long offset;
	int nr_tasks;
	pid_t tasks[64];
	char status[64][256];
};

/* The lines of /proc/<tid>/status that tell what a task has done. */
static void read_status(pid_t tid, char *out, size_t size)
{
	char name[64], line[256];
	FILE *f;

	out[0] = 0;
	snprintf(name, sizeof(name), "/proc/%d/status", tid);
	f = fopen(name, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "voluntary_ctxt", 14) ||
		    !strncmp(line, "VmRSS", 5) ||
		    !strncmp(line, "Threads", 7) ||
		    !strncmp(line, "SigPnd", 6) || !strncmp(line, "SigBlk", 6))
			strncat(out, line, size - strlen(out) - 1);
	fclose(f);
}

static void take_picture(struct picture *pic, const char *cg,
			 struct busy_group *g)
{
	int i;

	memset(pic, 0, sizeof(*pic));
	pic->counter = frz_load(&g->counter);
	pic->alarms = frz_load(&g->alarms);
	pic->forks = frz_load(&g->forks);
	ioctl(g->pipe[0], FIONREAD, &pic->in_pipe);
	ioctl(g->sock[0], FIONREAD, &pic->in_socket);
	pic->offset = lseek(g->file, 0, SEEK_CUR);
	pic->nr_tasks = frz_list(cg, "tasks", pic->tasks, 64);
	for (i = 0; i < pic->nr_tasks; i++)
		read_status(pic->tasks[i], pic->status[i],
			    sizeof(pic->status[i]));
}

/*
 * A group that writes and reads pipes, sockets and a file, takes signals of a
 * timer and forks, in thirty checkpoints: two pictures of each show the same
 * memory, the same file offset, as many bytes in the queues, no handler run, the
 * same tasks, and none of them has moved or got a signal of another.
 */
FREEZER_TEST(nothing_moves)
{
	struct busy_group *g = frz_shared(sizeof(*g));
	struct picture *a = frz_shared(2 * sizeof(*a)), *b = a + 1;
	int i, n, fd;

	ASSERT_NE(NULL, g);
	ASSERT_NE(NULL, a);
	ASSERT_EQ(0, pipe(g->pipe));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, g->sock));
	g->file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ASSERT_LE(0, g->file);
	ASSERT_PID(frz_spawn(self->cg, writer, g));
	ASSERT_PID(frz_spawn(self->cg, reader, g));
	ASSERT_PID(frz_spawn(self->cg, forker, g));
	for (i = 0; i < 30; i++) {
		unsigned long forks = frz_load(&g->forks);

		ASSERT_EQ(0, frz_wait_move(&g->counter, FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_word(&g->forks, forks + 1, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		fd = ASSERT_GUARD(self->cg);
		take_picture(a, self->cg, g);
		frz_sleep_ms(5);
		take_picture(b, self->cg, g);
		EXPECT_EQ(a->counter, b->counter);
		EXPECT_EQ(a->alarms, b->alarms);
		EXPECT_EQ(a->forks, b->forks);
		EXPECT_EQ(a->in_pipe, b->in_pipe);
		EXPECT_EQ(a->in_socket, b->in_socket);
		EXPECT_EQ(a->offset, b->offset);
		ASSERT_EQ(a->nr_tasks, b->nr_tasks);
		EXPECT_LE(3, a->nr_tasks);
		for (n = 0; n < a->nr_tasks; n++) {
			EXPECT_EQ(a->tasks[n], b->tasks[n]);
			EXPECT_STREQ(a->status[n], b->status[n]);
		}
		EXPECT_STREQ("consistent", guard_verdict(fd));
		close(fd);
		ASSERT_THAWS(self->cg);
	}
	EXPECT_LT(0, g->alarms);
}

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

/*
 * A suspend that is tested as far as its freezer leaves the guard where it is
 * (C12): nobody runs, nothing is torn.
 */
FREEZER_TEST(suspend)
{
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid;
	int i, fd;

	pid = ASSERT_SLEEPER(self->cg, &word[0]);
	ASSERT_SPINNER(self->cg, &word[1]);
	frz_write("/sys/module/suspend/parameters", "pm_test_delay", "0");
	ASSERT_EQ(0, frz_write("/sys/power", "pm_test", "freezer"));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, frz_write("/sys/power", "state", "freeze"));
		EXPECT_STATE(self->cg, "CHECKPOINTING");
		EXPECT_STANDS(&word[1]);
		EXPECT_EQ(0, not_quiescent(self->cg));
		EXPECT_STREQ("consistent", guard_verdict(fd));
	}
	frz_write("/sys/power", "pm_test", "none");
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[1]);
	EXPECT_EQ(0, wait_task_state(pid, 'S'));
}

TEST_HARNESS_MAIN
