// SPDX-License-Identifier: GPL-2.0
/*
 * Groups in cgroup v2, behind the functions of freezer_util.h. See freezer_v2.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freezer_v2.h"

/* A request that is withdrawn makes no event, so it is looked for. */
#define LOOK_MS		100
/* An event comes within this time, on a kernel that spreads them, too. */
#define EVENT_MS	1000
#define PF_KTHREAD	0x00200000

static char root_path[FRZ_PATH_MAX];
static bool threads_apart;

/* Whether the names of the world, with + between them, have @word. */
static bool in_world(const char *word)
{
	const char *p = getenv("FREEZER_WORLD");
	size_t len = strlen(word), item;

	while (p && *p) {
		item = strcspn(p, "+");
		if (item == len && !strncmp(p, word, len))
			return true;
		p += item + (p[item] == '+');
	}
	return false;
}

int frz_hierarchies(void)
{
	return in_world("both") ? FRZ_IN_BOTH :
	       in_world("v2") ? FRZ_IN_V2 : FRZ_IN_V1;
}

int frz2_setup(void)
{
	static const char * const dirs[] = {
		"/tmp/freezer_selftest.v2", "/run/freezer_selftest.v2", NULL,
	};
	const char * const *dir;
	int err = -ENOENT;

	if (root_path[0] || !frz_find_mount("cgroup2", NULL, root_path))
		return 0;
	for (dir = dirs; *dir; dir++) {
		if (mkdir(*dir, 0755) && errno != EEXIST) {
			err = -errno;
			continue;
		}
		if (mount("none", *dir, "cgroup2", 0, NULL))
			return -errno;
		return frz_find_mount("cgroup2", NULL, root_path);
	}
	return err;
}

const char *frz2_root(void)
{
	return root_path;
}

bool frz_is_v2(const char *path)
{
	size_t len = strlen(root_path);

	return len && !strncmp(path, root_path, len) &&
	       (path[len] == '/' || !path[len]);
}

void frz_threads_apart(void)
{
	threads_apart = true;
}

int frz2_created(const char *path)
{
	return threads_apart ? frz_write(path, "cgroup.type", "threaded") : 0;
}

bool frz2_is_threaded(const char *path)
{
	char type[32];

	return !frz_read(path, "cgroup.type", type, sizeof(type)) &&
	       !strcmp(type, "threaded");
}

int64_t frz2_key(const char *path, const char *file, const char *key)
{
	size_t len = strlen(key);
	char buf[2048];
	char *line;
	int err;

	err = frz_read(path, file, buf, sizeof(buf));
	if (err)
		return err;
	for (line = buf; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ' ')
			return strtoll(line + len + 1, NULL, 10);
	}
	return -ENOENT;
}

/* cgroup.freeze: 0, 1 or -errno */
static int own_request(const char *path)
{
	char buf[16];
	int err = frz_read(path, "cgroup.freeze", buf, sizeof(buf));

	return err ? err : buf[0] == '1';
}

static bool asked_above(const char *path)
{
	char above[FRZ_PATH_MAX];
	char *slash;

	snprintf(above, sizeof(above), "%s", path);
	for (;;) {
		slash = strrchr(above, '/');
		if (!slash || slash < above + strlen(root_path))
			return false;
		*slash = 0;
		if (own_request(above) == 1)
			return true;
	}
}

int frz2_patience_ms(void)
{
	char buf[32];

	if (frz_read(FRZ2_PATIENCE_DIR, FRZ2_PATIENCE_FILE, buf, sizeof(buf)))
		return FRZ2_PATIENCE_MS;
	return atoi(buf);
}

/* Wait for an event of the file, and arm again. */
static int next_event(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };
	char buf[256];
	int n;

	n = poll(&pfd, 1, timeout_ms);
	if (n < 0)
		return errno == EINTR ? -ETIMEDOUT : -errno;
	if (!n)
		return -ETIMEDOUT;
	return pread(fd, buf, sizeof(buf), 0) < 0 ? -errno : 0;
}

int frz2_wait_frozen(const char *path, int timeout_ms)
{
	int64_t left, end = frz_now_ns() + timeout_ms * 1000000LL;
	int fd, frozen, err;

	fd = frz_arm(path);
	if (fd < 0)
		return fd;
	for (;;) {
		frozen = frz2_frozen(path);
		err = frozen < 0 ? frozen : 0;
		if (frozen)
			break;
		if (own_request(path) == 0) {
			err = -ECANCELED;
			break;
		}
		left = (end - frz_now_ns()) / 1000000;
		if (left <= 0) {
			err = -EBUSY;
			break;
		}
		err = next_event(fd, left < LOOK_MS ? left : LOOK_MS);
		if (err && err != -ETIMEDOUT)
			break;
		if (!err || frz2_frozen(path) != 1)
			continue;
		/* It has changed, so there has to be an event. */
		err = next_event(fd, EVENT_MS) ? -ENOMSG : 0;
		if (err)
			break;
	}
	close(fd);
	return err;
}

