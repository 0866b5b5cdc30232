// SPDX-License-Identifier: MIT
/*
 * log_request.c - the log that MPTCPADDR_LOG asks for
 *
 * MPTCPADDR_LOG=[LEVEL][:FILE] or [LEVEL:]/FILE; any other value asks for warnings on
 * standard error.
 */
#include "log_request.h"
#include "env.h"
#include "mptcpaddr/handover.h"
#include "shim/common/str.h"
#include "syscall.h"

#include <signal.h>

#define KEPT_FD 900 /* or the next: above most programs' own */

static int kept_fd = -1; /* of a log file that the program may not open any more */
static struct statx kept;

void log_request_read(struct handover *h)
{
	const char *value = env_get(ENV_LOG), *file;
	size_t len;

	h->log_fd = -1;
	h->log_level = -1;
	if (!value || !*value)
		return;
	file = str_find(value, value + str_len(value), *value == '/' ? '/' : ':');
	len = file - value;
	h->log_level = log_level_parse(value, len);
	h->log_forced = h->log_level >= 0;
	if (!h->log_forced)
		h->log_level = LOG_LEVEL_WARNING;
	if (*file == ':')
		file++;
	if (str_len(file) < sizeof(h->log_file))
		str_append(h->log_file, 0, sizeof(h->log_file), file);
}

/*
 * A terminal that is stopped, or not read, makes a writer wait after poll() said that it
 * would not: only a description of our own can have O_NONBLOCK.
 */
static int open_stderr(void)
{
	struct statx st;
	int fd = -1;

	if (!env_stderr_is_original())
		return -1;
	if (sys_statx(STDERR_FILENO, "", &st) && S_ISCHR(st.stx_mode))
		fd = sys_call(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/fd/2",
			      O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 ? fd
		       : sys_call(SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC,
				  STDERR_FILENO + 1);
}

static int open_file(const char *path)
{
	const int flags =
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct statx now;

	/* Unless the program has closed it. */
	if (kept_fd >= 0 && sys_statx(kept_fd, "", &now) && sys_same_file(&now, &kept))
		return sys_call(SYS_fcntl, kept_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

void log_request_open(struct handover *h)
{
	if (h->log_level < 0)
		return;
	if (h->log_file[0])
		h->log_fd = open_file(h->log_file);
	else
		h->log_fd = open_stderr();
}

/* What a write may raise in a program's thread, which must not notice. */
#define WRITE_SIGNALS                                                      \
	((UINT64_C(1) << (SIGPIPE - 1)) | (UINT64_C(1) << (SIGXFSZ - 1)) | \
	 (UINT64_C(1) << (SIGTTOU - 1)))

static void print_without_signals(struct handover *h, enum log_level level,
				  const char *text, const char *more)
{
	struct log_target to = { .fd = -1 };
	const uint64_t block = WRITE_SIGNALS;
	static const timespec64 now;
	uint64_t old, pending, ours;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &block, &old, sizeof(block));
	syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	log_request_open(h);
	log_target_open(&to, h->log_fd, h->log_level, h->program, h->pid);
	log_target_print(&to, level, "%s%s", text, more);
	ours = block & ~pending;
	while (syscall(TIME64_RT_SIGTIMEDWAIT, &ours, NULL, &now, sizeof(ours)) > 0)
		;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
	if (h->log_fd >= 0)
		sys_close(h->log_fd);
}

/* Return: NULL if none is asked for; to be unmapped. */
static struct handover *request_new(void)
{
	struct handover *h = env_get(ENV_LOG) ? sys_map(sizeof(*h)) : NULL;

	if (!h)
		return NULL;
	h->pid = sys_getpid();
	str_append(h->program, 0, sizeof(h->program) - 1, env_program_name());
	log_request_read(h);
	return h;
}

void log_request_keep(void)
{
	struct handover *h = kept_fd < 0 ? request_new() : NULL;
	int fd;

	if (!h)
		return;
	fd = h->log_file[0] ? open_file(h->log_file) : -1;
	if (fd >= 0 && sys_statx(fd, "", &kept))
		kept_fd = sys_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, KEPT_FD);
	if (fd >= 0)
		sys_close(fd);
	syscall(SYS_munmap, h, sizeof(*h));
}

int log_request_kept(void)
{
	return kept_fd;
}

void log_request_print(enum log_level level, const char *text, const char *more)
{
	int saved = errno;
	struct handover *h = request_new();

	if (!h)
		return;
	print_without_signals(h, level, text, more);
	syscall(SYS_munmap, h, sizeof(*h));
	errno = saved;
}
