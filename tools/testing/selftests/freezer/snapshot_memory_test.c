// SPDX-License-Identifier: GPL-2.0
/*
 * Which memory freezer_snapshot writes into a core file: all that would be lost with
 * the process, wherever it is and however /proc tells of it. The processes sleep, which
 * does for --pids.
 *
 * Clauses: C11.
 */
#include <elf.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include "freezer_test.h"
#include "snapshot_read.h"
#include "snapshot_tool.h"

#define PAGE		((unsigned long)getpagesize())

/* For swap. The demonstration has the first one. */
#define RAM_DISK	"/dev/ram1"
#define RAM_PAGES	256

#define HUGE_PAGES	"/proc/sys/vm", "nr_hugepages"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

struct sample {
	char *file;		/* private, of a file, written to */
	char *constant;		/* the same, now read-only */
	char *hidden;		/* without a file, now without any access */
	char *segment;		/* of System V, shared, not touched */
	char *huge;		/* a huge page */
	size_t huge_size;
	unsigned long ready;
};

/* Two marks of the same length: the file has the first one on disk. */
#define ON_DISK		"on disk"
#define WRITTEN		"written"

FIXTURE(memory) {
	char cg[FRZ_PATH_MAX];
	struct sample *sample;
	pid_t pid;
	char arg[16];		/* the process, for --pids */
	char smaps[64];		/* its smaps, as the tool reads it */
	bool swaps;
	char huge_pages[32];	/* how many there were, if the test has changed that */
};

FIXTURE_SETUP(memory)
{
	FRZ_GROUP_MAKE(self->cg);
	self->sample = frz_shared(sizeof(*self->sample));
	ASSERT_NE(NULL, self->sample);
	ASSERT_STREQ("", make_dir());
}

FIXTURE_TEARDOWN(memory)
{
	FRZ_GROUP_END(self->cg);
	if (self->swaps)
		EXPECT_EQ(0, swapoff(RAM_DISK));
	if (self->huge_pages[0])
		EXPECT_EQ(0, frz_write(HUGE_PAGES, self->huge_pages));
	remove_tree(tool_dir);
}

#define MEMORY_TEST(name) TEST_F_TIMEOUT(memory, name, 90)

/* A process with a sample, asleep. */
#define START(fn) do { \
	self->pid = ASSERT_PID(frz_spawn(self->cg, fn, self->sample)); \
	ASSERT_EQ(0, frz_wait_word(&self->sample->ready, 1, FRZ_LIMIT)); \
	ASSERT_EQ(0, frz_wait_asleep(self->pid, FRZ_LIMIT)); \
	snprintf(self->arg, sizeof(self->arg), "%d", self->pid); \
	snprintf(self->smaps, sizeof(self->smaps), "/proc/%d/task/%d/smaps", self->pid, \
		 self->pid); \
} while (0)

#define ARGS "--registers=none", "--pids", self->arg, "s"

/* What is in the core file at @addr: a mark, or what is instead. */
static const char *mark_in(pid_t pid, const char *addr)
{
	static char mark[16];
	struct core core;
	const char *why;
	ssize_t n;

	why = core_open(&core, in_dir("s"), pid);
	if (*why)
		return why;
	memset(mark, 0, sizeof(mark));
	n = core_read(&core, addr, mark, sizeof(mark) - 1);
	core_close(&core);
	return n < 0 ? "no memory" : n ? mark : "left out";
}

static int rest(struct sample *sample)
{
	frz_inc(&sample->ready);
	while (pause() < 0)
		continue;
	return 1;
}

static char *private_file(int prot)
{
	char name[FRZ_PATH_MAX], *p;
	int fd;

	snprintf(name, sizeof(name), "%s", in_dir("file.XXXXXX"));
	fd = mkstemp(name);
	if (fd < 0 || ftruncate(fd, PAGE) || pwrite(fd, ON_DISK, 8, 0) != 8)
		_exit(1);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		_exit(1);
	memcpy(p, WRITTEN, 8);
	if (mprotect(p, PAGE, prot))
		_exit(1);
	return p;
}

static void make_private(struct sample *sample)
{
	sample->file = private_file(PROT_READ | PROT_WRITE);
	sample->constant = private_file(PROT_READ);
	sample->hidden = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	if (sample->hidden == MAP_FAILED)
		_exit(1);
	memcpy(sample->hidden, WRITTEN, 8);
	if (mprotect(sample->hidden, PAGE, PROT_NONE))
		_exit(1);
}

#define NR_PRIVATE	3

static const char *private_area(const struct sample *sample, unsigned int i)
{
	return !i ? sample->file : i == 1 ? sample->constant : sample->hidden;
}

static int be_private(void *arg)
{
	make_private(arg);
	return rest(arg);
}

/*
 * The smaps of a process
 */

/* The end of the number behind @key, for the mapping at @addr; NULL: there is none. */
static char *smaps_number(char *text, const char *addr, const char *key)
{
	char word[32], *p;

	snprintf(word, sizeof(word), "\n%08lx-", (unsigned long)addr);
	p = strstr(text, word);
	snprintf(word, sizeof(word), "\n%s:", key);
	p = p ? strstr(p, word) : NULL;
	return p ? strstr(p, " kB\n") : NULL;
}

