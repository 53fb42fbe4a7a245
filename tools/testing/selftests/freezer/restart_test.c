// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls across a freeze: the same result, the same
 * deadline, no EINTR, no lost wake-up.
 *
 * Clauses: C9, C13.
 */
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "freezer_test.h"

/* One call: what it needs, what it gave. In shared memory. */
struct call {
	int fd[2];
	int aux;
	int id;
	int futex;
	pid_t pid;
	unsigned long begun;
	unsigned long done;
	long ret;
	long err;
	long long begin_ns;
	long long end_ns;
	char name[64];
};

struct kind {
	const char *name;
	int (*prepare)(struct call *c);
	/* The call: what it returned, errno set. */
	long (*block)(struct call *c, const struct timespec *timeout);
	/* What ends it, from outside. */
	int (*trigger)(struct call *c);
	void (*cleanup)(struct call *c);
	long ret;
	/* The end by timeout, if there is one: -errno or the value. */
	bool timed;
	long timed_out;
};

static int make_pipe(struct call *c)
{
	return pipe(c->fd);
}

static int write_byte(struct call *c)
{
	return write(c->fd[1], "x", 1) == 1 ? 0 : -1;
}

static long block_read(struct call *c, const struct timespec *ts)
{
	char buf[16];

	return read(c->fd[0], buf, sizeof(buf));
}

static int make_full_pipe(struct call *c)
{
	char page[4096] = {};

	if (pipe2(c->fd, O_NONBLOCK))
		return -1;
	while (write(c->fd[1], page, sizeof(page)) > 0)
		;
	return fcntl(c->fd[1], F_SETFL, 0);
}

static long block_write(struct call *c, const struct timespec *ts)
{
	char page[4096] = {};

	return write(c->fd[1], page, sizeof(page));
}

static int drain(struct call *c)
{
	char buf[8192];
	int i;

	for (i = 0; i < 2; i++)
		if (read(c->fd[0], buf, sizeof(buf)) <= 0)
			return -1;
	return 0;
}

static long block_poll(struct call *c, const struct timespec *ts)
{
	struct pollfd pfd = { .fd = c->fd[0], .events = POLLIN };

	return poll(&pfd, 1, ts ? ts->tv_sec * 1000 : -1);
}

static long block_ppoll(struct call *c, const struct timespec *ts)
{
	struct pollfd pfd = { .fd = c->fd[0], .events = POLLIN };
	sigset_t mask;

	sigemptyset(&mask);
	return ppoll(&pfd, 1, ts, &mask);
}

static long block_select(struct call *c, const struct timespec *ts)
{
	struct timeval tv = { .tv_sec = ts ? ts->tv_sec : 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(c->fd[0], &set);
	return select(c->fd[0] + 1, &set, NULL, NULL, ts ? &tv : NULL);
}

static int make_epoll(struct call *c)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (pipe(c->fd))
		return -1;
	c->aux = epoll_create1(0);
	return epoll_ctl(c->aux, EPOLL_CTL_ADD, c->fd[0], &ev);
}

static long block_epoll(struct call *c, const struct timespec *ts)
{
	struct epoll_event ev;

	return epoll_wait(c->aux, &ev, 1, ts ? ts->tv_sec * 1000 : -1);
}

static int make_eventfd(struct call *c)
{
	c->fd[0] = eventfd(0, 0);
	return c->fd[0] < 0 ? -1 : 0;
}

static int signal_eventfd(struct call *c)
{
	unsigned long long one = 1;

	return write(c->fd[0], &one, 8) == 8 ? 0 : -1;
}

static int make_sockets(struct call *c)
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, c->fd);
}

static long block_recv(struct call *c, const struct timespec *ts)
{
	char buf[16];

	return recv(c->fd[0], buf, sizeof(buf), 0);
}

