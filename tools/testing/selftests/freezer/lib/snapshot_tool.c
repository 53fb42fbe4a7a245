// SPDX-License-Identifier: GPL-2.0
/*
 * To run freezer_snapshot in a directory of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_check.h"
#include "snapshot_read.h"
#include "snapshot_tool.h"

char tool_dir[64];

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	return remove(path);
}

void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *make_dir(void)
{
	snprintf(tool_dir, sizeof(tool_dir), "/tmp/freezer_snapshot.XXXXXX");
	return mkdtemp(tool_dir) ? "" : strerror(errno);
}

const char *in_dir(const char *name)
{
	static char path[2][FRZ_PATH_MAX];
	static int which;

	which = !which;
	snprintf(path[which], sizeof(path[which]), "%s/%s", tool_dir, name);
	return path[which];
}

bool exists(const char *name)
{
	return !access(in_dir(name), F_OK);
}

void tool_exec(const char *const *args)
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
	if (chdir(tool_dir))
		_exit(127);
	/* what it says is for tool_said() */
	fd = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(127);
	execv(path, (char **)argv);
	_exit(127);
}

pid_t tool_start(const char *const *args)
{
	pid_t pid = fork();

	if (!pid)
		tool_exec(args);
	return pid < 0 ? -errno : pid;
}

pid_t tool_start_with(const char *file, const char *instead, const char *const *args)
{
	pid_t pid = fork();

	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount(instead, file, NULL, MS_BIND, NULL))
			_exit(126);
		tool_exec(args);
	}
	return pid < 0 ? -errno : pid;
}

int tool_result(pid_t pid)
{
	int status = pid < 0 ? pid : frz_wait_exit(pid, FRZ_LIMIT * 2);

	if (status < 0)
		return status;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

const char *tool_said(void)
{
	static char buf[4096];

	return snapshot_file(tool_dir, "log", buf, sizeof(buf)) < 0 ? "" : buf;
}
