// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer_snapshot: the files of a process, its descriptors
 *
 * The content of a pipe is copied by tee(), and stays in the pipe. The content
 * of a socket is left out: only its own descriptor reaches it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "freezer_snapshot.h"

static const char * const process_files[] = {
	"status", "stat", "statm", "cmdline", "environ", "auxv", "limits",
	"maps", "cgroup", "mountinfo", "io", "timers", "personality",
	"oom_score_adj", "coredump_filter", "uid_map", "gid_map", NULL,
};

static const char * const thread_files[] = {
	"status", "stat", "comm", "syscall", "wchan", "stack", NULL,
};

static const char * const links[] = {
	"exe", "cwd", "root", "ns/cgroup", "ns/ipc", "ns/mnt", "ns/net",
	"ns/pid", "ns/time", "ns/user", "ns/uts", NULL,
};

/* Pipes and files that are in the snapshot already: many have the same. */
struct saved {
	dev_t	dev;
	ino_t	ino;
};

static struct saved *saved;
static size_t nr_saved;

static bool is_saved(const struct stat *st)
{
	size_t i;

	for (i = 0; i < nr_saved; i++)
		if (saved[i].dev == st->st_dev && saved[i].ino == st->st_ino)
			return true;
	return false;
}

static void set_saved(const struct stat *st)
{
	saved = xalloc(saved, nr_saved + 1, sizeof(*saved));
	saved[nr_saved].dev = st->st_dev;
	saved[nr_saved].ino = st->st_ino;
	nr_saved++;
}

/* A mask of signals may have more digits than fit: the last ones are its first word. */
static unsigned long last_digits(const char *text, unsigned int base)
{
	static const char digits[] = "0123456789abcdef";
	unsigned long num = 0;
	const char *digit;

	text += strspn(text, " \t");
	while (*text && (digit = strchr(digits, *text)) && digit < digits + base) {
		num = num * base + (digit - digits);
		text++;
	}
	return num;
}

/* The number behind "@key:" in status, or in fdinfo; 0 if there is none. */
unsigned long proc_number(const char *status, const char *key, unsigned int base)
{
	size_t len = strlen(key);
	const char *line;

	for (line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ':')
			return last_digits(line + len + 1, base);
	}
	return 0;
}

/* The state and what follows it in stat; a name may hold any character. */
char *stat_fields(char *stat)
{
	char *p = strrchr(stat, ')');

	return p && p[1] && p[2] ? p + 2 : NULL;
}

/* A file of a process as it is, if there is one and it may be read. */
static void copy_proc(struct process *proc, pid_t tid, const char *file,
		      int dir)
{
	size_t size;
	char *text = read_proc(proc->pid, tid, file, &size);

	if (text)
		out_file(dir, file, text, size);
	else if (errno != ENOENT)
		note(proc->pid, tid, "no %s: %m", file);
	free(text);
}

static void write_links(struct process *proc, pid_t tid, int dir)
{
	const char * const *name;
	int fd = out_create(dir, "links");

	for (name = links; *name; name++) {
		char path[64], target[PATH_MAX];
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", proc->pid,
			 tid, *name);
		len = readlink(path, target, sizeof(target));
		if (len >= 0)
			dprintf(fd, "%s -> %.*s\n", *name, (int)len, target);
	}
	out_close(fd, "links");
}

/*
 * Descriptors
 */

/*
 * Open what the descriptor has open, once more.  Not the other side of a pipe:
 * a reader that there was not before can be noticed by who writes.
 */
static int reopen_fd(struct process *proc, pid_t tid, int num)
{
	char path[64];

	snprintf(path, sizeof(path), "fd/%d", num);
	return open_proc(proc->pid, tid, path, O_RDONLY | O_NONBLOCK);
}

static void save_pipe(struct process *proc, pid_t tid, int num,
		      const struct stat *st)
{
	static char buf[65536];
	int in, out, copy[2], dir, size;
	char name[64];
	ssize_t n = 0, left;

	in = reopen_fd(proc, tid, num);
	if (in < 0 || pipe2(copy, O_CLOEXEC | O_NONBLOCK)) {
		note(proc->pid, 0, "fd %d: what is in the pipe is not known: %m",
		     num);
		if (in >= 0)
			close(in);
		return;
	}
	set_saved(st);
	snprintf(name, sizeof(name), "%llu", (unsigned long long)st->st_ino);
	dir = out_mkdir(out_dir, "pipes");
	out = out_create(dir, name);
	close(dir);

	size = fcntl(in, F_GETPIPE_SZ);
	if (size > 0 && fcntl(copy[1], F_SETPIPE_SZ, size) < size)
		note(proc->pid, 0,
		     "fd %d: of what is in pipe %s only the beginning", num,
		     name);
	n = tee(in, copy[1], INT_MAX, SPLICE_F_NONBLOCK);
	if (n < 0 && errno != EAGAIN)
		note(proc->pid, 0, "fd %d: what is in pipe %s is not known: %m",
		     num, name);
	for (left = n; left > 0; left -= n) {
		n = read(copy[0], buf, sizeof(buf));
		if (n <= 0)
			die(EXIT_ERROR, "cannot read back from a pipe: %m");
		out_write(out, buf, n, -1);
	}
	out_close(out, name);
	close(copy[0]);
	close(copy[1]);
	close(in);
}

