// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer_snapshot: memory and the core file
 *
 * Which memory goes into the file is decided mapping by mapping, much as a core
 * dump does with all bits of coredump_filter set that concern what a process
 * has written: everything private that was written to, everything shared that
 * can be written to or has no name any more.  Of a file that is mapped and was
 * not written to, only the first page if it begins an ELF file (debuggers find
 * the build id there); the rest is in the file.
 *
 * The look at a page must not change it. A page that is not there, by pagemap,
 * is not read through /proc/<pid>/mem, which would make it be there: anonymous
 * memory that nobody touched is zero, memory of a file is read through that
 * file, with its holes left out, and a page that userfaultfd would have to bring
 * in is left out with a note.  Zeroes are holes in the core
 * file.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/time_types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freezer_snapshot.h"

#define CHUNK_PAGES	256

/* Of an entry of pagemap */
#define PM_PRESENT	0x8000000000000000ULL
#define PM_SWAP		0x4000000000000000ULL

#if __ELF_NATIVE_CLASS == 64
#define OUR_CLASS	ELFCLASS64
#else
#define OUR_CLASS	ELFCLASS32
#endif

/**
 * struct vma - a mapping
 * @start:	first address
 * @end:	address behind it
 * @offset:	of @start in the file
 * @inode:	of the file
 * @name:	as in maps
 * @perms:	as in maps, "rwxp"
 * @anon_kb:	private memory that was written to, swapped out or not
 * @io:		of a device: reading it may have effects
 * @dontdump:	the process does not want it in a core dump
 * @uffd:	missing pages are brought in by somebody in user mode
 * @size:	how much of it goes into the core file
 */
struct vma {
	unsigned long	start;
	unsigned long	end;
	unsigned long long	offset;
	unsigned long long	inode;
	char		*name;
	char		perms[5];
	unsigned long	anon_kb;
	bool		io;
	bool		dontdump;
	bool		uffd;
	unsigned long	size;
};

/*
 * NT_PRSTATUS as the kernel writes it.  The times in struct elf_prstatus of the C
 * library are of this program, and on 32 bits they may be longer than those of
 * the kernel.
 */
struct core_status {
	struct elf_siginfo		info;
	short				cursig;
	unsigned long			sigpend;
	unsigned long			sighold;
	int				pid, ppid, pgrp, sid;
	struct __kernel_old_timeval	utime, stime, cutime, cstime;
	elf_gregset_t			reg;
	int				fpvalid;
};

/* The notes of a core file, in the making. */
struct buffer {
	char	*data;
	size_t	size;
	size_t	room;
};

static struct vma *vmas;
static unsigned int nr_vmas;
static unsigned long page_size;

/*
 * Mappings
 */

/* The head of a mapping in maps and smaps: false if @line is none. */
static bool parse_head(const char *line, struct vma *vma)
{
	int name = 0;

	memset(vma, 0, sizeof(*vma));
	if (sscanf(line, "%lx-%lx %4s %llx %*x:%*x %llu %n", &vma->start,
		   &vma->end, vma->perms, &vma->offset, &vma->inode,
		   &name) < 5 || !name)
		return false;
	vma->name = strdup(line + name);
	if (!vma->name)
		die(EXIT_ERROR, "out of memory");
	return true;
}

/*
 * The number of a System V segment stands where that of an inode does, and the
 * first one is 0; but it has a path.
 */
static bool is_file(const struct vma *vma)
{
	return vma->inode || vma->name[0] == '/';
}

/* Two letters in VmFlags. */
static bool has_flag(const char *flags, const char *flag)
{
	const char *p = strstr(flags, flag);

	return p && p[-1] == ' ';
}

static void parse_detail(const char *line, struct vma *vma)
{
	unsigned long kb;

	/*
	 * Pages that are swapped out, and huge pages of hugetlbfs, are not in
	 * Anonymous.  The lines for them have those of the file, too, which is too
	 * much, but not too little.
	 */
	if (sscanf(line, "Anonymous: %lu", &kb) == 1 ||
	    (vma->perms[3] == 'p' &&
	     (sscanf(line, "Swap: %lu", &kb) == 1 ||
	      sscanf(line, "Private_Hugetlb: %lu", &kb) == 1 ||
	      sscanf(line, "Shared_Hugetlb: %lu", &kb) == 1))) {
		vma->anon_kb += kb;
		return;
	}
	if (!strncmp(line, "VmFlags:", 8)) {
		vma->io = has_flag(line, "io") || has_flag(line, "pf");
		vma->dontdump = has_flag(line, "dd");
		vma->uffd = has_flag(line, "um") || has_flag(line, "ui");
	}
}

