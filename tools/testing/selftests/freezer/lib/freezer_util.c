// SPDX-License-Identifier: GPL-2.0
/*
 * What the freezer tests share. See freezer_util.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "freezer_util.h"
#include "freezer_v2.h"

/* A thread that has slept for so long without a wchan has left its CPU. */
#define NO_WCHAN_MS	500

static char root_path[FRZ_PATH_MAX];

int64_t frz_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

void frz_sleep_ms(int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

void frz_settle(void)
{
	cpu_set_t was, one;
	int cpu, i;

	if (sched_getaffinity(0, sizeof(was), &was)) {
		frz_sleep_ms(30);
		return;
	}
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &was))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		for (i = 0; i < 2; i++)
			frz_sleep_ms(5);
	}
	sched_setaffinity(0, sizeof(was), &was);
}

/* Whether /proc/cgroups lists an enabled freezer. */
static bool has_freezer(void)
{
	char name[64];
	int hierarchy, num, enabled;
	bool found = false;
	char line[256];
	FILE *f;

	f = fopen("/proc/cgroups", "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%63s %d %d %d", name, &hierarchy, &num,
			       &enabled) == 4 &&
			!strcmp(name, "freezer") && enabled;
	fclose(f);
	return found;
}

int frz_find_mount(const char *type, const char *option, char path[FRZ_PATH_MAX])
{
	struct mntent *ent;
	int err = -ENOENT;
	FILE *f;

	f = setmntent("/proc/self/mounts", "re");
	if (!f)
		return -errno;
	while (err && (ent = getmntent(f))) {
		if (strcmp(ent->mnt_type, type) ||
		    (option && !hasmntopt(ent, option)))
			continue;
		if (snprintf(path, FRZ_PATH_MAX, "%s", ent->mnt_dir) <
		    FRZ_PATH_MAX / 2)
			err = 0;
	}
	endmntent(f);
	if (err)
		path[0] = 0;
	return err;
}

int frz_setup(void)
{
	static const char * const dirs[] = {
		"/tmp/freezer_selftest", "/run/freezer_selftest",
		"/freezer_selftest", NULL,
	};
	const char * const *dir;
	int err;

	if (frz_hierarchies() & FRZ_IN_V2) {
		err = frz2_setup();
		if (err)
			return err;
	}
	if (frz_hierarchies() == FRZ_IN_V2) {
		snprintf(root_path, sizeof(root_path), "%s", frz2_root());
		return 0;
	}
	err = -ENOENT;
	if (!has_freezer())
		return -ENODEV;
	if (!frz_find_mount("cgroup", "freezer", root_path))
		return 0;
	for (dir = dirs; *dir; dir++) {
		if (mkdir(*dir, 0755) && errno != EEXIST) {
			err = -errno;
			continue;
		}
		if (mount("freezer", *dir, "cgroup", 0, "freezer"))
			return -errno;
		return frz_find_mount("cgroup", "freezer", root_path);
	}
	return err;
}

const char *frz_root(void)
{
	return root_path;
}

/* In the world "both": the cgroup of v2 that goes with a cgroup of v1. */
static bool find_twin(char twin[FRZ_PATH_MAX], const char *path)
{
	size_t len = strlen(root_path);

	return frz_hierarchies() == FRZ_IN_BOTH && !frz_is_v2(path) &&
	       !strncmp(path, root_path, len) &&
	       (path[len] == '/' || !path[len]) &&
	       snprintf(twin, FRZ_PATH_MAX, "%s%s", frz2_root(), path + len) <
	       FRZ_PATH_MAX;
}

int frz_mkdir(const char *path)
{
	char twin[FRZ_PATH_MAX];

	if (mkdir(path, 0755))
		return -errno;
	if (frz_is_v2(path))
		return frz2_created(path);
	/* Whoever removed the other one by hand has left this one. */
	if (!find_twin(twin, path))
		return 0;
	if (mkdir(twin, 0755) && errno != EEXIST)
		return -errno;
	return frz2_created(twin);
}

