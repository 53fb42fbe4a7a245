// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer_snapshot: registers
 *
 * A tracer can look at a frozen task, which stops for it without a way to user
 * mode, where the kernel has that.  Where it does not the stop is not reported,
 * so the wait for it is bounded, and after the first one that was in vain no
 * other thread is bothered.  /proc/<pid>/syscall is what remains: the program
 * counter, the stack pointer, and the number and arguments of a system call.
 *
 * Under the guard a thread that is frozen in its sleep does not stop either, but
 * others do, so each is asked.  After the first wait in vain there is less
 * patience for the rest.
 *
 * A tracer can only let go of a task that has stopped for it.  Those that did
 * not do so when the guard is given back, or else when the worker ends.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "freezer_snapshot.h"

/* Of the kernel; these are not for user space, but stat shows them. */
#define PF_IO_WORKER	0x00000010
#define PF_USER_WORKER	0x00004000
#define PF_NO_USER_MODE	(PF_IO_WORKER | PF_USER_WORKER)

/* More than any of them needs. */
#define REGSET_MAX	(256 * 1024)

/* What part of the patience is left for others after a wait in vain. */
#define PATIENCE_LEFT	10

/* The numbers are unique over the architectures, and a wrong one is refused. */
static const unsigned int regset_types[] = {
	NT_PRSTATUS,
	NT_PRFPREG,
	0x100,	/* NT_PPC_VMX */
	0x101,	/* NT_PPC_SPE */
	0x102,	/* NT_PPC_VSX */
	0x103,	/* NT_PPC_TAR */
	0x104,	/* NT_PPC_PPR */
	0x105,	/* NT_PPC_DSCR */
	0x106,	/* NT_PPC_EBB */
	0x107,	/* NT_PPC_PMU */
	0x108,	/* NT_PPC_TM_CGPR */
	0x109,	/* NT_PPC_TM_CFPR */
	0x10a,	/* NT_PPC_TM_CVMX */
	0x10b,	/* NT_PPC_TM_CVSX */
	0x10c,	/* NT_PPC_TM_SPR */
	0x10d,	/* NT_PPC_TM_CTAR */
	0x10e,	/* NT_PPC_TM_CPPR */
	0x10f,	/* NT_PPC_TM_CDSCR */
	0x110,	/* NT_PPC_PKEY */
	0x111,	/* NT_PPC_DEXCR */
	0x112,	/* NT_PPC_HASHKEYR */
	0x200,	/* NT_386_TLS */
	0x202,	/* NT_X86_XSTATE */
	0x204,	/* NT_X86_SHSTK */
	0x300,	/* NT_S390_HIGH_GPRS */
	0x301,	/* NT_S390_TIMER */
	0x302,	/* NT_S390_TODCMP */
	0x303,	/* NT_S390_TODPREG */
	0x304,	/* NT_S390_CTRS */
	0x305,	/* NT_S390_PREFIX */
	0x306,	/* NT_S390_LAST_BREAK */
	0x307,	/* NT_S390_SYSTEM_CALL */
	0x308,	/* NT_S390_TDB */
	0x309,	/* NT_S390_VXRS_LOW */
	0x30a,	/* NT_S390_VXRS_HIGH */
	0x30b,	/* NT_S390_GS_CB */
	0x30c,	/* NT_S390_GS_BC */
	0x30d,	/* NT_S390_RI_CB */
	0x400,	/* NT_ARM_VFP */
	0x401,	/* NT_ARM_TLS */
	0x402,	/* NT_ARM_HW_BREAK */
	0x403,	/* NT_ARM_HW_WATCH */
	0x404,	/* NT_ARM_SYSTEM_CALL */
	0x405,	/* NT_ARM_SVE */
	0x406,	/* NT_ARM_PAC_MASK */
	0x407,	/* NT_ARM_PACA_KEYS */
	0x408,	/* NT_ARM_PACG_KEYS */
	0x409,	/* NT_ARM_TAGGED_ADDR_CTRL */
	0x40a,	/* NT_ARM_PAC_ENABLED_KEYS */
	0x40b,	/* NT_ARM_SSVE */
	0x40c,	/* NT_ARM_ZA */
	0x40d,	/* NT_ARM_ZT */
	0x40e,	/* NT_ARM_FPMR */
	0x40f,	/* NT_ARM_POE */
	0x600,	/* NT_ARC_V2 */
	0x800,	/* NT_MIPS_DSP */
	0x801,	/* NT_MIPS_FP_MODE */
	0x802,	/* NT_MIPS_MSA */
	0x900,	/* NT_RISCV_CSR */
	0x901,	/* NT_RISCV_VECTOR */
	0x902,	/* NT_RISCV_TAGGED_ADDR_CTRL */
	0xa00,	/* NT_LOONGARCH_CPUCFG */
	0xa02,	/* NT_LOONGARCH_LSX */
	0xa03,	/* NT_LOONGARCH_LASX */
	0xa04,	/* NT_LOONGARCH_LBT */
};