static void read_vmas(struct process *proc, char *smaps, bool detailed)
{
	char *line, *save = NULL;
	struct vma vma;

	for (line = strtok_r(smaps, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (parse_head(line, &vma)) {
			vmas = xalloc(vmas, nr_vmas + 1, sizeof(*vmas));
			/* without smaps, as if it had been written to */
			if (!detailed)
				vma.anon_kb = vma.perms[1] == 'w';
			vmas[nr_vmas++] = vma;
		} else if (nr_vmas) {
			parse_detail(line, &vmas[nr_vmas - 1]);
		}
	}
	if (!detailed && nr_vmas) {
		note(proc->pid, 0,
		     "no smaps: mappings of devices and unwanted memory were not told apart");
		note(proc->pid, 0,
		     "no smaps: private memory that was written to and cannot be written to any more was left out, unless it is anonymous and readable");
	}
}

/*
 * The file behind a mapping, or -1.  What is not mapped, and what a private
 * mapping has not changed, can be read there.
 */
static int open_backing(struct process *proc, struct vma *vma)
{
	char path[128];
	struct stat st;

	if (!is_file(vma))
		return -1;
	doing("opening the file of memory %lx of %d, %s", vma->start,
	      proc->pid, vma->name);
	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", proc->pid,
		 vma->start, vma->end);
	/* opening something else may have effects */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool is_elf(struct process *proc, int mem, struct vma *vma)
{
	char magic[SELFMAG];
	ssize_t n = -1;
	int fd;

	if (vma->offset || vma->perms[0] != 'r')
		return false;
	fd = open_backing(proc, vma);
	if (fd >= 0) {
		n = pread(fd, magic, SELFMAG, 0);
		close(fd);
	}
	if (n < 0)
		n = pread(mem, magic, SELFMAG, vma->start);
	return n == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG);
}

/* How much of the mapping goes into the core file. */
static unsigned long wanted(struct process *proc, int mem, struct vma *vma)
{
	unsigned long size = vma->end - vma->start;
	bool shared = vma->perms[3] == 's';

	if (vma->io) {
		note(proc->pid, 0, "memory %lx-%lx left out: of a device (%s)",
		     vma->start, vma->end, vma->name);
		return 0;
	}
	if (vma->dontdump && !opt.all) {
		note(proc->pid, 0,
		     "memory %lx-%lx left out: madvise(MADV_DONTDUMP) (see --all)",
		     vma->start, vma->end);
		return 0;
	}
	if (opt.all || vma->anon_kb)
		return size;
	if (shared && (vma->perms[1] == 'w' || strstr(vma->name, " (deleted)")))
		return size;
	/* a file, as it is on disk */
	if (is_file(vma) && !vma->uffd)
		return is_elf(proc, mem, vma) ? page_size : 0;
	/* [vdso], and memory that was never touched */
	return vma->perms[0] == 'r' ? size : 0;
}

static void free_vmas(void)
{
	while (nr_vmas)
		free(vmas[--nr_vmas].name);
}

/*
 * Memory
 */

static ssize_t read_backing(int fd, char *buf, size_t size, off_t offset)
{
	off_t data = lseek(fd, offset, SEEK_DATA);
	ssize_t n;

	if (data < 0 ? errno == ENXIO : data >= offset + (off_t)size)
		return 0;
	n = pread(fd, buf, size, offset);
	return n;
}

/**
 * struct source - where the pages of a mapping are read
 * @mem:	/proc/<pid>/mem
 * @pagemap:	/proc/<pid>/pagemap, or -1
 * @backing:	the file, or -1
 * @bad:	pages that could not be read
 * @missing:	pages that userfaultfd would have to bring in
 */
struct source {
	int		mem;
	int		pagemap;
	int		backing;
	unsigned long	bad;
	unsigned long	missing;
};

/*
 * Whether pages that are not there are zero.  Those of [vdso] and the like are
 * the kernel's, and may be brought in.
 */
