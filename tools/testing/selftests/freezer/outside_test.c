// SPDX-License-Identifier: GPL-2.0
/*
 * A frozen task holds nothing that somebody outside of its group waits for, other
 * than what it would hold asleep anyway, and for as long.
 *
 * Each test has a task of the group in a call in which it holds something, makes
 * the group FROZEN, does from outside what ends the task's sleep, and then what
 * needs the thing: that has to be over before the thaw.
 *
 * Clauses: C15.
 */
#include <linux/can.h>
#include <linux/can/raw.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/qrtr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ext2_util.h"
#include "freezer_test.h"
#include "fuse_util.h"
#include "uring_util.h"

#define LISTENED	"/tmp/freezer_selftest.listened"
#define SHARED		"/tmp/freezer_selftest.shared"

struct shared {
	unsigned long ready;
	unsigned long begun;
	unsigned long go;
	unsigned long calls;
	unsigned long done;
	unsigned long bad;
	int index;		/* of a network device */
	int fd;
};

/* @pid has stayed in one of its @calls, asleep, for as long as is watched. */
static bool waits_in_a_call(pid_t pid, const unsigned long *calls)
{
	return frz_until_busy(!frz_wait_asleep(pid, FRZ_LIMIT) &&
			      !frz_moved(calls, FRZ_WATCH), FRZ_LIMIT);
}

/* Nobody outside of the group waits for the thaw. */
#define EXPECT_ENDS(pid) do { \
	pid_t __who = (pid); \
	int __status = frz_wait_exit(__who, FRZ_LIMIT); \
	\
	EXPECT_EQ(0, __status) { \
		TH_LOG("outside: %s, state %c", __status == -ETIMEDOUT ? \
		       "hangs until the thaw" : "failed", \
		       frz_task_state(__who)); \
	} \
	EXPECT_STATE(self->cg, "FROZEN"); \
} while (0)

static int wait_for_go(struct shared *s)
{
	return frz_wait_word(&s->go, 1, 4 * FRZ_LIMIT);
}

/*
 * fanotify
 */

/* Ask to be asked; take a question; do not answer it, but end. */
static int listen_and_leave(void *arg)
{
	struct fanotify_event_metadata event;
	struct shared *s = arg;
	int fd;

	fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	if (fd < 0 || fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD,
				    LISTENED))
		return 1;
	frz_inc(&s->ready);
	if (read(fd, &event, sizeof(event)) < (ssize_t)sizeof(event))
		return 2;
	frz_inc(&s->begun);
	if (wait_for_go(s))
		return 3;
	close(fd);
	return 0;
}

static int open_listened(void *arg)
{
	struct shared *s = arg;

	if (open(LISTENED, O_RDONLY) < 0)
		frz_inc(&s->bad);
	frz_inc(&s->done);
	return 0;
}

/*
 * A task of the group waits for the verdict of a fanotify listener. FROZEN. The
 * listener ends without one: its last close waits for the task to leave the wait,
 * and comes back. After the thaw the open has succeeded.
 *
 * A failure means that a virus scanner or an agent cannot be stopped or killed
 * while a group is frozen.
 */
