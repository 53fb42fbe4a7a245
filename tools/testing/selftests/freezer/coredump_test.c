// SPDX-License-Identifier: GPL-2.0
/*
 * A core dump is a long call from inside of the kernel: it stands still while
 * its cgroup is FROZEN, to a pipe as well as to a file, and neither a freeze nor
 * the checkpoint guard takes anything away from the core.
 *
 * The program that takes the dump is this one. The kernel starts it outside of
 * the group, it hands its standard input over to the test, and ends.
 *
 * Clauses: C8, C9, C11, C13, C15, C18.
 */
#include <elf.h>
#include <linux/fs.h>
#include <poll.h>
#include <link.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "ext2_util.h"
#include "freezer_test.h"

#define PATTERN		"core_pattern"
#define PIPE_LIMIT	"core_pipe_limit"
#define CHECKPOINT	"freezer.checkpoint"

/* What the process that crashes has in memory, and how many threads. */
#define DATA_SIZE	(30UL << 20)
#define THREADS		3

/* A core, with room for what is in it beside the data. */
#define CORE_SIZE	(DATA_SIZE + (16UL << 20))

#define CORE_FILE	"/tmp/freezer_selftest.ext2/core"

static const char relay_arg[] = "take_the_core";

/* Abstract, so that nobody has to clean up. */
static const struct sockaddr_un relay_addr = {
	.sun_family = AF_UNIX,
	.sun_path = "\0freezer_selftest_core",
};

/* What the kernel has started: no test at all. */
__attribute__((constructor)) static void relay(int argc, char **argv)
{
	int sock;

	if (argc != 2 || strcmp(argv[1], relay_arg))
		return;
	sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&relay_addr,
				sizeof(relay_addr)) || frz_send_fd(sock, 0))
		_exit(1);
	_exit(0);
}

static int set_kernel(const char *file, const char *text)
{
	return frz_write("/proc/sys/kernel", file, text);
}

/* A core, as far as it has come out of its pipe. */
struct core {
	int fd;
	unsigned char *buf;
	size_t len;
};

FIXTURE(core) {
	char cg[FRZ_PATH_MAX];
	char pattern[256];
	char limit[32];
	int sock;
	int fs;
	pid_t pid;
	struct core in;
};

FIXTURE_SETUP(core)
{
	FRZ_GROUP_MAKE(self->cg);
	self->in.fd = -1;
	self->fs = -1;
	ASSERT_EQ(0, frz_read("/proc/sys/kernel", PATTERN, self->pattern,
			      sizeof(self->pattern)));
	ASSERT_EQ(0, frz_read("/proc/sys/kernel", PIPE_LIMIT, self->limit,
			      sizeof(self->limit)));
	self->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, self->sock);
	ASSERT_EQ(0, bind(self->sock, (struct sockaddr *)&relay_addr,
			  sizeof(relay_addr)));
	ASSERT_EQ(0, listen(self->sock, 4));
	self->in.buf = mmap(NULL, CORE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->in.buf);
	/* Not part of the cores, though the processes are forked from here. */
	ASSERT_EQ(0, madvise(self->in.buf, CORE_SIZE, MADV_DONTFORK));
}

FIXTURE_TEARDOWN(core)
{
	set_kernel(PATTERN, self->pattern);
	set_kernel(PIPE_LIMIT, self->limit);
	if (self->in.fd >= 0)
		close(self->in.fd);
	/* In this order: a task may wait for the other. */
	if (self->fs >= 0)
		ioctl(self->fs, FITHAW, 0);
	FRZ_GROUP_END(self->cg);
	if (self->fs >= 0)
		ext2_umount(self->fs);
}

static void *wait_in_thread(void *word)
{
	frz_inc(word);
	for (;;)
		pause();
	return NULL;
}

struct crash {
	unsigned long threads;
	unsigned long crashes;
	unsigned long data;	/* where it is */
};

static unsigned long page_mark(size_t page)
{
	return 0x5a5a000000000000UL + page;
}

