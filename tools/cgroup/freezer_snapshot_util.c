// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer_snapshot: files, notes, the end
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "freezer_snapshot.h"

int out_dir = -1;
FILE *notes;
unsigned int nr_notes;

static void say(const char *fmt, va_list args)
{
	fputs("freezer_snapshot: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

/* The end of the worker; of the supervisor only before there is a worker. */
void die(enum exit_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	fflush(NULL);
	_exit(code);
}

/* Something is missing from the snapshot: of which process and thread, why. */
void note(pid_t pid, pid_t tid, const char *fmt, ...)
{
	va_list args;

	nr_notes++;
	if (pid && tid)
		fprintf(notes, "%d thread %d: ", pid, tid);
	else if (pid)
		fprintf(notes, "%d: ", pid);
	va_start(args, fmt);
	vfprintf(notes, fmt, args);
	va_end(args);
	fputc('\n', notes);
}

/* A sign of life at a process that takes longer. */
#define SIGN_OF_LIFE_S	2

/*
 * Progress: what comes next.  A read can wait for somebody who is in the group
 * himself, and then for ever: memory of a file on a FUSE server that is frozen.
 * Such a wait ends for nothing but a fatal signal, so the alarm is one.
 */
void doing(const char *fmt, ...)
{
	static time_t last;
	time_t now = time(NULL);
	va_list args;

	va_start(args, fmt);
	vsnprintf(shared->doing, sizeof(shared->doing), fmt, args);
	va_end(args);
	alarm(opt.stall_s);

	if (!last || now < last)
		last = now;
	if (!opt.quiet && now - last >= SIGN_OF_LIFE_S) {
		fprintf(stderr, "\t%s; %llu kB written\n", shared->doing,
			(unsigned long long)shared->bytes / 1024);
		last = now;
	}
}

void *xalloc(void *old, size_t num, size_t size)
{
	void *new = reallocarray(old, num ? num : 1, size);

	if (!new)
		die(EXIT_ERROR, "out of memory");
	return new;
}

char *read_at(int dir, const char *file, size_t *size)
{
	size_t room = 4096, len = 0;
	char *buf = NULL;
	ssize_t n;
	int fd;

	fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;

	do {
		if (!buf || len + 1 >= room) {
			room *= buf ? 2 : 1;
			buf = xalloc(buf, room, 1);
		}
		n = read(fd, buf + len, room - 1 - len);
		if (n > 0)
			len += n;
	} while (n > 0 || (n < 0 && errno == EINTR));

	if (n < 0) {
		int err = errno;

		free(buf);
		close(fd);
		errno = err;
		return NULL;
	}
	close(fd);
	buf[len] = 0;
	if (size)
		*size = len;
	return buf;
}

static void proc_path(char *path, size_t size, pid_t pid, pid_t tid,
		      const char *file)
{
	if (tid)
		snprintf(path, size, "/proc/%d/task/%d/%s", pid, tid, file);
	else
		snprintf(path, size, "/proc/%d/%s", pid, file);
}

char *read_proc(pid_t pid, pid_t tid, const char *file, size_t *size)
{
	char path[128];

	proc_path(path, sizeof(path), pid, tid, file);
	return read_at(AT_FDCWD, path, size);
}

int open_proc(pid_t pid, pid_t tid, const char *file, int flags)
{
	char path[128];

	proc_path(path, sizeof(path), pid, tid, file);
	return open(path, flags | O_CLOEXEC);
}

int out_mkdir(int dir, const char *name)
{
	int fd;

	if (mkdirat(dir, name, 0700) && errno != EEXIST)
		die(EXIT_ERROR, "cannot make directory %s: %m", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(EXIT_ERROR, "cannot open directory %s: %m", name);
	return fd;
}

int out_create(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		die(EXIT_ERROR, "cannot create %s: %m", name);
	return fd;
}

/* At @offset, or where the file is when that is negative. */
void out_write(int fd, const void *buf, size_t size, off_t offset)
{
	ssize_t n;

	while (size) {
		n = offset < 0 ? write(fd, buf, size) :
				 pwrite(fd, buf, size, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die(EXIT_ERROR, "cannot write: %m");
		buf = (const char *)buf + n;
		size -= n;
		offset += offset < 0 ? 0 : n;
		shared->bytes += n;
	}
}

void out_close(int fd, const char *name)
{
	if (close(fd))
		die(EXIT_ERROR, "cannot write %s: %m", name);
}

void out_file(int dir, const char *name, const void *buf, size_t size)
{
	int fd = out_create(dir, name);

	out_write(fd, buf, size, -1);
	out_close(fd, name);
}

bool is_zero(const void *buf, size_t size)
{
	const unsigned char *p = buf;

	return !size || (!*p && !memcmp(p, p + 1, size - 1));
}
