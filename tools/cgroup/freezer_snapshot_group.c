// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer_snapshot: the cgroup
 *
 * With the guard, freezer.checkpoint opened for writing, the kernel keeps
 * everybody else from thawing the group and from moving tasks in or out, and
 * says at the end whether that held.  Without it all that can be done is to
 * look afterwards whether the group was thawed in between.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freezer_snapshot.h"

static int cgroup_dir = -1;
static int guard = -1;
static uint64_t generation;

/* The pairs of process and thread in the group, before they are sorted. */
struct pair {
	pid_t	pid;
	pid_t	tid;
};

static struct pair *pairs;
static size_t nr_pairs;
static size_t room_pairs;

static char *read_cgroup(const char *file)
{
	char *text = read_at(cgroup_dir, file, NULL);

	if (!text)
		die(EXIT_ERROR, "cannot read %s of %s: %m", file, opt.cgroup);
	text[strcspn(text, "\n")] = 0;
	return text;
}

static bool state_is(const char *state)
{
	char *now = read_cgroup("freezer.state");
	bool ret = !strcmp(now, state);

	free(now);
	return ret;
}

/* Who is in the way, for a message: at most a few lines of freezer.blockers. */
static const char *who_blocks(void)
{
	char *text = read_at(cgroup_dir, "freezer.blockers", NULL);
	static char out[1024];
	size_t len = 0;
	char *line, *save = NULL;

	out[0] = 0;
	for (line = text ? strtok_r(text, "\n", &save) : NULL;
	     line && len < sizeof(out) - 128; line = strtok_r(NULL, "\n", &save))
		len += snprintf(out + len, sizeof(out) - len, "\n\t%.100s",
				line);
	if (line)
		snprintf(out + len, sizeof(out) - len, "\n\t...");
	free(text);
	return out[0] ? out : "\n\t(nobody any more)";
}

void group_open(void)
{
	char *state;

	cgroup_dir = open(opt.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup_dir < 0)
		die(EXIT_ERROR, "cannot open %s: %m", opt.cgroup);
	state = read_at(cgroup_dir, "freezer.state", NULL);
	if (!state)
		die(EXIT_ERROR,
		    "%s has no freezer.state: not a cgroup of a v1 hierarchy with the freezer, or its root",
		    opt.cgroup);
	free(state);
}

