// SPDX-License-Identifier: GPL-2.0
/*
 * An io_uring ring without a library.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring_util.h"

unsigned int *sq_word(struct ring *r, unsigned int off)
{
	return (unsigned int *)(r->sq + off);
}

static unsigned int *cq_word(struct ring *r, unsigned int off)
{
	return (unsigned int *)(r->cq + off);
}

int map_ring(struct ring *r)
{
	struct io_uring_params *p = &r->p;
	const int prot = PROT_READ | PROT_WRITE;

	r->sq = mmap(NULL, p->sq_off.array + p->sq_entries * 4, prot,
		     MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	r->cq = mmap(NULL, p->cq_off.cqes +
		     p->cq_entries * sizeof(struct io_uring_cqe), prot,
		     MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, p->sq_entries * sizeof(*r->sqes), prot,
		       MAP_SHARED, r->fd, IORING_OFF_SQES);
	return r->sq == MAP_FAILED || r->cq == MAP_FAILED ||
	       r->sqes == MAP_FAILED ? -1 : 0;
}

int make_ring_idle(struct ring *r, unsigned int flags, unsigned int idle_ms)
{
	memset(r, 0, sizeof(*r));
	r->p.flags = flags;
	r->p.sq_thread_idle = idle_ms;
	r->fd = syscall(SYS_io_uring_setup, ENTRIES, &r->p);
	return r->fd < 0 ? -1 : map_ring(r);
}

int make_ring(struct ring *r, unsigned int flags)
{
	return make_ring_idle(r, flags, 2000);
}

void queue_sqe(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned int *tail = sq_word(r, r->p.sq_off.tail);
	unsigned int i = *tail & *sq_word(r, r->p.sq_off.ring_mask);

	r->sqes[i] = *sqe;
	sq_word(r, r->p.sq_off.array)[i] = i;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_SEQ_CST);
}

int enter(struct ring *r, int submit, int wait, unsigned int flags)
{
	return syscall(SYS_io_uring_enter, r->fd, submit, wait, flags, NULL, 0);
}

bool sq_thread_sleeps(struct ring *r)
{
	return __atomic_load_n(sq_word(r, r->p.sq_off.flags),
			       __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP;
}

unsigned int nr_completed(struct ring *r)
{
	return __atomic_load_n(cq_word(r, r->p.cq_off.tail), __ATOMIC_SEQ_CST);
}

bool take_cqe(struct ring *r, int *res)
{
	unsigned int *head = cq_word(r, r->p.cq_off.head);
	struct io_uring_cqe *cqes = (void *)(r->cq + r->p.cq_off.cqes);

	if (*head == nr_completed(r))
		return false;
	*res = cqes[*head & *cq_word(r, r->p.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_SEQ_CST);
	return true;
}