FREEZER_TEST(fanotify_listener)
{
	struct shared *s = frz_shared(sizeof(*s));
	pid_t listener, pid;
	int fd;

	ASSERT_NE(NULL, s);
	fd = open(LISTENED, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	listener = ASSERT_PID(frz_spawn(NULL, listen_and_leave, s));
	ASSERT_EQ(0, frz_wait_word(&s->ready, 1, FRZ_LIMIT)) {
		TH_LOG("no fanotify? status %#x", frz_wait_exit(listener, 0));
	}
	pid = ASSERT_PID(frz_spawn(self->cg, open_listened, s));
	ASSERT_EQ(0, frz_wait_word(&s->begun, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	frz_inc(&s->go);
	EXPECT_ENDS(listener);
	EXPECT_EQ(0, frz_load(&s->done));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&s->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&s->bad));
	unlink(LISTENED);
}

/*
 * Network devices
 */

struct rtnl_request {
	struct nlmsghdr n;
	union {
		struct ifinfomsg link;
		struct tcmsg tc;
	};
	char attrs[64];
};

static void add_attr(struct rtnl_request *req, int type, const void *data,
		     int len)
{
	struct rtattr *a = (void *)req + NLMSG_ALIGN(req->n.nlmsg_len);

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	req->n.nlmsg_len = NLMSG_ALIGN(req->n.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static int rtnl(struct rtnl_request *req)
{
	struct {
		struct nlmsghdr n;
		struct nlmsgerr err;
		char rest[512];
	} ack;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int ret = 0;

	if (fd < 0)
		return -errno;
	req->n.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, req, req->n.nlmsg_len, 0) < 0 ||
	    recv(fd, &ack, sizeof(ack), 0) < 0)
		ret = -errno;
	else if (ack.n.nlmsg_type == NLMSG_ERROR)
		ret = ack.err.error;
	close(fd);
	return ret;
}

static int add_vcan(const char *name)
{
	struct rtnl_request req = {
		.n.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.n.nlmsg_type = RTM_NEWLINK,
		.n.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL,
	};
	struct {
		struct rtattr kind;
		char name[8];
	} info = {
		.kind.rta_type = IFLA_INFO_KIND,
		.kind.rta_len = RTA_LENGTH(5),
		.name = "vcan",
	};

	add_attr(&req, IFLA_IFNAME, name, strlen(name) + 1);
	add_attr(&req, IFLA_LINKINFO, &info, sizeof(info));
	return rtnl(&req);
}

static int set_up(int index)
{
	struct rtnl_request req = {
		.n.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.n.nlmsg_type = RTM_NEWLINK,
		.link.ifi_index = index,
		.link.ifi_flags = IFF_UP,
		.link.ifi_change = IFF_UP,
	};

	return rtnl(&req);
}

/* A queue that holds all that is sent, with the room that it takes. */
static int plug(int index)
{
	struct rtnl_request req = {
		.n.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg)),
		.n.nlmsg_type = RTM_NEWQDISC,
		.n.nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE,
		.tc.tcm_ifindex = index,
		.tc.tcm_parent = TC_H_ROOT,
		.tc.tcm_handle = 0x10000,
	};

	add_attr(&req, TCA_KIND, "plug", 5);
	return rtnl(&req);
}

static int delete_device(void *arg)
{
	struct shared *s = arg;
	struct rtnl_request req = {
		.n.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.n.nlmsg_type = RTM_DELLINK,
		.link.ifi_index = s->index,
	};

	return rtnl(&req) ? 1 : 0;
}

/* Send until there is no room, and wait for it. */
static int send_for_ever(struct shared *s, int fd, const void *msg, size_t size,
			 const void *addr, socklen_t len)
{
	int small = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)))
		return 1;
	while (sendto(fd, msg, size, 0, addr, len) > 0)
		frz_inc(&s->calls);
	/* The device is gone. */
	frz_store(&s->bad, errno == EINTR);
	frz_inc(&s->done);
	return 0;
}

static int send_packets(void *arg)
{
	static const char frame[1000] = { [12] = 0x88, 0xb5 };
	struct shared *s = arg;
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_ifindex = s->index,
	};

	return send_for_ever(s, socket(AF_PACKET, SOCK_RAW, 0), frame,
			     sizeof(frame), &addr, sizeof(addr));
}

static int send_can_frames(void *arg)
{
	static const struct can_frame frame = { .can_id = 1, .len = 8 };
	struct shared *s = arg;
	struct sockaddr_can addr = {
		.can_family = AF_CAN,
		.can_ifindex = s->index,
	};

	return send_for_ever(s, socket(AF_CAN, SOCK_RAW, CAN_RAW), &frame,
			     sizeof(frame), &addr, sizeof(addr));
}

/* A TAP device, which lives with the descriptor. */
static int add_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		const char *own = "/tmp/freezer_selftest.tun";

		mknod(own, S_IFCHR | 0600, makedev(10, 200));
		fd = open(own, O_RDWR | O_CLOEXEC);
		unlink(own);
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr) ? fd : -errno;
}

/*
 * With the device of @s: a task of the group waits for room in the queue of the
 * device. FROZEN. The device is deleted from outside, which ends that wait; the
 * deletion waits for the task's reference, and comes to its end. After the thaw
 * the task learns that the device is gone.
 */
