/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An io_uring ring without a library.
 */
#ifndef URING_UTIL_H
#define URING_UTIL_H

#include <linux/io_uring.h>
#include <stdbool.h>

#define ENTRIES	8

struct ring {
	int fd;
	struct io_uring_params p;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
};

/* @idle_ms: for how long a submission thread polls before it goes to sleep. */
int make_ring_idle(struct ring *r, unsigned int flags, unsigned int idle_ms);
int make_ring(struct ring *r, unsigned int flags);

/* Map a ring that was set up: 0 or -1. */
int map_ring(struct ring *r);

/* A word of the ring of submissions. */
unsigned int *sq_word(struct ring *r, unsigned int off);

/* Put one entry into the ring; the kernel is not told yet. */
void queue_sqe(struct ring *r, const struct io_uring_sqe *sqe);

/* io_uring_enter(). */
int enter(struct ring *r, int submit, int wait, unsigned int flags);

/* The submission thread sleeps, and has to be woken by the next entry. */
bool sq_thread_sleeps(struct ring *r);

/* How many completions there were. */
unsigned int nr_completed(struct ring *r);

/* Take a completion, if there is one: its result into @res. */
bool take_cqe(struct ring *r, int *res);

#endif /* URING_UTIL_H */