static bool is_anonymous(const struct vma *vma)
{
	return !is_file(vma) && (vma->name[0] != '[' ||
				 !strncmp(vma->name, "[anon:", 6) ||
				 !strncmp(vma->name, "[stack", 6) ||
				 !strcmp(vma->name, "[heap]"));
}

/* One page that is not there. */
static void read_absent(struct source *src, struct vma *vma, char *page,
			unsigned long addr)
{
	ssize_t n = -1;

	if (vma->uffd) {
		src->missing++;
		return;
	}
	if (is_anonymous(vma))
		return;
	if (src->backing >= 0)
		n = read_backing(src->backing, page, page_size,
				 vma->offset + (addr - vma->start));
	if (n < 0)
		n = pread(src->mem, page, page_size, addr);
	if (n < 0)
		src->bad++;
}

/* A run of pages that are there: as much as can be read of it at once. */
static void read_present(struct source *src, char *buf, size_t pages,
			 unsigned long addr)
{
	size_t done = 0;

	while (done < pages * page_size) {
		ssize_t n = pread(src->mem, buf + done,
				  pages * page_size - done, addr + done);

		if (n > 0) {
			done += n;
			continue;
		}
		/* poisoned, behind the end of the file, execute-only */
		src->bad++;
		done += page_size - done % page_size;
	}
}

/* Read @pages from @addr into @buf: whether there is anything in it. */
static bool read_chunk(struct source *src, struct vma *vma, char *buf,
		       size_t pages, unsigned long addr)
{
	static uint64_t map[CHUNK_PAGES];
	ssize_t size = pages * sizeof(*map);
	size_t i, run;

	if (src->pagemap < 0 ||
	    pread(src->pagemap, map, size, addr / page_size * sizeof(*map)) !=
	    size)
		memset(map, vma->uffd ? 0 : 0xff, size);

	if (is_anonymous(vma) && is_zero(map, size)) {
		src->missing += vma->uffd ? pages : 0;
		return false;
	}

	memset(buf, 0, pages * page_size);
	for (i = 0; i < pages; i += run) {
		for (run = 0; i + run < pages &&
		     map[i + run] & (PM_PRESENT | PM_SWAP); run++)
			;
		if (run) {
			read_present(src, buf + i * page_size, run,
				     addr + i * page_size);
		} else {
			run = 1;
			read_absent(src, vma, buf + i * page_size,
				    addr + i * page_size);
		}
	}
	return true;
}

/* Write the pages of @buf that are not zero. */
static void write_chunk(int core, const char *buf, size_t pages, off_t offset)
{
	size_t i, run;

	for (i = 0; i < pages; i += run + 1) {
		for (run = 0; i + run < pages &&
		     !is_zero(buf + (i + run) * page_size, page_size); run++)
			;
		out_write(core, buf + i * page_size, run * page_size,
			  offset + i * page_size);
	}
}

static void copy_memory(struct process *proc, struct source *src,
			struct vma *vma, int core, off_t offset)
{
	unsigned long addr, end = vma->start + vma->size;
	static char *buf;
	size_t pages;

	if (!buf)
		buf = xalloc(NULL, CHUNK_PAGES, page_size);

	for (addr = vma->start; addr < end; addr += pages * page_size) {
		pages = (end - addr) / page_size;
		if (pages > CHUNK_PAGES)
			pages = CHUNK_PAGES;
		doing("reading memory of %d at %lx, %s", proc->pid, addr,
		      vma->name);
		if (read_chunk(src, vma, buf, pages, addr))
			write_chunk(core, buf, pages,
				    offset + (addr - vma->start));
	}
}

static void write_memory(struct process *proc, struct vma *vma, int mem,
			 int pagemap, int core, off_t offset)
{
	struct source src = { .mem = mem, .pagemap = pagemap };

	src.backing = open_backing(proc, vma);
	copy_memory(proc, &src, vma, core, offset);
	if (src.bad && vma->perms[0] != 'r' && regs_hold(proc)) {
		src.bad = 0;
		src.missing = 0;
		copy_memory(proc, &src, vma, core, offset);
		regs_release(proc);
	}
	if (src.backing >= 0)
		close(src.backing);
	if (src.bad)
		note(proc->pid, 0,
		     "%lu pages of memory %lx-%lx (%s) cannot be read and are 0",
		     src.bad, vma->start, vma->end, vma->name);
	if (src.missing)
		note(proc->pid, 0,
		     "%lu pages of memory %lx-%lx are 0: userfaultfd would have to bring them in",
		     src.missing, vma->start, vma->end);
}

