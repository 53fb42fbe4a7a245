// SPDX-License-Identifier: GPL-2.0
/*
 * world: cgroups in other hierarchies, as every host has them, for the tasks
 * that are in cgroups of the freezer.
 *
 *	<cgroup v2>/world/one	with limits, if asked for; a task comes there
 *	<cgroup v2>/world/two	together with its first cgroup of the freezer
 *	<name=world>/one	(frz_move_process())
 *	<name=world>/two
 *
 * The mover carries random tasks between one and two all the time: processes
 * in cgroup v2, threads in the v1 hierarchy with a name, which no controller
 * has. From time to time it turns a controller on and off, which moves all
 * tasks at once. Where the groups of the tests are in cgroup v2 it has the
 * hierarchy with a name alone.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_util.h"
#include "world.h"

#define OWN_V2		"/tmp/freezer_world.cgroup2"
#define OWN_V1		"/tmp/freezer_world.named"
/* Held while a list of tasks is read (frz_hold_mover()), or one is moved */
#define LOCK		"/tmp/freezer_world.lock"
/* The limited cgroup of the tests of the OOM killer (memcg_util.h) */
#define MEMCG		"freezer_selftest"
#define TASKS_MAX	4096
/* So many moves, then the list of tasks is read again. */
#define MOVES		16
#define CLEAN_MS	10000

enum { V2, V1, HIERARCHIES };

struct counts {
	unsigned long moves[HIERARCHIES];
	unsigned long failed[HIERARCHIES];
	unsigned long switched;
};

static char v2[FRZ_PATH_MAX / 2];
static char world[FRZ_PATH_MAX], group[HIERARCHIES][2][FRZ_PATH_MAX];
static bool own_v2;
static pid_t mover;
static struct counts *counts;

static int find_v2(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *ent;

	while (f && !v2[0] && (ent = getmntent(f)))
		if (!strcmp(ent->mnt_type, "cgroup2"))
			snprintf(v2, sizeof(v2), "%s", ent->mnt_dir);
	if (f)
		endmntent(f);
	if (v2[0])
		return 0;
	own_v2 = true;
	snprintf(v2, sizeof(v2), "%s", OWN_V2);
	mkdir(v2, 0755);
	return mount("none", v2, "cgroup2", 0, NULL) ? -errno : 0;
}

static int create(char path[FRZ_PATH_MAX], const char *parent, const char *name)
{
	int err = frz_create(path, parent, name);

	return err == -EEXIST ? 0 : err;
}

static int create_v2(void)
{
	int err = find_v2();

	if (!err)
		err = create(world, v2, "world");
	if (!err)
		err = create(group[V2][0], world, "one");
	if (!err)
		err = create(group[V2][1], world, "two");
	return world_error("cgroups of v2", err);
}

static int create_named(void)
{
	int err;

	mkdir(OWN_V1, 0755);
	if (mount("none", OWN_V1, "cgroup", 0, "none,name=world"))
		return world_error("mount of name=world", -errno);
	err = create(group[V1][0], OWN_V1, "one");
	if (!err)
		err = create(group[V1][1], OWN_V1, "two");
	return world_error("cgroups of name=world", err);
}

static int set(const char *path, const char *file, const char *text)
{
	return world_error(file, frz_write(path, file, text));
}

/*
 * Small, so that a crowd meets each of them: a quota that a busy task has used
 * up in each period, memory that it has to give back, one CPU of two.
 */
