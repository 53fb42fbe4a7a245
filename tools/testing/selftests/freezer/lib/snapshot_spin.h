/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loop of the thread of which all registers are known, on each architecture:
 * one register counts, and memory follows; another one holds what nobody changes.
 * Now and then a system call, for the others to run, too.
 *
 *	BANK_SPIN_CODE		the loop, between bank_spin_begin and bank_spin_end
 *	BANK_SPIN_CLOBBERS	the registers that it uses
 *	BANK_SPIN_POINTER	the constraint of a register with an address
 *	BANK_SPIN_COUNT		the number of the register that counts, as in regs.h
 *	BANK_SPIN_KEEP		of the register that holds the mark
 *
 * Where an architecture is missing nothing looks at the registers of a snapshot.
 */
#ifndef SNAPSHOT_SPIN_H
#define SNAPSHOT_SPIN_H

#include "regs.h"

#define BANK_SPIN_MARK	((unsigned long)0x5ca1ab1e0ddba11ULL)

#define __SPIN_BEGIN	".globl	bank_spin_begin\nbank_spin_begin:\n\t"
#define __SPIN_END	".globl	bank_spin_end\nbank_spin_end:\n"

#define BANK_SPIN
#if defined(__x86_64__)
/* xmm7 holds the mark as well. */
#define BANK_SPIN_CODE \
	"movq	%[mark], %%r12\n\t" \
	"movq	%%r12, %%xmm7\n\t" \
	"xorl	%%ebx, %%ebx\n" \
	__SPIN_BEGIN \
	"incq	%%rbx\n\t" \
	"movq	%%rbx, (%[spin])\n\t" \
	"testb	%%bl, %%bl\n\t" \
	"jnz	bank_spin_begin\n\t" \
	"movl	%[yield], %%eax\n\t" \
	"syscall\n\t" \
	"jmp	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"rax", "rbx", "rcx", "r11", "r12", "xmm7"
#define BANK_SPIN_COUNT		5
#define BANK_SPIN_KEEP		3
#elif defined(__i386__)
#define BANK_SPIN_CODE \
	"movl	%[mark], %%edi\n\t" \
	"xorl	%%ebx, %%ebx\n" \
	__SPIN_BEGIN \
	"incl	%%ebx\n\t" \
	"movl	%%ebx, (%[spin])\n\t" \
	"testb	%%bl, %%bl\n\t" \
	"jnz	bank_spin_begin\n\t" \
	"movl	%[yield], %%eax\n\t" \
	"int	$0x80\n\t" \
	"jmp	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"eax", "ebx", "edi"
#define BANK_SPIN_COUNT		0
#define BANK_SPIN_KEEP		4
#elif defined(__aarch64__)
#define BANK_SPIN_CODE \
	"mov	x20, %[mark]\n\t" \
	"mov	x19, #0\n" \
	__SPIN_BEGIN \
	"add	x19, x19, #1\n\t" \
	"str	x19, [%[spin]]\n\t" \
	"tst	x19, #255\n\t" \
	"b.ne	bank_spin_begin\n\t" \
	"mov	x8, %[yield]\n\t" \
	"svc	#0\n\t" \
	"b	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"x0", "x8", "x19", "x20", "cc"
#define BANK_SPIN_COUNT		19
#define BANK_SPIN_KEEP		20
#elif defined(__arm__)
/* r7 may be the frame pointer. */
#define BANK_SPIN_CODE \
	"mov	r5, %[mark]\n\t" \
	"mov	r4, #0\n" \
	__SPIN_BEGIN \
	"add	r4, r4, #1\n\t" \
	"str	r4, [%[spin]]\n\t" \
	"tst	r4, #255\n\t" \
	"bne	bank_spin_begin\n\t" \
	"mov	r6, r7\n\t" \
	"mov	r7, %[yield]\n\t" \
	"svc	#0\n\t" \
	"mov	r7, r6\n\t" \
	"b	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"r0", "r4", "r5", "r6", "cc"
