// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of the container freezer's functions for checkpoint code, for the
 * selftests: "begin PID" and "end PID", written to
 * /sys/kernel/debug/test_cgroup_freezer, call the function of that name with the
 * process PID. The write fails with the error of the function.
 *
 * A process that has ended can still be named, as a checkpoint ends after its
 * victim was killed: the one of the last "begin" is kept.
 */

#include <linux/cgroup_freezer.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

static struct dentry *test_file;

/* The last one that began, under test_lock. */
static struct task_struct *test_task;
static pid_t test_pid;
static DEFINE_MUTEX(test_lock);

static struct task_struct *test_get_task(pid_t nr)
{
	struct task_struct *task;
	struct pid *pid;

	if (test_task && test_pid == nr)
		return get_task_struct(test_task);

	pid = find_get_pid(nr);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	return task;
}

static void test_keep_task(struct task_struct *task, pid_t nr)
{
	if (test_task)
		put_task_struct(test_task);
	test_task = task ? get_task_struct(task) : NULL;
	test_pid = nr;
}

static ssize_t test_write(struct file *file, const char __user *ubuf,
			  size_t count, loff_t *ppos)
{
	struct task_struct *task;
	char buf[32], cmd[8];
	int ret = 0;
	pid_t nr;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	buf[count] = 0;
	if (sscanf(buf, "%7s %d", cmd, &nr) != 2)
		return -EINVAL;

	mutex_lock(&test_lock);
	task = test_get_task(nr);
	if (!task) {
		ret = -ESRCH;
	} else if (!strcmp(cmd, "begin")) {
		ret = cgroup_freezer_begin_checkpoint(task);
		if (!ret)
			test_keep_task(task, nr);
	} else if (!strcmp(cmd, "end")) {
		cgroup_freezer_end_checkpoint(task);
		test_keep_task(NULL, 0);
	} else {
		ret = -EINVAL;
	}
	if (task)
		put_task_struct(task);
	mutex_unlock(&test_lock);

	return ret ?: count;
}

static const struct file_operations test_fops = {
	.owner	= THIS_MODULE,
	.write	= test_write,
	.llseek	= noop_llseek,
};

static int __init test_init(void)
{
	test_file = debugfs_create_file("test_cgroup_freezer", 0200, NULL,
					NULL, &test_fops);
	return PTR_ERR_OR_ZERO(test_file);
}
module_init(test_init);

static void __exit test_exit(void)
{
	debugfs_remove(test_file);
	test_keep_task(NULL, 0);
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test of the container freezer's checkpoint guard");
MODULE_LICENSE("GPL");