#define CHECK_DELETION(s, sender) do { \
	struct shared *__s = (s); \
	pid_t __pid, __other; \
	\
	ASSERT_EQ(0, plug(__s->index)); \
	ASSERT_EQ(0, set_up(__s->index)); \
	__pid = ASSERT_PID(frz_spawn(self->cg, sender, __s)); \
	ASSERT_EQ(0, frz_wait_word(&__s->calls, 1, FRZ_LIMIT)); \
	ASSERT_TRUE(waits_in_a_call(__pid, &__s->calls)); \
	ASSERT_FREEZES(self->cg); \
	__other = ASSERT_PID(frz_spawn(NULL, delete_device, __s)); \
	EXPECT_ENDS(__other); \
	EXPECT_EQ(0, frz_load(&__s->done)); \
	ASSERT_THAWS(self->cg); \
	EXPECT_EQ(0, frz_wait_word(&__s->done, 1, FRZ_LIMIT)); \
	EXPECT_EQ(0, frz_load(&__s->bad)); \
} while (0)

/*
 * The sender of a packet socket.
 *
 * A failure means that "ip link del" hangs while a group is frozen, and behind it
 * the end of every network namespace.
 */
FREEZER_TEST(packet_sender)
{
	struct shared *s = frz_shared(sizeof(*s));
	int fd;

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = add_tap("frz0");
	ASSERT_LE(0, fd) {
		TH_LOG("no TUN: %s", strerror(-fd));
	}
	s->index = if_nametoindex("frz0");
	CHECK_DELETION(s, send_packets);
	close(fd);
}

/* The same for the sender of a raw CAN socket. */
FREEZER_TEST(can_sender)
{
	struct shared *s = frz_shared(sizeof(*s));

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, add_vcan("frz0"));
	s->index = if_nametoindex("frz0");
	CHECK_DELETION(s, send_can_frames);
}

/*
 * A pipe that is locked
 */

struct splice {
	int sock[2];
	int pipe[2];
	unsigned long bad;
};

static int splice_from_socket(void *arg)
{
	struct splice *s = arg;

	if (splice(s->sock[0], NULL, s->pipe[1], NULL, 64, 0) != 1)
		frz_inc(&s->bad);
	return frz_sleep(NULL);
}

static int read_from_pipe(void *arg)
{
	struct splice *s = arg;
	char c;

	return read(s->pipe[0], &c, 1) == 1 ? 0 : 1;
}

/*
 * A task of the group splices a message from a datagram socket into a pipe, and has
 * the pipe locked. FROZEN. The message comes, and somebody outside reads the pipe:
 * the splice ends, and the read comes back (C15).
 *
 * A failure means that a pipe stays locked until the thaw.
 */
FREEZER_TEST(splice_from_a_socket)
{
	struct splice *s = frz_shared(sizeof(*s));
	pid_t pid, reader;

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, s->sock));
	ASSERT_EQ(0, pipe(s->pipe));
	pid = ASSERT_PID(frz_spawn(self->cg, splice_from_socket, s));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(1, write(s->sock[1], "x", 1));
	reader = fork();
	ASSERT_LE(0, reader);
	if (!reader)
		_exit(read_from_pipe(s));
	EXPECT_ENDS(reader);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_load(&s->bad));
}

/*
 * A socket that is locked
 */

static int receive(void *arg)
{
	struct shared *s = arg;
	char buf[8];

	frz_inc(&s->begun);
	if (recv(s->fd, buf, sizeof(buf), 0) != 1)
		frz_inc(&s->bad);
	frz_inc(&s->done);
	return 0;
}

static int ask_for_name(void *arg)
{
	struct sockaddr_qrtr addr;
	socklen_t len = sizeof(addr);
	struct shared *s = arg;

	return getsockname(s->fd, (struct sockaddr *)&addr, &len) ? 1 : 0;
}

/*
 * A task of the group receives from a QRTR socket, with the socket locked. FROZEN.
 * A message comes from outside, and then somebody outside, who shares the socket,
 * asks for its name, which locks it: that comes back. After the thaw the task has
 * the message.
 *
 * A failure means that a socket stays locked until the thaw. With lockdep the
 * kernel warns of that, too.
 */
FREEZER_TEST(qrtr_receiver)
{
	struct shared *s = frz_shared(sizeof(*s));
	struct sockaddr_qrtr addr;
	socklen_t len = sizeof(addr);
	pid_t pid;
	int fd;

	ASSERT_NE(NULL, s);
	s->fd = socket(AF_QIPCRTR, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, s->fd);
	ASSERT_EQ(0, getsockname(s->fd, (struct sockaddr *)&addr, &len));
	addr.sq_port = 0;
	ASSERT_EQ(0, bind(s->fd, (struct sockaddr *)&addr, len));
	ASSERT_EQ(0, getsockname(s->fd, (struct sockaddr *)&addr, &len));
	fd = socket(AF_QIPCRTR, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, fd);
	pid = ASSERT_PID(frz_spawn(self->cg, receive, s));
	ASSERT_EQ(0, frz_wait_word(&s->begun, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(1, sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, len));
	pid = ASSERT_PID(frz_spawn(NULL, ask_for_name, s));
	EXPECT_ENDS(pid);
	EXPECT_EQ(0, frz_load(&s->done));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&s->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&s->bad));
	close(fd);
}

