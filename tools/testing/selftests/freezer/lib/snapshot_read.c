// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a snapshot. See snapshot_read.h.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/time_types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#include "regs.h"
#include "snapshot_read.h"
#include "snapshot_spin.h"

static char fault[FRZ_PATH_MAX + 128];

/*
 * NT_PRSTATUS as the kernel has it. In struct elf_prstatus of the C library the
 * times are of this program, on 32 bits longer than those of the kernel.
 */
struct core_status {
	struct elf_siginfo		info;
	short				cursig;
	unsigned long			sigpend;
	unsigned long			sighold;
	int				pid, ppid, pgrp, sid;
	struct __kernel_old_timeval	times[4];
	union frz_regs			regs;
	int				fpvalid;
};

#define FAULT(...) (snprintf(fault, sizeof(fault), __VA_ARGS__), fault)

ssize_t snapshot_file(const char *snapshot, const char *file, char *buf,
		      size_t size)
{
	char path[FRZ_PATH_MAX];
	size_t len = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", snapshot, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = 0;
	return len;
}

const char *snapshot_key(const char *snapshot, const char *key)
{
	static char text[4096];
	size_t len = strlen(key);
	char *line;

	if (snapshot_file(snapshot, "snapshot", text, sizeof(text)) < 0)
		return "no such file";
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == ' ') {
			line[strcspn(line, "\n")] = 0;
			return line + len + 1;
		}
	}
	return "no such key";
}

/*
 * Core files
 */

static const ElfW(Ehdr) *header(struct core *core)
{
	return (const void *)core->data;
}

static const ElfW(Phdr) *segment(struct core *core, unsigned int i)
{
	return (const void *)(core->data + header(core)->e_phoff +
			      i * sizeof(ElfW(Phdr)));
}

static size_t padded(size_t size)
{
	return (size + 3) & ~3UL;
}

/* The note at @offset of the notes, and where the next one is; NULL: none. */
static const ElfW(Nhdr) *note_at(struct core *core, size_t *offset,
				 const char **name, const void **desc)
{
	const ElfW(Phdr) *notes = segment(core, 0);
	const ElfW(Nhdr) *nhdr;
	size_t left = notes->p_filesz - *offset;

	if (*offset >= notes->p_filesz || left < sizeof(*nhdr))
		return NULL;
	nhdr = (const void *)(core->data + notes->p_offset + *offset);
	if (left < sizeof(*nhdr) + padded(nhdr->n_namesz) +
		   padded(nhdr->n_descsz))
		return NULL;
	*name = (const char *)(nhdr + 1);
	*desc = *name + padded(nhdr->n_namesz);
	*offset += sizeof(*nhdr) + padded(nhdr->n_namesz) +
		   padded(nhdr->n_descsz);
	return nhdr;
}

const void *core_note(struct core *core, pid_t tid, unsigned int type,
		      size_t *size)
{
	const ElfW(Nhdr) *nhdr;
	size_t offset = 0;
	const void *desc;
	const char *name;
	pid_t of = 0;

	while ((nhdr = note_at(core, &offset, &name, &desc))) {
		if (nhdr->n_type == NT_PRSTATUS) {
			struct core_status status;

			memcpy(&status, desc, sizeof(status));
			of = status.pid;
		}
		if (nhdr->n_type == type && (!tid || tid == of)) {
			if (size)
				*size = nhdr->n_descsz;
			return desc;
		}
	}
	return NULL;
}

static const char *check_file_note(struct core *core, const char *desc,
				   size_t size)
{
	unsigned long head[2], i;
	const char *name, *end = desc + size;

	if (size < sizeof(head))
		return FAULT("NT_FILE is too short");
	memcpy(head, desc, sizeof(head));
	if (head[1] != (unsigned long)sysconf(_SC_PAGESIZE))
		return FAULT("NT_FILE has pages of %lu", head[1]);
	name = desc + sizeof(head) + head[0] * 3 * sizeof(long);
	for (i = 0; i < head[0]; i++) {
		if (name >= end || *name != '/')
			return FAULT("NT_FILE: entry %lu has no path", i);
		name += strnlen(name, end - name) + 1;
	}
	if (name != end)
		return FAULT("NT_FILE does not end with its names");
	core->nr_files = head[0];
	return "";
}

