// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking system calls: pipes, FIFOs and the splice family.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "syscall_table.h"

#define LARGE	(200 << 10)

static long call_read(struct sc *s)
{
	char buf[64] = "";
	long ret = sc_ret(read(s->fd[0], buf, sizeof(buf)));

	return ret == 1 && buf[0] != 'a' ? SC_TORN : ret;
}

static long call_readv(struct sc *s)
{
	char a, b;
	struct iovec iov[] = { { &a, 1 }, { &b, 1 } };

	return sc_ret(readv(s->fd[0], iov, 2));
}

/* The process has the writing end open as well, so drop it first. */
static long call_read_eof(struct sc *s)
{
	close(s->fd[1]);
	return call_read(s);
}

static void hang_up(struct sc *s)
{
	close(s->fd[1]);
	s->fd[1] = -1;
}

static void hang_up_reader(struct sc *s)
{
	close(s->fd[0]);
	s->fd[0] = -1;
}

static long call_write(struct sc *s)
{
	return sc_ret(write(s->fd[1], "x", 1));
}

static long call_write_epipe(struct sc *s)
{
	close(s->fd[0]);
	signal(SIGPIPE, SIG_IGN);
	return call_write(s);
}

static long call_write_large(struct sc *s)
{
	static char buf[LARGE];

	return sc_ret(write(s->fd[1], buf, sizeof(buf)));
}

static long call_writev(struct sc *s)
{
	static char buf[LARGE / 2];
	struct iovec iov[] = { { buf, sizeof(buf) }, { buf, sizeof(buf) } };

	return sc_ret(writev(s->fd[1], iov, 2));
}

static int prep_packet(struct sc *s)
{
	return pipe2(s->fd, O_DIRECT | O_CLOEXEC) ? -errno : 0;
}

static int prep_fifo(struct sc *s)
{
	sc_prep_path(s);
	return mkfifo(s->path, 0600) ? -errno : 0;
}

static long call_open(struct sc *s)
{
	return open(s->path, s->c->arg[0]) < 0 ? -errno : 0;
}

/* O_RDWR would satisfy both, and so it does here. */
static void open_other(struct sc *s)
{
	s->fd[2] = open(s->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int prep_fifo_open(struct sc *s)
{
	int err = prep_fifo(s);

	if (err)
		return err;
	s->fd[0] = open(s->path, O_RDWR | O_CLOEXEC);
	s->fd[1] = open(s->path, O_RDWR | O_CLOEXEC);
	return s->fd[0] < 0 || s->fd[1] < 0 ? -errno : 0;
}

static int prep_fifo_full(struct sc *s)
{
	int err = prep_fifo_open(s);

	return err ? err : sc_fill(s->fd[1]);
}

/* A second pipe in fd[2] and fd[3]. */
static int prep_two(struct sc *s)
{
	int err = sc_prep_pipe(s);

	if (err)
		return err;
	return pipe2(s->fd + 2, O_CLOEXEC) ? -errno : 0;
}

/* From the second into the first one, which is full. */
static int prep_two_full(struct sc *s)
{
	int err = prep_two(s);

	if (err)
		return err;
	if (write(s->fd[3], "abcd", 4) != 4)
		return -errno;
	return sc_fill(s->fd[1]);
}

static int prep_stream_pipe(struct sc *s)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->fd))
		return -errno;
	return pipe2(s->fd + 2, O_CLOEXEC) ? -errno : 0;
}

static int prep_stream_full(struct sc *s)
{
	int err = prep_stream_pipe(s);

	if (err)
		return err;
	if (write(s->fd[3], "abcd", 4) != 4)
		return -errno;
	return sc_fill(s->fd[1]);
}

/*
 * Until Linux 6.4 a splice to a full socket may find place for its page in the
 * last message that is queued there. Take all of these places.
 */
static int prep_splice_full(struct sc *s)
{
	int err = prep_stream_full(s), flags = fcntl(s->fd[1], F_GETFL);

	fcntl(s->fd[1], F_SETFL, flags | O_NONBLOCK);
	while (!err && splice(s->fd[2], NULL, s->fd[1], NULL, 4,
			      SPLICE_F_NONBLOCK) == 4) {
		if (write(s->fd[3], "abcd", 4) != 4)
			err = -errno;
	}
	fcntl(s->fd[1], F_SETFL, flags);
	return err;
}

