// SPDX-License-Identifier: MIT
/*
 * sandbox.c - a user, mount, PID and network namespace for a whole test program
 *
 * Done once and early because a process with a second thread, which Criterion's
 * workers have, may not enter a new user namespace. As root of this one they can
 * make network namespaces as they like. The PID namespace ends every program that a
 * crashed test left behind.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the environment, since Criterion's workers are started anew. */
#define SECOND_USER 1879048193u /* beyond the range of any distribution */

#define ENTERED "MPTCPADDR_TEST_SANDBOX"

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

/*
 * As root, map a second user, who owns nothing on this machine, to user 1. A process
 * outside must do it: a child, once it can read from @go.
 */
static _Noreturn void map_two(pid_t pid, int go)
{
	char path[64], text[2], line[64];

	if (read(go, text, 1) != 1)
		_exit(1);
	snprintf(line, sizeof(line), "0 0 1\n1 %u 1", SECOND_USER);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	if (put(path, line) < 0)
		_exit(1);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	_exit(put(path, line) < 0);
}

/* To be called before unshare(). Return: the process that map_ids() waits for; -errno. */
static pid_t mapper_start(int *ret_go)
{
	pid_t self = getpid(), pid;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		map_two(self, ends[0]);
	}
	close(ends[0]);
	*ret_go = ends[1];
	return pid < 0 ? -errno : pid;
}

/* Return: whether the IDs are mapped now. */
static bool mapper_end(pid_t pid, int go)
{
	int status = -1;

	if (pid < 0)
		return false;
	if (write(go, "", 1) != 1)
		status = -1;
	close(go);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static int map_ids(uid_t uid, gid_t gid)
{
	char line[64];
	int r;

	r = put("/proc/self/setgroups", "deny");
	if (r < 0)
		return r;
	snprintf(line, sizeof(line), "0 %u 1", uid);
	r = put("/proc/self/uid_map", line);
	if (r < 0)
		return r;
	snprintf(line, sizeof(line), "0 %u 1", gid);
	return put("/proc/self/gid_map", line);
}

/* Exit as the child @pid does; until then, reap orphans as PID 1. */
static _Noreturn void follow(pid_t pid)
{
	int status;
	pid_t ended;

	for (;;) {
		ended = wait(&status);
		if (ended < 0 && errno != EINTR)
			_exit(125);
		if (ended != pid)
			continue;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
}

/*
 * Criterion names its socket in /tmp after its PID. Ours starts anew at 1, so two test
 * programs that run at once would share it: give the next process of this PID namespace
 * a number that no other namespace has.
 */
static void choose_pid(void)
{
	struct stat st = { 0 };
	char line[16];

	stat("/proc/self/ns/pid", &st);
	snprintf(line, sizeof(line), "%u", 300 + (unsigned int)st.st_ino % 32000);
	put("/proc/sys/kernel/ns_last_pid", line);
}

/* Returns in the child only. */
static int go_on_in_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0)
		follow(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

int sandbox_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t mapper = -EPERM;
	int r, go = -1;

	if (uid == 0 && gid == 0)
		mapper = mapper_start(&go);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) < 0)
		return -errno;
	r = mapper_end(mapper, go) ? 0 : map_ids(uid, gid);
	if (r < 0)
		return r;

	r = go_on_in_child();
	if (r < 0)
		return r;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0 ||
	    /* Hide the pools of this machine. */
	    (mount("tmpfs", "/etc/mptcpaddr", "tmpfs", 0, NULL) < 0 && errno != ENOENT)) {
		perror("sandbox: mount");
		_exit(125);
	}
	choose_pid();
	r = go_on_in_child(); /* the first child stays PID 1 */
	if (r < 0)
		return r;
	return setenv(ENTERED, "1", 1) < 0 ? -errno : 0;
}

bool sandbox_entered(void)
{
	return getenv(ENTERED);
}

void sandbox_own_run(void)
{
	static bool done; /* in the process of this test */

	if (done)
		return;
	done = true;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") < 0)
		perror("sandbox: /run");
}