/*
 * Notes
 */

static void put(struct buffer *buf, const void *data, size_t size)
{
	if (buf->size + size > buf->room) {
		buf->room = (buf->size + size) * 2;
		buf->data = xalloc(buf->data, buf->room, 1);
	}
	if (data)
		memcpy(buf->data + buf->size, data, size);
	else
		memset(buf->data + buf->size, 0, size);
	buf->size += size;
}

static void put_note(struct buffer *buf, const char *name, unsigned int type,
		     const void *data, size_t size)
{
	ElfW(Nhdr) nhdr = {
		.n_namesz = strlen(name) + 1,
		.n_descsz = size,
		.n_type = type,
	};

	put(buf, &nhdr, sizeof(nhdr));
	put(buf, name, nhdr.n_namesz);
	put(buf, NULL, -buf->size & 3);
	put(buf, data, size);
	put(buf, NULL, -buf->size & 3);
}

/* What both kinds of status note say about the process. */
struct ids {
	int		ppid;
	int		pgrp;
	int		sid;
	char		state;
	long		nice;
	unsigned long	flags;
	unsigned long	time[4];
};

static bool read_ids(pid_t pid, pid_t tid, struct ids *ids)
{
	char *stat = read_proc(pid, tid, "stat", NULL);
	char *fields = stat ? stat_fields(stat) : NULL;
	int n = 0;

	memset(ids, 0, sizeof(*ids));
	if (fields)
		n = sscanf(fields,
			   "%c %d %d %d %*d %*d %lu %*u %*u %*u %*u %lu %lu %lu %lu %*d %ld",
			   &ids->state, &ids->ppid, &ids->pgrp, &ids->sid,
			   &ids->flags, &ids->time[0], &ids->time[1],
			   &ids->time[2], &ids->time[3], &ids->nice);
	free(stat);
	return n == 10;
}

static void put_prpsinfo(struct buffer *buf, struct process *proc)
{
	static const char states[] = "RSDTZW";
	struct elf_prpsinfo info = { 0 };
	size_t size = 0, i;
	struct ids ids;
	char *text;

	if (read_ids(proc->pid, 0, &ids)) {
		const char *p = strchr(states, ids.state);

		info.pr_state = p ? p - states : 0;
		info.pr_sname = ids.state;
		info.pr_zomb = ids.state == 'Z';
		info.pr_nice = ids.nice;
		info.pr_flag = ids.flags;
		info.pr_ppid = ids.ppid;
		info.pr_pgrp = ids.pgrp;
		info.pr_sid = ids.sid;
	}
	info.pr_pid = proc->pid;
	text = read_proc(proc->pid, 0, "status", NULL);
	if (text) {
		info.pr_uid = proc_number(text, "Uid", 10);
		info.pr_gid = proc_number(text, "Gid", 10);
		free(text);
	}
	/* a name that fills the field has no NUL, as with the kernel's */
	memcpy(info.pr_fname, proc->comm,
	       strnlen(proc->comm, sizeof(info.pr_fname)));
	text = read_proc(proc->pid, 0, "cmdline", &size);
	if (text) {
		if (size >= sizeof(info.pr_psargs))
			size = sizeof(info.pr_psargs) - 1;
		for (i = 0; i < size; i++)
			info.pr_psargs[i] = text[i] || i == size - 1 ?
					    text[i] : ' ';
		free(text);
	}
	put_note(buf, "CORE", NT_PRPSINFO, &info, sizeof(info));
}

static struct __kernel_old_timeval ticks(unsigned long num)
{
	static long hz;
	struct __kernel_old_timeval tv;

	if (!hz)
		hz = sysconf(_SC_CLK_TCK);
	tv.tv_sec = num / hz;
	tv.tv_usec = num % hz * 1000000 / hz;
	return tv;
}

static void put_prstatus(struct buffer *buf, struct process *proc,
			 struct thread *thread)
{
	struct core_status status = { 0 };
	struct ids ids;
	unsigned int i;
	char *text;

