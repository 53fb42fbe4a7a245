// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: what goes through sockets, of each family.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>

#include "syscall_table.h"

#define LARGE	0x100000
#define PROTO	0x88b5		/* for experiments */
#define RAW	253		/* likewise */

#define MANY	600

enum kind { UNIX_STREAM, UNIX_DGRAM, UNIX_ONE_WAY, UNIX_PACKET, TCP, UDP, RAWIP,
	    NETLINK, PACKET, VSOCK };

/* The address that the kernel gave to @fd. */
static socklen_t own_address(int fd, struct sockaddr_storage *ss)
{
	socklen_t len = sizeof(*ss);

	return getsockname(fd, (struct sockaddr *)ss, &len) ? 0 : len;
}

/* fd[0]: the case's end, fd[1]: the other one, both connected. */
static int prep_stream(struct sc *s, int family)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_vm vm = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY,
		.svm_port = VMADDR_PORT_ANY,
	};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	int size = 16384;
	struct sockaddr_storage ss;
	socklen_t len;

	s->fd[0] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || s->fd[0] < 0)
		return -errno;
	/* Small, and not to grow: a large transfer does not fit in. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(s->fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (family == AF_INET ?
	    bind(fd, (struct sockaddr *)&in, sizeof(in)) :
	    bind(fd, (struct sockaddr *)&vm, sizeof(vm)))
		return -errno;
	len = own_address(fd, &ss);
	if (family == AF_VSOCK)
		((struct sockaddr_vm *)&ss)->svm_cid = VMADDR_CID_LOCAL;
	if (listen(fd, 1) || connect(s->fd[0], (struct sockaddr *)&ss, len))
		return -errno;
	s->fd[1] = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	close(fd);
	if (family == AF_INET)
		setsockopt(s->fd[1], IPPROTO_TCP, TCP_NODELAY, &one,
			   sizeof(one));
	return s->fd[1] < 0 ? -errno : 0;
}

static int prep_inet(struct sc *s, int type, int proto)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_storage ss;
	socklen_t len;
	int i;

	/* A raw socket has an address for itself per case. */
	if (type == SOCK_RAW)
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 77);
	for (i = 0; i < 2; i++) {
		s->fd[i] = socket(AF_INET, type | SOCK_CLOEXEC, proto);
		if (s->fd[i] < 0)
			return -errno;
	}
	if (bind(s->fd[0], (struct sockaddr *)&in, sizeof(in)))
		return -errno;
	len = own_address(s->fd[0], &ss);
	if (type == SOCK_RAW)
		((struct sockaddr_in *)&ss)->sin_port = 0;
	return connect(s->fd[1], (struct sockaddr *)&ss, len) ? -errno : 0;
}

static int prep_netlink(struct sc *s)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int i;

	for (i = 0; i < 2; i++) {
		struct sockaddr_nl nl = { .nl_family = AF_NETLINK };

		s->fd[i] = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
				  NETLINK_USERSOCK);
		if (s->fd[i] < 0 ||
		    bind(s->fd[i], (struct sockaddr *)&nl, sizeof(nl)))
			return -errno;
	}
	len = own_address(s->fd[0], &ss);
	return connect(s->fd[1], (struct sockaddr *)&ss, len) ? -errno : 0;
}

static int prep_packet(struct sc *s)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(PROTO + s->c->arg[2]),
		.sll_ifindex = if_nametoindex("lo"),
		.sll_halen = 6,
	};

	s->fd[0] = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->fd[1] = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd[0] < 0 || s->fd[1] < 0)
		return -errno;
	memcpy(s->obj, &ll, sizeof(ll));
	return bind(s->fd[0], (struct sockaddr *)&ll, sizeof(ll)) ? -errno : 0;
}

static void put_packet(struct sc *s)
{
	if (sendto(s->fd[1], "a", 1, 0, (struct sockaddr *)s->obj,
		   sizeof(struct sockaddr_ll)) != 1)
		s->val[3] = errno;
}

static int prep_unix(struct sc *s, int type)
{
	return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, s->fd) ? -errno : 0;
}