/*
 * A ring that is shared
 */

#define CHUNK	(8UL << 20)

struct shared_ring {
	struct shared s;
	struct ring ring;
	int file;
	char *buf;
};

static void queue_write(struct shared_ring *sr, int nr)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_WRITE,
		.flags = IOSQE_ASYNC,
		.fd = sr->file,
		.addr = (unsigned long)sr->buf,
		.len = CHUNK,
		.user_data = nr,
	};

	queue_sqe(&sr->ring, &sqe);
}

/* Writes to one file, which a worker does one after the other. */
static int write_by_worker(void *arg)
{
	struct shared_ring *sr = arg;
	int i;

	for (i = 0; i < ENTRIES - 1; i++)
		queue_write(sr, i);
	if (enter(&sr->ring, ENTRIES - 1, 0, 0) != ENTRIES - 1)
		return 1;
	frz_inc(&sr->s.ready);
	return frz_sleep(NULL);
}

static int wait_completed(struct ring *r, unsigned int nr)
{
	return frz_until(nr_completed(r) >= nr, FRZ_LIMIT) ? 0 : -ETIMEDOUT;
}

/*
 * The writes may all be over when the group is FROZEN, where the test had no CPU in the
 * meantime. Then there is another round; one of so many has to be in time.
 */
#define RING_ROUNDS	10

/*
 * A ring is used by a process of the group and by one outside, and both write to
 * one file through it. Such writes are done one after the other: a worker marks
 * the file as its own for the time of a write, and of those that are queued behind
 * it. FROZEN in the middle of the group's writes: the write from outside is done.
 * After the thaw the rest is, in its order, and each with its full length.
 *
 * A failure means that the worker keeps its mark until the thaw.
 */
FREEZER_TEST(uring_of_two)
{
	struct shared_ring *sr = frz_shared(sizeof(*sr));
	struct io_uring_cqe *cqes;
	unsigned int done = 0;
	int i, next = 0;
	pid_t pid;

	ASSERT_NE(NULL, sr);
	sr->buf = frz_shared(CHUNK);
	ASSERT_NE(NULL, sr->buf);
	memset(sr->buf, 'x', CHUNK);
	sr->file = open(SHARED, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LE(0, sr->file);
	for (i = 1; i <= RING_ROUNDS; i++) {
		ASSERT_EQ(0, ftruncate(sr->file, 0));
		ASSERT_EQ(0, make_ring(&sr->ring, 0));
		pid = ASSERT_PID(frz_spawn(self->cg, write_by_worker, sr));
		ASSERT_EQ(0, frz_wait_word(&sr->s.ready, i, FRZ_LIMIT));
		ASSERT_EQ(0, wait_completed(&sr->ring, 1));
		ASSERT_FREEZES(self->cg);
		done = nr_completed(&sr->ring);
		if (done < ENTRIES - 2 || i == RING_ROUNDS)
			break;
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, wait_completed(&sr->ring, ENTRIES - 1));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
		close(sr->ring.fd);
	}
	ASSERT_GT(ENTRIES - 2, done) {
		TH_LOG("the writes were over too soon");
	}
	queue_write(sr, ENTRIES - 1);
	ASSERT_EQ(1, enter(&sr->ring, 1, 0, 0));
	EXPECT_EQ(0, wait_completed(&sr->ring, done + 1)) {
		TH_LOG("%u of %d done, and the write from outside is not", done,
		       ENTRIES - 1);
	}
	EXPECT_GE(done + 1, nr_completed(&sr->ring)) {
		TH_LOG("work was done while FROZEN");
	}
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	ASSERT_EQ(0, wait_completed(&sr->ring, ENTRIES));
	cqes = (void *)(sr->ring.cq + sr->ring.p.cq_off.cqes);
	for (i = 0; i < ENTRIES; i++) {
		EXPECT_EQ((int)CHUNK, cqes[i].res);
		if (cqes[i].user_data == ENTRIES - 1)
			continue;
		EXPECT_EQ(next, (int)cqes[i].user_data);
		next++;
	}
	EXPECT_EQ(ENTRIES - 1, next);
	close(sr->file);
	unlink(SHARED);
}