	status.pid = thread->tid;
	if (read_ids(proc->pid, thread->tid, &ids)) {
		status.ppid = ids.ppid;
		status.pgrp = ids.pgrp;
		status.sid = ids.sid;
		status.utime = ticks(ids.time[0]);
		status.stime = ticks(ids.time[1]);
		status.cutime = ticks(ids.time[2]);
		status.cstime = ticks(ids.time[3]);
	}
	text = read_proc(proc->pid, thread->tid, "status", NULL);
	if (text) {
		status.sigpend = proc_number(text, "SigPnd", 16);
		status.sighold = proc_number(text, "SigBlk", 16);
		free(text);
	}
	if (thread->nr_sets)
		memcpy(&status.reg, thread->sets[0].data,
		       thread->sets[0].size);
	for (i = 1; i < thread->nr_sets; i++)
		status.fpvalid |= thread->sets[i].type == NT_PRFPREG;
	put_note(buf, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

/* All that belongs to a thread comes after its NT_PRSTATUS. */
static void put_regsets(struct buffer *buf, struct thread *thread)
{
	unsigned int i;

	for (i = 1; i < thread->nr_sets; i++)
		put_note(buf,
			 thread->sets[i].type == NT_PRFPREG ? "CORE" : "LINUX",
			 thread->sets[i].type, thread->sets[i].data,
			 thread->sets[i].size);
}

/* How many files, the size of a page; start, end and page for each; names. */
static void put_files(struct buffer *buf)
{
	unsigned long head[2] = { 0, page_size };
	struct buffer desc = { 0 };
	unsigned int i;

	put(&desc, head, sizeof(head));
	for (i = 0; i < nr_vmas; i++) {
		unsigned long where[3] = {
			vmas[i].start, vmas[i].end, vmas[i].offset / page_size,
		};

		if (!is_file(&vmas[i]))
			continue;
		put(&desc, where, sizeof(where));
		head[0]++;
	}
	for (i = 0; i < nr_vmas; i++)
		if (is_file(&vmas[i]))
			put(&desc, vmas[i].name, strlen(vmas[i].name) + 1);
	memcpy(desc.data, head, sizeof(head));
	put_note(buf, "CORE", NT_FILE, desc.data, desc.size);
	free(desc.data);
}

static void put_notes(struct buffer *buf, struct process *proc)
{
	unsigned int i;
	size_t size;
	char *auxv;

	for (i = 0; i < proc->nr_threads; i++) {
		put_prstatus(buf, proc, &proc->threads[i]);
		if (!i) {
			put_prpsinfo(buf, proc);
			auxv = read_proc(proc->pid, proc->threads[proc->rep].tid,
					 "auxv", &size);
			if (auxv)
				put_note(buf, "CORE", NT_AUXV, auxv, size);
			else
				note(proc->pid, 0, "no auxv: %m");
			free(auxv);
			put_files(buf);
		}
		put_regsets(buf, &proc->threads[i]);
	}
}

/*
 * The file
 */

/* Machine and flags as in the program itself, if that is like us. */
static void fill_header(struct process *proc, ElfW(Ehdr) *ehdr)
{
	ElfW(Ehdr) exe, self;
	bool have_exe;
	int fd;

	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &self, sizeof(self)) != sizeof(self))
		die(EXIT_ERROR, "cannot read /proc/self/exe: %m");
	close(fd);
	fd = open_proc(proc->pid, proc->threads[proc->rep].tid, "exe",
		       O_RDONLY);
	have_exe = fd >= 0 && read(fd, &exe, sizeof(exe)) == sizeof(exe) &&
		   !memcmp(exe.e_ident, ELFMAG, SELFMAG);
	if (fd >= 0)
		close(fd);
	if (have_exe && (exe.e_ident[EI_CLASS] != OUR_CLASS ||
			 exe.e_machine != self.e_machine)) {
		note(proc->pid, 0,
		     "its program is not of the kind of freezer_snapshot, its core file is");
		have_exe = false;
	}

	memset(ehdr, 0, sizeof(*ehdr));
	memcpy(ehdr->e_ident, ELFMAG, SELFMAG);
	ehdr->e_ident[EI_CLASS] = OUR_CLASS;
	ehdr->e_ident[EI_DATA] = self.e_ident[EI_DATA];
	ehdr->e_ident[EI_VERSION] = EV_CURRENT;
	ehdr->e_type = ET_CORE;
	ehdr->e_machine = self.e_machine;
	ehdr->e_version = EV_CURRENT;
	ehdr->e_flags = have_exe ? exe.e_flags : self.e_flags;
	ehdr->e_phoff = sizeof(*ehdr);
	ehdr->e_ehsize = sizeof(*ehdr);
	ehdr->e_phentsize = sizeof(ElfW(Phdr));
}

