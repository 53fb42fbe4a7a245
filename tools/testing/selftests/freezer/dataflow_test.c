// SPDX-License-Identifier: GPL-2.0
/*
 * Data, connections and messages at the border of a FROZEN cgroup: a task that
 * waits in the same queue outside of it gets what comes, and a task inside stops
 * at its next sleep. The calls one by one are in the table of syscall_test.
 *
 * Clauses: C13, C18.
 */
#include <linux/futex.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "freezer_test.h"
#include "syscalls.h"
#include "uring_util.h"

#define BIG	(1024 * 1024)
#define SMALL	8

#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd	438
#endif

/* What the two sides of a call share. */
struct flow {
	unsigned long ready;
	unsigned long calls;
	int fd[2];		/* [0] is read from, [1] is written to */
	int other;		/* one more, see who uses it */
	int id;			/* a SysV object */
	mqd_t mq;
	char path[64];
	char buf[BIG];
};

struct flow_msg {
	long type;
	char text[SMALL];
};

static int nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK :
				       flags & ~O_NONBLOCK);
}

/* Take what there is, without waiting: how much, or -errno. */
static long drain(int fd)
{
	static char buf[65536];
	long sum = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sum += n;
	if (n < 0 && errno == ENOTSOCK) {
		if (nonblocking(fd, true))
			return -errno;
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			sum += n;
		if (nonblocking(fd, false))
			return -errno;
	}
	return sum;
}

/*
 * Bytes between the two sides. Only TCP has some that were sent and are not
 * there yet. A UNIX socket counts as such the message that its sender has in
 * hand while it waits for room.
 */
static long queued(struct flow *q)
{
	socklen_t len = sizeof(int);
	int in = 0, out = 0;
	int domain;

	if (ioctl(q->fd[0], FIONREAD, &in))
		return -errno;
	if (!getsockopt(q->fd[1], SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	    domain == AF_INET && ioctl(q->fd[1], SIOCOUTQ, &out))
		return -errno;
	return in > out ? in : out;
}

/*
 * Ways to set up
 */

static int with_pipe(struct flow *q)
{
	return pipe2(q->fd, 0);
}

static int with_unix_dgram(struct flow *q)
{
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, q->fd);
}

static void unix_addr(struct flow *q, struct sockaddr_un *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	/* abstract: the first byte is 0 */
	snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1, "%s", q->path);
}

static int inet_socket(int type, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type, 0);

	memset(addr, 0, sizeof(*addr));
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, sizeof(*addr)) ||
	    getsockname(fd, (struct sockaddr *)addr, &len))
		return -1;
	return fd;
}

static int with_tcp_listener(struct flow *q)
{
	struct sockaddr_in addr;

	q->fd[0] = inet_socket(SOCK_STREAM, &addr);
	return q->fd[0] < 0 || listen(q->fd[0], 16);
}

static int inet_connect(struct flow *q)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || getsockname(q->fd[0], (struct sockaddr *)&addr, &len) ||
	    connect(fd, (struct sockaddr *)&addr, len))
		return -1;
	return fd;
}

