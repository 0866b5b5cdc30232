// SPDX-License-Identifier: MIT
/*
 * proc.c - run programs on a host, read what they print, end them in every case
 *
 * Output goes to memory files: a program never blocks on a pipe that the test does
 * not read, and everything it said can be looked at again. Each program leads a
 * process group, which is killed at the end, and dies with the test by PDEATHSIG.
 */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "until.h"
#include "world.h"

static _Noreturn void become(const struct proc *p, int in, pid_t parent,
			     const char *const argv[], const char *const env[])
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* the parent died before prctl() */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (; env && *env; env++)
		putenv((char *)*env);
	if (dup2(in, 0) < 0 || dup2(p->out, 1) < 0 || dup2(p->err, 2) < 0)
		_exit(127);
	close_range(3, ~0U, 0); /* Criterion's own descriptors */
	execvp(argv[0], (char *const *)argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int proc_start(struct proc *ret, const struct host *host, const char *const argv[],
	       const char *const env[])
{
	struct proc p = { .pidfd = -1, .in = -1, .out = -1, .err = -1 };
	pid_t self = getpid();
	int pipefd[2], r = 0;

	if (host)
		r = host_enter(host);
	if (r < 0)
		return r;
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return -errno;
	p.in = pipefd[1];
	p.out = memfd_create("out", MFD_CLOEXEC);
	p.err = memfd_create("err", MFD_CLOEXEC);
	/* O_APPEND: children of the program share the file but not one offset each. */
	if (p.out < 0 || p.err < 0 || fcntl(p.out, F_SETFL, O_APPEND) < 0 ||
	    fcntl(p.err, F_SETFL, O_APPEND) < 0)
		r = -errno;
	if (!r) {
		p.pid = fork();
		if (p.pid == 0)
			become(&p, pipefd[0], self, argv, env);
		if (p.pid < 0)
			r = -errno;
	}
	close(pipefd[0]);
	if (!r) {
		setpgid(p.pid, p.pid);
		p.pidfd = syscall(SYS_pidfd_open, p.pid, 0);
		if (p.pidfd < 0)
			r = -errno;
	}
	if (r < 0)
		proc_end(&p);
	else
		*ret = p;
	return r;
}

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int proc_wait(struct proc *p, int timeout_ms)
{
	struct pollfd pfd = { .fd = p->pidfd, .events = POLLIN };

	if (p->pid > 0) {
		if (poll(&pfd, 1, timeout_ms) <= 0)
			return -ETIMEDOUT;
		if (waitpid(p->pid, &p->status, 0) < 0)
			return -errno;
		kill(-p->pid, SIGKILL); /* its remaining children */
		p->pid = 0;
	}
	return exit_code(p->status);
}

static void close_one(int *fd)
{
	if (*fd > 2) /* a struct of zeros was never started */
		close(*fd);
	*fd = -1;
}

void proc_end(struct proc *p)
{
	if (p->pid > 0) {
		kill(-p->pid, SIGKILL);
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &p->status, 0);
		p->pid = 0;
	}
	close_one(&p->pidfd);
	close_one(&p->in);
	close_one(&p->out);
	close_one(&p->err);
}

int proc_tell(struct proc *p, const char *line)
{
	return dprintf(p->in, "%s\n", line) < 0 ? -errno : 0;
}

void proc_eof(struct proc *p)
{
	close_one(&p->in);
}

static char *text_of(int fd)
{
	struct stat st = { 0 };
	char *text;
	ssize_t n;

	if (fd >= 0)
		fstat(fd, &st);
	text = malloc(st.st_size + 1);
	if (!text)
		abort();
	n = fd >= 0 ? pread(fd, text, st.st_size, 0) : 0;
	text[n > 0 ? n : 0] = '\0';
	return text;
}

char *proc_output(const struct proc *p)
{
	return text_of(p->out);
}

char *proc_errors(const struct proc *p)
{
	return text_of(p->err);
}

static bool take_and_search(char *all, const char *text)
{
	const bool found = strstr(all, text);

	free(all);
	return found;
}

bool proc_said(const struct proc *p, const char *text)
{
	return take_and_search(proc_output(p), text);
}

bool proc_complained(const struct proc *p, const char *text)
{
	return take_and_search(proc_errors(p), text);
}

int proc_run(const struct host *host, const char *input, const char *const argv[])
{
	struct proc p;
	char *errors;
	int r;

	r = proc_start(&p, host, argv, NULL);
	if (r < 0)
		return r;
	if (input && write(p.in, input, strlen(input)) < 0)
		fprintf(stderr, "%s: no input taken: %s\n", argv[0], strerror(errno));
	proc_eof(&p);
	r = proc_wait(&p, EFFECT_MS);
	if (r) {
		errors = proc_errors(&p);
		fprintf(stderr, "%s: ended with %d: %s", argv[0], r, errors);
		free(errors);
	}
	proc_end(&p);
	return r;
}

const char *built(const char *name, char *buf, int size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	/* Test programs are in B/tests/. */
	self[n > 0 ? n : 0] = '\0';
	for (int up = 0; up < 2; up++) {
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
	}
	snprintf(buf, size, "%s/%s", self, name);
	return buf;
}