static int crash(void *arg)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct crash *c = arg;
	unsigned char *data;
	pthread_attr_t attr;
	pthread_t thread;
	size_t page;
	int i;

	setrlimit(RLIMIT_CORE, &unlimited);
	signal(SIGSEGV, SIG_DFL);
	data = mmap(NULL, DATA_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return 1;
	for (page = 0; page < DATA_SIZE / 4096; page++) {
		unsigned long mark = page_mark(page);

		memcpy(data + page * 4096, &mark, sizeof(mark));
		memcpy(data + page * 4096 + 4088, &mark, sizeof(mark));
	}
	/* What is empty is zeroes in a pipe. */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread, &attr, wait_in_thread, &c->threads))
			return 2;
	if (frz_wait_word(&c->threads, THREADS, FRZ_LIMIT))
		return 3;
	c->data = (unsigned long)data;
	frz_inc(&c->crashes);
	raise(SIGSEGV);
	return 4;
}

/* Have a core dumped to us from now on. */
static int dump_to_pipe(const char *limit)
{
	char path[256] = "|";
	ssize_t n = readlink("/proc/self/exe", path + 1, sizeof(path) - 32);
	int err;

	if (n < 0)
		return -errno;
	snprintf(path + 1 + n, sizeof(path) - 1 - n, " %s", relay_arg);
	err = set_kernel(PIPE_LIMIT, limit);
	return err ? err : set_kernel(PATTERN, path);
}

/* The pipe of the next dump. */
static int take_pipe(int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	int from, fd;

	if (poll(&pfd, 1, FRZ_LIMIT) != 1)
		return -ETIMEDOUT;
	from = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
	if (from < 0)
		return -errno;
	fd = frz_receive_fd(from, FRZ_LIMIT);
	close(from);
	return fd;
}

/* Read on to @len bytes of the core, or to its end: 0, or -errno. */
static int read_core(struct core *in, size_t len)
{
	while (in->len < len) {
		struct pollfd pfd = { .fd = in->fd, .events = POLLIN };
		size_t left = len - in->len;
		ssize_t n;

		if (poll(&pfd, 1, FRZ_LIMIT) != 1)
			return -ETIMEDOUT;
		n = read(in->fd, in->buf + in->len,
			 left < 65536 ? left : 65536);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		in->len += n;
	}
	return 0;
}

/* How much comes out of the pipe although nothing should: within FRZ_WATCH. */
static long comes_out(struct core *in)
{
	struct pollfd pfd = { .fd = in->fd, .events = POLLIN };
	int64_t end = frz_now_ns() + 10 * FRZ_WATCH * 1000000LL;
	size_t before = in->len;

	while (frz_now_ns() < end) {
		ssize_t n;

		if (poll(&pfd, 1, FRZ_WATCH) != 1)
			continue;
		n = read(in->fd, in->buf + in->len,
			 CORE_SIZE - in->len);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		in->len += n;
	}
	return in->len - before;
}

/* What the tests compare of a core. */
struct content {
	size_t size;
	size_t notes;		/* bytes of notes */
	int threads;		/* NT_PRSTATUS */
	int segments;
	size_t pages;		/* of the data that are as they were */
};

static void look_at_notes(const unsigned char *note, size_t size,
			  struct content *c)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *n = (const void *)note;
		size_t len = sizeof(*n) + ((n->n_namesz + 3) & ~3U) +
			     ((n->n_descsz + 3) & ~3U);

		if (len > size)
			return;
		if (n->n_type == NT_PRSTATUS)
			c->threads++;
		note += len;
		size -= len;
	}
}

static void look_at_data(const unsigned char *file, const ElfW(Phdr) *p,
			 unsigned long data, struct content *c)
{
	size_t page;

	for (page = 0; page < DATA_SIZE / 4096; page++) {
		unsigned long at = data + page * 4096, mark = page_mark(page);

		if (at < p->p_vaddr || at + 4096 > p->p_vaddr + p->p_filesz)
			continue;
		file += p->p_offset + (at - p->p_vaddr);
		if (!memcmp(file, &mark, sizeof(mark)) &&
		    !memcmp(file + 4088, &mark, sizeof(mark)))
			c->pages++;
		file -= p->p_offset + (at - p->p_vaddr);
	}
}