/* The buffers do not grow: left alone, they may take all that is sent. */
static int with_tcp(struct flow *q)
{
	const int size = BIG / 32;
	int fd;

	/* the connection has it from the listener */
	if (with_tcp_listener(q) ||
	    setsockopt(q->fd[0], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		return -1;
	q->fd[1] = inet_connect(q);
	fd = accept(q->fd[0], NULL, NULL);
	close(q->fd[0]);
	q->fd[0] = fd;
	return q->fd[1] < 0 || fd < 0 ||
	       setsockopt(q->fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int with_udp(struct flow *q)
{
	struct sockaddr_in addr, own;

	q->fd[0] = inet_socket(SOCK_DGRAM, &addr);
	q->fd[1] = inet_socket(SOCK_DGRAM, &own);
	return q->fd[0] < 0 || q->fd[1] < 0 ||
	       connect(q->fd[1], (struct sockaddr *)&addr, sizeof(addr));
}

static int with_unix_listener(struct flow *q)
{
	struct sockaddr_un addr;

	snprintf(q->path, sizeof(q->path), "dataflow.%d", getpid());
	unix_addr(q, &addr);
	q->fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	return q->fd[0] < 0 ||
	       bind(q->fd[0], (struct sockaddr *)&addr, sizeof(addr)) ||
	       listen(q->fd[0], 16);
}

static int unix_connect(struct flow *q)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un addr;

	unix_addr(q, &addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

static int with_msg(struct flow *q)
{
	q->id = msgget(IPC_PRIVATE, 0600);
	return q->id < 0;
}

static int msg_send(struct flow *q, int flags)
{
	struct flow_msg msg = { .type = 1 };

	return msgsnd(q->id, &msg, SMALL, flags);
}

static int with_sem(struct flow *q)
{
	q->id = semget(IPC_PRIVATE, 1, 0600);
	return q->id < 0;
}

static int sem_add(struct flow *q, int value)
{
	struct sembuf op = { .sem_op = value };

	return semop(q->id, &op, 1);
}

static int with_mq(struct flow *q)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = SMALL };

	snprintf(q->path, sizeof(q->path), "/dataflow.%d", getpid());
	mq_unlink(q->path);
	q->mq = mq_open(q->path, O_RDWR | O_CREAT, 0600, &attr);
	mq_unlink(q->path);
	return q->mq < 0;
}

static int with_epoll(struct flow *q)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (pipe2(q->fd, 0))
		return -1;
	q->other = epoll_create1(0);
	return nonblocking(q->fd[0], true) ||
	       epoll_ctl(q->other, EPOLL_CTL_ADD, q->fd[0], &ev);
}

static int with_nonblocking_pipe(struct flow *q)
{
	return pipe2(q->fd, 0) || nonblocking(q->fd[0], true);
}

/*
 * Calls that block; 0: the result was right
 */

static int in_read(struct flow *q)
{
	char buf[SMALL];

	return read(q->fd[0], buf, SMALL) != SMALL;
}

static int in_recv(struct flow *q)
{
	char buf[SMALL];

	return recv(q->fd[0], buf, SMALL, 0) != SMALL;
}

static int in_accept(struct flow *q)
{
	return accept(q->fd[0], NULL, NULL) < 0;
}

static int in_msgrcv(struct flow *q)
{
	struct flow_msg msg;

	return msgrcv(q->id, &msg, SMALL, 0, 0) != SMALL;
}

static int in_semop(struct flow *q)
{
	return sem_add(q, -1);
}

static int in_mq_receive(struct flow *q)
{
	char buf[SMALL];

	return mq_receive(q->mq, buf, SMALL, NULL) != SMALL;
}

/* The accept() of a ring; the first in the queue, it waits for an event. */
static int in_uring_accept(struct flow *q)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_ACCEPT, .fd = q->fd[0] };
	struct ring r;
	int res;

	if (make_ring(&r, 0))
		return 1;
	queue_sqe(&r, &sqe);
	if (enter(&r, 1, 0, 0) != 1)
		return 1;
	while (!take_cqe(&r, &res))
		enter(&r, 0, 1, IORING_ENTER_GETEVENTS);
	return res < 0;
}

/* Somebody else may have been quicker. */
static int wait_and_read(struct flow *q, int ep)
{
	struct epoll_event ev;

	for (;;) {
		if (epoll_wait(ep, &ev, 1, -1) != 1)
			return 1;
		if (!in_read(q))
			return 0;
		if (errno != EAGAIN)
			return 1;
	}
}

static int in_epoll(struct flow *q)
{
	return wait_and_read(q, q->other);
}

static int in_own_epoll(struct flow *q)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int ep = epoll_create1(0);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, q->fd[0], &ev))
		return 1;
	return wait_and_read(q, ep);
}

