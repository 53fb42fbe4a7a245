/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One task and its sleeps: an interrupt on its own CPU wakes it without pi_lock, and a job control
 * stop ends with its SIGCONT only.
 */
#define NT	1
#define NC	3
#define OPS	2
#define DO_SLF
#define DO_STOP
#define DO_IRQ
#include "engine.h"

proctype Freezer(byte c)
{
	byte m, st, how, at;

	freeze_and_thaw(c, 0, 0);
	freeze_and_thaw(c, 0, 0)
}

init {
	atomic {
		linked[0] = 1;
		run Task(0);
		run Freezer(1);
		run Relook(2);
		run Waker(NC);
		run Buffers();
		run Judge()
	}
}
