// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: what many cases share.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "syscall_table.h"

/* The other side of a connection has taken what it takes within this time. */
#define FILL_MS		20000

/* Close what belongs to other cases, for who holds it keeps its peer alive. */
void sc_close_others(const struct sc *s)
{
	int next = 3, fd, i;

	for (;;) {
		fd = INT_MAX;
		for (i = 0; i < SC_FDS; i++) {
			if (s->fd[i] >= next && s->fd[i] < fd)
				fd = s->fd[i];
		}
		if (fd > next)
			syscall(SYS_close_range, next,
				fd == INT_MAX ? ~0U : (unsigned int)fd - 1, 0);
		if (fd == INT_MAX)
			return;
		next = fd + 1;
	}
}

int sc_prep_pipe(struct sc *s)
{
	return pipe2(s->fd, O_CLOEXEC) ? -errno : 0;
}

static bool is_inet(int fd)
{
	socklen_t len = sizeof(int);
	int domain;

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_INET;
}

/* How many segments of a TCP connection are on their way; 0 for others. */
static unsigned int nr_unacked(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? 0 : info.tcpi_unacked;
}

int sc_fill(int fd)
{
	int flags = fcntl(fd, F_GETFL), quiet = 0;
	static char zeros[4096];

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	/* Of a terminal or TCP, others move it on, and make room again. */
	while (quiet < 3) {
		quiet++;
		while (write(fd, zeros, sizeof(zeros)) > 0)
			quiet = 0;
		while (write(fd, zeros, 1) > 0)
			quiet = 0;
		if (is_inet(fd)) {
			frz_sleep_ms(80);
			frz_until(!nr_unacked(fd), FILL_MS);
			frz_settle();
		} else if (isatty(fd)) {
			frz_settle();
		}
	}
	fcntl(fd, F_SETFL, flags);
	return 0;
}

int sc_prep_pipe_full(struct sc *s)
{
	int err = sc_prep_pipe(s);

	return err ? err : sc_fill(s->fd[1]);
}

int sc_prep_path(struct sc *s)
{
	static int serial;

	/* Never the same twice: keys are remembered by their name. */
	snprintf(s->path, sizeof(s->path), "/tmp/syscall_test.%d.%d", getpid(),
		 serial++);
	unlink(s->path);
	return 0;
}

void sc_put(struct sc *s)
{
	if (write(s->fd[1], "a", 1) != 1)
		s->val[3] = errno;
}

void sc_put4(struct sc *s)
{
	if (write(s->fd[1], "bcd", 3) != 3)
		s->val[3] = errno;
}

void sc_drain(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };
	static char buf[65536];

	while (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN) &&
	       read(s->fd[0], buf, sizeof(buf)) > 0)
		;
}

long sc_readable(int fd)
{
	static char buf[65536];
	int in = 0;
	ssize_t n;

	n = recv(fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno == ENOTSOCK)
		return ioctl(fd, FIONREAD, &in) ? -errno : in;
	return n < 0 && errno != EAGAIN ? -errno : n < 0 ? 0 : n;
}

long sc_queue(struct sc *s)
{
	return sc_readable(s->fd[0]);
}

void sc_signal(struct sc *s)
{
	kill(s->pid, SIGUSR1);
}

void sc_kill_helper(struct sc *s)
{
	kill(s->helper, SIGKILL);
}

int sc_free_helper(struct sc *s)
{
	return frz_move_process(frz_root(), s->helper);
}

static int (*helper_fn)(void *arg);

static int run_helper(void *arg)
{
	sc_close_others(arg);
	return helper_fn(arg);
}

pid_t sc_spawn_helper(struct sc *s, int (*fn)(void *arg))
{
	helper_fn = fn;
	s->helper = frz_spawn(NULL, run_helper, s);
	return s->helper;
}

int sc_take_fd(struct sc *s, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, s->pid, 0);
	int ret = pidfd < 0 ? -errno :
		  sc_ret(syscall(SYS_pidfd_getfd, pidfd, fd, 0));

	if (pidfd >= 0)
		close(pidfd);
	return ret;
}
