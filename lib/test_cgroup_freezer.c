// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of the kernel for the selftests of the container freezer.
 *
 * Calls of its functions for checkpoint code: "begin PID" and "end PID", written
 * to /sys/kernel/debug/test_cgroup_freezer, call the function of that name with
 * the process PID. The write fails with the error of the function. A process that
 * has ended can still be named, as a checkpoint ends after its victim was killed:
 * the one of the last "begin" is kept.
 *
 * A sleep with a lock held, as network file systems have it: a read of
 * /sys/kernel/debug/test_cgroup_freezer_sleep takes a mutex and, while "shut" was
 * the last word that was written to the file, sleeps in TASK_FREEZABLE_UNSAFE
 * until somebody writes "open".
 */

#include <linux/cgroup_freezer.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

static struct dentry *test_file, *test_sleep_file;

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

static bool test_shut;
static DEFINE_MUTEX(test_sleep_lock);
static DECLARE_WAIT_QUEUE_HEAD(test_sleep_wait);

static ssize_t test_sleep_read(struct file *file, char __user *ubuf,
			       size_t count, loff_t *ppos)
{
	int ret;

	ret = mutex_lock_killable(&test_sleep_lock);
	if (ret)
		return ret;
	ret = wait_event_state(test_sleep_wait, !READ_ONCE(test_shut),
			       (TASK_KILLABLE | TASK_FREEZABLE_UNSAFE));
	mutex_unlock(&test_sleep_lock);

	return ret;
}

static ssize_t test_sleep_write(struct file *file, const char __user *ubuf,
				size_t count, loff_t *ppos)
{
	char buf[8];

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	buf[count] = 0;

	if (sysfs_streq(buf, "shut"))
		WRITE_ONCE(test_shut, true);
	else if (sysfs_streq(buf, "open"))
		WRITE_ONCE(test_shut, false);
	else
		return -EINVAL;
	wake_up_all(&test_sleep_wait);

	return count;
}

static const struct file_operations test_sleep_fops = {
	.owner	= THIS_MODULE,
	.read	= test_sleep_read,
	.write	= test_sleep_write,
	.llseek	= noop_llseek,
};

static int __init test_init(void)
{
	test_file = debugfs_create_file("test_cgroup_freezer", 0200, NULL,
					NULL, &test_fops);
	test_sleep_file = debugfs_create_file("test_cgroup_freezer_sleep", 0600,
					      NULL, NULL, &test_sleep_fops);
	return PTR_ERR_OR_ZERO(test_file);
}
module_init(test_init);

static void __exit test_exit(void)
{
	debugfs_remove(test_sleep_file);
	debugfs_remove(test_file);
	test_keep_task(NULL, 0);
}
module_exit(test_exit);

MODULE_DESCRIPTION("Helpers of the container freezer's selftests");
MODULE_LICENSE("GPL");
