// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: the kinds of work where tasks talk to each other, and memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "churn.h"
#include "syscalls.h"

static pid_t start_peer(struct churn_slot *me)
{
	pid_t pid = churn_fork();

	if (!pid)
		return 0;
	if (pid < 0) {
		churn_leak(me, "fork: %d", pid);
		_exit(1);
	}
	churn_use(&me[1], me->where, pid);
	return pid;
}

static void ping_pong(struct churn_slot *me, int in, int out, bool first)
{
	char c = 'x';

	while (!churn_stopped()) {
		ssize_t ret;

		if (first) {
			ret = write(out, &c, 1);
			if (ret != 1)
				churn_leak(me, "write: %zd, expected 1", ret);
		}
		first = true;
		ret = read(in, &c, 1);
		if (ret != 1)
			churn_leak(me, "read: %zd, expected 1", ret);
		churn_bump(me);
	}
	_exit(0);
}

void work_pipes(struct churn_slot *me)
{
	int ab[2], ba[2];

	if (pipe(ab) || pipe(ba)) {
		churn_leak(me, "pipe");
		return;
	}
	if (!start_peer(me))
		ping_pong(&me[1], ab[0], ba[1], false);
	ping_pong(me, ba[0], ab[1], true);
}

void work_sockets(struct churn_slot *me)
{
	int type = churn_index(me) & 2 ? SOCK_STREAM : SOCK_DGRAM;
	int sk[2];

	if (socketpair(AF_UNIX, type, 0, sk)) {
		churn_leak(me, "socketpair");
		return;
	}
	if (!start_peer(me))
		ping_pong(&me[1], sk[1], sk[1], false);
	ping_pong(me, sk[0], sk[0], true);
}

/* @word belongs to whom it names; each hands it to the other one. */
static void futex_ping_pong(struct churn_slot *me, uint32_t *word, uint32_t my)
{
	while (!churn_stopped()) {
		uint32_t now = __atomic_load_n(word, __ATOMIC_ACQUIRE);
		long ret;

		if (now != my) {
			ret = syscall(SYS_futex, word, FUTEX_WAIT, now, NULL);
			if (ret && errno != EAGAIN)
				churn_leak(me, "futex wait: %ld", ret);
			continue;
		}
		churn_bump(me);
		__atomic_store_n(word, !my, __ATOMIC_RELEASE);
		ret = syscall(SYS_futex, word, FUTEX_WAKE, 1);
		if (ret < 0)
			churn_leak(me, "futex wake: %ld", ret);
	}
	_exit(0);
}

void work_futex(struct churn_slot *me)
{
	if (!start_peer(me))
		futex_ping_pong(&me[1], &me->word, 1);
	futex_ping_pong(me, &me->word, 0);
}

static struct churn_slot *handler_slot;

static void bump_handler(int sig)
{
	(void)sig;
	churn_bump(handler_slot);
}

static void catch_signals(struct churn_slot *me)
{
	struct sigaction sa = { .sa_handler = bump_handler };

	handler_slot = me;
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
}

static void signal_storm(struct churn_slot *me, pid_t other)
{
	union sigval value = { .sival_int = 1 };

	while (!churn_stopped()) {
		switch (churn_rand() % 4) {
		case 0:
			kill(other, SIGUSR1);
			break;
		case 1:
			kill(other, SIGUSR2);
			break;
		case 2:
			sigqueue(other, SIGRTMIN, value);
			break;
		default:
			churn_usleep(churn_rand() % 300);
			break;
		}
		churn_bump(me);
	}
	_exit(0);
}

void work_signals(struct churn_slot *me)
{
	pid_t self = getpid(), pid;

	catch_signals(me);
	pid = churn_fork();
	if (!pid) {
		handler_slot = &me[1];
		signal_storm(&me[1], self);
	}
	if (pid < 0) {
		churn_leak(me, "fork: %d", pid);
		return;
	}
	churn_use(&me[1], me->where, pid);
	signal_storm(me, pid);
}

/* From outside to any task that has a handler, frozen or not. */
void work_signals_outside(struct churn_slot *me)
{
	static const int sigs[] = { SIGUSR1, SIGUSR2, SIGCONT, SIGURG };

	while (!churn_stopped()) {
		struct churn_slot *slot;

		slot = &churn->slot[churn_rand() % (2 * churn->nr_workers)];
		if (slot->where != CHURN_NOWHERE && slot->tid > 0 &&
		    __atomic_load_n(&slot->count, __ATOMIC_RELAXED))
			kill(slot->tid, sigs[churn_rand() % 4]);
		churn_usleep(churn_rand() % 300);
		churn_bump(me);
	}
}

/* A signal from a timer every millisecond, computing and sleeping. */
void work_timers(struct churn_slot *me)
{
	struct itimerval itv = {
		.it_interval.tv_usec = 1000,
		.it_value.tv_usec = 1000,
	};

	catch_signals(me);
	setitimer(ITIMER_REAL, &itv, NULL);
	while (!churn_stopped()) {
		if (churn_rand() & 1)
			churn_usleep(500);
		churn_bump(me);
	}
}

/* Map, fault in, share with a child, change, unmap. */
void work_faults(struct churn_slot *me)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const size_t size = 64 * page;

	while (!churn_stopped()) {
		size_t i;
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			churn_leak(me, "mmap");
			continue;
		}
		for (i = 0; i < size; i += page)
			p[i] = i / page;
		if (mprotect(p, size / 2, PROT_READ))
			churn_leak(me, "mprotect");
		if (madvise(p + size / 2, size / 2, MADV_DONTNEED))
			churn_leak(me, "madvise");
		for (i = 0; i < size; i += page)
			if (p[i] != (i < size / 2 ? (char)(i / page) : 0))
				churn_leak(me, "page %zu changed", i / page);
		if (munmap(p, size))
			churn_leak(me, "munmap");
		churn_bump(me);
	}
}