/* How many kB @key is for the mapping at @addr, or -errno. */
static long smaps_kb(pid_t pid, const char *addr, const char *key)
{
	static char text[65536];
	char name[32], *p;
	ssize_t n;

	snprintf(name, sizeof(name), "%d/smaps", pid);
	n = snapshot_file("/proc", name, text, sizeof(text));
	p = n < 0 ? NULL : smaps_number(text, addr, key);
	if (!p)
		return -ENOENT;
	*p = 0;
	while (p[-1] != ' ' && p[-1] != ':')
		p--;
	return atol(p);
}

static bool set_kb(char *text, const char *addr, const char *key, char digit)
{
	char *p = smaps_number(text, addr, key), *end = p;

	if (!p)
		return false;
	while (p[-1] >= '0' && p[-1] <= '9')
		*--p = ' ';
	end[-1] = digit;
	return true;
}

/*
 * The file "smaps", with what the private areas have of their own counted by @key
 * alone: 0, or -errno.
 */
static int prepare_smaps(pid_t pid, const struct sample *sample, const char *key)
{
	static char text[65536];
	unsigned int i;
	char name[32];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%d/smaps", pid);
	n = snapshot_file("/proc", name, text, sizeof(text));
	if (n < 0)
		return n;
	for (i = 0; i < NR_PRIVATE; i++)
		if (!set_kb(text, private_area(sample, i), "Anonymous", '0') ||
		    !set_kb(text, private_area(sample, i), key, '4'))
			return -ENOENT;
	fd = open(in_dir("smaps"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, n) != n)
		return -EIO;
	close(fd);
	return 0;
}

/*
 * The lines of smaps that count what a private mapping has of its own, one after the
 * other and with a smaps that was prepared: there is nothing in Anonymous, and all of
 * it in that line. Other lines do not count.
 */
MEMORY_TEST(lines_of_smaps)
{
	static const struct {
		const char *key;
		bool counts;
	} lines[] = {
		{ "Anonymous", true },
		{ "Swap", true },
		{ "Private_Hugetlb", true },
		{ "Shared_Hugetlb", true },
		{ "SwapPss", false },
		{ "Private_Clean", false },
	};
	unsigned int i, j;

	START(be_private);
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		ASSERT_EQ(0, prepare_smaps(self->pid, self->sample, lines[i].key));
		ASSERT_EQ(TOOL_DONE, tool_with(self->smaps, in_dir("smaps"), ARGS)) {
			TH_LOG("%s", tool_said());
		}
		for (j = 0; j < NR_PRIVATE; j++) {
			EXPECT_STREQ(lines[i].counts ? WRITTEN : "left out",
				     mark_in(self->pid, private_area(self->sample, j))) {
				TH_LOG("%s, area %u", lines[i].key, j);
			}
		}
		remove_tree(in_dir("s"));
	}
}

/*
 * A kernel without smaps, for which a socket stands here, that cannot be opened: what
 * can be written to is in the core file. What cannot be any more is not, and a note
 * says so.
 */
MEMORY_TEST(without_smaps)
{
	char buf[4096];

	START(be_private);
	ASSERT_EQ(0, mknod(in_dir("socket"), S_IFSOCK | 0600, 0));
	ASSERT_EQ(TOOL_DONE, tool_with(self->smaps, in_dir("socket"), ARGS)) {
		TH_LOG("%s", tool_said());
	}
	EXPECT_STREQ(WRITTEN, mark_in(self->pid, self->sample->file));
	EXPECT_STREQ("left out", mark_in(self->pid, self->sample->constant));
	EXPECT_STREQ("left out", mark_in(self->pid, self->sample->hidden));
	ASSERT_LT(0, snapshot_file(in_dir("s"), "notes", buf, sizeof(buf)));
	EXPECT_NE(NULL, strstr(buf, "cannot be written to any more was left out")) {
		TH_LOG("%s", buf);
	}
}

/*
 * Swap
 */

/* Make swap of the first pages of the ram disk, and use it: 0 or -errno. */
static int swap_begin(void)
{
	const struct {
		uint32_t version, last_page;
	} info = { 1, RAM_PAGES - 1 };
	int fd = open(RAM_DISK, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, &info, sizeof(info), 1024) != sizeof(info) ||
	    pwrite(fd, "SWAPSPACE2", 10, PAGE - 10) != 10 || fsync(fd))
		err = -EIO;
	close(fd);
	return err ? err : swapon(RAM_DISK, 0) ? -errno : 0;
}

static void swap_out(const char *addr)
{
	frz_until(madvise((void *)addr, PAGE, MADV_PAGEOUT) ||
		  smaps_kb(getpid(), addr, "Swap") > 0, FRZ_LIMIT);
}

static int be_swapped(void *arg)
{
	unsigned int i;

	make_private(arg);
	for (i = 0; i < NR_PRIVATE; i++)
		swap_out(private_area(arg, i));
	return rest(arg);
}

