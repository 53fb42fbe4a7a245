// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: SysV and POSIX message queues, SysV semaphores.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "syscall_table.h"

struct message {
	long type;
	char text[1024];
};

static int prep_queue(struct sc *s)
{
	s->val[0] = msgget(IPC_PRIVATE, 0600);
	return s->val[0] < 0 ? -errno : 0;
}

static int prep_queue_full(struct sc *s)
{
	struct message m = { .type = 1 };
	int err = prep_queue(s);

	if (err)
		return err;
	while (!msgsnd(s->val[0], &m, sizeof(m.text), IPC_NOWAIT))
		s->val[1]++;
	return 0;
}

static long call_msgrcv(struct sc *s)
{
	struct message m = {};
	long ret = sc_ret(msgrcv(s->val[0], &m, sizeof(m.text), s->c->arg[0],
				 0));

	return ret == 1 && m.text[0] != 'a' ? SC_TORN : ret;
}

static long call_msgsnd(struct sc *s)
{
	struct message m = { .type = 1 };

	return sc_ret(msgsnd(s->val[0], &m, sizeof(m.text), 0));
}

static void send_message(struct sc *s)
{
	struct message m = { .type = 7, .text = "a" };

	if (msgsnd(s->val[0], &m, 1, IPC_NOWAIT))
		s->val[3] = errno;
}

static void take_message(struct sc *s)
{
	struct message m;

	if (msgrcv(s->val[0], &m, sizeof(m.text), 0, IPC_NOWAIT) < 0)
		s->val[3] = errno;
}

/* Messages in the queue; those fewer than before the one that was taken. */
static long queued(struct sc *s)
{
	struct msqid_ds ds;

	return msgctl(s->val[0], IPC_STAT, &ds) ? -errno :
	       (long)ds.msg_qnum - s->val[1];
}

static void remove_queue(struct sc *s)
{
	msgctl(s->val[0], IPC_RMID, NULL);
}

/* @arg[0]: what the case does to it, [1]: flags, [2]: its value before */
static int prep_sem(struct sc *s)
{
	s->val[0] = semget(IPC_PRIVATE, 1, 0600);
	return s->val[0] < 0 || semctl(s->val[0], 0, SETVAL, s->c->arg[2]) ?
	       -errno : 0;
}

static long call_sem(struct sc *s)
{
	struct timespec ts = sc_limit(s);
	struct sembuf op = {
		.sem_op = s->c->arg[0],
		.sem_flg = s->c->arg[1],
	};

	if (s->c->flags & SC_TIMED)
		return sc_ret(semtimedop(s->val[0], &op, 1, &ts));
	return sc_ret(semop(s->val[0], &op, 1));
}

static void change_sem(struct sc *s)
{
	struct sembuf op = {
		.sem_op = s->c->arg[0] ? 1 : -1,
		.sem_flg = IPC_NOWAIT,
	};

	if (semop(s->val[0], &op, 1))
		s->val[3] = errno;
}

static long sem_value(struct sc *s)
{
	return sc_ret(semctl(s->val[0], 0, GETVAL));
}

static void remove_sem(struct sc *s)
{
	semctl(s->val[0], 0, IPC_RMID);
}

static int prep_mq(struct sc *s)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 16 };

	snprintf(s->buf, sizeof(s->buf), "/syscall_test.%p", s);
	mq_unlink(s->buf);
	s->fd[0] = mq_open(s->buf, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	return s->fd[0] < 0 ? -errno : 0;
}

static int prep_mq_full(struct sc *s)
{
	int err = prep_mq(s);

	if (!err && mq_send(s->fd[0], "a", 1, 0))
		err = -errno;
	return err;
}

static long call_mq_receive(struct sc *s)
{
	struct timespec ts = sc_deadline(s, CLOCK_REALTIME);
	char buf[16];

	if (s->c->flags & SC_TIMED)
		return sc_ret(mq_timedreceive(s->fd[0], buf, 16, NULL, &ts));
	return sc_ret(mq_receive(s->fd[0], buf, 16, NULL));
}