/* With a timeout such a call is not restarted after a signal, but EINTR. */
static long block_recv_timeo(struct call *c, const struct timespec *ts)
{
	struct timeval tv = { .tv_sec = ts ? ts->tv_sec : 3600 };
	char buf[16];

	setsockopt(c->fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return recv(c->fd[0], buf, sizeof(buf), 0);
}

static int make_listener(struct call *c)
{
	struct sockaddr addr = { .sa_family = AF_UNIX };
	socklen_t len = sizeof(addr);

	/* Autobind: an abstract name that nobody else has. */
	c->fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(c->fd[0], &addr, sizeof(sa_family_t)) ||
	       listen(c->fd[0], 1) ||
	       getsockname(c->fd[0], &addr, &len) ? -1 : 0;
}

static long block_accept(struct call *c, const struct timespec *ts)
{
	return accept(c->fd[0], NULL, NULL) >= 0 ? 1 : -1;
}

static int do_connect(struct call *c)
{
	struct sockaddr addr;
	socklen_t len = sizeof(addr);

	c->fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	return getsockname(c->fd[0], &addr, &len) ||
	       connect(c->fd[1], &addr, len) ? -1 : 0;
}

static int make_inotify(struct call *c)
{
	snprintf(c->name, sizeof(c->name), "/tmp/freezer_selftest.%d",
		 getpid());
	c->aux = open(c->name, O_CREAT | O_RDWR, 0600);
	c->fd[0] = inotify_init1(0);
	return c->aux < 0 ||
	       inotify_add_watch(c->fd[0], c->name, IN_MODIFY) < 0 ? -1 : 0;
}

static long block_inotify(struct call *c, const struct timespec *ts)
{
	char buf[4096];

	return read(c->fd[0], buf, sizeof(buf)) > 0 ? 1 : -1;
}

static int modify_file(struct call *c)
{
	return write(c->aux, "x", 1) == 1 ? 0 : -1;
}

static void remove_file(struct call *c)
{
	unlink(c->name);
}

static int make_flock(struct call *c)
{
	if (make_inotify(c))
		return -1;
	return flock(c->aux, LOCK_EX);
}

static long block_flock(struct call *c, const struct timespec *ts)
{
	return flock(open(c->name, O_RDWR), LOCK_EX);
}

static int unlock_file(struct call *c)
{
	return flock(c->aux, LOCK_UN);
}

static long block_futex(struct call *c, const struct timespec *ts)
{
	return syscall(SYS_futex, &c->futex, FUTEX_WAIT, 0, ts, NULL, 0);
}

static int wake_futex(struct call *c)
{
	return syscall(SYS_futex, &c->futex, FUTEX_WAKE, 1, NULL, NULL, 0) == 1
	       ? 0 : -1;
}

static int make_nothing(struct call *c)
{
	return 0;
}

static int make_sem(struct call *c)
{
	c->id = semget(IPC_PRIVATE, 1, 0600);
	return c->id < 0 ? -1 : 0;
}

static long block_sem(struct call *c, const struct timespec *ts)
{
	struct sembuf op = { .sem_op = -1 };

	return semtimedop(c->id, &op, 1, ts);
}

static int post_sem(struct call *c)
{
	struct sembuf op = { .sem_op = 1 };

	return semop(c->id, &op, 1);
}

static void remove_sem(struct call *c)
{
	semctl(c->id, 0, IPC_RMID);
}

struct message {
	long type;
	char text[8];
};

static int make_msg(struct call *c)
{
	c->id = msgget(IPC_PRIVATE, 0600);
	return c->id < 0 ? -1 : 0;
}

static long block_msg(struct call *c, const struct timespec *ts)
{
	struct message m;

	return msgrcv(c->id, &m, sizeof(m.text), 0, 0);
}

static int send_msg(struct call *c)
{
	struct message m = { .type = 1, .text = "x" };

	return msgsnd(c->id, &m, 1, 0);
}

static void remove_msg(struct call *c)
{
	msgctl(c->id, IPC_RMID, NULL);
}

static int make_mq(struct call *c)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };

	snprintf(c->name, sizeof(c->name), "/freezer_selftest.%d", getpid());
	c->fd[0] = mq_open(c->name, O_CREAT | O_RDWR, 0600, &attr);
	if (c->fd[0] >= 0)
		mq_unlink(c->name);
	return c->fd[0] < 0 ? -1 : 0;
}