/* What is known about tracers of frozen tasks. */
static enum {
	TRACE_UNKNOWN,
	TRACE_WORKS,
	TRACE_DOES_NOT,
} trace;

static bool in_vain;

/* What the thread of regs_hold() has stopped with. */
static int held;

/* Those that were asked to stop, and have not. */
static pid_t *asked;
static unsigned int nr_asked;
static unsigned int room_asked;

static unsigned int nr_full;
static unsigned int nr_partial;
static unsigned int nr_none;

static bool guarded(void)
{
	return opt.guard && opt.cgroup;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Wait until @tid, which was asked to, stops: the wait status, or -errno. */
static int wait_stop(pid_t tid, int64_t deadline)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		int64_t left = deadline - now_ms();
		struct timespec ts = { .tv_nsec = 5000000 };
		int status;
		pid_t ret;

		ret = waitpid(tid, &status, __WALL | WNOHANG);
		if (ret < 0)
			return -errno;
		if (ret == tid)
			return WIFSTOPPED(status) ? status : -ESRCH;
		if (left <= 0)
			return -ETIMEDOUT;
		/* one signal may stand for several stops */
		if (left < 5)
			ts.tv_nsec = left * 1000000;
		sigtimedwait(&chld, NULL, &ts);
	}
}

/*
 * A signal may have come before the request to stop, and the thread has stopped
 * to deliver it.  It gets the signal now, which would be lost otherwise.  The stop
 * that was asked for and the one of a stopped process have no signal to deliver.
 */
static void let_go(pid_t tid, int status)
{
	unsigned long sig = status >> 16 ? 0 : WSTOPSIG(status);

	ptrace(PTRACE_DETACH, tid, NULL, (void *)sig);
}

static void add_regset(struct thread *thread, unsigned int type,
		       const void *data, size_t size)
{
	struct regset *set = &thread->sets[thread->nr_sets++];

	set->type = type;
	set->size = size;
	set->data = xalloc(NULL, 1, size);
	memcpy(set->data, data, size);
}

/* Everything the kernel tells of a thread that has stopped for us. */
static int fetch_regsets(struct thread *thread)
{
	static char buf[REGSET_MAX];
	unsigned int i;

	for (i = 0; i < sizeof(regset_types) / sizeof(*regset_types); i++) {
		struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };

		if (ptrace(PTRACE_GETREGSET, thread->tid,
			   (void *)(uintptr_t)regset_types[i], &iov)) {
			if (!i)
				return -errno;
			continue;
		}
		/* of a task of another word size: not for our core file */
		if (!i && iov.iov_len != sizeof(elf_gregset_t))
			return -EOPNOTSUPP;
		if (iov.iov_len && thread->nr_sets < MAX_REGSETS)
			add_regset(thread, regset_types[i], buf, iov.iov_len);
	}
	return 0;
}

/* Ask @tid to stop: 1, or -errno. */
static int ask(pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		return -errno;
	return 1;
}