int frz_rmdir(const char *path)
{
	char twin[FRZ_PATH_MAX];

	if (rmdir(path))
		return -errno;
	return find_twin(twin, path) && rmdir(twin) && errno != ENOENT ? -errno : 0;
}

int frz_create(char path[FRZ_PATH_MAX], const char *parent, const char *name)
{
	char tmp[FRZ_PATH_MAX];
	int len;

	len = snprintf(tmp, sizeof(tmp), "%s/%s", parent ? parent : root_path,
		       name);
	if (len < 0 || len >= FRZ_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, tmp, len + 1);
	return frz_mkdir(path);
}

static int open_file(const char *path, const char *file, int flags)
{
	char name[FRZ_PATH_MAX + 64];
	int fd;

	if (frz_is_v2(path))
		file = frz2_name(file);
	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int write_file(const char *path, const char *file, const char *text,
		      int flags)
{
	size_t len = strlen(text);
	ssize_t n;
	int fd;

	fd = open_file(path, file, O_WRONLY | flags);
	if (fd < 0)
		return fd;
	n = write(fd, text, len);
	if (n < 0)
		n = -errno;
	else
		n = (size_t)n == len ? 0 : -EIO;
	close(fd);
	return n;
}

/* A freeze asks v1 first, a thaw v2. */
static int write_both(const char *path, const char *twin, const char *file,
		      const char *text, int flags)
{
	bool nonblock = flags & O_NONBLOCK;
	int err, err2 = 0;

	if (!strncmp(text, "THAWED", 6))
		err2 = frz2_write(twin, file, text, nonblock);
	err = write_file(path, file, text, flags);
	if (!err && !strncmp(text, "FROZEN", 6))
		err2 = frz2_write(twin, file, text, nonblock);
	return err ? err : err2;
}

static int write_any(const char *path, const char *file, const char *text,
		     int flags)
{
	char twin[FRZ_PATH_MAX];

	if (frz_is_v2(path) && frz2_writes(file))
		return frz2_write(path, file, text, flags & O_NONBLOCK);
	if (!strcmp(file, "freezer.state") && find_twin(twin, path))
		return write_both(path, twin, file, text, flags);
	return write_file(path, file, text, flags);
}

int frz_write(const char *path, const char *file, const char *text)
{
	return write_any(path, file, text, 0);
}

int frz_write_nonblock(const char *path, const char *file, const char *text)
{
	return write_any(path, file, text, O_NONBLOCK);
}

/* All that can be read, up to the size of the buffer. */
static int read_fd(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1) {
		n = pread(fd, buf + len, size - 1 - len, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
	}
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = 0;
	return 0;
}

static int read_file(const char *path, const char *file, char *buf, size_t size)
{
	int fd, err;

	buf[0] = 0;
	fd = open_file(path, file, O_RDONLY);
	if (fd < 0)
		return fd;
	err = read_fd(fd, buf, size);
	close(fd);
	return err;
}

/* The state of both, or FREEZING where they do not agree. */
static int read_both(const char *path, const char *twin, char *buf, size_t size)
{
	char other[64];
	int err;

	err = read_file(path, "freezer.state", buf, size);
	if (!err)
		err = frz2_read(twin, "freezer.state", other, sizeof(other));
	if (!err && strcmp(buf, other))
		snprintf(buf, size, "FREEZING");
	return err;
}

int frz_read(const char *path, const char *file, char *buf, size_t size)
{
	char twin[FRZ_PATH_MAX];
	int ret;

	buf[0] = 0;
	if (frz_is_v2(path)) {
		ret = frz2_read(path, file, buf, size);
		if (ret <= 0)
			return ret;
	} else if (!strcmp(file, "freezer.state") && find_twin(twin, path)) {
		return read_both(path, twin, buf, size);
	}
	return read_file(path, file, buf, size);
}

int frz_hold_mover(void)
{
	const char *lock = getenv("FREEZER_MOVER_LOCK");
	int fd = lock ? open(lock, O_RDWR | O_CLOEXEC) : -1;

	if (fd >= 0)
		while (flock(fd, LOCK_EX) && errno == EINTR)
			;
	return fd;
}

void frz_let_mover_go(int fd)
{
	if (fd >= 0)
		close(fd);
}

int64_t frz_stat(const char *path, const char *key)
{
	size_t len = strlen(key);
	char buf[4096];
	char *line;
	int err, fd;

	if (frz_is_v2(path))
		return frz2_stat(path, key);
	fd = frz_hold_mover();
	err = frz_read(path, "freezer.stat", buf, sizeof(buf));
	frz_let_mover_go(fd);
	if (err)
		return err;
	for (line = buf; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ' ')
			return strtoll(line + len + 1, NULL, 10);
	}
	return -ENOENT;
}

