// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: the kinds of work where one task holds another one: ptrace and job
 * control. The one that holds is inside of the cgroup, or stays outside and
 * goes on while the held one is frozen.
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

/* The one who is held. Returns its pid to the one that holds it. */
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
			/* not churn_bump(): steps never get through that on arm64 */
			__atomic_store_n(&peer->count, peer->count + 1,
					 __ATOMIC_RELAXED);
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

static void killed_tracee(struct churn_slot *me)
{
	while (!churn_stopped()) {
		churn_bump(me);
		syscall(SYS_getppid);
	}
	_exit(0);
}

/* ESRCH: it was killed; EPERM: and is on its way out. Whether it lives */
static bool ask(struct churn_slot *me, int how, pid_t pid, const void *addr)
{
	errno = 0;
	if (ptrace(how, pid, addr, NULL) != -1 || !errno)
		return true;
	if (errno != ESRCH && (errno != EPERM || how != PTRACE_SEIZE))
		churn_leak(me, "ptrace request %d", how);
	return false;
}

/* A tracee that stops and goes on, and is looked at in between; false: dead */
static bool look_at_tracee(struct churn_slot *me, pid_t pid, const void *page)
{
	siginfo_t info = { 0 };
	int i;

	if (!ask(me, PTRACE_INTERRUPT, pid, NULL))
		return false;
	/* The end is left to churn_kill_victim(). */
	if (waitid(P_PID, pid, &info, WSTOPPED | WEXITED | WNOWAIT) ||
	    info.si_code != CLD_TRAPPED)
		return false;
	waitid(P_PID, pid, &info, WSTOPPED | WNOHANG);
	for (i = 0; i < 4; i++)
		if (!ask(me, PTRACE_PEEKDATA, pid, i & 1 ? me : page))
			return false;
	return ask(me, PTRACE_CONT, pid, NULL);
}

/*
 * A tracer's requests, some of which wait for the server of a file system,
 * while somebody kills the tracee. The tracee has the page of the file and never
 * reads it: if it was killed in there, its own signal would be a leak.
 */
void work_ptrace_kill(struct churn_slot *me)
{
	while (!churn_stopped()) {
		int rounds = 1 + churn_rand() % 8;
		const void *page = churn_map_fuse();
		pid_t pid;

		if (!page) {
			churn_leak(me, "mapping of the FUSE file");
			return;
		}
		pid = churn_fork();
		if (!pid)
			killed_tracee(&me[1]);
		if (pid < 0) {
			churn_leak(me, "fork: %d", pid);
			return;
		}
		churn_use_victim(me, pid);
		if (ask(me, PTRACE_SEIZE, pid, NULL))
			while (rounds-- && look_at_tracee(me, pid, page))
				;
		churn_kill_victim(me, pid);
		churn_unmap_fuse(page);
	}
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
