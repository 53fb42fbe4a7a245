/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System calls by number, where the number or the arguments depend on the
 * architecture.
 */
#ifndef FREEZER_SYSCALLS_H
#define FREEZER_SYSCALLS_H

#include <linux/time_types.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * On 32 bits the tests have 64-bit time (the Makefile), and struct timespec is
 * what these calls take there. The calls that have no such variant take
 * struct __kernel_old_timespec, on 64 bits as well: nanosleep, io_getevents.
 */
#ifdef SYS_futex_time64
#undef SYS_futex
#define SYS_futex		SYS_futex_time64
#endif
#ifdef SYS_clock_nanosleep_time64
#undef SYS_clock_nanosleep
#define SYS_clock_nanosleep	SYS_clock_nanosleep_time64
#endif
#ifdef SYS_io_pgetevents_time64
#undef SYS_io_pgetevents
#define SYS_io_pgetevents	SYS_io_pgetevents_time64
#endif
#ifdef SYS_rt_sigtimedwait_time64
#undef SYS_rt_sigtimedwait
#define SYS_rt_sigtimedwait	SYS_rt_sigtimedwait_time64
#endif

/* fork() with @flags and without what the C library does for it. */
static inline long frz_clone(unsigned long flags)
{
#ifdef __s390__
	/* the stack comes first */
	return syscall(SYS_clone, 0UL, flags, 0UL, 0UL, 0UL);
#else
	return syscall(SYS_clone, flags, 0UL, 0UL, 0UL, 0UL);
#endif
}

#endif /* FREEZER_SYSCALLS_H */
