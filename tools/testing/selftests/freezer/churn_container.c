// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: containers. Each worker of a crowd may live in one, while the runner
 * and the movers stay outside (-c); and there is a mode where they come and go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "churn.h"
#include "syscalls.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x00000080
#endif

#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434
#endif

#define NAMESPACES	(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWCGROUP | \
			 CLONE_NEWIPC | CLONE_NEWUTS)

/* /proc of the runner, in its containers; else -1 */
static int outer_proc = -1;

/*
 * The id by which the runner knows the calling thread, or a child of ours
 * (which has not been waited for): what its /proc says.
 */
int churn_outer_id(int tid)
{
	char text[256] = "", name[64], *pos;
	int fd, pidfd;
	ssize_t len;

	if (outer_proc < 0 || !tid)
		return tid;
	if (tid == (int)syscall(SYS_gettid)) {
		len = readlinkat(outer_proc, "thread-self", text,
				 sizeof(text) - 1);
		pos = strrchr(text, '/');
		return len > 0 && pos ? atoi(pos + 1) : 0;
	}
	pidfd = syscall(SYS_pidfd_open, tid, 0);
	if (pidfd < 0)
		return 0;
	snprintf(name, sizeof(name), "self/fdinfo/%d", pidfd);
	fd = openat(outer_proc, name, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	close(pidfd);
	pos = len > 0 ? strstr(text, "\nPid:") : NULL;
	return pos ? atoi(pos + 5) : 0;
}

static int write_text(const char *file, const char *text)
{
	return frz_write("/proc/self", file, text);
}

/* Root in there is root out here, and nobody else is known. */
static int map_root(void)
{
	int err = write_text("setgroups", "deny");

	if (!err)
		err = write_text("uid_map", "0 0 1");
	return err ? err : write_text("gid_map", "0 0 1");
}

static pid_t clone_with(unsigned long namespaces)
{
	return frz_clone(namespaces | SIGCHLD);
}

static int own_mounts(void)
{
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		return -errno;
	return 0;
}

/*
 * fork() a worker into a container of its own: 0 in the worker, whose parent is
 * the init of the container. That one is in the cgroup with it, and reaps. Its
 * id is returned in the runner.
 */
pid_t churn_fork_contained(struct churn_slot *me, int where)
{
	pid_t init, pid, got;
	int err, status;

	outer_proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fflush(NULL);
	init = clone_with(NAMESPACES | CLONE_NEWUSER);
	if (init) {
		close(outer_proc);
		outer_proc = -1;
		return init;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	err = outer_proc < 0 ? -EBADF : map_root();
	if (!err && where != CHURN_NOWHERE)
		churn_join(me, where);
	if (!err)
		err = own_mounts();
	if (err) {
		errno = -err;
		churn_leak(me, "container: %d", err);
		_exit(1);
	}
	pid = churn_fork();
	if (!pid)
		return 0;
	do {
		got = waitpid(-1, &status, 0);
	} while (got > 0 && got != pid);
	_exit(got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/*
 * A root of our own, and the old one is gone. pivot_root() wants to see a mount
 * as the root that has a parent; an initramfs has none, a bind mount has.
 */
static int pivot(void)
{
	if (mount("/", "/mnt", NULL, MS_BIND | MS_REC, NULL) ||
	    chroot("/mnt") || chdir("/") ||
	    mount("churn", "/tmp", "tmpfs", 0, "size=1m") ||
	    mkdir("/tmp/old", 0755) || mkdir("/tmp/proc", 0755) ||
	    syscall(SYS_pivot_root, "/tmp", "/tmp/old") || chdir("/") ||
	    mount("proc", "/proc", "proc", 0, NULL) ||
	    umount2("/old", MNT_DETACH))
		return -errno;
	return 0;
}

static int change_root(void)
{
	if (mount("churn", "/tmp", "tmpfs", 0, "size=1m") ||
	    mkdir("/tmp/proc", 0755) || chroot("/tmp") || chdir("/") ||
	    mount("proc", "/proc", "proc", 0, NULL))
		return -errno;
	return 0;
}

static void resident(struct churn_slot *peer, bool orphan)
{
	/* Its parent, which is not init, leaves it alone. */
	if (orphan && fork())
		_exit(0);
	while (!churn_stopped()) {
		churn_bump(peer);
		if (churn_rand() % 2)
			churn_usleep(churn_rand() % 500);
	}
	_exit(0);
}

/* pid 1 of a container: sets it up, has some children, reaps for a while. */
static void short_lived_init(struct churn_slot *me, unsigned long namespaces)
{
	struct churn_slot *peer = &me[1];
	uint32_t r = churn_rand();
	int i, err = 0;

	outer_proc = -1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	churn_bump(peer);
	if (namespaces & CLONE_NEWUSER)
		err = map_root();
	/* for the children, it is not for who makes it */
	if (!err && r & 4 && unshare(CLONE_NEWTIME) && errno != EINVAL)
		err = -errno;
	if (!err && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err = -errno;
	if (!err)
		err = r & 1 ? pivot() : change_root();
	if (err) {
		errno = -err;
		churn_leak(me, "%s a container: %d",
			   r & 1 ? "pivot_root in" : "chroot in", err);
		_exit(1);
	}
	for (i = 0; i < 1 + (int)(r >> 4) % 3; i++) {
		pid_t pid = fork();

		if (!pid)
			resident(peer, i == 2);
		if (pid < 0)
			churn_leak(me, "fork: %d", pid);
	}
	for (;;)
		waitpid(-1, NULL, 0);
}

/*
 * Containers with a few processes; their parent kills pid 1, and so does the
 * killer, who is outside. Everything in there must be gone when it is reaped.
 */
void work_containers(struct churn_slot *me)
{
	while (!churn_stopped()) {
		unsigned long namespaces = NAMESPACES;
		pid_t pid;

		if (churn_rand() & 1)
			namespaces |= CLONE_NEWUSER;
		/* takes long to come and to go */
		if (!(churn_rand() % 8))
			namespaces |= CLONE_NEWNET;
		pid = clone_with(namespaces);
		if (!pid)
			short_lived_init(me, namespaces);
		if (pid < 0) {
			churn_leak(me, "clone of a container: %d", pid);
			churn_usleep(1000);
			continue;
		}
		churn_use_victim(me, pid);
		churn_usleep(churn_rand() % 20000);
		churn_kill_victim(me, pid);
	}
}
