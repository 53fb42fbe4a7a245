// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: terminals and the kernel log.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <termios.h>

#include "syscall_table.h"

/*
 * fd[0]: the terminal, fd[1]: its master. @arg[0]: 0 lines, 1 raw; [1], [2]:
 * VMIN and VTIME, where -1 stands for the limit, rounded down to 0.1 s.
 */
static int prep_pty(struct sc *s)
{
	struct termios t;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) || unlockpt(master))
		return -errno;
	s->fd[1] = master;
	s->fd[0] = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->fd[0] < 0 || tcgetattr(s->fd[0], &t))
		return -errno;
	t.c_lflag &= ~ECHO;
	if (s->c->arg[0]) {
		cfmakeraw(&t);
		t.c_cc[VMIN] = s->c->arg[1];
		t.c_cc[VTIME] = s->c->arg[2];
		if (s->c->arg[2] < 0)
			t.c_cc[VTIME] = s->ms < 25000 ? s->ms / 100 : 250;
	}
	return tcsetattr(s->fd[0], TCSANOW, &t) ? -errno : 0;
}

static int prep_pty_one(struct sc *s)
{
	int err = prep_pty(s);

	if (!err && write(s->fd[1], "a", 1) != 1)
		err = -errno;
	return err;
}

static int prep_pty_off(struct sc *s)
{
	int err = prep_pty(s);

	if (!err && tcflow(s->fd[0], TCOOFF))
		err = -errno;
	return err;
}

/* A line that is not read: the output waits for it. */
static int prep_pty_full(struct sc *s)
{
	int err = prep_pty(s);

	return err ? err : sc_fill(s->fd[0]);
}

static long call_read(struct sc *s)
{
	char buf[16];

	return sc_ret(read(s->fd[0], buf, sizeof(buf)));
}

static long call_read_master(struct sc *s)
{
	char buf[16];

	return sc_ret(read(s->fd[1], buf, sizeof(buf)));
}

static long call_write(struct sc *s)
{
	return sc_ret(write(s->fd[0], "x", 1));
}

static long call_poll(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };

	return sc_ret(poll(&pfd, 1, -1));
}

static void put_line(struct sc *s)
{
	if (write(s->fd[1], "ab\n", 3) != 3)
		s->val[3] = errno;
}

static void put_slave(struct sc *s)
{
	if (write(s->fd[0], "ab", 2) != 2)
		s->val[3] = errno;
}

static void drain_master(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[1], .events = POLLIN };
	char buf[4096];

	while (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN) &&
	       read(s->fd[1], buf, sizeof(buf)) > 0)
		;
}

static void flow_on(struct sc *s)
{
	tcflow(s->fd[0], TCOON);
}

static void hang_up(struct sc *s)
{
	close(s->fd[1]);
	s->fd[1] = -1;
}

static long call_read_hangup(struct sc *s)
{
	close(s->fd[1]);
	return call_read(s);
}

static int prep_kmsg(struct sc *s)
{
	s->fd[0] = open("/dev/kmsg", O_RDONLY | O_CLOEXEC);
	if (s->fd[0] < 0 || lseek(s->fd[0], 0, SEEK_END) < 0)
		return -errno;
	s->fd[1] = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	return s->fd[1] < 0 ? -errno : 0;
}

#define LINE	"syscall_test: a line of the log\n"

/* The kernel may have something to say meanwhile. */
static long call_kmsg(struct sc *s)
{
	char buf[8192];
	long ret;

	do {
		memset(buf, 0, sizeof(buf));
		ret = sc_ret(read(s->fd[0], buf, sizeof(buf) - 1));
	} while (ret > 0 && !strstr(buf, LINE));
	return ret > 0 ? 0 : ret;
}

/* syslog(2) has one position for all; begin at the end. */
static int prep_klog(struct sc *s)
{
	static char buf[4096];

	while (klogctl(9, NULL, 0) > 0 && klogctl(2, buf, sizeof(buf)) > 0)
		;
	return prep_kmsg(s);
}

static long call_klog(struct sc *s)
{
	char buf[8192];
	long ret;

	do {
		memset(buf, 0, sizeof(buf));
		ret = sc_ret(klogctl(2, buf, sizeof(buf) - 1));
	} while (ret > 0 && !strstr(buf, LINE));
	return ret > 0 ? 0 : ret;
}

static void put_kmsg(struct sc *s)
{
	if (write(s->fd[1], LINE, sizeof(LINE) - 1) < 0)
		s->val[3] = errno;
}

#define TTY(...) \
	{ __VA_ARGS__, .unfed = SC_ASLEEP }

static const struct sc_case cases[] = {
	TTY("tty read of a line", prep_pty, call_read, .end = put_line,
	    .want = 3),
	TTY("tty read, raw", prep_pty, call_read, .end = sc_put, .want = 1,
	    .arg = { 1, 1, 0 }),
	TTY("tty read of four", prep_pty_one, call_read, .end = sc_put4,
	    .want = 4, .arg = { 1, 4, 0 }, .unguarded = SC_NO_RESTART),
	TTY("tty read with VTIME", prep_pty, call_read, .end = sc_put,
	    .want = 1, .late = 0, .flags = SC_TIMED | SC_JIFFIES,
	    .arg = { 1, 0, -1 }),
	TTY("tty read with VMIN and VTIME", prep_pty_one, call_read,
	    .end = sc_put4, .want = 4, .late = 1,
	    .flags = SC_TIMED | SC_JIFFIES, .arg = { 1, 4, -1 },
	    .unguarded = SC_NO_RESTART),
	TTY("tty read until a hang-up", prep_pty, call_read_hangup,
	    .end = hang_up, .want = -EIO,
	    .unguarded = "a read that starts over after the hang-up returns 0"),
	TTY("tty read, interrupted", prep_pty, call_read, .end = sc_signal,
	    .want = -EINTR),
	{ "tty poll", prep_pty, call_poll, .end = put_line, .want = 1 },
	TTY("pty master read", prep_pty, call_read_master, .end = put_slave,
	    .want = 2, .arg = { 1, 1, 0 }),
	TTY("tty write, stopped", prep_pty_off, call_write, .end = flow_on,
	    .want = 1),
	TTY("tty write, full", prep_pty_full, call_write, .end = drain_master,
	    .want = 1, .flags = SC_REPEAT),
	TTY("kmsg read", prep_kmsg, call_kmsg, .end = put_kmsg),
	TTY("syslog read", prep_klog, call_klog, .end = put_kmsg),
};

SC_TOPIC(sc_tty, cases);