static int write_state(const char *state)
{
	int fd, err = 0;

	fd = openat(cgroup_dir, "freezer.state", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, state, strlen(state)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* A request that was there before stays. */
void group_freeze(void)
{
	char *asked = read_cgroup("freezer.self_freezing");
	int err;

	doing("freezing %s", opt.cgroup);
	/* the kernel has its own time limit, freezer.timeout_ms */
	alarm(0);
	/*
	 * Before the write: who is killed in the middle of it cannot say that he
	 * asked. Killed earlier there is nothing to withdraw, which is no error.
	 */
	shared->froze = *asked == '0';
	free(asked);
	err = write_state("FROZEN");
	if (err == -EBUSY)
		die(EXIT_NOT_FROZEN, "%s does not become FROZEN because of:%s",
		    opt.cgroup, who_blocks());
	if (err)
		die(EXIT_NOT_FROZEN, "cannot freeze %s: %s", opt.cgroup,
		    strerror(-err));
}

/* Withdraw the request of group_freeze(), once, by whoever comes first. */
bool group_thaw(void)
{
	int err;

	if (!shared->froze)
		return true;
	err = write_state("THAWED");
	if (err) {
		complain("cannot thaw %s: %s", opt.cgroup, strerror(-err));
		return false;
	}
	shared->froze = false;
	return true;
}

uint64_t group_generation(void)
{
	char *text, *line;
	uint64_t ret = 0;

	text = read_at(cgroup_dir, "freezer.stat", NULL);
	line = text ? strstr(text, "generation ") : NULL;
	if (line)
		ret = strtoull(line + strlen("generation "), NULL, 10);
	free(text);
	return ret;
}

void group_hold(void)
{
	int err = 0;

	if (opt.guard) {
		doing("waiting for the guard of %s", opt.cgroup);
		/* the kernel has its own time limit, freezer.timeout_ms */
		alarm(0);
		guard = openat(cgroup_dir, "freezer.checkpoint",
			       O_RDWR | O_CLOEXEC);
		err = errno;
	}
	generation = group_generation();

	if (!opt.guard) {
		if (!state_is("FROZEN"))
			die(EXIT_NOT_FROZEN, "%s is not FROZEN", opt.cgroup);
		return;
	}
	if (guard >= 0)
		return;

	switch (err) {
	case EBUSY:
		if (state_is("CHECKPOINTING"))
			die(EXIT_GUARD_BUSY,
			    "somebody else holds the guard of %s, a cgroup above or one below",
			    opt.cgroup);
		if (!state_is("FROZEN"))
			die(EXIT_NOT_FROZEN, "%s is not FROZEN", opt.cgroup);
		die(EXIT_GUARD_BUSY,
		    "%s does not come to rest within freezer.timeout_ms, or somebody holds the guard of a cgroup above or below; in the way:%s",
		    opt.cgroup, who_blocks());
	case ECANCELED:
		die(EXIT_NOT_FROZEN, "somebody has thawed %s", opt.cgroup);
	case ENOENT:
		die(EXIT_NO_GUARD,
		    "this kernel has no freezer.checkpoint (see --no-guard)");
	default:
		die(EXIT_ERROR, "cannot open freezer.checkpoint of %s: %s",
		    opt.cgroup, strerror(err));
	}
}

/* Give the guard back: what can be said about the time that it was held. */
const char *group_release(void)
{
	static char verdict[32];
	ssize_t n;

	if (opt.pids)
		return "unguarded";
	if (!opt.guard)
		return state_is("FROZEN") && group_generation() == generation ?
		       "unguarded" : "torn";

	n = pread(guard, verdict, sizeof(verdict) - 1, 0);
	if (n < 0)
		die(EXIT_ERROR, "cannot read freezer.checkpoint: %m");
	verdict[n] = 0;
	verdict[strcspn(verdict, "\n")] = 0;
	close(guard);
	return verdict;
}

static void add_pair(pid_t pid, pid_t tid)
{
	if (nr_pairs == room_pairs) {
		room_pairs = room_pairs ? room_pairs * 2 : 256;
		pairs = xalloc(pairs, room_pairs, sizeof(*pairs));
	}
	pairs[nr_pairs].pid = pid;
	pairs[nr_pairs].tid = tid;
	nr_pairs++;
}

/* The process of a thread, 0 if it is gone or not to be seen. */
static pid_t process_of(pid_t tid)
{
	char *status = read_proc(tid, 0, "status", NULL);
	pid_t pid;

	if (!status)
		return 0;
	pid = proc_number(status, "Tgid", 10);
	free(status);
	return pid;
}

static void scan_tasks(int dir, const char *name)
{
	char *text = read_at(dir, "tasks", NULL), *line, *save = NULL;

	if (!text)
		die(EXIT_ERROR, "cannot read the tasks of %s: %m", name);

	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		pid_t tid = atoi(line), pid = 0;

		if (!tid)
			die(EXIT_ERROR,
			    "%s has tasks that are not in this pid namespace",
			    name);
		pid = process_of(tid);
		if (pid)
			add_pair(pid, tid);
		else
			note(tid, 0, "not there any more when it was looked at");
	}
	free(text);
}

/* What to do in each cgroup: it, and the place in the snapshot for it. */
typedef void (*visit_fn)(int dir, int out, const char *name);

/*
 * Visit the cgroup @dir, which is ours to close, and all below.  @out is a
 * directory, also ours, or negative.
 */
static void walk(int dir, int out, const char *name, visit_fn visit)
{
	DIR *stream = fdopendir(dir);
	struct dirent *ent;

	if (!stream)
		die(EXIT_ERROR, "cannot list %s: %m", name);
	visit(dir, out, name);
	while ((ent = readdir(stream))) {
		char path[PATH_MAX];
		int sub, sub_out = -1;

		if (ent->d_type != DT_DIR || !strcmp(ent->d_name, ".") ||
		    !strcmp(ent->d_name, ".."))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", name, ent->d_name) >=
		    (int)sizeof(path))
			die(EXIT_ERROR, "%s: name too long", path);
		sub = openat(dir, ent->d_name,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub < 0 && errno == ENOENT)
			continue;
		if (sub < 0)
			die(EXIT_ERROR, "cannot open %s: %m", path);
		if (out >= 0)
			sub_out = out_mkdir(out, ent->d_name);
		walk(sub, sub_out, path, visit);
	}
	closedir(stream);
	if (out >= 0)
		close(out);
}

static int reopen_group(void)
{
	int fd = openat(cgroup_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die(EXIT_ERROR, "cannot open %s: %m", opt.cgroup);
	return fd;
}

/* Whoever freezes himself cannot go on. */
static void visit_self(int dir, int out, const char *name)
{
	char *text = read_at(dir, "cgroup.procs", NULL), *line, *save = NULL;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (atoi(line) == getpid())
			die(EXIT_USAGE, "it is itself in %s", name);
	free(text);
}

void group_check_self(void)
{
	walk(reopen_group(), -1, opt.cgroup, visit_self);
}

static struct group *counting;

static void visit_scan(int dir, int out, const char *name)
{
	doing("listing the tasks of %s", name);
	counting->nr_cgroups++;
	scan_tasks(dir, name);
}

/* The leader before the other threads. */
static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->tid == y->tid)
		return 0;
	if (x->tid == x->pid || y->tid == y->pid)
		return x->tid == x->pid ? -1 : 1;
	return x->tid < y->tid ? -1 : 1;
}