/* Private memory that was written to and swapped out: of a file, and without access. */
MEMORY_TEST(swapped_out)
{
	unsigned int i;
	int err;

	err = swap_begin();
	if (err == -ENOENT || err == -ENXIO)
		SKIP(return, "no " RAM_DISK);
	ASSERT_EQ(0, err);
	self->swaps = true;
	START(be_swapped);
	for (i = 0; i < NR_PRIVATE; i++) {
		const char *area = private_area(self->sample, i);

		ASSERT_LT(0, smaps_kb(self->pid, area, "Swap"));
		ASSERT_EQ(0, smaps_kb(self->pid, area, "Anonymous"));
	}
	ASSERT_EQ(TOOL_DONE, tool(ARGS)) {
		TH_LOG("%s", tool_said());
	}
	for (i = 0; i < NR_PRIVATE; i++) {
		EXPECT_STREQ(WRITTEN, mark_in(self->pid, private_area(self->sample, i))) {
			TH_LOG("area %u", i);
		}
	}
}

/*
 * Huge pages
 */

static int be_huge(void *arg)
{
	struct sample *sample = arg;

	sample->huge = mmap(NULL, 2 * sample->huge_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (sample->huge == MAP_FAILED)
		return 1;
	memcpy(sample->huge, WRITTEN, 8);
	memcpy(sample->huge + sample->huge_size - 8, WRITTEN, 8);
	return rest(arg);
}

static size_t huge_page_size(void)
{
	char text[8192], *p;

	if (snapshot_file("/proc", "meminfo", text, sizeof(text)) < 0)
		return 0;
	p = strstr(text, "\nHugepagesize:");
	return p ? strtoul(p + strlen("\nHugepagesize:"), NULL, 10) * 1024 : 0;
}

/*
 * Two private huge pages, of which one was written to: the whole of it, and zeroes for
 * the other one, which is not made for that. A kernel without them has lines_of_smaps
 * alone.
 */
MEMORY_TEST(huge_pages)
{
	char before[32], text[32];
	const char *huge;

	self->sample->huge_size = huge_page_size();
	if (!self->sample->huge_size || frz_read(HUGE_PAGES, before, sizeof(before)) < 0) {
		TH_LOG("the kernel has no huge pages: nothing to look at");
		return;
	}
	snprintf(self->huge_pages, sizeof(self->huge_pages), "%s", before);
	snprintf(text, sizeof(text), "%d", atoi(before) + 2);
	ASSERT_EQ(0, frz_write(HUGE_PAGES, text));
	frz_read(HUGE_PAGES, before, sizeof(before));
	if (atoi(before) < atoi(text))
		SKIP(return, "no memory for huge pages");
	START(be_huge);
	huge = self->sample->huge;
	ASSERT_EQ(0, smaps_kb(self->pid, huge, "Anonymous"));
	ASSERT_EQ(self->sample->huge_size / 1024,
		  smaps_kb(self->pid, huge, "Private_Hugetlb"));
	ASSERT_EQ(TOOL_DONE, tool(ARGS)) {
		TH_LOG("%s", tool_said());
	}
	EXPECT_STREQ(WRITTEN, mark_in(self->pid, huge));
	EXPECT_STREQ(WRITTEN, mark_in(self->pid, huge + self->sample->huge_size - 8));
	EXPECT_STREQ("", mark_in(self->pid, huge + self->sample->huge_size));
	EXPECT_EQ(self->sample->huge_size / 1024,
		  smaps_kb(self->pid, huge, "Private_Hugetlb"));
}

/*
 * System V
 */

static int be_attached(void *arg)
{
	struct sample *sample = arg;
	char *p;
	int id;

	if (unshare(CLONE_NEWIPC))
		return 1;
	id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	if (id)
		return 2;
	/* somebody has written to it, and this process has not touched it */
	p = shmat(id, NULL, 0);
	if (p == (void *)-1)
		return 3;
	memcpy(p, WRITTEN, 8);
	if (shmdt(p))
		return 4;
	sample->segment = shmat(id, NULL, 0);
	return sample->segment == (void *)-1 ? 5 : rest(arg);
}

/*
 * The first segment of an IPC namespace: in maps it has the number 0, as memory without
 * a file has. What is in it is in the core file, though this process has none of its
 * pages, and so is its name.
 */
MEMORY_TEST(first_segment_of_system_v)
{
	const void *note;
	struct core core;
	size_t size;

	START(be_attached);
	ASSERT_EQ(0, smaps_kb(self->pid, self->sample->segment, "Rss"));
	ASSERT_EQ(TOOL_DONE, tool(ARGS)) {
		TH_LOG("%s", tool_said());
	}
	EXPECT_STREQ(WRITTEN, mark_in(self->pid, self->sample->segment));
	ASSERT_STREQ("", core_open(&core, in_dir("s"), self->pid));
	note = core_note(&core, 0, NT_FILE, &size);
	ASSERT_NE(NULL, note);
	EXPECT_NE(NULL, memmem(note, size, "/SYSV", 5));
	core_close(&core);
}

TEST_HARNESS_MAIN