static long block_mq(struct call *c, const struct timespec *ts)
{
	struct timespec until;
	char buf[8];

	if (!ts)
		return mq_receive(c->fd[0], buf, sizeof(buf), NULL);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ts->tv_sec;
	return mq_timedreceive(c->fd[0], buf, sizeof(buf), NULL, &until);
}

static int send_mq(struct call *c)
{
	return mq_send(c->fd[0], "x", 1, 0);
}

static void block_usr1(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int make_sigwait(struct call *c)
{
	block_usr1();
	return 0;
}

static long block_sigwait(struct call *c, const struct timespec *ts)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return sigtimedwait(&set, NULL, ts);
}

static int send_usr1(struct call *c)
{
	return kill(c->pid, SIGUSR1);
}

static long block_signalfd(struct call *c, const struct timespec *ts)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fd = signalfd(-1, &set, 0);
	return read(fd, &info, sizeof(info)) == sizeof(info) ? 1 : -1;
}

static void ignore_handler(int sig)
{
}

/* A call that a signal ends with EINTR: by a real one it must. */
static long block_suspend(struct call *c, const struct timespec *ts)
{
	struct sigaction sa = { .sa_handler = ignore_handler };
	sigset_t none;

	sigemptyset(&none);
	sigaction(SIGUSR1, &sa, NULL);
	return sigsuspend(&none) == -1 && errno == EINTR ? 1 : -1;
}

static long block_getevents(struct call *c, const struct timespec *ts)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = c->fd[0],
		.aio_buf = POLLIN,
	}, *list[1] = { &cb };
	aio_context_t ctx = 0;
	struct io_event ev;

	if (syscall(SYS_io_setup, 1, &ctx) ||
	    syscall(SYS_io_submit, ctx, 1, list) != 1)
		return -1;
	return syscall(SYS_io_getevents, ctx, 1, 1, &ev, ts);
}

static long block_nanosleep(struct call *c, const struct timespec *ts)
{
	return nanosleep(ts, NULL);
}

static long block_nanosleep_abs(struct call *c, const struct timespec *ts)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ts->tv_sec;
	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static int make_timerfd(struct call *c)
{
	c->fd[0] = timerfd_create(CLOCK_MONOTONIC, 0);
	return c->fd[0] < 0 ? -1 : 0;
}

static long block_timerfd(struct call *c, const struct timespec *ts)
{
	struct itimerspec its = { .it_value = *ts };
	unsigned long long num;

	timerfd_settime(c->fd[0], 0, &its, NULL);
	return read(c->fd[0], &num, 8) == 8 ? num : -1;
}

static const struct kind kinds[] = {
	{ "read", make_pipe, block_read, write_byte, NULL, 1 },
	{ "write", make_full_pipe, block_write, drain, NULL, 4096 },
	{ "poll", make_pipe, block_poll, write_byte, NULL, 1, true, 0 },
	{ "ppoll", make_pipe, block_ppoll, write_byte, NULL, 1, true, 0 },
	{ "select", make_pipe, block_select, write_byte, NULL, 1, true, 0 },
	{ "epoll", make_epoll, block_epoll, write_byte, NULL, 1, true, 0 },
	{ "eventfd", make_eventfd, block_read, signal_eventfd, NULL, 8 },
	{ "recv", make_sockets, block_recv, write_byte, NULL, 1 },
	{ "recv_timeo", make_sockets, block_recv_timeo, write_byte, NULL, 1,
	  true, -EAGAIN },
	{ "accept", make_listener, block_accept, do_connect, NULL, 1 },
	{ "inotify", make_inotify, block_inotify, modify_file, remove_file, 1 },
	{ "flock", make_flock, block_flock, unlock_file, remove_file, 0 },
	{ "futex", make_nothing, block_futex, wake_futex, NULL, 0,
	  true, -ETIMEDOUT },
	{ "semop", make_sem, block_sem, post_sem, remove_sem, 0,
	  true, -EAGAIN },
	{ "msgrcv", make_msg, block_msg, send_msg, remove_msg, 1 },
	{ "mq_receive", make_mq, block_mq, send_mq, NULL, 1, true, -ETIMEDOUT },
	{ "sigtimedwait", make_sigwait, block_sigwait, send_usr1, NULL, SIGUSR1,
	  true, -EAGAIN },
	{ "signalfd", make_sigwait, block_signalfd, send_usr1, NULL, 1 },
	{ "sigsuspend", make_sigwait, block_suspend, send_usr1, NULL, 1 },
	{ "io_getevents", make_pipe, block_getevents, write_byte, NULL, 1,
	  true, 0 },
	{ "nanosleep", make_nothing, block_nanosleep, NULL, NULL, 0, true, 0 },
	{ "clock_nanosleep", make_nothing, block_nanosleep_abs, NULL, NULL, 0,
	  true, 0 },
	{ "timerfd", make_timerfd, block_timerfd, NULL, NULL, 0, true, 1 },
};