static const char *check_notes(struct core *core, pid_t pid)
{
	const ElfW(Nhdr) *nhdr;
	size_t offset = 0;
	const char *name, *why;
	const void *desc;
	unsigned int nr_psinfo = 0, nr_auxv = 0;

	while ((nhdr = note_at(core, &offset, &name, &desc))) {
		struct core_status status;
		struct elf_prpsinfo info;

		switch (nhdr->n_type) {
		case NT_PRSTATUS:
			if (nhdr->n_descsz != sizeof(status) ||
			    strcmp(name, "CORE"))
				return FAULT("NT_PRSTATUS: %u bytes",
					     nhdr->n_descsz);
			memcpy(&status, desc, sizeof(status));
			if (!core->nr_threads++ && status.pid != pid)
				return FAULT("first thread %d instead of %d",
					     status.pid, pid);
			break;
		case NT_PRPSINFO:
			if (nhdr->n_descsz != sizeof(info))
				return FAULT("NT_PRPSINFO: %u bytes",
					     nhdr->n_descsz);
			memcpy(&info, desc, sizeof(info));
			if (info.pr_pid != pid || !info.pr_fname[0])
				return FAULT("NT_PRPSINFO: process %d %.16s",
					     info.pr_pid, info.pr_fname);
			nr_psinfo++;
			break;
		case NT_AUXV:
			nr_auxv++;
			break;
		case NT_FILE:
			why = check_file_note(core, desc, nhdr->n_descsz);
			if (*why)
				return why;
			break;
		case NT_PRFPREG:
			core->nr_fp++;
			break;
		}
	}
	if (offset != segment(core, 0)->p_filesz)
		return FAULT("notes end at %zu instead of %zu", offset,
			     (size_t)segment(core, 0)->p_filesz);
	if (!core->nr_threads || nr_psinfo != 1 || nr_auxv != 1 ||
	    !core->nr_files)
		return FAULT("%u PRSTATUS, %u PRPSINFO, %u AUXV, %u files",
			     core->nr_threads, nr_psinfo, nr_auxv,
			     core->nr_files);
	return "";
}

/* A PT_LOAD for each mapping, in order, and inside of the file. */
static const char *check_loads(struct core *core, const char *snapshot,
			       pid_t pid)
{
	static char maps[65536];
	unsigned int i, num = header(core)->e_phnum;
	char name[64], *line = maps;

	snprintf(name, sizeof(name), "%d/maps", pid);
	if (snapshot_file(snapshot, name, maps, sizeof(maps)) <= 0)
		return FAULT("no maps");
	for (i = 1; i < num; i++) {
		const ElfW(Phdr) *phdr = segment(core, i);
		unsigned long start, end;

		if (!line || sscanf(line, "%lx-%lx", &start, &end) != 2)
			return FAULT("%u segments, but fewer mappings", num);
		if (phdr->p_type != PT_LOAD || phdr->p_vaddr != start ||
		    phdr->p_memsz != end - start ||
		    phdr->p_filesz > phdr->p_memsz ||
		    phdr->p_offset % phdr->p_align ||
		    phdr->p_offset + phdr->p_filesz > core->size)
			return FAULT("segment %u is not mapping %lx-%lx", i,
				     start, end);
		core->nr_loads++;
		line = strchr(line, '\n');
		line = line && line[1] ? line + 1 : NULL;
	}
	return line ? FAULT("mapping without a segment: %.40s", line) : "";
}