static unsigned int segment_flags(const struct vma *vma)
{
	return (vma->perms[0] == 'r' ? PF_R : 0) |
	       (vma->perms[1] == 'w' ? PF_W : 0) |
	       (vma->perms[2] == 'x' ? PF_X : 0);
}

static void write_core(struct process *proc, int core, int mem, int pagemap)
{
	ElfW(Shdr) shdr = { 0 };
	ElfW(Phdr) *phdr;
	ElfW(Ehdr) ehdr;
	unsigned int i, num = nr_vmas + 1;
	struct buffer buf = { 0 };
	off_t offset;

	put_notes(&buf, proc);
	fill_header(proc, &ehdr);
	phdr = xalloc(NULL, num, sizeof(*phdr));
	memset(phdr, 0, num * sizeof(*phdr));

	offset = sizeof(ehdr) + num * sizeof(*phdr);
	ehdr.e_phnum = num < PN_XNUM ? num : PN_XNUM;
	if (num >= PN_XNUM) {
		/* the number is in the first section header then */
		ehdr.e_shoff = offset;
		ehdr.e_shentsize = sizeof(shdr);
		ehdr.e_shnum = 1;
		shdr.sh_size = 1;
		shdr.sh_info = num;
		offset += sizeof(shdr);
	}

	phdr[0].p_type = PT_NOTE;
	phdr[0].p_offset = offset;
	phdr[0].p_filesz = buf.size;
	phdr[0].p_align = 4;
	offset += buf.size;
	offset = (offset + page_size - 1) / page_size * page_size;
	for (i = 0; i < nr_vmas; i++) {
		phdr[i + 1].p_type = PT_LOAD;
		phdr[i + 1].p_flags = segment_flags(&vmas[i]);
		phdr[i + 1].p_offset = offset;
		phdr[i + 1].p_vaddr = vmas[i].start;
		phdr[i + 1].p_filesz = vmas[i].size;
		phdr[i + 1].p_memsz = vmas[i].end - vmas[i].start;
		phdr[i + 1].p_align = page_size;
		offset += vmas[i].size;
	}

	if (offset != (off_t)(ElfW(Off))offset)
		die(EXIT_ERROR, "the core file of %d would be larger than 4 GB",
		    proc->pid);
	out_write(core, &ehdr, sizeof(ehdr), 0);
	out_write(core, phdr, num * sizeof(*phdr), sizeof(ehdr));
	if (num >= PN_XNUM)
		out_write(core, &shdr, sizeof(shdr), ehdr.e_shoff);
	out_write(core, buf.data, buf.size, phdr[0].p_offset);
	if (ftruncate(core, offset))
		die(EXIT_ERROR, "cannot write core: %m");
	for (i = 0; i < nr_vmas; i++)
		if (vmas[i].size)
			write_memory(proc, &vmas[i], mem, pagemap, core,
				     phdr[i + 1].p_offset);
	free(buf.data);
	free(phdr);
}

void core_write(struct process *proc, int dir)
{
	pid_t tid = proc->threads[proc->rep].tid;
	int mem, pagemap, core;
	unsigned int i;
	char *text;

	page_size = sysconf(_SC_PAGESIZE);
	doing("reading the mappings of %d", proc->pid);
	text = read_proc(proc->pid, tid, "smaps", NULL);
	if (text) {
		if (opt.smaps)
			out_file(dir, "smaps", text, strlen(text));
		read_vmas(proc, text, true);
	} else {
		text = read_proc(proc->pid, tid, "maps", NULL);
		if (text)
			read_vmas(proc, text, false);
	}
	free(text);
	mem = open_proc(proc->pid, tid, "mem", O_RDONLY);
	if (mem < 0) {
		note(proc->pid, 0, "no core: its memory cannot be read: %m");
		free_vmas();
		return;
	}
	pagemap = open_proc(proc->pid, tid, "pagemap", O_RDONLY);

	for (i = 0; i < nr_vmas; i++)
		vmas[i].size = wanted(proc, mem, &vmas[i]);
	core = out_create(dir, "core");
	write_core(proc, core, mem, pagemap);
	out_close(core, "core");

	close(mem);
	if (pagemap >= 0)
		close(pagemap);
	free_vmas();
}