#define NR_KINDS ((int)(sizeof(kinds) / sizeof((kinds)[0])))

struct body {
	const struct kind *kind;
	struct call *call;
	const struct timespec *timeout;
};

static int call_fn(void *arg)
{
	struct body *b = arg;
	struct call *c = b->call;

	frz_inc(&c->begun);
	c->begin_ns = frz_now_ns();
	errno = 0;
	c->ret = b->kind->block(c, b->timeout);
	c->end_ns = frz_now_ns();
	c->err = errno;
	frz_inc(&c->done);
	return frz_sleep(NULL);
}

/* Start @kind in @path, asleep in its call: pid or -errno. */
static pid_t start(const char *path, const struct kind *kind, struct call *c,
		   const struct timespec *timeout)
{
	struct body b = { .kind = kind, .call = c, .timeout = timeout };
	int err;

	if (kind->prepare(c))
		return -errno;
	c->pid = frz_spawn(path, call_fn, &b);
	if (c->pid < 0)
		return c->pid;
	err = frz_wait_word(&c->begun, 1, FRZ_LIMIT);
	if (!err)
		err = frz_wait_asleep(c->pid, FRZ_LIMIT);
	/* Not in a sleep on the way to it. */
	frz_sleep_ms(5);
	if (!err)
		err = frz_wait_asleep(c->pid, FRZ_LIMIT);
	return err ? err : c->pid;
}

/* The value, or -errno. */
static long outcome(const struct call *c)
{
	return c->ret == -1 ? -c->err : c->ret;
}

/*
 * All calls that wait for an event, each in a cgroup of its own:
 *
 *	cg
 *	 |- read
 *	 |- write
 *	 `- ...
 *
 * Three freezes and thaws without the event: none of the calls ends. A call
 * that does (EINTR, a short result) has noticed the freeze (C13). Then a freeze
 * in which the event comes: no call ends before the thaw, and the state stays
 * FROZEN or becomes so again; after the thaw each ends with its usual result.
 */
