// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: accept and connect.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "syscall_table.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

/* A name in the abstract name space, so nothing is left behind. */
static socklen_t make_address(struct sc *s, struct sockaddr_storage *ss)
{
	struct sockaddr_un *un = (void *)ss;
	struct sockaddr_in *in = (void *)ss;
	struct sockaddr_vm *vm = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = s->c->arg[0];
	switch (s->c->arg[0]) {
	case AF_UNIX:
		return offsetof(struct sockaddr_un, sun_path) + 1 +
		       sprintf(un->sun_path + 1, "syscall_test%p", s);
	case AF_INET:
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*in);
	default:
		vm->svm_cid = VMADDR_CID_ANY;
		vm->svm_port = VMADDR_PORT_ANY;
		return sizeof(*vm);
	}
}

/* A socket of MPTCP has clients with TCP as well. */
static int make_socket(struct sc *s, int type)
{
	return socket(s->c->arg[0], type | SOCK_CLOEXEC, 0);
}

static int make_listener(struct sc *s)
{
	return socket(s->c->arg[0], s->c->arg[1] | SOCK_CLOEXEC, s->c->arg[3]);
}

static bool has_mptcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	close(fd);
	return fd >= 0;
}

/* fd[0] listens, its address is in buf. */
static int prep_listen(struct sc *s)
{
	struct timeval tv = {
		.tv_sec = s->ms / 1000,
		.tv_usec = s->ms % 1000 * 1000,
	};
	struct sockaddr_storage ss;
	socklen_t len = make_address(s, &ss);

	s->fd[0] = make_listener(s);
	if (s->fd[0] < 0 || bind(s->fd[0], (struct sockaddr *)&ss, len) ||
	    listen(s->fd[0], s->c->arg[2]))
		return -errno;
	len = sizeof(ss);
	getsockname(s->fd[0], (struct sockaddr *)&ss, &len);
	if (ss.ss_family == AF_VSOCK)
		((struct sockaddr_vm *)&ss)->svm_cid = VMADDR_CID_LOCAL;
	memcpy(s->buf, &ss, len);
	s->val[0] = len;
	if ((s->c->flags & SC_TIMED) &&
	    setsockopt(s->fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		return -errno;
	return 0;
}

static long call_accept(struct sc *s)
{
	return accept(s->fd[0], NULL, NULL) < 0 ? -errno : 0;
}

static long call_accept4(struct sc *s)
{
	return accept4(s->fd[0], NULL, NULL, SOCK_CLOEXEC) < 0 ? -errno : 0;
}

static long call_poll(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };

	return sc_ret(poll(&pfd, 1, -1));
}

/* Is there a connection to accept? */
static long queue(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };

	return sc_ret(poll(&pfd, 1, 0));
}

/* The other side does not wait for the case. */
static void connect_to(struct sc *s)
{
	s->fd[1] = make_socket(s, s->c->arg[1] | SOCK_NONBLOCK);
	if (connect(s->fd[1], (struct sockaddr *)s->buf, s->val[0]) &&
	    errno != EINPROGRESS)
		s->val[3] = errno;
}

/* fd[2] and fd[3] fill the queue of fd[0], fd[1] is to connect. */
static int prep_connect(struct sc *s)
{
	struct timeval tv = {
		.tv_sec = s->ms / 1000,
		.tv_usec = s->ms % 1000 * 1000,
	};
	int err = prep_listen(s), i;

	if (err)
		return err;
	for (i = 2; i < 4; i++) {
		s->fd[i] = make_socket(s, s->c->arg[1] | SOCK_NONBLOCK);
		connect(s->fd[i], (struct sockaddr *)s->buf, s->val[0]);
	}
	s->fd[1] = make_socket(s, s->c->arg[1]);
	if ((s->c->flags & SC_TIMED) &&
	    setsockopt(s->fd[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)))
		return -errno;
	return s->fd[1] < 0 ? -errno : 0;
}

static long call_connect(struct sc *s)
{
	return sc_ret(connect(s->fd[1], (struct sockaddr *)s->buf, s->val[0]));
}

static void accept_all(struct sc *s)
{
	int fd, flags = fcntl(s->fd[0], F_GETFL);

	fcntl(s->fd[0], F_SETFL, flags | O_NONBLOCK);
	while ((fd = accept(s->fd[0], NULL, NULL)) >= 0)
		close(fd);
	fcntl(s->fd[0], F_SETFL, flags);
}

#define ACCEPT(text, family, type) \
	ACCEPT_BUT(text, family, type, NULL, NULL)
#define ACCEPT_BUT(text, family, type, why_not_fed, why_not_guarded) \
	{ text " accept", prep_listen, call_accept, .end = connect_to, \
	  .queue = queue, .fed = 1, .arg = { family, type, 5 }, \
	  .unfed = why_not_fed }, \
	{ text " accept4", prep_listen, call_accept4, .end = connect_to, \
	  .queue = queue, .fed = 1, .arg = { family, type, 5 }, \
	  .unfed = why_not_fed }, \
	{ text " accept with a limit", prep_listen, call_accept, \
	  .end = connect_to, .queue = queue, .fed = 1, .late = -EAGAIN, \
	  .flags = SC_TIMED | SC_JIFFIES, .arg = { family, type, 5 }, \
	  .unfed = why_not_fed, .unguarded = why_not_guarded }, \
	{ text " poll for a connection", prep_listen, call_poll, \
	  .end = connect_to, .queue = queue, .fed = 1, .want = 1, \
	  .arg = { family, type, 5 } }

static const struct sc_case cases[] = {
	ACCEPT("unix", AF_UNIX, SOCK_STREAM),
	ACCEPT("TCP", AF_INET, SOCK_STREAM),
	ACCEPT_BUT("vsock", AF_VSOCK, SOCK_STREAM, SC_ASLEEP, SC_NO_RESTART),
	{ "MPTCP accept", prep_listen, call_accept, .end = connect_to,
	  .queue = queue, .fed = 1, .exists = has_mptcp,
	  .arg = { AF_INET, SOCK_STREAM, 5, IPPROTO_MPTCP } },
	{ "unix connect", prep_connect, call_connect, .end = accept_all,
	  .queue = queue, .fed = 0, .flags = SC_REPEAT,
	  .arg = { AF_UNIX, SOCK_STREAM, 0 } },
	{ "unix connect with a limit", prep_connect, call_connect,
	  .end = accept_all, .queue = queue, .fed = 0, .late = -EAGAIN,
	  .flags = SC_REPEAT | SC_TIMED | SC_JIFFIES,
	  .arg = { AF_UNIX, SOCK_STREAM, 0 } },
	{ "TCP connect", prep_connect, call_connect, .end = accept_all,
	  .flags = SC_REPEAT, .arg = { AF_INET, SOCK_STREAM, 0 } },
	{ "TCP connect with a limit", prep_connect, call_connect,
	  .end = accept_all, .late = -EINPROGRESS,
	  .flags = SC_REPEAT | SC_TIMED | SC_JIFFIES,
	  .arg = { AF_INET, SOCK_STREAM, 0 } },
};

SC_TOPIC(sc_connect, cases);
