// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: io_uring, by its system calls. Its workers and its SQPOLL thread run
 * for the group without ever returning to user mode, and a signal that was
 * only meant to freeze them shows in the results.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "churn.h"

#define RING_ENTRIES	8

struct ring {
	int fd;
	unsigned int flags;
	uint32_t *sq_tail, *sq_mask, *sq_array, *sq_flags;
	uint32_t *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static int ring_setup(struct ring *ring, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = 5 };
	size_t size, cq_size;
	char *map;

	ring->flags = flags;
	ring->fd = syscall(SYS_io_uring_setup, RING_ENTRIES, &p);
	if (ring->fd < 0)
		return -errno;
	size = p.sq_off.array + p.sq_entries * sizeof(uint32_t);
	cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	if (cq_size > size)
		size = cq_size;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe),
			  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			  ring->fd, IORING_OFF_SQES);
	if (!(p.features & IORING_FEAT_SINGLE_MMAP) || map == MAP_FAILED ||
	    ring->sqes == MAP_FAILED)
		return -ENOTSUP;
	ring->sq_tail = (void *)(map + p.sq_off.tail);
	ring->sq_mask = (void *)(map + p.sq_off.ring_mask);
	ring->sq_array = (void *)(map + p.sq_off.array);
	ring->sq_flags = (void *)(map + p.sq_off.flags);
	ring->cq_head = (void *)(map + p.cq_off.head);
	ring->cq_tail = (void *)(map + p.cq_off.tail);
	ring->cq_mask = (void *)(map + p.cq_off.ring_mask);
	ring->cqes = (void *)(map + p.cq_off.cqes);
	return 0;
}

static void ring_start(struct churn_slot *me, struct ring *ring,
		       unsigned int flags)
{
	int ret = ring_setup(ring, flags);

	if (ret) {
		errno = -ret;
		churn_leak(me, "io_uring_setup: %d", ret);
		_exit(1);
	}
}

/* One request into the ring; the caller submits. */
static struct io_uring_sqe *ring_sqe(struct ring *ring, int opcode)
{
	uint32_t i = *ring->sq_tail & *ring->sq_mask;
	struct io_uring_sqe *sqe = &ring->sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	ring->sq_array[i] = i;
	return sqe;
}

