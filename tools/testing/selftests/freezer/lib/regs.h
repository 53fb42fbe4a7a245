/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registers of a task that has stopped for a tracer, on each architecture:
 * one register set (NT_PRSTATUS) of words, and the words that the tests look at.
 * All that depends on the names of registers is here.
 */
#ifndef FREEZER_REGS_H
#define FREEZER_REGS_H

#include <elf.h>
#include <errno.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/*
 * The numbers of words: program counter, stack pointer, and the result of a
 * system call. An architecture without them is one for which nobody has looked
 * them up yet; what needs them says so by FRZ_HAVE_REGS.
 */
#define FRZ_HAVE_REGS
#if defined(__x86_64__)
#define FRZ_REG_PC	16
#define FRZ_REG_SP	19
#define FRZ_REG_RET	10
#elif defined(__i386__)
#define FRZ_REG_PC	12
#define FRZ_REG_SP	15
#define FRZ_REG_RET	6
#elif defined(__aarch64__)
#define FRZ_REG_PC	32
#define FRZ_REG_SP	31
#define FRZ_REG_RET	0
#elif defined(__arm__)
#define FRZ_REG_PC	15
#define FRZ_REG_SP	13
#define FRZ_REG_RET	0
#elif defined(__powerpc__)
#define FRZ_REG_PC	32
#define FRZ_REG_SP	1
#define FRZ_REG_RET	3
#elif defined(__riscv)
#define FRZ_REG_PC	0
#define FRZ_REG_SP	2
#define FRZ_REG_RET	10
#elif defined(__s390x__)
#define FRZ_REG_PC	1
#define FRZ_REG_SP	17
#define FRZ_REG_RET	4
#elif defined(__mips__) && _MIPS_SIM != _ABIO32
#define FRZ_REG_PC	34
#define FRZ_REG_SP	29
#define FRZ_REG_RET	2
#elif defined(__m68k__)
#define FRZ_REG_PC	18
#define FRZ_REG_SP	15
#define FRZ_REG_RET	14
#else
#undef FRZ_HAVE_REGS
#endif

/*
 * PTRACE_SINGLESTEP is EIO where neither the processor nor the kernel has it:
 * arm, mips and riscv.
 */
#if !defined(__arm__) && !defined(__mips__) && !defined(__riscv)
#define FRZ_HAVE_STEP
#endif

union frz_regs {
	elf_gregset_t	set;
	unsigned long	word[sizeof(elf_gregset_t) / sizeof(long)];
};

/* Read and write them: 0 or -errno. */
static inline int frz_get_regs(pid_t tid, union frz_regs *regs)
{
	struct iovec iov = { .iov_base = regs, .iov_len = sizeof(*regs) };

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov))
		return -errno;
	return iov.iov_len == sizeof(*regs) ? 0 : -EIO;
}

static inline int frz_set_regs(pid_t tid, union frz_regs *regs)
{
	struct iovec iov = { .iov_base = regs, .iov_len = sizeof(*regs) };

	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov) ?
	       -errno : 0;
}

#endif /* FREEZER_REGS_H */
