// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: locks, leases, notification of files, FUSE, keys.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "syscall_table.h"

static int prep_file(struct sc *s)
{
	sc_prep_path(s);
	s->fd[0] = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return s->fd[0] < 0 ? -errno : 0;
}

/* The case opens the file anew: another owner of its locks. */
static int prep_flock(struct sc *s)
{
	int err = prep_file(s);

	s->fd[1] = open(s->path, O_RDWR | O_CLOEXEC);
	if (!err && flock(s->fd[1], s->c->arg[1]))
		err = -errno;
	return err;
}

static long call_flock(struct sc *s)
{
	int fd = open(s->path, O_RDWR | O_CLOEXEC);

	close(s->fd[0]);
	close(s->fd[1]);
	return sc_ret(flock(fd, s->c->arg[0]));
}

static void unlock_flock(struct sc *s)
{
	flock(s->fd[1], LOCK_UN);
}

/* @arg[0]: the command, [1]: the kind of lock */
static int prep_lock(struct sc *s)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };
	int err = prep_file(s);

	s->fd[1] = open(s->path, O_RDWR | O_CLOEXEC);
	if (!err && fcntl(s->fd[1], F_OFD_SETLK, &lock))
		err = -errno;
	return err;
}

static long call_lock(struct sc *s)
{
	struct flock lock = { .l_type = s->c->arg[1], .l_len = 5 };

	return sc_ret(fcntl(s->fd[0], s->c->arg[0], &lock));
}

static void unlock(struct sc *s)
{
	struct flock lock = { .l_type = F_UNLCK, .l_len = 10 };

	fcntl(s->fd[1], F_OFD_SETLK, &lock);
}

/* The test has a lease on the file; arg[1]: which */
static int prep_lease(struct sc *s)
{
	int err = prep_file(s);

	if (err)
		return err;
	close(s->fd[0]);
	s->fd[0] = open(s->path, O_RDONLY | O_CLOEXEC);
	return fcntl(s->fd[0], F_SETLEASE, s->c->arg[1]) ? -errno : 0;
}

static long call_open(struct sc *s)
{
	return open(s->path, s->c->arg[0]) < 0 ? -errno : 0;
}

static long call_open_lease(struct sc *s)
{
	close(s->fd[0]);
	return call_open(s);
}

static void give_up_lease(struct sc *s)
{
	fcntl(s->fd[0], F_SETLEASE, F_UNLCK);
}

static int prep_inotify(struct sc *s)
{
	sc_prep_path(s);
	close(open(s->path, O_RDWR | O_CREAT, 0600));
	s->fd[0] = inotify_init1(IN_CLOEXEC);
	if (s->fd[0] < 0 || inotify_add_watch(s->fd[0], s->path, IN_ATTRIB) < 0)
		return -errno;
	return 0;
}

static int prep_fanotify(struct sc *s)
{
	sc_prep_path(s);
	close(open(s->path, O_RDWR | O_CREAT, 0600));
	s->fd[0] = fanotify_init(FAN_CLOEXEC | s->c->arg[1], O_RDONLY);
	if (s->fd[0] < 0 || fanotify_mark(s->fd[0], FAN_MARK_ADD, s->c->arg[2],
					  AT_FDCWD, s->path))
		return -errno;
	return 0;
}

static long call_read_event(struct sc *s)
{
	char buf[1024];
	long ret = sc_ret(read(s->fd[0], buf, sizeof(buf)));

	return ret > 0 ? 0 : ret;
}

static long call_poll(struct sc *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };

	return sc_ret(poll(&pfd, 1, -1)) - 1;
}

static void touch(struct sc *s)
{
	chmod(s->path, 0640);
}

static void open_file(struct sc *s)
{
	close(open(s->path, O_RDONLY));
}

