// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: a FUSE file system, spoken raw over /dev/fuse, and its readers. The
 * server is inside of the cgroup or outside. It takes its time to answer but
 * not to read, so that its clients wait for a server that knows what they ask,
 * and would tell it if a signal came.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "churn.h"

#define FILE_NODE	2
#define FILE_SIZE	4096
#define READ_SIZE	64

/* Reads that are answered later; more than there are clients. */
struct pending {
	uint64_t unique;
	uint64_t offset;
	uint32_t size;
	int64_t due;
};

static struct pending pending[CHURN_WORKERS_MAX];
static int nr_pending;

static int fuse_fd = -1;
static char fuse_dir[32];
static char fuse_file[sizeof(fuse_dir) + 8];

static int fuse_skip(const char *what)
{
	snprintf(churn->result.skip, CHURN_TEXT, "%s: %s", what,
		 strerror(errno));
	if (fuse_fd >= 0)
		close(fuse_fd);
	fuse_fd = -1;
	if (fuse_dir[0])
		rmdir(fuse_dir);
	return 1;
}

int setup_fuse(void)
{
	char opts[64];

	fuse_fd = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fuse_fd < 0)
		return fuse_skip("/dev/fuse");
	if (unshare(CLONE_NEWNS) ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fuse_skip("a private mount namespace");
	snprintf(fuse_dir, sizeof(fuse_dir), "/tmp/churn.XXXXXX");
	if (!mkdtemp(fuse_dir))
		return fuse_skip(fuse_dir);
	snprintf(opts, sizeof(opts),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse_fd);
	if (mount("churn", fuse_dir, "fuse", MS_NOSUID | MS_NODEV, opts))
		return fuse_skip("mount of a FUSE file system");
	snprintf(fuse_file, sizeof(fuse_file), "%s/file", fuse_dir);
	return 0;
}

/*
 * With the last descriptor of /dev/fuse the connection ends, and nobody waits
 * for an answer any more: the server's is closed when it dies.
 */
void teardown_fuse(void)
{
	umount2(fuse_dir, MNT_DETACH);
	close(fuse_fd);
	rmdir(fuse_dir);
}

const void *churn_map_fuse(void)
{
	void *map = MAP_FAILED;
	int fd;

	/* Only the server has it, so that its end is the end of all waits. */
	if (fuse_fd >= 0)
		close(fuse_fd);
	fuse_fd = -1;
	fd = open(fuse_file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		map = mmap(NULL, FILE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
		close(fd);
	}
	return map == MAP_FAILED ? NULL : map;
}

void churn_unmap_fuse(const void *map)
{
	munmap((void *)map, FILE_SIZE);
}

static void fuse_attr(struct fuse_attr *attr, uint64_t node)
{
	memset(attr, 0, sizeof(*attr));
	attr->ino = node;
	attr->mode = node == FILE_NODE ? S_IFREG | 0444 : S_IFDIR | 0755;
	attr->size = node == FILE_NODE ? FILE_SIZE : 0;
	attr->nlink = 1;
	attr->blksize = 4096;
}

static void fuse_answer(struct churn_slot *me, uint64_t unique, int error,
			void *data, size_t size)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + size,
		.error = error,
		.unique = unique,
	};
	struct iovec iov[2] = { { &out, sizeof(out) }, { data, size } };
	ssize_t ret = writev(fuse_fd, iov, size ? 2 : 1);

	/* ENOENT: the one who asked was killed meanwhile. */
	if (ret < 0 && errno != ENOENT)
		churn_leak(me, "FUSE answer: %zd", ret);
}

/* The content of the file: 64 letters a, 64 letters b, ... */
static void fuse_answer_read(struct churn_slot *me, uint64_t unique,
			     uint64_t offset, uint32_t size)
{
	char data[FILE_SIZE];

	if (size > sizeof(data) || offset >= FILE_SIZE)
		size = 0;
	memset(data, 'a' + offset / READ_SIZE % 26, size);
	fuse_answer(me, unique, 0, data, size);
}