static long call_splice_in(struct sc *s)
{
	return sc_ret(splice(s->fd[0], NULL, s->fd[3], NULL, 4096, 0));
}

static long call_splice_out(struct sc *s)
{
	return sc_ret(splice(s->fd[2], NULL, s->fd[1], NULL, 4, 0));
}

static long call_tee_in(struct sc *s)
{
	return sc_ret(tee(s->fd[0], s->fd[3], 4096, 0));
}

static long call_tee_out(struct sc *s)
{
	return sc_ret(tee(s->fd[2], s->fd[1], 4, 0));
}

static long call_vmsplice(struct sc *s)
{
	struct iovec iov = { s->buf, 16 };

	return sc_ret(vmsplice(s->fd[1], &iov, 1, 0));
}

/* A file of LARGE bytes beside what is there. */
static int add_file(struct sc *s)
{
	s->fd[4] = memfd_create("syscall_test", MFD_CLOEXEC);
	return s->fd[4] < 0 || ftruncate(s->fd[4], LARGE) ? -errno : 0;
}

static int prep_sendfile_pipe(struct sc *s)
{
	int err = sc_prep_pipe_full(s);

	return err ? err : add_file(s);
}

static int prep_sendfile_stream(struct sc *s)
{
	int err = prep_stream_full(s);

	return err ? err : add_file(s);
}

static long call_sendfile(struct sc *s)
{
	return sc_ret(sendfile(s->fd[1], s->fd[4], NULL, s->c->arg[0]));
}

static long call_splice_file(struct sc *s)
{
	return sc_ret(splice(s->fd[4], NULL, s->fd[1], NULL, 4096, 0));
}

/* What is read is there, what is written goes where nothing is. */
#define READ(text, prep, fn, ...) \
	{ text, prep, fn, .end = sc_put, .queue = sc_queue, .fed = 1, \
	  .want = 1, __VA_ARGS__ }
#define FULL(text, prep, fn, result, ...) \
	{ text, prep, fn, .end = sc_drain, .queue = sc_queue, .fed = 0, \
	  .want = result, .flags = SC_REPEAT, __VA_ARGS__ }

static const struct sc_case cases[] = {
	READ("pipe read", sc_prep_pipe, call_read),
	READ("pipe readv", sc_prep_pipe, call_readv),
	{ "pipe read until the end", sc_prep_pipe, call_read_eof,
	  .end = hang_up },
	READ("pipe read of packets", prep_packet, call_read),
	{ "pipe read, interrupted", sc_prep_pipe, call_read, .end = sc_signal,
	  .want = -EINTR },
	FULL("pipe write", sc_prep_pipe_full, call_write, 1),
	FULL("pipe write, large", sc_prep_pipe, call_write_large, LARGE),
	FULL("pipe writev, large", sc_prep_pipe, call_writev, LARGE),
	{ "pipe write without a reader", sc_prep_pipe_full, call_write_epipe,
	  .end = hang_up_reader, .want = -EPIPE },
	{ "FIFO open for reading", prep_fifo, call_open, .end = open_other,
	  .arg = { O_RDONLY } },
	{ "FIFO open for writing", prep_fifo, call_open, .end = open_other,
	  .arg = { O_WRONLY } },
	READ("FIFO read", prep_fifo_open, call_read),
	FULL("FIFO write", prep_fifo_full, call_write, 1),
	FULL("FIFO write, large", prep_fifo_open, call_write_large, LARGE),
	READ("splice from a pipe", prep_two, call_splice_in),
	FULL("splice to a pipe", prep_two_full, call_splice_out, 4),
	READ("splice from a socket", prep_stream_pipe, call_splice_in,
	     .unfed = SC_ASLEEP),
	FULL("splice to a socket", prep_splice_full, call_splice_out, 4,
	     .unfed = SC_ASLEEP),
	READ("tee from a pipe", prep_two, call_tee_in),
	FULL("tee to a pipe", prep_two_full, call_tee_out, 4),
	FULL("vmsplice", sc_prep_pipe_full, call_vmsplice, 16),
	FULL("splice from a file", prep_sendfile_pipe, call_splice_file, 4096),
	FULL("sendfile to a pipe", prep_sendfile_pipe, call_sendfile, 4096,
	     .arg = { 4096 }),
	FULL("sendfile to a socket, large", prep_sendfile_stream,
	     call_sendfile, LARGE, .arg = { LARGE }),
};

SC_TOPIC(sc_pipe, cases);
