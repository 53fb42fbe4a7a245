// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: the waits of AIO and io_uring, for requests that wait
 * in the ring, in a worker, or in the thread that submits.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "syscall_table.h"

/* IORING_OP_FUTEX_WAIT, for headers that do not have it yet */
#define OP_FUTEX_WAIT	51

/* @arg[0]: how it waits, [1]: with a limit */
static long call_aio(struct sc *s)
{
	struct __kernel_old_timespec old = sc_old_limit(s);
	struct timespec ts = sc_limit(s);
	bool limit = s->c->arg[1];
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = s->fd[0],
		.aio_buf = POLLIN,
	}, *list = &cb;
	aio_context_t ctx = 0;
	struct io_event ev;
	long ret;

	if (syscall(SYS_io_setup, 4, &ctx) ||
	    syscall(SYS_io_submit, ctx, 1, &list) != 1)
		return -errno;
	if (s->c->arg[0])
		ret = syscall(SYS_io_pgetevents, ctx, 1, 1, &ev,
			      limit ? &ts : NULL, NULL);
	else
		ret = syscall(SYS_io_getevents, ctx, 1, 1, &ev,
			      limit ? &old : NULL);
	ret = sc_ret(ret);
	return ret == 1 && !(ev.res & POLLIN) ? SC_TORN : ret;
}

struct ring {
	int fd;
	struct io_uring_params p;
	char *map;
	struct io_uring_sqe *sqes;
};

static uint32_t *ring_word(struct ring *r, uint32_t off)
{
	return (uint32_t *)(r->map + off);
}

static int ring_make(struct ring *r, unsigned int flags)
{
	size_t size;

	memset(r, 0, sizeof(*r));
	r->p.flags = flags;
	r->p.sq_thread_idle = 5;
	r->fd = syscall(SYS_io_uring_setup, 4, &r->p);
	if (r->fd < 0)
		return -errno;
	size = r->p.cq_off.cqes +
	       r->p.cq_entries * sizeof(struct io_uring_cqe) +
	       r->p.sq_entries * 4 + 4096;
	r->map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		      IORING_OFF_SQ_RING);
	r->sqes = mmap(NULL, r->p.sq_entries * sizeof(*r->sqes),
		       PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		       IORING_OFF_SQES);
	return r->map == MAP_FAILED || r->sqes == MAP_FAILED ? -ENOMEM : 0;
}

static void ring_queue(struct ring *r, const struct io_uring_sqe *sqe)
{
	uint32_t *tail = ring_word(r, r->p.sq_off.tail);
	uint32_t i = *tail & *ring_word(r, r->p.sq_off.ring_mask);

	r->sqes[i] = *sqe;
	ring_word(r, r->p.sq_off.array)[i] = i;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_SEQ_CST);
}

/* The flags of the case. */
#define WORKER	1		/* arg[1]: a worker does it */
#define SQPOLL	2		/* the submission thread does */
#define SHORT	4		/* the wait has the limit, not the request */

static void fill_sqe(struct sc *s, struct io_uring_sqe *sqe,
		     struct __kernel_timespec *ts)
{
	sqe->opcode = s->c->arg[0];
	sqe->fd = s->fd[0];
	switch (s->c->arg[0]) {
	case IORING_OP_POLL_ADD:
		sqe->poll_events = POLLIN;
		break;
	case IORING_OP_READ:
		sqe->addr = (uintptr_t)s->buf;
		sqe->len = 16;
		sqe->off = -1;
		break;
	case IORING_OP_WRITE:
		sqe->fd = s->fd[1];
		sqe->addr = (uintptr_t)s->buf;
		sqe->len = 1;
		sqe->off = -1;
		break;
	case IORING_OP_RECV:
		sqe->addr = (uintptr_t)s->buf;
		sqe->len = 16;
		break;
	case IORING_OP_OPENAT:
		sqe->fd = AT_FDCWD;
		sqe->addr = (uintptr_t)s->path;
		sqe->open_flags = O_RDONLY;
		break;
	case IORING_OP_SPLICE:
		sqe->splice_fd_in = s->fd[0];
		sqe->splice_off_in = -1;
		sqe->fd = s->fd[3];
		sqe->off = -1;
		sqe->len = 16;
		break;
	case IORING_OP_TIMEOUT:
		sqe->fd = -1;
		sqe->addr = (uintptr_t)ts;
		sqe->len = 1;
		break;
	case OP_FUTEX_WAIT:
		/* FUTEX2_SIZE_U32 */
		sqe->fd = 2;
		sqe->addr = (uintptr_t)&s->word[0];
		sqe->addr2 = 0;
		sqe->addr3 = 0xffffffff;
		break;
	}
	if (s->c->arg[1] & WORKER)
		sqe->flags |= IOSQE_ASYNC;
}

