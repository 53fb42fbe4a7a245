// SPDX-License-Identifier: GPL-2.0
/*
 * What the tests of the checkpoint guard share.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "checkpoint_util.h"
#include "freezer_util.h"

void guard_path(char path[FRZ_PATH_MAX + 64], const char *cg)
{
	snprintf(path, FRZ_PATH_MAX + 64, "%s/freezer.checkpoint", cg);
}

int guard_open_flags(const char *cg, int flags)
{
	char path[FRZ_PATH_MAX + 64];
	int fd;

	guard_path(path, cg);
	fd = open(path, O_RDWR | flags);
	return fd < 0 ? -errno : fd;
}

int guard_open(const char *cg)
{
	return guard_open_flags(cg, 0);
}

const char *guard_verdict(int fd)
{
	static char buf[64];
	ssize_t n;

	n = pread(fd, buf, sizeof(buf) - 1, 0);
	if (n < 0)
		return strerror(errno);
	if (n && buf[n - 1] == '\n')
		n--;
	buf[n] = 0;
	return buf;
}

int64_t not_quiescent(const char *cg)
{
	return frz_stat(cg, "nr_tasks") - frz_stat(cg, "nr_parked") -
	       frz_stat(cg, "nr_in_place");
}

int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, ch = 0;
	struct iovec iov = { .iov_base = &ch, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], ch;
	struct iovec iov = { .iov_base = &ch, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &msg, MSG_DONTWAIT) != 1 || !CMSG_FIRSTHDR(&msg))
		return -EIO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}