/*
 * What the other side does, once
 */

static int do_write(struct flow *q)
{
	return write(q->fd[1], q->buf, SMALL) != SMALL;
}

static int do_inet_connect(struct flow *q)
{
	return inet_connect(q) < 0;
}

static int do_unix_connect(struct flow *q)
{
	return unix_connect(q) < 0;
}

/* What was sent before arrives by itself. */
static int do_drain(struct flow *q)
{
	long sum = 0;

	frz_until_busy((sum += drain(q->fd[0]), !queued(q)), FRZ_LIMIT);
	return sum <= 0;
}

static int do_msgsnd(struct flow *q)
{
	return msg_send(q, IPC_NOWAIT);
}

static int do_sem_up(struct flow *q)
{
	return sem_add(q, 1);
}

static int do_mq_send(struct flow *q)
{
	return mq_send(q->mq, q->buf, SMALL, 0);
}

/*
 * What the group has read of that
 */

static long moved_read(struct flow *q)
{
	int in;

	return ioctl(q->fd[0], FIONREAD, &in) ? -errno : SMALL - in;
}

/*
 * Fixtures
 */

static struct flow *flow_new(void)
{
	struct flow *q = frz_shared(sizeof(*q));

	if (q) {
		q->fd[0] = -1;
		q->fd[1] = -1;
		q->other = -1;
		q->id = -1;
		q->mq = -1;
	}
	return q;
}

static void flow_free(struct flow *q)
{
	if (q && q->id >= 0) {
		msgctl(q->id, IPC_RMID, NULL);
		semctl(q->id, 0, IPC_RMID);
	}
	if (q && q->path[0] == '/')
		unlink(q->path);
}

/* A task that makes the call and ends with its verdict. */
struct flow_task {
	struct flow *q;
	int (*call)(struct flow *q);
};

static int make_the_call(void *arg)
{
	struct flow_task *task = arg;

	frz_inc(&task->q->ready);
	return task->call(task->q);
}

static long long times_run(pid_t pid)
{
	return frz_proc_status(pid, "voluntary_ctxt_switches") +
	       frz_proc_status(pid, "nonvoluntary_ctxt_switches");
}

/* In its last sleep, not in one before: it has not run for a while. */
static long long wait_blocked(pid_t pid)
{
	long long before, after = -1;
	int i;

	for (i = 0; i < 100; i++) {
		before = after;
		if (frz_wait_asleep(pid, FRZ_LIMIT))
			return -ETIMEDOUT;
		after = times_run(pid);
		if (before == after && frz_task_state(pid) == 'S')
			return after;
		frz_sleep_ms(2 * FRZ_WATCH);
		frz_settle();
	}
	return -ETIMEDOUT;
}

static pid_t blocked(const char *path, struct flow *q,
		     int (*call)(struct flow *q))
{
	struct flow_task task = { .q = q, .call = call };
	unsigned long ready = frz_load(&q->ready);
	pid_t pid = frz_spawn(path, make_the_call, &task);

	if (pid > 0 && frz_wait_word(&q->ready, ready + 1, FRZ_LIMIT))
		return -ETIMEDOUT;
	if (pid > 0 && wait_blocked(pid) < 0)
		return -ETIMEDOUT;
	return pid;
}

/*
 * A worker of io_uring in a socket: a request that has been polled for often
 * enough, each time with a part of what it is to move, is given to a worker,
 * which waits in the socket.
 */

#define WORKER_RECV	2000
#define WORKER_SEND	(16 * BIG)

FIXTURE(worker) {
	char cg[FRZ_PATH_MAX];
	struct flow *q;
};

FIXTURE_VARIANT(worker) {
	bool sends;
};

FIXTURE_VARIANT_ADD(worker, recv) {};
FIXTURE_VARIANT_ADD(worker, send) { .sends = true };