FREEZER_TEST(event_calls)
{
	struct call *calls = frz_shared(NR_KINDS * sizeof(*calls));
	char path[NR_KINDS][FRZ_PATH_MAX];
	int i, k;

	ASSERT_NE(NULL, calls);
	for (k = 0; k < NR_KINDS; k++) {
		if (!kinds[k].trigger)
			continue;
		ASSERT_EQ(0, frz_create(path[k], self->cg, kinds[k].name));
		ASSERT_LT(0, start(path[k], &kinds[k], &calls[k], NULL)) {
			TH_LOG("%s", kinds[k].name);
		}
	}
	for (i = 0; i < 3; i++) {
		for (k = 0; k < NR_KINDS; k++) {
			if (!kinds[k].trigger)
				continue;
			EXPECT_STREQ("", frz_freezes(path[k])) {
				TH_LOG("%s is not FROZEN", kinds[k].name);
			}
			EXPECT_EQ(0, frz_thaw(path[k]));
		}
		frz_sleep_ms(FRZ_WATCH);
		for (k = 0; k < NR_KINDS; k++) {
			EXPECT_EQ(0, frz_load(&calls[k].done)) {
				TH_LOG("%s ended without an event: %ld %s",
				       kinds[k].name, calls[k].ret,
				       strerror(calls[k].err));
			}
		}
	}

	EXPECT_STREQ("", frz_freezes(self->cg));
	for (k = 0; k < NR_KINDS; k++) {
		if (!kinds[k].trigger || frz_load(&calls[k].done))
			continue;
		EXPECT_EQ(0, kinds[k].trigger(&calls[k])) {
			TH_LOG("trigger of %s: %s", kinds[k].name,
			       strerror(errno));
		}
	}
	EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_FREEZE));
	frz_sleep_ms(FRZ_WATCH);
	for (k = 0; k < NR_KINDS; k++) {
		EXPECT_EQ(0, frz_load(&calls[k].done)) {
			TH_LOG("%s came out while FROZEN", kinds[k].name);
		}
	}
	ASSERT_THAWS(self->cg);
	for (k = 0; k < NR_KINDS; k++) {
		if (!kinds[k].trigger)
			continue;
		EXPECT_EQ(0, frz_wait_word(&calls[k].done, 1, FRZ_LIMIT)) {
			TH_LOG("%s lost its wake-up", kinds[k].name);
			continue;
		}
		EXPECT_EQ(kinds[k].ret, outcome(&calls[k])) {
			TH_LOG("result of %s", kinds[k].name);
		}
	}
	for (k = 0; k < NR_KINDS; k++)
		if (kinds[k].cleanup)
			kinds[k].cleanup(&calls[k]);
}

/*
 * All calls with a timeout of three seconds, in one cgroup. With the deadline
 * inside of the freeze they end at the thaw, as timed out, and not a new
 * timeout later; with freezes and thaws before the deadline they end not before
 * it. None of them ends with EINTR.
 */
static void timed_calls(struct __test_metadata *_metadata, const char *cg,
			bool frozen_at_deadline)
{
	struct call *calls = frz_shared(NR_KINDS * sizeof(*calls));
	const struct timespec timeout = { .tv_sec = 3 };
	long long thaw_ns, last = 0;
	int i, k;

	ASSERT_NE(NULL, calls);
	for (k = 0; k < NR_KINDS; k++) {
		if (!kinds[k].timed)
			continue;
		ASSERT_LT(0, start(cg, &kinds[k], &calls[k], &timeout)) {
			TH_LOG("%s", kinds[k].name);
		}
		last = calls[k].begin_ns;
	}
	for (i = 0; i < 5 && !frozen_at_deadline; i++) {
		EXPECT_STREQ("", frz_freezes(cg));
		frz_sleep_ms(10);
		EXPECT_EQ(0, frz_thaw(cg));
		frz_sleep_ms(10);
	}
	if (frozen_at_deadline) {
		EXPECT_STREQ("", frz_freezes(cg));
		while (frz_now_ns() < last + timeout.tv_sec * 1000000000LL)
			frz_sleep_ms(10);
		frz_sleep_ms(100);
		EXPECT_STATE(cg, "FROZEN");
		for (k = 0; k < NR_KINDS; k++) {
			EXPECT_EQ(0, frz_load(&calls[k].done)) {
				TH_LOG("%s came out", kinds[k].name);
			}
		}
		EXPECT_EQ(0, frz_thaw(cg));
	}
	thaw_ns = frz_now_ns();
	for (k = 0; k < NR_KINDS; k++) {
		struct call *c = &calls[k];

		if (!kinds[k].timed)
			continue;
		EXPECT_EQ(0, frz_wait_word(&c->done, 1, FRZ_LIMIT)) {
			TH_LOG("%s hangs", kinds[k].name);
			continue;
		}
		EXPECT_EQ(kinds[k].timed_out, outcome(c)) {
			TH_LOG("result of %s", kinds[k].name);
		}
		/* poll() counts milliseconds of its own clock: 1% of slack. */
		EXPECT_LE(timeout.tv_sec * 990000000LL,
			  c->end_ns - c->begin_ns) {
			TH_LOG("%s was shortened", kinds[k].name);
		}
		if (!frozen_at_deadline)
			continue;
		EXPECT_GT(timeout.tv_sec * 990000000LL, c->end_ns - thaw_ns) {
			TH_LOG("%s began again", kinds[k].name);
		}
	}
	for (k = 0; k < NR_KINDS; k++)
		if (kinds[k].cleanup && kinds[k].timed)
			kinds[k].cleanup(&calls[k]);
}

