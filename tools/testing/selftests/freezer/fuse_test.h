/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A FUSE file system, spoken raw over /dev/fuse, for the tests that want a
 * system call that does not come back before they say so.
 */
#ifndef FUSE_TEST_H
#define FUSE_TEST_H

#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "freezer_test.h"

/* A FUSE file system with nothing but a root directory. */
static const char fuse_dir[] = "/tmp/freezer_selftest.fuse";

static inline int mount_fuse(void)
{
	char opts[128];
	int fd, err;

	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		const char *own = "/tmp/freezer_selftest.fusedev";

		mknod(own, S_IFCHR | 0600, makedev(10, 229));
		fd = open(own, O_RDWR | O_CLOEXEC);
		err = -errno;
		unlink(own);
		if (fd < 0)
			return err;
	}
	umount2(fuse_dir, MNT_DETACH);
	mkdir(fuse_dir, 0755);
	snprintf(opts, sizeof(opts),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("freezer_selftest", fuse_dir, "fuse", 0, opts)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

struct request {
	struct fuse_in_header head;
	char rest[FUSE_MIN_READ_BUFFER * 2];
};

/* The next request: its opcode, -ETIMEDOUT, -errno. */
static inline int next_request(int fd, struct request *req, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, timeout_ms) != 1)
		return -ETIMEDOUT;
	return read(fd, req, sizeof(*req)) < 0 ? -errno :
	       (int)req->head.opcode;
}

static inline int answer(int fd, const struct request *req, int error,
			 const void *data, size_t size)
{
	struct {
		struct fuse_out_header head;
		char data[256];
	} out = {
		.head = {
			.len = sizeof(out.head) + size,
			.error = error,
			.unique = req->head.unique,
		},
	};

	if (size)
		memcpy(out.data, data, size);
	return write(fd, &out, out.head.len) < 0 ? -errno : 0;
}

/* Answer what it is; only a root directory is there. */
static inline int serve(int fd, const struct request *req)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = 4096,
	};
	struct fuse_attr_out attr = {
		.attr = { .ino = 1, .mode = S_IFDIR | 0755, .nlink = 2 },
	};

	switch (req->head.opcode) {
	case FUSE_INIT:
		return answer(fd, req, 0, &init, sizeof(init));
	case FUSE_GETATTR:
		return answer(fd, req, 0, &attr, sizeof(attr));
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return 0;
	default:
		return answer(fd, req, -EOPNOTSUPP, NULL, 0);
	}
}

#endif /* FUSE_TEST_H */