FIXTURE_SETUP(worker)
{
	FRZ_GROUP_MAKE(self->cg);
	self->q = flow_new();
	ASSERT_NE(NULL, self->q);
	ASSERT_EQ(0, with_tcp(self->q));
}

FIXTURE_TEARDOWN(worker)
{
	FRZ_GROUP_END(self->cg);
}

static int in_uring(struct flow *q, int opcode, int fd, size_t len)
{
	struct io_uring_sqe sqe = { .opcode = opcode, .fd = fd, .len = len };
	char *buf = frz_shared(len);
	struct ring r;
	int res = -1;

	if (!buf || make_ring(&r, 0))
		return 1;
	sqe.addr = (unsigned long)buf;
	sqe.msg_flags = MSG_WAITALL;
	queue_sqe(&r, &sqe);
	if (enter(&r, 1, 1, IORING_ENTER_GETEVENTS) != 1)
		return 2;
	return !take_cqe(&r, &res) || res != (int)len;
}

static int in_uring_recv(struct flow *q)
{
	return in_uring(q, IORING_OP_RECV, q->fd[0], WORKER_RECV);
}

static int in_uring_send(struct flow *q)
{
	return in_uring(q, IORING_OP_SEND, q->fd[1], WORKER_SEND);
}

/* Until a worker has it: a byte at a time, or what the task has sent. */
static int feed_until_worker(struct flow *q, pid_t pid, bool sends)
{
	int i, in, err, threads;

	for (i = 0; i < 1000; i++) {
		if (sends)
			drain(q->fd[0]);
		else if (write(q->fd[1], q->buf, 1) != 1)
			return -errno;
		/* until that is gone, or more has come */
		err = 0;
		frz_until((threads = frz_proc_status(pid, "Threads")) == 2 ||
			  (err = ioctl(q->fd[0], FIONREAD, &in)) ||
			  sends == !!in, FRZ_LIMIT);
		if (threads == 2)
			return 0;
		if (err)
			return -errno;
	}
	return -ETIMEDOUT;
}

/*
 * The task waits for the completion and its worker in a receive or a send, and
 * both are frozen there. While the other side sends or drains nothing moves;
 * after the thaw the request completes in full. A failure means that the worker
 * goes on for a group that is FROZEN.
 */
TEST_F_TIMEOUT(worker, moves_nothing, 90)
{
	struct flow *q = self->q;
	int status, i;
	pid_t pid;

	pid = ASSERT_PID(blocked(self->cg, q, variant->sends ? in_uring_send :
							       in_uring_recv));
	ASSERT_EQ(0, feed_until_worker(q, pid, variant->sends));
	ASSERT_LE(0, wait_blocked(pid));
	frz_settle();
	ASSERT_FREEZES(self->cg);
	EXPECT_STAT(2, self->cg, "nr_in_place");
	EXPECT_STAT(0, self->cg, "nr_asleep");

	EXPECT_EQ(0, variant->sends ? do_drain(q) : do_write(q));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, variant->sends ? queued(q) : moved_read(q));
	EXPECT_STAT(0, self->cg, "cpu_usec_at_rest");
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);

	status = -ETIMEDOUT;
	for (i = 0; i < 2000 && status == -ETIMEDOUT; i++) {
		if (variant->sends)
			drain(q->fd[0]);
		else
			do_write(q);
		status = frz_wait_exit(pid, 10);
	}
	EXPECT_EQ(0, status);
}

FIXTURE(border) {
	char cg[FRZ_PATH_MAX];
	char in[FRZ_PATH_MAX];
	char out[FRZ_PATH_MAX];
	struct flow *q;
};

FIXTURE_VARIANT(border) {
	int (*with)(struct flow *q);
	int (*call)(struct flow *q);
	int (*other)(struct flow *q);
};

#define BORDER(_with, _call, _other) \
	{ .with = _with, .call = _call, .other = _other }

FIXTURE_VARIANT_ADD(border, pipe_read)
	BORDER(with_pipe, in_read, do_write);
