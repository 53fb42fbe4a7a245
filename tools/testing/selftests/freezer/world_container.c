// SPDX-License-Identifier: GPL-2.0
/*
 * world: a container. The program sees the cgroup "world" of the freezer as
 * the root of the hierarchy, has a /proc of its own, and is not pid 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_util.h"
#include "freezer_v2.h"
#include "world.h"

#define NAMESPACES	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWIPC | \
			 CLONE_NEWUTS | CLONE_NEWNET)

/* The init of a container ends in this time, if need be after a thaw. */
#define END_MS		10000

struct container {
	unsigned int flags;
	char group[FRZ_PATH_MAX];
	char **args;
	int ended[2];	/* a byte: the program has ended */
	int mapped[2];	/* a byte each way around the writing of the maps */
	int in_userns[2];
};

static int step(const char *what, int ret)
{
	return world_error(what, ret ? -errno : 0);
}

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return 0;	/* a kernel without a network */
	ret = ioctl(fd, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags |= IFF_UP;
	if (!ret)
		ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return step("lo", ret);
}

static int mount_v1(const struct container *c, const char *dir)
{
	char file[FRZ_PATH_MAX + 16], options[64];

	/* The signal controller may be mounted with it. */
	snprintf(file, sizeof(file), "%s/signal.kill", c->group);
	snprintf(options, sizeof(options), "freezer%s",
		 access(file, F_OK) ? "" : ",signal");
	if (step("umount of the freezer", umount2(dir, MNT_DETACH)))
		return -1;
	return step("mount of the freezer",
		    mount("freezer", dir, "cgroup", 0, options));
}

static int mount_v2(const char *dir)
{
	if (step("umount of cgroup v2", umount2(dir, MNT_DETACH)))
		return -1;
	return step("mount of cgroup v2", mount("none", dir, "cgroup2", 0, NULL));
}

/* The freezer's mounts are made anew: their root is our cgroup from now on. */
static int mount_freezer(const struct container *c)
{
	char dir[FRZ_PATH_MAX], dir2[FRZ_PATH_MAX];
	int where = frz_hierarchies();

	snprintf(dir, sizeof(dir), "%s", frz_root());
	snprintf(dir2, sizeof(dir2), "%s", frz2_root());
	if (step("private mounts",
		 mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL)) ||
	    (where & FRZ_IN_V1 && mount_v1(c, dir)))
		return -1;
	return where & FRZ_IN_V2 ? mount_v2(dir2) : 0;
}

/* All ids are as they were; somebody outside has to write that down. */
static int write_maps(const struct container *c, pid_t pid)
{
	char proc[32], byte;
	int err;

	if (read(c->in_userns[0], &byte, 1) != 1)
		return -EPIPE;
	snprintf(proc, sizeof(proc), "/proc/%d", pid);
	err = world_error("uid_map", frz_write(proc, "uid_map", "0 0 4294967295"));
	if (!err)
		err = world_error("gid_map",
				  frz_write(proc, "gid_map", "0 0 4294967295"));
	if (!err && write(c->mapped[1], "", 1) != 1)
		err = -EPIPE;
	return err;
}

static int enter_userns(const struct container *c)
{
	char byte;

	if (step("user namespace", unshare(CLONE_NEWUSER)) ||
	    write(c->in_userns[1], "", 1) != 1 ||
	    read(c->mapped[0], &byte, 1) != 1)
		return -1;
	/* These belong to the user namespace, so its root may mount. */
	return step("namespaces", unshare(NAMESPACES));
}

static void container_init(const struct container *c)
{
	pid_t pid, got;
	int status;

	if (step("mount of /proc", mount("proc", "/proc", "proc", 0, NULL)))
		_exit(WORLD_FAILED);
	sethostname("container", 9);
	pid = world_fork();
	if (!pid) {
		close(c->ended[1]);
		world_exec(c->args);
	}
	do {
		got = waitpid(-1, &status, 0);
	} while (got > 0 && got != pid);
	if (got != pid || write(c->ended[1], "", 1) != 1)
		_exit(WORLD_FAILED);
	_exit(world_status(status));
}

static void enter(const struct container *c)
{
	pid_t pid;
	int status;

	close(c->ended[0]);
	close(c->mapped[1]);
	if (world_error("the container's cgroup",
			frz_move_process(c->group, 0)) ||
	    step("namespaces", unshare(NAMESPACES)) || mount_freezer(c) ||
	    (c->flags & WORLD_USERNS && enter_userns(c)) || loopback_up() ||
	    step("pid namespace", unshare(CLONE_NEWPID)))
		_exit(WORLD_FAILED);
	/* The user namespace took it away. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = world_fork();
	if (!pid)
		container_init(c);
	close(c->ended[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(WORLD_FAILED);
	_exit(world_status(status));
}

/*
 * The program has ended, so its container must. A task that a program leaves
 * frozen keeps init from its end, so there is a thaw before the second try.
 */
static int wait_end(const struct container *c, pid_t pid)
{
	int status = frz_wait_exit(pid, END_MS);

	if (status == -ETIMEDOUT) {
		fprintf(stderr, "world: the container does not end, thawing what is in it\n");
		frz_destroy(c->group, END_MS);
		status = frz_wait_exit(pid, END_MS);
	}
	return status;
}

int world_contain(unsigned int flags, char **args)
{
	struct container c = { .flags = flags, .args = args };
	int err, status;
	pid_t pid;
	char byte;

	if (pipe2(c.ended, O_CLOEXEC) || pipe2(c.mapped, O_CLOEXEC) ||
	    pipe2(c.in_userns, O_CLOEXEC))
		return WORLD_FAILED;
	err = frz_create(c.group, NULL, "world");
	if (err && err != -EEXIST)
		return world_error("the container's cgroup", err), WORLD_FAILED;
	pid = world_fork();
	if (!pid)
		enter(&c);
	close(c.ended[1]);
	close(c.in_userns[1]);
	if (pid > 0 && flags & WORLD_USERNS)
		write_maps(&c, pid);
	close(c.mapped[1]);
	/* Also at the end of the container */
	while (read(c.ended[0], &byte, 1) < 0 && errno == EINTR)
		;
	status = wait_end(&c, pid);
	err = world_error("removal of the container's cgroup",
			  frz_destroy(c.group, END_MS));
	if (status < 0)
		return world_error("end of the container", status), WORLD_FAILED;
	status = world_status(status);
	return err && !status ? WORLD_FAILED : status;
}