static void ring_submit(struct churn_slot *me, struct ring *ring)
{
	long ret;

	__atomic_store_n(ring->sq_tail, *ring->sq_tail + 1, __ATOMIC_RELEASE);
	if (ring->flags & IORING_SETUP_SQPOLL) {
		/* Pairs with the barrier of the thread before it sleeps. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!(__atomic_load_n(ring->sq_flags, __ATOMIC_RELAXED) &
		      IORING_SQ_NEED_WAKEUP))
			return;
		ret = syscall(SYS_io_uring_enter, ring->fd, 1, 0,
			      IORING_ENTER_SQ_WAKEUP, NULL, 0);
	} else {
		ret = syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0);
	}
	if (ret != 1)
		churn_leak(me, "io_uring_enter: submitted %ld, expected 1",
			   ret);
}

static void ring_complete(struct churn_slot *me, struct ring *ring,
			  const char *what, int want)
{
	uint32_t head = *ring->cq_head;
	int res;

	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head) {
		long ret = syscall(SYS_io_uring_enter, ring->fd, 0, 1,
				   IORING_ENTER_GETEVENTS, NULL, 0);

		if (ret < 0)
			churn_leak(me, "io_uring_enter: wait %ld", ret);
		if (churn_stopped())
			return;
	}
	res = ring->cqes[head & *ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	if (res != want) {
		errno = res < 0 ? -res : 0;
		churn_leak(me, "%s completed with %d, expected %d", what, res,
			   want);
	}
}

int setup_uring(void)
{
	struct ring ring;
	int ret = ring_setup(&ring, 0);

	if (ret) {
		snprintf(churn->result.skip, CHURN_TEXT, "io_uring_setup: %s",
			 strerror(-ret));
		return 1;
	}
	close(ring.fd);
	return 0;
}

static void prep_read(struct io_uring_sqe *sqe, int fd, void *buf, int len,
		      uint64_t off)
{
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = len;
	sqe->off = off;
}

/* A worker thread blocks in the read of a pipe until the byte comes. */
void work_uring_async(struct churn_slot *me)
{
	struct ring ring;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int p[2];

	if (file < 0 || pipe(p)) {
		churn_leak(me, "a file and a pipe");
		return;
	}
	ring_start(me, &ring, 0);
	while (!churn_stopped()) {
		struct io_uring_sqe *sqe = ring_sqe(&ring, IORING_OP_READ);
		char buf[512] = "";

		sqe->flags = IOSQE_ASYNC;
		if (churn_rand() & 1) {
			prep_read(sqe, p[0], buf, 1, -1);
			ring_submit(me, &ring);
			if (churn_rand() & 1)
				churn_usleep(churn_rand() % 1000);
			if (write(p[1], "x", 1) != 1)
				churn_leak(me, "pipe write");
			ring_complete(me, &ring, "async read of a pipe", 1);
		} else {
			prep_read(sqe, file, buf, sizeof(buf), 0);
			ring_submit(me, &ring);
			ring_complete(me, &ring, "async read of a file",
				      sizeof(buf));
		}
		churn_bump(me);
	}
}

/* The thread polls, or sleeps after 5 ms without work. */
void work_uring_sqpoll(struct churn_slot *me)
{
	struct ring ring;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ring_start(me, &ring, IORING_SETUP_SQPOLL);
	while (!churn_stopped()) {
		struct io_uring_sqe *sqe;
		char buf[512] = "";

		if (churn_rand() & 1) {
			sqe = ring_sqe(&ring, IORING_OP_READ);
			prep_read(sqe, file, buf, sizeof(buf), 0);
			ring_submit(me, &ring);
			ring_complete(me, &ring, "SQPOLL read", sizeof(buf));
		} else {
			ring_sqe(&ring, IORING_OP_NOP);
			ring_submit(me, &ring);
			ring_complete(me, &ring, "SQPOLL nop", 0);
		}
		if (!(churn_rand() % 8))
			churn_usleep(churn_rand() % 10000);
		churn_bump(me);
	}
}

/*
 * A ring with requests under way: reads of a pipe where nothing comes, each of
 * which keeps a worker thread, and reads of a file; or those of a file with a
 * SQPOLL thread.
 */
static void uring_victim(struct churn_slot *me, bool sqpoll)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	static char dest[4], buf[512];
	struct ring ring;
	int i, p[2];

	churn_bump(me);
	if (file < 0 || pipe(p)) {
		churn_leak(me, "a file and a pipe");
		return;
	}
	ring_start(me, &ring, sqpoll ? IORING_SETUP_SQPOLL : 0);
	for (i = 0; !sqpoll && i < 3; i++) {
		struct io_uring_sqe *sqe = ring_sqe(&ring, IORING_OP_READ);

		sqe->flags = IOSQE_ASYNC;
		prep_read(sqe, p[0], &dest[i], 1, -1);
		ring_submit(me, &ring);
	}
	while (!churn_stopped()) {
		struct io_uring_sqe *sqe = ring_sqe(&ring, IORING_OP_READ);

		sqe->flags = sqpoll ? 0 : IOSQE_ASYNC;
		prep_read(sqe, file, buf, sizeof(buf), 0);
		ring_submit(me, &ring);
		ring_complete(me, &ring, "read", sizeof(buf));
		churn_bump(me);
	}
}

/* Processes with rings are killed by their parent, and from outside. */
void work_uring_kill(struct churn_slot *me)
{
	while (!churn_stopped()) {
		bool sqpoll = churn_rand() & 1;
		pid_t pid = churn_fork();

		if (!pid) {
			uring_victim(&me[1], sqpoll);
			_exit(0);
		}
		if (pid < 0) {
			churn_leak(me, "fork: %d", pid);
			continue;
		}
		churn_use_victim(me, pid);
		churn_usleep(churn_rand() % 20000);
		churn_kill_victim(me, pid);
	}
}

void work_uring_timeout(struct churn_slot *me)
{
	struct ring ring;

	ring_start(me, &ring, 0);
	while (!churn_stopped()) {
		struct __kernel_timespec ts = {
			.tv_nsec = (1 + churn_rand() % 3) * 1000000,
		};
		int64_t start = frz_now_ns();
		struct io_uring_sqe *sqe = ring_sqe(&ring, IORING_OP_TIMEOUT);

		sqe->addr = (uintptr_t)&ts;
		sqe->len = 1;
		ring_submit(me, &ring);
		ring_complete(me, &ring, "timeout", -ETIME);
		errno = 0;
		if (frz_now_ns() - start < ts.tv_nsec)
			churn_leak(me, "timeout shorter than %lld ns",
				   (long long)ts.tv_nsec);
		churn_bump(me);
	}
}