FIXTURE_VARIANT_ADD(border, unix_recv_dgram)
	BORDER(with_unix_dgram, in_recv, do_write);
FIXTURE_VARIANT_ADD(border, udp_recv)
	BORDER(with_udp, in_recv, do_write);
FIXTURE_VARIANT_ADD(border, unix_accept)
	BORDER(with_unix_listener, in_accept, do_unix_connect);
FIXTURE_VARIANT_ADD(border, tcp_accept)
	BORDER(with_tcp_listener, in_accept, do_inet_connect);
FIXTURE_VARIANT_ADD(border, uring_accept)
	BORDER(with_unix_listener, in_uring_accept, do_unix_connect);
FIXTURE_VARIANT_ADD(border, epoll)
	BORDER(with_epoll, in_epoll, do_write);
FIXTURE_VARIANT_ADD(border, epoll_exclusive)
	BORDER(with_nonblocking_pipe, in_own_epoll, do_write);
FIXTURE_VARIANT_ADD(border, msgrcv)
	BORDER(with_msg, in_msgrcv, do_msgsnd);
FIXTURE_VARIANT_ADD(border, semop)
	BORDER(with_sem, in_semop, do_sem_up);
FIXTURE_VARIANT_ADD(border, mq_receive)
	BORDER(with_mq, in_mq_receive, do_mq_send);

FIXTURE_SETUP(border)
{
	FRZ_GROUP_MAKE(self->cg);
	ASSERT_EQ(0, frz_create(self->in, self->cg, "in"));
	ASSERT_EQ(0, frz_create(self->out, self->cg, "out"));
	self->q = flow_new();
	ASSERT_NE(NULL, self->q);
	ASSERT_EQ(0, variant->with(self->q));
}

FIXTURE_TEARDOWN(border)
{
	flow_free(self->q);
	FRZ_GROUP_END(self->cg);
}

/*
 * Two tasks wait in one queue, the first one in a frozen cgroup, the second one
 * outside. Data for one waiter goes to the second one at once; the first one
 * has lost nothing: when it is thawed it finds nothing and goes on waiting, and
 * gets what comes next. A failure means that a frozen job keeps connections or
 * messages from a job that runs, or sleeps through its own.
 *
 *	cg
 *	 |- in		frozen
 *	 `- out
 */
TEST_F_TIMEOUT(border, wakes_who_can_run, 90)
{
	struct flow *q = self->q;
	pid_t in, out;

	in = ASSERT_PID(blocked(self->in, q, variant->call));
	out = ASSERT_PID(blocked(self->out, q, variant->call));
	ASSERT_FREEZES(self->in);

	EXPECT_EQ(0, variant->other(q));
	EXPECT_EQ(0, frz_wait_exit(out, FRZ_LIMIT));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(in, 0));
	ASSERT_THAWS(self->in);

	EXPECT_LE(0, wait_blocked(in));
	EXPECT_EQ(0, variant->other(q));
	EXPECT_EQ(0, frz_wait_exit(in, FRZ_LIMIT));
}

/*
 * The same with nobody outside: what came while it was frozen is there for the
 * frozen one at the thaw, both of two.
 */
TEST_F_TIMEOUT(border, keeps_what_came, 90)
{
	struct flow *q = self->q;
	pid_t pid[2];
	int i;

	for (i = 0; i < 2; i++)
		pid[i] = ASSERT_PID(blocked(self->in, q, variant->call));
	ASSERT_FREEZES(self->in);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, variant->other(q));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid[0], 0));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid[1], 0));
	ASSERT_THAWS(self->in);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, frz_wait_exit(pid[i], FRZ_LIMIT));
}

/*
 * C18: the frozen one is killed, and does not wait for the thaw. What came meanwhile it
 * leaves to the one that comes after it.
 */