static void fuse_serve(struct churn_slot *me, char *request)
{
	struct fuse_in_header *in = (void *)request;
	struct fuse_read_in *rd = (void *)(in + 1);
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = 4096,
		.max_readahead = 4096,
	};
	struct fuse_entry_out entry = { .nodeid = FILE_NODE };
	struct fuse_attr_out attr = { 0 };
	struct fuse_open_out opened = { .open_flags = FOPEN_DIRECT_IO };

	switch (in->opcode) {
	case FUSE_INIT:
		fuse_answer(me, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		fuse_attr(&entry.attr, FILE_NODE);
		fuse_answer(me, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		fuse_attr(&attr.attr, in->nodeid);
		fuse_answer(me, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		fuse_answer(me, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		if (nr_pending < CHURN_WORKERS_MAX && (churn_rand() & 1))
			pending[nr_pending++] = (struct pending) {
				.unique = in->unique,
				.offset = rd->offset,
				.size = rd->size,
				.due = frz_now_ns() + churn_rand() % 2000000,
			};
		else
			fuse_answer_read(me, in->unique, rd->offset, rd->size);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		break;
	case FUSE_INTERRUPT:
		/* Nobody sends signals here but a freezer that uses them. */
		errno = 0;
		churn_leak(me, "FUSE_INTERRUPT: a waiting client got a signal");
		break;
	case FUSE_RELEASE:
	case FUSE_FLUSH:
	case FUSE_ACCESS:
		fuse_answer(me, in->unique, 0, NULL, 0);
		break;
	default:
		fuse_answer(me, in->unique, -EOPNOTSUPP, NULL, 0);
		break;
	}
}

/* Answer what is due; the time until the next one is. */
static int64_t fuse_answer_due(struct churn_slot *me)
{
	int64_t now = frz_now_ns(), next = 1000000000;
	int i = 0;

	while (i < nr_pending) {
		struct pending *p = &pending[i];

		if (p->due > now) {
			if (p->due - now < next)
				next = p->due - now;
			i++;
			continue;
		}
		fuse_answer_read(me, p->unique, p->offset, p->size);
		*p = pending[--nr_pending];
	}
	return next;
}

void work_fuse_server(struct churn_slot *me)
{
	static char request[65536 + FUSE_MIN_READ_BUFFER];
	struct pollfd pfd = { .fd = fuse_fd, .events = POLLIN };

	while (!churn_stopped()) {
		struct timespec ts = { .tv_nsec = fuse_answer_due(me) - 1 };
		ssize_t len;

		if (ppoll(&pfd, 1, &ts, NULL) < 0)
			churn_leak(me, "/dev/fuse poll");
		len = read(fuse_fd, request, sizeof(request));
		if (len >= (ssize_t)sizeof(struct fuse_in_header))
			fuse_serve(me, request);
		else if (len >= 0 || (errno != ENOENT && errno != EAGAIN))
			churn_leak(me, "/dev/fuse read: %zd", len);
		churn_bump(me);
	}
}

void work_fuse_client(struct churn_slot *me)
{
	close(fuse_fd);
	while (!churn_stopped()) {
		struct stat st;
		int i, fd = open(fuse_file, O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			churn_leak(me, "open of the FUSE file: %d", fd);
			churn_usleep(1000);
			continue;
		}
		for (i = 0; i < 8 && !churn_stopped(); i++) {
			int block = churn_rand() % (FILE_SIZE / READ_SIZE);
			char buf[READ_SIZE] = "";
			ssize_t len = pread(fd, buf, READ_SIZE,
					    block * READ_SIZE);

			if (len != READ_SIZE || buf[0] != 'a' + block % 26)
				churn_leak(me, "FUSE read: %zd, expected %d",
					   len, READ_SIZE);
			if (fstat(fd, &st))
				churn_leak(me, "FUSE fstat");
			churn_bump(me);
		}
		close(fd);
	}
}
