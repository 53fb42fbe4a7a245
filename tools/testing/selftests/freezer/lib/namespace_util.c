// SPDX-License-Identifier: GPL-2.0
/*
 * Containers for the tests of freezer.per_namespace.
 */
#include <errno.h>
#include <ftw.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "freezer_check.h"
#include "namespace_util.h"

pid_t ns_clone(unsigned long flags)
{
	return syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0UL);
}

pid_t ns_clone_into(int fd, unsigned long flags)
{
	struct clone_args args = {
		.flags = flags | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = fd,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

pid_t ns_begin(enum ns_way way, unsigned long flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	switch (way) {
	case BY_CLONE:
		return ns_clone(flags);
	case BY_CLONE3:
		return syscall(SYS_clone3, &args, sizeof(args));
	default:
		return unshare(flags) ? -1 : ns_clone(0);
	}
}

void ns_cgroup(pid_t pid, char path[FRZ_PATH_MAX])
{
	char name[64] = "/proc/self", text[4096], *line, *save;

	path[0] = 0;
	if (pid)
		snprintf(name, sizeof(name), "/proc/%d", pid);
	if (frz_read(name, "cgroup", text, sizeof(text)) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *at = strchr(line, ':');
		char *to = at ? strchr(at + 1, ':') : NULL;

		if (!to)
			continue;
		*to = 0;
		if (strstr(at, "freezer"))
			snprintf(path, FRZ_PATH_MAX, "%s%s", frz_root(),
				 strcmp(to + 1, "/") ? to + 1 : "");
	}
}

unsigned long ns_inum(const char *kind)
{
	char name[64], text[64] = "";
	ssize_t len;

	snprintf(name, sizeof(name), "/proc/self/ns/%s", kind);
	len = readlink(name, text, sizeof(text) - 1);
	return len > 0 && strchr(text, '[') ?
	       strtoul(strchr(text, '[') + 1, NULL, 10) : 0;
}

static int nr_found;

static int count_one(const char *path, const struct stat *st, int type,
		     struct FTW *ftw)
{
	(void)path;
	(void)st;
	nr_found += type == FTW_D && ftw->level > 0;
	return 0;
}

int ns_below(const char *path)
{
	int tries, ret;

	/* one that goes while it is looked at is ENOENT */
	for (tries = 0; tries < 100; tries++) {
		nr_found = 0;
		ret = nftw(path, count_one, 16, FTW_PHYS) ? -errno : nr_found;
		if (ret != -ENOENT || ns_is_gone(path))
			break;
	}
	return ret;
}

bool ns_is_below(const char *path, const char *parent)
{
	size_t len = strlen(parent);

	return !strncmp(path, parent, len) && path[len] == '/';
}

bool ns_is_gone(const char *path)
{
	return access(path, F_OK) && errno == ENOENT;
}

/* A host that has one container, and with BY_UNSHARE a second child in it. */
static int one_container(void *arg)
{
	struct ns_container *c = arg;
	pid_t pid = ns_begin(c->way, c->flags);

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ns_cgroup(0, c->path);
		c->inum = ns_inum("pid");
		_exit(frz_spin(&c->count));
	}
	if (pid < 0) {
		frz_store(&c->error, errno);
		return frz_sleep(NULL);
	}
	if (c->way == BY_UNSHARE && !fork()) {
		ns_cgroup(0, c->second_path);
		frz_store(&c->second, 1);
		_exit(0);
	}
	frz_store(&c->pid, pid);
	return frz_sleep(NULL);
}

struct ns_container *ns_new(enum ns_way way, unsigned long flags)
{
	struct ns_container *c = frz_shared(sizeof(*c));

	if (c) {
		c->way = way;
		c->flags = flags;
	}
	return c;
}

pid_t ns_start(const char *path, struct ns_container *c)
{
	pid_t pid = frz_spawn(path, one_container, c);

	if (pid < 0)
		return pid;
	if (!frz_until(frz_load(&c->error) || frz_load(&c->count), FRZ_LIMIT))
		return -ETIMEDOUT;
	return c->error ? -(int)c->error : pid;
}

static int nest_one(struct ns_nest *n, int level)
{
	pid_t pid;

	if (level == n->want) {
		frz_store(&n->level, level);
		return frz_sleep(NULL);
	}
	pid = ns_clone(CLONE_NEWPID);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(nest_one(n, level + 1));
	}
	if (pid < 0) {
		n->error = errno;
		frz_store(&n->level, level);
	}
	return frz_sleep(NULL);
}

int ns_nest(void *nest)
{
	return nest_one(nest, 0);
}