/* Take the registers of a thread that was asked to stop: 0, or -errno. */
static int collect(struct thread *thread, int64_t deadline)
{
	int status = wait_stop(thread->tid, deadline);
	int err;

	if (status < 0)
		return status;
	err = fetch_regsets(thread);
	let_go(thread->tid, status);
	return err;
}

static void explain(struct process *proc, struct thread *thread, int err)
{
	switch (-err) {
	case 0:
		break;
	case ETIMEDOUT:
		note(proc->pid, thread->tid, guarded() ?
		     "not all registers: frozen in a system call, it does not stop for a tracer" :
		     "not all registers: the kernel does not stop it for a tracer while it is frozen");
		break;
	case EPERM:
		note(proc->pid, thread->tid,
		     "not all registers: it has another tracer, or is not ours to trace");
		break;
	case ENODATA:
		note(proc->pid, thread->tid,
		     "no registers: it works in the kernel and has no user mode");
		break;
	case EOPNOTSUPP:
		note(proc->pid, thread->tid,
		     "no registers: the process is of another word size");
		break;
	default:
		note(proc->pid, thread->tid, "not all registers: %s",
		     strerror(-err));
	}
}

static void add_asked(pid_t tid)
{
	if (nr_asked == room_asked) {
		room_asked = room_asked ? room_asked * 2 : 64;
		asked = xalloc(asked, room_asked, sizeof(*asked));
	}
	asked[nr_asked++] = tid;
}

/*
 * Some kernels let only a tracer read memory that the process itself may not
 * read.  Its registers were taken, so the thread is where it stops, and does it
 * once more at once.  One that did not stop for its registers is traced anyway.
 */
bool regs_hold(struct process *proc)
{
	pid_t tid = proc->threads[proc->rep].tid;

	if ((opt.regs != REGS_AUTO && opt.regs != REGS_PTRACE) ||
	    trace == TRACE_DOES_NOT || ask(tid) < 0)
		return false;
	held = wait_stop(tid, now_ms() + opt.regs_ms);
	if (held > 0)
		return true;
	add_asked(tid);
	return false;
}

void regs_release(struct process *proc)
{
	let_go(proc->threads[proc->rep].tid, held);
}

/* The guard has been given back, and whoever was asked to stop does so. */
void regs_let_go(void)
{
	int64_t deadline = now_ms() + opt.regs_ms;

	while (nr_asked) {
		pid_t tid = asked[--nr_asked];
		int status = wait_stop(tid, deadline);

		if (status > 0)
			let_go(tid, status);
	}
}

/*
 * The registers of all threads of @proc by ptrace.  They are all asked to stop
 * before the first is waited for, so that one time limit does for all.
 */
static void trace_process(struct process *proc)
{
	int *err = xalloc(NULL, proc->nr_threads, sizeof(*err));
	int64_t deadline;
	unsigned int i;

	for (i = 0; i < proc->nr_threads; i++) {
		struct thread *thread = &proc->threads[i];

		if (thread->flags & PF_NO_USER_MODE) {
			err[i] = -ENODATA;
			continue;
		}
		if (trace == TRACE_DOES_NOT) {
			err[i] = -ETIMEDOUT;
			continue;
		}

		err[i] = ask(thread->tid);
		if (err[i] < 0 || trace == TRACE_WORKS || guarded())
			continue;
		/* the very first tells whether it makes sense to go on */
		err[i] = collect(thread, now_ms() + opt.regs_ms);
		if (!err[i])
			trace = TRACE_WORKS;
		else if (err[i] == -ETIMEDOUT)
			trace = TRACE_DOES_NOT;
	}

	deadline = now_ms() + (in_vain ? opt.regs_ms / PATIENCE_LEFT :
					 opt.regs_ms);
	for (i = 0; i < proc->nr_threads; i++) {
		struct thread *thread = &proc->threads[i];

		if (err[i] > 0)
			err[i] = collect(thread, deadline);
		if (err[i] == -ETIMEDOUT && guarded()) {
			in_vain = true;
			add_asked(thread->tid);
		}
		thread->foreign = err[i] == -EOPNOTSUPP;
		explain(proc, thread, err[i]);
	}
	free(err);
}

