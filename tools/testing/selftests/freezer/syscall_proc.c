// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: waits for processes, stops, tracing, and what is
 * answered by a supervisor (seccomp, userfaultfd).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "syscall_table.h"

#ifndef P_PIDFD
#define P_PIDFD	3
#endif

/*
 * The child of a case waits for a byte from the test, which for most cases takes
 * it out of the group before: it ends, or stops, while its parent is frozen.
 */
static int child_main(struct sc *s)
{
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(s->fd[0], &c, 1) == 1 && s->c->arg[2])
		raise(SIGSTOP);
	_exit(3);
}

static pid_t fork_child(struct sc *s)
{
	pid_t pid = fork();

	if (!pid)
		child_main(s);
	if (pid > 0 && s->c->arg[0] == P_PGID)
		setpgid(pid, pid);
	frz_store((unsigned long *)&s->val[0], pid);
	return pid;
}

static void free_child(struct sc *s)
{
	pid_t pid = frz_load((unsigned long *)&s->val[0]);

	if (pid > 0 && !s->val[1])
		s->val[1] = !frz_move_process(frz_root(), pid);
}

static void end_child(struct sc *s)
{
	sc_put(s);
}

static void kill_child(struct sc *s)
{
	if (s->val[0] > 0)
		kill(s->val[0], SIGKILL);
}

/* 0 when it was the right child, and how it ended. */
static long judge(pid_t pid, pid_t want, int status)
{
	if (pid < 0)
		return -errno;
	return pid != want || !WIFEXITED(status) || WEXITSTATUS(status) != 3 ?
	       SC_TORN : 0;
}

static long call_waitpid(struct sc *s)
{
	pid_t pid = fork_child(s);
	int status = 0;
	pid_t ret = waitpid(pid, &status, __WALL);

	return judge(ret, pid, status);
}

static long call_wait4(struct sc *s)
{
	pid_t pid = fork_child(s);
	int status = 0;
	pid_t ret = wait4(-1, &status, 0, NULL);

	return judge(ret, pid, status);
}

static long call_waitid(struct sc *s)
{
	siginfo_t info = {};
	pid_t pid = fork_child(s);
	int id = s->c->arg[0] == P_PIDFD ? syscall(SYS_pidfd_open, pid, 0) :
					   pid;

	if (waitid(s->c->arg[0], id, &info, WEXITED | s->c->arg[1]))
		return -errno;
	return info.si_pid != pid || info.si_status != 3 ? SC_TORN : 0;
}

static long call_wait_stop(struct sc *s)
{
	pid_t pid = fork_child(s);
	int status = 0;

	if (waitpid(pid, &status, WUNTRACED) < 0)
		return -errno;
	return WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP ? 0 : SC_TORN;
}

static long call_pidfd_poll(struct sc *s)
{
	struct pollfd pfd = { .events = POLLIN };

	pfd.fd = syscall(SYS_pidfd_open, fork_child(s), 0);
	return pfd.fd < 0 ? -errno :
	       sc_ret(poll(&pfd, 1, s->c->flags & SC_TIMED ? s->ms : -1));
}

static long call_vfork(struct sc *s)
{
	pid_t pid = vfork();
	char c;

	if (!pid) {
		s->val[0] = getpid();
		syscall(SYS_read, s->fd[0], &c, 1);
		_exit(3);
	}
	return pid < 0 ? -errno : pid == s->val[0] ? 0 : SC_TORN;
}

/* A thread that is traced by another process of the group's outside. */
static long call_trace_wait(struct sc *s)
{
	pid_t pid = fork_child(s);
	int status = 0;

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT))
		return -errno;
	if (waitpid(pid, &status, __WALL) < 0)
		return -errno;
	return status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXIT << 8)) ? 0 :
	       SC_TORN;
}

/* The test traces the case: a stop at an event. */
static long call_trace_stop(struct sc *s)
{
	long ret;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	ret = sc_ret(kill(getpid(), SIGUSR2));
	return ret;
}

/* Takes the event once; afterwards there is none. */
static void pump_trace_stop(struct sc *s)
{
	int status;

	if (frz_load(&s->begun) && !s->val[0] &&
	    waitpid(s->pid, &status, WNOHANG) == s->pid)
		s->val[0] = WIFSTOPPED(status) ? WSTOPSIG(status) : -1;
}

static void resume(struct sc *s)
{
	if (s->val[0] != SIGUSR2 || ptrace(PTRACE_CONT, s->pid, 0, 0))
		s->val[3] = errno;
}

/* A job-control stop, seen once by the parent, ended by SIGCONT. */
static long call_stop(struct sc *s)
{
	return sc_ret(kill(getpid(), SIGSTOP));
}

static void pump_stop(struct sc *s)
{
	int status;

	if (frz_load(&s->begun) && !s->val[0] &&
	    waitpid(s->pid, &status, WNOHANG | WUNTRACED) == s->pid)
		s->val[0] = WIFSTOPPED(status) ? WSTOPSIG(status) : -1;
}

static void go_on(struct sc *s)
{
	kill(s->pid, SIGCONT);
}

/* getppid() is answered by the test. */
static long call_seccomp(struct sc *s)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, filter };
	long fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_NEW_LISTENER | s->c->arg[0], &prog);
	if (fd < 0)
		return -errno;
	frz_store((unsigned long *)&s->val[0], fd);
	return sc_ret(syscall(SYS_getppid));
}