FREEZER_TEST(deadline_while_frozen)
{
	timed_calls(_metadata, self->cg, true);
}

FREEZER_TEST(deadline_after_thaw)
{
	timed_calls(_metadata, self->cg, false);
}

/*
 * A nanosleep() that was interrupted by a stop goes on with what is left of it
 * (the restart block), also when it was frozen in between and when the SIGCONT
 * came while it was frozen.
 */
FREEZER_TEST(restart_block)
{
	const struct kind kind = { "nanosleep", make_nothing, block_nanosleep };
	const struct timespec timeout = { .tv_sec = 2 };
	struct call *c = frz_shared(sizeof(*c));
	pid_t pid;
	int status;

	ASSERT_NE(NULL, c);
	pid = start(self->cg, &kind, c, &timeout);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, frz_load(&c->done));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&c->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, outcome(c));
	EXPECT_LE(2000000000LL, c->end_ns - c->begin_ns);
}

static unsigned long *handled;

static void count_signal(int sig)
{
	frz_inc(handled);
}

static int sleep_with_handler(void *arg)
{
	struct sigaction sa = { .sa_handler = count_signal };
	unsigned long *word = arg;

	handled = &word[1];
	sigaction(SIGUSR1, &sa, NULL);
	return frz_sleep(&word[0]);
}

static int spin_with_handler(void *arg)
{
	struct sigaction sa = { .sa_handler = count_signal };
	unsigned long *word = arg;

	handled = &word[1];
	sigaction(SIGUSR1, &sa, NULL);
	return frz_spin(&word[0]);
}

/*
 * A signal for a frozen task is queued (C9): its handler runs after the thaw,
 * once per freeze, for a sleeper and for a task parked at the door.
 */
FREEZER_TEST(signal_waits_for_thaw)
{
	unsigned long *word = ASSERT_WORDS(4);
	pid_t pid[2];
	int i, k;

	pid[0] = ASSERT_PID(frz_spawn(self->cg, sleep_with_handler, &word[0]));
	pid[1] = ASSERT_PID(frz_spawn(self->cg, spin_with_handler, &word[2]));
	for (k = 0; k < 2; k++)
		ASSERT_EQ(0, frz_wait_word(&word[2 * k], 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid[0], FRZ_LIMIT));
	for (i = 1; i <= 10; i++) {
		ASSERT_FREEZES(self->cg);
		for (k = 0; k < 2; k++)
			ASSERT_EQ(0, kill(pid[k], SIGUSR1));
		ASSERT_BECOMES(self->cg, "FROZEN");
		frz_sleep_ms(5);
		for (k = 0; k < 2; k++)
			ASSERT_EQ(i - 1, frz_load(&word[2 * k + 1]));
		ASSERT_THAWS(self->cg);
		for (k = 0; k < 2; k++)
			ASSERT_EQ(0, frz_wait_word(&word[2 * k + 1], i,
						   FRZ_LIMIT));
	}
	EXPECT_EQ(10, frz_load(&word[1]));
	EXPECT_EQ(10, frz_load(&word[3]));
}

struct turns {
	unsigned long spin;
	unsigned long go;
	unsigned long entered;
	unsigned long done;
	unsigned long eintr;
	int fd[2];
};

