// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: the kinds of work where one task holds another one: ptrace and job
 * control. The holder is inside of the cgroup, or stays outside and goes on
 * while the held one is frozen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "churn.h"

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP	128
#endif

/* The one who is held. Returns its pid to the holder. */
static pid_t start_held(struct churn_slot *me)
{
	struct churn_slot *peer = &me[1];
	pid_t pid;

	peer->where = me->where == CHURN_NOWHERE ? CHURN_TOP : me->where;
	pid = churn_fork();
	if (!pid) {
		if (me->where == CHURN_NOWHERE)
			churn_join(peer, peer->where);
		while (!churn_stopped()) {
			churn_bump(peer);
			syscall(SYS_getppid);
		}
		_exit(0);
	}
	if (pid < 0) {
		churn_leak(me, "fork: %d", pid);
		_exit(1);
	}
	while (!__atomic_load_n(&peer->count, __ATOMIC_RELAXED))
		churn_usleep(100);
	churn_use(peer, peer->where, pid);
	return pid;
}

static void wait_stop(struct churn_slot *me, pid_t pid, int want)
{
	int status = 0;
	pid_t got = waitpid(pid, &status, __WALL);

	if (got != pid)
		churn_leak(me, "waitpid: %d", got);
	else if (!WIFSTOPPED(status) || status >> 8 != want)
		churn_leak(me, "tracee status 0x%x, expected 0x%x", status,
			   want << 8 | 0x7f);
}

static void resume(struct churn_slot *me, int how, pid_t pid)
{
	if (ptrace(how, pid, NULL, NULL))
		churn_leak(me, "ptrace request %d", how);
}

static void trace(struct churn_slot *me, int how)
{
	const int event_stop = SIGTRAP | PTRACE_EVENT_STOP << 8;
	const long opts = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
	pid_t pid = start_held(me);

	errno = 0;
	if (ptrace(PTRACE_SEIZE, pid, NULL, opts)) {
		churn_leak(me, "PTRACE_SEIZE");
		return;
	}
	resume(me, PTRACE_INTERRUPT, pid);
	wait_stop(me, pid, event_stop);
	while (!churn_stopped()) {
		resume(me, how, pid);
		switch (how) {
		case PTRACE_SINGLESTEP:
			wait_stop(me, pid, SIGTRAP);
			break;
		case PTRACE_SYSCALL:
			wait_stop(me, pid, SIGTRAP | 0x80);
			break;
		default:
			churn_usleep(churn_rand() % 300);
			resume(me, PTRACE_INTERRUPT, pid);
			wait_stop(me, pid, event_stop);
			break;
		}
		churn_bump(me);
	}
	kill(pid, SIGKILL);
}

void work_ptrace_step(struct churn_slot *me)
{
	trace(me, PTRACE_SINGLESTEP);
}

void work_ptrace_syscall(struct churn_slot *me)
{
	trace(me, PTRACE_SYSCALL);
}

void work_ptrace_interrupt(struct churn_slot *me)
{
	trace(me, PTRACE_CONT);
}

void work_jobctl(struct churn_slot *me)
{
	pid_t pid = start_held(me);

	while (!churn_stopped()) {
		int status = 0;
		pid_t got;

		kill(pid, SIGSTOP);
		got = waitpid(pid, &status, WUNTRACED);
		if (got != pid || !WIFSTOPPED(status) ||
		    WSTOPSIG(status) != SIGSTOP)
			churn_leak(me, "stop: waitpid %d, status 0x%x", got,
				   status);
		if (churn_rand() & 1)
			churn_usleep(churn_rand() % 300);
		kill(pid, SIGCONT);
		got = waitpid(pid, &status, WCONTINUED);
		if (got != pid || !WIFCONTINUED(status))
			churn_leak(me, "continue: waitpid %d, status 0x%x",
				   got, status);
		if (churn_rand() & 1)
			churn_usleep(churn_rand() % 300);
		churn_bump(me);
	}
	kill(pid, SIGKILL);
}
