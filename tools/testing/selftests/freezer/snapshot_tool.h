/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of freezer_snapshot share: to run it in a directory of their
 * own, and what it returned and said.
 */
#ifndef SNAPSHOT_TOOL_H
#define SNAPSHOT_TOOL_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot_read.h"

/*
 * What freezer_snapshot returns, as its --help has it. Not from its own header:
 * who calls it relies on the numbers.
 */
enum {
	TOOL_DONE	= 0,
	TOOL_ERROR	= 1,
	TOOL_USAGE	= 2,
	TOOL_NOT_FROZEN	= 3,
	TOOL_BUSY	= 4,
	TOOL_TORN	= 5,
	TOOL_STALLED	= 6,
};

/* A directory of our own for what is written, see make_dir(). */
static char dir[64];

static inline int remove_one(const char *path, const struct stat *st, int type,
			     struct FTW *ftw)
{
	return remove(path);
}

static inline void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/freezer_snapshot.XXXXXX");
	return mkdtemp(dir) ? "" : strerror(errno);
}

/* A name in there. */
static inline const char *in_dir(const char *name)
{
	static char path[2][FRZ_PATH_MAX];
	static int which;

	which = !which;
	snprintf(path[which], sizeof(path[which]), "%s/%s", dir, name);
	return path[which];
}

static inline bool exists(const char *name)
{
	return !access(in_dir(name), F_OK);
}

/* Become freezer_snapshot, which is beside of the test program. */
static inline void tool_exec(const char *const *args)
{
	char self[FRZ_PATH_MAX - 32] = "", path[FRZ_PATH_MAX];
	const char *argv[16] = { "freezer_snapshot" };
	int i, fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		_exit(127);
	*strrchr(self, '/') = 0;
	snprintf(path, sizeof(path), "%s/freezer_snapshot", self);
	for (i = 0; args[i]; i++)
		argv[i + 1] = args[i];
	if (chdir(dir))
		_exit(127);
	/* what it says is for tool_said() */
	fd = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(127);
	execv(path, (char **)argv);
	_exit(127);
}

static inline pid_t tool_start(const char *const *args)
{
	pid_t pid = fork();

	if (!pid)
		tool_exec(args);
	return pid < 0 ? -errno : pid;
}

/* Its exit status, 128 and more if it was killed, or -errno. */
static inline int tool_result(pid_t pid)
{
	int status = pid < 0 ? pid : frz_wait_exit(pid, FRZ_LIMIT * 2);

	if (status < 0)
		return status;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

#define tool(...) \
	tool_result(tool_start((const char *const []){ __VA_ARGS__, NULL }))

/* What it had to say. */
static inline const char *tool_said(void)
{
	static char buf[4096];

	return snapshot_file(dir, "log", buf, sizeof(buf)) < 0 ? "" : buf;
}

#endif /* SNAPSHOT_TOOL_H */