/* The threads of the processes that were named, whatever they do. */
static void scan_pids(void)
{
	pid_t *pid;

	for (pid = opt.pids; *pid; pid++) {
		struct dirent *ent;
		char path[64];
		DIR *dir;

		snprintf(path, sizeof(path), "/proc/%d/task", *pid);
		dir = opendir(path);
		if (!dir)
			die(EXIT_ERROR, "there is no process %d", *pid);
		while ((ent = readdir(dir)))
			if (atoi(ent->d_name))
				add_pair(*pid, atoi(ent->d_name));
		closedir(dir);
	}
}

static bool is_known(struct process *proc, pid_t tid)
{
	unsigned int i;

	for (i = 0; i < proc->nr_threads; i++)
		if (proc->threads[i].tid == tid)
			return true;
	return false;
}

/*
 * In a v1 hierarchy the threads of a process can be in different cgroups.  One
 * that is not in the group runs, and changes the memory of the others.
 */
static void check_threads(struct process *proc)
{
	struct dirent *ent;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", proc->pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((ent = readdir(dir))) {
		pid_t tid = atoi(ent->d_name);

		if (tid && !is_known(proc, tid) && process_of(tid))
			die(EXIT_NOT_FROZEN,
			    "thread %d of process %d is not in %s and runs",
			    tid, proc->pid, opt.cgroup);
	}
	closedir(dir);
}

static void fill_process(struct process *proc)
{
	unsigned int i;

	proc->rep = proc->nr_threads;
	for (i = 0; i < proc->nr_threads; i++) {
		struct thread *thread = &proc->threads[i];
		char *stat, *fields, *comm;

		stat = read_proc(proc->pid, thread->tid, "stat", NULL);
		fields = stat ? stat_fields(stat) : NULL;
		if (fields) {
			/* flags is the seventh, beginning with the state */
			if (sscanf(fields, "%*c %*d %*d %*d %*d %*d %lu",
				   &thread->flags) != 1)
				thread->flags = 0;
			comm = strchr(stat, '(');
			if (!i && comm)
				snprintf(proc->comm, sizeof(proc->comm), "%.*s",
					 (int)(fields - comm - 3), comm + 1);
			if (proc->rep == proc->nr_threads && *fields != 'Z' &&
			    *fields != 'X')
				proc->rep = i;
		}
		free(stat);
	}
}

void group_scan(struct group *group)
{
	size_t i;

	counting = group;
	if (opt.pids)
		scan_pids();
	else
		walk(reopen_group(), -1, opt.cgroup, visit_scan);
	qsort(pairs, nr_pairs, sizeof(*pairs), compare_pairs);

	for (i = 0; i < nr_pairs; i++) {
		struct process *proc = group->nr_procs ?
			&group->procs[group->nr_procs - 1] : NULL;
		struct thread thread = { .tid = pairs[i].tid };

		if (pairs[i].pid == getpid() || pairs[i].pid == getppid())
			die(EXIT_USAGE, "cannot take a snapshot of itself");
		if (!proc || proc->pid != pairs[i].pid) {
			struct process new = { .pid = pairs[i].pid };

			group->procs = xalloc(group->procs, group->nr_procs + 1,
					      sizeof(*group->procs));
			proc = &group->procs[group->nr_procs++];
			*proc = new;
		}
		proc->threads = xalloc(proc->threads, proc->nr_threads + 1,
				       sizeof(*proc->threads));
		proc->threads[proc->nr_threads++] = thread;
	}
	group->nr_threads = nr_pairs;

	for (i = 0; i < group->nr_procs; i++) {
		if (!opt.pids)
			check_threads(&group->procs[i]);
		fill_process(&group->procs[i]);
	}
}

/* Every file of the cgroup that can be read, as it is. */
static void visit_write(int dir, int out, const char *name)
{
	struct dirent *ent;
	DIR *stream;
	int fd;

	doing("writing the state of %s", name);
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream)
		die(EXIT_ERROR, "cannot list %s: %m", name);
	while ((ent = readdir(stream))) {
		struct stat st;
		size_t size;
		char *text;

		/* freezer.checkpoint tells of the guard, and that is over */
		if (ent->d_type != DT_REG ||
		    !strcmp(ent->d_name, "freezer.checkpoint") ||
		    fstatat(dir, ent->d_name, &st, 0) || !(st.st_mode & 0444))
			continue;
		text = read_at(dir, ent->d_name, &size);
		if (!text) {
			note(0, 0, "%s/%s: %m", name, ent->d_name);
			continue;
		}
		out_file(out, ent->d_name, text, size);
		free(text);
	}
	closedir(stream);
}

void group_write(void)
{
	if (!opt.pids)
		walk(reopen_group(), out_mkdir(out_dir, "cgroup"), opt.cgroup,
		     visit_write);
}
