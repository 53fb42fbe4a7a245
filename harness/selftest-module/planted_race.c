// SPDX-License-Identifier: GPL-2.0-only
/*
 * planted_race: two kernel threads write one variable without any order, for
 * a while, to see whether a data race fails a run. Loading it returns when they
 * are done.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>

static unsigned long planted_value;

static noinline int planted_writer(void *data)
{
	unsigned long end = jiffies + 20 * HZ;

	while (!kthread_should_stop()) {
		if (time_before(jiffies, end))
			planted_value++;
		cond_resched();
	}
	return 0;
}

static int __init planted_init(void)
{
	struct task_struct *one, *two;

	one = kthread_run(planted_writer, NULL, "planted-1");
	if (IS_ERR(one))
		return PTR_ERR(one);
	two = kthread_run(planted_writer, NULL, "planted-2");
	if (!IS_ERR(two)) {
		msleep(8 * MSEC_PER_SEC);
		kthread_stop(two);
	}
	kthread_stop(one);
	return PTR_ERR_OR_ZERO(two);
}
module_init(planted_init);

static void __exit planted_exit(void)
{
}
module_exit(planted_exit);

MODULE_DESCRIPTION("A data race for the tests of the harness");
MODULE_LICENSE("GPL");