#if defined(__x86_64__)
#define HAVE_PARTIAL
static void fill_partial(struct user_regs_struct *regs, long nr,
			 const unsigned long *args, unsigned long sp,
			 unsigned long pc)
{
	regs->orig_rax = nr;
	regs->rdi = args[0];
	regs->rsi = args[1];
	regs->rdx = args[2];
	regs->r10 = args[3];
	regs->r8 = args[4];
	regs->r9 = args[5];
	regs->rsp = sp;
	regs->rip = pc;
	/* as of every process in 64-bit mode */
	regs->cs = 0x33;
	regs->ss = 0x2b;
}
#elif defined(__aarch64__)
#define HAVE_PARTIAL
static void fill_partial(struct user_regs_struct *regs, long nr,
			 const unsigned long *args, unsigned long sp,
			 unsigned long pc)
{
	int i;

	for (i = 0; i < 6; i++)
		regs->regs[i] = args[i];
	regs->regs[8] = nr;
	regs->sp = sp;
	regs->pc = pc;
}
#endif

/*
 * "nr arg0 ... arg5 sp pc" in a system call, "-1 sp pc" elsewhere in the
 * kernel, "running" when the kernel cannot tell.
 */
static void read_syscall(struct process *proc, struct thread *thread)
{
#ifdef HAVE_PARTIAL
	unsigned long args[6] = { 0 }, sp, pc;
	struct user_regs_struct regs = { 0 };
	bool known;
	char *text;
	long nr;

	text = read_proc(proc->pid, thread->tid, "syscall", NULL);
	if (!text) {
		note(proc->pid, thread->tid, "no registers: syscall: %m");
		return;
	}
	if (sscanf(text, "-1 %lx %lx", &sp, &pc) == 2) {
		nr = -1;
		known = true;
	} else {
		known = sscanf(text, "%ld %lx %lx %lx %lx %lx %lx %lx %lx", &nr,
			       &args[0], &args[1], &args[2], &args[3], &args[4],
			       &args[5], &sp, &pc) == 9;
	}
	free(text);
	if (!known) {
		note(proc->pid, thread->tid, "no registers: it runs");
		return;
	}
	fill_partial(&regs, nr, args, sp, pc);
	add_regset(thread, NT_PRSTATUS, &regs, sizeof(regs));
	thread->partial = true;
	if (nr < 0)
		note(proc->pid, thread->tid,
		     "of the registers only pc and sp are right, all others are 0");
	else
		note(proc->pid, thread->tid,
		     "of the registers only pc, sp, number and arguments of system call %ld are right, all others are 0",
		     nr);
#else
	note(proc->pid, thread->tid,
	     "no registers: syscall is not understood on this architecture; it is in task/%d",
	     thread->tid);
#endif
}

void regs_read(struct process *proc)
{
	unsigned int i;

	if (opt.regs == REGS_AUTO || opt.regs == REGS_PTRACE)
		trace_process(proc);

	for (i = 0; i < proc->nr_threads; i++) {
		struct thread *thread = &proc->threads[i];

		if (opt.regs == REGS_NONE)
			note(proc->pid, thread->tid,
			     "no registers: not wanted");
		else if (!thread->nr_sets && !thread->foreign &&
			 opt.regs != REGS_PTRACE &&
			 !(thread->flags & PF_NO_USER_MODE))
			read_syscall(proc, thread);

		if (!thread->nr_sets)
			nr_none++;
		else if (thread->partial)
			nr_partial++;
		else
			nr_full++;
	}
}

void regs_free(struct process *proc)
{
	unsigned int i, j;

	for (i = 0; i < proc->nr_threads; i++)
		for (j = 0; j < proc->threads[i].nr_sets; j++)
			free(proc->threads[i].sets[j].data);
	free(proc->threads);
	proc->threads = NULL;
}

const char *regs_how(void)
{
	static char buf[96];

	snprintf(buf, sizeof(buf), "%u full, %u partial, %u none", nr_full,
		 nr_partial, nr_none);
	return buf;
}