/*
 * FUSE
 */

static int create_in_fuse(void *arg)
{
	char path[64];
	struct shared *s = arg;

	snprintf(path, sizeof(path), "%s/new", fuse_dir);
	close(s->fd);
	frz_inc(&s->begun);
	if (open(path, O_CREAT | O_RDWR, 0600) >= 0 || errno == EINTR)
		frz_inc(&s->bad);
	frz_inc(&s->done);
	return 0;
}

/*
 * A task of the group creates a file in a FUSE file system whose server does not
 * even say hello: it has the directory locked. FROZEN. Somebody outside does the
 * same and waits for the directory. The server dies, which ends the wait of both:
 * the one outside comes back. After the thaw the other one has an error, too.
 *
 * A failure means that a directory stays locked until the thaw.
 */
FREEZER_TEST(fuse_directory)
{
	struct shared *s = frz_shared(2 * sizeof(*s));
	pid_t pid;

	ASSERT_NE(NULL, s);
	s[0].fd = mount_fuse();
	ASSERT_LE(0, s[0].fd);
	s[1].fd = s[0].fd;
	pid = ASSERT_PID(frz_spawn(self->cg, create_in_fuse, &s[0]));
	ASSERT_EQ(0, frz_wait_word(&s[0].begun, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	pid = ASSERT_PID(frz_spawn(NULL, create_in_fuse, &s[1]));
	ASSERT_EQ(0, frz_wait_word(&s[1].begun, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	close(s[0].fd);
	EXPECT_ENDS(pid);
	EXPECT_EQ(0, frz_load(&s[1].bad));
	EXPECT_EQ(0, frz_load(&s[0].done));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&s[0].done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&s[0].bad));
	umount2(fuse_dir, MNT_DETACH);
	rmdir(fuse_dir);
}

/*
 * A file system that is frozen
 */

#define WRITTEN		"/tmp/freezer_selftest.ext2/written"

static int write_for_ever(void *arg)
{
	int fd = open(WRITTEN, O_CREAT | O_RDWR, 0600);
	struct shared *s = arg;

	if (fd < 0)
		return 1;
	for (;;) {
		if (pwrite(fd, "x", 1, 0) != 1)
			frz_inc(&s->bad);
		frz_inc(&s->calls);
	}
}

/*
 * A task of the group writes to a file system, which is frozen from outside with
 * fsfreeze: the task waits. FROZEN. The file system is thawed, and frozen again: the
 * task may have got write access meanwhile, and gives it back. After both thaws it
 * goes on.
 *
 * A failure means that a frozen task keeps the write access that it was given, and
 * a backup, a remount or the unmounting hangs until the thaw.
 */
FREEZER_TEST(writer_of_a_frozen_fs)
{
	struct shared *s = frz_shared(sizeof(*s));
	pid_t pid, other;
	int fs, status;

	ASSERT_NE(NULL, s);
	fs = ext2_mount();
	ASSERT_LE(0, fs) {
		TH_LOG("no file system: %s", strerror(-fs));
	}
	pid = ASSERT_PID(frz_spawn(self->cg, write_for_ever, s));
	ASSERT_EQ(0, frz_wait_move(&s->calls, FRZ_LIMIT));
	ASSERT_EQ(0, ext2_freeze(&fs));
	ASSERT_TRUE(waits_in_a_call(pid, &s->calls));
	ASSERT_FREEZES(self->cg);
	EXPECT_EQ(0, ioctl(fs, FITHAW, 0));
	other = ASSERT_PID(frz_spawn(NULL, ext2_freeze, &fs));
	status = frz_wait_exit(other, FRZ_LIMIT);
	EXPECT_EQ(0, status) {
		TH_LOG("fsfreeze waits for the thaw, state %c",
		       frz_task_state(other));
	}
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STREQ("", frz_thaws(self->cg));
	if (status)
		frz_wait_exit(other, FRZ_LIMIT);
	EXPECT_EQ(0, ioctl(fs, FITHAW, 0));
	EXPECT_RUNS(&s->calls);
	EXPECT_EQ(0, frz_load(&s->bad));
	kill(pid, SIGKILL);
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
	ext2_umount(fs);
}

TEST_HARNESS_MAIN
