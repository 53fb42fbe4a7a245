/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the checkpoint guard share.
 */
#ifndef CHECKPOINT_TEST_H
#define CHECKPOINT_TEST_H

#include <sys/socket.h>
#include <sys/stat.h>

#include "freezer_test.h"

struct holder {
	char path[FRZ_PATH_MAX];
	unsigned long word;
	pid_t pid;
	int result;
};

static inline void guard_path(char path[FRZ_PATH_MAX + 64], const char *cg)
{
	snprintf(path, FRZ_PATH_MAX + 64, "%s/freezer.checkpoint", cg);
}

/* Take the guard: a descriptor, or -errno. */
static inline int guard_open_flags(const char *cg, int flags)
{
	char path[FRZ_PATH_MAX + 64];
	int fd;

	guard_path(path, cg);
	fd = open(path, O_RDWR | flags);
	return fd < 0 ? -errno : fd;
}

static inline int guard_open(const char *cg)
{
	return guard_open_flags(cg, 0);
}

/* What the holder reads, or why it cannot. */
static inline const char *guard_verdict(int fd)
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

/* With what is in the way in the report. */
#define ASSERT_GUARD(path) ({ \
	const char *__path = (path); \
	int __fd = guard_open(__path); \
	\
	ASSERT_LE(0, __fd) { \
		TH_LOG("%s: %s", strerror(-__fd), frz_describe(__path)); \
	} \
	__fd; \
})

#define ASSERT_STATE(path, state) \
	ASSERT_STREQ(state, frz_content(path, "freezer.state"))

/* Wait until a file says @content: "", or what it says instead. */
static inline const char *becomes_content(const char *path, const char *file,
					  const char *content)
{
	long long end = frz_now_ns() + FRZ_LIMIT * 1000000LL;
	const char *seen;
	bool late;

	do {
		late = frz_now_ns() > end;
		seen = frz_content(path, file);
		if (!strcmp(seen, content))
			return "";
		usleep(1000);
	} while (!late);
	return seen;
}

/* Wait until /proc/<tid>/stat shows @state: 0 or -errno. */
static inline int wait_task_state(pid_t tid, int state)
{
	long long end = frz_now_ns() + FRZ_LIMIT * 1000000LL;
	int seen;

	do {
		seen = frz_task_state(tid);
		if (seen < 0 || seen == state)
			return seen < 0 ? seen : 0;
		usleep(1000);
	} while (frz_now_ns() < end);
	return -ETIMEDOUT;
}

#define EXPECT_BECOMES_FILE(path, file, content) \
	EXPECT_STREQ("", becomes_content(path, file, content))

static inline int send_fd(int sock, int fd)
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

static inline int receive_fd(int sock)
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

#endif /* CHECKPOINT_TEST_H */