int frz_state_is(const char *path, const char *state)
{
	char buf[64];
	int err;

	err = frz_read(path, "freezer.state", buf, sizeof(buf));
	return err ? err : !strcmp(buf, state);
}

int frz_wait_state(const char *path, const char *state, int timeout_ms)
{
	int ret;

	frz_until((ret = frz_state_is(path, state)), timeout_ms);
	return !ret ? -ETIMEDOUT : ret < 0 ? ret : 0;
}

int frz_freeze_wait(const char *path, int timeout_ms)
{
	int err = frz_freeze(path);

	return err ? err : frz_wait_state(path, "FROZEN", timeout_ms);
}

int frz_arm(const char *path)
{
	char buf[64];
	int fd, err;

	fd = open_file(path, frz_is_v2(path) ? "cgroup.events" : "freezer.state",
		       O_RDONLY);
	if (fd < 0)
		return fd;
	err = read_fd(fd, buf, sizeof(buf));
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int frz_wait_event(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };
	int64_t deadline = frz_now_ns() + timeout_ms * 1000000LL;
	long long left = timeout_ms;
	char buf[64];
	int n;

	do {
		n = poll(&pfd, 1, left);
		left = (deadline - frz_now_ns()) / 1000000;
		if (left < 0)
			left = 0;
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -ETIMEDOUT;
	if ((pfd.revents & (POLLPRI | POLLERR)) != (POLLPRI | POLLERR))
		return -EIO;
	/* Arm again. */
	return read_fd(fd, buf, sizeof(buf));
}

static int write_pid(const char *path, const char *file, pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", pid);
	return frz_write(path, file, text);
}

/*
 * In a world with limits (world.c) a process that comes into a cgroup of the
 * freezer comes into the cgroup of v2 with the limits, too, and leaves it for the
 * root. All of the process: cgroup v2 has no threads apart.
 */
static void move_to_limits(const char *path, pid_t pid)
{
	const char *limits = getenv("FREEZER_LIMITS");
	char root[FRZ_PATH_MAX];

	if (!limits)
		return;
	snprintf(root, sizeof(root), "%s/../..", limits);
	write_pid(strcmp(path, root_path) ? limits : root, "cgroup.procs", pid);
}

static int move(const char *path, const char *file, pid_t id)
{
	char twin[FRZ_PATH_MAX];
	int err;

	move_to_limits(path, id);
	err = write_pid(path, file, id);
	return err || !find_twin(twin, path) ? err : write_pid(twin, file, id);
}

int frz_move_process(const char *path, pid_t pid)
{
	return move(path, "cgroup.procs", pid);
}

int frz_move_thread(const char *path, pid_t tid)
{
	return move(path, "tasks", tid);
}

/* The ids of threads become those of their processes, each once. */
static int to_processes(pid_t *list, int num)
{
	int i, j, nr = 0;

	for (i = 0; i < num; i++) {
		pid_t pid = frz_proc_status(list[i], "Tgid");

		if (pid <= 0)
			continue;
		for (j = 0; j < nr && list[j] != pid; j++)
			;
		if (j == nr)
			list[nr++] = pid;
	}
	return nr;
}

int frz_list(const char *path, const char *file, pid_t *list, int max)
{
	int fd, lock, num = 0;
	char line[64];
	FILE *f;

	/* A threaded cgroup does not tell the processes. */
	if (frz_is_v2(path) && !strcmp(file, "cgroup.procs") &&
	    frz2_is_threaded(path)) {
		num = frz_list(path, "tasks", list, max);
		return num < 0 ? num : to_processes(list, num);
	}
	fd = open_file(path, file, O_RDONLY);
	if (fd < 0)
		return fd;
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	lock = frz_hold_mover();
	while (num < max && fgets(line, sizeof(line), f))
		list[num++] = atoi(line);
	num = ferror(f) ? -EIO : num;
	frz_let_mover_go(lock);
	fclose(f);
	return num;
}

int frz_blockers(const char *path)
{
	char buf[65536];
	int lines = 0;
	char *p;
	int err;

	err = frz_read(path, "freezer.blockers", buf, sizeof(buf));
	if (err)
		return err;
	for (p = buf; *p; p = strchrnul(p + 1, '\n'))
		lines++;
	return lines;
}

static int kill_one(const char *path)
{
	pid_t list[4096];
	int i, num;

	num = frz_list(path, "cgroup.procs", list, 4096);
	for (i = 0; i < num; i++) {
		if (list[i] == getpid())
			frz_move_process(root_path, 0);
		else if (list[i] > 0)
			kill(list[i], SIGKILL);
	}
	return num < 0 ? num : 0;
}

static int rmdir_one(const char *path)
{
	return rmdir(path) && errno != ENOENT ? -errno : 0;
}

enum clean_step { CLEAN_THAW, CLEAN_KILL, CLEAN_RMDIR };

static int clean_one(const char *path, enum clean_step step)
{
	switch (step) {
	case CLEAN_THAW:
		return frz_thaw(path);
	case CLEAN_KILL:
		return kill_one(path);
	default:
		return rmdir_one(path);
	}
}

/* One step for @path and all below, bottom-up where directories go. */
static int clean_tree(const char *path, enum clean_step step)
{
	char sub[FRZ_PATH_MAX];
	struct dirent *ent;
	int ret = 0, err;
	DIR *dir;

	if (step != CLEAN_RMDIR)
		ret = clean_one(path, step);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((ent = readdir(dir))) {
		if (ent->d_type != DT_DIR || ent->d_name[0] == '.')
			continue;
		if (snprintf(sub, sizeof(sub), "%s/%s", path, ent->d_name) >=
		    FRZ_PATH_MAX)
			continue;
		err = clean_tree(sub, step);
		if (err)
			ret = err;
	}
	closedir(dir);
	if (step == CLEAN_RMDIR) {
		err = clean_one(path, step);
		if (err)
			ret = err;
	}
	return ret;
}

/* All steps for @path and its twin, if it has one. */
static int clean_both(const char *path, const char *twin)
{
	static const enum clean_step steps[] = {
		CLEAN_THAW, CLEAN_KILL, CLEAN_RMDIR,
	};
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		err = clean_tree(path, steps[i]);
		if (twin)
			err = clean_tree(twin, steps[i]) ?: err;
	}
	return err;
}

