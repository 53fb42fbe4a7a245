// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: what the runner looks at (lists of tasks, /proc of a task that is in
 * the way) and the mover, which carries tasks from cgroup to cgroup, or kills.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "churn.h"

#define DUMP_MAX	8

#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434
#endif

static int read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	buf[0] = 0;
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len < 0)
		return -errno;
	buf[len] = 0;
	while (len && buf[len - 1] == '\n')
		buf[--len] = 0;
	return 0;
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Add the ids in @path/@file, and in the cgroups of containers below. */
static int add_tasks(struct churn_tasks *t, const char *path, const char *file)
{
	int num = frz_list(path, file, t->id + t->nr, ARRAY_SIZE(t->id) - t->nr);
	char sub[FRZ_PATH_MAX];
	struct dirent *ent;
	DIR *dir;

	if (num < 0)
		return num;
	t->nr += num;
	num = 0;
	dir = opendir(path);
	while (dir && !num && (ent = readdir(dir))) {
		if (strncmp(ent->d_name, "pid-", 4) ||
		    snprintf(sub, sizeof(sub), "%s/%s", path, ent->d_name) >=
		    FRZ_PATH_MAX)
			continue;
		num = add_tasks(t, sub, file);
		/* it had no task, and is gone */
		if (num == -ENOENT || num == -ENODEV)
			num = 0;
	}
	if (dir)
		closedir(dir);
	return num;
}

/* The ids in @file ("tasks", "cgroup.procs") of cgroups @from to @to. */
int churn_read_tasks(struct churn_tasks *t, const char *file, int from, int to)
{
	int ret = 0;

	t->nr = 0;
	for (; from <= to && !ret; from++)
		ret = add_tasks(t, churn->path[from], file);
	qsort(t->id, t->nr, sizeof(t->id[0]), compare_ints);
	return ret;
}

bool churn_in_tasks(const struct churn_tasks *t, int id)
{
	return bsearch(&id, t->id, t->nr, sizeof(id), compare_ints);
}

static void dump_proc(int tid, const char *file)
{
	char path[64], text[2048], *line, *save = NULL;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, file);
	if (read_text(path, text, sizeof(text)))
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		printf("#     %s: %s\n", file, line);
}

/* Asleep in the refrigerator, as far as /proc can tell. */
static bool looks_frozen(int tid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/wchan", tid);
	if (read_text(path, text, sizeof(text)))
		return false;
	return strstr(text, "refrigerator");
}

static void dump_task(int tid)
{
	char path[64], text[2048], *line, *save = NULL, *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (read_text(path, text, sizeof(text)))
		return;
	/* "pid (comm) state ppid" */
	end = strrchr(text, ')');
	if (end && strlen(end) > 12)
		end[12] = 0;
	printf("#   task %s\n", text);
	dump_proc(tid, "schedstat");
	dump_proc(tid, "wchan");
	dump_proc(tid, "syscall");
	dump_proc(tid, "stack");
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	if (read_text(path, text, sizeof(text)))
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (strstr(line, "Pnd:") || strstr(line, "Tracer"))
			printf("#     status: %s\n", line);
}

static void dump_process(int pid)
{
	struct dirent *ent;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (ent = readdir(dir)))
		if (ent->d_name[0] != '.')
			dump_task(atoi(ent->d_name));
	if (dir)
		closedir(dir);
}

/* Children that are not in the list: who exits has left its cgroup. */
static void dump_lost_children(const struct churn_tasks *t, int tid)
{
	char path[64], text[2048], *id, *save = NULL;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", tid, tid);
	if (read_text(path, text, sizeof(text)))
		return;
	for (id = strtok_r(text, " ", &save); id; id = strtok_r(NULL, " ", &save))
		if (!churn_in_tasks(t, atoi(id))) {
			printf("#   child of %d, not in the cgroup:\n", tid);
			dump_task(atoi(id));
		}
}