/* Read a core: 0, or -EBADMSG for a torn one. */
static int look_at_core(const unsigned char *file, size_t len,
			unsigned long data, struct content *c)
{
	const ElfW(Ehdr) *e = (const void *)file;
	const ElfW(Phdr) *p;
	int i;

	memset(c, 0, sizeof(*c));
	c->size = len;
	if (len < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
	    e->e_type != ET_CORE ||
	    e->e_phoff + e->e_phnum * sizeof(*p) > len)
		return -EBADMSG;
	p = (const void *)(file + e->e_phoff);
	c->segments = e->e_phnum;
	for (i = 0; i < e->e_phnum; i++, p++) {
		if (p->p_offset + p->p_filesz > len)
			return -EBADMSG;
		if (p->p_type == PT_NOTE) {
			c->notes += p->p_filesz;
			look_at_notes(file + p->p_offset, p->p_filesz, c);
		} else if (p->p_type == PT_LOAD) {
			look_at_data(file, p, data, c);
		}
	}
	return 0;
}

/* A process of the group that crashes, its dump on its way to us. */
#define ASSERT_DUMPS(c) do { \
	self->in.len = 0; \
	self->pid = ASSERT_PID(frz_spawn(self->cg, crash, c)); \
	self->in.fd = take_pipe(self->sock); \
	ASSERT_LE(0, self->in.fd); \
} while (0)

/* The rest comes, the process ends, and the core is whole: "", or what it is. */
static const char *completes(struct core *in, pid_t pid, unsigned long data,
			     struct content *c)
{
	static char buf[128];
	int status, err;

	err = read_core(in, CORE_SIZE);
	close(in->fd);
	in->fd = -1;
	if (err)
		return strerror(-err);
	status = frz_wait_exit(pid, FRZ_LIMIT);
	err = look_at_core(in->buf, in->len, data, c);
	if (status == (SIGSEGV | 0x80) && !err && c->pages == DATA_SIZE / 4096 &&
	    c->threads == THREADS + 1)
		return "";
	snprintf(buf, sizeof(buf),
		 "status %#x, %s core of %zu bytes, %zu pages, %d threads",
		 status, err ? "a torn" : "a", c->size, c->pages, c->threads);
	return buf;
}

/* Is a core like one that was dumped without a freeze? "", or how they differ. */
static const char *differs(const struct content *c, const struct content *from)
{
	static char buf[128];

	if (c->size == from->size && c->notes == from->notes &&
	    c->segments == from->segments)
		return "";
	snprintf(buf, sizeof(buf),
		 "%zu bytes, %zu of notes, %d segments, and not %zu, %zu, %d",
		 c->size, c->notes, c->segments, from->size, from->notes,
		 from->segments);
	return buf;
}

#define ASSERT_COMPLETE(data, content) \
	ASSERT_STREQ("", completes(&self->in, self->pid, data, content))

/*
 * FROZEN while the dumper waits for room in the pipe. A process outside reads
 * the pipe, so there is room.
 */
#define ASSERT_FREEZES_IN_DUMP(at) do { \
	int __in_pipe; \
	\
	ASSERT_EQ(0, read_core(&self->in, at)); \
	ASSERT_EQ(0, frz_wait_asleep(self->pid, FRZ_LIMIT)); \
	ASSERT_FREEZES(self->cg); \
	ASSERT_EQ(0, ioctl(self->in.fd, FIONREAD, &__in_pipe)); \
	ASSERT_EQ(0, read_core(&self->in, self->in.len + __in_pipe)); \
} while (0)

/*
 * A process of 30 MB and four threads crashes, and its core goes to a program
 * outside of the group, which reads slowly. It is frozen five times in the middle
 * of that: after FROZEN nothing comes out but what was in the pipe. After the last
 * thaw the core is complete, and like one that was dumped without any freeze.
 *
 * A failure means that the dump goes on in a FROZEN group (C18), or that a freeze
 * takes a part of the core (C13).
 */
TEST_F_TIMEOUT(core, pipe_stands_still, 120)
{
	struct crash *c = frz_shared(sizeof(*c));
	struct content undisturbed, frozen;
	int i;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, dump_to_pipe("0"));
	ASSERT_DUMPS(c);
	ASSERT_COMPLETE(c->data, &undisturbed);

	c->threads = 0;
	ASSERT_DUMPS(c);
	for (i = 1; i <= 5; i++) {
		ASSERT_FREEZES_IN_DUMP(i * (4UL << 20));
		EXPECT_EQ(0, comes_out(&self->in)) {
			TH_LOG("freeze %d: the dump went on while FROZEN", i);
		}
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
	}
	ASSERT_COMPLETE(c->data, &frozen);
	EXPECT_STREQ("", differs(&frozen, &undisturbed));
}