int frz_destroy(const char *path, int timeout_ms)
{
	char twin[FRZ_PATH_MAX];
	bool has_twin = find_twin(twin, path);

	if (access(path, F_OK) && (!has_twin || access(twin, F_OK)))
		return 0;
	return frz_until(!clean_both(path, has_twin ? twin : NULL),
			 timeout_ms) ? 0 : -EBUSY;
}

/* A child that dies with us; it waits until @go has a byte to read. */
static void child_begin(int go[2])
{
	char c;

	close(go[1]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGALRM, SIG_DFL);
	if (read(go[0], &c, 1) != 1)
		_exit(127);
	close(go[0]);
}

pid_t frz_spawn(const char *path, int (*fn)(void *arg), void *arg)
{
	int go[2], err = 0;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		child_begin(go);
		_exit(fn(arg));
	}
	if (pid < 0)
		err = -errno;
	close(go[0]);
	if (!err && path)
		err = frz_move_process(path, pid);
	if (!err && write(go[1], "", 1) != 1)
		err = -errno;
	close(go[1]);
	if (err && pid > 0) {
		kill(pid, SIGKILL);
		frz_wait_exit(pid, 1000);
	}
	return err ? err : pid;
}

static int wait_status(pid_t pid, int flags, int timeout_ms)
{
	int status;
	pid_t ret;

	frz_until((ret = waitpid(pid, &status, flags)), timeout_ms);
	return !ret ? -ETIMEDOUT : ret < 0 ? -errno : status;
}