void churn_dump_tasks(int from, int to, bool only_unfrozen)
{
	static struct churn_tasks t;
	char text[2048], *line, *save = NULL;
	int i, shown = 0;

	if (!frz_read(churn->path[from], "freezer.blockers", text,
		      sizeof(text)))
		for (line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			printf("#   blocker: %s\n", line);
	churn_read_tasks(&t, "tasks", from, to);
	for (i = 0; i < t.nr; i++) {
		if (only_unfrozen && looks_frozen(t.id[i]))
			continue;
		if (++shown > DUMP_MAX) {
			printf("#   ... and more\n");
			break;
		}
		dump_task(t.id[i]);
		dump_lost_children(&t, t.id[i]);
	}
	fflush(stdout);
}

static void move_to(struct churn_slot *slot, const char *path)
{
	int ret = frz_move_thread(path, slot->tid);

	if (ret) {
		errno = -ret;
		churn_leak(slot, "move of a task to %s: %d", path, ret);
	}
}

/*
 * Into a new child of TOP and back. A child that the task has forked in there
 * may keep the cgroup from being removed; then it is used once more.
 */
static void move_through_child(struct churn_slot *slot)
{
	char path[FRZ_PATH_MAX];
	int ret = frz_create(path, churn->path[CHURN_TOP], "child");

	if (ret && ret != -EEXIST) {
		errno = -ret;
		churn_leak(slot, "mkdir of a child cgroup: %d", ret);
		return;
	}
	move_to(slot, path);
	churn_usleep(churn_rand() % 1000);
	move_to(slot, churn->path[CHURN_TOP]);
	rmdir(path);
}

static void move_one(struct churn_slot *slot, unsigned int mode_flags)
{
	int to;

	if (mode_flags & MODE_CHILDREN) {
		move_through_child(slot);
		return;
	}
	if (mode_flags & MODE_WITHIN)
		to = (slot->where + 1 + churn_rand() % 2) % (CHURN_LOW + 1);
	else
		to = slot->where == CHURN_TOP ? CHURN_OTHER : CHURN_TOP;
	__atomic_fetch_add(&slot->moves, 1, __ATOMIC_SEQ_CST);
	move_to(slot, churn->path[to]);
	__atomic_store_n(&slot->where, to, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&slot->moves, 1, __ATOMIC_SEQ_CST);
}

/*
 * Kill a victim, if it is there. One that need not wait for a thaw must be gone
 * soon, whatever the state is.
 */
static void kill_victim(struct churn_slot *slot, bool killable)
{
	struct pollfd pfd = { .events = POLLIN };
	int tid = __atomic_load_n(&slot->tid, __ATOMIC_SEQ_CST);

	if (!tid)
		return;
	pfd.fd = syscall(SYS_pidfd_open, tid, 0);
	if (pfd.fd < 0)
		return;
	/* Not waited for yet, so the descriptor is one of the victim. */
	if (__atomic_load_n(&slot->tid, __ATOMIC_SEQ_CST) == tid) {
		syscall(SYS_pidfd_send_signal, pfd.fd, SIGKILL, NULL, 0);
		if (killable && poll(&pfd, 1, KILLED_MS) != 1 &&
		    !churn_stopped()) {
			errno = 0;
			churn_leak(slot, "task %d was killed, and is there after %d ms",
				   tid, KILLED_MS);
			printf("# killed and still there:\n");
			dump_process(tid);
			fflush(stdout);
		}
	}
	close(pfd.fd);
}

/* A process beside the runner; moves or kills one task after the other. */
void churn_mover(unsigned int mode_flags)
{
	char killable[8];

	if (frz_read(churn->path[CHURN_TOP], "freezer.killable", killable,
		     sizeof(killable)))
		killable[0] = '0';
	while (!churn_stopped()) {
		struct churn_slot *slot;

		if (__atomic_load_n(&churn->hold_mover, __ATOMIC_SEQ_CST)) {
			__atomic_store_n(&churn->mover_held, 1,
					 __ATOMIC_SEQ_CST);
			churn_usleep(1000);
			continue;
		}
		__atomic_store_n(&churn->mover_held, 0, __ATOMIC_SEQ_CST);
		slot = &churn->slot[churn_rand() % (2 * churn->nr_workers)];
		if (!(slot->flags & SLOT_USED) || slot->where == CHURN_NOWHERE)
			continue;
		if (!(mode_flags & MODE_KILLS))
			move_one(slot, mode_flags);
		else if ((slot - churn->slot) & 1)
			kill_victim(slot, killable[0] == '1');
		if (churn_rand() % 4)
			churn_usleep(churn_rand() % 1000);
	}
	_exit(0);
}