TEST_F_TIMEOUT(border, left_when_killed, 90)
{
	struct flow_task task = { .q = self->q, .call = variant->call };
	pid_t in, out;

	/* a request of io_uring is done on the way to the signal: section 14 */
	if (variant->call == in_uring_accept)
		return;
	/* in cgroup v2 there is no other way */
	frz_write(self->in, "freezer.killable", "1");
	in = ASSERT_PID(blocked(self->in, self->q, variant->call));
	ASSERT_FREEZES(self->in);
	EXPECT_EQ(0, variant->other(self->q));
	ASSERT_EQ(0, kill(in, SIGKILL));
	EXPECT_EQ(SIGKILL, frz_wait_exit(in, FRZ_LIMIT));
	out = ASSERT_PID(frz_spawn(self->out, make_the_call, &task));
	EXPECT_EQ(0, frz_wait_exit(out, FRZ_LIMIT));
	ASSERT_THAWS(self->in);
}

static int in_wait_for_zero(struct flow *q)
{
	return sem_add(q, 0);
}

/*
 * C13: a task waits until a semaphore is zero, and is frozen. It was zero for a moment,
 * so the task goes on at the thaw, as it would have gone on without a freeze.
 */
FREEZER_TEST(zero_that_has_passed)
{
	struct flow *q = flow_new();
	pid_t pid;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, with_sem(q));
	ASSERT_EQ(0, sem_add(q, 1));
	pid = ASSERT_PID(blocked(self->cg, q, in_wait_for_zero));
	ASSERT_FREEZES(self->cg);
	EXPECT_EQ(0, sem_add(q, -1));
	EXPECT_EQ(0, sem_add(q, 1));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
	flow_free(q);
}

static void handle(int sig)
{
	(void)sig;
}

static void with_handler(void)
{
	struct sigaction act = { .sa_handler = handle };

	sigaction(SIGUSR1, &act, NULL);
}

static int in_msgrcv_handled(struct flow *q)
{
	with_handler();
	return in_msgrcv(q);
}

/* The queue is full; room for one is made by a msgrcv(). */
static int in_msgsnd_handled(struct flow *q)
{
	struct flow_msg msg = { .type = 1 };

	with_handler();
	while (!msgsnd(q->id, &msg, SMALL, IPC_NOWAIT))
		;
	return msgsnd(q->id, &msg, SMALL, 0) ? errno : 0;
}

/*
 * C13: what a task waits for comes while it is frozen, and a signal after that, which it
 * handles. Without a freeze the call is over by then, so at the thaw it succeeds, and is
 * not EINTR.
 */
FREEZER_TEST(data_before_a_signal)
{
	static int (* const calls[])(struct flow *) = {
		in_msgrcv_handled, in_msgsnd_handled,
	};
	static int (* const others[])(struct flow *) = { do_msgsnd, in_msgrcv };
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		struct flow *q = flow_new();

		ASSERT_NE(NULL, q);
		ASSERT_EQ(0, with_msg(q));
		pid = ASSERT_PID(blocked(self->cg, q, calls[i]));
		ASSERT_FREEZES(self->cg);
		EXPECT_EQ(0, others[i](q));
		EXPECT_EQ(0, kill(pid, SIGUSR1));
		ASSERT_THAWS(self->cg);
		EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
		flow_free(q);
	}
}

/*
 * mq_notify() tells of a message that nobody waits for. A frozen receiver waits for it,
 * so the registration of a process outside stays, as it does without a freeze.
 */
FREEZER_TEST(a_frozen_receiver_is_no_notification)
{
	struct flow *q = flow_new();
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
	};
	struct timespec at_once = {};
	sigset_t set;
	pid_t pid;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, with_mq(q));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	pid = ASSERT_PID(blocked(self->cg, q, in_mq_receive));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, mq_notify(q->mq, &event));
	ASSERT_EQ(0, do_mq_send(q));
	EXPECT_EQ(-1, sigtimedwait(&set, NULL, &at_once));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
	/* and is there when nobody waits */
	ASSERT_EQ(0, do_mq_send(q));
	EXPECT_EQ(SIGUSR1, sigtimedwait(&set, NULL, &at_once));
	flow_free(q);
}