static void save_file(struct process *proc, pid_t tid, int num,
		      const struct stat *st)
{
	static char buf[1 << 20];
	off_t at = 0, hole;
	int in, out, dir;
	char name[64];
	ssize_t n;

	in = reopen_fd(proc, tid, num);
	if (in < 0) {
		note(proc->pid, 0, "fd %d: the file is not copied: %m", num);
		return;
	}
	set_saved(st);
	snprintf(name, sizeof(name), "%x:%x:%llu", major(st->st_dev),
		 minor(st->st_dev), (unsigned long long)st->st_ino);
	dir = out_mkdir(out_dir, "files");
	out = out_create(dir, name);
	close(dir);

	while ((at = lseek(in, at, SEEK_DATA)) >= 0) {
		hole = lseek(in, at, SEEK_HOLE);
		while (at < hole) {
			doing("copying file %s of %d", name, proc->pid);
			n = hole - at < (off_t)sizeof(buf) ? hole - at :
			    (ssize_t)sizeof(buf);
			n = pread(in, buf, n, at);
			if (n <= 0)
				break;
			out_write(out, buf, n, at);
			at += n;
		}
		if (at < hole) {
			note(proc->pid, 0,
			     "fd %d: of file %s only the first %lld bytes: %s",
			     num, name, (long long)at,
			     n ? strerror(errno) : "it got shorter");
			break;
		}
	}
	if (ftruncate(out, st->st_size))
		die(EXIT_ERROR, "cannot write %s: %m", name);
	out_close(out, name);
	close(in);
}

static void save_content(struct process *proc, pid_t tid, int num,
			 const char *target, const char *info)
{
	unsigned long flags = proc_number(info, "flags", 8);
	unsigned int mode = flags & O_ACCMODE;
	bool path_only = flags & O_PATH;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", proc->pid, tid,
		 num);
	if (path_only || stat(path, &st) || is_saved(&st))
		return;

	if (S_ISFIFO(st.st_mode)) {
		if (mode != O_WRONLY)
			save_pipe(proc, tid, num, &st);
	} else if (S_ISSOCK(st.st_mode)) {
		note(proc->pid, 0, "fd %d: what is in %s is not known", num,
		     target);
	} else if (S_ISREG(st.st_mode) && opt.files &&
		   (mode != O_RDONLY || !st.st_nlink)) {
		save_file(proc, tid, num, &st);
	}
}

static void write_fds(struct process *proc, pid_t tid, int dir)
{
	int fd_dir = out_mkdir(dir, "fd"), info_dir = out_mkdir(dir, "fdinfo");
	struct dirent *ent;
	char path[64];
	DIR *stream;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", proc->pid, tid);
	stream = opendir(path);
	if (!stream)
		note(proc->pid, 0, "no open files: %m");

	while (stream && (ent = readdir(stream))) {
		char target[PATH_MAX], *info;
		size_t size;
		ssize_t len;
		int num;

		if (ent->d_name[0] == '.')
			continue;
		num = atoi(ent->d_name);
		doing("looking at fd %d of %d", num, proc->pid);
		snprintf(path, sizeof(path), "fdinfo/%d", num);
		info = read_proc(proc->pid, tid, path, &size);
		len = readlinkat(dirfd(stream), ent->d_name, target,
				 sizeof(target) - 1);
		if (!info || len < 0) {
			note(proc->pid, 0, "fd %d: %m", num);
			free(info);
			continue;
		}
		target[len] = 0;
		if (symlinkat(target, fd_dir, ent->d_name))
			die(EXIT_ERROR, "cannot create link %s: %m",
			    ent->d_name);
		out_file(info_dir, ent->d_name, info, size);
		save_content(proc, tid, num, target, info);
		free(info);
	}

	if (stream)
		closedir(stream);
	close(fd_dir);
	close(info_dir);
}

static void write_threads(struct process *proc, int dir)
{
	const char * const *name;
	unsigned int i;
	int task_dir;

	task_dir = out_mkdir(dir, "task");
	for (i = 0; i < proc->nr_threads; i++) {
		char num[16];
		int fd;

		snprintf(num, sizeof(num), "%d", proc->threads[i].tid);
		fd = out_mkdir(task_dir, num);
		for (name = thread_files; *name; name++)
			copy_proc(proc, proc->threads[i].tid, *name, fd);
		close(fd);
	}
	close(task_dir);
}

/* All of a process that is text, and what its descriptors have open. */
void proc_write(struct process *proc, int dir)
{
	const char * const *name;
	pid_t tid;

	doing("reading /proc/%d", proc->pid);
	write_threads(proc, dir);
	if (proc->rep == proc->nr_threads) {
		note(proc->pid, 0, "it has exited; nothing else is left of it");
		return;
	}
	tid = proc->threads[proc->rep].tid;
	/* some of the files are not below task */
	for (name = process_files; *name; name++)
		copy_proc(proc, proc->rep ? tid : 0, *name, dir);
	write_links(proc, tid, dir);
	write_fds(proc, tid, dir);
}
