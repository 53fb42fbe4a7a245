/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of blocking system calls that syscall_test goes through.
 *
 * A case is one system call that sleeps. Its process is alone in a cgroup of
 * its own; the test, outside, prepares what the call needs, ends the wait and
 * judges the result. All of them sleep side by side, and one freeze of their
 * parent takes them all.
 */
#ifndef SYSCALL_TABLE_H
#define SYSCALL_TABLE_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "freezer_util.h"
#include "syscalls.h"

#define SC_FDS		6
#define SC_WORDS	8

/* What a call returns when it is right but for what it transferred. */
#define SC_TORN		(-10000L)

/* Properties of a case. */
#define SC_TIMED	0x01	/* takes a time limit, and keeps it */
#define SC_JIFFIES	0x02	/* counts it in ticks */
#define SC_REPEAT	0x04	/* end() until the call is over */
#define SC_ONLY_LIMIT	0x08	/* nothing but the limit ends it */
#define SC_STOPPED	0x10	/* a stop, its state is T or t */
#define SC_HELD_BACK	0x20	/* end() is refused under the guard */
#define SC_WORKER	0x40	/* a thread beside it, asleep and idle */
#define SC_POLLER	0x80	/* the same, and woken: it parks */

/* Why a case has no phase fed, or guarded: what several cases have in common. */
#define SC_ASLEEP	"it sleeps where it cannot be frozen in place"
#define SC_REFUSED	"the guard is refused while its server does not answer"
#define SC_NO_RESTART	"the guard ends its sleep, and it is not started over"

struct sc_case;

/* One run of one case, shared by the test and the process of the case. */
struct sc {
	const struct sc_case *c;
	char cg[FRZ_PATH_MAX];
	pid_t pid;
	pid_t helper;		/* a second process, outside of the group */
	int fd[SC_FDS];		/* the case's; the process has no others */
	int ms;			/* the time limit */
	unsigned long ready;	/* waits for the start */
	unsigned long begun;	/* is about to make the call */
	unsigned long done;	/* is back from the call */
	long ret;		/* its result, or -errno */
	int64_t t0, t1;		/* when it was called, and back */
	int64_t ticks0, ticks1;	/* the same by the clock of the ticks */
	uint32_t word[SC_WORDS];	/* futexes and the like */
	/* 0, 1: the case's; 2: used to see it asleep; 3: what went wrong */
	long val[4];
	char path[64];
	char buf[512];
	char obj[256];		/* pthread objects */
	unsigned long seen_done;
	int64_t runs;		/* how often it had run when it was frozen */
	bool blocked, skip;
};

struct sc_case {
	const char *name;
	/* In the test, before the process exists: 0 or -errno. */
	int (*prepare)(struct sc *s);
	/* In the process: the call; its result or -errno. */
	long (*call)(struct sc *s);
	/* In the test, again and again until the process sleeps. */
	void (*pump)(struct sc *s);
	/* In the test: what the call waits for comes. */
	void (*end)(struct sc *s);
	/* In the test, when the process is gone. */
	void (*cleanup)(struct sc *s);
	/*
	 * In the test: what lies between the case and the other side, in bytes,
	 * messages or connections, or -errno. When the end has come and the
	 * case has taken nothing, and sent nothing, it is @fed.
	 */
	long (*queue)(struct sc *s);
	long fed;
	long want;		/* the result then */
	long late;		/* the result when the limit passes */
	int flags;
	int arg[4];
	/* Why the case has no phase guarded, or fed; NULL: it has. */
	const char *unguarded, *unfed;
	/* Does this kernel have the call? NULL: all do. */
	bool (*exists)(void);
};

struct sc_topic {
	const struct sc_case *cases;
	int nr;
};

extern const struct sc_topic sc_sleep, sc_futex, sc_pipe, sc_tty, sc_socket;
extern const struct sc_topic sc_connect, sc_ipc, sc_proc, sc_file, sc_ring;

#define SC_TOPIC(topic, table) \
	const struct sc_topic topic = { \
		table, sizeof(table) / sizeof((table)[0]), \
	}

/* Of a system call: the result, or -errno. */
static inline long sc_ret(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* The time limit, from now. */
static inline struct timespec sc_limit(const struct sc *s)
{
	return (struct timespec) {
		.tv_sec = s->ms / 1000,
		.tv_nsec = s->ms % 1000 * 1000000L,
	};
}

/* The same for a call that has no variant with 64-bit time. */
static inline struct __kernel_old_timespec sc_old_limit(const struct sc *s)
{
	return (struct __kernel_old_timespec) {
		.tv_sec = s->ms / 1000,
		.tv_nsec = s->ms % 1000 * 1000000L,
	};
}

/* The same as a time of @clock. */
static inline struct timespec sc_deadline(const struct sc *s, clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += s->ms / 1000;
	ts.tv_nsec += s->ms % 1000 * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_nsec -= 1000000000L;
		ts.tv_sec++;
	}
	return ts;
}

/* What many cases share, in syscall_share.c. */
int sc_prep_pipe(struct sc *s);		/* fd[0] reads, fd[1] writes */
int sc_prep_pipe_full(struct sc *s);
int sc_prep_path(struct sc *s);		/* a name for a file, not yet there */
int sc_fill(int fd);			/* write until it would block */
void sc_put(struct sc *s);		/* a byte into fd[1] */
void sc_put4(struct sc *s);		/* the rest of "abcd" */
void sc_drain(struct sc *s);		/* read all there is from fd[0] */
long sc_queue(struct sc *s);		/* bytes that fd[0] can read */
void sc_signal(struct sc *s);		/* SIGUSR1, which has a handler */
void sc_kill_helper(struct sc *s);
int sc_free_helper(struct sc *s);	/* out of the group with it */

/* In a new process: close what belongs to other cases. */
void sc_close_others(const struct sc *s);

/* A process outside of the group: its pid or -errno. */
pid_t sc_spawn_helper(struct sc *s, int (*fn)(void *arg));

/* Linux 6.7 has brought futex_wait(), and the like in io_uring. */
bool sc_has_futex_wait(void);

/* Bytes that can be read from @fd: of datagrams those of the first, or -errno. */
long sc_readable(int fd);

/* Take descriptor @fd of the process of the case. */
int sc_take_fd(struct sc *s, int fd);

#endif /* SYSCALL_TABLE_H */
