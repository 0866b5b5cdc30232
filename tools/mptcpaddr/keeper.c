// SPDX-License-Identifier: MIT
/*
 * keeper.c - receive the reported calls of supervised programs
 *
 * socket() is served here: an MPTCP socket gets the number that the program's would have
 * had. connect() and listen() on MPTCP sockets, and options that MPTCP lacks, go to the
 * program's stand-in. Whatever fails here, the kernel makes the program's own call.
 *
 * If all listeners of a filter end, the kernel answers ENOSYS. So the guard takes over
 * from a killed keeper, and makes a new guard.
 */
#include "command.h"
#include "shim/common/clock.h"
#include "shim/preload/mode.h"
#include "shim/preload/register.h"
#include "supervise.h"
#include "tools/common/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#define SYNC_WAKE_UP 1

/* A sticky socket is one of ours: the program takes it for TCP. */
#define SOCKET_MODE (S_IRWXU | S_IRWXG | S_IRWXO | S_ISVTX)

/*
 * Of tasks; stand-ins have CTL_STAND_IN. Whoever kills all processes of that name, as
 * "pkill mptcpaddr" does, means the tool, and not the program that needs a guard.
 */
#define NAME_KEEPER "mptcpaddr-keep"
#define NAME_GUARD  "socket-guard"

#define STAND_INS_MAX 64
#define SENT_MAX      512 /* calls on their way to a stand-in: more than its queue holds */
#define START_MS      10000
#define NOTIF_SIZE    4096 /* a later kernel's may be longer than ours */
#define FORGET_MS     2000 /* then a program without a pool is asked again */

struct stand_in {
	int channel; /* -1: a program without MPTCP needs none */
	enum mode mode;
	int64_t since_ms;
	struct tracee of;
	uint64_t sent[SENT_MAX];
	unsigned int n_sent;
};

static struct keeper {
	int listener, guard;	       /* a pidfd */
	struct seccomp_notif *current; /* also in the guard's memory; id 0: none */
	struct stand_in stand_ins[STAND_INS_MAX];
	unsigned int n;
	char *title; /* what ps shows of us, and "pkill -f" sees */
	size_t title_size;
} keeper;