static void pump_seccomp(struct sc *s)
{
	struct seccomp_notif req = {};
	struct pollfd pfd = { .events = POLLIN };

	if (!frz_load((unsigned long *)&s->val[0]) || s->val[1])
		return;
	if (s->fd[0] < 0)
		s->fd[0] = sc_take_fd(s, s->val[0]);
	pfd.fd = s->fd[0];
	if (poll(&pfd, 1, 0) == 1 &&
	    !ioctl(s->fd[0], SECCOMP_IOCTL_NOTIF_RECV, &req)) {
		memcpy(s->obj, &req, sizeof(req));
		s->val[1] = 1;
	}
}

/* It is the same call still: nothing has restarted it. */
static void answer_seccomp(struct sc *s)
{
	struct seccomp_notif *req = (void *)s->obj;
	struct seccomp_notif_resp resp = { .id = req->id, .val = 4711 };

	if (!s->val[1] ||
	    ioctl(s->fd[0], SECCOMP_IOCTL_NOTIF_ID_VALID, &req->id) ||
	    ioctl(s->fd[0], SECCOMP_IOCTL_NOTIF_SEND, &resp))
		s->val[3] = errno;
}

/* A page that is not there; the test puts it in. @arg[0]: read() into it. */
static long call_fault(struct sc *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	reg.range.start = (unsigned long)page;
	reg.range.len = getpagesize();
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		return -errno;
	s->val[1] = (long)page;
	frz_store((unsigned long *)&s->val[0], fd);
	if (s->c->arg[0]) {
		int zero = open("/dev/zero", O_RDONLY);

		return sc_ret(read(zero, page, 16));
	}
	return __atomic_load_n(page, __ATOMIC_SEQ_CST);
}

static void pump_fault(struct sc *s)
{
	if (frz_load((unsigned long *)&s->val[0]) && s->fd[0] < 0)
		s->fd[0] = sc_take_fd(s, s->val[0]);
}

static void fill_page(struct sc *s)
{
	static char page[65536] = { 42 };	/* no page is larger */
	struct uffdio_copy copy = {
		.dst = s->val[1],
		.src = (unsigned long)page,
		.len = getpagesize(),
	};

	if (ioctl(s->fd[0], UFFDIO_COPY, &copy))
		s->val[3] = errno;
}

#define CHILD(text, fn, ...) \
	{ text, sc_prep_pipe, fn, .pump = free_child, .end = end_child, \
	  .cleanup = kill_child, __VA_ARGS__ }

/* It reads the byte at the thaw, and not before. */
#define CHILD_INSIDE(text, fn) \
	{ text, sc_prep_pipe, fn, .end = end_child, .cleanup = kill_child, \
	  .queue = sc_queue, .fed = 1 }

static const struct sc_case cases[] = {
	CHILD("waitpid", call_waitpid),
	CHILD("wait4 of any", call_wait4),
	CHILD("waitid of any", call_waitid, .arg = { P_ALL }),
	CHILD("waitid of a pid", call_waitid, .arg = { P_PID }),
	CHILD("waitid of a group", call_waitid, .arg = { P_PGID }),
	CHILD("waitid of a pidfd", call_waitid, .arg = { P_PIDFD }),
	CHILD("waitid without taking", call_waitid, .arg = { P_PID, WNOWAIT }),
	CHILD("waitpid for a stop", call_wait_stop, .arg = { P_PID, 0, 1 }),
	CHILD("waitpid of a tracer", call_trace_wait),
	CHILD("pidfd poll", call_pidfd_poll, .want = 1),
	CHILD("pidfd poll with a limit", call_pidfd_poll, .want = 1,
	      .flags = SC_TIMED),
	CHILD("vfork", call_vfork),
	CHILD_INSIDE("waitpid, of a child in the group", call_waitpid),
	CHILD_INSIDE("vfork, of a child in the group", call_vfork),
	{ "stop of a tracee", NULL, call_trace_stop, .pump = pump_trace_stop,
	  .end = resume, .flags = SC_STOPPED | SC_HELD_BACK },
	{ "stop by a signal", NULL, call_stop, .pump = pump_stop,
	  .end = go_on, .flags = SC_STOPPED },
	{ "seccomp notification", NULL, call_seccomp, .pump = pump_seccomp,
	  .end = answer_seccomp, .want = 4711, .unfed = SC_ASLEEP,
	  .unguarded = "its server sees the call start over" },
	{ "seccomp notification, killable", NULL, call_seccomp,
	  .pump = pump_seccomp, .end = answer_seccomp, .want = 4711,
	  .arg = { SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	  .unfed = SC_ASLEEP, .unguarded = SC_REFUSED },
	{ "userfaultfd, fault in user mode", NULL, call_fault,
	  .pump = pump_fault, .end = fill_page, .want = 42,
	  .unfed = SC_ASLEEP },
	{ "userfaultfd, fault in a read", NULL, call_fault,
	  .pump = pump_fault, .end = fill_page, .want = 16, .arg = { 1 },
	  .unfed = SC_ASLEEP,
	  .unguarded = "a signal that is pending makes such a fault spin" },
};

SC_TOPIC(sc_proc, cases);
