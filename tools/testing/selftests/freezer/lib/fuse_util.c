// SPDX-License-Identifier: GPL-2.0
/*
 * A FUSE file system, spoken raw over /dev/fuse.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "freezer_check.h"
#include "fuse_util.h"

const char * const fuse_dir = "/tmp/freezer_selftest.fuse";
const char * const fuse_file = "/tmp/freezer_selftest.fusefile";

/* On @where, which exists, with a root of @mode, a directory or a file. */
static int mount_fuse_root(const char *where, unsigned int mode)
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
	snprintf(opts, sizeof(opts),
		 "fd=%d,rootmode=%o,user_id=0,group_id=0", fd, mode);
	if (mount("freezer_selftest", where, "fuse", 0, opts)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int mount_fuse(void)
{
	umount2(fuse_dir, MNT_DETACH);
	mkdir(fuse_dir, 0755);
	return mount_fuse_root(fuse_dir, S_IFDIR);
}

int mount_fuse_file(void)
{
	umount2(fuse_file, MNT_FORCE | MNT_DETACH);
	close(open(fuse_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return mount_fuse_root(fuse_file, S_IFREG);
}

int open_fuse_file(void)
{
	int fd = open(fuse_file, O_RDONLY | O_CLOEXEC);
	struct stat st;

	return fd < 0 || fstat(fd, &st) || st.st_size != 4096 ? -1 : fd;
}

void unmount_fuse_file(int fd)
{
	umount2(fuse_file, MNT_FORCE | MNT_DETACH);
	close(fd);
	unlink(fuse_file);
}

int next_request(int fd, struct request *req, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, timeout_ms) != 1)
		return -ETIMEDOUT;
	return read(fd, req, sizeof(*req)) < 0 ? -errno :
	       (int)req->head.opcode;
}

int answer(int fd, const struct request *req, int error, const void *data,
	   size_t size)
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

int serve(int fd, const struct request *req)
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

int serve_file(int fd, const struct request *req)
{
	struct fuse_attr_out attr = {
		.attr = {
			.ino = 1,
			.mode = S_IFREG | 0644,
			.nlink = 1,
			.size = 4096,
		},
	};
	struct fuse_open_out opened = {};
	char zeroes[128] = {};

	switch (req->head.opcode) {
	case FUSE_GETATTR:
		return answer(fd, req, 0, &attr, sizeof(attr));
	case FUSE_OPEN:
		return answer(fd, req, 0, &opened, sizeof(opened));
	case FUSE_READ:
		return answer(fd, req, 0, zeroes, sizeof(zeroes));
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return answer(fd, req, 0, NULL, 0);
	default:
		return serve(fd, req);
	}
}

int serve_file_until(int fd, unsigned int opcode, struct request *req)
{
	int err;

	for (;;) {
		err = next_request(fd, req, FRZ_LIMIT);
		if (err < 0)
			return err;
		if ((unsigned int)err == opcode)
			return 0;
		err = serve_file(fd, req);
		if (err)
			return err;
	}
}