int frz_share_cpu(pid_t tid)
{
	cpu_set_t all, one;
	int cpu;

	if (sched_getaffinity(tid, sizeof(all), &all))
		return -errno;
	for (cpu = 0; !CPU_ISSET(cpu, &all); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(tid, sizeof(one), &one) ||
	       sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}

int frz_wait_exit(pid_t pid, int timeout_ms)
{
	return wait_status(pid, WNOHANG, timeout_ms);
}

int frz_wait_stop(pid_t pid, int flags, int timeout_ms)
{
	return wait_status(pid, flags | WNOHANG | __WALL, timeout_ms);
}

struct writer {
	const char *path;
	const char *file;
	const char *text;
};

static int writer_fn(void *arg)
{
	struct writer *w = arg;

	return -frz_write(w->path, w->file, w->text);
}

pid_t frz_writer(const char *path, const char *file, const char *text,
		 bool inside)
{
	struct writer w = { .path = path, .file = file, .text = text };

	return frz_spawn(inside ? path : NULL, writer_fn, &w);
}

int frz_writer_result(pid_t pid, int timeout_ms)
{
	int status = frz_wait_exit(pid, timeout_ms);

	if (status < 0)
		return status;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

int frz_task_state(pid_t tid)
{
	char name[64], buf[512];
	ssize_t n;
	char *p;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/stat", tid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -ESRCH;
	buf[n] = 0;
	p = strrchr(buf, ')');
	return p && p[1] ? (unsigned char)p[2] : -EIO;
}

/* A thread that has left its CPU has a function in which it sleeps. */
static bool has_wchan(pid_t tid)
{
	char dir[32], text[128];

	snprintf(dir, sizeof(dir), "/proc/%d", tid);
	return !read_file(dir, "wchan", text, sizeof(text)) && text[0] && strcmp(text, "0");
}

/*
 * The state in /proc says that a thread sleeps before it has left its CPU. A kernel that
 * does not tell us in which function it sleeps is given time: @since is when that began.
 */
static bool is_asleep(pid_t tid, int *state, int64_t *since)
{
	*state = frz_task_state(tid);
	if (*state < 0)
		return true;
	if (*state != 'S' && *state != 'D') {
		*since = 0;
		return false;
	}
	if (has_wchan(tid))
		return true;
	if (!*since)
		*since = frz_now_ns();
	if (frz_now_ns() - *since < NO_WCHAN_MS * 1000000LL)
		return false;
	frz_settle();
	return true;
}

int frz_wait_asleep(pid_t tid, int timeout_ms)
{
	int64_t since = 0;
	bool in_time;
	int state;

	in_time = frz_until(is_asleep(tid, &state, &since), timeout_ms);
	return !in_time ? -ETIMEDOUT : state < 0 ? state : 0;
}

int frz_send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, data = 0;
	struct iovec iov = { .iov_base = &data, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

int frz_receive_fd(int sock, int timeout_ms)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, data;
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	struct iovec iov = { .iov_base = &data, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (poll(&pfd, 1, timeout_ms) != 1)
		return -ETIMEDOUT;
	if (recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -EIO;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

int64_t frz_proc_status(pid_t tid, const char *key)
{
	size_t len = strlen(key);
	long long value = -ENOENT;
	char name[64];
	char line[256];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/status", tid);
	f = fopen(name, "re");
	if (!f)
		return -errno;
	while (value < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == ':')
			value = strtoll(line + len + 1, NULL, 10);
	fclose(f);
	return value;
}

void *frz_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int frz_wait_word(const unsigned long *word, unsigned long value, int timeout_ms)
{
	return frz_until(frz_load(word) >= value, timeout_ms) ? 0 : -ETIMEDOUT;
}

int frz_wait_move(const unsigned long *word, int timeout_ms)
{
	return frz_wait_word(word, frz_load(word) + 1, timeout_ms);
}

unsigned long frz_moved(const unsigned long *word, int ms)
{
	unsigned long before = frz_load(word);

	frz_sleep_ms(ms);
	return frz_load(word) - before;
}

int frz_spin(void *counter)
{
	for (;;)
		frz_inc(counter);
	return 0;
}

int frz_sleep(void *counter)
{
	for (;;) {
		if (counter)
			frz_inc(counter);
		pause();
	}
	return 0;
}

#define BUSY_IOVS	512
#define BUSY_BUF_MAX	(4 << 20)
#define BUSY_PROBE	(64 << 10)
#define BUSY_TRIES	3
#define BUSY_ENOUGH_NS	20000000
#define BUSY_MARK	64

struct frz_busy *frz_busy_new(int ms)
{
	struct frz_busy *busy = frz_shared(sizeof(*busy));

	if (!busy)
		return NULL;
	busy->ms = ms;
	busy->size = BUSY_BUF_MAX;
	busy->buf = frz_shared(busy->size);
	return busy->buf ? busy : NULL;
}

static int open_urandom(void)
{
	const char *own = "/tmp/freezer_selftest.urandom";
	int fd;

	fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (mknod(own, S_IFCHR | 0400, makedev(1, 9)))
		return -1;
	fd = open(own, O_RDONLY | O_CLOEXEC);
	unlink(own);
	return fd;
}

/*
 * How long a read of @size takes: the shortest of some tries. The first read
 * after a boot may wait until the random number generator is ready, and would
 * make the call that is measured out by it far too short.
 */
static int64_t busy_read_ns(int fd, unsigned char *buf, size_t size)
{
	int64_t begin, ns, best = INT64_MAX;
	int i;

	for (i = 0; i < BUSY_TRIES; i++) {
		begin = frz_now_ns();
		if (read(fd, buf, size) != (ssize_t)size)
			return -EIO;
		ns = frz_now_ns() - begin;
		if (ns < best)
			best = ns;
	}
	return best;
}

int frz_busy(void *arg)
{
	struct iovec iov[BUSY_IOVS];
	struct frz_busy *busy = arg;
	size_t probe, want, i;
	int64_t ns;
	ssize_t n;
	int fd;

	fd = open_urandom();
	if (fd < 0)
		return 1;
	/* How fast is it? Probe until the figure means something. */
	for (probe = BUSY_PROBE;; probe *= 2) {
		ns = busy_read_ns(fd, busy->buf, probe);
		if (ns < 0)
			return 1;
		if (ns > BUSY_ENOUGH_NS || probe * 2 > busy->size)
			break;
	}
	want = probe * busy->ms / (ns / 1000000.0 + 0.001) / BUSY_IOVS + 1;
	if (want > busy->size)
		want = busy->size - 4096;
	for (i = 0; i < BUSY_IOVS; i++) {
		iov[i].iov_base = busy->buf;
		iov[i].iov_len = want;
	}
	for (;;) {
		memset(busy->buf, 0, want < BUSY_MARK ? want : BUSY_MARK);
		frz_inc(&busy->calls);
		n = preadv(fd, iov, BUSY_IOVS, 0);
		if (n < 0 || (size_t)n != want * BUSY_IOVS)
			frz_inc(&busy->cut);
		frz_inc(&busy->returns);
	}
	return 0;
}

static bool is_inside(struct frz_busy *busy)
{
	int i;

	if (frz_load(&busy->calls))
		for (i = 0; i < BUSY_MARK; i++)
			if (__atomic_load_n(&busy->buf[i], __ATOMIC_SEQ_CST))
				return true;
	return false;
}

int frz_busy_wait(struct frz_busy *busy, int timeout_ms)
{
	return frz_until(is_inside(busy), timeout_ms) ? 0 : -ETIMEDOUT;
}