static int wait_futex(void *arg)
{
	struct flow *q = arg;

	frz_inc(&q->ready);
	return syscall(SYS_futex, &q->id, FUTEX_WAIT, -1, NULL, NULL, 0);
}

/*
 * A futex is the exception: FUTEX_WAKE chooses the first waiter, counts it, and
 * the wake-up is kept for that one until the thaw. A failure means that a lock
 * is handed to two owners, or that the wake-up of a frozen one is lost (C13).
 */
FREEZER_TEST(a_futex_wakeup_is_kept)
{
	struct flow *q = flow_new();
	char in[FRZ_PATH_MAX];
	pid_t pid[2];
	int i;

	ASSERT_NE(NULL, q);
	ASSERT_EQ(0, frz_create(in, self->cg, "in"));
	for (i = 0; i < 2; i++) {
		pid[i] = ASSERT_PID(frz_spawn(i ? self->cg : in, wait_futex, q));
		ASSERT_EQ(0, frz_wait_word(&q->ready, i + 1, FRZ_LIMIT));
		ASSERT_LE(0, wait_blocked(pid[i]));
	}
	ASSERT_FREEZES(in);
	EXPECT_EQ(1, syscall(SYS_futex, &q->id, FUTEX_WAKE, 1, NULL, NULL, 0));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid[0], 0));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid[1], 0));
	ASSERT_THAWS(in);
	EXPECT_EQ(0, frz_wait_exit(pid[0], FRZ_LIMIT));
	EXPECT_EQ(1, syscall(SYS_futex, &q->id, FUTEX_WAKE, 1, NULL, NULL, 0));
	EXPECT_EQ(0, frz_wait_exit(pid[1], FRZ_LIMIT));
}

/*
 * Calls with more than one sleep
 */

struct faulting {
	struct flow q;
	int uffd;
	char *page;
};

/* write() of a buffer whose first page waits for us. */
static int fault_and_write(void *arg)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct faulting *f = arg;
	ssize_t n;

	f->page = mmap(NULL, BIG, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	f->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	reg.range.start = (unsigned long)f->page;
	reg.range.len = getpagesize();
	if (f->page == MAP_FAILED || f->uffd < 0 ||
	    ioctl(f->uffd, UFFDIO_API, &api) ||
	    ioctl(f->uffd, UFFDIO_REGISTER, &reg))
		return 1;
	memset(f->page + getpagesize(), 1, BIG - getpagesize());
	frz_inc(&f->q.ready);
	n = write(f->q.fd[1], f->page, BIG);
	return n != BIG;
}

/*
 * A task that is FROZEN asleep, here in a page fault, wakes and goes on in the
 * kernel. It writes to a pipe until that is full, and there it stops (C18): it
 * does not send more when the pipe is drained. A failure means that one call goes on
 * for as long as the other side feeds it.
 */
