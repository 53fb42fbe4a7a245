/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A FUSE file system, spoken raw over /dev/fuse, for the tests that want a
 * system call that does not come back before they say so.
 */
#ifndef FUSE_UTIL_H
#define FUSE_UTIL_H

#include <linux/fuse.h>

/* A FUSE file system with nothing but a root directory. */
extern const char * const fuse_dir;

/* One that is nothing but a file, of one page of zeroes. */
extern const char * const fuse_file;

/* Mount one of them: the descriptor of its server, or -errno. */
int mount_fuse(void);
int mount_fuse_file(void);

/* With its size, which the kernel has to ask for. */
int open_fuse_file(void);

/* Whoever waits for an answer gets an error, also while a child keeps @fd open. */
void unmount_fuse_file(int fd);

struct request {
	struct fuse_in_header head;
	char rest[FUSE_MIN_READ_BUFFER * 2];
};

/* The next request: its opcode, -ETIMEDOUT, -errno. */
int next_request(int fd, struct request *req, int timeout_ms);

/* An answer: 0 or -errno. */
int answer(int fd, const struct request *req, int error, const void *data,
	   size_t size);

/* Answer what it is; only a root directory is there. */
int serve(int fd, const struct request *req);

/* The same for the one that is a file. */
int serve_file(int fd, const struct request *req);

/* Serve until somebody asks for @opcode, which is not answered: 0 or -errno. */
int serve_file_until(int fd, unsigned int opcode, struct request *req);

#endif /* FUSE_UTIL_H */