/* Not a pair: fd[0] waits for room in the queue of fd[1], which has a name. */
static int prep_one_way(struct sc *s)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 1 +
			sprintf(un.sun_path + 1, "syscall_test%p", s);
	int i;

	for (i = 0; i < 2; i++) {
		s->fd[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (s->fd[i] < 0)
			return -errno;
	}
	return bind(s->fd[1], (struct sockaddr *)&un, len) ||
	       connect(s->fd[0], (struct sockaddr *)&un, len) ? -errno : 0;
}

static int prep_pair(struct sc *s)
{
	switch (s->c->arg[0]) {
	case UNIX_STREAM:
		return prep_unix(s, SOCK_STREAM);
	case UNIX_DGRAM:
		return prep_unix(s, SOCK_DGRAM);
	case UNIX_ONE_WAY:
		return prep_one_way(s);
	case UNIX_PACKET:
		return prep_unix(s, SOCK_SEQPACKET);
	case TCP:
		return prep_stream(s, AF_INET);
	case UDP:
		return prep_inet(s, SOCK_DGRAM, 0);
	case RAWIP:
		return prep_inet(s, SOCK_RAW, RAW);
	case NETLINK:
		return prep_netlink(s);
	case PACKET:
		return prep_packet(s);
	default:
		return prep_stream(s, AF_VSOCK);
	}
}

static int set_limit(struct sc *s, int option)
{
	struct timeval tv = {
		.tv_sec = s->ms / 1000,
		.tv_usec = s->ms % 1000 * 1000,
	};

	if (!(s->c->flags & SC_TIMED))
		return 0;
	return setsockopt(s->fd[0], SOL_SOCKET, option, &tv, sizeof(tv)) ?
	       -errno : 0;
}

static int prep_recv(struct sc *s)
{
	int err = prep_pair(s);

	return err ? err : set_limit(s, SO_RCVTIMEO);
}

/* One of the four bytes that the case waits for is there. */
static int prep_one(struct sc *s)
{
	int err = prep_recv(s);

	if (!err && send(s->fd[1], "a", 1, 0) != 1)
		err = -errno;
	return err;
}

/* What there is to send goes from fd[0]; fd[1] takes it. */
static int prep_send(struct sc *s)
{
	int err = prep_pair(s);

	if (err)
		return err;
	sc_fill(s->fd[0]);
	return set_limit(s, SO_SNDTIMEO);
}

/* Of a raw socket, the header comes as well. */
static long call_recv(struct sc *s)
{
	char buf[64];

	return sc_ret(recv(s->fd[0], buf, sizeof(buf), s->c->arg[1]));
}

static long call_recvmsg(struct sc *s)
{
	struct sockaddr_storage from;
	char buf[64], control[128];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	return sc_ret(recvmsg(s->fd[0], &msg, 0));
}

static long call_recvmmsg(struct sc *s)
{
	char buf[64];
	struct iovec iov = { buf, sizeof(buf) };
	struct mmsghdr msg = { { .msg_iov = &iov, .msg_iovlen = 1 } };

	return sc_ret(recvmmsg(s->fd[0], &msg, 1, 0, NULL));
}

static long call_recv_all(struct sc *s)
{
	char buf[4] = "";
	long ret = sc_ret(recv(s->fd[0], buf, 4, MSG_WAITALL));

	return ret > 0 && memcmp(buf, "abcd", ret) ? SC_TORN : ret;
}

static long call_read(struct sc *s)
{
	char buf[64];

	return sc_ret(read(s->fd[0], buf, sizeof(buf)));
}

static long call_send(struct sc *s)
{
	return sc_ret(send(s->fd[0], "x", 1, MSG_NOSIGNAL));
}

static long call_send_large(struct sc *s)
{
	static char buf[LARGE];

	return sc_ret(send(s->fd[0], buf, sizeof(buf), MSG_NOSIGNAL));
}