static long call_mq_send(struct sc *s)
{
	struct timespec ts = sc_deadline(s, CLOCK_REALTIME);

	if (s->c->flags & SC_TIMED)
		return sc_ret(mq_timedsend(s->fd[0], "b", 1, 0, &ts));
	return sc_ret(mq_send(s->fd[0], "b", 1, 0));
}

static long call_mq_poll(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };

	return sc_ret(poll(&pfd, 1, -1));
}

static long call_mq_notify(struct sc *s)
{
	struct sigevent ev = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR2,
	};
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (mq_notify(s->fd[0], &ev))
		return -errno;
	return sc_ret(sigwaitinfo(&set, &info));
}

static void mq_put(struct sc *s)
{
	struct timespec past = {};

	if (mq_timedsend(s->fd[0], "a", 1, 0, &past))
		s->val[3] = errno;
}

static void mq_take(struct sc *s)
{
	struct timespec past = {};
	char buf[16];

	if (mq_timedreceive(s->fd[0], buf, 16, NULL, &past) < 0)
		s->val[3] = errno;
}

static long mq_queued(struct sc *s)
{
	struct mq_attr attr;

	return mq_getattr(s->fd[0], &attr) ? -errno : attr.mq_curmsgs;
}

static void mq_remove(struct sc *s)
{
	mq_unlink(s->buf);
}

#define QUEUE(text, prep, fn, finish, ...) \
	{ text, prep, fn, .end = finish, .cleanup = remove_queue, __VA_ARGS__ }
#define SEM(text, finish, ...) \
	{ text, prep_sem, call_sem, .end = finish, .cleanup = remove_sem, \
	  .late = -EAGAIN, __VA_ARGS__ }
#define MQ(text, prep, fn, finish, ...) \
	{ text, prep, fn, .end = finish, .cleanup = mq_remove, \
	  .late = -ETIMEDOUT, __VA_ARGS__ }

static const struct sc_case cases[] = {
	QUEUE("msgrcv", prep_queue, call_msgrcv, send_message,
	      .queue = queued, .fed = 1, .want = 1),
	QUEUE("msgrcv of a type", prep_queue, call_msgrcv, send_message,
	      .queue = queued, .fed = 1, .want = 1, .arg = { 7 }),
	QUEUE("msgrcv of a type or less", prep_queue, call_msgrcv,
	      send_message, .queue = queued, .fed = 1, .want = 1,
	      .arg = { -9 }),
	QUEUE("msgrcv, the queue goes away", prep_queue, call_msgrcv,
	      remove_queue, .want = -EIDRM),
	QUEUE("msgsnd", prep_queue_full, call_msgsnd, take_message,
	      .queue = queued, .fed = -1),
	SEM("semop down", change_sem, .queue = sem_value, .fed = 1,
	    .arg = { -1 }),
	SEM("semop down with SEM_UNDO", change_sem, .queue = sem_value,
	    .fed = 1, .arg = { -1, SEM_UNDO }),
	SEM("semop until zero", change_sem, .arg = { 0, 0, 1 }),
	SEM("semop, the semaphore goes away", remove_sem, .want = -EIDRM,
	    .arg = { -1 }),
	SEM("semop, interrupted", sc_signal, .want = -EINTR, .arg = { -1 }),
	SEM("semtimedop", change_sem, .queue = sem_value, .fed = 1,
	    .flags = SC_TIMED, .arg = { -1 }),
	MQ("mq_receive", prep_mq, call_mq_receive, mq_put,
	   .queue = mq_queued, .fed = 1, .want = 1),
	MQ("mq_timedreceive", prep_mq, call_mq_receive, mq_put,
	   .queue = mq_queued, .fed = 1, .want = 1, .flags = SC_TIMED),
	MQ("mq_send", prep_mq_full, call_mq_send, mq_take,
	   .queue = mq_queued, .fed = 0),
	MQ("mq_timedsend", prep_mq_full, call_mq_send, mq_take,
	   .queue = mq_queued, .fed = 0, .flags = SC_TIMED),
	MQ("mq poll", prep_mq, call_mq_poll, mq_put,
	   .queue = mq_queued, .fed = 1, .want = 1),
	MQ("mq_notify", prep_mq, call_mq_notify, mq_put,
	   .queue = mq_queued, .fed = 1, .want = SIGUSR2),
};

SC_TOPIC(sc_ipc, cases);