#define BANK_SPIN_COUNT		4
#define BANK_SPIN_KEEP		5
#elif defined(__powerpc64__)
#define BANK_SPIN_CODE \
	"mr	16, %[mark]\n\t" \
	"li	15, 0\n" \
	__SPIN_BEGIN \
	"addi	15, 15, 1\n\t" \
	"std	15, 0(%[spin])\n\t" \
	"andi.	0, 15, 255\n\t" \
	"bne	bank_spin_begin\n\t" \
	"li	0, %[yield]\n\t" \
	"sc\n\t" \
	"b	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"r0", "r3", "r4", "r5", "r6", "r7", "r8", "r9", \
				"r10", "r11", "r12", "r15", "r16", "cr0", \
				"ctr", "xer"
#define BANK_SPIN_POINTER	"b"
#define BANK_SPIN_COUNT		15
#define BANK_SPIN_KEEP		16
#elif defined(__riscv) && __riscv_xlen == 64
#define BANK_SPIN_CODE \
	"mv	s3, %[mark]\n\t" \
	"li	s2, 0\n" \
	__SPIN_BEGIN \
	"addi	s2, s2, 1\n\t" \
	"sd	s2, 0(%[spin])\n\t" \
	"andi	t0, s2, 255\n\t" \
	"bnez	t0, bank_spin_begin\n\t" \
	"li	a7, %[yield]\n\t" \
	"ecall\n\t" \
	"j	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"a0", "a7", "t0", "s2", "s3"
#define BANK_SPIN_COUNT		18
#define BANK_SPIN_KEEP		19
#elif defined(__s390x__)
#define BANK_SPIN_CODE \
	"lgr	%%r9, %[mark]\n\t" \
	"lghi	%%r8, 0\n" \
	__SPIN_BEGIN \
	"aghi	%%r8, 1\n\t" \
	"stg	%%r8, 0(%[spin])\n\t" \
	"tmll	%%r8, 255\n\t" \
	"jnz	bank_spin_begin\n\t" \
	"svc	%[yield]\n\t" \
	"j	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"r2", "r8", "r9", "cc"
#define BANK_SPIN_POINTER	"a"
#define BANK_SPIN_COUNT		10
#define BANK_SPIN_KEEP		11
#elif defined(__mips__) && _MIPS_SIM == _ABI64
#define BANK_SPIN_CODE \
	"move	$17, %[mark]\n\t" \
	"move	$16, $0\n" \
	__SPIN_BEGIN \
	"daddiu	$16, $16, 1\n\t" \
	"sd	$16, 0(%[spin])\n\t" \
	"andi	$8, $16, 255\n\t" \
	"bnez	$8, bank_spin_begin\n\t" \
	"li	$2, %[yield]\n\t" \
	"syscall\n\t" \
	"b	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"$2", "$3", "$7", "$8", "$9", "$10", "$11", \
				"$12", "$13", "$14", "$15", "$16", "$17", \
				"$24", "$25", "hi", "lo"
#define BANK_SPIN_COUNT		16
#define BANK_SPIN_KEEP		17
#elif defined(__m68k__)
#define BANK_SPIN_CODE \
	"move.l	%[mark], %%d3\n\t" \
	"clr.l	%%d2\n" \
	__SPIN_BEGIN \
	"addq.l	#1, %%d2\n\t" \
	"move.l	%%d2, (%[spin])\n\t" \
	"tst.b	%%d2\n\t" \
	"jne	bank_spin_begin\n\t" \
	"move.l	%[yield], %%d0\n\t" \
	"trap	#0\n\t" \
	"jra	bank_spin_begin\n" \
	__SPIN_END
#define BANK_SPIN_CLOBBERS	"d0", "d2", "d3", "cc"
#define BANK_SPIN_POINTER	"a"
#define BANK_SPIN_COUNT		1
#define BANK_SPIN_KEEP		2
#else
#undef BANK_SPIN
#endif

#ifndef BANK_SPIN_POINTER
#define BANK_SPIN_POINTER	"r"
#endif

#ifdef BANK_SPIN
extern const char bank_spin_begin[], bank_spin_end[];
#endif

#endif /* SNAPSHOT_SPIN_H */