void call_continue(int listener, uint64_t id)
{
	struct seccomp_notif_resp answer = { .id = id,
					     .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void set_title(const char *name)
{
	memset(keeper.title, 0, keeper.title_size);
	memcpy(keeper.title, name, strnlen(name, keeper.title_size - 1));
	prctl(PR_SET_NAME, name);
}

/* What it had may be answered already: that does no harm. */
static void drop_stand_in(unsigned int i)
{
	struct stand_in *s = &keeper.stand_ins[i];
	unsigned int k;

	for (k = 0; s->channel >= 0 && k < SENT_MAX && k < s->n_sent; k++)
		call_continue(keeper.listener, s->sent[k]);
	if (s->channel >= 0)
		close(s->channel);
	memmove(s, s + 1, (--keeper.n - i) * sizeof(*s));
}

static bool has_mptcp(const struct stand_in *s)
{
	return s->mode == MODE_POOL || s->mode == MODE_PLAIN;
}

static struct stand_in *find_stand_in(const struct tracee *of)
{
	struct stand_in *s;
	unsigned int i;

	for (i = 0; i < keeper.n; i++) {
		s = &keeper.stand_ins[i];
		if (memcmp(&s->of, of, offsetof(struct tracee, uid)) != 0)
			continue;
		if (s->mode == MODE_POOL || clock_ms() - s->since_ms < FORGET_MS)
			return s;
		drop_stand_in(i);
		return NULL;
	}
	return NULL;
}

static void close_stand_ins(void)
{
	while (keeper.n)
		if (keeper.stand_ins[--keeper.n].channel >= 0)
			close(keeper.stand_ins[keeper.n].channel);
}

/* Return: the stand-in of this program; NULL: it cannot have one. */
static struct stand_in *get_stand_in(const struct tracee *of)
{
	struct stand_in *s = find_stand_in(of);
	struct pollfd fds = { .events = POLLIN };
	const struct timeval full = { 1, 0 }; /* for a burst of hundreds of calls */
	unsigned char mode = MODE_OFF;
	int pair[2];

	if (s || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return s;
	if (keeper.n == STAND_INS_MAX)
		drop_stand_in(0); /* it stays as long as it has connections */
	if (fork() == 0) {
		close(pair[0]);
		close_stand_ins();
		set_title(CTL_STAND_IN);
		stand_in_run(keeper.listener, pair[1], of);
	}
	close(pair[1]);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &full, sizeof(full));
	fds.fd = pair[0];
	s = &keeper.stand_ins[keeper.n++];
	*s = (struct stand_in){ .channel = pair[0], .of = *of, .since_ms = clock_ms() };
	if (poll(&fds, 1, START_MS) == 1 && read(pair[0], &mode, 1) == 1)
		s->mode = mode;
	if (!has_mptcp(s)) {
		close(s->channel);
		s->channel = -1;
	}
	return s;
}

static const struct {
	const char *name;
	/* Of socketcall(). <linux/net.h> and musl's headers exclude each other. */
	unsigned int number, n_args;
} calls[] = {
	[CALL_SOCKET] = { "socket", 1, 3 },
	[CALL_CONNECT] = { "connect", 3, 3 },
	[CALL_LISTEN] = { "listen", 4, 2 },
	[CALL_OPTION] = { "setsockopt", 14, 5 },
};

/* socketcall() has them in memory. Return: false: unreadable. */
static bool read_arguments(const struct seccomp_data *data, struct call *call)
{
	const bool wide = data->arch == seccomp_arch_native() && sizeof(long) == 8;
	const size_t size = calls[call->kind].n_args * (wide ? 8 : 4);
	uint64_t args[5];
	struct iovec to = { args, size };
	struct iovec from = { (void *)(uintptr_t)data->args[1], size };
	unsigned int i;

	if (process_vm_readv(call->tid, &to, 1, &from, 1, 0) != (ssize_t)size)
		return false;
	for (i = 0; i < calls[call->kind].n_args; i++)
		call->args[i] = wide ? args[i] : ((uint32_t *)args)[i];
	return true;
}

/* A call in any ABI. Return: false if it cannot be read. */
static bool read_call(const struct seccomp_notif *notif, struct call *ret)
{
	const struct seccomp_data *data = &notif->data;
	char *name = seccomp_syscall_resolve_num_arch(data->arch, data->nr);
	const bool muxed = name && !strcmp(name, "socketcall");
	int i;

	*ret = (struct call){ .id = notif->id,
			      .tid = notif->pid,
			      .nr = data->nr,
			      .from = data->instruction_pointer };
	for (i = 0; i < 5; i++)
		ret->args[i] = data->args[i];
	for (i = CALL_KINDS; i-- > 0;)
		if (muxed ? calls[i].number == data->args[0]
			  : name && !strcmp(name, calls[i].name))
			break;
	free(name);
	ret->kind = i;
	return notif->pid && i >= 0 && (!muxed || read_arguments(data, ret));
}

static bool is_tcp_socket(const long *args)
{
	const int family = args[0], type = args[1], protocol = args[2];

	return (family == AF_INET || family == AF_INET6) &&
	       (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM &&
	       (protocol == 0 || protocol == IPPROTO_TCP);
}

/* It opens them with this protocol, to ask TCP about options. Most programs say 0. */
static bool is_plain_of_library(const struct call *call)
{
	return (int)call->args[2] == IPPROTO_TCP &&
	       tracee_uses_library(call->tid, call->from);
}

/* Return: whether the program has it. */
static bool give_socket(const struct call *call)
{
	struct seccomp_notif_addfd add = { .id = call->id,
					   .flags = SECCOMP_ADDFD_FLAG_SEND };
	const long *args = call->args;
	const struct stand_in *s;
	struct tracee tracee;
	int fd;
	bool given;

	if (!is_tcp_socket(args) || is_plain_of_library(call) ||
	    !tracee_read(call->tid, &tracee) ||
	    ioctl(keeper.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) < 0)
		return false;
	s = get_stand_in(&tracee);
	if (!s || !has_mptcp(s))
		return false;
	fd = socket(args[0], args[1] | SOCK_CLOEXEC, IPPROTO_MPTCP);
	if (fd < 0)
		return false;
	fchmod(fd, SOCKET_MODE);
	/* As sock_diag and routing rules see it. */
	if (tracee.uid != geteuid() && fchown(fd, tracee.uid, -1) < 0) {
		close(fd);
		return false;
	}
	add.srcfd = fd;
	add.newfd_flags = args[1] & SOCK_CLOEXEC ? O_CLOEXEC : 0;
	given = ioctl(keeper.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0;
	close(fd);
	return given;
}

static bool is_given_socket(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_mode & S_ISVTX;
}

/* Go expects TCP, if its sockets are MPTCP for the sake of GODEBUG alone. */
static bool is_go_mptcp(const struct tracee *tracee)
{
	const char *at = tracee->env;

	while (at < tracee->env + tracee->env_len && strncmp(at, "GODEBUG=", 8) != 0)
		at += strlen(at) + 1;
	return strstr(at, "multipathtcp=1");
}

/* MPTCP sockets of the program's own have MPTCP's options. */
static bool is_for_stand_in(const struct call *call, struct tracee *ret_tracee)
{
	const int fd = tracee_copy_fd(call->tid, call->args[0]);
	bool is = fd >= 0 && register_is_mptcp(fd) &&
		  !tracee_uses_library(call->tid, call->from) &&
		  tracee_read(call->tid, ret_tracee);

	if (call->kind == CALL_OPTION)
		is = is && (is_given_socket(fd) || is_go_mptcp(ret_tracee));
	if (fd >= 0)
		close(fd);
	return is;
}

/* Return: whether a stand-in has the call. */
static bool pass_on(const struct call *call)
{
	struct stand_in *s = NULL;
	struct tracee tracee;

	if (is_for_stand_in(call, &tracee) &&
	    !ioctl(keeper.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id))
		s = get_stand_in(&tracee);
	if (!s || s->channel < 0)
		return false;
	s->sent[s->n_sent++ % SENT_MAX] = call->id;
	return send(s->channel, call, sizeof(*call), MSG_NOSIGNAL) > 0;
}

static void serve_call(void)
{
	struct seccomp_notif *notif = keeper.current;
	struct call call;
	bool served = false;

	if (ioctl(keeper.listener, SECCOMP_IOCTL_NOTIF_RECV, notif) < 0)
		return; /* the thread was killed meanwhile */
	if (read_call(notif, &call))
		served = call.kind == CALL_SOCKET ? give_socket(&call) : pass_on(&call);
	if (!served)
		call_continue(keeper.listener, notif->id);
	memset(notif, 0, sizeof(*notif)); /* as the kernel wants it */
}

/* The guard, until the keeper @of is killed. */
static void wait_for_keeper_death(pid_t of)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .fd = keeper.listener } };

	set_title(NAME_GUARD);
	setsid(); /* not in the keeper's process group: a signal may be for that */
	close_stand_ins();
	fds[0].fd = syscall(SYS_pidfd_open, of, 0);
	while (getppid() == of && !fds[0].revents && !fds[1].revents)
		poll(fds, 2, -1);
	if (poll(&fds[1], 1, 0) == 1)
		_exit(0); /* no program is left */
	set_title(NAME_KEEPER);
	close(fds[0].fd);
	if (keeper.current->id)
		call_continue(keeper.listener, keeper.current->id);
	memset(keeper.current, 0, sizeof(*keeper.current));
}

/* Returns in the guard, too, once it is the keeper. */
static void start_guard(void)
{
	pid_t self, child;

	if (keeper.guard >= 0)
		close(keeper.guard);
	do {
		self = getpid();
		child = fork();
		if (!child)
			wait_for_keeper_death(self);
	} while (!child);
	keeper.guard = child > 0 ? syscall(SYS_pidfd_open, child, 0) : -1;
}

static _Noreturn void keeper_loop(void)
{
	struct pollfd fds[2 + STAND_INS_MAX];
	unsigned int i;

	start_guard();
	for (;;) {
		fds[0] = (struct pollfd){ keeper.listener, POLLIN, 0 };
		fds[1] = (struct pollfd){ keeper.guard, POLLIN, 0 };
		for (i = 0; i < keeper.n; i++)
			fds[2 + i] = (struct pollfd){ keeper.stand_ins[i].channel, 0, 0 };
		poll(fds, 2 + keeper.n, -1);
		for (i = keeper.n; i-- > 0;)
			if (fds[2 + i].revents)
				drop_stand_in(i);
		if (fds[1].revents)
			start_guard();
		if (fds[0].revents & POLLIN)
			serve_call();
		else if (fds[0].revents)
			_exit(0); /* no program is left */
	}
}

/* Keep no file, directory or terminal of the program's; a log may need them. */
static void release_files(int channel)
{
	const bool log = getenv("MPTCPADDR_LOG");
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct rlimit files;
	int i;

	for (i = 0; i <= (log ? STDOUT_FILENO : STDERR_FILENO); i++)
		dup2(null, i);
	for (i = 3; i < channel; i++)
		close(i);
	syscall(SYS_close_range, channel + 1, ~0U, 0);
	if (!log && chdir("/") < 0)
		return;
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int cmd_keeper(int argc, char *argv[])
{
	const int channel = argc == 3 ? atoi(argv[1]) : -1;
	const pid_t program = argc == 3 ? atoi(argv[2]) : 0;
	uint64_t flags = SYNC_WAKE_UP;
	int r;

	if (channel <= STDERR_FILENO)
		return print_usage_error(argv[0], "it is not for users");
	release_files(channel);
	keeper.title =
		program_invocation_name; /* main()'s argv: one word after the other */
	keeper.title_size = argv[2] + strlen(argv[2]) + 1 - keeper.title;
	set_title(NAME_KEEPER);
	signal(SIGCHLD, SIG_IGN);
	keeper.guard = -1;
	keeper.current = mmap(NULL, NOTIF_SIZE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	r = tracee_copy_fd(program, -1); /* not allowed? */
	r = r == -EBADF ? 0 : r;
	if (keeper.current == MAP_FAILED || write(channel, &r, sizeof(r)) < 0 ||
	    read(channel, &r, sizeof(r)) != sizeof(r))
		return EXIT_USAGE; /* there is no filter then */
	keeper.listener = tracee_copy_fd(program, r);
	if (keeper.listener < 0)
		return EXIT_USAGE;
	ioctl(keeper.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags);
	r = 0;
	send(channel, &r, sizeof(r), MSG_NOSIGNAL);
	close(channel);
	keeper_loop();
}