/*
 * The same with the checkpoint guard: in the middle of a dump it is granted, or
 * refused with EBUSY and the dumper named in freezer.blockers. While it is held
 * nothing comes out. The core is complete in any case.
 *
 * A failure means that the guard interrupts the dump (C11): the core is cut
 * short, and the exit status says that it was dumped.
 */
TEST_F_TIMEOUT(core, pipe_under_the_guard, 120)
{
	struct crash *c = frz_shared(sizeof(*c));
	struct content undisturbed, guarded;
	char path[FRZ_PATH_MAX + 32];
	int i, guard;

	ASSERT_NE(NULL, c);
	snprintf(path, sizeof(path), "%s/" CHECKPOINT, self->cg);
	ASSERT_EQ(0, dump_to_pipe("0"));
	ASSERT_DUMPS(c);
	ASSERT_COMPLETE(c->data, &undisturbed);

	c->threads = 0;
	ASSERT_DUMPS(c);
	for (i = 1; i <= 3; i++) {
		ASSERT_FREEZES_IN_DUMP(i * (8UL << 20));
		guard = open(path, O_WRONLY | O_CLOEXEC);
		if (guard < 0) {
			ASSERT_EQ(EBUSY, errno);
			EXPECT_EQ(1, frz_blockers(self->cg));
			EXPECT_STATE(self->cg, "FROZEN");
		} else {
			EXPECT_STATE(self->cg, "CHECKPOINTING");
		}
		EXPECT_EQ(0, comes_out(&self->in)) {
			TH_LOG("guard %d: the dump went on", i);
		}
		if (guard >= 0)
			close(guard);
		ASSERT_THAWS(self->cg);
	}
	ASSERT_COMPLETE(c->data, &guarded);
	EXPECT_STREQ("", differs(&guarded, &undisturbed));
}

/*
 * With core_pipe_limit the process waits, its dump complete, until the program
 * outside is done with its /proc. FROZEN there, and the guard taken and given back:
 * after the thaw it waits still, and ends when the program has closed the pipe.
 *
 * A failure means that a freeze or the guard ends this wait, so that the program
 * finds no process any more.
 */
TEST_F_TIMEOUT(core, waits_for_the_program, 120)
{
	struct crash *c = frz_shared(sizeof(*c));
	char path[FRZ_PATH_MAX + 32];
	struct content content;
	int guard;

	ASSERT_NE(NULL, c);
	snprintf(path, sizeof(path), "%s/" CHECKPOINT, self->cg);
	ASSERT_EQ(0, dump_to_pipe("4"));
	ASSERT_DUMPS(c);
	ASSERT_EQ(0, read_core(&self->in, CORE_SIZE));
	ASSERT_EQ(0, frz_wait_asleep(self->pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	guard = open(path, O_WRONLY | O_CLOEXEC);
	EXPECT_LE(0, guard) {
		TH_LOG("%s: %s", strerror(errno), frz_describe(self->cg));
	}
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(self->pid, FRZ_WATCH));
	if (guard >= 0)
		close(guard);
	ASSERT_THAWS(self->cg);
	ASSERT_EQ(-ETIMEDOUT, frz_wait_exit(self->pid, 10 * FRZ_WATCH)) {
		TH_LOG("the process did not wait for the program");
	}
	ASSERT_COMPLETE(c->data, &content);
}

/*
 * A kill in the middle of a dump (C9). With freezer.killable 1 it ends the
 * process while its group is FROZEN, with 0 the process is there until the thaw
 * and dies then, with no more of its dump than the page in hand.
 */
TEST_F_TIMEOUT(core, killed, 120)
{
	struct crash *c = frz_shared(sizeof(*c));
	int killable;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, dump_to_pipe("0"));
	for (killable = frz_is_v2(self->cg); killable < 2; killable++) {
		ASSERT_EQ(0, frz_write(self->cg, "freezer.killable",
				       killable ? "1" : "0"));
		c->threads = 0;
		ASSERT_DUMPS(c);
		ASSERT_FREEZES_IN_DUMP(4UL << 20);
		ASSERT_EQ(0, kill(self->pid, SIGKILL));
		if (!killable) {
			EXPECT_EQ(0, comes_out(&self->in));
			ASSERT_EQ(-ETIMEDOUT,
				  frz_wait_exit(self->pid, FRZ_WATCH));
			ASSERT_THAWS(self->cg);
		}
		EXPECT_EQ(SIGKILL, frz_wait_exit(self->pid, FRZ_LIMIT)) {
			TH_LOG("killable %d: %s", killable,
			       frz_describe(self->cg));
		}
		EXPECT_STATE(self->cg, killable ? "FROZEN" : "THAWED");
		EXPECT_GE(4096, comes_out(&self->in));
		close(self->in.fd);
		self->in.fd = -1;
		ASSERT_THAWS(self->cg);
	}
}