static long call_sendmsg_large(struct sc *s)
{
	static char buf[LARGE];
	struct iovec iov[] = {
		{ buf, LARGE / 4 }, { buf, LARGE - LARGE / 4 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	return sc_ret(sendmsg(s->fd[0], &msg, MSG_NOSIGNAL));
}

static long call_send_many(struct sc *s)
{
	long ret = 0;
	int i;

	for (i = 0; i < MANY && ret >= 0; i++)
		ret = sc_ret(send(s->fd[0], "12345678", 8, MSG_NOSIGNAL));
	return ret < 0 ? ret : i;
}

/* What was sent and not taken. Only of TCP it may be on its way. */
static long queue_sent(struct sc *s)
{
	socklen_t len = sizeof(int);
	long in = sc_readable(s->fd[1]);
	int out = 0, domain;

	if (!getsockopt(s->fd[0], SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	    domain == AF_INET && ioctl(s->fd[0], SIOCOUTQ, &out))
		return -errno;
	return in < 0 || in > out ? in : out;
}

static int prep_sendfile(struct sc *s)
{
	int err = prep_pair(s);

	s->fd[2] = memfd_create("syscall_test", MFD_CLOEXEC);
	if (!err && (s->fd[2] < 0 || ftruncate(s->fd[2], LARGE)))
		err = -errno;
	return err;
}

static long call_sendfile(struct sc *s)
{
	return sc_ret(sendfile(s->fd[0], s->fd[2], NULL, LARGE));
}

/* Take what there is. */
static void take(struct sc *s)
{
	static char buf[65536];

	while (recv(s->fd[1], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

static void end_of_stream(struct sc *s)
{
	shutdown(s->fd[1], SHUT_WR);
}

/* A socket that nobody reads from: the close waits, as it was told to. */
static int prep_linger(struct sc *s)
{
	struct linger l = { .l_onoff = 1, .l_linger = s->ms / 1000 };
	int err = prep_pair(s);

	if (err)
		return err;
	s->val[0] = s->fd[0];
	sc_fill(s->fd[0]);
	return setsockopt(s->fd[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)) ?
	       -errno : 0;
}

/* The last to close it, for the test gives up its own before the start. */
static long call_close(struct sc *s)
{
	return sc_ret(close(s->val[0]));
}

static void pump_linger(struct sc *s)
{
	if (!s->val[1] && frz_load(&s->ready)) {
		close(s->fd[0]);
		s->fd[0] = -1;
		s->val[1] = 1;
	}
}

#define RECV_QUEUE(result)	.queue = sc_queue, .fed = result, .want = result
#define SEND_QUEUE		.queue = queue_sent, .fed = 0

/* In place, with a family whose sleeps can be frozen; else asleep. */
#define RECV(text, kind, result) \
	RECV_BUT(text, kind, result, NULL, NULL)
#define RECV_BUT(text, kind, result, why_not_fed, why_not_guarded) \
	{ text " recv", prep_recv, call_recv, .end = sc_put, \
	  RECV_QUEUE(result), .arg = { kind }, .unfed = why_not_fed }, \
	{ text " recv with a limit", prep_recv, call_recv, .end = sc_put, \
	  RECV_QUEUE(result), .late = -EAGAIN, \
	  .flags = SC_TIMED | SC_JIFFIES, .arg = { kind }, \
	  .unfed = why_not_fed, .unguarded = why_not_guarded }, \
	{ text " recvmsg", prep_recv, call_recvmsg, .end = sc_put, \
	  RECV_QUEUE(result), .arg = { kind }, .unfed = why_not_fed }

#define SEND(text, kind) \
	{ text " send", prep_send, call_send, .end = take, SEND_QUEUE, \
	  .want = 1, .flags = SC_REPEAT, .arg = { kind } }, \
	{ text " send with a limit", prep_send, call_send, .end = take, \
	  SEND_QUEUE, .want = 1, .late = -EAGAIN, \
	  .flags = SC_REPEAT | SC_TIMED | SC_JIFFIES, .arg = { kind } }

#define STREAM(text, kind) \
	{ text " recv of all", prep_one, call_recv_all, .end = sc_put4, \
	  .queue = sc_queue, .fed = 3, .want = 4, .arg = { kind } }, \
	{ text " recv of all with a limit", prep_one, call_recv_all, \
	  .end = sc_put4, .queue = sc_queue, .fed = 3, .want = 4, .late = 1, \
	  .flags = SC_TIMED | SC_JIFFIES, .arg = { kind } }, \
	{ text " send, large", prep_pair, call_send_large, .end = take, \
	  SEND_QUEUE, .want = LARGE, .flags = SC_REPEAT, .arg = { kind } }, \
	{ text " sendmsg, large", prep_pair, call_sendmsg_large, \
	  .end = take, SEND_QUEUE, .want = LARGE, .flags = SC_REPEAT, \
	  .arg = { kind } }, \
	{ text " recv until the end", prep_pair, call_recv, \
	  .end = end_of_stream, .want = 0, .arg = { kind } }

static const struct sc_case cases[] = {
	RECV("unix stream", UNIX_STREAM, 1),
	SEND("unix stream", UNIX_STREAM),
	STREAM("unix stream", UNIX_STREAM),
	RECV("unix datagram", UNIX_DGRAM, 1),
	SEND("unix datagram", UNIX_DGRAM),
	{ "unix datagram send, many", prep_pair, call_send_many, .end = take,
	  SEND_QUEUE, .want = MANY, .flags = SC_REPEAT, .arg = { UNIX_DGRAM } },
	{ "unix datagram send to a name, many", prep_pair, call_send_many,
	  .end = take, SEND_QUEUE, .want = MANY, .flags = SC_REPEAT,
	  .arg = { UNIX_ONE_WAY } },
	RECV("unix seqpacket", UNIX_PACKET, 1),
	SEND("unix seqpacket", UNIX_PACKET),
	RECV("TCP", TCP, 1),
	SEND("TCP", TCP),
	STREAM("TCP", TCP),
	{ "TCP sendfile, large", prep_sendfile, call_sendfile, .end = take,
	  SEND_QUEUE, .want = LARGE, .flags = SC_REPEAT, .arg = { TCP } },
	RECV("UDP", UDP, 1),
	RECV("netlink", NETLINK, 1),
	{ "packet recv", prep_recv, call_recv, .end = put_packet,
	  RECV_QUEUE(1), .arg = { PACKET, 0, 1 } },
	{ "packet recv with a limit", prep_recv, call_recv, .end = put_packet,
	  RECV_QUEUE(1), .late = -EAGAIN, .flags = SC_TIMED | SC_JIFFIES,
	  .arg = { PACKET, 0, 2 } },
	{ "raw IP recv", prep_recv, call_recv, .end = sc_put, RECV_QUEUE(21),
	  .arg = { RAWIP } },
	RECV_BUT("vsock", VSOCK, 1, SC_ASLEEP, SC_NO_RESTART),
	{ "vsock send", prep_send, call_send, .end = take, SEND_QUEUE,
	  .want = 1, .flags = SC_REPEAT, .arg = { VSOCK },
	  .unfed = SC_ASLEEP },
	{ "UDP recvmmsg", prep_recv, call_recvmmsg, .end = sc_put,
	  RECV_QUEUE(1), .arg = { UDP } },
	{ "UDP recv, peeking", prep_recv, call_recv, .end = sc_put,
	  RECV_QUEUE(1), .arg = { UDP, MSG_PEEK } },
	{ "TCP read", prep_recv, call_read, .end = sc_put, RECV_QUEUE(1),
	  .arg = { TCP } },
	{ "TCP recv, peeking", prep_recv, call_recv, .end = sc_put,
	  RECV_QUEUE(1), .arg = { TCP, MSG_PEEK } },
	{ "TCP recv, interrupted", prep_recv, call_recv, .end = sc_signal,
	  .want = -EINTR, .arg = { TCP } },
	{ "TCP close with a limit", prep_linger, call_close,
	  .pump = pump_linger, .end = take, .late = 0,
	  .flags = SC_REPEAT | SC_TIMED | SC_JIFFIES, .arg = { TCP },
	  .unfed = SC_ASLEEP, .unguarded = SC_NO_RESTART },
};

SC_TOPIC(sc_socket, cases);