/* Open is allowed, or not (@arg[0] in the upper half), by the test. */
static void answer_fanotify(struct sc *s)
{
	struct fanotify_event_metadata ev;
	struct fanotify_response resp = { .response = FAN_ALLOW };

	if (s->c->want)
		resp.response = FAN_DENY;
	fcntl(s->fd[0], F_SETFL, O_NONBLOCK);
	if (read(s->fd[0], &ev, sizeof(ev)) != sizeof(ev)) {
		s->val[3] = errno;
		return;
	}
	resp.fd = ev.fd;
	if (write(s->fd[0], &resp, sizeof(resp)) != sizeof(resp))
		s->val[3] = errno;
	close(ev.fd);
}

/*
 * A FUSE file system per case, with a file in its root. The test is the server;
 * the one request that the case is about (@arg[0]) it keeps until the end.
 */
static void fuse_mount_path(struct sc *s, char *path)
{
	sprintf(path, "%s.fuse", s->path);
}

static int prep_fuse(struct sc *s)
{
	char opts[64], path[80];

	sc_prep_path(s);
	fuse_mount_path(s, path);
	umount2(path, MNT_DETACH);
	mkdir(path, 0755);
	s->fd[0] = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (s->fd[0] < 0)
		return -errno;
	snprintf(opts, sizeof(opts),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", s->fd[0]);
	return mount("syscall_test", path, "fuse", 0, opts) ? -errno : 0;
}

static void fuse_cleanup(struct sc *s)
{
	char path[80];

	fuse_mount_path(s, path);
	close(s->fd[0]);
	s->fd[0] = -1;
	umount2(path, MNT_DETACH);
	rmdir(path);
}

static void fuse_answer(struct sc *s, struct fuse_in_header *in)
{
	struct {
		struct fuse_out_header head;
		union {
			struct fuse_init_out init;
			struct fuse_attr_out attr;
			struct fuse_entry_out entry;
			struct fuse_open_out open;
			struct fuse_write_out write;
			struct fuse_statfs_out statfs;
			char data[4096];
		};
	} out = { .head = { .unique = in->unique } };
	size_t size = 0;

	switch (in->opcode) {
	case FUSE_INIT:
		out.init.major = FUSE_KERNEL_VERSION;
		out.init.minor = FUSE_KERNEL_MINOR_VERSION;
		out.init.max_write = 4096;
		size = sizeof(out.init);
		break;
	case FUSE_LOOKUP:
		/* Without an inode: there is no such file. */
		size = sizeof(out.entry);
		if (strcmp((char *)(in + 1), "file"))
			break;
		out.entry.nodeid = 2;
		out.entry.attr.ino = 2;
		out.entry.attr.mode = S_IFREG | 0666;
		out.entry.attr.nlink = 1;
		out.entry.attr.size = 4096;
		break;
	case FUSE_GETATTR:
		out.attr.attr.ino = in->nodeid;
		out.attr.attr.mode = in->nodeid == 2 ? S_IFREG | 0666 :
						       S_IFDIR | 0755;
		out.attr.attr.nlink = 1;
		out.attr.attr.size = 4096;
		size = sizeof(out.attr);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		out.open.open_flags = FOPEN_DIRECT_IO;
		size = sizeof(out.open);
		break;
	case FUSE_READ:
		size = 16;
		break;
	case FUSE_WRITE:
		out.write.size = 16;
		size = sizeof(out.write);
		break;
	case FUSE_STATFS:
		size = sizeof(out.statfs);
		break;
	case FUSE_FSYNC:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_MKDIR:
		if (in->opcode == FUSE_MKDIR)
			out.head.error = -EROFS;
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	case FUSE_INTERRUPT:
		/* Somebody gave the case a signal: it was to see none. */
		s->val[3] = FUSE_INTERRUPT;
		return;
	default:
		out.head.error = -EOPNOTSUPP;
	}
	out.head.len = sizeof(out.head) + size;
	if (write(s->fd[0], &out, out.head.len) < 0)
		s->val[3] = errno;
}

static void fuse_pump(struct sc *s)
{
	static char request[FUSE_MIN_READ_BUFFER * 2];
	struct fuse_in_header *in = (void *)request;

	while (read(s->fd[0], request, sizeof(request)) > 0) {
		if (in->opcode == (uint32_t)s->c->arg[0] && !s->val[0]) {
			memcpy(s->obj, in, sizeof(s->obj));
			s->val[0] = 1;
		} else {
			fuse_answer(s, in);
		}
	}
}

static void fuse_end(struct sc *s)
{
	fuse_pump(s);
	if (s->val[0] == 1)
		fuse_answer(s, (void *)s->obj);
	s->val[0] = 2;
}

static long call_fuse(struct sc *s)
{
	char root[80], file[96], buf[16] = "";
	struct statfs sf;
	struct stat st;
	int fd;

	fuse_mount_path(s, root);
	sprintf(file, "%s/file", root);
	/* The test serves, and nobody else. */
	close(s->fd[0]);
	switch (s->c->arg[0]) {
	case FUSE_GETATTR:
		return sc_ret(stat(root, &st));
	case FUSE_LOOKUP:
		return sc_ret(stat(file, &st));
	case FUSE_STATFS:
		return sc_ret(statfs(root, &sf));
	case FUSE_MKDIR:
		strcat(file, "2");
		return sc_ret(mkdir(file, 0755));
	case FUSE_OPENDIR:
		return open(root, O_RDONLY | O_DIRECTORY) < 0 ? -errno : 0;
	default:
		break;
	}
	fd = open(file, O_RDWR);
	if (fd < 0)
		return -errno;
	switch (s->c->arg[0]) {
	case FUSE_READ:
		return sc_ret(read(fd, buf, 16));
	case FUSE_WRITE:
		return sc_ret(write(fd, buf, 16));
	case FUSE_FSYNC:
		return sc_ret(fsync(fd));
	case FUSE_FLUSH:
		return sc_ret(close(fd));
	default:
		return 0;
	}
}

/* The case is the server, and the file system goes away. */
static int prep_fuse_server(struct sc *s)
{
	int err = prep_fuse(s);

	if (err)
		return err;
	fuse_pump(s);
	fcntl(s->fd[0], F_SETFL, 0);
	return 0;
}

static long call_fuse_server(struct sc *s)
{
	static char request[FUSE_MIN_READ_BUFFER * 2];

	return sc_ret(read(s->fd[0], request, sizeof(request)));
}

static void fuse_go_away(struct sc *s)
{
	char path[80];

	fuse_mount_path(s, path);
	if (umount2(path, 0))
		s->val[3] = errno;
}

/*
 * A key that the program /sbin/request-key has to make: a link to this test,
 * which waits for the test's byte and then says that there is none.
 */
#define UPCALL	"/sbin/request-key"
#define FIFO	"/tmp/syscall_test.key"

__attribute__((constructor))
static void request_key_main(int argc, char **argv, char **envp)
{
	const char *slash = argc > 2 ? strrchr(argv[0], '/') : NULL;
	char name[128], c;
	int fd;

	if (!slash || strcmp(slash, "/request-key") || strcmp(argv[1], "create"))
		return;
	/* The description of the key is in none of the arguments. */
	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, atoi(argv[2]), name,
		    sizeof(name)) < 0)
		_exit(1);
	slash = strrchr(name, ';');
	if (!slash)
		_exit(1);
	fd = open(slash + 1, O_RDONLY);
	if (fd < 0 || read(fd, &c, 1) != 1)
		_exit(1);
	syscall(SYS_keyctl, KEYCTL_NEGATE, atoi(argv[2]), 1, 0);
	_exit(0);
}