/* Where the test has no CPU for a while a dump is over before FROZEN: one of so many is not. */
#define DUMPS		5

static off_t core_size(void)
{
	struct stat st;

	return stat(CORE_FILE, &st) ? 0 : st.st_size;
}

static ssize_t load_core(unsigned char *buf)
{
	int fd = open(CORE_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n, sum = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + sum, CORE_SIZE - sum)) > 0)
		sum += n;
	close(fd);
	return n < 0 ? -errno : sum;
}

/*
 * A dump to a file. FROZEN in the middle: the file does not grow, the process is
 * there, the checkpoint guard is granted, and the file system can be frozen from
 * outside. After both thaws the core is complete, and like one that was dumped
 * without a freeze.
 *
 * A failure means that the dump goes on, that FROZEN waits for its end (C8),
 * that the guard cuts it short, or that the file system is held by a frozen
 * task (C15).
 */
TEST_F_TIMEOUT(core, file, 120)
{
	struct crash *c = frz_shared(sizeof(*c));
	struct content undisturbed, frozen;
	char path[FRZ_PATH_MAX + 32];
	int guard, i;
	pid_t pid;
	off_t at;

	ASSERT_NE(NULL, c);
	snprintf(path, sizeof(path), "%s/" CHECKPOINT, self->cg);
	self->fs = ext2_mount();
	ASSERT_LE(0, self->fs) {
		TH_LOG("no file system: %s", strerror(-self->fs));
	}
	ASSERT_EQ(0, set_kernel(PATTERN, CORE_FILE));
	self->pid = ASSERT_PID(frz_spawn(self->cg, crash, c));
	ASSERT_EQ(SIGSEGV | 0x80, frz_wait_exit(self->pid, FRZ_LIMIT));
	self->in.len = load_core(self->in.buf);
	ASSERT_EQ(0, look_at_core(self->in.buf, self->in.len, c->data, &undisturbed));
	ASSERT_EQ(DATA_SIZE / 4096, undisturbed.pages);
	unlink(CORE_FILE);

	for (i = 1; i <= DUMPS; i++) {
		c->threads = 0;
		self->pid = ASSERT_PID(frz_spawn(self->cg, crash, c));
		frz_until_busy(core_size() >= 64 << 10, FRZ_LIMIT);
		ASSERT_FREEZES(self->cg);
		at = core_size();
		if (at < (off_t)undisturbed.size || i == DUMPS)
			break;
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(SIGSEGV | 0x80, frz_wait_exit(self->pid, FRZ_LIMIT));
		unlink(CORE_FILE);
	}
	EXPECT_GT(undisturbed.size, at) {
		TH_LOG("FROZEN came after the whole dump, %d times", i);
	}
	guard = open(path, O_WRONLY | O_CLOEXEC);
	EXPECT_LE(0, guard) {
		TH_LOG("%s: %s", strerror(errno), frz_describe(self->cg));
	}
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(self->pid, FRZ_WATCH));
	EXPECT_EQ(at, core_size());
	pid = ASSERT_PID(frz_spawn(NULL, ext2_freeze, &self->fs));
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT)) {
		TH_LOG("fsfreeze waits for the thaw, state %c",
		       frz_task_state(pid));
	}
	ASSERT_EQ(0, ioctl(self->fs, FITHAW, 0));
	if (guard >= 0)
		close(guard);
	ASSERT_THAWS(self->cg);
	ASSERT_EQ(SIGSEGV | 0x80, frz_wait_exit(self->pid, FRZ_LIMIT));
	self->in.len = load_core(self->in.buf);
	ASSERT_EQ(0, look_at_core(self->in.buf, self->in.len, c->data, &frozen));
	ASSERT_EQ(DATA_SIZE / 4096, frozen.pages);
	ASSERT_EQ(THREADS + 1, frozen.threads);
	EXPECT_STREQ("", differs(&frozen, &undisturbed));
}

TEST_HARNESS_MAIN
