// SPDX-License-Identifier: MIT
/*
 * users.c - run a program in namespaces of its own that have several users
 *
 * The sandbox of the other tests has root alone, which is all that an ordinary user may
 * set up; setuid takes two. Where the caller is root, this makes the same namespaces
 * (tests/lib/sandbox.h) with 65536 users. Where not, the program starts without, and
 * goes into the small sandbox by itself.
 */
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

static int put(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd, r;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return r;
}

static _Noreturn void follow(pid_t pid)
{
	int status = 0;
	pid_t ended;

	while ((ended = wait(&status)) != pid)
		if (ended < 0 && errno != EINTR)
			_exit(125);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/*
 * Criterion names its socket in /tmp after its PID: give the next process of this PID
 * namespace a number that no other namespace has.
 */
static void choose_pid(void)
{
	struct stat st = { 0 };
	FILE *f = fopen("/proc/sys/kernel/ns_last_pid", "we");

	stat("/proc/self/ns/pid", &st);
	if (f) {
		fprintf(f, "%u", 300 + (unsigned int)st.st_ino % 32000);
		fclose(f);
	}
}

/* A child that has all of it; its parent, outside, is who may map the users. */
static _Noreturn void inside(int mapped, char **argv)
{
	pid_t pid;
	char c;

	if (read(mapped, &c, 1) != 1 || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		_exit(125);
	close(mapped);
	pid = fork(); /* the first process of the PID namespace reaps the others */
	if (pid)
		follow(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") ||
	    (mount("tmpfs", "/etc/mptcpaddr", "tmpfs", 0, "mode=0755") &&
	     errno != ENOENT)) {
		perror("users: mount");
		_exit(125);
	}
	choose_pid();
	pid = fork(); /* its number is the chosen one */
	if (pid)
		follow(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("MPTCPADDR_TEST_SANDBOX", "1", 1);
	setenv("MPTCPADDR_TEST_USERS", "1", 1);
	execv(argv[0], argv);
	_exit(127);
}

static _Noreturn void enter(int ready, int mapped, char **argv)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) ||
	    write(ready, "r", 1) != 1)
		_exit(125);
	close(ready);
	pid = fork();
	if (!pid)
		inside(mapped, argv);
	close(mapped);
	follow(pid);
}

int main(int argc, char *argv[])
{
	int ready[2], mapped[2];
	pid_t pid;
	char c;

	if (argc < 2)
		return 2;
	if (geteuid() != 0 || pipe2(ready, O_CLOEXEC) || pipe2(mapped, O_CLOEXEC)) {
		execv(argv[1], argv + 1);
		return 127;
	}
	pid = fork();
	if (!pid) {
		close(mapped[1]);
		enter(ready[1], mapped[0], argv + 1);
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &c, 1) == 1 &&
	    put(pid, "uid_map", "0 0 65536") == 0 &&
	    put(pid, "gid_map", "0 0 65536") == 0) {
		if (write(mapped[1], "m", 1) != 1)
			return 125;
		follow(pid);
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	execv(argv[1], argv + 1);
	return 127;
}