FREEZER_TEST(stops_at_the_next_sleep)
{
	struct faulting *f = frz_shared(sizeof(*f));
	struct uffdio_copy copy = {};
	long sum = 0;
	int pidfd, uffd, i, status = -ETIMEDOUT;
	pid_t pid;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(0, pipe2(f->q.fd, 0));
	pid = ASSERT_PID(frz_spawn(self->cg, fault_and_write, f));
	ASSERT_EQ(0, frz_wait_word(&f->q.ready, 1, FRZ_LIMIT));
	ASSERT_LE(0, wait_blocked(pid));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	uffd = syscall(SYS_pidfd_getfd, pidfd, f->uffd, 0);
	ASSERT_LE(0, uffd);

	ASSERT_FREEZES(self->cg);
	EXPECT_STAT(1, self->cg, "nr_asleep");
	EXPECT_STAT(0, self->cg, "cpu_usec_at_rest");
	copy.dst = (unsigned long)f->page;
	copy.src = (unsigned long)f->q.buf;
	copy.len = getpagesize();
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_COPY, &copy));
	EXPECT_TRUE(frz_until(frz_stat(self->cg, "nr_in_place") == 1, FRZ_LIMIT));
	EXPECT_STAT(0, self->cg, "nr_asleep");
	EXPECT_LT(0, frz_stat(self->cg, "cpu_usec_at_rest"));
	EXPECT_STATE(self->cg, "FROZEN");

	/* one pipe full, and no more */
	EXPECT_LT(0, (sum = drain(f->q.fd[0])));
	EXPECT_GT(BIG, sum);
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, queued(&f->q));
	ASSERT_THAWS(self->cg);
	for (i = 0; i < 1000 && status == -ETIMEDOUT; i++) {
		sum += drain(f->q.fd[0]);
		status = frz_wait_exit(pid, 20);
	}
	sum += drain(f->q.fd[0]);
	EXPECT_EQ(0, status);
	EXPECT_EQ(BIG, sum);
}

#define TTY_WRITE	16384

static int write_tty(void *arg)
{
	struct flow *q = arg;

	for (;;) {
		frz_inc(&q->calls);
		if (write(q->fd[1], q->buf, TTY_WRITE) != TTY_WRITE)
			return 1;
	}
}

/*
 * A sleep that cannot be frozen in place: a task that writes to a terminal,
 * which has a lock there. Its call ends when somebody reads the other side, and
 * that is all: no second call, and freezer.stat tells that there is one such
 * task and that it has used CPU time. A failure means that a group that is
 * FROZEN goes on working, or that nobody can know of the rest of its work.
 */
FREEZER_TEST(a_call_in_hand_ends)
{
	struct flow *q = flow_new();
	unsigned long calls;
	long sum = 0;
	char name[64];
	pid_t pid;
	int i, n;

	ASSERT_NE(NULL, q);
	q->fd[0] = posix_openpt(O_RDWR | O_NOCTTY);
	ASSERT_LE(0, q->fd[0]);
	ASSERT_EQ(0, unlockpt(q->fd[0]));
	ASSERT_EQ(0, ptsname_r(q->fd[0], name, sizeof(name)));
	q->fd[1] = open(name, O_RDWR | O_NOCTTY);
	ASSERT_LE(0, q->fd[1]);
	pid = ASSERT_PID(frz_spawn(self->cg, write_tty, q));
	ASSERT_EQ(0, frz_wait_word(&q->calls, 1, FRZ_LIMIT));
	ASSERT_LE(0, wait_blocked(pid));

	ASSERT_FREEZES(self->cg);
	calls = frz_load(&q->calls);
	EXPECT_STAT(1, self->cg, "nr_asleep");
	/* until it is parked, or has made more than the one call */
	EXPECT_TRUE(frz_until((sum += drain(q->fd[0]), sum > 4 * TTY_WRITE ||
			       frz_stat(self->cg, "nr_parked") == 1), FRZ_LIMIT));
	/* until nothing has come for a while */
	for (i = 0; i < 10; i++) {
		n = drain(q->fd[0]);
		sum += n;
		if (n)
			i = 0;
		if (sum > 4 * TTY_WRITE)
			break;
		frz_sleep_ms(FRZ_WATCH);
	}
	EXPECT_EQ(calls, frz_load(&q->calls));
	/* what the terminal had in its buffer was sent before */
	EXPECT_LT(0, sum);
	EXPECT_GE(2 * TTY_WRITE, sum);
	EXPECT_LT(0, frz_stat(self->cg, "cpu_usec_at_rest"));
	EXPECT_EQ(1, frz_stat(self->cg, "nr_parked"));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&q->calls, calls + 1, FRZ_LIMIT));
}

TEST_HARNESS_MAIN