static int prep_key(struct sc *s)
{
	char self[256] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	mkdir("/sbin", 0755);
	if (symlink(self, UPCALL) && errno != EEXIST)
		return -errno;
	sc_prep_path(s);
	if (mkfifo(s->path, 0600))
		return -errno;
	s->fd[1] = open(s->path, O_RDWR | O_CLOEXEC);
	return s->fd[1] < 0 ? -errno : 0;
}

static long call_key(struct sc *s)
{
	return sc_ret(syscall(SYS_request_key, "user", s->path, "x", 0));
}

static void key_cleanup(struct sc *s)
{
	unlink(UPCALL);
}

#define ASLEEP(...) \
	{ __VA_ARGS__, .unfed = SC_ASLEEP }
#define SERVED(...) \
	{ __VA_ARGS__, .unfed = SC_ASLEEP, .unguarded = SC_REFUSED }
#define FUSE(text, op, result) \
	SERVED("FUSE " text, prep_fuse, call_fuse, .pump = fuse_pump, \
	       .end = fuse_end, .cleanup = fuse_cleanup, .want = result, \
	       .flags = SC_REPEAT, .arg = { op })

static const struct sc_case cases[] = {
	ASLEEP("flock, exclusive", prep_flock, call_flock, .end = unlock_flock,
	       .arg = { LOCK_EX, LOCK_EX }),
	ASLEEP("flock, shared", prep_flock, call_flock, .end = unlock_flock,
	       .arg = { LOCK_SH, LOCK_EX }),
	ASLEEP("fcntl F_SETLKW for writing", prep_lock, call_lock,
	       .end = unlock, .arg = { F_SETLKW, F_WRLCK }),
	ASLEEP("fcntl F_SETLKW for reading", prep_lock, call_lock,
	       .end = unlock, .arg = { F_SETLKW, F_RDLCK }),
	ASLEEP("fcntl F_OFD_SETLKW", prep_lock, call_lock, .end = unlock,
	       .arg = { F_OFD_SETLKW, F_WRLCK }),
	ASLEEP("open against a read lease", prep_lease, call_open_lease,
	       .end = give_up_lease, .arg = { O_WRONLY, F_RDLCK }),
	ASLEEP("truncate against a read lease", prep_lease, call_open_lease,
	       .end = give_up_lease, .arg = { O_WRONLY | O_TRUNC, F_RDLCK }),
	ASLEEP("inotify read", prep_inotify, call_read_event, .end = touch),
	{ "inotify poll", prep_inotify, call_poll, .end = touch },
	ASLEEP("fanotify read", prep_fanotify, call_read_event,
	       .end = open_file, .arg = { 0, FAN_CLASS_NOTIF, FAN_OPEN }),
	SERVED("open, allowed by fanotify", prep_fanotify, call_open,
	       .end = answer_fanotify,
	       .arg = { O_RDONLY, FAN_CLASS_CONTENT, FAN_OPEN_PERM }),
	SERVED("open, denied by fanotify", prep_fanotify, call_open,
	       .end = answer_fanotify, .want = -EPERM,
	       .arg = { O_RDONLY, FAN_CLASS_CONTENT, FAN_OPEN_PERM }),
	FUSE("stat", FUSE_GETATTR, 0),
	FUSE("lookup", FUSE_LOOKUP, 0),
	FUSE("statfs", FUSE_STATFS, 0),
	FUSE("mkdir", FUSE_MKDIR, -EROFS),
	FUSE("opendir", FUSE_OPENDIR, 0),
	FUSE("open", FUSE_OPEN, 0),
	FUSE("read", FUSE_READ, 16),
	FUSE("write", FUSE_WRITE, 16),
	FUSE("fsync", FUSE_FSYNC, 0),
	FUSE("close", FUSE_FLUSH, 0),
	ASLEEP("FUSE server read", prep_fuse_server, call_fuse_server,
	       .end = fuse_go_away, .cleanup = fuse_cleanup, .want = -ENODEV),
	SERVED("request_key", prep_key, call_key, .end = sc_put,
	       .cleanup = key_cleanup, .want = -ENOKEY),
};

SC_TOPIC(sc_file, cases);