static int set_limits(void)
{
	static const char * const controllers[] = {
		"+memory", "+cpu", "+cpuset", "+pids",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(controllers); i++)
		if (set(v2, "cgroup.subtree_control", controllers[i]) ||
		    set(world, "cgroup.subtree_control", controllers[i]))
			return -1;
	for (i = 0; i < 2; i++)
		if (set(group[V2][i], "cpu.max", "20000 50000") ||
		    set(group[V2][i], "memory.high", "24M") ||
		    set(group[V2][i], "memory.max", "256M"))
			return -1;
	/* With one CPU there is no other for the second group. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return 0;
	return set(group[V2][0], "cpuset.cpus", "1") ? -1 :
	       set(group[V2][1], "cpuset.cpus", "0");
}

/* The tasks of all cgroups below @path, and of @path itself if @itself. */
static int add_tasks(const char *path, bool itself, pid_t *list, int nr)
{
	char sub[FRZ_PATH_MAX];
	struct dirent *ent;
	int got;
	DIR *dir;

	if (itself) {
		got = frz_list(path, "tasks", list + nr, TASKS_MAX - nr);
		nr += got > 0 ? got : 0;
	}
	dir = opendir(path);
	if (!dir)
		return nr;
	while ((ent = readdir(dir)))
		if (ent->d_type == DT_DIR && ent->d_name[0] != '.' &&
		    snprintf(sub, sizeof(sub), "%s/%s", path, ent->d_name) <
		    FRZ_PATH_MAX)
			nr = add_tasks(sub, true, list, nr);
	closedir(dir);
	return nr;
}

static unsigned int rnd(void)
{
	static unsigned int x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

static void move_one(pid_t tid, int hierarchy, const char *file)
{
	int err, lock;
	char text[16];

	lock = frz_hold_mover();
	snprintf(text, sizeof(text), "%d", tid);
	err = frz_write(group[hierarchy][rnd() & 1], file, text);
	frz_let_mover_go(lock);
	/* It may have died since. */
	if (err && err != -ESRCH)
		frz_inc(&counts->failed[hierarchy]);
	else
		frz_inc(&counts->moves[hierarchy]);
}

static void switch_controller(bool on)
{
	int lock = frz_hold_mover();

	if (!frz_write(world, "cgroup.subtree_control", on ? "+pids" : "-pids"))
		frz_inc(&counts->switched);
	frz_let_mover_go(lock);
}

/* @root: in the world of containers a cgroup, the controlling task is in it. */
static void move_for_ever(const char *root)
{
	static pid_t list[TASKS_MAX];
	char memcg[FRZ_PATH_MAX];
	bool on = true;
	int i, nr;

	snprintf(memcg, sizeof(memcg), "%s/%s", v2, MEMCG);
	/* @v2 is empty: its groups are not ours to move. */
	for (;;) {
		nr = add_tasks(root, false, list, 0);
		if (!nr)
			frz_sleep_ms(2);
		for (i = 0; nr && i < MOVES; i++) {
			pid_t tid = list[rnd() % nr];

			/* A test's own limits are left alone. */
			if (v2[0] && rnd() % 4 && access(memcg, F_OK))
				move_one(tid, V2, "cgroup.procs");
			else
				move_one(tid, V1, "tasks");
			if (rnd() % 4 == 0)
				usleep(rnd() % 2000);
		}
		if (v2[0] && nr && rnd() % 8 == 0) {
			on = !on;
			switch_controller(on);
		}
	}
}

static int start_mover(unsigned int flags)
{
	char root[FRZ_PATH_MAX];
	int fd;

	counts = frz_shared(sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	close(fd);
	setenv("FREEZER_MOVER_LOCK", LOCK, 1);
	snprintf(root, sizeof(root), "%s%s", frz_root(),
		 flags & WORLD_CONTAINER ? "/world" : "");
	mover = world_fork();
	if (!mover)
		move_for_ever(root);
	return mover < 0 ? -errno : 0;
}

int world_groups_begin(unsigned int flags)
{
	int err = flags & (WORLD_V2 | WORLD_BOTH) ? 0 : create_v2();

	if (!err && flags & WORLD_LIMITS) {
		err = set_limits();
		setenv("FREEZER_LIMITS", group[V2][0], 1);
	}
	if (!err && flags & WORLD_MOVER)
		err = create_named();
	if (!err && flags & WORLD_MOVER)
		err = world_error("the mover", start_mover(flags));
	if (err)
		world_groups_end(flags);
	return err;
}

/* The tasks that are left go back, then the cgroup goes. */
static int empty_and_remove(const char *path, const char *root)
{
	static pid_t list[TASKS_MAX];
	long long deadline = frz_now_ns() + CLEAN_MS * 1000000LL;
	int i, nr;

	while (rmdir(path)) {
		if (errno == ENOENT || !path[0])
			return 0;
		if (errno != EBUSY || frz_now_ns() > deadline)
			return world_error(path, -errno);
		nr = frz_list(path, "cgroup.procs", list, TASKS_MAX);
		for (i = 0; i < nr; i++) {
			char text[16];

			snprintf(text, sizeof(text), "%d", list[i]);
			frz_write(root, "cgroup.procs", text);
		}
		frz_sleep_ms(1);
	}
	return 0;
}

/* A line of the file of the group in the hierarchy v2: " key value," */
static void tell_key(int i, const char *file, const char *key)
{
	char text[2048], *line;

	if (frz_read(group[V2][i], file, text, sizeof(text)))
		return;
	line = strstr(text, key);
	if (line)
		printf(" %.*s,", (int)strcspn(line, "\n"), line);
}

/* What the mover has done, and the limits. */
static void tell(unsigned int flags)
{
	int i;

	if (flags & WORLD_MOVER && counts) {
		printf("# world: moves in v2 %lu, refused %lu; in name=world %lu, refused %lu; ",
		       counts->moves[V2], counts->failed[V2], counts->moves[V1],
		       counts->failed[V1]);
		printf("a controller turned on or off %lu times\n",
		       counts->switched);
	}
	for (i = 0; flags & WORLD_LIMITS && i < 2; i++) {
		printf("# world: limits of %s:", i ? "two" : "one");
		tell_key(i, "cpu.stat", "nr_periods");
		tell_key(i, "cpu.stat", "nr_throttled");
		tell_key(i, "memory.events", "high");
		tell_key(i, "memory.events", "max");
		tell_key(i, "memory.events", "oom_kill");
		printf("\n");
	}
	fflush(stdout);
}

int world_groups_end(unsigned int flags)
{
	int i, err = 0;

	if (mover > 0) {
		kill(mover, SIGKILL);
		err = frz_wait_exit(mover, CLEAN_MS) < 0 ?
		      world_error("end of the mover", -ETIMEDOUT) : 0;
	}
	tell(flags);
	for (i = 0; i < 2; i++) {
		err = empty_and_remove(group[V2][i], v2) ?: err;
		err = empty_and_remove(group[V1][i], OWN_V1) ?: err;
	}
	err = empty_and_remove(world, v2) ?: err;
	if (flags & WORLD_MOVER) {
		umount(OWN_V1);
		rmdir(OWN_V1);
		unlink(LOCK);
	}
	if (own_v2) {
		umount(OWN_V2);
		rmdir(OWN_V2);
	}
	return err;
}
