// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: futexes of all kinds, and what libc makes of them.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>

#include "syscall_table.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv	449
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait	455
#endif
#define SIZE_U32	2

static long futex(uint32_t *word, int op, uint32_t val, const void *limit,
		  uint32_t *word2, uint32_t val3)
{
	return sc_ret(syscall(SYS_futex, word, op, val, limit, word2, val3));
}

/* @arg[0]: the operation and its flags, [1]: 1 with a limit, 2 as a time */
static long call_wait(struct sc *s)
{
	bool real = s->c->arg[0] & FUTEX_CLOCK_REALTIME;
	struct timespec ts = s->c->arg[1] == 2 ?
		sc_deadline(s, real ? CLOCK_REALTIME : CLOCK_MONOTONIC) :
		sc_limit(s);

	return futex(&s->word[0], s->c->arg[0], 0,
		     s->c->arg[1] ? &ts : NULL, NULL,
		     FUTEX_BITSET_MATCH_ANY);
}

/* The value is changed with the wake-up, as a lock would do. */
static void wake(struct sc *s)
{
	__atomic_store_n(&s->word[0], 1, __ATOMIC_SEQ_CST);
	futex(&s->word[0], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void wake_op(struct sc *s)
{
	futex(&s->word[1], FUTEX_WAKE_OP, 1, (void *)1UL, &s->word[0],
	      FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0));
}

static void requeue_and_wake(struct sc *s)
{
	futex(&s->word[0], FUTEX_REQUEUE, 0, (void *)1UL, &s->word[1], 0);
	futex(&s->word[1], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static long call_waitv(struct sc *s)
{
	struct timespec ts = sc_deadline(s, CLOCK_MONOTONIC);
	struct futex_waitv w[2] = {
		{ 0, (uintptr_t)&s->word[1], FUTEX_32, 0 },
		{ 0, (uintptr_t)&s->word[0], FUTEX_32, 0 },
	};

	return sc_ret(syscall(SYS_futex_waitv, w, 2, 0,
			      s->c->arg[0] ? &ts : NULL, CLOCK_MONOTONIC));
}

bool sc_has_futex_wait(void)
{
	return syscall(SYS_futex_wait, NULL, 0, 0, 0, NULL, 0) == 0 ||
	       errno != ENOSYS;
}

static long call_wait2(struct sc *s)
{
	struct timespec ts = sc_deadline(s, CLOCK_MONOTONIC);

	return sc_ret(syscall(SYS_futex_wait, &s->word[0], 0,
			      (unsigned long)FUTEX_BITSET_MATCH_ANY, SIZE_U32,
			      s->c->arg[0] ? &ts : NULL, CLOCK_MONOTONIC));
}

/* The test holds the lock, and gives it up. */
static int prep_pi(struct sc *s)
{
	s->word[0] = gettid();
	return 0;
}

static long call_lock_pi(struct sc *s)
{
	struct timespec ts = sc_deadline(s, s->c->arg[2]);
	long ret = futex(&s->word[0], s->c->arg[0], 0,
			 s->c->arg[1] ? &ts : NULL, NULL, 0);

	if (!ret && (s->word[0] & FUTEX_TID_MASK) != (uint32_t)getpid())
		return SC_TORN;
	return ret;
}

static void unlock_pi(struct sc *s)
{
	if (s->word[0] == (uint32_t)gettid())
		s->word[0] = 0;
	else
		futex(&s->word[0], FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static long call_requeue_pi(struct sc *s)
{
	struct timespec ts = sc_deadline(s, CLOCK_MONOTONIC);
	long ret = futex(&s->word[0], FUTEX_WAIT_REQUEUE_PI, 0,
			 s->c->arg[0] ? &ts : NULL, &s->word[1], 0);

	if (!ret && (s->word[1] & FUTEX_TID_MASK) != (uint32_t)getpid())
		return SC_TORN;
	return ret;
}

static void requeue_pi(struct sc *s)
{
	futex(&s->word[0], FUTEX_CMP_REQUEUE_PI, 1, (void *)0UL, &s->word[1],
	      0);
}

static int prep_mutex(struct sc *s)
{
	pthread_mutex_t *m = (void *)s->obj;
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&a, s->c->arg[0]);
	pthread_mutex_init(m, &a);
	return -pthread_mutex_lock(m);
}

static long call_mutex(struct sc *s)
{
	return -pthread_mutex_lock((void *)s->obj);
}

static long call_mutex_limit(struct sc *s)
{
	struct timespec ts = sc_deadline(s, CLOCK_REALTIME);

	return -pthread_mutex_timedlock((void *)s->obj, &ts);
}

static void unlock_mutex(struct sc *s)
{
	pthread_mutex_unlock((void *)s->obj);
}

/* The owner dies with the lock. */
static int hold_robust(void *arg)
{
	struct sc *s = arg;

	if (pthread_mutex_lock((void *)s->obj))
		return 1;
	frz_store((unsigned long *)&s->val[0], 1);
	for (;;)
		pause();
}

static int prep_robust(struct sc *s)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init((void *)s->obj, &a);
	if (sc_spawn_helper(s, hold_robust) < 0)
		return -errno;
	return frz_wait_word((unsigned long *)&s->val[0], 1, 10000);
}

static int prep_sem(struct sc *s)
{
	return sc_ret(sem_init((sem_t *)s->obj, 1, 0));
}

static long call_sem(struct sc *s)
{
	struct timespec ts = sc_deadline(s, CLOCK_REALTIME);

	return sc_ret(s->c->arg[0] ? sem_timedwait((sem_t *)s->obj, &ts) :
		      sem_wait((sem_t *)s->obj));
}

static void post_sem(struct sc *s)
{
	sem_post((sem_t *)s->obj);
}

static int prep_barrier(struct sc *s)
{
	pthread_barrierattr_t a;

	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	return -pthread_barrier_init((void *)s->obj, &a, 2);
}

static long call_barrier(struct sc *s)
{
	int ret = pthread_barrier_wait((void *)s->obj);

	return ret == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : -ret;
}

static void join_barrier(struct sc *s)
{
	pthread_barrier_wait((void *)s->obj);
}

static int prep_rwlock(struct sc *s)
{
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init((void *)s->obj, &a);
	return -pthread_rwlock_wrlock((void *)s->obj);
}

static long call_rdlock(struct sc *s)
{
	return -pthread_rwlock_rdlock((void *)s->obj);
}

static void unlock_rwlock(struct sc *s)
{
	pthread_rwlock_unlock((void *)s->obj);
}

/* A thread of the case waits for another that waits for a byte. */
static void *read_byte(void *arg)
{
	struct sc *s = arg;
	char c;

	return (void *)read(s->fd[0], &c, 1);
}

static long call_join(struct sc *s)
{
	pthread_t thread;
	void *ret;
	int err = pthread_create(&thread, NULL, read_byte, s);

	if (!err)
		err = pthread_join(thread, &ret);
	return err ? -err : (long)ret;
}

/* A condition, with the mutex beside it. */
struct cond {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int ready;
};

static int prep_cond(struct sc *s)
{
	struct cond *c = (void *)s->obj;
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&c->mutex, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	return -pthread_cond_init(&c->cond, &ca);
}

static long call_cond(struct sc *s)
{
	struct timespec ts = sc_deadline(s, CLOCK_REALTIME);
	struct cond *c = (void *)s->obj;
	int err = 0;

	pthread_mutex_lock(&c->mutex);
	while (!c->ready && !err)
		err = s->c->arg[0] ?
		      pthread_cond_timedwait(&c->cond, &c->mutex, &ts) :
		      pthread_cond_wait(&c->cond, &c->mutex);
	return -err;
}

static void signal_cond(struct sc *s)
{
	struct cond *c = (void *)s->obj;

	/* The frozen one does not hold the mutex: it waits for the signal. */
	if (pthread_mutex_trylock(&c->mutex))
		return;
	c->ready = 1;
	pthread_cond_signal(&c->cond);
	pthread_mutex_unlock(&c->mutex);
}

#define WAIT(text, op, limit, ...) \
	{ text, NULL, call_wait, .end = wake, .late = -ETIMEDOUT, \
	  .flags = (limit) ? SC_TIMED : 0, .arg = { op, limit }, __VA_ARGS__ }

#define LOCK(text, op, limit, clock) \
	{ text, prep_pi, call_lock_pi, .end = unlock_pi, .late = -ETIMEDOUT, \
	  .unfed = SC_ASLEEP, \
	  .flags = (limit) ? SC_TIMED : 0, .arg = { op, limit, clock } }

static const struct sc_case cases[] = {
	WAIT("futex WAIT", FUTEX_WAIT, 0),
	WAIT("futex WAIT with a limit", FUTEX_WAIT, 1),
	WAIT("futex WAIT_BITSET", FUTEX_WAIT_BITSET, 0),
	WAIT("futex WAIT_BITSET until a time", FUTEX_WAIT_BITSET, 2),
	WAIT("futex WAIT_BITSET until a CLOCK_REALTIME",
	     FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 2),
	WAIT("futex WAIT, woken by WAKE_OP", FUTEX_WAIT, 0, .end = wake_op),
	WAIT("futex WAIT, requeued", FUTEX_WAIT, 0, .end = requeue_and_wake),
	WAIT("futex WAIT, interrupted", FUTEX_WAIT, 0, .end = sc_signal,
	     .want = -EINTR),
	{ "futex_waitv", NULL, call_waitv, .end = wake, .want = 1 },
	{ "futex_waitv until a time", NULL, call_waitv, .end = wake,
	  .want = 1, .late = -ETIMEDOUT, .flags = SC_TIMED, .arg = { 1 } },
	{ "futex_wait", NULL, call_wait2, .end = wake,
	  .exists = sc_has_futex_wait },
	{ "futex_wait until a time", NULL, call_wait2, .end = wake,
	  .late = -ETIMEDOUT, .flags = SC_TIMED, .arg = { 1 },
	  .exists = sc_has_futex_wait },
	LOCK("futex LOCK_PI", FUTEX_LOCK_PI, 0, CLOCK_REALTIME),
	LOCK("futex LOCK_PI until a time", FUTEX_LOCK_PI, 1, CLOCK_REALTIME),
	LOCK("futex LOCK_PI2", FUTEX_LOCK_PI2, 0, CLOCK_MONOTONIC),
	LOCK("futex LOCK_PI2 until a time", FUTEX_LOCK_PI2, 1,
	     CLOCK_MONOTONIC),
	{ "futex WAIT_REQUEUE_PI", NULL, call_requeue_pi, .end = requeue_pi },
	{ "futex WAIT_REQUEUE_PI until a time", NULL, call_requeue_pi,
	  .end = requeue_pi, .late = -ETIMEDOUT, .flags = SC_TIMED,
	  .arg = { 1 } },
	{ "pthread_mutex_lock", prep_mutex, call_mutex, .end = unlock_mutex },
	{ "pthread_mutex_lock, priority inheritance", prep_mutex, call_mutex,
	  .end = unlock_mutex, .arg = { PTHREAD_PRIO_INHERIT },
	  .unfed = SC_ASLEEP },
	{ "pthread_mutex_timedlock", prep_mutex, call_mutex_limit,
	  .end = unlock_mutex, .late = -ETIMEDOUT, .flags = SC_TIMED },
	{ "pthread_mutex_lock, the owner dies", prep_robust, call_mutex,
	  .end = sc_kill_helper, .want = -EOWNERDEAD },
	{ "pthread_cond_wait", prep_cond, call_cond, .end = signal_cond },
	{ "pthread_cond_timedwait", prep_cond, call_cond, .end = signal_cond,
	  .late = -ETIMEDOUT, .flags = SC_TIMED, .arg = { 1 } },
	{ "sem_wait", prep_sem, call_sem, .end = post_sem },
	{ "sem_timedwait", prep_sem, call_sem, .end = post_sem,
	  .late = -ETIMEDOUT, .flags = SC_TIMED, .arg = { 1 } },
	{ "pthread_barrier_wait", prep_barrier, call_barrier,
	  .end = join_barrier },
	{ "pthread_rwlock_rdlock", prep_rwlock, call_rdlock,
	  .end = unlock_rwlock },
	{ "pthread_join", sc_prep_pipe, call_join, .end = sc_put, .want = 1 },
};

SC_TOPIC(sc_futex, cases);