/* The result of the request, or the error of the wait for it. */
static long call_ring(struct sc *s)
{
	struct __kernel_timespec ts = {
		.tv_sec = s->ms / 1000,
		.tv_nsec = s->ms % 1000 * 1000000L,
	};
	struct io_uring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	bool limit = s->c->arg[1] & SHORT, poll = s->c->arg[1] & SQPOLL;
	unsigned int flags = IORING_ENTER_GETEVENTS;
	struct io_uring_sqe sqe = {};
	uint32_t *head, mask;
	struct ring r;
	long ret;
	int err = ring_make(&r, poll ? IORING_SETUP_SQPOLL : 0);

	if (err)
		return err;
	fill_sqe(s, &sqe, &ts);
	ring_queue(&r, &sqe);
	ret = sc_ret(syscall(SYS_io_uring_enter, r.fd, 1, 0,
			     poll ? IORING_ENTER_SQ_WAKEUP : 0, NULL, 0));
	if (ret != 1)
		return ret < 0 ? ret : SC_TORN;
	if (limit)
		flags |= IORING_ENTER_EXT_ARG;
	ret = sc_ret(syscall(SYS_io_uring_enter, r.fd, 0, 1, flags,
			     limit ? &arg : NULL, limit ? sizeof(arg) : 0));
	if (ret < 0)
		return ret;
	head = ring_word(&r, r.p.cq_off.head);
	mask = *ring_word(&r, r.p.cq_off.ring_mask);
	if (*ring_word(&r, r.p.cq_off.tail) == *head)
		return SC_TORN;
	ret = ((struct io_uring_cqe *)(r.map + r.p.cq_off.cqes))
	      [*head & mask].res;
	return s->c->arg[0] == IORING_OP_OPENAT && ret > 0 ? 0 : ret;
}

static int prep_stream(struct sc *s)
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->fd) ?
	       -errno : 0;
}

static int prep_two(struct sc *s)
{
	int err = sc_prep_pipe(s);

	if (err)
		return err;
	return pipe2(s->fd + 2, O_CLOEXEC) ? -errno : 0;
}

static int prep_fifo(struct sc *s)
{
	sc_prep_path(s);
	return mkfifo(s->path, 0600) ? -errno : 0;
}

static void open_fifo(struct sc *s)
{
	s->fd[2] = open(s->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void wake(struct sc *s)
{
	__atomic_store_n(&s->word[0], 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &s->word[0], 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0);
}

#define FED(n)	.queue = sc_queue, .fed = n

#define RING(text, op, how, prep, finish, result, ...) \
	{ "io_uring " text, prep, call_ring, .end = finish, .want = result, \
	  .late = -ETIME, .arg = { op, how }, __VA_ARGS__ }

static const struct sc_case cases[] = {
	{ "io_getevents", sc_prep_pipe, call_aio, .end = sc_put, .want = 1 },
	{ "io_getevents with a limit", sc_prep_pipe, call_aio, .end = sc_put,
	  .want = 1, .late = 0, .flags = SC_TIMED, .arg = { 0, 1 } },
	{ "io_pgetevents", sc_prep_pipe, call_aio, .end = sc_put, .want = 1,
	  .arg = { 1 } },
	{ "io_pgetevents with a limit", sc_prep_pipe, call_aio, .end = sc_put,
	  .want = 1, .late = 0, .flags = SC_TIMED, .arg = { 1, 1 } },
	RING("poll", IORING_OP_POLL_ADD, 0, sc_prep_pipe, sc_put, POLLIN),
	RING("read", IORING_OP_READ, 0, sc_prep_pipe, sc_put, 1, FED(1)),
	RING("recv", IORING_OP_RECV, 0, prep_stream, sc_put, 1, FED(1)),
	RING("timeout", IORING_OP_TIMEOUT, 0, NULL, NULL, -ETIME,
	     .flags = SC_TIMED | SC_ONLY_LIMIT),
	RING("wait with a limit", IORING_OP_READ, SHORT, sc_prep_pipe, sc_put,
	     1, FED(1), .flags = SC_TIMED),
	RING("wait, interrupted", IORING_OP_READ, 0, sc_prep_pipe, sc_signal,
	     -EINTR),
	RING("futex wait", OP_FUTEX_WAIT, 0, NULL, wake, 0,
	     .exists = sc_has_futex_wait),
	RING("read by a worker", IORING_OP_READ, WORKER, sc_prep_pipe, sc_put,
	     1, FED(1), .flags = SC_WORKER),
	RING("write by a worker", IORING_OP_WRITE, WORKER, sc_prep_pipe_full,
	     sc_drain, 1, FED(0), .flags = SC_REPEAT | SC_WORKER),
	RING("recv by a worker", IORING_OP_RECV, WORKER, prep_stream, sc_put,
	     1, FED(1), .flags = SC_WORKER),
	RING("splice by a worker", IORING_OP_SPLICE, WORKER, prep_two, sc_put,
	     1, FED(1)),
	RING("open of a FIFO by a worker", IORING_OP_OPENAT, WORKER, prep_fifo,
	     open_fifo, 0),
	RING("read by SQPOLL", IORING_OP_READ, SQPOLL, sc_prep_pipe, sc_put,
	     1, FED(1), .flags = SC_POLLER),
	RING("poll by SQPOLL", IORING_OP_POLL_ADD, SQPOLL, sc_prep_pipe,
	     sc_put, POLLIN, .flags = SC_POLLER),
	RING("read by a worker of SQPOLL", IORING_OP_READ, SQPOLL | WORKER,
	     sc_prep_pipe, sc_put, 1, FED(1), .flags = SC_POLLER),
	RING("timeout by SQPOLL", IORING_OP_TIMEOUT, SQPOLL, NULL, NULL,
	     -ETIME, .flags = SC_TIMED | SC_ONLY_LIMIT),
};

SC_TOPIC(sc_ring, cases);