const char *core_open(struct core *core, const char *snapshot, pid_t pid)
{
	const ElfW(Ehdr) *ehdr;
	char path[FRZ_PATH_MAX];
	const char *why;
	struct stat st;
	int fd;

	memset(core, 0, sizeof(*core));
	snprintf(path, sizeof(path), "%s/%d/core", snapshot, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return FAULT("%s: %s", path, strerror(errno));
	core->size = st.st_size;
	core->blocks = st.st_blocks * 512;
	core->data = mmap(NULL, core->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (core->data == MAP_FAILED)
		return FAULT("mmap: %s", strerror(errno));

	ehdr = header(core);
	if (core->size < sizeof(*ehdr) ||
	    memcmp(ehdr->e_ident, ELFMAG, SELFMAG) ||
	    ehdr->e_type != ET_CORE || ehdr->e_version != EV_CURRENT ||
	    ehdr->e_ehsize != sizeof(*ehdr) ||
	    ehdr->e_phentsize != sizeof(ElfW(Phdr)) || ehdr->e_phnum < 2 ||
	    ehdr->e_phoff + ehdr->e_phnum * sizeof(ElfW(Phdr)) > core->size)
		return FAULT("%s has no ELF header of a core file", path);
	if (segment(core, 0)->p_type != PT_NOTE ||
	    segment(core, 0)->p_offset + segment(core, 0)->p_filesz >
	    core->size)
		return FAULT("%s has no notes", path);
	why = check_notes(core, pid);
	return *why ? why : check_loads(core, snapshot, pid);
}

void core_close(struct core *core)
{
	if (core->data && core->data != MAP_FAILED)
		munmap((void *)core->data, core->size);
}

ssize_t core_read(struct core *core, const void *addr, void *buf, size_t size)
{
	uintptr_t at = (uintptr_t)addr;
	unsigned int i;

	for (i = 1; i < header(core)->e_phnum; i++) {
		const ElfW(Phdr) *phdr = segment(core, i);

		if (at < phdr->p_vaddr || at >= phdr->p_vaddr + phdr->p_memsz)
			continue;
		at -= phdr->p_vaddr;
		if (at >= phdr->p_filesz)
			return 0;
		if (size > phdr->p_filesz - at)
			size = phdr->p_filesz - at;
		memcpy(buf, core->data + phdr->p_offset + at, size);
		return size;
	}
	return -ENOENT;
}

/*
 * The bank
 */

/* Where the link of a descriptor points to. */
static const char *link_of(const char *snapshot, pid_t pid, int num)
{
	static char target[FRZ_PATH_MAX];
	char path[FRZ_PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%d/fd/%d", snapshot, pid, num);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = 0;
	return target;
}

/* The log of a process: its content, and where it stands. */
static ssize_t read_log(const char *snapshot, struct bank *bank, int i, int num,
			off_t *offset, void *buf, size_t size)
{
	char name[64], text[4096];
	ssize_t n;

	snprintf(name, sizeof(name), "%d/fdinfo/%d", bank->pid[i], num);
	n = snapshot_file(snapshot, name, text, sizeof(text));
	if (n < 0 || strncmp(text, "pos:", 4))
		return -ENOENT;
	*offset = strtoll(text + 4, NULL, 10);
	snprintf(name, sizeof(name), "files/%s", bank->log_name[i]);
	return snapshot_file(snapshot, name, buf, size);
}

static const char *read_process(const char *snapshot, struct bank *bank,
				struct bank_view *view, int i)
{
	struct bank_account *account = &view->account[i];
	unsigned long long ino;
	const char *why, *link;
	char name[64];
	struct core core;
	ssize_t n;

	why = core_open(&core, snapshot, bank->pid[i]);
	if (*why)
		return why;
	n = core_read(&core, &bank_account, account, sizeof(*account));
	if (n == sizeof(*account))
		n = core_read(&core, bank->vault, &view->vault[i],
			      sizeof(view->vault[i]));
	core_close(&core);
	if (n != sizeof(view->vault[i]))
		return FAULT("the core file of %d is short of memory", i);

	link = link_of(snapshot, bank->pid[i], account->in);
	if (sscanf(link, "pipe:[%llu]", &ino) != 1)
		return FAULT("fd %d of %d: '%s' is no pipe", account->in, i,
			     link);
	snprintf(name, sizeof(name), "pipes/%llu", ino);
	n = snapshot_file(snapshot, name, (char *)view->pipe[i],
			  sizeof(view->pipe[i]));
	if (n < 0)
		return FAULT("%s: %s", name, strerror(-n));
	view->piped[i] = n;

	n = read_log(snapshot, bank, i, account->log, &view->log_offset[i],
		     view->log[i], sizeof(view->log[i]));
	if (n < 0)
		return FAULT("the log of %d: %s", i, strerror(-n));
	return "";
}

const char *snapshot_bank(const char *snapshot, struct bank *bank,
			  struct bank_view *view)
{
	const char *why = "";
	int i;

	memset(view, 0, sizeof(*view));
	for (i = 0; i < BANK_PROCS && !*why; i++)
		why = read_process(snapshot, bank, view, i);
	return why;
}

#ifdef BANK_SPIN
const char *snapshot_spin(const char *snapshot, struct bank *bank)
{
	const unsigned long *word;
	struct bank_account account;
	struct core_status status;
	unsigned long pc, count;
	struct core core;
	const char *why;
	const void *note;
	bool all;

	why = core_open(&core, snapshot, bank->pid[0]);
	if (*why)
		return why;
	core_read(&core, &bank_account, &account, sizeof(account));
	if (core.nr_threads != 2)
		why = FAULT("%u threads", core.nr_threads);
	note = core_note(&core, account.spin_tid, NT_PRSTATUS, NULL);
	if (!note || *why) {
		core_close(&core);
		return *why ? why : FAULT("no registers of the second thread");
	}
	memcpy(&status, note, sizeof(status));
	/* in a system call it has given no more than the program counter */
	all = core_note(&core, account.spin_tid, NT_PRFPREG, NULL);
	word = status.regs.word;
	pc = word[FRZ_REG_PC];
	count = word[BANK_SPIN_COUNT];
	if (pc < (uintptr_t)bank_spin_begin || pc >= (uintptr_t)bank_spin_end)
		why = FAULT("it was at %lx", pc);
	else if (all && word[BANK_SPIN_KEEP] != BANK_SPIN_MARK)
		why = FAULT("the register with the mark is %lx",
			    word[BANK_SPIN_KEEP]);
	else if (all && count - account.spin > 1)
		why = FAULT("the counter is %lu and memory %lu", count,
			    account.spin);

#ifdef __x86_64__
	note = core_note(&core, account.spin_tid, NT_PRFPREG, NULL);
	if (note && !*why) {
		struct user_fpregs_struct fp;

		memcpy(&fp, note, sizeof(fp));
		if (memcmp(&fp.xmm_space[7 * 4], &(uint64_t){ BANK_SPIN_MARK },
			   8))
			why = FAULT("xmm7 is not what it was");
	}
#endif
	core_close(&core);
	return why;
}
#else
const char *snapshot_spin(const char *snapshot, struct bank *bank)
{
	return "";
}
#endif