/* Spin until told, then wait in a call that any stray signal would end. */
static int spin_then_wait(void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	struct turns *t = arg;
	unsigned long turn;
	char c;

	if (epoll_ctl(ep, EPOLL_CTL_ADD, t->fd[0], &ev))
		return 1;
	for (turn = 1;; turn++) {
		while (frz_load(&t->go) < turn)
			frz_inc(&t->spin);
		frz_inc(&t->entered);
		if (epoll_wait(ep, &ev, 1, -1) != 1)
			frz_inc(&t->eintr);
		if (read(t->fd[0], &c, 1) != 1)
			frz_inc(&t->eintr);
		frz_inc(&t->done);
	}
	return 0;
}

/*
 * After a thaw nothing is left that looks like a signal: a task that was frozen
 * in user mode goes into epoll_wait(), which a stale TIF_SIGPENDING would end
 * with EINTR. Thirty times.
 */
FREEZER_TEST(no_stale_sigpending)
{
	struct turns *t = frz_shared(sizeof(*t));
	int i;

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, pipe(t->fd));
	ASSERT_PID(frz_spawn(self->cg, spin_then_wait, t));
	for (i = 1; i <= 30; i++) {
		ASSERT_EQ(0, frz_wait_move(&t->spin, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		frz_store(&t->go, i);
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_word(&t->entered, i, FRZ_LIMIT));
		frz_sleep_ms(2);
		ASSERT_EQ(1, write(t->fd[1], "x", 1));
		ASSERT_EQ(0, frz_wait_word(&t->done, i, FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_load(&t->eintr));
}

#if defined(__x86_64__) && defined(__GLIBC__) && \
	(__GLIBC__ > 2 || __GLIBC_MINOR__ >= 35)
#include <sys/rseq.h>

struct cs_words {
	unsigned long spin;
	unsigned long aborts;
};

/*
 * A restartable sequence that never ends by itself: only its abort leaves it,
 * counts, and begins again.
 */
static int endless_rseq(void *arg)
{
	struct rseq *rs = (void *)((char *)__builtin_thread_pointer() +
				   __rseq_offset);
	struct cs_words *w = arg;

	if (!__rseq_size)
		return 1;
	for (;;) {
		asm volatile(".pushsection __rseq_cs, \"aw\"\n\t"
			     ".balign 32\n"
			     "3:\n\t"
			     ".long 0, 0\n\t"
			     ".quad 1f, 2f - 1f, 4f\n\t"
			     ".popsection\n\t"
			     "leaq 3b(%%rip), %%rax\n\t"
			     "movq %%rax, %[cs]\n"
			     "1:\n\t"
			     "incq %[spin]\n\t"
			     "jmp 1b\n"
			     "2:\n\t"
			     ".byte 0x0f, 0xb9, 0x3d\n\t"
			     ".long 0x53053053\n"
			     "4:\n\t"
			     : [cs] "=m" (rs->rseq_cs), [spin] "+m" (w->spin)
			     : : "rax", "memory", "cc");
		frz_inc(&w->aborts);
	}
	return 0;
}

/*
 * A task frozen inside of a restartable sequence (rseq) leaves it by its abort
 * when it thaws, as after any preemption: while it was away others have used
 * its CPU. The few instructions outside of the sequence are allowed for.
 */
FREEZER_TEST(rseq_is_aborted)
{
	struct cs_words *w = frz_shared(sizeof(*w));
	unsigned long aborts;
	int i, hits = 0;

	ASSERT_NE(NULL, w);
	ASSERT_PID(frz_spawn(self->cg, endless_rseq, w));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, frz_wait_move(&w->spin, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		EXPECT_EQ(0, frz_moved(&w->spin, 2));
		aborts = frz_load(&w->aborts);
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&w->spin, FRZ_LIMIT));
		hits += frz_load(&w->aborts) > aborts;
	}
	EXPECT_LE(15, hits);
}
#endif

TEST_HARNESS_MAIN