int frz2_arm_settled(const char *path)
{
	int fd = frz_arm(path);
	int err = 0;

	while (fd >= 0 && !err)
		err = frz_wait_event(fd, FRZ2_SETTLE_MS);
	return err && err != -ETIMEDOUT ? err : fd;
}

int frz2_request(const char *path, int value)
{
	return frz_write(path, "cgroup.freeze", value ? "1" : "0");
}

/* Whether the caller is in @path or below. */
static bool is_inside(const char *path)
{
	const char *name = path + strlen(root_path);
	size_t len = strlen(name);
	char buf[4096];
	char *own;

	if (frz_read("/proc/self", "cgroup", buf, sizeof(buf)))
		return false;
	own = !strncmp(buf, "0::", 3) ? buf : strstr(buf, "\n0::");
	own = own ? strchr(own, '/') : NULL;
	return own && !strncmp(own, name, len) &&
	       (own[len] == '/' || own[len] == '\n' || !own[len]);
}

static int write_state(const char *path, const char *text, bool nonblock)
{
	bool freeze = !strcmp(text, "FROZEN") || !strcmp(text, "FROZEN\n");
	int err;

	if (!freeze && strcmp(text, "THAWED") && strcmp(text, "THAWED\n"))
		return -EINVAL;
	err = frz2_request(path, freeze);
	/* A writer inside has been frozen on its way back, and thawed. */
	if (err || !freeze || nonblock || is_inside(path))
		return err;
	return frz2_wait_frozen(path, FRZ2_LIMIT_MS);
}

bool frz2_writes(const char *file)
{
	return !strcmp(file, "freezer.state") ||
	       !strcmp(file, "freezer.killable");
}

int frz2_write(const char *path, const char *file, const char *text,
	       bool nonblock)
{
	return strcmp(file, "freezer.state") ? access(path, F_OK) ? -errno : 0 :
	       write_state(path, text, nonblock);
}

static int read_state(const char *path, char *buf, size_t size)
{
	const char *state = "THAWED";
	int frozen = frz2_frozen(path);

	if (frozen < 0)
		return frozen;
	if (frozen)
		state = "FROZEN";
	else if (own_request(path) == 1 || asked_above(path))
		/* It may have become FROZEN since. */
		state = frz2_frozen(path) == 1 ? "FROZEN" : "FREEZING";
	snprintf(buf, size, "%s", state);
	return 0;
}

/* The files that no file of v2 stands for; 1: it is not one of them. */
int frz2_read(const char *path, const char *file, char *buf, size_t size)
{
	if (!strcmp(file, "freezer.state"))
		return read_state(path, buf, size);
	if (strcmp(file, "freezer.parent_freezing") &&
	    strcmp(file, "freezer.killable"))
		return 1;
	if (access(path, F_OK))
		return -errno;
	snprintf(buf, size, "%d",
		 !strcmp(file, "freezer.killable") || asked_above(path));
	return 0;
}

const char *frz2_name(const char *file)
{
	return !strcmp(file, "tasks") ? "cgroup.threads" :
	       !strcmp(file, "freezer.self_freezing") ? "cgroup.freeze" : file;
}

static bool is_kthread(pid_t tid)
{
	unsigned int flags = 0;
	char dir[32], buf[512], *p;

	snprintf(dir, sizeof(dir), "/proc/%d", tid);
	if (frz_read(dir, "stat", buf, sizeof(buf)))
		return false;
	p = strrchr(buf, ')');
	return p && sscanf(p, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       flags & PF_KTHREAD;
}

static int64_t count_tasks(const char *path)
{
	char sub[FRZ_PATH_MAX];
	struct dirent *ent;
	pid_t list[4096];
	int64_t sum = 0;
	int i, nr;
	DIR *dir;

	nr = frz_list(path, "tasks", list, 4096);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++)
		sum += !is_kthread(list[i]);
	dir = opendir(path);
	while (dir && (ent = readdir(dir)))
		if (ent->d_type == DT_DIR && ent->d_name[0] != '.' &&
		    snprintf(sub, sizeof(sub), "%s/%s", path, ent->d_name) <
		    FRZ_PATH_MAX) {
			int64_t below = count_tasks(sub);

			sum += below > 0 ? below : 0;
		}
	if (dir)
		closedir(dir);
	return sum;
}

int64_t frz2_stat(const char *path, const char *key)
{
	if (!strcmp(key, "nr_tasks"))
		return count_tasks(path);
	if (!strcmp(key, "frozen_usec"))
		return frz2_key(path, "cgroup.stat.local", key);
	return -ENOENT;
}
